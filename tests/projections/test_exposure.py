"""Exposure: which part of the world's output is under which controls, and never more than that."""

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.analysis import applied_clause
from projections.analysis.export_clauses import ExportClauses, ExposureQuery
from projections.analysis.exposure import Exposure, applied, exposures, yearly_supplies
from projections.fold.replay import ReplayState
from schema.services import Services
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.fact_builders import (
    announced,
    claimed,
    clause,
    decided_facts,
    order,
    state,
    suspended,
)
from tests.support.grounds import ALL_CONFIRMED
from tracker.domain.basics.control_vocabulary import Measure, Reach
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity, descendants
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.entities.entity import EntityState
from tracker.domain.entities.fact import Fact
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.figure_facts import Series

GALLIUM, US, JP = Commodity("gallium"), Place("US"), Place("JP")
DAY = "2025-12-01"
ON = date.fromisoformat(DAY)


def output(place: str, value: int, commodity: str = "gallium", **more: Any) -> FigureState:
    """Return the output of a place."""
    fact = claimed(value, place=place, commodity=commodity, **more)
    found: FigureState = state(decided_facts(fact.stream, fact), fact.stream, DAY)
    return found


def control(
    *clauses: dict[str, Any], then: tuple[Fact, ...] = (), id: str = "x", **more: Any
) -> ExportControlState:
    """Return a control of China with its status on the day."""
    stream = f"export-control/{id}"
    found: ExportControlState = state(
        decided_facts(stream, announced(*clauses, **more), *then), stream, DAY
    )
    return found


WORLD = (output("WORLD", 100), output("CN", 80), output("JP", 15), output("OTHER", 5))


def shares_by_measure(found: Exposure) -> list[tuple[Measure, Decimal]]:
    """Return the share under each measure."""
    return [(of.measure, of.share) for of in found.measures]


def exposed(
    *controls: ExportControlState,
    destination: Place | None = US,
    figures: Any = WORLD,
    **asked: Any,
) -> Exposure:
    """Return the exposure of gallium to controls."""
    question = ExposureQuery(ON, **{"commodity": GALLIUM, "destination": destination, **asked})
    [found] = exposures(
        question, ExportClauses(controls, ALL_CONFIRMED), yearly_supplies(figures, ())
    )
    return found


def shares(found: Exposure) -> tuple[str, str]:
    """Return the fully and partly covered shares."""
    return str(found.controlled_share), str(found.partly_controlled_share)


def test_the_output_of_a_place_with_a_measure_in_force_is_controlled() -> None:
    found = exposed(control())
    assert shares(found) == ("0.8000", "0.0000")
    assert shares_by_measure(found) == [(Measure.BAN, Decimal("0.8000"))]
    [china] = found.places
    assert (china.place, china.share and china.share.share) == ("CN", Decimal("0.8000"))
    assert [str(figure.series.place) for figure, _ in found.computed_from] == ["WORLD", "CN"]


def test_without_controls_nothing_is_controlled() -> None:
    found = exposed()
    assert (shares(found), found.places, found.computed_from) == (("0.0000", "0.0000"), (), ())


def test_controls_of_several_places_add_up_and_several_of_one_place_do_not() -> None:
    licence = control(clause(measure="licence"), id="y")
    found = exposed(control(), licence, control(id="z", issuer="JP"))
    assert shares(found) == ("0.9500", "0.0000")
    assert shares_by_measure(found) == [
        (Measure.LICENCE, Decimal("0.8000")),
        (Measure.BAN, Decimal("0.9500")),
    ]
    assert [str(place.place) for place in found.places] == ["CN", "JP"]


@each_case(
    ("destinations", "destination", "expected", "limits"),
    [
        ([], US, ("0.8000", "0.0000"), ()),
        (["US"], US, ("0.8000", "0.0000"), ()),
        (["US"], JP, ("0.0000", "0.0000"), None),
        (["US"], None, ("0.0000", "0.8000"), ("only to US",)),
        ([], None, ("0.8000", "0.0000"), ()),
    ],
)
def test_a_control_counts_for_the_destinations_that_it_names_or_for_all(
    destinations: list[str],
    destination: Place | None,
    expected: tuple[str, str],
    limits: tuple[str, ...] | None,
) -> None:
    found = exposed(control(clause(destinations=destinations)), destination=destination)
    assert shares(found) == expected
    assert [of.limits for place in found.places for of in place.in_force] == (
        [] if limits is None else [limits]
    )


