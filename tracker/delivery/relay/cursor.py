"""Cursor of a relay, and its reconciliation with the content of the broker. Pure."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from tracker.delivery.relay.sink import SinkContent


@dataclass(frozen=True, slots=True)
class Cursor:
    """Place of a relay in the log."""

    started_after: int
    position: int
    """All selected events up to this position were acknowledged."""
    previous_position: int
    """Position of the last acknowledged event; before there is one, `started_after`."""
    sequence: int
    """Broker sequence of that event."""


class LostRange(NamedTuple):
    """A range of positions that a broker acknowledged and has lost: after one position, up to another."""

    after: int
    until: int


class Start(NamedTuple):
    """Cursor from which a relay resumes, and the range to publish again."""

    cursor: Cursor
    lost: LostRange | None = None


def place_to_go_on(cursor: Cursor, content: SinkContent) -> Start:
    """Return the cursor from which to resume, given the content of the broker.

    The broker may have more events than recorded here, if acknowledgements were lost. It may have fewer. If
    its sequence is lower than ours, it was reset and events are published again. Otherwise it removed events
    by its own retention rules, and they are not published again.
    """
    has = content.last.position if content.last else cursor.started_after
    if has >= cursor.previous_position:
        ahead = max(cursor.position, has)
        return Start(
            replace(cursor, position=ahead, previous_position=has, sequence=content.sequence)
        )
    if content.sequence >= cursor.sequence:
        return Start(cursor)
    return Start(
        replace(cursor, position=has, previous_position=has, sequence=content.sequence),
        LostRange(has, cursor.previous_position),
    )
