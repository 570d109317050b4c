"""The interface of adapters: how the lists of one publisher are looked through. Pure.

An adapter asks for addresses and says what it makes of what came; it does no I/O itself. A look is a
generator: it yields a `Request` and is sent the `Response`, yields `Finding`s, and returns the cursor
from which the next look goes on. The watcher fetches: so every fetch is within limits, kept and on
record. A request that failed is raised in the generator, as `FetchFailed`: an adapter that can go on
without one document of many catches it and leaves a lead; one that can't lets it end the look.
"""

from __future__ import annotations

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
"""How far an adapter has come, in its own words: plain JSON. Empty before the first look."""


NO_CHARSETS = frozenset(
    ("charmap", "idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7")
)
"""What Python calls encodings of text and no publisher writes in: some make text of any bytes."""


@dataclass(frozen=True, slots=True)
class Request:
    """An address to fetch. With `body` it is a POST, of `content_type`."""

    url: str
    accept: str = "*/*"
    body: bytes | None = None
    content_type: str | None = None
    max_bytes: int = MAX_SNAPSHOT_BYTES


@dataclass(frozen=True, slots=True)
class Response:
    """What came from an address; also where it is the same as last time, then `unchanged`.

    `url` is where it came from in the end, `media_type` without parameters and `charset` as the
    publisher declared them in the header; `sha256` (hexadecimal digits) is that of `content`.
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
        """The content as text, by a byte order mark, the declared charset, or else `default`.

        Raises NotUnderstood (`ENCODING`) where it is not what is declared: nothing is guessed.
        """
        return decode_text(self.content, self.charset, default)


def decode_text(content: bytes, charset: str | None, default: str = "utf-8") -> str:
    """Bytes as text, by a byte order mark, a declared charset, or else a default.

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
    """An address could not be fetched. `status` is None where there was no answer."""

    code = "UNREACHABLE"

    def __init__(self, message: str, *, code: str, url: str, status: int | None = None):
        super().__init__(message, code=code)
        self.url = url
        self.status = status


class NotUnderstood(TrackerError):
    """What came is not what the adapter knows, as after a change of layout: the look fails."""

    code = "LAYOUT_CHANGED"


@dataclass(frozen=True, slots=True)
class LookResult:
    """How a look ended: the next cursor, up to which day everything announced was seen (None where
    that can't be said), and what was odd without being a failure."""

    cursor: Cursor
    covers_until: date | None = None
    warnings: tuple[str, ...] = ()


Look: TypeAlias = Generator[Request | Finding, Response | None, LookResult]
"""A look: a `Request` is answered by its `Response`, a `Finding` by None."""


class SourceSettings(Struct, frozen=True, kw_only=True):
    """A source that is watched, as its file says it. `options` are those of its adapter."""

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
    """A publisher's kind of list. `Options` is what a source may set for it: a msgspec Struct."""

    name: str
    title: str
    Options: type[Struct]
    look: Callable[[SourceSettings, Cursor, date], Look]
    """Look through a source from a cursor on, on a day (UTC)."""
