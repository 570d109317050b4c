"""NATS JetStream as a sink: a stream that takes the events of one relay only.

Each message names the sequence that it must follow. So the stream stores nothing out of order, nothing from a
replaced relay and nothing after a gap: any loss is detected at the next message. Needs the extra `nats`.
"""

import asyncio
import json
import logging
import re
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct
from nats.aio.msg import Msg
from nats.js import api
from nats.js.errors import NotFoundError

from tracker.delivery.message import EVENT_MEDIA_TYPE, message_id
from tracker.delivery.relay import sink
from tracker.delivery.relay.nats_address import NatsAddress
from tracker.delivery.relay.nats_connection import ERRORS, NatsConnection
from tracker.errors import InvalidInput
from tracker.log.entries import RecordedEvent

DEFAULT_STREAM = "MINERALS"
DEFAULT_PREFIX = "minerals"
STREAM = re.compile("[A-Za-z0-9_-]{1,64}")
PREFIX = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
MAX_PREFIX_CHARACTERS = 128

STREAM_MAX_BYTES = 1 << 30
"""Size limit of a stream that is created here, about a million events; then the oldest are removed."""
STREAM_MAX_MESSAGE_BYTES = 128 << 10
"""Maximum size of a message there: an entry has up to 64 KiB."""
DUPLICATE_WINDOW_SECONDS = 120
"""Seconds for which such a stream detects duplicate message ids; the default of JetStream."""

DEFAULT_WINDOW_MESSAGES = 512
MAX_WINDOW_MESSAGES = 2048
"""Maximum number of unacknowledged messages."""
MESSAGES_AT_ONCE = 64
"""Messages that are written to the connection at a time."""
WINDOW_BYTES = 8 << 20
"""Maximum bytes of unacknowledged messages."""
ANSWER_TIMEOUT_SECONDS = 5.0
"""Timeout in seconds of a response or an acknowledgement."""
FOREIGN_MESSAGES = 100
"""Number of foreign messages after our last one that are searched for it."""

POSITION, PREVIOUS, RELAY = "Tracker-Position", "Tracker-Previous-Position", "Tracker-Relay"
EXPECTED_SEQUENCE = api.Header.EXPECTED_LAST_SEQUENCE.value
T = TypeVar("T")

logger = logging.getLogger(__name__)


class StreamOptions(Struct, frozen=True):
    """Stream, subjects and relay of a sink; `replicas` applies to a stream that is created here."""

    relay: str
    stream: str = DEFAULT_STREAM
    prefix: str = DEFAULT_PREFIX
    replicas: int = 1
    window_messages: int = DEFAULT_WINDOW_MESSAGES

    def __post_init__(self) -> None:
        if not STREAM.fullmatch(self.stream):
            raise InvalidInput(
                "expected a name of up to 64 letters, digits, '_' and '-'", path=("stream",)
            )
        if not PREFIX.fullmatch(self.prefix) or len(self.prefix) > MAX_PREFIX_CHARACTERS:
            raise InvalidInput(
                "expected tokens of letters, digits, '_' and '-' with dots between them",
                path=("prefix",),
            )
        if not 1 <= self.window_messages <= MAX_WINDOW_MESSAGES:
            raise InvalidInput(f"expected 1 to {MAX_WINDOW_MESSAGES}", path=("window",))

    @property
    def subjects(self) -> str:
        """Return the subjects of all messages, as a stream takes them."""
        return f"{self.prefix}.>"


def subject_of(prefix: str, event_type: str) -> str:
    """Return the subject of an event: `minerals.ExportControl.Suspended`."""
    return f"{prefix}.{event_type}"


def headers_of(
    linked: sink.LinkedEvent, options: StreamOptions, expected_sequence: int
) -> dict[str, str]:
    """Return the headers of a message. Its body is the entry: a CloudEvent in structured mode."""
    event, previous = linked
    return {
        "Content-Type": EVENT_MEDIA_TYPE,
        api.Header.MSG_ID.value: message_id(event.event_id),
        POSITION: str(event.position),
        PREVIOUS: str(previous),
        RELAY: options.relay,
        EXPECTED_SEQUENCE: str(expected_sequence),
    }