@each_case(
    ("limited", "limit"),
    [
        ({"endUse": "military"}, "only for the end use military"),
        ({"entities": ["A", "B"]}, "only for 2 named entities"),
        ({"entityCount": 20}, "only for 20 named entities"),
        ({"exceptions": [{"places": ["US"], "exempt": True}]}, "not to US"),
        ({"items": [{"name": "gallium arsenide"}]}, "only gallium arsenide"),
        ({"exemptItems": [{"name": "samples"}]}, "except: samples"),
        ({"exemptions": "concentrates"}, "except: concentrates"),
    ],
)
def test_partial_coverage_is_said_and_never_counted_as_full(
    limited: dict[str, Any], limit: str
) -> None:
    found = exposed(control(clause(**limited)), destination=None)
    assert shares(found) == ("0.0000", "0.8000")
    assert shares_by_measure(found) == []
    assert found.places[0].in_force[0].limits == (limit,)
    both = control(clause(**limited)), control(id="y")
    assert shares(exposed(*both, destination=None)) == ("0.8000", "0.0000")


@each_case(
    ("other", "limit"),
    [
        ({"covers": "technology"}, "only technology, not the goods"),
        ({"covers": "equipment"}, "only equipment, not the goods"),
        ({"measure": "investigation"}, "only an investigation"),
        (
            {"territory": "only_abroad", "deMinimisPercent": "0.1"},
            "only goods made abroad, from a share of 0.1 %",
        ),
        ({"forms": ["metal", "alloy"]}, "only as metal, alloy"),
        (
            {"items": [{"name": "wafers", "forms": ["article"]}], "itemsComplete": True},
            "only as article",
        ),
    ],
)
def test_goods_outside_the_supply_are_named_and_count_for_nothing(
    other: dict[str, Any], limit: str
) -> None:
    """The supply is the output of mines."""
    found = exposed(control(clause(**other)))
    assert shares(found) == ("0.0000", "0.0000")
    [applied] = found.places[0].in_force
    assert (applied.reach, applied.limits) == ("other", (limit,))


@each_case(
    ("forms", "expected"),
    [
        (["ore", "concentrate"], ("0.8000", "0.0000")),
        (["ore", "concentrate", "metal"], ("0.8000", "0.0000")),
        (["ore"], ("0.0000", "0.8000")),
    ],
)
def test_a_clause_on_forms_counts_in_full_for_a_stage_of_which_it_has_all_forms(
    forms: list[str], expected: tuple[str, str]
) -> None:
    assert shares(exposed(control(clause(forms=forms)))) == expected


@each_case(
    ("stage", "forms", "reach"),
    [
        ("primary", ["metal"], Reach.FULL),
        ("smelter", ["metal"], Reach.FULL),
        ("primary", ["oxide"], Reach.PARTLY),
        ("refinery", ["metal"], Reach.PARTLY),
        ("refinery", ["oxide", "compound", "metal", "alloy", "intermediate"], Reach.FULL),
        ("secondary", ["metal"], Reach.FULL),
        ("secondary", ["scrap"], Reach.PARTLY),
        ("secondary", ["ore"], Reach.OTHER),
        ("plant", ["concentrate"], Reach.OTHER),
        (None, ["ore"], Reach.PARTLY),
    ],
)
def test_the_forms_of_a_stage_decide_how_far_a_clause_on_forms_reaches(
    stage: str | None, forms: list[str], reach: Reach
) -> None:
    controls = [control(clause(forms=forms))]
    at = stage and Stage(stage)
    [found] = applied(
        ExposureQuery(ON), GALLIUM, at or None, ExportClauses(controls, ALL_CONFIRMED)
    )
    assert found.reach is reach


def test_goods_that_are_controlled_at_home_and_abroad_count_in_full() -> None:
    assert shares(exposed(control(clause(territory="also_abroad")))) == ("0.8000", "0.0000")


