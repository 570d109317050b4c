"""Levels of the fields of a clause, by the acts that give them. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import msgspec

from tracker.domain.basics.values import Name, Value
from tracker.domain.basics.vocabulary import EvidenceLevel
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_facts import facts_about_clause
from tracker.domain.controls.export_control_acts import (
    Amended,
    Announced,
    Suspended,
    SuspensionStated,
)
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.levels import level_of
from tracker.domain.entities.provenance import cite

NOT_FIELDS = frozenset({"id", "note", "instrument"})
RENAMED = {"mergedFrom": "repealedFrom", "into": "continuedIn"}
"""Fields of acts that have another name in the state of a clause."""
GOODS = frozenset({"commodities", "forms", "items", "exemptItems", "exemptions", "covers"})
"""Fields that state the goods of a clause."""
DATES = frozenset(
    {"inForceFrom", "inForceUntil", "period", "carryOverUntil", "suspendedFrom", "suspendedUntil"}
)
"""Fields that state its days."""


class FieldLevel(Value, frozen=True, kw_only=True):
    """The level of a field of a clause."""

    field: Name
    """The field, such as `commodities`."""
    level: EvidenceLevel
    """The best level among the sources of the act that gives the field; a source with the field in
    `unsupported` does not count."""


def clause_levels(
    state: ClauseState, known: Iterable[RecordedFact], issuers: Sequence[str], day: date
) -> tuple[FieldLevel, ...]:
    """Return the levels of the fields that a clause has on a day.

    `known` are the facts behind its instrument, in valid-time order. An amendment states all fields of the
    clause anew, and other acts single ones. A value that an act repeats keeps a better level from before.
    """
    levels: dict[str, tuple[EvidenceLevel, Any]] = {}
    for one in facts_about_clause(state.clause.id, known):
        fact, before = one.fact, levels
        if isinstance(fact, Amended) and fact.effective_from and fact.effective_from.first > day:
            continue
        if isinstance(fact, SuspensionStated):
            continue
        if isinstance(fact, Announced | Amended):
            levels = {}
        sources = [cite(source, tuple(issuers)) for source in fact.sources]
        for name, path, value in _stated(fact, state.clause.id):
            level, (old, same) = level_of(sources, path), before.get(name, (None, None))
            if old and same == value and old.rank < level.rank:
                level = old
            levels[name] = level, value
    present = _plain(state.clause).keys() | _plain(state).keys()
    return tuple(
        FieldLevel(field=name, level=level)
        for name, (level, _) in levels.items()
        if name in present
    )


def _stated(fact: Fact, id: str) -> Iterator[tuple[str, str, Any]]:
    """Yield the fields of a clause that an act states, with their paths in the fact and values."""
    if isinstance(fact, Announced | Amended):
        index = [clause.id for clause in fact.clauses].index(id)
        for name, value in _plain(fact.clauses[index]).items():
            if name not in NOT_FIELDS:
                yield name, f"clauses.{index}.{name}", value
    elif isinstance(fact, Suspended) and fact.entities:
        yield "partialSuspensions", "suspendedFrom", fact.suspended_from
    else:
        for name, value in _plain(fact).items():
            yield RENAMED.get(name, name), name, value


def _plain(value: Value) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(value, enc_hook=str)
    return fields
