"""Selected events of endpoints, with as few reads as possible.

The newest events are read once for all endpoints and kept, up to a limit, per selection. An endpoint that
lags behind reads the log itself, page by page. Both ways return the same events; the cache affects only
speed.
"""

import asyncio
import logging
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

from tracker.errors import TrackerError
from tracker.log.entries import RecordedEvent
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, filter_each, filter_selected, read_entity
from tracker.postgres.database import CONNECTION_ERRORS

PAGE_EVENTS = 200
"""Number of events per read."""
MAX_SHARED_EVENTS = 2_000
"""Number of the newest events that are kept for all endpoints."""
MAX_SHARED_BYTES = 16 * 1024 * 1024
MAX_PAGE_BYTES = 256 * 1024
"""Maximum bytes of a page that one lagging endpoint keeps for its next deliveries."""
MAX_PAGES_BYTES = 32 * 1024 * 1024
"""Maximum bytes of all such pages."""
READS_AT_A_TIME = 2
SELECTIONS_AT_A_TIME = 32
"""Number of selections that an event is matched against per loop iteration."""
RETRY_SECONDS = 0.5

logger = logging.getLogger(__name__)


class SelectedRun(NamedTuple):
    """Selected events after a position; there are no others up to `until`."""

    events: Sequence[RecordedEvent]
    until: int


@dataclass(slots=True)
class SelectedPage:
    """The selected events after one position up to another, in order."""

    after: int
    until: int
    events: list[RecordedEvent]

    def following(self, position: int, limit: int) -> SelectedRun | None:
        """Return at most `limit` events after a position; None if the page does not contain them all."""
        if not self.after <= position <= self.until:
            return None
        first = bisect_right(self.events, position, key=_position)
        run = self.events[first : first + limit]
        ends = first + len(run) == len(self.events)
        return SelectedRun(run, self.until if ends else run[-1].position)

    def drop_until(self, position: int) -> None:
        """Keep only events after a position."""
        if position > self.after:
            del self.events[: bisect_right(self.events, position, key=_position)]
            self.after = min(position, self.until)


class SharedSelection:
    """The newest events of one selection, shared by all endpoints that have it."""

    def __init__(self, selection: Selection, after: int):
        self.selection = selection
        self.page = SelectedPage(after, after, [])
        self.waiting: dict[EventReader, None] = {}
        """Readers at the end that the next event wakes."""
        self.readers = 0


