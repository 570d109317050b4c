"""Invariants of imports under export controls, for random lists, controls and figures."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from projections.analysis.import_exposure import ImportExposure
from tests.support.fact_builders import claimed, suspended
from tests.support.origin_lists import Part, control_of, exposed, figure_state, origin_list
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.figures.figure_facts import Claimed

PLACES = ("CN", "DE", "FI", "JP", "RU", "CA", "AU_CA_CN_NA")
ISSUERS = ("CN", "EU", "JP", "RU", "ID")
PRODUCERS = ("CN", "RU", "ID", "FR", "WORLD")
MEASURES = ("ban", "licence", "dual_use_licence", "state_trading", "investigation")


@st.composite
def lists(draw: st.DrawFn) -> Claimed:
    """Draw a list of origins: exact, with an interval, or with the sum of rounded parts."""
    places = draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4, unique=True))
    if draw(st.booleans()):
        return origin_list({places[0]: ">99"}, "<1")
    cuts = sorted(draw(st.lists(st.integers(0, 100), min_size=len(places), max_size=len(places))))
    shares = [high - low for low, high in zip([0, *cuts], cuts, strict=False)]
    parts: dict[str, Part] = dict(zip(places, shares, strict=True))
    unnamed: Part = 100 - cuts[-1]
    match draw(st.sampled_from(("exact", "rounded", "interval"))):
        case "rounded":
            parts[places[0]] = max(0, shares[0] + draw(st.sampled_from((-1, 1))))
        case "interval" if unnamed == 0:
            unnamed = "<1"
    return origin_list(parts, unnamed)


@st.composite
def controls(draw: st.DrawFn) -> ExportControlState:
    """Draw a control with clauses of any reach and status."""
    choices: dict[str, Any] = {
        "measure": st.sampled_from(MEASURES),
        "commodities": st.sampled_from(
            (["gallium"], ["critical_minerals"], ["dual_use_items"], ["germanium"])
        ),
        "forms": st.sampled_from(([], ["metal"], ["metal", "oxide"], ["ore"])),
        "entities": st.sampled_from(([], ["A"])),
        "destinations": st.sampled_from(([], ["US"], ["JP"])),
        "inForceFrom": st.sampled_from(("2023-08-01", "2025-12-01", "2026-07-01")),
        "end": st.sampled_from((None, None, "unknown")),
    }
    clauses = draw(st.lists(st.fixed_dictionaries(choices), min_size=1, max_size=3))
    number = draw(st.integers(0, 10**9))
    then = [suspended("1")] if draw(st.integers(0, 3)) == 0 else []
    return control_of(draw(st.sampled_from(ISSUERS)), *clauses, id=str(number), then=then)


WORLDS = st.lists(controls(), max_size=5, unique_by=lambda of: of.id)
OUTPUT = st.sets(st.sampled_from(PRODUCERS)).map(
    lambda places: [
        figure_state(claimed(5, place=place, commodity="gallium")) for place in sorted(places)
    ]
)
SETS_OF_MEASURES = st.sets(st.sampled_from([Measure(one) for one in MEASURES]))


def bounds(of: ImportExposure) -> tuple[Decimal, Decimal, Decimal]:
    """Return the lower, tight and upper bound."""
    return of.lower, of.tight, of.upper


def repealed(control: ExportControlState, number: int) -> ExportControlState:
    """Return a control after the repeal of one of its clauses."""
    number %= len(control.clauses)
    clauses = [*control.clauses]
    clauses[number] = structs.replace(clauses[number], status=ClauseStatus.REPEALED)
    return structs.replace(control, clauses=tuple(clauses))


@given(lists(), WORLDS, OUTPUT)
def test_the_sums_are_the_whole_and_the_bounds_are_in_order(
    claim: Claimed, world: Sequence[ExportControlState], output: Any
) -> None:
    found = exposed(claim, *world, output=output)
    sums = found.sums
    named = sums.certain + sums.assumed + sums.partly + sums.none
    assert named + sums.unnamed + sums.remainder == 100
    open_ends = sum(one.greatest - one.least for one in found.origins)
    assert abs(sums.remainder) <= 1 + open_ends
    assert Decimal(0) <= found.lower <= found.tight <= found.upper <= 100
    assert found.lower <= sums.certain
    assert [str(one.origin.place) for one in found.origins] == [
        str(one.place)
        for one in claim.origins.parts  # type: ignore[union-attr]  # it is a list
    ]


@given(lists(), WORLDS, OUTPUT)
def test_every_sum_is_that_of_the_origins_with_its_status(
    claim: Claimed, world: Sequence[ExportControlState], output: Any
) -> None:
    found = exposed(claim, *world, output=output)
    for status in ("certain", "assumed", "partly", "none"):
        parts = [one.least for one in found.origins if one.controls.status == status]
        assert getattr(found.sums, status) == sum(parts)
    for one in found.origins:
        assert (one.controls.status == "none") == (not one.controls.in_force)
        assert not any(of.in_force for of in one.controls.beside)
    suppliers = {one.place for one in found.unnamed_suppliers}
    others = {one.place for one in found.controlling_without_supply}
    assert suppliers.isdisjoint(others)
    assert suppliers.isdisjoint(one.origin.place for one in found.origins)


@given(lists(), WORLDS, OUTPUT, SETS_OF_MEASURES, SETS_OF_MEASURES)
def test_more_measures_never_lower_a_bound(
    claim: Claimed, world: Any, output: Any, some: set[Measure], more: set[Measure]
) -> None:
    few = bounds(exposed(claim, *world, output=output, measures=some))
    many = bounds(exposed(claim, *world, output=output, measures=some | more))
    everything = bounds(exposed(claim, *world, output=output))
    for least, middle, most in zip(few, many, everything, strict=True):
        assert least <= middle <= most


@given(
    lists(),
    st.lists(controls(), min_size=1, max_size=5, unique_by=lambda of: of.id),
    OUTPUT,
    st.integers(0, 4),
    st.integers(0, 2),
)
def test_a_repeal_never_raises_a_bound(
    claim: Claimed, world: list[ExportControlState], output: Any, which: int, clause: int
) -> None:
    before = bounds(exposed(claim, *world, output=output))
    which %= len(world)
    after = [*world[:which], repealed(world[which], clause), *world[which + 1 :]]
    for now, then in zip(bounds(exposed(claim, *after, output=output)), before, strict=True):
        assert now <= then


@given(lists(), WORLDS, OUTPUT, st.randoms(use_true_random=False))
def test_the_order_of_controls_and_figures_does_not_matter(
    claim: Claimed, world: list[ExportControlState], output: list[Any], chance: Any
) -> None:
    found = exposed(claim, *world, output=output)
    chance.shuffle(world)
    chance.shuffle(output)
    again = exposed(claim, *world, output=output)
    assert (again.sums, bounds(again), again.measures) == (
        found.sums,
        bounds(found),
        found.measures,
    )
    assert [one.controls.status for one in again.origins] == [
        one.controls.status for one in found.origins
    ]


@given(lists(), WORLDS, OUTPUT)
def test_each_measure_alone_is_the_answer_for_that_measure(
    claim: Claimed, world: Sequence[ExportControlState], output: Any
) -> None:
    for one in exposed(claim, *world, output=output).measures:
        alone = exposed(claim, *world, output=output, measures={one.measure}).sums
        assert (one.certain, one.assumed, one.partly) == (
            alone.certain,
            alone.assumed,
            alone.partly,
        )
