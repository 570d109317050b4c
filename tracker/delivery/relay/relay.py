"""A relay: publishes the log to a broker, in order.

The cursor follows the acknowledgements of the broker. The relay reads the last event of the broker after it
connects, after a partial acknowledgement, and at intervals. Acknowledged events that the broker has lost are
published again in order.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from tracker.delivery.message import message_id
from tracker.delivery.relay.cursor import Cursor, LostRange, place_to_go_on
from tracker.delivery.relay.sink import (
    LastEvent,
    LinkedEvent,
    Sink,
    SinkContent,
    SinkRefused,
    SinkUnavailable,
)
from tracker.delivery.relay.store import RelayStore
from tracker.errors import TrackerError
from tracker.log.entries import RecordedEvent
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.log.selection import Selection, filter_selected
from tracker.postgres.database import CONNECTION_ERRORS
from tracker.postgres.lease import LeaseLost

PAGE_EVENTS = 1000
"""Number of events per read."""
RECORDING_INTERVAL_SECONDS = 0.25
"""Seconds between two writes of the cursor."""
CHECK_INTERVAL_SECONDS = 15.0
"""Seconds between two checks of the broker, even if there is nothing to publish."""
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 10.0
"""Maximum seconds between two connection attempts; the interval doubles up to this."""

logger = logging.getLogger(__name__)


class ContentDiffers(Exception):
    """Raised if the content of the broker differs from the expected one."""


@dataclass(slots=True)
class Report:
    """Counters of a relay since it started."""

    events: int = 0
    refills: int = 0


class Relay:
    """Publishes the selected events of a log to a sink; only one process runs a relay of one name."""

    def __init__(
        self,
        sink: Sink,
        store: RelayStore,
        recorder: Recorder,
        follower: Follower,
        selection: Selection,
        check_interval_seconds: float = CHECK_INTERVAL_SECONDS,
    ):
        self.report = Report()
        self._sink = sink
        self._store = store
        self._lease = store.lease
        self._recorder = recorder
        self._follower = follower
        self._selection = selection
        self._check_interval_seconds = check_interval_seconds
        self._cursor = Cursor(0, 0, 0, 0)
        self._sequence = 0
        """Sequence in the sink that the next event must follow."""
        self._missing = 0

    async def run(self) -> None:
        """Publish whenever the lease is held, until cancelled. Raises SinkRefused."""
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            try:
                await self._publish_always()
            except TrackerError as error:
                refused.set_exception(error)
                await asyncio.Event().wait()  # the lease is released when its task is cancelled

        holding = asyncio.create_task(self._lease.run(work))
        try:
            await asyncio.wait((refused, holding), return_when=asyncio.FIRST_COMPLETED)
            (refused if refused.done() else holding).result()
        finally:
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)

    async def _publish_always(self) -> None:
        """Publish, and reconnect after each failure of the broker or the database."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            before = self.report.events
            try:
                await self._publish_while_connected()
            except (SinkUnavailable, TimeoutError, *CONNECTION_ERRORS) as error:
                logger.warning(
                    "%s failed and is retried: %s", self._sink.name, error or type(error).__name__
                )
            if self.report.events > before:
                pause = FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)

    async def _publish_while_connected(self) -> None:
        """Publish over one connection until it breaks or the broker must be checked again."""
        await self._lease.wait_until_held()
        try:
            await self._sink.open()
            progress = True
            while progress:
                before = self.report.events
                lost = await self._settle()
                await self._publish_on()
                progress = lost is not None or self.report.events > before
        finally:
            await self._sink.close()

    async def _settle(self) -> LostRange | None:
        """Reconcile the cursor with the broker, and return the lost range."""
        await self._lease.wait_until_held()
        known, content = await self._store.read(), await self._sink.read_content()
        await self._check_log(content.last)
        self._note_missing(content)
        self._cursor, lost = place_to_go_on(known, content)
        self._sequence = content.sequence
        if lost:
            self.report.refills += 1
            logger.error(
                "%s has lost what it acknowledged: all after position %d, up to %d. It is published"
                " again from there",
                self._sink.name,
                *lost,
            )
        if self._cursor != known:
            await self._store.write(self._sink.name, self._cursor, refilling=lost is not None)
        return lost

    async def _check_log(self, last: LastEvent | None) -> None:
        """Check that the last event of the broker is in this log. Raises SinkRefused."""
        if last is None:
            return
        at = last.position
        page = await self._recorder.page(at - 1, at + 1, limit=1)
        if [message_id(event.event_id) for event in page] != [last.message_id]:
            raise SinkRefused(
                f"{self._sink.name} has the event {last.message_id} at position {at}, and this log has"
                " not: expected a stream of this log alone"
            )

    def _note_missing(self, content: SinkContent) -> None:
        """Log that events in the middle are missing: they cannot be published there again."""
        if content.missing > self._missing:
            logger.error(
                "%s has lost %d messages between its first and its last. Consumers notice by the"
                " previous position of the next one; remove the stream and all is published again",
                self._sink.name,
                content.missing,
            )
        self._missing = content.missing

    async def _publish_on(self) -> None:
        """Publish present and new events until the broker must be checked again."""
        recorded = self._cursor
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send())
                tasks.create_task(self._check())
                tasks.create_task(self._record())
        except ExceptionGroup as failed:
            error = _first_of(failed)
            if not isinstance(error, ContentDiffers):
                raise error from None
        finally:
            if self._cursor != recorded:
                with suppress(LeaseLost, TimeoutError, *CONNECTION_ERRORS):
                    await self._store.write(self._sink.name, self._cursor)

    async def _send(self) -> None:
        """Publish page by page. Raises ContentDiffers if the broker takes fewer events than were sent."""
        pages = self._follower.pages(self._cursor.position, page=PAGE_EVENTS)
        async with aclosing(pages):
            async for page in pages:
                selected = await filter_selected(self._recorder, page, self._selection)
                if not await self._publish(selected):
                    raise ContentDiffers
                self._cursor = replace(self._cursor, position=page[-1].position)

    async def _publish(self, events: Sequence[RecordedEvent]) -> bool:
        """Publish events and move the cursor over acknowledged ones; return whether all were acknowledged."""
        if not events:
            return True
        await self._lease.wait_until_held()
        run = link(events, self._cursor.previous_position)
        acknowledged, self._sequence = await self._sink.publish(run, self._sequence)
        if acknowledged:
            last = run[acknowledged - 1].event.position
            self._cursor = replace(
                self._cursor, position=last, previous_position=last, sequence=self._sequence
            )
            self.report.events += acknowledged
        return acknowledged == len(run)

    async def _check(self) -> None:
        """Check the content of the broker at intervals. Raises ContentDiffers if it has lost events."""
        while True:
            await asyncio.sleep(self._check_interval_seconds)
            known = (
                self._cursor
            )  # copied first: the broker may not report events that are acknowledged meanwhile
            content = await self._sink.read_content()
            self._note_missing(content)
            if place_to_go_on(known, content).lost:
                raise ContentDiffers

    async def _record(self) -> None:
        """Write the cursor at intervals if it has changed."""
        recorded = self._cursor
        while True:
            await asyncio.sleep(RECORDING_INTERVAL_SECONDS)
            if self._cursor != recorded:
                recorded = self._cursor
                await self._store.write(self._sink.name, recorded)


def link(events: Sequence[RecordedEvent], previous: int) -> list[LinkedEvent]:
    """Return events, each with the position of the previous one."""
    positions = [previous, *(event.position for event in events)]
    return [LinkedEvent(event, before) for event, before in zip(events, positions, strict=False)]


def _first_of(failed: ExceptionGroup[Exception]) -> Exception:
    """Return the relevant one of several errors: a final one, otherwise the first."""
    leaves = [
        leaf
        for each in failed.exceptions
        for leaf in ([_first_of(each)] if isinstance(each, ExceptionGroup) else [each])
    ]
    ends = (e for e in leaves if isinstance(e, TrackerError) and not isinstance(e, SinkUnavailable))
    return next(ends, leaves[0])
