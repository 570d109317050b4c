"""Instruments that may be one act told by several publishers. Pure.

They are offered as that and never merged: whether two are the same is for people to decide, who
retract one and keep its source with the other.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracker.domain.commodities import related
from tracker.domain.export_control import ExportControlState

LISTS = frozenset({"critical_minerals", "minerals"})
"""What all minerals belong to, so that it tells none from another."""


def same_acts(
    control: ExportControlState, others: Iterable[ExportControlState]
) -> list[ExportControlState]:
    """The others that may be the same act: of the same issuer and direction, announced on the same
    day as far as both days are known, with a clause of the same measure about the same goods, and
    told by other publishers."""
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
    """The measures of its clauses, each with the goods that it may be about."""
    return {
        (state.clause.measure, goods)
        for state in control.clauses
        for named in state.clause.commodities
        for goods in related(named)
        if goods not in LISTS
    }
