"""Test support of watching: a simulated gazette, and an adapter that reads it.

The gazette has its acts on numbered list pages, newest first, each with a separate page.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from msgspec import Struct

from tests.support.publishers.publisher import MISSING, Asked, Page, Publisher, as_json
from tracker.errors import InvalidInput
from tracker.postgres.lease import LEASE_SECONDS
from tracker.review.finding import Lead, LeadCode, Origin
from tracker.watch.adapter import (
    Adapter,
    Cursor,
    NotUnderstood,
    PollResult,
    PollSteps,
    Request,
    SourceSettings,
)
from tracker.watch.watcher import WatchOptions
from tracker.web.fetcher import Limits
from tracker.web.networks import Networks

HERE = Networks.parse(["127.0.0.0/8"])
QUICK = Limits(
    connect_seconds=10, silence_seconds=10, total_seconds=30, tries=2, retry_seconds=0.01
)
ACTS_PER_PAGE = 10


class Gazette(Publisher):
    """A publisher of acts: `/list?page=1` …, and `/act/ID` for each."""

    def __init__(self, acts: int = 0):
        super().__init__()
        self.acts: dict[str, str] = {}
        self.add(acts)

    def add(self, count: int = 1) -> None:
        """Publish more acts."""
        for _ in range(count):
            id = f"a{len(self.acts) + 1}"
            self.acts[id] = f"Act {id} on gallium"

    def page(self, asked: Asked) -> Page:
        """Return a page of the list, or an act."""
        if asked.path == "/list":
            ids = list(reversed(self.acts))
            start = (int(asked.parameter("page", "1")) - 1) * ACTS_PER_PAGE
            shown = ids[start : start + ACTS_PER_PAGE]
            return as_json(
                {"acts": shown, "count": len(ids), "more": start + ACTS_PER_PAGE < len(ids)}
            )
        text = self.acts.get(asked.path.removeprefix("/act/"))
        return MISSING if text is None else Page(text.encode(), "text/plain", "utf-8")


class GazetteOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options; `read` is whether acts are fetched too."""

    read: bool = True


def look_through(settings: SourceSettings, cursor: Cursor, today: date) -> PollSteps:
    """Yield a lead for every new act in the list."""
    seen = set(cursor.get("seen", ()))
    page, new = 1, list[str]()
    while True:
        response = yield Request(f"{settings.address}/list?page={page}")
        assert response is not None
        try:
            found = json.loads(response.text())
        except ValueError:
            raise NotUnderstood("expected a list in JSON") from None
        fresh = [id for id in found["acts"] if id not in seen]
        new += fresh
        if not found["more"] or not fresh:
            break
        page += 1
    for id in reversed(new):
        url = f"{settings.address}/act/{id}"
        response = (yield Request(url)) if settings.options.read else response
        assert response is not None
        title = response.text() if settings.options.read else id
        yield Lead(Origin(id, title, response.sha256, url), "It is new", LeadCode.ANNOUNCED)
    return PollResult({"seen": [*cursor.get("seen", ()), *reversed(new)]}, covers_until=today)


GAZETTE = Adapter("gazette", "A gazette", GazetteOptions, look_through)


def find_adapter(name: str) -> Adapter:
    """Return the test adapter. Raises InvalidInput for another name."""
    if name != GAZETTE.name:
        raise InvalidInput(f"{name!r} is not an adapter", path=("adapter",))
    return GAZETTE


def source(address: str, key: str = "gazette", **settings: Any) -> SourceSettings:
    """Return the settings of the gazette as a source."""
    values: Mapping[str, Any] = {
        "name": "A gazette",
        "publisher": "federal-register",
        "issuers": ("US",),
        "pause_seconds": 0.0,
        "options": GazetteOptions(),
    }
    return SourceSettings(key=key, adapter="gazette", address=address, **{**values, **settings})


def options(*sources: SourceSettings, **settings: Any) -> WatchOptions:
    """Return the options of the watcher."""
    values: Mapping[str, Any] = {"networks": HERE, "limits": QUICK, "lease_seconds": LEASE_SECONDS}
    return replace(WatchOptions(sources, find_adapter), **{**values, **settings})
