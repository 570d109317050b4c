"""Shares and concentration, computed only from comparable claims."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from projections.analysis.distribution import Distribution, by_product, distribution
from projections.analysis.quantities import ratio
from projections.analysis.supplies import Product
from schema.services import Services
from tests.support.api import Api
from tests.support.api import claim as recorded
from tests.support.cases import each_case
from tests.support.fact_builders import claimed, decided_facts, order, state
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.figures.figure import FigureState


def figure(place: str, value: Any, **more: Any) -> FigureState:
    """Return a figure with one claim, even one that would be refused today."""
    stream = f"figure/rare_earths/{place}/production/mine/2023"
    known = RecordedFact(1, "e1", "Figure.Claimed", claimed(value, place=place, **more))
    found = state([known], stream, "2025-01-01")
    assert isinstance(found, FigureState)
    return found


def shares(*figures: FigureState) -> dict[str, Decimal | None]:
    """Return the share of every place."""
    return {str(s.place): s.share for s in distribution(figures, ()).shares}


def obstacles(*figures: FigureState) -> dict[str, str]:
    """Return the reasons for places with numbers but no share."""
    return {
        str(s.place): str(s.incomparable_reason) for s in distribution(figures, ()).not_comparable
    }


def spread(*figures: FigureState) -> Distribution:
    """Return the distribution of figures without publisher orders."""
    return distribution(figures, ())


@each_case(
    ("part", "whole", "found"),
    [
        ("1", "4", "0.25"),
        ("999", "1", "999"),
        ("1000", "1", None),
        ("-1000", "1", None),
        ("1", "0", None),
        ("1e999999", "1e-999999", None),
    ],
)
def test_there_is_no_ratio_to_nothing_or_to_next_to_nothing(
    part: str, whole: str, found: str | None
) -> None:
    assert ratio(Decimal(part), Decimal(whole)) == (None if found is None else Decimal(found))


def test_a_share_is_the_part_of_the_worlds_figure() -> None:
    assert shares(figure("WORLD", 376000), figure("CN", 255000), figure("US", 41600)) == {
        "CN": Decimal("0.6782"),
        "US": Decimal("0.1106"),
    }


def test_units_with_a_declared_factor_are_converted() -> None:
    assert shares(figure("WORLD", 1, unit="kt"), figure("CN", 250)) == {"CN": Decimal("0.2500")}
    assert shares(figure("WORLD", 1000, unit="m3"), figure("CN", 250)) == {"CN": None}


def test_bases_are_never_mixed() -> None:
    figures = (
        figure("WORLD", 100),
        figure("CN", 50),
        figure("US", 20, basis="gross weight"),
        figure("AU", 10, basis=None),
    )
    assert shares(*figures) == {"CN": Decimal("0.5000"), "AU": None, "US": None}
    assert obstacles(*figures) == {
        "US": "its basis is gross weight, the world's is REO",
        "AU": "its basis is not stated, the world's is REO",
    }
    assert spread(*figures).concentration.hhi == 2500  # type: ignore[union-attr]


def test_output_below_nothing_that_was_recorded_before_is_left_out_with_the_reason() -> None:
    figures = (figure("WORLD", 100), figure("CN", -50), figure("US", 60))
    assert shares(*figures) == {"US": Decimal("0.6000"), "CN": None}
    assert obstacles(*figures) == {"CN": "its figure is below 0"}
    assert spread(*figures).concentration.hhi == 3600  # type: ignore[union-attr]
    assert spread(figure("WORLD", -100), figure("CN", -50), figure("US", 100)).concentration is None


def test_a_figure_without_a_number_has_no_share_and_is_listed() -> None:
    found = distribution(
        [figure("WORLD", 100), figure("CN", 60), withheld("US"), figure("AU", 0, qualifier="nil")],
        (),
    )
    assert found.without_number == ("US",)
    assert found.not_comparable == ()
    assert {s.place: s.share for s in found.shares} == {
        "CN": Decimal("0.6000"),
        "AU": Decimal("0.0000"),
        "US": None,
    }


def withheld(place: str) -> FigureState:
    """Return a withheld figure."""
    return figure_of_quantity(place, {"unit": "t", "qualifier": "withheld", "basis": "REO"})


def figure_of_quantity(place: str, quantity: dict[str, Any]) -> FigureState:
    """Return a figure with only this quantity."""
    stream = f"figure/rare_earths/{place}/production/mine/2023"
    fact = replace(claimed(1, place=place), quantity=from_builtins(Quantity, quantity))
    found = state(decided_facts(stream, fact), stream, "2025-01-01")
    assert isinstance(found, FigureState)
    return found


@each_case(
    ("qualifier", "has_share"),
    [
        (None, True),
        ("about", True),
        ("nearly", True),
        ("less_than", False),
        ("more_than", False),
        ("at_least", False),
    ],
)
def test_a_bound_is_not_a_value(qualifier: str | None, has_share: bool) -> None:
    found = shares(figure("WORLD", 100), figure("CN", 60, qualifier=qualifier))
    assert (found["CN"] is not None) is has_share
    found = shares(figure("WORLD", 100, qualifier=qualifier), figure("CN", 60))
    assert (found["CN"] is not None) is has_share


def test_without_a_figure_for_the_world_there_are_no_shares() -> None:
    found = distribution([figure("CN", 60)], ())
    assert (found.world, found.concentration) == (None, None)
    assert shares(figure("CN", 60)) == {"CN": None}
    assert shares(figure("WORLD", 0), figure("CN", 60)) == {"CN": None}


def test_concentration_counts_countries_and_not_the_rest() -> None:
    found = spread(
        figure("WORLD", 100),
        figure("CN", 60),
        figure("US", 20),
        figure("AU", 10),
        figure("MM", 4),
        figure("OTHER", 6),
    )
    concentration = found.concentration
    assert concentration is not None
    assert concentration.hhi == 3600 + 400 + 100 + 16
    assert concentration.top_three == ("CN", "US", "AU")
    assert concentration.top_three_share == Decimal("0.9000")
    assert concentration.covered_share == Decimal("0.9400")
    assert [f.series.place for f, _ in concentration.computed_from] == [
        "WORLD",
        "CN",
        "US",
        "AU",
        "MM",
    ]
    assert shares(figure("WORLD", 100), figure("OTHER", 6)) == {"OTHER": Decimal("0.0600")}


def test_countries_are_ranked_and_equal_shares_have_one_rank() -> None:
    found = spread(
        figure("WORLD", 100),
        figure("US", 20),
        figure("AU", 20),
        figure("CN", 50),
        figure("MM", 9),
        figure("OTHER", 30),
        figure("EU", 25),
        figure("JP", 0, qualifier="nil"),
        withheld("RU"),
    )
    assert {str(s.place): (s.rank, s.cumulative_share) for s in found.shares} == {
        "CN": (1, Decimal("0.5000")),
        "OTHER": (None, None),
        "EU": (None, None),
        "AU": (2, Decimal("0.7000")),
        "US": (2, Decimal("0.9000")),
        "MM": (4, Decimal("0.9900")),
        "JP": (None, None),
        "RU": (None, None),
    }


@given(st.lists(st.integers(0, 300), max_size=5))
def test_a_rank_is_one_more_than_the_number_of_larger_shares(values: list[int]) -> None:
    places = ("CN", "US", "AU", "MM", "JP")
    output = dict(zip(places, values, strict=False))
    found = spread(figure("WORLD", 1000), *(figure(of, value) for of, value in output.items()))
    for share in found.shares:
        value = output[str(share.place)]
        larger = [other for other in values if other > value]
        assert share.rank == (1 + len(larger) if value else None)
    last = [s.cumulative_share for s in found.shares if s.cumulative_share is not None]
    assert last == sorted(last)
    assert not last or last[-1] == Decimal(sum(values)) / 1000


def test_one_producer_is_a_full_concentration() -> None:
    found = spread(figure("WORLD", 7), figure("CN", 7)).concentration
    assert found is not None
    assert (found.hhi, found.top_three_share) == (10000, 1)


def test_figures_are_distinguished_by_commodity_statistic_product_and_year() -> None:
    mined, other = figure("CN", 60), figure("US", 5)
    commodity = Commodity("rare_earths")
    mine = commodity, Statistic.PRODUCTION, Product(Stage.MINE, None), 2023
    assert by_product([mined, other]) == {mine: [mined, other]}
    for something_else in (
        (Commodity("gallium"), *mine[1:]),
        (commodity, Statistic.CAPACITY, *mine[2:]),
        (*mine[:2], Product(Stage.REFINERY, None), 2023),
        (*mine[:2], Product(Stage.MINE, "sponge"), 2023),
        (*mine[:3], 2022),
    ):
        assert something_else not in by_product([mined, other])


numbers = st.decimals(-(10**9), 10**9, places=20) | st.sampled_from(
    [Decimal("1E+29"), Decimal("1E-28"), Decimal(0), Decimal(-5)]
)


def editions(place: str, *claims: tuple[str, Any]) -> FigureState:
    """Return a figure with a claim in each of these editions, a year apart."""
    stream = f"figure/rare_earths/{place}/production/mine/2023"
    facts = [
        claimed(value, place=place, edition=edition, published_on=f"20{edition[-2:]}-01-31")
        for edition, value in claims
    ]
    found = state(decided_facts(stream, *facts), stream, "2030-01-01")
    assert isinstance(found, FigureState)
    return found


def test_a_share_is_of_the_total_of_its_own_edition() -> None:
    found = spread(
        editions("WORLD", ("MCS 2024", 350), ("MCS 2025", 400)),
        editions("CN", ("MCS 2024", 240), ("MCS 2025", 260)),
        editions("MM", ("MCS 2024", 35)),
    )
    china, myanmar = found.shares
    assert (china.share, myanmar.share) == (Decimal("0.6500"), Decimal("0.1000"))
    assert [(str(f.series.place), c.edition) for f, c in myanmar.computed_from] == [
        ("MM", "MCS 2024"),
        ("WORLD", "MCS 2024"),
    ]
    assert not china.mixed_editions
    assert not myanmar.mixed_editions
    assert found.concentration is not None
    assert found.concentration.mixed_editions
    assert [(str(f.series.place), c.edition) for f, c in found.concentration.computed_from] == [
        ("WORLD", "MCS 2025"),
        ("WORLD", "MCS 2024"),
        ("CN", "MCS 2025"),
        ("MM", "MCS 2024"),
    ]


def test_a_share_of_the_total_of_another_edition_says_so() -> None:
    found = spread(
        editions("WORLD", ("MCS 2024", 350)),
        editions("CN", ("MCS 2025", 245)),
        editions("MM", ("MCS 2024", 35)),
    )
    china, myanmar = found.shares
    assert (china.share, china.mixed_editions) == (Decimal("0.7000"), True)
    assert (myanmar.share, myanmar.mixed_editions) == (Decimal("0.1000"), False)


def test_another_version_of_an_edition_is_another_edition() -> None:
    figures = figure("WORLD", 100, version="1.0"), figure("CN", 60, version="1.1")
    assert distribution(figures, ()).shares[0].mixed_editions


def test_shares_follow_an_order_of_publishers() -> None:
    stream = "figure/rare_earths/CN/production/mine/2023"
    china = state(
        decided_facts(stream, claimed(60), claimed(70, publisher="bgs")), stream, "2025-01-01"
    )
    found = distribution([figure("WORLD", 100), china], [order("bgs")])
    assert [(s.share, s.mixed_editions) for s in found.shares] == [(Decimal("0.7000"), True)]


def test_the_remainder_for_other_countries_is_computed_from_one_edition() -> None:
    found = spread(
        editions("WORLD", ("MCS 2024", 90), ("MCS 2025", 100)),
        editions("CN", ("MCS 2024", 50), ("MCS 2025", 60)),
        editions("MM", ("MCS 2024", 30)),
        figure("US", 5, edition="MCS 2025"),
        figure("OTHER", 33, edition="MCS 2025"),
    ).residual
    assert found is not None
    assert (found.value, found.unit, found.basis) == (35, "t", "REO")
    assert [(str(f.series.place), c.edition) for f, c in found.computed_from] == [
        ("WORLD", "MCS 2025"),
        ("CN", "MCS 2025"),
        ("US", "MCS 2025"),
    ]
    assert found.published is not None
    assert found.published[1].quantity.value == 33


def test_values_that_cannot_be_subtracted_are_left_in_and_named() -> None:
    found = spread(
        figure("WORLD", 1, unit="kt"),
        figure("CN", 600),
        withheld("US"),
        figure("AU", 9, basis="gross weight"),
        figure("MM", 5, qualifier="less_than"),
        figure("EU", 50),
    ).residual
    assert found is not None
    assert (found.value, found.unit, found.included_places) == (
        Decimal("0.4"),
        "kt",
        ("US", "AU", "MM"),
    )
    assert found.published is None


def test_nothing_is_left_of_a_total_without_a_number() -> None:
    assert spread(withheld("WORLD"), figure("CN", 60)).residual is None
    assert spread(figure("WORLD", 60, qualifier="more_than"), figure("CN", 60)).residual is None


@given(st.lists(numbers, min_size=1, max_size=5))
def test_no_number_breaks_the_arithmetic(values: list[Decimal]) -> None:
    places = ("WORLD", "CN", "US", "AU", "OTHER")
    found = distribution(
        [figure(place, value) for place, value in zip(places, values, strict=False)], ()
    )
    for share in found.shares:
        assert (share.share is None) == (share.incomparable_reason is not None)


async def test_the_api_answers_who_produces_how_much(services: Services) -> None:
    api = Api(services)
    await api.do("recordFigure", recorded("376000", place="WORLD", rounded=True))
    await api.do("recordFigure", recorded("255000"))
    await api.do(
        "recordFigure",
        recorded("210000", publisher="sohu", published_on="2025-07-07", edition="Article"),
    )
    await api.do("recordFigure", recorded(None, place="US", qualifier="WITHHELD"))
    await api.do("recordFigure", recorded("9", place="AU", basis="gross weight"))
    data = await api.ask(
        """{ asOf { production(commodity: "rare_earths", year: 2023) {
             commodity { name } world { value unit rounded }
             concentration { hhi topThreeShare topThree { code } coveredShare
               computedFrom { figure eventId } }
             figures { place { code } value qualifier share shareUnavailableReason claims { publisher } }
             withoutNumber { code } notComparable { place { code } } } } }"""
    )
    found = data["asOf"]["production"]
    assert found["world"] == {"value": "376000", "unit": "t", "rounded": True}
    assert found["figures"][0] == {
        "place": {"code": "CN"},
        "value": "255000",
        "qualifier": None,
        "share": "0.6782",
        "shareUnavailableReason": None,
        "claims": [{"publisher": "usgs"}, {"publisher": "sohu"}],
    }
    assert found["withoutNumber"] == [{"code": "US"}]
    assert found["notComparable"] == [{"place": {"code": "AU"}}]
    assert found["concentration"]["hhi"] == "4599.4"
    assert [c["figure"] for c in found["concentration"]["computedFrom"]] == [
        "rare_earths/WORLD/production/mine/2023",
        "rare_earths/CN/production/mine/2023",
    ]


async def test_the_corpus_says_from_which_editions_its_shares_are(read_services: Services) -> None:
    """MCS 2026 no longer names Korea: 3 t of the 760 t of MCS 2025, beside 839 t of 848 t."""
    data = await Api(read_services).ask(
        """{ asOf(validAt: "2026-03-01") {
             production(commodity: "gallium", stage: PRIMARY, year: 2024) {
               concentration { mixedEditions }
               figures { place { code } share mixedEditions computedFrom { edition value } } } } }
        """
    )
    production = data["asOf"]["production"]
    shares = {f.pop("place")["code"]: f for f in production["figures"]}
    assert shares["CN"] == {
        "share": "0.9894",
        "mixedEditions": False,
        "computedFrom": [
            {"edition": "MCS 2026", "value": "839000"},
            {"edition": "MCS 2026", "value": "848000"},
        ],
    }
    assert shares["KR"] == {
        "share": "0.0039",
        "mixedEditions": False,
        "computedFrom": [
            {"edition": "MCS 2025", "value": "3000"},
            {"edition": "MCS 2025", "value": "760000"},
        ],
    }
    assert production["concentration"]["mixedEditions"]


async def test_the_corpus_shows_the_computed_residual_beside_the_published_one(
    read_services: Services,
) -> None:
    """390,000 t minus twelve countries with 392,850 t together: the total is rounded."""
    data = await Api(read_services).ask(
        """{ asOf(validAt: "2025-08-01") { production(commodity: "rare_earths", year: 2024) {
             residual { value unit basis published { value edition } includedPlaces { code }
               computedFrom { series { place { code } } edition } } } } }"""
    )
    residual = data["asOf"]["production"]["residual"]
    computed = residual.pop("computedFrom")
    assert residual == {
        "value": "-2850",
        "unit": "t",
        "basis": "REO",
        "includedPlaces": [],
        "published": {"value": "1100", "edition": "MCS 2025"},
    }
    assert computed[0]["series"]["place"]["code"] == "WORLD"
    assert len(computed) == 13
    assert {c["edition"] for c in computed} == {"MCS 2025"}


async def test_the_corpus_knows_the_concentration_of_rare_earths(read_services: Services) -> None:
    data = await Api(read_services).ask(
        """{ asOf(validAt: "2026-01-01") {
             production(commodity: "rare_earths", year: 2023) {
               world { value } concentration { hhi topThree { code } computedFrom { position } } }
             reserves(commodity: "rare_earths") { world { value } figures { share } } } }"""
    )
    concentration = data["asOf"]["production"]["concentration"]
    assert concentration["topThree"][0] == {"code": "CN"}
    assert 4000 < float(concentration["hhi"]) < 6000
    assert data["asOf"]["reserves"]["figures"]
