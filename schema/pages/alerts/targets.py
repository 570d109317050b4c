"""Targets of alerts: pages that have changes, with the filters of their queries. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from schema.pages.check import check
from schema.pages.check.sentences import shipment_title
from schema.pages.registry import page_at
from schema.pages.site.address import Address
from schema.pages.site.embedding import live
from schema.pages.site.feeds import FeedOfPage, newest_part
from schema.pages.site.name_fields import COMMODITIES, PLACES, name_of
from schema.pages.site.page import Page
from schema.pages.site.page_request import address_of
from tracker.alerts.subscription import MAX_TARGET_CHARACTERS
from tracker.domain.wording.phrases import listed, with_capital, word_phrase
from tracker.errors import InvalidInput, NotFound, below

ONLY_A_MOMENT = frozenset({"checked", "validAt", "knownAt", "position"})
"""Variables of the page of shipments that are not of the shipment."""
KEYS = PLACES | COMMODITIES | {"form", "hsCode", "kind", "kinds", "types"}
"""Parameters whose values are checked against vocabularies; those in a path are checked too."""
KEY = re.compile(r"[A-Za-z0-9_.,-]{1,100}")
CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
INVALID_TARGET = "INVALID_TARGET"
EXPECTED = "expected the path and query of a page of this site, such as /controls?commodity=gallium"


@dataclass(frozen=True, slots=True)
class Target:
    """A page with the filters of its changes."""

    page: Page
    address: Address
    """The address without a moment and without a part of its list."""
    kinds: Sequence[str] = ()
    commodity: str | None = None
    place: str | None = None
    hs_code: str | None = None
    events: Mapping[str, Any] | None = None
    """Filters of events, as those of the feed of the page; None for a shipment."""

    @property
    def shipment(self) -> Mapping[str, Any]:
        """Return the shipment of a check."""
        variables = self.page.variables(self.address)
        return {name: each for name, each in variables.items() if name not in ONLY_A_MOMENT}

    @property
    def title(self) -> str:
        """Return the page and its filters in words; the key of an entity stands for its name."""
        values = self.address.parameters
        if self.page is check.PAGE:
            return ": ".join(filter(None, ("Shipment", shipment_title(self.address.query))))
        if key := values.get("code") or (
            values.get("key") if self.page.name == "commodity" else None
        ):
            return name_of(key)
        title = TITLES.get(self.page.name) or with_capital(self.page.name)
        names = [_in_words(name, value) for name, value in values.items()]
        return f"{title} ({', '.join(names)})" if names else title

    @property
    def with_keys_only(self) -> Target:
        """Return the target without free text, which a mail must not carry before its reader agrees."""
        keys = {
            name: value
            for name, value in self.address.parameters.items()
            if name in self.address.path_names
            or (name in KEYS - self.page.without_codes and KEY.fullmatch(value))
        }
        return replace(self, address=replace(self.address, parameters=keys))

    def __str__(self) -> str:
        return str(self.address)


TITLES = {
    "overview": "Critical minerals",
    "controls": "Export and import controls",
    "upcoming": "Upcoming changes",
    "changes": "Changes",
    "events": "Events of the log",
    "search": "Search on this site",
    "source": "Watched source",
}
"""Titles of pages whose name in the address says less."""


def parse_target(text: str, sites: Collection[str] = ()) -> Target:
    """Return the target at a path and query, or at an address below one of `sites`. Raises InvalidInput."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        raise _no_target(EXPECTED) from None
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    if (parts.scheme or parts.netloc) and origin not in sites:
        raise _no_target(EXPECTED)
    path = parts.path or "/"
    try:
        page, in_path = page_at(unquote(path))
    except NotFound:
        raise _no_target("no page has this address") from None
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    with below("target"):
        target = _target(page, newest_part(live(address_of(page, path, in_path, pairs))))
    if len(str(target)) > MAX_TARGET_CHARACTERS:
        raise _no_target(f"expected at most {MAX_TARGET_CHARACTERS} characters")
    return target


def _target(page: Page, address: Address) -> Target:
    """Return the target of a page. Raises InvalidInput for a page without changes."""
    address.require_record("an alert")
    if page is check.PAGE:
        page.variables(address)
        if not address.query:
            raise _no_target("expected a shipment: fill in the form of /check first")
        return Target(page, address)
    feed = page.feed
    if feed is None:
        raise _no_target(
            "this page has no changes: expected a page with a feed, or a check of a shipment"
        )
    page.variables(address)
    address = _selecting(feed, address)
    if refused := [name for name in address.query if name not in feed.filters]:
        raise InvalidInput(_refusal(feed, refused[0], address), path=(refused[0],))
    events = feed.variables("atom", address)
    values = address.parameters
    kind = values.get(feed.kind or "", "")
    target = Target(
        page,
        address,
        kinds=feed.kinds or tuple(filter(None, kind.split(","))),
        commodity=values.get(feed.commodity or ""),
        place=values.get(feed.place or ""),
        hs_code=values.get("hsCode") if feed.hs_code else None,
        events=events,
    )
    for name in ("commodity", "place"):
        if "," in (getattr(target, name) or ""):
            raise InvalidInput(f"expected a single {name}", path=(name,))
    return target


def _selecting(feed: FeedOfPage, address: Address) -> Address:
    """Return an address without the parameters that select nothing, such as the moment of a comparison."""
    without = feed.ignored - {*feed.filters} - address.path_names
    remaining = {name: each for name, each in address.parameters.items() if name not in without}
    return replace(address, parameters=remaining)


def _refusal(feed: FeedOfPage, name: str, address: Address) -> str:
    accepted = [each for each in feed.filters if each not in address.path_names]
    filters = f"accept {listed(accepted, 10)}" if accepted else "accept no filter"
    return f"alerts on this page {filters}, and cannot be narrowed by {name[:50]!r}"


def _in_words(name: str, value: str) -> str:
    """Return the value of a filter in words: `EXPORT_CONTROL` is `export control`."""
    if name in ("q", "search"):
        return f'"{value}"'
    if name == "hsCode":
        return f"HS {value}"
    if name in ("kind", "kinds"):
        return word_phrase(value).replace(",", ", ")
    if name == "types":
        return CAPITAL.sub(" ", value).replace(".", " ").replace(",", ", ").lower()
    return name_of(value)


def _no_target(problem: str) -> InvalidInput:
    return InvalidInput(problem, code=INVALID_TARGET, path=("target",))
