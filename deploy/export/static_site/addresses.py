"""Addresses of the server and the files of a static site for them. Pure.

A page is `PATH/index.html`. Parameters are parts of the path: `/controls?status=IN_FORCE` is
`controls/status=IN_FORCE/index.html`, and `/tables/clauses.csv?commodity=gallium` is
`tables/clauses/commodity=gallium.csv`. Names need no escaping in addresses.
"""

import hashlib
import re
from enum import StrEnum
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

from deploy.export.static_site.receipts import ENDING as RECEIPT_ENDING
from schema.execution.url_parameters import MOMENT
from schema.http.receipt_files import RECEIPT
from schema.pages.site.address import PAGE_PARAMETERS, START
from schema.pages.site.page_data import MEDIA_TYPES
from schema.tables.csv_metadata import ENDING as METADATA
from tracker.audit.format.layout import CHECKPOINT, KEY
from tracker.domain.entities.entity import has_reserved_ending

LOG = "log"
RECEIPTS = "receipts"
"""The part of a site that has the receipts of its pages."""
EXPLANATION = "not-published/index.html"
"""The page that explains missing pages and files."""
FILE_ENDINGS = ("csv", "json", "svg")
"""Endings of published files."""
FEED_ENDINGS = ("atom", "jsonfeed", "ics")
DESCRIPTION = METADATA.removeprefix(".")
"""The ending of the description of a table, published for the whole table only."""
ENDINGS = (DESCRIPTION, *MEDIA_TYPES)
PAGE_NAME = "index.html"
BARE = "header=none"
BESIDE_FILTER = frozenset({"direction", "header"})
"""Parameters that do not count as the filter of an address."""
NARROW_FILTERS = frozenset({"destination", "firm", "hsCode", "origin"})
"""Filters that are not published: each has hundreds of values with a few rows."""
NARROW_FILTERS_OF_PAGES = NARROW_FILTERS | {"importer"}
"""Filters of pages that are not published: the page of a place has its imports."""
UNSAFE = re.compile(r"[^A-Za-z0-9._=,-]")
MAX_NAME_CHARACTERS = 120


class Reason(StrEnum):
    """A reason for which an address is not published; its value is its id on the explanation page."""

    ACCOUNTS = "accounts"
    API = "api"
    CHECK = "check"
    DATES = "dates"
    FEEDS = "feeds"
    FILTERS = "filters"
    FORMATS = "formats"
    LOG = "log"
    OMITTED = "omitted"
    RECEIPTS = "receipts"
    SEARCH = "search"


REASONS = {
    "annexes": Reason.LOG,
    "asyncapi.json": Reason.API,
    "check": Reason.CHECK,
    "check.json": Reason.CHECK,
    "endpoints": Reason.ACCOUNTS,
    "graphql": Reason.API,
    "mcp": Reason.API,
    "openapi.json": Reason.API,
    "record": Reason.ACCOUNTS,
    "review": Reason.ACCOUNTS,
    "schema.graphql": Reason.API,
    "schemas": Reason.API,
    "search": Reason.SEARCH,
    "shipments.csv": Reason.CHECK,
    "sign-in": Reason.ACCOUNTS,
    "snapshots": Reason.FORMATS,
    "tables": Reason.API,
}
"""Reasons by the first part of a path. Files below `/tables` are published."""


class Addresses(Struct, frozen=True):
    """The published addresses of a moment."""

    valid: str
    position: str
    omitted: frozenset[str] = frozenset()
    """First parts of paths that are not published, such as `figures`."""
    has_log: bool = False
    """Whether the site has a copy of the signed log."""
    has_receipts: bool = False
    """Whether the pages have receipts."""

    @property
    def moment(self) -> dict[str, str]:
        """Return the parameters of the moment."""
        return {"valid": self.valid, "position": self.position}

    def file_of(self, address: str) -> str | Reason:
        """Return the file for an address of the server, or the reason why there is none."""
        parts = urlsplit(address)
        path, parameters = unquote(parts.path), dict(parse_qsl(parts.query))
        room, _, below = path.removeprefix("/").partition("/")
        if room == "static":
            return path[1:]
        if room == LOG:
            return self._log_file(below)
        if room.partition(".")[0] in self.omitted:
            return Reason.OMITTED
        if room == "docs":
            if parameters:
                return Reason.SEARCH
            return path[1:] if below.startswith("screens/") else _file(path, {}, None)
        if (reason := REASONS.get(room)) and not (room == "tables" and below):
            return reason
        ending = next((each for each in ENDINGS if path.endswith(f".{each}")), None)
        return self._problem(parameters, ending, is_table=room == "tables") or _file(
            path, parameters, ending
        )

    def _problem(
        self, parameters: dict[str, str], ending: str | None, *, is_table: bool
    ) -> Reason | None:
        """Return why a page or file is not published, and remove the moment from its parameters."""
        moment = {name: parameters.pop(name) for name in MOMENT if name in parameters}
        if ending in FEED_ENDINGS:
            return Reason.FEEDS
        if ending == RECEIPT:
            if is_table or not self.has_receipts:
                return Reason.RECEIPTS
        elif ending and ending not in (DESCRIPTION, *FILE_ENDINGS):
            return Reason.FORMATS
        filters = parameters.keys() - PAGE_PARAMETERS - BESIDE_FILTER
        if moment != self.moment or (not is_table and filters & {"from", "fromPosition"}):
            return Reason.DATES
        narrow = NARROW_FILTERS if is_table else NARROW_FILTERS_OF_PAGES
        only_whole = ending == DESCRIPTION if is_table else ending not in (None, RECEIPT)
        if len(filters) > 1 or filters & narrow or (only_whole and parameters):
            return Reason.FILTERS
        return None

    def _log_file(self, path: str) -> str | Reason:
        """Return the file of the copied log; its checkpoint covers the moment of the site."""
        name = path.partition("/")[0]
        return f"{LOG}/{name}" if self.has_log and name in (CHECKPOINT, KEY) else Reason.LOG


def bare_file(file: str) -> str:
    """Return the name of a CSV file without the comments that begin it."""
    return f"{file.removesuffix('.csv')}/{BARE}.csv"


def _file(path: str, parameters: dict[str, str], ending: str | None) -> str:
    """Return the path of a file; the start of a part of a list replaces its cursor."""
    left_out = {"header", "after"} if START in parameters else {"header"}
    names = [_not_a_file(part) for part in path.removesuffix(f".{ending}").split("/") if part]
    names += [_safe(f"{name}={parameters[name]}") for name in sorted(parameters.keys() - left_out)]
    file = "/".join(names)
    if ending is None:
        return f"{file}/{PAGE_NAME}".removeprefix("/")
    file = f"{file}{RECEIPT_ENDING}" if ending == RECEIPT else f"{file}.{ending}"
    return bare_file(file) if parameters.get("header") == "none" else file


def _not_a_file(part: str) -> str:
    """Return the name of a part of a path, which must not be that of a file such as `index.html`."""
    safe = _safe(part)
    return "~2E".join(safe.rsplit(".", 1)) if has_reserved_ending(safe) else safe


def _safe(name: str) -> str:
    """Return a name that is equal in a file system and in an address, without escapes."""
    safe = UNSAFE.sub(lambda found: "".join(f"~{byte:02X}" for byte in found[0].encode()), name)
    if len(safe) > MAX_NAME_CHARACTERS:
        safe = f"{safe[:40]}~{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return safe.replace(".", "~2E") if set(safe) == {"."} else safe
