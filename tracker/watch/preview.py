"""Preview of polls: shows proposals without storing or recording anything."""

from collections.abc import AsyncIterator

from msgspec import Struct

from tracker import clock
from tracker.postgres.database import WATCHER, Target, create_pool
from tracker.review.finding import FactProposal, Finding, ImportProposal
from tracker.snapshots.digest import sha256_of
from tracker.watch.adapter import (
    Cursor,
    FetchFailed,
    NotUnderstood,
    Request,
    Response,
    SourceSettings,
)
from tracker.watch.journal import PollReport
from tracker.watch.poll import drive
from tracker.watch.store import WatchStore
from tracker.watch.watcher import WatchOptions
from tracker.web.failures import FetchError
from tracker.web.fetcher import Fetcher
from tracker.web.request import WebRequest


class PollPreview(Struct, frozen=True):
    """Result of a previewed poll, with a line for each finding."""

    report: PollReport
    lines: tuple[str, ...]


async def preview_polls(target: Target, options: WatchOptions) -> AsyncIterator[PollPreview]:
    """Poll sources one after the other, each from its present cursor."""
    pool = await create_pool(target, role=WATCHER, size=1)
    try:
        rows = await WatchStore(pool).sources()
    finally:
        await pool.close()
    async with Fetcher(options.networks, options.agent, limits=options.limits) as fetcher:
        for settings in options.sources:
            row = rows.get(settings.key)
            preview = _Preview(fetcher, settings)
            yield await preview.run(options, row.cursor if row else {}, row.look + 1 if row else 1)


class _Preview:
    def __init__(self, fetcher: Fetcher, settings: SourceSettings):
        self._fetcher = fetcher
        self._settings = settings
        self._requests = 0
        self._lines: list[str] = []

    async def run(self, options: WatchOptions, cursor: Cursor, number: int) -> PollPreview:
        started_at = clock.now()
        adapter = options.find_adapter(self._settings.adapter)
        steps = adapter.poll(self._settings, cursor, started_at.date())
        result, failure = None, None
        try:
            result = await drive(steps, self._fetch, self._take)
        except (FetchFailed, NotUnderstood) as error:
            failure = error.code, error.message
        report = PollReport(
            self._settings.key,
            number,
            started_at,
            clock.now(),
            self._requests,
            0,
            len(self._lines),
            complete=result is not None,
            covers_until=result.covers_until if result else None,
            warnings=result.warnings if result else (),
            failure=failure,
        )
        return PollPreview(report, tuple(self._lines))

    async def _take(self, finding: Finding) -> None:
        self._lines.append(describe(finding))

    async def _fetch(self, request: Request) -> Response | FetchFailed:
        web_request = WebRequest(
            request.url,
            request.accept,
            request.body,
            request.content_type,
            request.max_bytes,
            self._settings.pause_seconds,
        )
        try:
            response = await self._fetcher.fetch(web_request)
        except FetchError as error:
            self._requests += error.requests
            return FetchFailed(error.message, code=error.code, url=error.url, status=error.status)
        self._requests += response.requests
        return Response(
            request,
            response.url,
            response.status,
            response.at,
            sha256_of(response.content),
            response.content,
            response.media_type,
            response.charset,
        )


def describe(finding: Finding) -> str:
    """Describe a finding in a line: its kind, the publisher's name of it, its title and its reason."""
    if isinstance(finding, FactProposal):
        kind = f"fact {finding.event.stream}"
    elif isinstance(finding, ImportProposal):
        kind = f"import by {finding.reader}"
    else:
        kind = f"lead {finding.code.value}"
    origin = finding.origin
    parts = (kind, origin.item, origin.title, finding.reason)
    return "\t".join(" ".join(part.split()) for part in parts)