def test_a_ban_of_dual_use_items_reaches_what_needs_a_dual_use_licence_that_day() -> None:
    ban = control(clause(commodities=["dual_use_items"]), id="ban")
    licence = clause(measure="dual_use_licence")
    assert exposed(ban).places == ()
    assert exposed(ban, control(licence, issuer="JP")).places[0].place == "JP"
    found = exposed(ban, control(licence))
    assert {of.control.id for of in found.places[0].in_force} == {"ban", "x"}
    assert {of.control.id: of.full for of in found.places[0].in_force} == {"ban": False, "x": True}
    assert [of.measure for of in found.measures] == [Measure.DUAL_USE_LICENCE]
    paused = control(licence, then=(suspended("1"),))
    assert [of.control.id for of in exposed(ban, paused).places[0].suspended] == ["x"]
    assert exposed(ban, paused).places[0].in_force == ()
    abroad = control(clause(measure="dual_use_licence", territory="only_abroad"))
    assert [of.reach for of in exposed(ban, abroad).places[0].in_force] == ["other"]
    technology = control(clause(measure="dual_use_licence", covers="technology"))
    assert [of.reach for of in exposed(ban, technology).places[0].in_force] == ["other"]


def test_a_ban_of_dual_use_items_reaches_no_further_than_the_licence() -> None:
    ban = control(clause(commodities=["dual_use_items"]), id="ban")
    licence = clause(measure="dual_use_licence", items=[{"name": "gallium oxide"}])
    found = exposed(ban, control(licence))
    assert {(of.control.id, of.limits) for of in found.places[0].in_force} == {
        (
            "ban",
            (
                "it names only a group of goods, without codes, so it may not cover these",
                "dual-use items: only what needs a dual-use licence",
                "only gallium oxide",
            ),
        ),
        ("x", ("only gallium oxide",)),
    }


def test_a_ban_of_dual_use_items_reaches_what_any_of_the_licences_does() -> None:
    """Gallium metal, and some of its compounds by a separate licence."""
    ban = control(clause(commodities=["dual_use_items"]), id="ban")
    metal = control(clause(measure="dual_use_licence", forms=["metal"]))
    some = clause(measure="dual_use_licence", forms=["oxide"], items=[{"name": "gallium oxide"}])
    for stage, limits in ((Stage.PRIMARY, 1), (Stage.REFINERY, 2)):
        clauses = ExportClauses([ban, metal, control(some, id="y")], ALL_CONFIRMED)
        of_stage = applied(ExposureQuery(ON, commodity=GALLIUM), GALLIUM, stage, clauses)
        found = {one.control.id: one for one in of_stage}
        assert found["ban"].reach == "partly"
        assert len(found["ban"].limits) == limits


def test_a_destination_that_is_exempt_is_not_exposed() -> None:
    free = control(clause(exceptions=[{"places": ["US"], "exempt": True}]))
    assert exposed(free).places == ()
    assert shares(exposed(free, destination=JP)) == ("0.8000", "0.0000")


def test_a_control_toward_a_union_is_one_toward_its_members() -> None:
    found = exposed(control(clause(destinations=["EU"])), destination=Place("DE"))
    assert shares(found) == ("0.8000", "0.0000")
    assert exposed(control(clause(destinations=["EU"])), destination=Place("GB")).places == ()


def test_a_control_toward_some_members_is_a_part_of_one_toward_the_union() -> None:
    found = exposed(control(clause(destinations=["DE"])), destination=Place("EU"))
    assert shares(found) == ("0.0000", "0.8000")
    assert found.places[0].in_force[0].limits == ("only to DE",)
    free = control(clause(exceptions=[{"places": ["FR"], "exempt": True}]))
    assert exposed(free, destination=Place("EU")).places[0].in_force[0].limits == ("not to FR",)
    assert shares(exposed(free, destination=Place("DE"))) == ("0.8000", "0.0000")


def test_a_measure_that_its_issuer_denies_is_not_counted_as_full() -> None:
    found = exposed(control(official=False))
    assert shares(found) == ("0.0000", "0.8000")
    assert found.places[0].in_force[0].limits == ("reported by others, denied by its issuer",)


def test_suspended_clauses_stand_apart_and_count_for_nothing() -> None:
    found = exposed(control(then=(suspended("1"),)))
    assert shares(found) == ("0.0000", "0.0000")
    [china] = found.places
    assert china.in_force == ()
    assert [of.clause.suspended_until for of in china.suspended] == ["2026-11-27"]
    assert not china.suspended[0].full


@each_case(
    "ended", [{"inForceFrom": None}, {"inForceFrom": "2026-01-01"}, {"inForceUntil": "2025-11-30"}]
)
def test_clauses_to_come_and_clauses_that_are_over_do_not_count(ended: dict[str, Any]) -> None:
    assert exposed(control(clause(**ended))).places == ()


def test_only_controls_on_exports_count_and_none_on_what_a_place_makes_for_itself() -> None:
    assert exposed(control(direction="import")).places == ()
    assert exposed(control(direction="production")).places == ()
    assert exposed(control(), destination=Place("CN")).places == ()


