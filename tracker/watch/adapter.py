"""The interface of adapters: each polls the lists of one publisher. Pure.

An adapter requests addresses and reports findings in the responses; it does no I/O itself. A poll is a
generator. It yields a `Request` and is sent the `Response`, yields `Finding`s, and returns the cursor from
which the next poll continues. The watcher fetches, so every fetch is limited, stored and recorded.

A failed request is raised in the generator as `FetchFailed`. An adapter that can continue without one of many
documents catches it and reports a lead. Otherwise it lets the error end the poll.
"""

import codecs
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from msgspec import Struct

from tracker.errors import TrackerError
from tracker.review.finding import Finding
from tracker.snapshots.digest import MAX_SNAPSHOT_BYTES

Cursor: TypeAlias = Mapping[str, Any]
"""Progress of an adapter, in its own format: plain JSON. Empty before the first poll."""


NO_CHARSETS = frozenset(
    ("charmap", "idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7")
)
"""Codecs of Python that no publisher uses: some of them decode any bytes as text."""


class Request(Struct, frozen=True):
    """An address to fetch. With `body` it is a POST, of `content_type`."""

    url: str
    accept: str = "*/*"
    body: bytes | None = None
    content_type: str | None = None
    max_bytes: int = MAX_SNAPSHOT_BYTES


@dataclass(frozen=True, slots=True)
class Response:
    """The response of an address; `unchanged` if its content equals that of the last poll.

    `url` is the address after redirects. `media_type` is without parameters, `charset` as declared in the
    header. `sha256` (hexadecimal digits) is the hash of `content`.
    """

    request: Request
    url: str
    status: int
    fetched_at: datetime
    sha256: str
    content: bytes
    media_type: str | None = None
    charset: str | None = None
    unchanged: bool = False

    def text(self, default: str = "utf-8") -> str:
        """Decode the content by its byte order mark, its declared charset, or else `default`.

        Raises NotUnderstood (`ENCODING`) if the content is not in the declared encoding; no encoding is
        guessed.
        """
        return decode_text(self.content, self.charset, default)


def decode_text(content: bytes, charset: str | None, default: str = "utf-8") -> str:
    """Decode bytes by their byte order mark, a declared charset, or else a default.

    Raises NotUnderstood (`ENCODING`).
    """
    if content.startswith(codecs.BOM_UTF8):
        charset = "utf-8-sig"
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        charset = "utf-16"
    name = charset or default
    try:
        if codecs.lookup(name).name in NO_CHARSETS:
            raise LookupError(f"unknown encoding: {name}")
        return content.decode(name)
    except (LookupError, ValueError) as error:
        raise NotUnderstood(f"expected text in {name}: {error}", code="ENCODING") from None


class FetchFailed(TrackerError):
    """A failed fetch. `status` is None if there was no response."""

    code = "UNREACHABLE"

    def __init__(self, message: str, *, code: str, url: str, status: int | None = None):
        super().__init__(message, code=code)
        self.url = url
        self.status = status


class NotUnderstood(TrackerError):
    """An unexpected response, for example after a change of layout: the poll fails."""

    code = "LAYOUT_CHANGED"


class PollResult(Struct, frozen=True):
    """Result of a poll: the next cursor, the day up to which it is complete, and warnings.

    The day is None if it cannot be determined.
    """

    cursor: Cursor
    covers_until: date | None = None
    warnings: tuple[str, ...] = ()


PollSteps: TypeAlias = Generator[Request | Finding, Response | None, PollResult]
"""A poll: a `Request` is answered with its `Response`, a `Finding` with None."""


class SourceSettings(Struct, frozen=True, kw_only=True):
    """A watched source, as its file defines it. `options` are those of its adapter."""

    key: str
    adapter: str
    name: str
    publisher: str
    address: str
    issuers: tuple[str, ...] = ()
    every_hours: float = 24.0
    pause_seconds: float = 1.0
    covers: str | None = None
    options: Any = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A publisher's kind of list. `Options` is a msgspec Struct with the settings that a source may have
    for it."""

    name: str
    title: str
    Options: type[Struct]
    poll: Callable[[SourceSettings, Cursor, date], PollSteps]
    """Poll a source from a cursor, on a day (UTC)."""
