"""Facts as rows: the positions at which each is effective. Pure."""

from collections.abc import Iterable

import msgspec

from tracker.domain.entities.entity import RecordedFact
from tracker.domain.entities.history import History


class FactRow(msgspec.Struct, frozen=True, gc=False):
    """A fact and the positions at which it is effective: `since` to `until`, exclusive (None: open).

    A retracted fact that is restored gets another row.
    """

    known: RecordedFact
    since: int
    until: int | None = None


class ClosedFact(msgspec.Struct, frozen=True, gc=False):
    """A fact that stops being effective at a position."""

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
    """Record the facts that become or stop being effective at a position.

    New ones are in `open` by position until they end and move to `rows`. `closed` gets those that began
    before.
    """
    for known in changed:
        if history.is_effective(known):
            open[known.position] = FactRow(known, position)
        elif row := open.pop(known.position, None):  # a new row, closed at once
            rows.append(FactRow(known, row.since, position))
        else:
            closed.append(ClosedFact(known, position))
