"""A look: one pass over a source, step by step, and what a crash leaves behind.

    a request is made       while the lease is held; its host is asked politely
    its bytes are kept      by their SHA-256, so that keeping them again changes nothing
    it is on record         as Fetched, Unchanged or Failed, under an id that counts once
    its address is known    with what came, so that the next request asks only for what is new
    findings are proposed   after the record of the snapshots that they were read from
    the look is on record   as Looked
    the cursor moves on     if everything was read, in one UPDATE with the number of the look

A crash before the last step repeats the look from the same cursor. What it asks for again is mostly
unchanged by then; an adapter is told so only of what was seen by a look that was complete.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tracker import clock
from tracker.domain.vocabulary import FetchFailure
from tracker.errors import InvalidInput, TrackerError
from tracker.review.finding import Finding
from tracker.snapshots.store import SnapshotStore
from tracker.watch.adapter import (
    Adapter,
    Cursor,
    FetchFailed,
    Look,
    LookResult,
    NotUnderstood,
    Request,
    Response,
    SourceSettings,
)
from tracker.watch.html_process import html_process
from tracker.watch.journal import LookJournal, LookReport, shorten
from tracker.watch.store import KnownAddress, SourceRow, WatchStore, address_of
from tracker.web.failures import FetchError
from tracker.web.fetcher import Fetcher
from tracker.web.networks import MAX_URL_CHARACTERS
from tracker.web.request import WebRequest
from tracker.web.response import WebResponse

MAX_REQUESTS = 1_000
"""Requests of one look: an adapter that wants more has lost its way."""
MAX_BYTES = 500_000_000
"""Bytes of all responses of one look."""
MAX_FINDINGS = 20_000
CLOCK_TOLERANCE = timedelta(days=1)
"""By how much a clock may go back without anything being read anew: adapters read some days again anyway."""
PAGE_FINDINGS = 500
"""Findings that are proposed at a time."""
PROPOSING_INTERVAL_SECONDS = 10.0
"""Seconds after which what was found is proposed, though it is less: a look may take long."""
KEPT_WITH_FAILURES = ("HTTP_STATUS", "RATE_LIMITED", "CUT_OFF")
CODES = frozenset(code.value for code in FetchFailure)

_THREADS = ThreadPoolExecutor(8, "looks")
"""Threads for adapters alone: a document that takes long delays no other work."""

logger = logging.getLogger(__name__)

Propose = Callable[[str, Sequence[Finding], Sequence[str]], Awaitable[int]]
"""Puts findings of a source into the queue; how many are new."""


@dataclass(frozen=True, slots=True)
class LookTools:
    """With what a look is done. `may_act` returns once nobody else can be at the same work."""

    fetcher: Fetcher
    store: WatchStore
    snapshots: SnapshotStore
    propose: Propose
    may_act: Callable[[], Awaitable[None]]


class LookInProgress:
    """A look while it is done."""

    def __init__(
        self,
        tools: LookTools,
        settings: SourceSettings,
        row: SourceRow,
        look: int,
        journal: LookJournal,
    ):
        self._tools = tools
        self._settings = settings
        self._row = row
        self._look = look
        self._journal = journal
        self._number = 0
        self._requests = self._snapshots = self._candidates = self._finding_count = self._bytes = 0
        self._findings: list[Finding] = []
        self._flushed_at = time.monotonic()
        self._last: Response | None = None
        self.retry_after_seconds: float | None = None
        """What a host asked to wait, where that ended the look."""

    async def run(self, adapter: Adapter) -> tuple[LookReport, Cursor | None]:
        """Do it: how it ended, and the next cursor, None where it was not complete.

        Raises what a database does that can't be reached, and LeaseLost.
        """
        started_at = clock.now()
        warnings = self._begin_anew_where_the_clock_went_back(started_at)
        result: LookResult | None = None
        ended_by: FetchFailed | NotUnderstood | None = None
        try:
            look = adapter.look(self._settings, self._row.cursor, started_at.date())
            result = await drive(look, self._fetch, self._take)
        except (FetchFailed, NotUnderstood) as error:
            ended_by = error
        try:
            await self._flush()  # what was found before it failed, too
        except NotUnderstood as error:
            result, ended_by = None, ended_by or error
        failure = await self._failure(ended_by)
        report = LookReport(
            self._settings.key,
            self._look,
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
        await self._journal.record_looked(report)
        return report, None if result is None else result.cursor

    def _begin_anew_where_the_clock_went_back(self, now: datetime) -> tuple[str, ...]:
        """Read a source from its beginning where its last complete look was done by a clock that was ahead:
        what it would go on from may be days that have not come yet. Returns the warnings of that."""
        if not is_to_come(self._row.looked_at, now):
            return ()
        last, self._row = self._row.looked_at, replace(self._row, cursor={}, complete_look=0)
        return (f"the clock went back: the last look was at {last}, and all was read anew",)

    async def _take(self, finding: Finding) -> None:
        self._findings.append(finding)
        self._finding_count += 1
        if self._finding_count > MAX_FINDINGS:
            raise NotUnderstood(f"expected at most {MAX_FINDINGS:,} findings in one look")
        if len(self._findings) >= PAGE_FINDINGS:
            await self._flush()

    async def _flush(self) -> None:
        """Put what was found into the queue. Raises NotUnderstood for what nobody could review."""
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
        """What ended the look: a code and a line. That something was not understood is recorded; a
        request that failed is on record."""
        if ended_by is None:
            return None
        if isinstance(ended_by, FetchFailed):
            return ended_by.code, shorten(f"{ended_by.url}: {ended_by.message}")
        if ended_by.code not in CODES:
            ended_by.code = "LAYOUT_CHANGED"
        last = self._last
        await self._tools.may_act()
        if last is not None:
            await self._ask_anew_for(last.request)
        await self._journal.record_failed(
            last.request if last else Request(self._settings.address),
            ended_by,
            last.status if last else None,
            last.sha256 if last else None,
        )
        return ended_by.code, shorten(ended_by.message)

    async def _ask_anew_for(self, request: Request) -> None:
        """Have the next look ask for all of an address: what was wrong with it may be in its headers,
        such as a charset, and of those an answer that nothing has changed says nothing."""
        known = await self._tools.store.address(self._settings.key, address_of(request))
        if known is not None:
            unconditional = replace(known, etag=None, last_modified=None)
            await self._tools.store.remember(self._settings.key, address_of(request), unconditional)

    async def _fetch(self, request: Request) -> Response | FetchFailed:
        """What came of a request, kept and on record."""
        if time.monotonic() > self._flushed_at + PROPOSING_INTERVAL_SECONDS:
            await self._flush()
        self._number += 1
        if self._number > MAX_REQUESTS:
            raise NotUnderstood(f"expected at most {MAX_REQUESTS:,} requests in one look")
        if len(request.url) > MAX_URL_CHARACTERS:
            raise NotUnderstood(f"expected an address of at most {MAX_URL_CHARACTERS:,} characters")
        if self._bytes > MAX_BYTES:
            problem = f"expected at most {MAX_BYTES:,} bytes in one look"
            raise NotUnderstood(problem, code="TOO_LARGE")
        await self._tools.may_act()
        known = await self._tools.store.address(self._settings.key, address_of(request))
        try:
            found, kept = await self._ask(request, known)
        except FetchError as error:
            self._requests += error.requests
            await self._record_failure(request, error)
            self.retry_after_seconds = error.retry_after_seconds
            return FetchFailed(error.message, code=error.code, url=error.url, status=error.status)
        self._bytes += len(found.content)
        await self._tools.may_act()
        self._last = await self._keep(request, found, known, kept)
        return self._last

    async def _ask(
        self, request: Request, known: KnownAddress | None
    ) -> tuple[WebResponse, bytes | None]:
        """Fetch, only if it has changed where we still have what came last: with those bytes then."""
        if known is not None and request.body is None and (known.etag or known.last_modified):
            info = await self._tools.snapshots.describe(known.sha256)
            if info is not None and info.place is not None:
                found = await self._tools.fetcher.fetch(self._web_request(request, known))
                self._requests += found.requests
                if found.status != 304:
                    return found, None
                kept = await self._read_snapshot(known.sha256)
                if kept is not None:
                    return found, kept
        found = await self._tools.fetcher.fetch(self._web_request(request, None))
        self._requests += found.requests
        return found, None

    async def _read_snapshot(self, sha256: str) -> bytes | None:
        """The bytes of a snapshot; None where they are not to be had, as from a lost directory."""
        try:
            snapshot = await self._tools.snapshots.get(sha256)
        except TrackerError as error:
            logger.warning("the snapshot %s could not be read: %s", sha256, error)
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

    async def _keep(
        self, request: Request, found: WebResponse, known: KnownAddress | None, kept: bytes | None
    ) -> Response:
        """Keep what came, record it, and remember its address."""
        if kept is not None and known is not None:
            sha256, content = known.sha256, kept
            media_type, charset = known.media_type, known.charset
        else:
            content, media_type, charset = found.content, found.media_type, found.charset
            sha256 = await self._tools.snapshots.put(content, media_type)
        same = known is not None and known.sha256 == sha256
        first_seen = known.look if known is not None and same else self._look
        response = Response(
            request,
            found.url,
            found.status,
            found.at,
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
        etag, last_modified = found.etag, found.last_modified
        if found.status == 304 and known is not None:
            etag, last_modified = known.etag, known.last_modified
        await self._tools.store.remember(
            self._settings.key,
            address_of(request),
            KnownAddress(found.url, etag, last_modified, sha256, media_type, charset, first_seen),
        )
        return response

    async def _record_failure(self, request: Request, error: FetchError) -> None:
        sha256 = None
        await self._tools.may_act()
        if error.content and error.code in KEPT_WITH_FAILURES:
            sha256 = await self._tools.snapshots.put(error.content, error.media_type)
        await self._journal.record_failed(request, error, error.status, sha256)


def is_to_come(at: datetime | None, now: datetime) -> bool:
    """Whether a time that was noted as past has not come by a clock that went back."""
    return at is not None and at > now + CLOCK_TOLERANCE


async def drive(
    look: Look,
    fetch: Callable[[Request], Awaitable[Response | FetchFailed]],
    take: Callable[[Finding], Awaitable[None]],
) -> LookResult:
    """Answer what an adapter asks for, and take what it finds, until it ends.

    Raises FetchFailed and NotUnderstood.
    """
    answer: Response | FetchFailed | None = None
    try:
        while True:
            step = await _step(look, answer)
            answer = None
            if isinstance(step, LookResult):
                return step
            if isinstance(step, Request):
                answer = await fetch(step)
            else:
                await take(step)
    finally:
        try:
            look.close()
        except ValueError:  # a thread is still in it, since the look was cancelled
            html_process().kill()


async def _step(
    look: Look, answer: Response | FetchFailed | None
) -> Request | Finding | LookResult:
    """The next step of an adapter, in a thread: it may have megabytes to read.

    Raises FetchFailed, and NotUnderstood for whatever else goes wrong in it.
    """
    try:
        return await asyncio.get_running_loop().run_in_executor(_THREADS, _advance, look, answer)
    except (FetchFailed, NotUnderstood):
        raise
    except TrackerError as error:
        raise NotUnderstood(error.message, code=error.code) from error
    except Exception as error:
        logger.exception("an adapter failed for an unknown reason")
        raise NotUnderstood(f"the adapter failed: {type(error).__name__}: {error}") from error


def _advance(look: Look, answer: Response | FetchFailed | None) -> Any:
    try:
        return look.throw(answer) if isinstance(answer, FetchFailed) else look.send(answer)
    except StopIteration as end:  # which no future can hold
        return end.value
