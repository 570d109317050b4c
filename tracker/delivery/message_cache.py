"""Messages that many endpoints are sent alike, made once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from tracker.delivery.message import Message

MAX_BYTES = 16 * 1024 * 1024


class MessageCache:
    """The last messages, by their events and the positions before them."""

    def __init__(self, max_bytes: int = MAX_BYTES):
        self._max_bytes = max_bytes
        self._bytes = 0
        self._messages: OrderedDict[Hashable, Message] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Message]) -> Message:
        """The message of some events, made if it is not here."""
        message = self._messages.get(key)
        if message is not None:
            self._messages.move_to_end(key)
            return message
        message = self._messages[key] = make()
        self._bytes += len(message.body)
        while self._bytes > self._max_bytes:
            self._bytes -= len(self._messages.popitem(last=False)[1].body)
        return message