def test_an_issuer_can_be_asked_for() -> None:
    both = control(), control(id="y", issuer="JP")
    assert shares(exposed(*both, issuer=JP)) == ("0.1500", "0.0000")


def test_a_commodity_without_figures_stands_there_without_shares() -> None:
    found = exposed(control(), figures=())
    assert (found.stage, found.year, found.world) == (None, None, None)
    assert (found.controlled_share, found.partly_controlled_share) == (None, None)
    assert [(str(place.place), place.share) for place in found.places] == [("CN", None)]


def test_without_figures_clauses_are_held_against_the_stage_that_is_asked() -> None:
    ore = control(clause(forms=["ore", "concentrate"]))
    reached = {
        stage: [
            applied.reach for applied in exposed(ore, figures=(), stage=stage).places[0].in_force
        ]
        for stage in (None, Stage.MINE, Stage.REFINERY)
    }
    assert reached == {
        None: [Reach.PARTLY],
        Stage.MINE: [Reach.FULL],
        Stage.REFINERY: [Reach.OTHER],
    }


def test_a_controlling_place_without_a_number_is_named_and_adds_nothing() -> None:
    found = exposed(control(id="y", issuer="RU"), control(id="z", issuer="JP"))
    assert [(str(p.place), p.share and str(p.share.share)) for p in found.places] == [
        ("JP", "0.1500"),
        ("RU", None),
    ]
    assert shares(found) == ("0.1500", "0.0000")


@each_case(
    ("day", "expected"),
    [("2025-12-03", ("0.8000", "0.0000")), ("2025-12-04", ("0.0000", "0.8000"))],
)
def test_an_unknown_end_covers_a_supply_fully_for_a_year(
    day: str, expected: tuple[str, str]
) -> None:
    """The clause is in force from 3 December 2024."""
    question = ExposureQuery(date.fromisoformat(day), commodity=GALLIUM)
    [found] = exposures(
        question,
        ExportClauses([control(clause(end="unknown"))], ALL_CONFIRMED),
        yearly_supplies(WORLD, ()),
    )
    assert shares(found) == expected
    told = (
        ()
        if expected[1] == "0.0000"
        else ("its end is not recorded: it may have ended since 3 December 2024",)
    )
    assert found.places[0].in_force[0].limits == told


def test_a_ban_on_the_minerals_of_a_place_covers_nothing_that_it_is_not_known_to_make() -> None:
    minerals = clause(commodities=["critical_minerals"])
    found = exposed(
        control(minerals, id="maker"), control(minerals, id="other", issuer="MW"), destination=None
    )
    assert shares(found) == ("0.0000", "0.8000")
    assert [
        (str(place.place), one.reach, one.limits[0])
        for place in found.places
        for one in place.in_force
    ] == [
        (
            "CN",
            Reach.PARTLY,
            "it names only a group of goods, without codes, so it may not cover these",
        ),
        (
            "MW",
            Reach.OTHER,
            "no output of its issuer is recorded, so the group may not include these goods",
        ),
    ]


LAW = {"measure": "dual_use_licence", "commodities": ["dual_use_items"]}
LICENCE = {"measure": "dual_use_licence"}


def requirements(*controls: ExportControlState) -> list[tuple[str, list[str]]]:
    """Return the controls with requirements for gallium, each with its legal bases."""
    [place] = exposed(*controls, destination=None).places
    return [
        (one.clause.control.id, [basis.control.id for basis in one.legal_bases])
        for one in applied_clause.requirements(place.in_force)
    ]


def test_a_licence_that_rests_on_laws_and_lists_is_one_requirement() -> None:
    abroad = clause("abroad", **LAW, territory="only_abroad")
    laws = control(clause(**LAW), id="law"), control(clause(**LAW), abroad, id="decree")
    licence = control(clause(**LICENCE), id="list")
    ban = control(id="ban")
    assert requirements(*laws, licence, ban) == [
        ("list", ["list", "law", "decree", "decree"]),
        ("ban", ["ban"]),
    ]


def test_a_clause_on_dual_use_items_for_some_or_only_abroad_is_a_requirement_of_its_own() -> None:
    licence = control(clause(**LICENCE), id="list")
    others = (
        control(clause(**LAW, entities=["A"]), id="firms"),
        control(clause(**LAW, territory="also_abroad"), id="affiliates"),
        control(clause(**LAW, destinations=["US"]), id="country"),
        control(clause(**{**LAW, "measure": "ban"}), id="ban"),
    )
    assert sorted(requirements(licence, *others)) == sorted(
        (id, [id]) for id in ("list", "firms", "affiliates", "country", "ban")
    )


