"""Claims side by side: which one to use, why, and how far they lie apart."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.analysis.claims import choose, compare
from schema.services import Services
from tests.domain.test_figure import STREAM, bgs, figure, preferred, usgs_2024, usgs_2025
from tests.support.api import Api
from tests.support.fact_builders import claimed, decided_facts, order, state
from tracker.domain.basics.vocabulary import PreferenceRule
from tracker.domain.figures.figure import FigureState

both = figure("2025-06-01", usgs_2024, usgs_2025, bgs)
everything = order("bgs", on="2025-01-01")


def claims(*values: tuple[str, dict[str, Any]]) -> FigureState:
    """Return a figure with a claim of each publisher, with these values and units."""
    facts = [claimed(publisher=publisher, edition="E", **value) for publisher, value in values]
    found: FigureState = state(decided_facts(STREAM, *facts), STREAM, "2025-06-01")
    return found


def test_without_anything_recorded_the_first_publisher_is_preferred() -> None:
    chosen = choose(both, ())
    assert (chosen.claim.edition, chosen.rule) == ("MCS 2025", PreferenceRule.FIRST)
    assert (chosen.reason, chosen.event) == (None, None)


def test_an_order_prefers_the_latest_claim_of_its_first_publisher_that_has_one() -> None:
    chosen = choose(both, [order("iea", "bgs", "usgs")])
    assert (chosen.claim.publisher, chosen.rule) == ("bgs", PreferenceRule.ORDER)
    assert chosen.reason == "they state their methods"
    assert chosen.event is not None
    assert chosen.event.type == "Preference.Ordered"
    assert choose(both, [order("usgs")]).claim.edition == "MCS 2025"


def test_an_order_that_names_nobody_with_a_claim_decides_nothing() -> None:
    assert choose(both, [order("iea")]).rule is PreferenceRule.FIRST
    special = order("iea", commodity="rare_earths")
    assert choose(both, [special, everything]).claim.publisher == "bgs"


def test_the_most_specific_order_counts() -> None:
    scopes: list[dict[str, str]] = [  # the most specific first
        {"commodity": "rare_earths", "statistic": "production"},
        {"commodity": "rare_earths"},
        {"commodity": "critical_minerals", "statistic": "production"},
        {"commodity": "critical_minerals"},
        {"statistic": "production"},
        {},
    ]
    for special, general in pairwise(scopes):
        orders = [order("usgs", **general), order("bgs", **special)]
        assert choose(both, orders).claim.publisher == "bgs", (special, general)


def test_an_order_for_others_does_not_count() -> None:
    for scope in ({"commodity": "gallium"}, {"commodity": "dysprosium"}, {"statistic": "reserves"}):
        assert choose(both, [order("bgs", **scope)]).claim.publisher == "usgs"


def test_a_judgement_on_the_figure_goes_before_every_order() -> None:
    judged = figure(
        "2025-06-01", usgs_2024, usgs_2025, bgs, preferred("2025-06-01", "usgs", edition="MCS 2024")
    )
    chosen = choose(judged, [order("bgs", commodity="rare_earths", statistic="production")])
    assert (chosen.claim.edition, chosen.rule) == ("MCS 2024", PreferenceRule.JUDGEMENT)
    assert chosen.event is not None
    assert chosen.event.event_id == "e4"


def test_the_latest_claims_stand_side_by_side_with_their_spread() -> None:
    compared = compare(both, ())
    assert [c.edition for c in compared.latest] == ["MCS 2025", "WMP 2019-23"]
    spread = compared.spread
    assert spread is not None
    assert (spread.minimum, spread.maximum, spread.absolute) == (250_000, 255_000, 5_000)
    assert (spread.relative, spread.unit, spread.basis) == (Decimal("0.0200"), "t", "REO")


def test_units_are_converted_to_that_of_the_preferred_claim() -> None:
    found = claims(("usgs", {"value": 255, "unit": "kt"}), ("bgs", {"value": 250_000}))
    spread = compare(found, ()).spread
    assert spread is not None
    assert (spread.minimum, spread.maximum, spread.unit) == (250, 255, "kt")
    spread = compare(found, [order("bgs")]).spread
    assert spread is not None
    assert (spread.minimum, spread.maximum, spread.unit) == (250_000, 255_000, "t")


def test_figures_that_cannot_be_compared_are_listed_with_the_reason() -> None:
    found = compare(
        claims(
            ("usgs", {"value": 255_000}),
            ("sohu", {"value": 210_000, "basis": None}),
            ("iea", {"value": 9, "unit": "ct"}),
            ("bgs", {"value": 200_000, "qualifier": "more_than"}),
        ),
        (),
    )
    assert found.spread is None
    assert {c.publisher: reason for c, reason in found.not_comparable} == {
        "sohu": "its basis is not stated, that of usgs is REO",
        "iea": "no factor from ct to t is declared",
        "bgs": "its figure is a bound or a range (more_than)",
    }


def test_publishers_with_other_words_for_a_basis_are_compared_and_the_reason_is_reported() -> None:
    facts = [
        claimed(100, publisher="usgs", edition="E", commodity="cobalt", basis="contained cobalt"),
        claimed(110, publisher="bgs", edition="E", commodity="cobalt", basis="metal content"),
    ]
    stream = "figure/cobalt/CN/production/mine/2023"
    found: FigureState = state(decided_facts(stream, *facts), stream, "2025-06-01")
    compared = compare(found, ())
    assert compared.spread is not None
    assert (compared.spread.minimum, compared.spread.maximum) == (100, 110)
    assert compared.spread.equivalences == (
        "metal content is taken as contained cobalt: each is the weight of the element, whatever"
        " material it is in",
    )


def test_where_the_preferred_claim_has_no_number_the_others_are_compared() -> None:
    withheld = {"value": 0, "qualifier": "less_than"}
    found = compare(claims(("usgs", withheld), ("bgs", {"value": 10}), ("iea", {"value": 12})), ())
    assert found.chosen.claim.publisher == "usgs"
    assert found.spread is not None
    assert (found.spread.absolute, found.spread.relative) == (2, Decimal("0.2000"))
    assert [c.publisher for c, _ in found.not_comparable] == ["usgs"]


def test_a_spread_from_nothing_is_not_a_fraction() -> None:
    found = compare(claims(("usgs", {"value": 0}), ("bgs", {"value": 10})), ()).spread
    assert found is not None
    assert (found.absolute, found.relative) == (10, None)


publishers = st.permutations(("usgs", "bgs", "iea", "sohu"))
quantities = st.fixed_dictionaries(
    {
        "value": st.integers(0, 10**9),
        "unit": st.sampled_from(("kg", "t", "kt", "ct")),
        "basis": st.sampled_from(("REO", None)),
        "qualifier": st.sampled_from((None, "about", "less_than")),
    }
)


@given(publishers, st.lists(quantities, min_size=1, max_size=4))
def test_every_latest_claim_is_compared_or_listed_and_the_order_decides(
    order_of: list[str], values: list[dict[str, Any]]
) -> None:
    found = claims(*zip(("usgs", "bgs", "iea", "sohu"), values, strict=False))
    told = compare(found, [order(*order_of)])
    there = {claim.publisher for claim in found.claims}
    assert told.chosen.claim.publisher == next(p for p in order_of if p in there)
    listed = [claim for claim, _ in told.not_comparable]
    compared = [claim for claim in told.latest if claim not in listed]
    assert (told.spread is None) == (len(compared) < 2)
    if told.spread:
        assert list(told.spread.claims) == compared
        assert told.spread.minimum <= told.spread.maximum
        assert len({claim.quantity.basis for claim in compared}) == 1


async def test_the_corpus_shows_reserves_of_two_publishers_side_by_side(
    read_services: Services,
) -> None:
    data = await Api(read_services).ask("""{ asOf(validAt: "2025-08-01") {
      output: figure(id: "rare_earths/CN/production/mine/2023") { ...told }
      reserves: figure(id: "rare_earths/CN/reserves") { ...told } } }
      fragment told on Figure { choice { rule reason event { eventId } } sideBySide {
        latest { publisher edition preferred }
        spread { minimum maximum absolute relative unit basis claims { publisher } }
        notComparable { claim { publisher value } reason } } }""")
    output = data["asOf"]["output"]
    assert output["choice"] == {"rule": "FIRST", "reason": None, "event": None}
    assert output["sideBySide"] == {
        "latest": [
            {"publisher": "usgs", "edition": "MCS 2025", "preferred": True},
            {"publisher": "sohu", "edition": "Sohu 2025-07-07", "preferred": False},
        ],
        "spread": None,
        "notComparable": [
            {
                "claim": {"publisher": "sohu", "value": "210000"},
                "reason": "its basis is not stated, that of usgs is REO",
            }
        ],
    }
    [other] = data["asOf"]["reserves"]["sideBySide"]["notComparable"]
    assert other["claim"] == {"publisher": "sohu", "value": "52000000"}


async def test_the_corpus_shows_how_far_two_publishers_lie_apart(read_services: Services) -> None:
    data = await Api(read_services).ask("""{ asOf(validAt: "2026-05-01") {
      figure(id: "rare_earths/CN/production/mine/2021") { sideBySide {
        spread { minimum maximum absolute relative unit basis claims { publisher } } } } } }""")
    assert data["asOf"]["figure"]["sideBySide"]["spread"] == {
        "minimum": "168000",
        "maximum": "180000",
        "absolute": "12000",
        "relative": "0.0714",
        "unit": "t",
        "basis": "REO",
        "claims": [{"publisher": "usgs"}, {"publisher": "bgs"}],
    }
