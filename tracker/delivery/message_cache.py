"""Cache of messages that are sent unchanged to many endpoints."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from tracker.delivery.message import Message

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
