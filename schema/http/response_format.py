"""The formats of responses to GraphQL, chosen by the Accept header.

A complete response is JSON. Streams are sent as they are produced, in a protocol that the first type of the
header chooses:

- `text/event-stream`: GraphQL over Server-Sent Events in its "distinct connections mode"
(github.com/enisdenjo/graphql-sse, PROTOCOL.md);

- `multipart/mixed;subscriptionSpec=1.0`: Apollo's multipart protocol for subscriptions;

- `multipart/mixed;incrementalSpec=v0.2`: the parts of `@defer` in the format of graphql-core
(https://specs.apollo.dev/incremental/v0.2/).
"""

from typing import Protocol

import orjson
from msgspec import Struct

from projections.lru_cache import lru_cache_short_keys
from schema.base.errors import plain_error
from schema.http.messages import MAX_CACHED_CHARACTERS, MAX_CACHED_HEADERS, accepted_words
from schema.http.shared_subscriptions import EncodedAnswer

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
"""The media type of GraphQL; clients that do not accept it get JSON."""
SSE = "text/event-stream"
MULTIPART = "multipart/mixed"
SUBSCRIPTION_SPEC = "subscriptionspec=1.0"
DEFER_SPEC = "incrementalspec=v0.2"
DEFER_MEDIA_TYPE = f'{MULTIPART};boundary="graphql";incrementalSpec=v0.2'
BOUNDARY = b"\r\n--graphql"
PART_HEAD = b"\r\nContent-Type: application/json\r\n\r\n"
PARTS_END = b"--\r\n"


class StreamFormat(Protocol):
    """The format of the responses of a stream."""

    media_type: str
    begin: bytes
    """Bytes sent at once, so that the client knows that it is connected."""
    silence: bytes
    """Heartbeat after a period of silence."""
    complete: bytes
    """Bytes sent at the end of the operation."""
    broken: bytes
    """Bytes sent when the server interrupts an operation: the client should reconnect."""

    def next(self, answer: EncodedAnswer) -> bytes:
        """Return a response, with the resume token after it, if there is one."""


class ServerSentEvents:
    """Events `next` and `complete`. An interrupted stream ends without `complete`."""

    media_type = SSE
    begin = silence = b":\n\n"
    complete = b"event: complete\ndata:\n\n"  # browsers ignore an event without data
    broken = b""

    def next(self, answer: EncodedAnswer) -> bytes:
        """Return an event, with its resume token as the id that browsers send on reconnection."""
        token = answer.resume_token
        id = b"" if token is None else b"id: %s\n" % str(token).encode()
        return b"%sevent: next\ndata: %s\n\n" % (id, answer.json)


class Multipart:
    """A part for each response. The boundary after a part is sent with it, because clients wait for it."""

    media_type = f'{MULTIPART};boundary="graphql";subscriptionSpec=1.0'

    def next(self, answer: EncodedAnswer) -> bytes:
        """Return a part with a response."""
        return self._part(b'{"payload":%s}' % answer.json)

    @staticmethod
    def _part(content: bytes) -> bytes:
        return b"%s%s%s" % (PART_HEAD, content, BOUNDARY)

    silence = _part(b"{}")
    begin = BOUNDARY + silence
    complete = PARTS_END
    broken = (
        _part(
            orjson.dumps(
                {
                    "payload": None,
                    **plain_error("UNAVAILABLE", "The server ends this subscription; come back"),
                }
            )
        )
        + complete
    )


STREAM_FORMATS: dict[str, StreamFormat] = {SSE: ServerSentEvents(), MULTIPART: Multipart()}


def negotiate_format(accept: str) -> StreamFormat | None:
    """Return the stream format of an Accept header; None for a complete response.

    The first type decides. Many clients list stream types after JSON, and cannot read a stream as the
    response to a query.
    """
    name, options = _first_type(accept)
    if name == MULTIPART and SUBSCRIPTION_SPEC not in options:
        return None
    return STREAM_FORMATS.get(name)


def takes_parts(accept: str) -> bool:
    """Return whether a client accepts the parts of `@defer`."""
    name, options = _first_type(accept)
    return name == MULTIPART and DEFER_SPEC in options


def _first_type(accept: str) -> tuple[str, list[str]]:
    """Return the first media type of an Accept header, and its parameters."""
    first = accept.partition(",")[0].lower().replace(" ", "").replace('"', "")
    name, *options = first.split(";")
    return name.strip(), options


def wants_page(method: str, accept: str) -> bool:
    """Return whether a browser requests the page: HTML is its first type."""
    return method != "POST" and accept.startswith("text/html")


class ResponseFormat(Struct, frozen=True):
    """The response format of a client."""

    stream: StreamFormat | None
    """Format of each response of a stream; None for a complete response."""
    in_parts: bool
    """Whether the client accepts the parts of `@defer`."""
    media_type: str
    """Media type of a complete response."""

    @property
    def knows_graphql(self) -> bool:
        """Return whether it knows the media type of GraphQL, with its meaning of statuses."""
        return self.media_type == GRAPHQL_JSON


def read_response_format(accept: str) -> ResponseFormat:
    """Return the format of an Accept header."""
    media_type = GRAPHQL_JSON if GRAPHQL_JSON in accepted_words(accept) else JSON
    return ResponseFormat(negotiate_format(accept), takes_parts(accept), media_type)


response_format = lru_cache_short_keys(
    read_response_format, MAX_CACHED_HEADERS, MAX_CACHED_CHARACTERS
)
"""Return the format of an Accept header, from a cache."""
