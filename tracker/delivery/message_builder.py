"""Messages of deliveries in the format of their endpoint."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

from tracker.delivery.chat import chat_line, chat_message
from tracker.delivery.endpoint import EndpointFormat
from tracker.delivery.endpoint_settings import EndpointSettings
from tracker.delivery.message import Message, batch_message, event_message
from tracker.delivery.waiting_proofs import WaitingProofs
from tracker.log.entries import RecordedEvent
from tracker.log.event_lookup import EventLookup
from tracker.log.event_sentence import looked_up_sentence

MAX_BYTES = 16 * 1024 * 1024


class MessageCache:
    """The latest messages, by their events and the previous positions."""

    def __init__(self, max_bytes: int = MAX_BYTES):
        self._max_bytes = max_bytes
        self._bytes = 0
        self._messages: OrderedDict[Hashable, Message] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Message]) -> Message:
        """Return the message of some events, and build it on a cache miss."""
        message = self._messages.get(key)
        if message is not None:
            self._messages.move_to_end(key)
            return message
        message = self._messages[key] = make()
        self._bytes += len(message.body)
        while self._bytes > self._max_bytes:
            self._bytes -= len(self._messages.popitem(last=False)[1].body)
        return message


class MessageBuilder:
    """Builds messages for all endpoints. `site` is the scheme and host of links in chats."""

    def __init__(self, lookup: EventLookup, proofs: WaitingProofs, site: str):
        self._lookup = lookup
        self._proofs = proofs
        self._site = site
        self._cache = MessageCache()

    async def message(
        self, settings: EndpointSettings, events: Sequence[tuple[RecordedEvent, int]]
    ) -> Message:
        """Return the message of some events, each with the previous position.

        Raises NotProven if a proof is missing, and database errors.
        """
        if settings.format is not EndpointFormat.EVENTS:
            return await self._chat_message(settings.format, [event for event, _ in events])
        batches = settings.max_batch_events > 1
        if settings.with_proof:
            proofs = await self._proofs.prove([event.position for event, _ in events])
            if batches:
                return batch_message(events, proofs)
            [(event, previous)] = events
            return event_message(event, previous, proofs[event.position])
        if batches:
            return self._cache.get(
                tuple((event.position, previous) for event, previous in events),
                lambda: batch_message(events),
            )
        [(event, previous)] = events
        return self._cache.get((event.position, previous), lambda: event_message(event, previous))

    async def _chat_message(self, format: EndpointFormat, events: list[RecordedEvent]) -> Message:
        sentences = await asyncio.gather(
            *(looked_up_sentence(event, self._lookup) for event in events)
        )
        lines = [
            chat_line(event, sentence, self._site)
            for event, sentence in zip(events, sentences, strict=True)
        ]
        return chat_message(format, events, lines)
