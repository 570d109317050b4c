"""Whether a database still has what this process has shown of the log, or was set back. Pure.

A log is set back where a standby became primary without the last commits, or where an older backup
was restored. Connections do not survive either: so every new one is looked at before it is used.
What is compared is what was shown last: how far the log went, an entry of it, and the last event that
was acknowledged. So it is also noticed when the log has grown past that again.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class LogEnd(NamedTuple):
    """The end of the log as a process has shown it last."""

    position: int = 0
    """How far."""
    entry_at: int = 0
    entry_hash: bytes = b""
    """The hash of the entry at `entry_at`, the last one known; that may be before `position`."""
    appended_at: int = 0
    event_id: str = ""
    """The id of the event at `appended_at`, the last one that was acknowledged."""
    timeline: int = 0
    """The newest timeline of PostgreSQL; each primary that was promoted begins the next."""


class LogView(NamedTuple):
    """What a connection has of the log, asked for what was shown."""

    position: int
    standby: bool
    """Whether it is a standby's, which may be late."""
    timeline: int
    """0 on a standby."""
    entry_hash: bytes | None
    """The hash of the entry at `entry_at`; None where there is none."""
    event_id: str | None
    """The id of the event at `appended_at`; None where there is none."""
    last_hash: bytes | None
    """The hash of the entry at the position up to which was shown."""


class Continuity(Enum):
    """What a look at the log came to."""

    HOLDS = "it has what was shown"
    FORMER_PRIMARY = "it is of a primary that has a successor"
    SET_BACK = "the log was set back"


def compare(shown: LogEnd, view: LogView) -> tuple[Continuity, str]:
    """Whether a database has what was shown; in words where it has not."""
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
    """What was shown, with the entry there, from a database that has all of it."""
    timeline = max(shown.timeline, view.timeline)
    if view.last_hash is None or shown.entry_at >= shown.position:
        return shown._replace(timeline=timeline)
    return shown._replace(timeline=timeline, entry_at=shown.position, entry_hash=view.last_hash)
