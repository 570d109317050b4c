"""Shares of trade flows, and the imports of a union from outside."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from projections.analysis.flow_parts import flow_parts, union_flow
from tests.support.fact_builders import decided_facts, flow_claimed, state
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.trade_flow import TradeFlowState

EU = frozenset(map(Place, ("DE", "FR", "BE")))


def flow(
    importer: str = "DE", parts: dict[str, tuple[str, str | None]] | None = None
) -> TradeFlowState:
    """Return a flow with one claim."""
    fact = flow_claimed(parts, importer=importer)
    found: TradeFlowState | None = state(
        decided_facts(fact.stream, fact), fact.stream, "2026-06-01"
    )
    assert found
    return found


def test_trap_47_value_and_weight_give_other_shares() -> None:
    parts = flow_parts(flow().preferred)
    assert [(one.place, one.value_percent, one.quantity_percent) for one in parts] == [
        ("CN", 90, 60),
        ("CA", 10, 40),
    ]


def test_a_share_of_the_weight_is_one_of_the_weights_that_are_stated() -> None:
    weights = {"CN": ("8000", "60"), "CA": ("1000", None), "JP": ("1000", "20")}
    parts = flow_parts(flow(parts=weights).preferred)
    assert [(one.value_percent, one.quantity_percent) for one in parts] == [
        (80, 75),
        (10, None),
        (10, 25),
    ]


def test_trap_49_trade_between_members_is_not_an_import_of_a_union() -> None:
    found = union_flow(
        [
            flow("DE", {"CN": ("100", "10"), "FR": ("50", "5")}),
            flow("FR", {"CN": ("7", "1"), "HK": ("3", "1"), "DE": ("80", "8")}),
            flow("US", {"CN": ("1000", "99")}),
        ],
        EU,
    )
    assert found
    assert (found.value, found.quantity) == (110, 12)
    assert found.origins == {"CN": (107, 11), "HK": (3, 1)}
    assert found.importers == ("DE", "FR")


def test_a_union_without_a_recorded_flow_has_none() -> None:
    assert union_flow([flow("US")], EU) is None


def test_a_missing_weight_leaves_the_weight_of_its_origin_open() -> None:
    found = union_flow(
        [flow("DE", {"CN": ("100", None), "HK": ("1", "1")}), flow("FR", {"CN": ("7", "1")})], EU
    )
    assert found
    assert found.quantity is None
    assert found.origins == {"CN": (107, None), "HK": (1, 1)}


amounts = st.integers(0, 10**6).map(str)
origins = st.dictionaries(
    st.sampled_from(("CN", "CA", "JP", "DE", "FR", "BE")), st.tuples(amounts, amounts), min_size=1
)


@given(st.dictionaries(st.sampled_from(("DE", "FR", "BE", "US")), origins))
def test_the_imports_of_a_union_are_the_sum_of_its_origins(
    imports: dict[str, dict[str, tuple[str, str | None]]],
) -> None:
    found = union_flow([flow(importer, parts) for importer, parts in imports.items()], EU)
    if found is None:
        assert set(imports) <= {"US"}
        return
    outside = [
        Decimal(value)
        for importer, parts in imports.items()
        for place, (value, _) in parts.items()
        if importer in EU and place not in EU
    ]
    assert found.value == sum(outside) == sum(value for value, _ in found.origins.values())
    assert not EU & set(found.origins)
