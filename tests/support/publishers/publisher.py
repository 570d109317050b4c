"""A simulated publisher without a network. `server.py` serves it on a real socket.

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
    """A request. `target` is its path with the query, `headers` are by lowercase name, `base` is the
    server's address, such as http://127.0.0.1:4711."""

    target: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    base: str = "https://publisher.test"
    at: float = 0.0
    """Arrival time by `time.monotonic`."""

    @property
    def path(self) -> str:
        """Return the path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        """Return the parameters of the query, each with all its values."""
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def parameter(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter."""
        return self.query.get(name, [default])[0]

    @property
    def form(self) -> dict[str, list[str]]:
        """Return the fields of a submitted form."""
        return parse_qs(self.body.decode(), keep_blank_values=True)


@dataclass(frozen=True)
class Page:
    """A page at an address.

    It gets an ETag of its content, unless `etag` is set or empty. `charset` is the declared one, which
    need not be true.
    """

    content: bytes = b""
    media_type: str | None = "text/html"
    charset: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: datetime | None = None
    content_length: int | None = None
    """Declared length, if it is wrong."""
    wait_seconds: float = 0.0
    """Delay before the response in seconds."""
    drip_seconds: float = 0.0
    """Delay after each 1,000 bytes in seconds."""
    raw: bytes | None = None
    """Raw bytes sent instead, before the connection is closed."""

    @property
    def tag(self) -> str:
        """Return its ETag, or an empty text."""
        if self.etag is not None or self.status != 200:
            return self.etag or ""
        return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'


MISSING = Page(b"<h1>Not found</h1>", status=404)

Fault: TypeAlias = Callable[[Asked, Page], Page]
"""A change of a page in transit."""


@dataclass(frozen=True)
class Status:
    """A status instead of the page, optionally with `Retry-After`."""

    status: int
    retry_after: str | None = None
    content: bytes = b"an error"

    def __call__(self, asked: Asked, page: Page) -> Page:
        """Return the response."""
        headers = {} if self.retry_after is None else {"retry-after": self.retry_after}
        return Page(self.content, "text/plain", status=self.status, headers=headers)


@dataclass(frozen=True)
class Moved:
    """A redirect to an address or a path of the server; to itself it is a loop."""

    to: str
    status: int = 301

    def __call__(self, asked: Asked, page: Page) -> Page:
        """Return the response."""
        return Page(b"moved", status=self.status, headers={"location": self.to})


def unreachable(asked: Asked, page: Page) -> Page:
    """Close the connection without a response."""
    return Page(raw=b"")


def no_http(asked: Asked, page: Page) -> Page:
    """Respond with another protocol than HTTP."""
    return Page(raw=b"SSH-2.0-OpenSSH_9.2\r\n")


def no_status(asked: Asked, page: Page) -> Page:
    """Respond with a status outside HTTP, with which some sites refuse programs."""
    return Page(raw=b"HTTP/1.1 999 Request denied\r\ncontent-length: 2\r\n\r\nno")


def cut_off(asked: Asked, page: Page) -> Page:
    """Send half of the page with the full length declared."""
    half = page.content[: len(page.content) // 2]
    return replace(page, content=half, content_length=len(page.content), etag=page.tag)


def truncated(asked: Asked, page: Page) -> Page:
    """Send half of the page without an error."""
    return replace(page, content=page.content[: len(page.content) // 2])


@dataclass(frozen=True)
class Slow:
    """A slow response: before its start, or during transfer."""

    wait_seconds: float = 0.0
    drip_seconds: float = 0.0

    def __call__(self, asked: Asked, page: Page) -> Page:
        """Return the response."""
        return replace(page, wait_seconds=self.wait_seconds, drip_seconds=self.drip_seconds)


@dataclass(frozen=True)
class Huge:
    """A response of excessive size without a declared length."""

    size: int

    def __call__(self, asked: Asked, page: Page) -> Page:
        """Return the response."""
        return replace(page, content=b"x" * self.size, content_length=-1)


@dataclass(frozen=True)
class Declared:
    """A wrong declared charset or media type."""

    charset: str | None = None
    media_type: str | None = None

    def __call__(self, asked: Asked, page: Page) -> Page:
        """Return the response."""
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
    """A publisher's addresses: override `page`, or set `pages` by path or target.

    `robots` is its robots.txt, or None without one. `requests` has all requests.
    """

    def __init__(self, pages: Mapping[str, Page] | None = None, robots: str | None = None):
        self.pages: dict[str, Page] = dict(pages or {})
        self.robots = robots
        self.requests: list[Asked] = []
        self.unchanged = 0
        """Number of responses with status 304."""
        self._planned: list[_Planned] = []

    def page(self, asked: Asked) -> Page:
        """Return the page at an address."""
        return self.pages.get(asked.target) or self.pages.get(asked.path) or MISSING

    def fail(self, pattern: str, fault: Fault, times: int | None = None) -> None:
        """Add a fault for addresses like `/path*`, permanently or for some requests."""
        self._planned.append(_Planned(pattern, fault, times))

    def mend(self) -> None:
        """Remove all faults."""
        self._planned.clear()

    def count(self, pattern: str = "*") -> int:
        """Return the number of requests for addresses like `/path*`, without those for robots.txt."""
        return sum(
            fnmatch.fnmatchcase(asked.target, pattern)
            for asked in self.requests
            if asked.path != "/robots.txt"
        )

    def answer(self, asked: Asked) -> Page:
        """Return the response: the page with its faults, or status 304."""
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
    """Whether the client has this version of the page."""
    if page.status != 200 or page.raw is not None:
        return False
    if (known := asked.headers.get("if-none-match")) is not None:
        return bool(page.tag) and page.tag in [tag.strip() for tag in known.split(",")]
    since = asked.headers.get("if-modified-since")
    if since is None or page.last_modified is None:
        return False
    return page.last_modified.replace(microsecond=0) <= parsedate_to_datetime(since)


def headers_of(page: Page) -> dict[str, str]:
    """Return the headers of a response, except its length."""
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
    """Return a page of JSON."""
    return Page(json.dumps(value, ensure_ascii=False).encode(), "application/json", **settings)


def driven_by(
    publisher: Publisher, at: datetime = datetime(2026, 3, 2, 6, tzinfo=UTC)
) -> Callable[[Request], Response | TrackerError]:
    """Return a publisher for `tests.watch.adapters.drive`: no network, no retries, with redirects.

    Other statuses than 200 raise FetchFailed, as do raw and truncated responses.
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