def test_figures_of_its_own_come_before_those_that_are_filed_under_another_commodity() -> None:
    graphite = [output("WORLD", 100, "graphite"), output("CN", 50, "graphite")]
    own = [output("WORLD", 100, "natural_graphite"), output("CN", 80, "natural_graphite")]
    natural = {"commodity": Commodity("natural_graphite"), "destination": None}
    ban = control(clause(commodities=["natural_graphite"]))
    borrowed = exposed(ban, figures=graphite, **natural)
    assert (borrowed.figures_of, shares(borrowed)) == ("graphite", ("0.5000", "0.0000"))
    found = exposed(ban, figures=[*graphite, *own], **natural)
    assert (found.figures_of, shares(found)) == ("natural_graphite", ("0.8000", "0.0000"))


def test_supplies_are_distinguished_and_never_added() -> None:
    figures = [
        output(place, value, commodity)
        for commodity, place, value in (
            ("bauxite", "WORLD", 100),
            ("bauxite", "CN", 20),
            ("aluminium", "WORLD", 10),
            ("aluminium", "CN", 6),
        )
    ]
    question = ExposureQuery(ON, commodity=Commodity("aluminium"), destination=US)
    found = exposures(
        question,
        ExportClauses([control(clause(commodities=["bauxite"]))], ALL_CONFIRMED),
        yearly_supplies(figures, ()),
    )
    assert [(str(e.commodity), *shares(e)) for e in found] == [
        ("aluminium", "0.0000", "0.6000"),
        ("bauxite", "0.2000", "0.0000"),
    ]


def test_without_a_commodity_all_that_is_controlled_is_reported_and_nothing_else() -> None:
    """China has no bauxite output, and no counted dysprosium, but controls the latter."""
    figures = (
        *WORLD,
        output("WORLD", 9, "bauxite"),
        output("JP", 9, "bauxite"),
        output("WORLD", 9, "aluminium"),
        output("CN", 3, "aluminium"),
        output("WORLD", 9, "dysprosium"),
        output("WORLD", 9, "graphite"),
    )
    named = ["gallium", "aluminium", "dysprosium", "dual_use_items"]
    found = exposures(
        ExposureQuery(ON, destination=US),
        ExportClauses([control(clause(commodities=named))], ALL_CONFIRMED),
        yearly_supplies(figures, ()),
    )
    assert [(str(e.commodity), e.year) for e in found] == [
        ("dual_use_items", None),
        ("dysprosium", 2023),
        ("aluminium", 2023),
        ("gallium", 2023),
    ]


def test_shares_follow_an_order_of_publishers() -> None:
    stream = "figure/gallium/CN/production/mine/2023"
    china = decided_facts(
        stream, claimed(80, commodity="gallium"), claimed(60, commodity="gallium", publisher="bgs")
    )
    figures = output("WORLD", 100), state(china, stream, DAY)
    question = ExposureQuery(ON, commodity=GALLIUM)
    [found] = exposures(
        question,
        ExportClauses([control()], ALL_CONFIRMED),
        yearly_supplies(figures, [order("bgs")]),
    )
    assert (shares(found), found.mixed_editions) == (("0.6000", "0.0000"), True)


clauses = st.fixed_dictionaries(
    {},
    optional={
        "measure": st.sampled_from(("licence", "ban", "quota")),
        "destinations": st.lists(st.sampled_from(("US", "JP")), unique=True),
        "commodities": st.sampled_from(
            (["gallium"], ["graphite"], ["critical_minerals", "lithium"])
        ),
        "endUse": st.just("military"),
        "inForceFrom": st.sampled_from((None, "2024-01-01", "2027-01-01")),
    },
)
controls = st.builds(
    lambda wording, issuer, off: control(
        clause(**wording), issuer=issuer, then=(suspended("1"),) if off else ()
    ),
    clauses,
    st.sampled_from(("CN", "JP", "US")),
    st.booleans(),
)
numbers = st.lists(st.integers(0, 100), min_size=3, max_size=3)


