"""Drives a look of an adapter without a network: by a function that answers its requests."""

from __future__ import annotations

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
    LookResult,
    NotUnderstood,
    Request,
    Response,
    SourceSettings,
)

TODAY = date(2026, 3, 2)
MAX_CURSOR_BYTES = 400_000
MAX_REQUESTS = 500

Publisher: TypeAlias = Callable[[Request], Response | TrackerError]
"""What answers requests: with a response (see `response`), or with the error that becomes of it."""


@dataclass
class DrivenLook:
    """What an adapter asked for and found. `failure` is what ended the look, if it was allowed to."""

    requests: list[Request] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    result: LookResult | None = None
    failure: FetchFailed | NotUnderstood | None = None

    @property
    def urls(self) -> list[str]:
        """The addresses that were asked for, in order."""
        return [request.url for request in self.requests]

    @property
    def facts(self) -> list[FactProposal]:
        """The facts that were proposed."""
        return [each for each in self.findings if isinstance(each, FactProposal)]

    @property
    def imports(self) -> list[ImportProposal]:
        """The files that were proposed to be imported."""
        return [each for each in self.findings if isinstance(each, ImportProposal)]

    @property
    def leads(self) -> list[Lead]:
        """The leads."""
        return [each for each in self.findings if isinstance(each, Lead)]

    @property
    def items(self) -> list[str]:
        """What the publisher calls the findings, in order."""
        return [each.origin.item for each in self.findings]

    @property
    def cursor(self) -> Cursor:
        """The cursor for the next look."""
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
) -> DrivenLook:
    """Drive one look to its end. Errors that end it are raised, unless it `may_fail`.

    The cursor goes through JSON, as it does in the database; findings are checked for what every
    adapter promises of them.
    """
    driven = DrivenLook()
    look = adapter.look(settings, _through_json(cursor or {}), today)
    answer: Response | TrackerError | None = None
    try:
        while True:
            asked = look.throw(answer) if isinstance(answer, TrackerError) else look.send(answer)
            answer = None
            if isinstance(asked, Request):
                driven.requests.append(asked)
                assert len(driven.requests) <= MAX_REQUESTS, f"more than {MAX_REQUESTS} requests"
                answer = publisher(asked)
            else:
                _check_finding(asked, driven)
                driven.findings.append(asked)
    except StopIteration as end:
        result: LookResult = end.value
        driven.result = LookResult(
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


def _check_finding(finding: Finding, driven: DrivenLook) -> None:
    origin = finding.origin
    assert 0 < len(origin.item) <= 200, origin
    assert origin.title.strip(), origin
    assert finding.reason.strip(), finding
    assert origin.sha256 is None or driven.requests, "a snapshot that nobody fetched"
    row_of(finding)  # raises for what the queue can't keep


def source_of(
    adapter: Adapter, address: str, options: Mapping[str, Any] | None = None, **settings: Any
) -> SourceSettings:
    """The settings of a source, with options as its file would say them.

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
    """A response to a request; text is sent in `charset`, or else in UTF-8."""
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
    """The error of a request that failed."""
    return FetchFailed(f"it answered {status}", code=code, url=request.url, status=status)