class SharedEvents:
    """The newest events of the log by selection; for one event loop."""

    def __init__(self, recorder: Recorder, follower: Follower):
        self.recorder = recorder
        self._follower = follower
        self.until = 0
        """Position up to which the log has been read."""
        self.reading = asyncio.Semaphore(READS_AT_A_TIME)
        self.page_bytes = 0
        """Bytes of the pages that lagging endpoints keep."""
        self._selections: dict[Hashable, SharedSelection] = {}
        self._pages: deque[tuple[int, int, int]] = deque()  # until, events, bytes of the entry
        self._cached_events = self._cached_bytes = 0

    def begin(self, after: int) -> None:
        """Start after a position. Call this before anything reads."""
        self.until = after

    def open(self, selection: Selection) -> SharedSelection:
        """Return the events of a selection from now on, for one more reader."""
        shared = self._selections.get(selection.key)
        if shared is None:
            shared = self._selections[selection.key] = SharedSelection(selection, self.until)
        shared.readers += 1
        return shared

    def close(self, shared: SharedSelection) -> None:
        """Remove a reader; a selection without readers is dropped."""
        shared.readers -= 1
        if not shared.readers:
            self._selections.pop(shared.selection.key, None)

    async def run(self) -> None:
        """Read new events until cancelled; of many that no endpoint selects only the first page."""
        while True:
            try:
                await self._skip_unselected()
                async with aclosing(self._follower.pages(self.until, page=PAGE_EVENTS)) as pages:
                    async for page in pages:
                        await self._add(page)
                        if len(page) == PAGE_EVENTS and not self._selections:
                            break
            except CONNECTION_ERRORS as error:
                logger.warning("deliveries are waiting: the log could not be read: %s", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _skip_unselected(self) -> None:
        """Continue at the end of the log if there are no endpoints."""
        head = await self.recorder.head()
        if not self._selections:
            self.until = head

    async def _add(self, events: Sequence[RecordedEvent]) -> None:
        selections = list(self._selections.values())
        matches = await self._filter(events, selections)
        self.until = until = events[-1].position
        before = self._forget(events)
        for shared in self._selections.values():
            page = shared.page
            selected = matches.get(shared)
            if selected is not None:
                page.events.extend(selected)
                page.until = until
                page.drop_until(before)
            else:  # not matched: requested meanwhile
                shared.page = SelectedPage(until, until, [])
        await self._wake(shared for shared in selections if matches.get(shared) != [])

    async def _filter(
        self, events: Sequence[RecordedEvent], requested: Sequence[SharedSelection]
    ) -> dict[SharedSelection, list[RecordedEvent]]:
        """Match some events against selections.

        Returns nothing if an event cannot be matched, such as a fact that this version does not know. Then
        every reader reads the log itself.
        """
        matches: dict[SharedSelection, list[RecordedEvent]] = {}
        selections = [shared.selection for shared in requested]
        try:
            async with aclosing(filter_each(self.recorder, events, selections)) as each:
                for number, shared in enumerate(requested, 1):
                    matches[shared] = await anext(each)
                    if number % SELECTIONS_AT_A_TIME == 0:
                        await asyncio.sleep(0)
        except TrackerError as error:
            logger.error("new events could not be matched with endpoints: %s", error.message)
            return {}
        return matches

    def _forget(self, events: Sequence[RecordedEvent]) -> int:
        """Account for new entries, and return the position from which entries are kept."""
        size = sum(len(event.entry) for event in events)
        self._pages.append((events[-1].position, len(events), size))
        self._cached_events += len(events)
        self._cached_bytes += size
        before = 0
        while len(self._pages) > 1 and (
            self._cached_events > MAX_SHARED_EVENTS or self._cached_bytes > MAX_SHARED_BYTES
        ):
            before, count, size = self._pages.popleft()
            self._cached_events -= count
            self._cached_bytes -= size
        return before

    async def _wake(self, grown: Iterable[SharedSelection]) -> None:
        """Wake the readers waiting for new events, a few per loop iteration."""
        woken = 0
        for shared in grown:
            for reader in list(shared.waiting):
                reader.wake()
                woken += 1
                if woken % SELECTIONS_AT_A_TIME == 0:
                    await asyncio.sleep(0)


class EventReader:
    """Reads the events of one endpoint after any position."""

    def __init__(self, shared_events: SharedEvents, selection: Selection, wake: Callable[[], None]):
        self._all = shared_events
        self._shared = shared_events.open(selection)
        self._selection = selection
        self._page: SelectedPage | None = None
        self._page_bytes = 0
        self.wake = wake
        """Callback for an event that a waiting reader has been waiting for."""

    def close(self) -> None:
        """Stop reading."""
        self.stop_waiting()
        self.drop_page()
        self._all.close(self._shared)

    def drop_page(self) -> None:
        """Drop the page that was read ahead."""
        self._page = None
        self._all.page_bytes -= self._page_bytes
        self._page_bytes = 0

    def wait(self) -> None:
        """Register for the next event; call this before reading."""
        self._shared.waiting[self] = None

    def stop_waiting(self) -> None:
        """Unregister."""
        self._shared.waiting.pop(self, None)

    def from_memory(self, position: int, limit: int) -> SelectedRun | None:
        """Return the events after a position if they are in memory; otherwise None."""
        shared = self._shared.page.following(position, limit)
        if shared is not None:
            self.drop_page()
            return shared
        read = self._page.following(position, limit) if self._page else None
        return read if read and read.until > position else None

    async def read(self, position: int, limit: int) -> SelectedRun:
        """Return at most `limit` events after a position. Raises database errors."""
        run = self.from_memory(position, limit)
        if run is None:
            self.drop_page()
            async with self._all.reading:
                page = await self._read_page(position, max(limit, PAGE_EVENTS))
            run = page.following(position, limit)
            assert run is not None
            self._cache(page, run.until)
        return run

    async def _read_page(self, position: int, limit: int) -> SelectedPage:
        recorder, selection, until = self._all.recorder, self._selection, self._all.until
        if selection.entity is not None:
            until = max(until, position)
            selected = await read_entity(recorder, selection, position, until)
            return SelectedPage(position, until, selected)
        events = await recorder.read(position, limit=limit, types=selection.types)
        if len(events) == limit:
            until = events[-1].position
        else:  # no others exist up to the end of the previous read
            until = max(until, position, *(event.position for event in events[-1:]))
        return SelectedPage(position, until, await filter_selected(recorder, events, selection))

    def _cache(self, page: SelectedPage, until: int) -> None:
        """Keep the events after a position, within the limits."""
        page.drop_until(until)
        room = min(MAX_PAGE_BYTES, MAX_PAGES_BYTES - self._all.page_bytes)
        size = 0
        for number, event in enumerate(page.events):
            if size + len(event.entry) > room:
                page.until = page.events[number - 1].position if number else page.after
                del page.events[number:]
                break
            size += len(event.entry)
        if page.events:
            self._page, self._page_bytes = page, size
            self._all.page_bytes += size


def _position(event: RecordedEvent) -> int:
    return event.position
