"""Instruments that may be one act recorded from several publishers. Pure.

Candidates are listed and never merged. People decide: they retract one and add its source to the other.
"""

from collections.abc import Iterable

from tracker.domain.catalogue.commodities import related
from tracker.domain.controls.export_control import ExportControlState

LISTS = frozenset({"critical_minerals", "minerals"})
"""Groups of all minerals, which do not distinguish one from another."""


def same_acts(
    control: ExportControlState, others: Iterable[ExportControlState]
) -> list[ExportControlState]:
    """Return the other controls that may record the same act.

    They have the same issuer and direction, overlapping announcement dates, a clause of the same
    measure about the same goods, and other publishers.
    """
    return [other for other in others if other.id != control.id and _may_be_same(control, other)]


def _may_be_same(one: ExportControlState, other: ExportControlState) -> bool:
    first, second = one.announced_on, other.announced_on
    return (
        (one.issuer, one.direction) == (other.issuer, other.direction)
        and first.first <= second.last
        and second.first <= first.last
        and _publishers(one).isdisjoint(_publishers(other))
        and not _subjects(one).isdisjoint(_subjects(other))
    )


def _publishers(control: ExportControlState) -> set[str]:
    return {source.publisher for source in control.sources}


def _subjects(control: ExportControlState) -> set[tuple[str, str]]:
    """Return the measures of the clauses, each with the goods that it may cover."""
    return {
        (state.clause.measure, goods)
        for state in control.clauses
        for named in state.clause.commodities
        for goods in related(named)
        if goods not in LISTS
    }
