"""Trade flows: lists of origins by code and year, restated by later editions."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.fact_builders import decided_facts, flow_claimed, retracted, state
from tracker.domain.basics.codec import decode, encode
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.fact import Fact
from tracker.domain.figures.trade_flow import FlowClaimed, TradeFlowState
from tracker.errors import InvalidInput, TrackerError

STREAM = "flow/hs17/811292/DE/2024"
first = flow_claimed()
restated = flow_claimed(
    {"CN": ("8000", "50"), "JP": ("500", "2")}, edition="BACI 202701", published_on="2027-01"
)


def flow(day: str, *facts: Fact) -> TradeFlowState:
    """Return the flow on a day, from these facts."""
    found: TradeFlowState | None = state(decided_facts(STREAM, *facts), STREAM, day)
    assert found
    return found


def refusal(claim: FlowClaimed) -> tuple[str, tuple[str | int, ...]]:
    """Return the code and path with which a claim is refused."""
    with pytest.raises(InvalidInput) as caught:
        claim.check_recordable()
    return caught.value.code, caught.value.path


def test_a_flow_has_its_edition_code_importer_and_year_in_its_name() -> None:
    first.check_recordable()
    assert first.stream == STREAM
    assert decode(FlowClaimed, encode(first)) == first


def test_a_flow_exists_from_the_day_of_its_edition() -> None:
    assert state(decided_facts(STREAM, first), STREAM, "2025-12-31") is None
    assert flow("2026-01-01", first).preferred.value.value == 10000


def test_a_later_edition_restates_a_flow_and_overwrites_nothing() -> None:
    before, after = (flow(day, first, restated) for day in ("2026-12-31", "2027-01-01"))
    assert [(one.edition, one.latest) for one in before.claims] == [("BACI 202601", True)]
    assert [(one.edition, one.latest) for one in after.claims] == [
        ("BACI 202601", False),
        ("BACI 202701", True),
    ]
    assert after.preferred.origins.places == ("CN", "JP")


def test_another_publisher_does_not_restate_a_flow() -> None:
    other = flow_claimed({"CN": ("1", "1")}, publisher="un-comtrade", published_on="2026-06-01")
    found = flow("2026-07-01", first, other)
    assert [one.latest for one in found.claims] == [True, True]
    assert found.preferred.publisher == "cepii"


def test_a_publisher_has_one_claim_an_edition() -> None:
    with pytest.raises(TrackerError) as caught:
        decided_facts(STREAM, first, first)
    assert caught.value.code == "DUPLICATE_CLAIM"
    decided_facts(STREAM, first, retracted("e1"), first)


def test_a_claim_belongs_to_its_flow() -> None:
    with pytest.raises(TrackerError) as caught:
        decided_facts(STREAM, flow_claimed(importer="FR"))
    assert caught.value.path == ("hsCode",)


def test_values_must_sum_to_the_whole() -> None:
    wrong = flow_claimed(value={"value": "10001", "unit": "USD"})
    assert refusal(wrong) == ("PARTS_DO_NOT_SUM", ("origins", "parts"))


def test_weights_must_sum_to_the_whole() -> None:
    wrong = flow_claimed(quantity={"value": "99", "unit": "t"})
    assert refusal(wrong) == ("PARTS_DO_NOT_SUM", ("origins", "parts"))


def test_a_missing_weight_of_a_part_leaves_the_whole_without_weight() -> None:
    parts = {"CN": ("9000", "60"), "CA": ("1000", None)}
    flow_claimed(parts).check_recordable()
    stated = flow_claimed(parts, quantity={"value": "60", "unit": "t"})
    assert refusal(stated) == ("INVALID_INPUT", ("origins", "parts", 1, "quantity"))
    missing = flow_claimed(quantity={"unit": "t", "qualifier": "not_available"})
    assert refusal(missing) == ("INVALID_INPUT", ("origins",))


def test_each_part_has_a_value() -> None:
    parts = [{"place": "CN", "quantity": {"value": "1", "unit": "t"}}]
    assert refusal(flow_claimed(origins={"parts": parts}))[1] == ("origins", "parts", 0, "value")


@each_case(
    ("more", "path"),
    [
        ({"year": 1987}, ("year",)),
        ({"importer": "SUHH"}, ("importer",)),
        ({"value": {"qualifier": "withheld", "unit": "USD"}}, ("value", "qualifier")),
        ({"origins": {"parts": []}}, ("origins", "parts")),
    ],
)
def test_a_refusal_names_the_field(more: dict[str, Any], path: tuple[str, ...]) -> None:
    assert refusal(flow_claimed(**more))[1] == path


def test_the_unnamed_part_counts_in_both_sums() -> None:
    flow_claimed(
        value={"value": "10005", "unit": "USD"},
        quantity={"value": "100.5", "unit": "t"},
        origins={
            "parts": [
                {
                    "place": "CN",
                    "value": {"value": "10000", "unit": "USD"},
                    "quantity": {"value": "100", "unit": "t"},
                }
            ],
            "unnamed": {"value": "0.5", "unit": "t"},
            "unnamedValue": {"value": "5", "unit": "USD"},
        },
    ).check_recordable()


YEARS = (2026, 2027, 2028, 2029)
editions = st.permutations(YEARS).flatmap(
    lambda years: st.integers(1, len(years)).map(lambda count: years[:count])
)


@given(editions, editions)
def test_the_order_of_recording_does_not_matter_and_the_newest_edition_counts(
    recorded: list[int], days: list[int]
) -> None:
    claims = [
        flow_claimed(
            {"CN": (str(year), "1")}, edition=f"BACI {year}01", published_on=f"{year}-01-15"
        )
        for year in recorded
    ]
    for year in days:
        public = sorted(one for one in recorded if one <= year)
        found = state(decided_facts(STREAM, *claims), STREAM, f"{year}-06-30")
        if not public:
            assert found is None
            continue
        assert [one.edition for one in found.claims] == [f"BACI {one}01" for one in public]
        assert [one.latest for one in found.claims] == [one == public[-1] for one in public]
        assert found.preferred.value.value == public[-1]


amounts = st.decimals(0, 10**9, places=3)


@given(st.dictionaries(st.sampled_from(["CN", "CA", "JP", "KR", "US", "BE"]), amounts, min_size=1))
def test_parts_that_sum_to_the_whole_are_recordable_and_others_are_not(
    parts: dict[str, Decimal],
) -> None:
    text = {place: (str(value), str(value)) for place, value in parts.items()}
    claim = flow_claimed(text)
    claim.check_recordable()
    assert set(claim.origins.places) == set(map(Place, parts))
    more = str(sum(parts.values()) + 1)
    assert refusal(flow_claimed(text, value={"value": more, "unit": "USD"}))[0] == (
        "PARTS_DO_NOT_SUM"
    )


def test_a_flow_of_many_editions_lists_them_all() -> None:
    claims = [
        flow_claimed(edition=f"BACI {year}01", published_on=f"{year}-01-15")
        for year in range(2000, 2040)
    ]
    found = flow("2045-01-01", *claims)
    assert [one.edition for one in found.claims] == [one.edition for one in claims]
    assert [one.latest for one in found.claims] == [False] * 39 + [True]
