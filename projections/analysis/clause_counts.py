"""How many clauses there are, by what they say and who issued them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

from tracker.domain.clause import ClauseState
from tracker.domain.clause_query import ClauseQuery, match_of, matching_clauses
from tracker.domain.confirmation import NOTHING_BY_TERMS, FirstDays, confirmation
from tracker.domain.export_control import ExportControlState
from tracker.domain.matching import Licences


class ClauseGroup(StrEnum):
    """What clauses are counted by."""

    STATUS = "status"
    MEASURE = "measure"
    ISSUER = "issuer"
    DIRECTION = "direction"
    COVERS = "covers"
    LEGAL_STAGE = "legal_stage"
    COMMODITY = "commodity"
    CONFIRMATION = "confirmation"
    MATCH = "match"


@dataclass(frozen=True, slots=True)
class ClauseCount:
    """The number of clauses of a group, and of the controls that they are in. `values` are what the
    clauses of the group have in common, in the order of what they are counted by."""

    values: tuple[str, ...]
    clauses: int
    controls: int


def count_clauses(
    controls: Iterable[ExportControlState],
    query: ClauseQuery,
    licences: Licences,
    group_by: Sequence[ClauseGroup],
    first_days: FirstDays = NOTHING_BY_TERMS,
) -> list[ClauseCount]:
    """The clauses that answer to all that is asked, by group, the largest group first; those that are
    equal by their values. A clause on several commodities is in the group of each."""
    clauses: dict[tuple[str, ...], int] = defaultdict(int)
    inside: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for control in controls:
        for item in matching_clauses(query, control, licences):
            groups = [_values(control, item, group, query, first_days) for group in group_by]
            for values in set(product(*groups)):
                clauses[values] += 1
                inside[values].add(control.id)
    counts = [ClauseCount(values, clauses[values], len(inside[values])) for values in clauses]
    return sorted(counts, key=lambda count: (-count.clauses, count.values))


def _values(
    control: ExportControlState,
    item: ClauseState,
    group: ClauseGroup,
    query: ClauseQuery,
    first_days: FirstDays,
) -> Sequence[Any]:
    match group:
        case ClauseGroup.CONFIRMATION:
            return [confirmation(control, item, query.day, first_days)]
        case ClauseGroup.MATCH:
            return [match_of(query, item.clause)]
        case ClauseGroup.STATUS:
            return [item.status]
        case ClauseGroup.ISSUER:
            return [control.issuer]
        case ClauseGroup.DIRECTION:
            return [control.direction]
        case ClauseGroup.COMMODITY:
            return item.clause.commodities
    return [getattr(item.clause, group.value)]