@given(st.lists(controls, max_size=6), numbers, st.sampled_from((None, US, JP)))
def test_every_output_counts_at_most_once(
    standing: list[ExportControlState], values: list[int], destination: Place | None
) -> None:
    figures = [output("WORLD", sum(values) + 1), *map(output, ("CN", "JP", "US"), values)]
    found = exposed(*standing, destination=destination, figures=figures)
    parts = {place.place: place for place in found.places}
    assert len(parts) == len(found.places)
    assert found.controlled_share is not None
    assert found.partly_controlled_share is not None
    whole = found.controlled_share + found.partly_controlled_share
    assert whole <= sum(
        (p.share.share for p in found.places if p.share and p.share.share and p.in_force),
        Decimal("0.0002"),
    )
    assert all(of.share <= found.controlled_share for of in found.measures)
    for place in found.places:
        assert place.place != destination
        for of in (*place.in_force, *place.suspended):
            to = of.clause.clause.destinations
            assert not to or destination is None or destination in to
        assert not any(of.limits for of in place.in_force if of.full)


@given(st.lists(controls, max_size=5), controls, st.sampled_from((None, US, JP)))
def test_another_control_never_lessens_what_is_controlled(
    standing: list[ExportControlState], another: ExportControlState, destination: Place | None
) -> None:
    before = exposed(*standing, destination=destination).controlled_share
    after = exposed(*standing, another, destination=destination).controlled_share
    assert before is not None
    assert after is not None
    assert before <= after


ASKED = """query ($day: Day, $commodity: String, $issuer: String, $destination: String, $year: Int) {
  asOf(validAt: $day) {
    exposure(commodity: $commodity, issuer: $issuer, destination: $destination, year: $year) {
      commodity { key } stage form year world { value edition } controlledShare partlyControlledShare
      mixedEditions measures { measure share } computedFrom { series { place { code } } value }
      places { place { code } share figure { edition choice { rule } }
        inForce { control { key } clause { key measure } full limits }
        suspended { control { key } clause { key suspendedUntil returnsOn } full } } } } }"""


async def ask(services: Services, **asked: Any) -> list[dict[str, Any]]:
    """Return the exposures from the API."""
    data = await Api(services).ask(ASKED, **asked)
    found: list[dict[str, Any]] = data["asOf"]["exposure"]
    return found


def share_of(found: dict[str, Any], measure: str) -> str:
    """Return the share under a measure, or None."""
    shares = {of["measure"]: of["share"] for of in found["measures"]}
    return shares.get(measure, "0.0000")


async def test_the_us_was_exposed_to_a_ban_of_gallium_until_it_was_suspended(
    read_services: Services,
) -> None:
    """China supplies 750 of 760 t: 98.68 %. The ban is suspended from 9 November 2025; the licence of
    2023 stays."""
    asked = {"commodity": "gallium", "destination": "US"}
    [june] = await ask(read_services, day="2025-06-01", **asked)
    assert (june["stage"], june["year"], june["world"]) == (
        "PRIMARY",
        2024,
        {"value": "760000", "edition": "MCS 2025"},
    )
    assert (june["controlledShare"], june["partlyControlledShare"]) == ("0.9868", "0.0000")
    assert june["measures"] == [
        {"measure": "DUAL_USE_LICENCE", "share": "0.9868"},
        {"measure": "BAN", "share": "0.9868"},
    ]
    assert [(c["series"]["place"]["code"], c["value"]) for c in june["computedFrom"]] == [
        ("WORLD", "760000"),
        ("CN", "750000"),
    ]
    china = june["places"][0]
    assert china["figure"] == {"edition": "MCS 2025", "choice": {"rule": "FIRST"}}
    assert {(of["control"]["key"], of["clause"]["key"]) for of in china["inForce"]} >= {
        ("cn-mofcom-2024-51", "gallium"),
        ("cn-mofcom-2024-46", "2"),
    }
    [november] = await ask(read_services, day="2025-11-20", **asked)
    assert november["controlledShare"] == "0.9868"
    assert {"measure": "DUAL_USE_LICENCE", "share": "0.9868"} in november["measures"]
    assert share_of(november, "BAN") == "0.0000"
    china = november["places"][0]
    assert {
        "control": {"key": "cn-mofcom-2024-46"},
        "full": False,
        "clause": {"key": "2", "suspendedUntil": "2026-11-27", "returnsOn": "2026-11-28"},
    } in china["suspended"]
    assert any("only technology, not the goods" in of["limits"] for of in china["inForce"])


