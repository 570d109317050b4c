"""Products with figures, and the product that a query means."""

from collections import Counter, defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.analysis.supplies import Product, Supply, SupplyUnit, plain_product, product_meant
from projections.fold.replay import ReplayState
from projections.query.as_of import AsOf
from projections.query.moment import Moment
from schema.services import Services
from tests.support.api import Api
from tests.support.api import claim as recorded
from tests.support.cases import each_case
from tracker.domain.basics.units import Unit
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.commodities import commodities as all_commodities
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure import FigureState

MINE, REFINERY, PLANT = Stage.MINE, Stage.REFINERY, Stage.PLANT


def products(*of: tuple[Stage | None, str | None]) -> list[Supply]:
    """Return supplies of some stages and forms; their other fields are irrelevant."""
    return [
        Supply(
            commodity=Commodity("titanium"),
            figures_of=Commodity("titanium"),
            statistic=Statistic.PRODUCTION,
            stage=stage,
            form=form,
            years=(2023,),
            places=1,
            has_world_total=True,
            figures=1,
            claims=1,
            publishers=("usgs",),
            units=(SupplyUnit(Unit("t"), None, 1),),
        )
        for stage, form in of
    ]


@each_case(
    ("known", "asked", "meant"),
    [
        ([(MINE, None), (REFINERY, None)], (None, None), (MINE, None)),
        ([(REFINERY, None)], (None, None), (REFINERY, None)),
        ([(REFINERY, None), (PLANT, None)], (None, None), (None, None)),
        ([(REFINERY, None)], (MINE, None), (MINE, None)),
        ([(PLANT, "sponge")], (None, None), (PLANT, "sponge")),
        ([(PLANT, "sponge")], (PLANT, None), (PLANT, "sponge")),
        ([(PLANT, "sponge")], (PLANT, "pigment"), (PLANT, "pigment")),
        ([(PLANT, "sponge"), (PLANT, None)], (None, None), (PLANT, None)),
        ([(PLANT, "sponge"), (PLANT, "pigment")], (None, None), (PLANT, None)),
        ([(MINE, "natural"), (PLANT, "synthetic")], (None, None), (MINE, "natural")),
        ([(MINE, "natural"), (PLANT, "synthetic")], (None, "synthetic"), (PLANT, "synthetic")),
        ([(None, None), (None, "ore")], (None, None), (None, None)),
        ([(None, "ore")], (None, None), (None, "ore")),
        ([], (None, None), (None, None)),
        ([], (PLANT, None), (PLANT, None)),
    ],
)
def test_a_missing_stage_is_the_mine_or_else_the_only_one(
    known: list[tuple[Stage | None, str | None]],
    asked: tuple[Stage | None, str | None],
    meant: tuple[Stage | None, str | None],
) -> None:
    assert product_meant(products(*known), *asked) == Product(*meant)


stages, forms = st.sampled_from([None, *Stage]), st.sampled_from([None, "a", "b"])


@given(st.lists(st.tuples(stages, forms), unique=True), stages, forms)
def test_a_requested_series_is_never_replaced(
    known: list[tuple[Stage | None, str | None]], stage: Stage | None, form: str | None
) -> None:
    found = product_meant(products(*known), stage, form)
    assert stage in (None, found.stage)
    assert form in (None, found.form)
    assert found.stage in {stage, *(one for one, _ in known)} | {None}
    assert found.form in {form, *(one for _, one in known)} | {None}


@given(st.lists(st.tuples(stages, forms), unique=True), stages, st.sampled_from(Statistic))
def test_the_plain_product_is_meant_wherever_there_is_one(
    known: list[tuple[Stage | None, str | None]], stage: Stage | None, statistic: Statistic
) -> None:
    if statistic is Statistic.RESERVES:  # which have no stage
        known, stage = list({(None, form): None for _, form in known}), None
    else:
        known = [(one or MINE, form) for one, form in known]
    plain = plain_product(statistic, stage)
    if (plain.stage, plain.form) in known:
        assert product_meant(products(*known), stage) == plain