class _Message(NamedTuple):
    """A message that was sent; its number is in the subject of the response."""

    event: RecordedEvent
    answer: asyncio.Future[Msg]


class JetStreamSink:
    """A sink that publishes to a JetStream stream."""

    def __init__(self, address: NatsAddress, options: StreamOptions):
        self.name = f"{address.shown} {options.stream} {options.subjects}"
        self._address = address
        self._options = options
        self._connection: NatsConnection | None = None
        self._waiting: dict[int, _Message] = {}
        """Unacknowledged messages in order, by their numbers."""
        self._sent = 0

    async def open(self) -> None:
        """Connect, and create the stream if there is none."""
        self._connection = NatsConnection(self._address, self._give_up)
        await self._connection.open()
        client = self._connection.client
        self._jetstream = client.jetstream(timeout=ANSWER_TIMEOUT_SECONDS)
        self._inbox = client.new_inbox()
        await self._request(client.subscribe(f"{self._inbox}.*", cb=self._give_answer))
        info = await self._info() or await self._make()
        self._check(info.config)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection:
            await self._connection.close()
        self._connection = None

    async def read_content(self) -> sink.SinkContent:
        """Return the present content of the stream."""
        info = await self._info()
        if info is None:
            raise sink.SinkUnavailable(f"{self.name}: the stream does not exist any more")
        state = info.state
        last = await self._last_published(state) if state.messages else None
        return sink.SinkContent(last, state.last_seq, _missing(info))

    async def publish(self, run: Sequence[sink.LinkedEvent], behind: int) -> sink.Acknowledgement:
        """Publish events in order, with many unacknowledged messages at a time."""
        sequence = behind
        size = 0
        try:
            for sent, linked in enumerate(run):
                size += len(linked.event.entry)
                while self._waiting and (
                    len(self._waiting) >= self._options.window_messages or size > WINDOW_BYTES
                ):
                    size -= len(next(iter(self._waiting.values())).event.entry)
                    if not await self._wait_acknowledged(sequence + 1):
                        return sink.Acknowledgement(sequence - behind, sequence)
                    sequence += 1
                await self._send(linked, behind + sent)
                if sent % MESSAGES_AT_ONCE == 0:
                    await asyncio.sleep(0)  # so that these are sent while others are built
            while self._waiting and await self._wait_acknowledged(sequence + 1):
                sequence += 1
            return sink.Acknowledgement(sequence - behind, sequence)
        finally:
            self._forget_waiting()

    async def _send(self, linked: sink.LinkedEvent, expected: int) -> None:
        """Send a message. `publish_async` is not used, because it drops error responses."""
        assert self._connection is not None
        self._sent += 1
        try:
            await self._connection.client.publish(
                subject_of(self._options.prefix, linked.event.type),
                linked.event.entry,
                reply=f"{self._inbox}.{self._sent}",
                headers=headers_of(linked, self._options, expected),
            )
        except ERRORS as error:
            raise self._explain(error) from error
        answer = asyncio.get_running_loop().create_future()
        self._waiting[self._sent] = _Message(linked.event, answer)

    async def _give_answer(self, answer: Msg) -> None:
        """Assign a response to its message."""
        message = self._waiting.get(int(answer.subject.rpartition(".")[2]))
        if message and not message.answer.done():
            message.answer.set_result(answer)

    async def _wait_acknowledged(self, expected: int) -> bool:
        """Wait for the oldest missing acknowledgement.

        Returns whether the message is stored at the expected sequence.
        """
        number, message = next(iter(self._waiting.items()))
        try:
            if not message.answer.done():
                async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                    await message.answer
            answer = message.answer.result()
        except ERRORS as error:
            raise self._explain(error) from error
        if problem := problem_of(answer, self._options.stream, expected):
            logger.warning(
                "%s did not store the event at position %d: %s",
                self.name,
                message.event.position,
                problem,
            )
            return False
        del self._waiting[number]
        return True

    def _give_up(self, error: Exception) -> None:
        """Cancel all waiting acknowledgements of a lost connection."""
        for message in self._waiting.values():
            if not message.answer.done():
                message.answer.set_exception(error)

    def _forget_waiting(self) -> None:
        for message in self._waiting.values():
            if not message.answer.cancel() and not message.answer.cancelled():
                # so that asyncio does not warn of an exception that was never retrieved
                message.answer.exception()
        self._waiting.clear()

    async def _info(self) -> api.StreamInfo | None:
        try:
            return await self._request(self._jetstream.stream_info(self._options.stream))
        except NotFoundError:
            return None

    async def _make(self) -> api.StreamInfo:
        """Create the stream."""
        options = self._options
        logger.warning("%s: created the stream", self.name)
        config = api.StreamConfig(
            name=options.stream,
            description="Events of the critical minerals policy tracker",
            subjects=[options.subjects],
            retention=api.RetentionPolicy.LIMITS,
            discard=api.DiscardPolicy.OLD,
            storage=api.StorageType.FILE,
            max_bytes=STREAM_MAX_BYTES,
            max_msg_size=STREAM_MAX_MESSAGE_BYTES,
            num_replicas=options.replicas,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            deny_delete=True,  # deletion of single messages, which would leave gaps
            allow_direct=True,
        )
        return await self._request(self._jetstream.add_stream(config))

    def _check(self, config: api.StreamConfig) -> None:
        """Check that a stream is configured for one relay; its limits are not checked."""
        expected = self._options.subjects
        if config.subjects != [expected] or config.mirror or config.sources:
            raise sink.SinkRefused(
                f"{self.name}: the stream takes {', '.join(config.subjects or ['no subjects'])}:"
                f" expected {expected} and nothing else, from nowhere else"
            )
        if config.no_ack or config.sealed:
            raise sink.SinkRefused(
                f"{self.name}: expected a stream that takes and acknowledges messages"
            )

    async def _last_published(self, state: api.StreamState) -> sink.LastEvent | None:
        """Return the last message that this relay published. Raises SinkRefused if it belongs to another
        one."""
        least = max(state.first_seq, state.last_seq - FOREIGN_MESSAGES)
        for sequence in range(state.last_seq, least - 1, -1):
            try:
                message = await self._request(
                    self._jetstream.get_msg(self._options.stream, seq=sequence)
                )
            except NotFoundError:
                continue
            if entry := self._read(message):
                return entry
            logger.error("%s: the message %d was not published by the tracker", self.name, sequence)
        return None

    def _read(self, message: api.RawStreamMsg) -> sink.LastEvent | None:
        """Return the event of a message, if it is one."""
        headers = message.headers or {}
        position = headers.get(POSITION, "")
        if not re.fullmatch("[0-9]{1,18}", position):
            return None
        if headers.get(RELAY) != self._options.relay:
            raise sink.SinkRefused(
                f"{self.name} has events of the relay {headers.get(RELAY)}: expected a stream for"
                f" {self._options.relay} alone"
            )
        return sink.LastEvent(int(position), headers.get(api.Header.MSG_ID.value, ""))

    async def _request(self, request: Coroutine[Any, Any, T]) -> T:
        assert self._connection is not None
        return await self._connection.request(request)

    def _explain(self, error: Exception) -> sink.SinkUnavailable | sink.SinkRefused:
        assert self._connection is not None
        return self._connection.explain(error)


def problem_of(answer: Msg, stream: str, expected: int) -> str | None:
    """Return the reason why a message is not stored at the expected sequence; None if it is."""
    if not answer.data:
        return "there is no such stream"
    acknowledgement = json.loads(answer.data)
    if "error" in acknowledgement:
        return str(
            acknowledgement["error"].get("description")
        )  # for example if it expects another last sequence
    if acknowledgement.get("stream") != stream:
        return f"the stream {acknowledgement.get('stream')} has taken it"
    if acknowledgement.get("duplicate") or acknowledgement.get("seq") != expected:
        return f"its id is known, of sequence {acknowledgement.get('seq')}"
    return None


def _missing(info: api.StreamInfo) -> int:
    """Return the number of missing messages between the first and the last.

    Only a loss or a deletion by a person causes them.
    """
    state, config = info.state, info.config
    if config.retention != api.RetentionPolicy.LIMITS or config.max_msgs_per_subject > 0:
        return 0
    return state.last_seq - state.first_seq + 1 - state.messages if state.messages else 0
