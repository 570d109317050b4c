"""Delivery to one endpoint: one request at a time, each after the previous one was accepted.

Only acceptance by the receiver moves the cursor, except that parked events are passed over. A failed batch is
retried with half as many events. This isolates an event that the receiver cannot take, and the events before
it are delivered.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, field

from tracker import clock
from tracker.delivery.delivery import Delivery, not_sent, plan_delivery, storable, unmade, up_to
from tracker.delivery.endpoint import Attempt, EndpointFormat
from tracker.delivery.endpoint_settings import EndpointSettings
from tracker.delivery.message import Message
from tracker.delivery.message_builder import MessageBuilder
from tracker.delivery.parked_events import ParkedEvent, ParkedEvents
from tracker.delivery.progress import DeliveryState, Place, Progress, ReplayPlace
from tracker.delivery.request_limits import LoopThrottle, RequestLimit
from tracker.delivery.schedule import Schedule
from tracker.delivery.selected_events import EventReader, SelectedRun, SharedEvents
from tracker.delivery.sender import Answer, Sender
from tracker.errors import TrackerError
from tracker.log.entries import RecordedEvent
from tracker.postgres.database import CONNECTION_ERRORS
from tracker.postgres.lease import Lease

MAX_SLEEP_SECONDS = 60.0
"""Seconds after which a worker reads the clock again, because clocks may be set."""
RETRY_SECONDS = 0.5
"""Seconds before the next read after the database could not be read."""
MAX_RESPONSE_CHARACTERS = 1_000
"""Characters of a response that are stored."""

logger = logging.getLogger(__name__)

Observe = Callable[[str, int, float], None]
"""Callback for each request: its result, its number of events and its duration in seconds."""


class DeliveryTools(Struct, frozen=True):
    """Resources that the workers of all endpoints share."""

    lease: Lease
    sender: Sender
    events: SharedEvents
    progress: Progress
    messages: MessageBuilder
    schedule: Schedule
    observe: Observe
    throttle: LoopThrottle = field(default_factory=LoopThrottle)
    limit: RequestLimit = field(default_factory=RequestLimit)


class EndpointWorker:
    """Delivers to one endpoint in one epoch of the lease."""

    def __init__(
        self,
        tools: DeliveryTools,
        settings: EndpointSettings,
        state: DeliveryState,
        replay: ReplayPlace | None,
        parked: Mapping[int, ParkedEvent],
    ):
        self._tools = tools
        self.settings = settings
        self.state = state
        self._replay = replay
        self._parked = ParkedEvents(parked, state, tools.progress)
        self._reader = EventReader(tools.events, settings.selection, self.wake)
        self._woken = asyncio.get_running_loop().create_future()
        self._batch_events = settings.max_batch_events
        self._not_before = 0.0  # by the monotonic clock: end of the receiver's rate limit
        self._idle = False
        self.stopping = False
        """Whether no further requests may begin."""
        self.sending = False
        """Whether a request is in flight."""

    def update(
        self,
        settings: EndpointSettings,
        state: DeliveryState | None,
        replay: ReplayPlace | None,
        parked: Mapping[int, ParkedEvent],
    ) -> None:
        """Apply changes by a person: everything but the cursor is taken from the database.

        The delivery state is taken too, unless it is None. A failed delivery is retried at once if the change
        may have removed the cause.
        """
        replayed = replay and replay.id, self._replay and self._replay.id
        mine = self.state
        if state is not None:
            mine.failures, mine.failing_since = state.failures, state.failing_since
            mine.last_error, mine.last_status = state.last_error, state.last_status
            mine.handshake_at = state.handshake_at
            mine.next_attempt_at = state.next_attempt_at
        parked_changed = self._parked.update(parked)
        if settings != self.settings or parked_changed or replayed[0] != replayed[1]:
            mine.next_attempt_at = None
        self.settings = settings
        self._batch_events = min(self._batch_events, settings.max_batch_events)
        if replayed[0] != replayed[1]:
            self._replay = replay
        self.wake()

    async def run(self) -> None:
        """Deliver until cancelled."""
        try:
            while True:
                try:
                    await self._step()
                except (*CONNECTION_ERRORS, TimeoutError) as error:
                    logger.warning("deliveries to %s are waiting: %s", self.settings.name, error)
                    await self._sleep(RETRY_SECONDS)
                except Exception as error:
                    # A bug, or an event that this version cannot read: keep the position and show the error.
                    logger.exception("an endpoint is blocked: %s", self.settings.name)
                    self._fail(unmade(f"the tracker cannot send it: {type(error).__name__}"), [])
        finally:
            self._reader.close()

    async def _step(self) -> None:
        """Make one request, or wait for something to do."""
        await self._tools.lease.wait_until_held()
        self._woken = asyncio.get_running_loop().create_future()  # before any state is read
        # not during a request, which may pass parked events
        self._parked.drop_delivered(self._replay)
        parked = self._parked.next_retry() if self._may_send else None
        wait = self._seconds_to_wait(parked is not None)
        if wait is None or wait > 0:
            self._reader.drop_page()
            await self._sleep(wait)
        elif self.state.handshake_at is None and self.settings.format is EndpointFormat.EVENTS:
            await self._shake_hands()
        elif parked is not None:
            await self._retry_parked(*parked)
        else:
            await self._deliver_next(self._replay or self.state.cursor)

    @property
    def _may_send(self) -> bool:
        return self.settings.active and not self.stopping

    def _seconds_to_wait(self, requested: bool) -> float | None:
        """Return the seconds before the next request; None means until a change."""
        if not self._may_send:
            return None
        seconds = self._not_before - time.monotonic()
        if (at := self.state.next_attempt_at) is not None and not requested:
            seconds = max(seconds, (at - clock.now()).total_seconds())
        return seconds

    def wake(self) -> None:
        """Wake the worker to check for something to do."""
        if not self._woken.done():
            self._woken.set_result(None)

    async def _sleep(self, seconds: float | None = None) -> None:
        """Sleep for some seconds, or until a change since this step began."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds or MAX_SLEEP_SECONDS, MAX_SLEEP_SECONDS)):
                await asyncio.shield(self._woken)

    async def _deliver_next(self, place: Place) -> None:
        """Deliver the next events at a place, or wait for them."""
        await self._tools.throttle.wait()
        last = place.last if isinstance(place, ReplayPlace) else None
        if last is not None and place.position >= last:
            self._end_replay(place)
            return
        limit = self._batch_events
        self._reader.wait()  # before reading, so that no event is missed in between
        try:
            run = self._reader.from_memory(place.position, limit)
            if run is None:
                run = await self._reader.read(place.position, limit)
            if last is not None:
                run = up_to(run, last)
            delivery = plan_delivery(place, run, self._parked)
            if delivery is None and run.until <= place.position:
                if not await self._check_log(place):
                    return
                self._idle = place is self.state.cursor
                await self._sleep()
                return
        finally:
            self._idle = False
            self._reader.stop_waiting()
        if delivery is not None:
            await self._deliver(delivery)
        else:
            self._pass(place, run)

    async def _check_log(self, place: Place) -> bool:
        """Check that the log reaches the endpoint's cursor; if not, record a failure."""
        events = self._tools.events
        if place.position <= events.until or await events.recorder.age(place.position):
            return True  # the event exists, durable or not yet
        head = await events.recorder.head()
        self._fail(
            unmade(
                f"the log ends at {head}, and this endpoint has had events up to {place.position}:"
                " the log was set back"
            ),
            [],
        )
        return False

    def _pass(self, place: Place, run: SelectedRun) -> None:
        """Advance over events that are not sent: parked and unselected ones."""
        for event in run.events:
            self._parked.note_passed({event.position: place.previous})
            place.previous = event.position
        place.position = max(place.position, run.until)
        self._mark_changed(place)

    def note_idle(self) -> None:
        """Advance over unselected events while the endpoint waits for something else."""
        if not self._idle:
            return
        cursor = self.state.cursor
        run = self._reader.from_memory(cursor.position, 1)
        if run and not run.events and run.until > cursor.position:
            cursor.position = run.until
            self._mark_changed(cursor)

    async def _deliver(self, delivery: Delivery) -> None:
        message = await self._message(delivery)
        if isinstance(message, Answer):
            self._fail(message, delivery.events)
            return
        answer = await self._send(message)
        if answer is None:
            return
        if answer.delivered:
            self._accept(delivery, message, answer)
        else:
            self._fail(answer, delivery.events, message)

    async def _message(self, delivery: Delivery) -> Message | Answer:
        """Return the message of a delivery, or a failed result if it cannot be built."""
        try:
            return await self._tools.messages.message(self.settings, delivery.events)
        except TrackerError as error:
            return unmade(error.message)

    async def _send(self, message: Message) -> Answer | None:
        """Send a message; return None if it must not be sent any more."""
        async with self._tools.limit.request(len(message.body)):
            if not self._tools.lease.held or not self._may_send:
                return None
            self._count_request()
            self.sending = True
            try:
                return await self._tools.sender.send(self.settings.url, message, self.settings.keys)
            finally:
                self.sending = False

    def _count_request(self) -> None:
        if a_minute := self.state.requests_a_minute:
            self._not_before = time.monotonic() + 60 / a_minute

    async def _shake_hands(self) -> None:
        """Ask the receiver before the first delivery whether it accepts deliveries."""
        await self._tools.throttle.wait()
        async with self._tools.limit.request(0):
            if not self._tools.lease.held or not self._may_send:
                return
            self.sending = True
            try:
                answer = await self._tools.sender.handshake(self.settings.url)
            finally:
                self.sending = False
        if isinstance(answer, Answer):
            self._fail(answer, [])
        elif answer.supported and not answer.allowed:
            self._fail(unmade("the receiver does not allow deliveries from this origin"), [])
        else:
            self.state.handshake_at = clock.now()
            self.state.requests_a_minute = answer.requests_per_minute
            self._tools.progress.changed(self.state)

    def _accept(self, delivery: Delivery, message: Message, answer: Answer) -> None:
        place, mine = delivery.place, self.state
        assert place is not None
        self._note_attempt(message, len(delivery.events), mine.failures + 1, answer)
        place.position, place.previous = delivery.until, delivery.previous
        self._parked.note_passed(delivery.passed)
        mine.last_accepted_at = clock.now()
        mine.failures, mine.failing_since, mine.next_attempt_at = 0, None, None
        mine.last_error, mine.last_status = None, answer.status
        self._batch_events = min(2 * self._batch_events, self.settings.max_batch_events)
        self._mark_changed(place)

    def _fail(
        self,
        answer: Answer,
        events: Sequence[tuple[RecordedEvent, int]],
        message: Message | None = None,
    ) -> None:
        """Record a failure and the time of the retry; disable the endpoint if its receiver is gone."""
        mine, now = self.state, clock.now()
        mine.failures += 1
        mine.failing_since = mine.failing_since or now
        mine.last_error, mine.last_status = storable(answer.error), answer.status
        mine.next_attempt_at = self._tools.schedule.next_try(
            mine.failures, now, random.random(), answer.retry_after_seconds
        )
        self._batch_events = max(1, self._batch_events // 2)
        self._note_attempt(
            message or not_sent(self.state.cursor.position, events),
            len(events),
            mine.failures,
            answer,
        )
        if answer.retired:
            self._tools.progress.unwritten.disabled.add(mine.endpoint)
            mine.next_attempt_at = None
            self.settings = self.settings.disabled
        self._tools.progress.changed(mine)

    def _note_attempt(self, message: Message, events: int, attempt: int, answer: Answer) -> None:
        outcome = "accepted" if answer.delivered else "failed"
        self._tools.observe(outcome, events, answer.duration_seconds)
        made = Attempt(
            clock.now(),
            message.id,
            message.first_position,
            message.last_position,
            events,
            attempt,
            answer.duration_seconds,
            answer.status,
            storable(answer.error),
            storable(answer.excerpt[:MAX_RESPONSE_CHARACTERS]) or None,
        )
        self._tools.progress.unwritten.attempts.append((self.state.endpoint, made))

    def _mark_changed(self, place: Place) -> None:
        if isinstance(place, ReplayPlace):
            self._tools.progress.unwritten.replays[place.id] = place
        self._tools.progress.changed(self.state)

    def _end_replay(self, place: Place) -> None:
        assert isinstance(place, ReplayPlace)
        self._tools.progress.unwritten.ended_replays.add(place.id)
        if self._replay is place:
            self._replay = None
        self._tools.progress.changed(self.state)

    async def _retry_parked(self, position: int, previous: int) -> None:
        """Retry a parked event, independently of the cursor."""
        await self._tools.throttle.wait()
        by_position = await self._tools.events.recorder.lookup.by_position([position])
        events = [(by_position[position], previous)]
        delivery = Delivery(None, events, position, position, {})
        message = await self._message(delivery)
        answer = message if isinstance(message, Answer) else await self._send(message)
        if answer is None:
            return
        sent = (
            message
            if isinstance(message, Message)
            else not_sent(self.state.cursor.position, events)
        )
        self._note_attempt(sent, 1, 1, answer)
        if answer.delivered:
            self._parked.end(position)
        else:
            self._parked.note_failure(position, storable(answer.error) or "")