async def test_supplies_are_those_that_a_fold_in_memory_gives(read_services: Services) -> None:
    world, head = ReplayState(), await read_services.recorder.head()
    for event in await read_services.recorder.read(0, limit=20_000):
        world.add(event)
    for position in (head, head // 2):
        await check_supplies(
            read_services.as_of, world, await read_services.as_of.resolve(None, None, position)
        )


async def check_supplies(as_of: AsOf, world: ReplayState, moment: Moment) -> None:
    """Make sure of all supplies at a moment, and of the figures of their newest output."""
    figures = [
        version.state
        for _, version in world.states(moment.valid_at, moment.position)
        if isinstance(version.state, FigureState) and version.state.claims
    ]
    found = {
        (of.commodity, of.statistic, of.stage, of.form): of
        for of in await as_of.supplies.find(moment)
    }
    expected: dict[Any, list[FigureState]] = defaultdict(list)
    for figure in figures:
        series = figure.series
        expected[series.commodity, series.statistic, series.stage, series.form].append(figure)
    assert found.keys() == expected.keys()
    for product, of in expected.items():
        supply, claims = found[product], [claim for figure in of for claim in figure.claims]
        assert supply.years == tuple(sorted({f.series.period for f in of if f.series.period}))
        places = {f.series.place for f in of}
        assert supply.places == len({place for place in places if not place.is_aggregate})
        assert supply.has_world_total == (Place("WORLD") in places)
        assert (supply.figures, supply.claims) == (len(of), len(claims))
        assert set(supply.publishers) == {claim.publisher for claim in claims}
        assert {(one.unit, one.basis): one.claims for one in supply.units} == Counter(
            (claim.quantity.unit, claim.quantity.basis) for claim in claims
        )
    newest = []
    for of in expected.values():
        years = [f.series.period for f in of if f.series.period]
        years = [f.series.period for f in of if f.series.place == "WORLD"] or years
        if of[0].series.statistic is Statistic.PRODUCTION:
            newest += [figure for figure in of if figure.series.period == max(years)]
    output = await as_of.exposures.yearly_output(all_commodities(), moment)
    assert output == sorted(newest, key=lambda figure: figure.id)


async def test_of_every_commodity_one_product_is_meant_but_where_there_are_several_alike(
    read_services: Services,
) -> None:
    """Iron ore is counted as usable ore and as contained iron, mica as sheet and as scrap."""
    as_of, several = read_services.as_of, set()
    found = await as_of.supplies.find(await as_of.resolve())
    for statistic in (Statistic.PRODUCTION, Statistic.RESERVES):
        for commodity in {of.commodity for of in found if of.statistic is statistic}:
            own = [of for of in found if (of.commodity, of.statistic) == (commodity, statistic)]
            if product_meant(own) not in {Product(of.stage, of.form) for of in own}:
                several.add((str(commodity), str(statistic)))
    assert several == {
        (commodity, statistic)
        for commodity in ("iron_ore", "mica")
        for statistic in ("production", "reserves")
    }


async def test_a_place_and_a_statistic_narrow_what_is_looked_at(read_services: Services) -> None:
    data = await Api(read_services).ask(
        """{ asOf(validAt: "2026-03-01") {
          all: supplies(commodity: "titanium") { commodity { key } statistic form }
          reserves: supplies(commodity: "titanium", statistic: RESERVES) { commodity { key } }
          world: supplies(commodity: "gallium", place: "WORLD", statistic: PRODUCTION) {
            stage places hasWorldTotal figures years }
          none: supplies(commodity: "gallium", place: "ZW") { stage } } }"""
    )
    found = data["asOf"]
    assert {("titanium", "PRODUCTION", "sponge"), ("rutile", "RESERVES", None)} <= {
        (of["commodity"]["key"], of["statistic"], of["form"]) for of in found["all"]
    }
    assert [of["commodity"]["key"] for of in found["reserves"]] == [
        of["commodity"]["key"] for of in found["all"] if of["statistic"] == "RESERVES"
    ]
    years = [2021, 2022, 2023, 2024, 2025]
    assert found["world"] == [
        {"stage": "PRIMARY", "places": 0, "hasWorldTotal": True, "figures": 5, "years": years}
    ]
    assert found["none"] == []


def gallium(stage: Stage, year: int) -> dict[str, Any]:
    """Return a claim on China's output of gallium."""
    claim = recorded("100", year=year)
    claim["series"] |= {"commodity": "gallium", "stage": stage.name}
    return claim


PRODUCTION = """query ($of: String!, $stage: Stage) { asOf { production(commodity: $of, stage: $stage,
  year: 2023) { stage form year figures { value } available { stage form years } } } }"""


async def test_an_answer_says_for_which_stage_it_is_and_which_there_are(services: Services) -> None:
    api = Api(services)
    await api.do("recordFigure", gallium(Stage.PRIMARY, 2023))

    async def ask(**asked: Any) -> Any:
        return (await api.ask(PRODUCTION, of="gallium", **asked))["asOf"]["production"]

    available = [{"stage": "PRIMARY", "form": None, "years": [2023]}]
    assert await ask() == {
        "stage": "PRIMARY",
        "form": None,
        "year": 2023,
        "figures": [{"value": "100"}],
        "available": available,
    }
    mined = await ask(stage="MINE")
    assert (mined["stage"], mined["figures"], mined["available"]) == ("MINE", [], available)
    await api.do("recordFigure", gallium(Stage.MINE, 2010))  # the product of queries from now on
    assert ((await ask())["stage"], (await ask())["figures"]) == ("MINE", [])
    [tin] = (await api.ask(PRODUCTION, of="tin"))["asOf"].values()
    assert tin == {"stage": None, "form": None, "year": 2023, "figures": [], "available": []}


PRODUCTIONS = """query ($of: [String!]!, $years: YearRange!, $form: String) {
  asOf(validAt: "2026-03-01") { productions(commodities: $of, years: $years, form: $form) {
    commodity { key } stage form year world { value } share(of: {places: ["CN"]}) { share } } } }"""

ONE_YEAR = """query ($of: String!, $year: Int!) {
  asOf(validAt: "2026-03-01") { production(commodity: $of, year: $year) {
    commodity { key } stage form year world { value } share(of: {places: ["CN"]}) { share } } } }"""


async def test_many_years_of_several_commodities_are_one_question(read_services: Services) -> None:
    api = Api(read_services)
    data = await api.ask(PRODUCTIONS, of=["titanium", "gallium"], years={"from": 2019, "to": 2030})
    found = data["asOf"]["productions"]
    assert [(of["commodity"]["key"], of["stage"], of["form"], of["year"]) for of in found] == [
        *(("titanium", "PLANT", "sponge", year) for year in range(2021, 2026)),
        *(("gallium", "PRIMARY", None, year) for year in range(2021, 2026)),
    ]
    for of in found[3:7]:
        one = await api.ask(ONE_YEAR, of=of["commodity"]["key"], year=of["year"])
        assert one["asOf"]["production"] == of
    pigment = await api.ask(PRODUCTIONS, of="titanium", years={"from": 2021, "to": 2021}, form="x")
    assert pigment["asOf"]["productions"] == []
    refused: list[tuple[dict[str, Any], str, list[str]]] = [
        ({"of": ["x"], "years": {"from": 1, "to": 2}}, "UNKNOWN_COMMODITY", ["commodities", "0"]),
        ({"of": ["tin"], "years": {"from": 2000}}, "YEAR_REQUIRED", ["years", "to"]),
        ({"of": ["tin"], "years": {}}, "YEAR_REQUIRED", ["years", "from"]),
        ({"of": ["tin"], "years": {"from": 2, "to": 1}}, "END_BEFORE_START", ["years", "to"]),
        ({"of": ["tin", "zinc"], "years": {"from": 1950, "to": 2000}}, "TOO_LARGE", ["years"]),
    ]
    for asked, code, path in refused:
        got, where = await api.refused(PRODUCTIONS, **asked)
        assert (got, [str(step) for step in where or ()]) == (code, path)
