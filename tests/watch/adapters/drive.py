"""Driver of an adapter's poll without a network, by a function that responds to requests."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

import msgspec

from tracker.errors import TrackerError
from tracker.review.finding import FactProposal, Finding, ImportProposal, Lead
from tracker.review.findings import row_of
from tracker.watch.adapter import (
    Adapter,
    Cursor,
    FetchFailed,
    NotUnderstood,
    PollResult,
    Request,
    Response,
    SourceSettings,
)

TODAY = date(2026, 3, 2)
MAX_CURSOR_BYTES = 400_000
MAX_REQUESTS = 500

Publisher: TypeAlias = Callable[[Request], Response | TrackerError]
"""A function that returns a response (see `response`) or an error for a request."""


@dataclass
class DrivenPoll:
    """The requests and findings of an adapter. `failure` is the error that ended the poll, if allowed."""

    requests: list[Request] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    result: PollResult | None = None
    failure: FetchFailed | NotUnderstood | None = None

    @property
    def urls(self) -> list[str]:
        """Return the requested addresses, in order."""
        return [request.url for request in self.requests]

    @property
    def facts(self) -> list[FactProposal]:
        """Return the proposed facts."""
        return [each for each in self.findings if isinstance(each, FactProposal)]

    @property
    def imports(self) -> list[ImportProposal]:
        """Return the proposed imports."""
        return [each for each in self.findings if isinstance(each, ImportProposal)]

    @property
    def leads(self) -> list[Lead]:
        """Return the leads."""
        return [each for each in self.findings if isinstance(each, Lead)]

    @property
    def items(self) -> list[str]:
        """Return the publisher's names of the findings, in order."""
        return [each.origin.item for each in self.findings]

    @property
    def cursor(self) -> Cursor:
        """Return the cursor for the next poll."""
        assert self.result is not None, "the look failed"
        return self.result.cursor


def drive(
    adapter: Adapter,
    settings: SourceSettings,
    publisher: Publisher,
    *,
    cursor: Cursor | None = None,
    today: date = TODAY,
    may_fail: bool = False,
) -> DrivenPoll:
    """Drive one poll to its end. Errors are raised, unless it `may_fail`.

    The cursor is serialised as JSON, like in the database. Findings are checked for the guarantees of
    all adapters.
    """
    driven = DrivenPoll()
    poll = adapter.poll(settings, _through_json(cursor or {}), today)
    answer: Response | TrackerError | None = None
    try:
        while True:
            asked = poll.throw(answer) if isinstance(answer, TrackerError) else poll.send(answer)
            answer = None
            if isinstance(asked, Request):
                driven.requests.append(asked)
                assert len(driven.requests) <= MAX_REQUESTS, f"more than {MAX_REQUESTS} requests"
                answer = publisher(asked)
            else:
                _check_finding(asked, driven)
                driven.findings.append(asked)
    except StopIteration as end:
        result: PollResult = end.value
        driven.result = PollResult(
            _through_json(result.cursor), result.covers_until, result.warnings
        )
    except (FetchFailed, NotUnderstood) as failure:
        if not may_fail:
            raise
        driven.failure = failure
    return driven


def _through_json(cursor: Cursor) -> Cursor:
    text = json.dumps(cursor, sort_keys=True)  # the database keeps no order of names
    assert len(text) <= MAX_CURSOR_BYTES, f"a cursor of {len(text):,} bytes"
    assert "\\u0000" not in text, "a cursor that no database keeps"
    found: Cursor = json.loads(text)
    return found


def _check_finding(finding: Finding, driven: DrivenPoll) -> None:
    origin = finding.origin
    assert 0 < len(origin.item) <= 200, origin
    assert origin.title.strip(), origin
    assert finding.reason.strip(), finding
    assert origin.sha256 is None or driven.requests, "a snapshot that nobody fetched"
    row_of(finding)  # raises for values that the queue cannot store


def source_of(
    adapter: Adapter, address: str, options: Mapping[str, Any] | None = None, **settings: Any
) -> SourceSettings:
    """Return the settings of a source, with options as in its file.

    Raises msgspec.ValidationError with the path of a wrong option.
    """
    values: dict[str, Any] = {
        "key": "source",
        "name": "A source",
        "publisher": "federal-register",
        "issuers": ("US",),
    }
    return SourceSettings(
        adapter=adapter.name,
        address=address,
        options=msgspec.convert(dict(options or {}), adapter.Options),
        **(values | settings),
    )


def response(
    request: Request,
    content: bytes | str,
    *,
    status: int = 200,
    media_type: str | None = None,
    charset: str | None = None,
    url: str | None = None,
    unchanged: bool = False,
) -> Response:
    """Return a response to a request; text is encoded in `charset`, by default UTF-8."""
    raw = content.encode(charset or "utf-8") if isinstance(content, str) else content
    return Response(
        request=request,
        url=url or request.url,
        status=status,
        fetched_at=datetime(2026, 3, 2, 6, tzinfo=UTC),
        sha256=hashlib.sha256(raw).hexdigest(),
        content=raw,
        media_type=media_type,
        charset=charset,
        unchanged=unchanged,
    )


def failed(request: Request, code: str = "HTTP_STATUS", status: int | None = 404) -> FetchFailed:
    """Return the error of a failed request."""
    return FetchFailed(f"it answered {status}", code=code, url=request.url, status=status)
