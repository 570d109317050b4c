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
    count, oldest = await _find_selected(recorder, selection, after, head)
    return Lag(head, count, oldest.recorded_at if oldest else None)


async def count_selected(recorder: Recorder, selection: Selection, after: int, until: int) -> int:
    """How many selected events there are after a position, up to another."""
    count, _ = await _find_selected(recorder, selection, after, until)
    return count


async def _find_selected(
    recorder: Recorder, selection: Selection, after: int, until: int
) -> tuple[int, RecordedEvent | None]:
    """How many selected events there are after a position up to another, and the first of them."""
    if selection.entity is not None:
        events = await read_entity(recorder, selection, after, until)
        return len(events), next(iter(events), None)
    before, types, about = until + 1, selection.types, None
    if selection.by_subject:
        about = await streams_selected(recorder, selection, before)
    count = await recorder.count(after, before, types, about)
    first = await recorder.page(after, before, limit=1, types=types, about=about)
    return count, next(iter(first), None)
