"""Facts as rows: from which position on each counts, until it is retracted. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tracker.domain.entity import RecordedFact
from tracker.domain.history import History


class FactRow(msgspec.Struct, frozen=True, gc=False):
    """A fact and the positions at which it counts: `since` up to, not including, `until` (None: still).

    A fact that is retracted and comes back has another row from then on.
    """

    known: RecordedFact
    since: int
    until: int | None = None


class ClosedFact(msgspec.Struct, frozen=True, gc=False):
    """A fact that counts no more from a position on."""

    known: RecordedFact
    at: int


def note_facts(
    changed: Iterable[RecordedFact],
    history: History,
    position: int,
    open: dict[int, FactRow],
    rows: list[FactRow],
    closed: list[ClosedFact],
) -> None:
    """Note which facts count from a position on, and which do no more: those that begin to are in
    `open` by their positions, until they end and are in `rows`. `closed` gets those that began before.
    """
    for known in changed:
        if history.is_effective(known):
            open[known.position] = FactRow(known, position)
        elif row := open.pop(known.position, None):  # it is new: closed at once
            rows.append(FactRow(known, row.since, position))
        else:
            closed.append(ClosedFact(known, position))
