"""Lag of an endpoint: its selected events that have not been sent yet."""

from datetime import datetime

from msgspec import Struct

from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, read_entity, streams_selected


class Lag(Struct, frozen=True):
    """Lag of a cursor: the selected events after it, up to the head of the log."""

    head: int
    """The last position of the log."""
    events: int
    """The number of pending events of its filter: those after its cursor and parked events."""
    oldest_at: datetime | None
    """The time at which the oldest pending event was recorded; null if none is pending."""

    def seconds(self, now: datetime) -> float:
        """Return the age of the oldest waiting event in seconds; 0 if there is none."""
        return 0.0 if self.oldest_at is None else max((now - self.oldest_at).total_seconds(), 0.0)


async def read_lag(recorder: Recorder, selection: Selection, after: int) -> Lag:
    """Return the lag of a cursor up to the present head of the log."""
    head = await recorder.head()
    if after >= head:
        return Lag(head, 0, None)
    count, oldest = await _find_selected(recorder, selection, after, head)
    return Lag(head, count, oldest.recorded_at if oldest else None)


async def count_selected(recorder: Recorder, selection: Selection, after: int, until: int) -> int:
    """Return the number of selected events after one position, up to another."""
    count, _ = await _find_selected(recorder, selection, after, until)
    return count


async def _find_selected(
    recorder: Recorder, selection: Selection, after: int, until: int
) -> tuple[int, RecordedEvent | None]:
    """Return the number of selected events after one position up to another, and the first of them."""
    if selection.entity is not None:
        events = await read_entity(recorder, selection, after, until)
        return len(events), next(iter(events), None)
    before, types, about = until + 1, selection.types, None
    if selection.by_subject:
        about = await streams_selected(recorder, selection, before)
    count = await recorder.count(after, before, types, about)
    first = await recorder.page(after, before, limit=1, types=types, about=about)
    return count, next(iter(first), None)