async def test_japan_was_never_exposed_to_the_ban_of_gallium(read_services: Services) -> None:
    [found] = await ask(read_services, day="2025-06-01", commodity="gallium", destination="JP")
    assert (share_of(found, "DUAL_USE_LICENCE"), share_of(found, "BAN")) == ("0.9868", "0.0000")
    [found] = await ask(read_services, day="2023-07-31", commodity="gallium", destination="JP")
    assert found["controlledShare"] == "0.0000"


async def test_seven_rare_earths_under_licence_are_a_part_of_the_supply(
    read_services: Services,
) -> None:
    """China supplies 270,000 of 390,000 t. Magnet rare earths are products of their own."""
    found, *magnets = await ask(
        read_services, day="2025-11-20", commodity="rare_earths", destination="US"
    )
    assert all(one["form"] == "magnet_rare_earths" for one in magnets)
    places = {place["place"]["code"]: place for place in found["places"]}
    china, malaysia, namibia = (places[code] for code in ("CN", "MY", "NA"))
    assert (china["share"], malaysia["share"]) == ("0.6923", "0.0003")
    assert (namibia["share"], namibia["figure"]) == (None, None)
    assert {of["control"]["key"] for of in china["inForce"]} >= {
        "cn-mofcom-2025-18",
        "cn-technology-catalogue",
    }
    assert not any(
        of["full"] for of in china["inForce"] if of["control"]["key"] == "cn-mofcom-2025-18"
    )
    suspended = china["suspended"]
    assert {(of["control"]["key"], of["clause"]["suspendedUntil"]) for of in suspended} >= {
        (f"cn-mofcom-2025-{number}", "2026-11-10") for number in (56, 57, 61, 62)
    }


async def test_heavy_rare_earths_have_controls_and_no_figures_in_2025(
    read_services: Services,
) -> None:
    [found] = await ask(
        read_services, day="2025-11-20", commodity="heavy_rare_earths", destination="US"
    )
    assert (found["year"], found["world"], found["controlledShare"]) == (None, None, None)
    [china] = [place for place in found["places"] if place["place"]["code"] == "CN"]
    assert china["share"] is None
    assert "cn-mofcom-2025-18" in {of["control"]["key"] for of in china["inForce"]}
    [found] = await ask(read_services, day="2025-11-20", commodity="dysprosium", destination="US")
    [china] = [place for place in found["places"] if place["place"]["code"] == "CN"]
    assert ("cn-mofcom-2025-18", ["only as oxide, compound, metal"]) in [
        (of["control"]["key"], of["limits"]) for of in china["inForce"]
    ]


async def test_a_place_can_be_asked_what_it_controls(read_services: Services) -> None:
    """Congo (Kinshasa): a quota on 220 of 290 kt of cobalt; its ban of concentrates has exceptions."""
    found = await ask(read_services, day="2025-11-20", issuer="CD")
    supplies = {
        (e["commodity"]["key"], e["stage"]): (e["controlledShare"], e["partlyControlledShare"])
        for e in found
    }
    assert supplies["cobalt", "MINE"] == ("0.7586", "0.0000")
    assert supplies["copper", "MINE"] == ("0.0000", "0.1435")


async def test_a_year_can_be_asked_for(read_services: Services) -> None:
    """In 2023 it was 621 of 633 t."""
    [found] = await ask(read_services, day="2025-06-01", commodity="gallium", year=2023)
    assert (found["year"], found["controlledShare"]) == (2023, "0.9810")
    [found] = await ask(read_services, day="2025-06-01", commodity="gallium", year=1999)
    assert (found["year"], found["controlledShare"]) == (None, None)


async def test_a_stage_can_be_asked_for_and_products_are_distinguished(
    read_services: Services,
) -> None:
    data = await Api(read_services).ask("""{ asOf(validAt: "2025-11-20") {
      exposure(commodity: "titanium", destination: "US", stage: PLANT) {
        commodity { key } stage form controlledShare } } }""")
    assert data["asOf"]["exposure"] == [
        {
            "commodity": {"key": "titanium"},
            "stage": "PLANT",
            "form": "sponge",
            "controlledShare": "0.0000",
        }
    ]


