"""Continuity: whether a database still contains the log that this process has shown, or was set back.
Pure.

A log is set back if a promoted standby lacks the last commits, or if an older backup was restored.
Connections do not survive either event, so every new connection is checked before use. The check compares the
last position shown, an entry there, and the last acknowledged event. So it also detects a log that has grown
beyond that position again.
"""

from enum import Enum
from typing import NamedTuple


class LogEnd(NamedTuple):
    """The end of the log as last shown by a process."""

    position: int = 0
    """The last position."""
    entry_at: int = 0
    entry_hash: bytes = b""
    """The hash of the entry at `entry_at`, the last known one; it may be before `position`."""
    appended_at: int = 0
    event_id: str = ""
    """The id of the event at `appended_at`, the last acknowledged one."""
    timeline: int = 0
    """The newest timeline of PostgreSQL; each promotion of a primary begins the next one."""


class LogView(NamedTuple):
    """The log as seen by a connection, at the positions shown before."""

    position: int
    standby: bool
    """Whether the server is a standby, which may lag behind."""
    timeline: int
    """The timeline; 0 on a standby."""
    entry_hash: bytes | None
    """The hash of the entry at `entry_at`; None if there is none."""
    event_id: str | None
    """The id of the event at `appended_at`; None if there is none."""
    last_hash: bytes | None
    """The hash of the entry at the last position shown."""


class Continuity(Enum):
    """Result of a continuity check."""

    HOLDS = "it has what was shown"
    FORMER_PRIMARY = "it is of a primary that has a successor"
    SET_BACK = "the log was set back"


def compare(shown: LogEnd, view: LogView) -> tuple[Continuity, str]:
    """Compare a database with the end of the log shown before; return the difference in words, if any."""
    difference = _difference(shown, view)
    if difference is None:
        return Continuity.HOLDS, ""
    late = not view.standby and view.timeline < shown.timeline
    return Continuity.FORMER_PRIMARY if late else Continuity.SET_BACK, difference


def _difference(shown: LogEnd, view: LogView) -> str | None:
    if view.position < shown.position and not view.standby:
        return f"it ends at {view.position}, and {shown.position} was shown"
    is_other = view.entry_hash not in (None, shown.entry_hash)
    if shown.entry_at and is_other:
        return f"the entry at {shown.entry_at} is not the one that was shown"
    if shown.appended_at and view.event_id not in (None, shown.event_id):
        return f"the event at {shown.appended_at} is not the one that was acknowledged"
    return None


def with_last_entry(shown: LogEnd, view: LogView) -> LogEnd:
    """Return the shown end with its entry, read from a database that contains all of it."""
    timeline = max(shown.timeline, view.timeline)
    if view.last_hash is None or shown.entry_at >= shown.position:
        return shown._replace(timeline=timeline)
    return shown._replace(timeline=timeline, entry_at=shown.position, entry_hash=view.last_hash)
