"""A poll: reads a source once, with these steps:

1. Each request is made while the lease is held, within the rate limit of its host.
2. Its bytes are stored by their SHA-256, so storing them again changes nothing.
3. The fetch is recorded as Fetched, Unchanged or Failed, under an id that counts once.
4. The address is remembered with its content, so that the next request can be conditional.
5. Findings are proposed after the snapshots that they were read from are recorded.
6. The poll is recorded as Looked.
7. If everything was read, the cursor advances, in one UPDATE with the number of the poll.

After a crash before the last step, the poll is repeated from the same cursor. Most responses are then
unchanged, but an adapter sees `unchanged` only for content of a complete poll.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from tracker import clock
from tracker.domain.basics.vocabulary import FetchFailure
from tracker.errors import InvalidInput, TrackerError
from tracker.review.finding import Finding
from tracker.snapshots.store import SnapshotStore
from tracker.watch.adapter import (
    Adapter,
    Cursor,
    FetchFailed,
    NotUnderstood,
    PollResult,
    PollSteps,
    Request,
    Response,
    SourceSettings,
)
from tracker.watch.html_process import HTML_PROCESS
from tracker.watch.journal import PollJournal, PollReport, shorten
from tracker.watch.store import KnownAddress, SourceRow, WatchStore, address_of
from tracker.web.failures import FetchError
from tracker.web.fetcher import Fetcher
from tracker.web.networks import MAX_URL_CHARACTERS
from tracker.web.request import WebRequest
from tracker.web.response import WebResponse

MAX_REQUESTS = 1_000
"""Maximum number of requests of one poll: more indicate a fault of the adapter."""
MAX_BYTES = 500_000_000
"""Maximum bytes of all responses of one poll."""
MAX_FINDINGS = 20_000
CLOCK_TOLERANCE = timedelta(days=1)
"""Time by which a clock may go back without a new poll from the beginning: adapters repeat some days
anyway."""
PAGE_FINDINGS = 500
"""Number of findings that are proposed at a time."""
PROPOSING_INTERVAL_SECONDS = 10.0
"""Seconds after which fewer findings are proposed too: a poll may take long."""
STORED_FAILURES = ("HTTP_STATUS", "RATE_LIMITED", "CUT_OFF")
CODES = frozenset(code.value for code in FetchFailure)

_THREADS = ThreadPoolExecutor(8, "polls")
"""Threads for adapters only, so that a slow document delays no other work."""

logger = logging.getLogger(__name__)

Propose = Callable[[str, Sequence[Finding], Sequence[str]], Awaitable[int]]
"""Adds findings of a source to the queue and returns the number of new ones."""


class PollTools(Struct, frozen=True):
    """Dependencies of a poll. `may_act` waits until this process holds the lease."""

    fetcher: Fetcher
    store: WatchStore
    snapshots: SnapshotStore
    propose: Propose
    may_act: Callable[[], Awaitable[None]]


class Poll:
    """A poll in progress."""

    def __init__(
        self,
        tools: PollTools,
        settings: SourceSettings,
        row: SourceRow,
        number: int,
        journal: PollJournal,
    ):
        self._tools = tools
        self._settings = settings
        self._row = row
        self._poll_number = number
        self._journal = journal
        self._number = 0
        self._requests = self._snapshots = self._candidates = self._finding_count = self._bytes = 0
        self._findings: list[Finding] = []
        self._flushed_at = time.monotonic()
        self._last: Response | None = None
        self.retry_after_seconds: float | None = None
        """Delay that a host requested, if that ended the poll."""

    async def run(self, adapter: Adapter) -> tuple[PollReport, Cursor | None]:
        """Run the poll; return its result and the next cursor, or None if it is incomplete.

        Raises database errors and LeaseLost.
        """
        started_at = clock.now()
        warnings = self._reset_after_clock_change(started_at)
        result: PollResult | None = None
        ended_by: FetchFailed | NotUnderstood | None = None
        try:
            steps = adapter.poll(self._settings, self._row.cursor, started_at.date())
            result = await drive(steps, self._fetch, self._take)
        except (FetchFailed, NotUnderstood) as error:
            ended_by = error
        try:
            await self._flush()  # including the findings before a failure
        except NotUnderstood as error:
            result, ended_by = None, ended_by or error
        failure = await self._failure(ended_by)
        report = PollReport(
            self._settings.key,
            self._poll_number,
            started_at,
            max(started_at, clock.now()),  # a clock may go back
            self._requests,
            self._snapshots,
            self._candidates,
            complete=result is not None,
            covers_until=result.covers_until if result else None,
            warnings=(*warnings, *result.warnings) if result else warnings,
            failure=failure,
        )
        await self._tools.may_act()
        await self._journal.record_poll(report)
        return report, None if result is None else result.cursor

    def _reset_after_clock_change(self, now: datetime) -> tuple[str, ...]:
        """Start from an empty cursor if the clock of the last complete poll was ahead.

        Its cursor may contain days that are still in the future. Returns the warnings about this.
        """
        if not is_to_come(self._row.looked_at, now):
            return ()
        last, self._row = self._row.looked_at, replace(self._row, cursor={}, complete_look=0)
        return (f"the clock went back: the last poll was at {last}, so all is read again",)

    async def _take(self, finding: Finding) -> None:
        self._findings.append(finding)
        self._finding_count += 1
        if self._finding_count > MAX_FINDINGS:
            raise NotUnderstood(f"expected at most {MAX_FINDINGS:,} findings in one poll")
        if len(self._findings) >= PAGE_FINDINGS:
            await self._flush()

    async def _flush(self) -> None:
        """Propose the collected findings. Raises NotUnderstood for invalid findings."""
        self._flushed_at = time.monotonic()
        if not self._findings:
            return
        findings, self._findings = self._findings, []
        await self._tools.may_act()
        try:
            self._candidates += await self._tools.propose(
                self._settings.key, findings, self._settings.issuers
            )
        except InvalidInput as error:
            where = ".".join(map(str, error.path))
            raise NotUnderstood(f"a finding can't be kept: {where}: {error.message}") from None

    async def _failure(
        self, ended_by: FetchFailed | NotUnderstood | None
    ) -> tuple[str, str] | None:
        """Return the failure that ended the poll: a code and a line.

        An unexpected response is recorded here; a failed request is already recorded.
        """
        if ended_by is None:
            return None
        if isinstance(ended_by, FetchFailed):
            return ended_by.code, shorten(f"{ended_by.url}: {ended_by.message}")
        if ended_by.code not in CODES:
            ended_by.code = "LAYOUT_CHANGED"
        last = self._last
        await self._tools.may_act()
        if last is not None:
            await self._forget_validators(last.request)
        await self._journal.record_failed(
            last.request if last else Request(self._settings.address),
            ended_by,
            last.status if last else None,
            last.sha256 if last else None,
        )
        return ended_by.code, shorten(ended_by.message)

    async def _forget_validators(self, request: Request) -> None:
        """Make the next request of an address unconditional.

        The fault may be in the headers, such as a charset, and a 304 response does not repeat them.
        """
        known = await self._tools.store.address(self._settings.key, address_of(request))
        if known is not None:
            unconditional = replace(known, etag=None, last_modified=None)
            await self._tools.store.remember(self._settings.key, address_of(request), unconditional)

    async def _fetch(self, request: Request) -> Response | FetchFailed:
        """Fetch a request, store and record the response."""
        if time.monotonic() > self._flushed_at + PROPOSING_INTERVAL_SECONDS:
            await self._flush()
        self._number += 1
        if self._number > MAX_REQUESTS:
            raise NotUnderstood(f"expected at most {MAX_REQUESTS:,} requests in one poll")
        if len(request.url) > MAX_URL_CHARACTERS:
            raise NotUnderstood(f"expected an address of at most {MAX_URL_CHARACTERS:,} characters")
        if self._bytes > MAX_BYTES:
            problem = f"expected at most {MAX_BYTES:,} bytes in one poll"
            raise NotUnderstood(problem, code="TOO_LARGE")
        await self._tools.may_act()
        known = await self._tools.store.address(self._settings.key, address_of(request))
        try:
            response, previous = await self._request(request, known)
        except FetchError as error:
            self._requests += error.requests
            await self._record_failure(request, error)
            self.retry_after_seconds = error.retry_after_seconds
            return FetchFailed(error.message, code=error.code, url=error.url, status=error.status)
        self._bytes += len(response.content)
        await self._tools.may_act()
        self._last = await self._store(request, response, known, previous)
        return self._last

    async def _request(
        self, request: Request, known: KnownAddress | None
    ) -> tuple[WebResponse, bytes | None]:
        """Send a request, conditional if the previous content is stored; return that content if unchanged."""
        if known is not None and request.body is None and (known.etag or known.last_modified):
            info = await self._tools.snapshots.describe(known.sha256)
            if info is not None and info.place is not None:
                response = await self._tools.fetcher.fetch(self._web_request(request, known))
                self._requests += response.requests
                if response.status != 304:
                    return response, None
                previous = await self._read_snapshot(known.sha256)
                if previous is not None:
                    return response, previous
        response = await self._tools.fetcher.fetch(self._web_request(request, None))
        self._requests += response.requests
        return response, None

    async def _read_snapshot(self, sha256: str) -> bytes | None:
        """Return the bytes of a snapshot; None if they are unavailable, for example after a loss of the
        directory."""
        try:
            snapshot = await self._tools.snapshots.get(sha256)
        except TrackerError as error:
            logger.warning("snapshot %s could not be read: %s", sha256, error)
            return None
        return snapshot.content if snapshot else None

    def _web_request(self, request: Request, known: KnownAddress | None) -> WebRequest:
        return WebRequest(
            request.url,
            accept=request.accept,
            body=request.body,
            content_type=request.content_type,
            max_bytes=request.max_bytes,
            pause_seconds=self._settings.pause_seconds,
            etag=known.etag if known else None,
            last_modified=known.last_modified if known else None,
            known_url=known.url if known else None,
        )

    async def _store(
        self,
        request: Request,
        fetched: WebResponse,
        known: KnownAddress | None,
        previous: bytes | None,
    ) -> Response:
        """Store a response, record it, and remember its address."""
        if previous is not None and known is not None:
            sha256, content = known.sha256, previous
            media_type, charset = known.media_type, known.charset
        else:
            content, media_type, charset = fetched.content, fetched.media_type, fetched.charset
            sha256 = await self._tools.snapshots.put(content, media_type)
        same = known is not None and known.sha256 == sha256
        first_seen = known.look if known is not None and same else self._poll_number
        response = Response(
            request,
            fetched.url,
            fetched.status,
            fetched.at,
            sha256,
            content,
            media_type,
            charset,
            unchanged=same and first_seen <= self._row.complete_look,
        )
        if same:
            await self._journal.record_unchanged(response)
        else:
            self._snapshots += 1
            await self._journal.record_fetched(response)
        etag, last_modified = fetched.etag, fetched.last_modified
        if fetched.status == 304 and known is not None:
            etag, last_modified = known.etag, known.last_modified
        await self._tools.store.remember(
            self._settings.key,
            address_of(request),
            KnownAddress(fetched.url, etag, last_modified, sha256, media_type, charset, first_seen),
        )
        return response

    async def _record_failure(self, request: Request, error: FetchError) -> None:
        sha256 = None
        await self._tools.may_act()
        if error.content and error.code in STORED_FAILURES:
            sha256 = await self._tools.snapshots.put(error.content, error.media_type)
        await self._journal.record_failed(request, error, error.status, sha256)


def is_to_come(at: datetime | None, now: datetime) -> bool:
    """Return whether a recorded time is in the future, because the clock went back."""
    return at is not None and at > now + CLOCK_TOLERANCE


async def drive(
    steps: PollSteps,
    fetch: Callable[[Request], Awaitable[Response | FetchFailed]],
    take: Callable[[Finding], Awaitable[None]],
) -> PollResult:
    """Run an adapter: answer its requests and take its findings.

    Raises FetchFailed and NotUnderstood.
    """
    answer: Response | FetchFailed | None = None
    try:
        while True:
            step = await _step(steps, answer)
            answer = None
            if isinstance(step, PollResult):
                return step
            if isinstance(step, Request):
                answer = await fetch(step)
            else:
                await take(step)
    finally:
        try:
            steps.close()
        except ValueError:  # a thread is still in the adapter, because the poll was cancelled
            HTML_PROCESS.kill()


async def _step(
    steps: PollSteps, answer: Response | FetchFailed | None
) -> Request | Finding | PollResult:
    """Run the next step of an adapter in a thread, because it may parse megabytes.

    Raises FetchFailed, and NotUnderstood for all other errors.
    """
    try:
        return await asyncio.get_running_loop().run_in_executor(_THREADS, _advance, steps, answer)
    except (FetchFailed, NotUnderstood):
        raise
    except TrackerError as error:
        raise NotUnderstood(error.message, code=error.code) from error
    except Exception as error:
        logger.exception("an adapter failed for an unknown reason")
        raise NotUnderstood(f"the adapter failed: {type(error).__name__}: {error}") from error


def _advance(steps: PollSteps, answer: Response | FetchFailed | None) -> Any:
    try:
        return steps.throw(answer) if isinstance(answer, FetchFailed) else steps.send(answer)
    except StopIteration as end:  # which a future cannot raise
        return end.value
