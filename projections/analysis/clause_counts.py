"""Numbers of clauses by content and issuer. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from itertools import product
from typing import Any

from msgspec import Struct

from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_query import (
    ClauseQuery,
    match_of,
    matching_clauses,
    settled_matches,
)
from tracker.domain.controls.confirmation import Grounds, confirmation
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import Licences


class ClauseGroup(StrEnum):
    """Properties by which clauses are grouped."""

    STATUS = "status"
    """By status."""
    MEASURE = "measure"
    """By measure."""
    ISSUER = "issuer"
    """By the issuer of the instrument."""
    DIRECTION = "direction"
    """By exports, imports and production."""
    COVERS = "covers"
    """By the kind of goods or services that they cover."""
    LEGAL_STAGE = "legal_stage"
    """By legal stage."""
    COMMODITY = "commodity"
    """By the commodities that they name; a clause that names several counts for each."""
    CONFIRMATION = "confirmation"
    """By the confirmation of their status."""
    MATCH = "match"
    """By whether they cover the goods of the filters for certain, or possibly."""


class ClauseCount(Struct, frozen=True):
    """The number of clauses in a group, and of their controls.

    `values` are the common properties of the group, in the order of `group_by`.
    """

    values: tuple[str, ...]
    clauses: int
    controls: int


def count_clauses(
    controls: Iterable[ExportControlState],
    query: ClauseQuery,
    licences: Licences,
    group_by: Sequence[ClauseGroup],
    grounds: Grounds,
) -> list[ClauseCount]:
    """Return the matching clauses by group, largest group first; values break ties.

    A clause on several commodities is in the group of each.
    """
    clauses: dict[tuple[str, ...], int] = defaultdict(int)
    inside: dict[tuple[str, ...], set[str]] = defaultdict(set)
    of_any_match = replace(query, match=None)
    matches = [(one, matching_clauses(of_any_match, one, licences)) for one in controls]
    for control, items, own in settled_matches(query, matches):
        for item in items:
            groups = [_values(control, item, group, own, grounds) for group in group_by]
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
    grounds: Grounds,
) -> Sequence[Any]:
    match group:
        case ClauseGroup.CONFIRMATION:
            return [confirmation(control, item, query.day, grounds)]
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