async def test_reads_equal_a_fold_in_memory(read_services: Services) -> None:
    as_of, world = read_services.as_of, ReplayState()
    async for event in read_services.recorder.read_all(await read_services.recorder.head()):
        world.add(event)
    for day, position in itertools.product(
        (date(2024, 3, 1), date(2025, 11, 20), date(2026, 3, 1)), (None, 4000)
    ):
        moment = await as_of.resolve(day, position=position)
        states = [v.state for _, v in world.states(moment.valid_at, moment.position)]
        controls = [s for s in states if isinstance(s, ExportControlState)]
        for question in (
            ExposureQuery(day, commodity=Commodity("aluminium")),
            ExposureQuery(day, destination=US),
            ExposureQuery(day, commodity=Commodity("rare_earths"), destination=JP),
            ExposureQuery(day, issuer=Place("ID")),
        ):
            figures = last_output(states, question, controls)
            [found] = await as_of.exposures.find(
                question, (), moment, destinations=[question.destination]
            )
            grounds = await as_of.confirmations.grounds(moment)
            clauses = ExportClauses(controls, grounds)
            assert found == exposures(question, clauses, yearly_supplies(figures, ()))


def last_output(
    states: list[EntityState], question: ExposureQuery, controls: list[ExportControlState]
) -> list[FigureState]:
    """Return the output for a query, in the last year of each product (of the world, if any)."""
    wanted = {
        below
        for one in ExportClauses(controls, ALL_CONFIRMED).subjects(question)
        for below in descendants(one)
    }
    figures = [
        s
        for s in states
        if isinstance(s, FigureState)
        and s.series.statistic is Statistic.PRODUCTION
        and s.series.commodity in wanted
    ]
    worlds: dict[Any, int] = {}
    newest: dict[Any, int] = {}
    for series in (figure.series for figure in figures):
        for years in (newest, *([worlds] if series.place == "WORLD" else ())):
            years[product(series)] = max(series.period or 0, years.get(product(series), 0))
    years = newest | worlds
    return [f for f in figures if years.get(product(f.series)) == f.series.period]


def product(series: Series) -> tuple[Any, ...]:
    """Return the product, which has its own last year."""
    return series.commodity, series.stage, series.form


async def test_an_exposure_of_everything_is_answered_in_a_few_reads(
    corpus_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    pool = type(corpus_services.as_of._pool)
    fetch = pool.fetch

    async def counted(self: Any, *arguments: Any, **more: Any) -> Any:
        nonlocal reads
        reads += "projection, position" not in arguments[0]  # the follower looks from time to time
        return await fetch(self, *arguments, **more)

    monkeypatch.setattr(pool, "fetch", counted)
    found = await ask(corpus_services, day="2025-11-20", destination="US")
    assert len(found) > 20
    assert reads == 8


async def test_a_question_about_nothing_in_particular_is_refused(services: Services) -> None:
    api = Api(services)
    assert await api.refused("{ asOf { exposure { year } } }") == ("INVALID_INPUT", ["commodity"])
    assert await api.refused('{ asOf { exposure(destination: "XX") { year } } }') == (
        "UNKNOWN_PLACE",
        ["destination"],
    )


SUPPLIES = """commodity { key } stage form year controlledShare partlyControlledShare
  places { place { code } share inForce { clause { key } limits } }"""
TOWARD = f"""query ($to: [String!]!, $of: String, $issuer: String) {{ asOf(validAt: "2025-11-20") {{
  exposures(destinations: $to, commodity: $of, issuer: $issuer) {{
    destination {{ code }} supplies {{ {SUPPLIES} }} }} }} }}"""
TO_ONE = f"""query ($to: String, $of: String, $issuer: String) {{ asOf(validAt: "2025-11-20") {{
  exposure(destination: $to, commodity: $of, issuer: $issuer) {{ {SUPPLIES} }} }} }}"""


async def test_many_destinations_are_answered_at_once_as_each_alone(
    read_services: Services,
) -> None:
    api, to = Api(read_services), ["US", "JP", "TW"]
    for asked in ({"of": "gallium"}, {"issuer": "ID"}, {}):
        found = (await api.ask(TOWARD, to=[*to, "US"], **asked))["asOf"]["exposures"]
        assert [of["destination"]["code"] for of in found] == to
        for of in found:
            alone = await api.ask(TO_ONE, to=of["destination"]["code"], **asked)
            assert of["supplies"] == alone["asOf"]["exposure"]
    assert await api.refused(TOWARD, to=[]) == ("INVALID_INPUT", ["destinations"])
    assert await api.refused(TOWARD, to=["US"] * 51) == ("TOO_LARGE", ["destinations"])
    assert await api.refused(TOWARD, to=["US", "XX"]) == ("UNKNOWN_PLACE", ["destinations", 1])
