"""Subscriptions to the events of one application, for the library."""

import logging
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from threading import Event

from eventsourcing import persistence

from tracker.eventsourcing_asyncpg.listener import POLL_INTERVAL_SECONDS

PAGE_EVENTS = 500
logger = logging.getLogger(__name__)


class WatchableRecorder(persistence.ApplicationRecorder):
    """A recorder that wakes waiting subscribers for events."""

    @abstractmethod
    def watch(self, woken: Event) -> None:
        """Set `woken` when events are recorded, while `woken` is referenced."""


class AsyncpgSubscription(persistence.Subscription[WatchableRecorder]):
    """Reads page by page, and waits for new events at the end.

    It keeps one page in memory, has no thread of its own, waits for a lost database, and ends when the
    factory is closed.
    """

    def __init__(self, recorder: WatchableRecorder, gt: int | None, topics: Sequence[str]):
        super().__init__(recorder, gt, topics)
        self._page: deque[persistence.Notification] = deque()
        self._woken = Event()
        recorder.watch(self._woken)

    def stop(self) -> None:
        """End the subscription, also for a thread that waits for the next event."""
        super().stop()
        self._woken.set()

    def __next__(self) -> persistence.Notification:
        while not self._has_been_stopped:
            if self._page:
                return self._page.popleft()
            self._woken.clear()
            if not self._has_been_stopped and not self._read_head():
                self._woken.wait(POLL_INTERVAL_SECONDS)
        raise StopIteration

    def _read_head(self) -> bool:
        """Read the next page; return False if there is none yet."""
        try:
            self._read()
        except persistence.ConnectionPoolClosedError:
            self.stop()
        except (persistence.InterfaceError, persistence.OperationalError) as error:
            logger.warning("a subscription waits for the database to return: %s", error)
        return bool(self._page)

    def _read(self) -> None:
        after = self._last_notification_id or 0
        # No further events can appear up to here, so events of other topics can be skipped permanently.
        head = self._recorder.max_notification_id() or 0 if self._topics else 0
        page = self._recorder.select_notifications(
            after, PAGE_EVENTS, topics=self._topics, inclusive_of_start=False
        )
        last = page[-1].id if page else after
        self._last_notification_id = last if len(page) == PAGE_EVENTS else max(last, head)
        self._page.extend(page)
