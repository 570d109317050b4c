"""What a publisher has at its addresses, without a network. `server.py` plays it on a real socket.

class Gazette(Publisher):
    def page(self, asked: Asked) -> Page:
        if asked.path == "/list.xml":
            return Page(b"<feed/>", "application/atom+xml")
        return MISSING

gazette = Gazette()
gazette.fail("/list.xml", Status(429, retry_after="1"), times=2)
async with playing(gazette) as server:      # on http://127.0.0.1:PORT
    ...
assert gazette.count("/list.xml") == 3
drive(adapter, settings, driven_by(gazette))  # or with no network at all
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from tracker.errors import TrackerError
from tracker.watch.adapter import FetchFailed, Request, Response


@dataclass(frozen=True)
class Asked:
    """A request as it came. `target` is its path with its query, `headers` by their names in small
    letters, `base` is the address of the server, such as http://127.0.0.1:4711."""

    target: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = "https://publisher.test"
    at: float = 0.0
    """When it came, in seconds of the clock `time.monotonic`."""

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """The parameters of the query, each with all its values."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def parameter(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        return self.query.get(name, [default])[0]

    @property
    def form(self) -> dict[str, list[str]]:
        """The fields of a form that was sent."""
        return parse_qs(self.body.decode(), keep_blank_values=True)


@dataclass(frozen=True)
class Page:
    """What is at an address. It gets an ETag of its content, unless `etag` says another or is empty;
    `charset` is what is declared, which need not be true."""

    content: bytes = b""
    media_type: str | None = "text/html"
    charset: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: datetime | None = None
    content_length: int | None = None
    """What is declared, where that is not the length."""
    wait_seconds: float = 0.0
    """How long it is waited before the answer."""
    drip_seconds: float = 0.0
    """How long it is waited after each 1,000 bytes."""
    raw: bytes | None = None
    """What is sent in place of all that, before the connection is closed."""

    @property
    def tag(self) -> str:
        """Its ETag; empty for none."""
        if self.etag is not None or self.status != 200:
            return self.etag or ""
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


MISSING = Page(b"<h1>Not found</h1>", status=404)

Fault: TypeAlias = Callable[[Asked, Page], Page]
"""What becomes of a page on its way."""


@dataclass(frozen=True)
class Status:
    """A status instead of the page, with a `Retry-After` where one is given."""

    status: int
    retry_after: str | None = None
    content: bytes = b"an error"

    def __call__(self, asked: Asked, page: Page) -> Page:
        """The answer."""
        headers = {} if self.retry_after is None else {"retry-after": self.retry_after}
        return Page(self.content, "text/plain", status=self.status, headers=headers)


@dataclass(frozen=True)
class Moved:
    """The page is elsewhere: an address, or a path of the same server. To itself: a circle."""

    to: str
    status: int = 301

    def __call__(self, asked: Asked, page: Page) -> Page:
        """The answer."""
        return Page(b"moved", status=self.status, headers={"location": self.to})


def unreachable(asked: Asked, page: Page) -> Page:
    """The connection is closed without an answer."""
    return Page(raw=b"")


def no_http(asked: Asked, page: Page) -> Page:
    """Something answers that is no server of the web."""
    return Page(raw=b"SSH-2.0-OpenSSH_9.2\r\n")


def no_status(asked: Asked, page: Page) -> Page:
    """A status that HTTP does not have, with which some refuse programs."""
    return Page(raw=b"HTTP/1.1 999 Request denied\r\ncontent-length: 2\r\n\r\nno")


def cut_off(asked: Asked, page: Page) -> Page:
    """Half of the page comes, though its length is declared."""
    half = page.content[: len(page.content) // 2]
    return replace(page, content=half, content_length=len(page.content), etag=page.tag)


def truncated(asked: Asked, page: Page) -> Page:
    """Half of the page comes, and nothing says so."""
    return replace(page, content=page.content[: len(page.content) // 2])


@dataclass(frozen=True)
class Slow:
    """The answer takes its time: before it begins, or while it comes."""

    wait_seconds: float = 0.0
    drip_seconds: float = 0.0

    def __call__(self, asked: Asked, page: Page) -> Page:
        """The answer."""
        return replace(page, wait_seconds=self.wait_seconds, drip_seconds=self.drip_seconds)


@dataclass(frozen=True)
class Huge:
    """More bytes than anybody wants, and no length that would say so before."""

    size: int

    def __call__(self, asked: Asked, page: Page) -> Page:
        """The answer."""
        return replace(page, content=b"x" * self.size, content_length=-1)


@dataclass(frozen=True)
class Declared:
    """Another charset or media type is declared than that of the bytes."""

    charset: str | None = None
    media_type: str | None = None

    def __call__(self, asked: Asked, page: Page) -> Page:
        """The answer."""
        return replace(
            page,
            charset=self.charset or page.charset,
            media_type=self.media_type or page.media_type,
        )


@dataclass
class _Planned:
    pattern: str
    fault: Fault
    times: int | None


class Publisher:
    """What a publisher has at its addresses: override `page`, or set `pages` by path or target.

    `robots` is its robots.txt; None is one that does not exist. What came is in `requests`.
    """

    def __init__(self, pages: Mapping[str, Page] | None = None, robots: str | None = None):
        self.pages: dict[str, Page] = dict(pages or {})
        self.robots = robots
        self.requests: list[Asked] = []
        self.unchanged = 0
        """How often it said that a page is as it was (304)."""
        self._planned: list[_Planned] = []

    def page(self, asked: Asked) -> Page:
        """What is at an address."""
        return self.pages.get(asked.target) or self.pages.get(asked.path) or MISSING

    def fail(self, pattern: str, fault: Fault, times: int | None = None) -> None:
        """Have what is at addresses like `/path*` fail, from now on or that many times."""
        self._planned.append(_Planned(pattern, fault, times))

    def mend(self) -> None:
        """Nothing fails any more."""
        self._planned.clear()

    def count(self, pattern: str = "*") -> int:
        """How many requests came for addresses like `/path*`, without those for robots.txt."""
        return sum(
            fnmatch.fnmatchcase(asked.target, pattern)
            for asked in self.requests
            if asked.path != "/robots.txt"
        )

    def answer(self, asked: Asked) -> Page:
        """What is answered: the page with its faults, or that it is as it was."""
        self.requests.append(asked)
        page = self._robots() if asked.path == "/robots.txt" else self.page(asked)
        for planned in self._planned:
            if planned.times != 0 and fnmatch.fnmatchcase(asked.target, planned.pattern):
                planned.times = None if planned.times is None else planned.times - 1
                page = planned.fault(asked, page)
        if asked.method == "GET" and _is_known(asked, page):
            self.unchanged += 1
            return replace(page, content=b"", status=304, etag=page.tag)
        return page

    def _robots(self) -> Page:
        return MISSING if self.robots is None else Page(self.robots.encode(), "text/plain")


def _is_known(asked: Asked, page: Page) -> bool:
    """Whether the one who asks says that it has this very page."""
    if page.status != 200 or page.raw is not None:
        return False
    if (known := asked.headers.get("if-none-match")) is not None:
        return bool(page.tag) and page.tag in [tag.strip() for tag in known.split(",")]
    since = asked.headers.get("if-modified-since")
    if since is None or page.last_modified is None:
        return False
    return page.last_modified.replace(microsecond=0) <= parsedate_to_datetime(since)


def headers_of(page: Page) -> dict[str, str]:
    """The headers of an answer, but for its length."""
    headers = dict(page.headers)
    if page.media_type and page.status != 304:
        charset = f"; charset={page.charset}" if page.charset else ""
        headers["content-type"] = page.media_type + charset
    if page.tag:
        headers["etag"] = page.tag
    if page.last_modified:
        headers["last-modified"] = format_datetime(page.last_modified, usegmt=True)
    return headers


def as_json(value: Any, **settings: Any) -> Page:
    """A page of JSON."""
    return Page(json.dumps(value, ensure_ascii=False).encode(), "application/json", **settings)


def driven_by(
    publisher: Publisher, at: datetime = datetime(2026, 3, 2, 6, tzinfo=UTC)
) -> Callable[[Request], Response | TrackerError]:
    """A publisher for `tests.watch.adapters.drive`: no network, no repetitions, redirects followed.

    What is another status than 200 is a FetchFailed, as is what is sent raw or cut off.
    """

    def answer(request: Request) -> Response | TrackerError:
        url = request.url
        for _ in range(6):
            parts = urlsplit(url)
            page = publisher.answer(
                Asked(
                    parts.path + (f"?{parts.query}" if parts.query else ""),
                    "GET" if request.body is None else "POST",
                    {"accept": request.accept, "content-type": request.content_type or ""},
                    request.body or b"",
                    f"{parts.scheme}://{parts.netloc}",
                )
            )
            if page.status not in (301, 302, 303, 307, 308):
                return _response(request, url, page, at)
            to = page.headers["location"]
            url = to if "://" in to else f"{parts.scheme}://{parts.netloc}{to}"
        return FetchFailed("more than 5 redirects", code="REDIRECT", url=request.url)

    return answer


def _response(request: Request, url: str, page: Page, at: datetime) -> Response | TrackerError:
    code = None
    if page.raw is not None:
        code = "UNREACHABLE"
    elif page.content_length is not None and page.content_length > len(page.content):
        code = "CUT_OFF"
    elif len(page.content) > request.max_bytes:
        code = "TOO_LARGE"
    elif page.status != 200:
        code = "RATE_LIMITED" if page.status in (429, 503) else "HTTP_STATUS"
    if code:
        status = None if page.raw is not None else page.status
        return FetchFailed(f"it answered {status}", code=code, url=url, status=status)
    return Response(
        request=request,
        url=url,
        status=page.status,
        fetched_at=at,
        sha256=hashlib.sha256(page.content).hexdigest(),
        content=page.content,
        media_type=page.media_type,
        charset=page.charset,
    )
