"""How far a relay has come, and where it goes on by what the broker has. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from tracker.delivery.relay.sink import SinkContent


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a relay in the log."""

    started_after: int
    position: int
    """Of all events up to here, those that are selected were acknowledged."""
    previous_position: int
    """The last event that was acknowledged; before there is one, `started_after`."""
    sequence: int
    """The number that it got."""


class LostRange(NamedTuple):
    """What a broker has acknowledged and has no more: all after a position, up to another."""

    after: int
    until: int


class Start(NamedTuple):
    """Where a relay goes on, and what has to be published once more."""

    cursor: Cursor
    lost: LostRange | None = None


def place_to_go_on(cursor: Cursor, content: SinkContent) -> Start:
    """Where to go on behind what a broker has.

    It may have more than we know of: its acknowledgements were lost. It may have less: then it was set
    back where its numbers are behind ours, else it has let go of events by its own rules, and these
    are not published again.
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
