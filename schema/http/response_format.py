"""The formats of responses to GraphQL, chosen by the Accept header.

An answer in one piece is JSON. Others come as they are made, by protocols that the first type of the
header chooses:

- `text/event-stream`: GraphQL over Server-Sent Events in its "distinct connections mode"
  (github.com/enisdenjo/graphql-sse, PROTOCOL.md);
- `multipart/mixed;subscriptionSpec=1.0`: Apollo's multipart protocol for subscriptions;
- `multipart/mixed;incrementalSpec=v0.2`: the parts of `@defer` as graphql-core makes them
  (https://specs.apollo.dev/incremental/v0.2/).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import orjson

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
    """How answers are written."""

    media_type: str
    begin: bytes
    """Sent at once, so that the client knows that it is connected."""
    silence: bytes
    """Sent when nothing has come for a while."""
    complete: bytes
    """Sent when the operation has said all."""
    broken: bytes
    """Sent when the server ends an operation that would have gone on: come back."""

    def next(self, answer: EncodedAnswer) -> bytes:
        """An answer, with the resume token from which a client goes on after it, where it has one."""


class ServerSentEvents:
    """Events `next` and `complete`. A stream that is broken off ends without `complete`."""

    media_type = SSE
    begin = silence = b":\n\n"
    complete = b"event: complete\ndata:\n\n"  # browsers drop an event without data
    broken = b""

    def next(self, answer: EncodedAnswer) -> bytes:
        """An event, with its resume token as the id that browsers come back with."""
        token = answer.resume_token
        id = b"" if token is None else b"id: %s\n" % str(token).encode()
        return b"%sevent: next\ndata: %s\n\n" % (id, answer.json)


class Multipart:
    """A part for each answer. What follows a part is sent with it: clients wait for that."""

    media_type = f'{MULTIPART};boundary="graphql";subscriptionSpec=1.0'

    def next(self, answer: EncodedAnswer) -> bytes:
        """A part with an answer in it."""
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
    """Return the format of a stream that an Accept header asks for; None for an answer in one piece.

    The first type decides: many clients name these two somewhere behind JSON, and can't read them
    as an answer to a query.
    """
    name, options = _first_type(accept)
    if name == MULTIPART and SUBSCRIPTION_SPEC not in options:
        return None
    return STREAM_FORMATS.get(name)


def takes_parts(accept: str) -> bool:
    """Whether a client asks for the parts of `@defer`."""
    name, options = _first_type(accept)
    return name == MULTIPART and DEFER_SPEC in options


def _first_type(accept: str) -> tuple[str, list[str]]:
    """Return the first media type of an Accept header, and its parameters."""
    first = accept.partition(",")[0].lower().replace(" ", "").replace('"', "")
    name, *options = first.split(";")
    return name.strip(), options


def wants_page(method: str, accept: str) -> bool:
    """Whether a browser asks for the page: HTML is the first type that it would take."""
    return method != "POST" and accept.startswith("text/html")


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The format that a client asks for."""

    stream: StreamFormat | None
    """The format of each answer of a stream; None for an answer in one piece."""
    in_parts: bool
    """Whether the client takes the parts of `@defer`."""
    media_type: str
    """The type of an answer in one piece."""

    @property
    def knows_graphql(self) -> bool:
        """Whether it knows the media type of GraphQL, and what statuses mean there."""
        return self.media_type == GRAPHQL_JSON


def read_response_format(accept: str) -> ResponseFormat:
    """Return the format that an Accept header asks for."""
    media_type = GRAPHQL_JSON if GRAPHQL_JSON in accepted_words(accept) else JSON
    return ResponseFormat(negotiate_format(accept), takes_parts(accept), media_type)


response_format = lru_cache_short_keys(
    read_response_format, MAX_CACHED_HEADERS, MAX_CACHED_CHARACTERS
)
"""The same, from memory for headers that came before."""
