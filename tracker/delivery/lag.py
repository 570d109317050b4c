"""How far an endpoint is behind the log: what of its filter it has not been sent yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, read_entity, streams_selected


@dataclass(frozen=True, slots=True)
class Lag:
    """What waits behind a cursor: the selected events up to the head of the log."""

    head: int
    events: int
    oldest_at: datetime | None
    """When the first of them was recorded; None where nothing waits."""

    def seconds(self, now: datetime) -> float:
        """For how long the first of them has waited; 0 where nothing waits."""
        return 0.0 if self.oldest_at is None else max((now - self.oldest_at).total_seconds(), 0.0)


async def read_lag(recorder: Recorder, selection: Selection, after: int) -> Lag:
    """The lag of a cursor, up to where the log is now."""
    head = await recorder.head()
    if after >= head:
        return Lag(head, 0, None)
    if selection.entity is not None:
        return _lag(head, await read_entity(recorder, selection, after, head))
    about = await streams_selected(recorder, selection, head + 1) if selection.by_subject else None
    count = await recorder.count(after, head + 1, selection.types, about)
    oldest = await recorder.page(after, head + 1, limit=1, types=selection.types, about=about)
    return _lag(head, oldest, count)


def _lag(head: int, waiting: list[RecordedEvent], count: int | None = None) -> Lag:
    oldest_at = waiting[0].recorded_at if waiting else None
    return Lag(head, len(waiting) if count is None else count, oldest_at)
