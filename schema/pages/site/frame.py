"""The frame of every page: the menu, the moment, the data formats, the citation. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias
from urllib.parse import quote

import orjson
from markupsafe import Markup
from msgspec import Struct

from schema.http.receipt_files import RECEIPT
from schema.metadata.facts import Site, media_type
from schema.metadata.linked_data import catalog, page_dataset, script
from schema.pages.charts.ruler import DayRuler, PositionRuler, make_day_ruler, make_position_ruler
from schema.pages.site.address import PAGE_PARAMETERS, Address, href
from schema.pages.site.citation import CitedPage, citations
from schema.pages.site.embedding import EmbedCode, embed_codes, live, oembed_link
from schema.pages.site.images import CHART
from schema.pages.site.page import Page
from schema.receipts.operations import page_digest, receipt_operation
from tracker.domain.wording.phrases import with_capital

NAVIGATION = (
    ("Minerals", (("/commodities", "Commodities"), ("/figures", "Figures"))),
    ("Controls", (("/controls", "Controls"),)),
    ("Check", (("/check", "Check"),)),
    (
        "Places",
        (("/places", "Places"), ("/alliances", "Alliances"), ("/announcements", "Announcements")),
    ),
    (
        "Changes",
        (
            ("/upcoming", "Upcoming"),
            ("/obligations", "Obligations"),
            ("/changes", "Compare"),
            ("/events", "Log"),
        ),
    ),
)
"""Groups of the menu with their pages; a group of one page is a link."""
TABLE_FORMS = (("csv", "CSV"), ("xlsx", "XLSX"), ("parquet", "Parquet"))
"""Endings of addresses of tables, with their names."""
FORMS = (("json", "JSON"), *TABLE_FORMS)
"""Endings of addresses at which a page is data; a page without a table has JSON only."""
IMAGE_FORMS = (("svg", "SVG"), ("png", "PNG"), ("pdf", "PDF"))
BARE_CSV = "CSV for spreadsheets, without comments"
RECEIPT_CHECKS = (
    ("signature", "The log signed the receipt and its checkpoint"),
    ("consistency", "The log continues this checkpoint"),
    ("answer", "The answer in the receipt is the signed one"),
    ("moment", "The receipt is of the date and position of this page"),
    ("page", "The receipt is of the query of this page"),
)
"""Checks of a receipt in the browser: name and statement."""
FEED_NAMES = {"atom": "Atom", "jsonfeed": "JSON Feed", "ics": "Calendar"}


Download: TypeAlias = tuple[str, Sequence[tuple[str, str]]]
"""A name, and the formats of a file with their addresses."""


@dataclass(frozen=True, slots=True)
class Session:
    """The reader of a page, as far as the page shows it."""

    signed_in: bool = False
    may_record: bool = False
    may_deliver: bool = False
    """Whether they may have endpoints."""
    read_only: bool = False
    """Whether this server records nothing, and manages no endpoints."""
    may_review: bool = False
    alerts: bool = False
    """Whether this server takes subscriptions by e-mail."""
    mirror: str = ""
    """The origin and state of a mirror; empty on other servers."""


class Moment(Struct, frozen=True):
    """The moment of a page, and the surrounding dates with changes on the page."""

    valid_at: str
    position: str
    known_at: str | None
    log_root: str
    change_days: Sequence[str] = ()
    """Dates, in order, each once."""

    @property
    def previous_change(self) -> str | None:
        """Return the last earlier date with a change."""
        return next((day for day in reversed(self.change_days) if day < self.valid_at), None)

    @property
    def next_change(self) -> str | None:
        """Return the next date with a change."""
        return next((day for day in self.change_days if day > self.valid_at), None)


class Frame(Struct, frozen=True):
    """The data of the base template."""

    page: Page
    address: Address
    moment: Moment
    pinned: Address
    origin: str
    """Scheme and host of the request."""
    url: str
    """Address that never changes, with the scheme and host."""
    query_url: str
    """Link to the query of the page in GraphiQL."""
    forms: Sequence[tuple[str, str, str]]
    """Ending, name and link of the page in each data format, including feeds."""
    feeds: Sequence[tuple[str, str]]
    """Name and link of each feed."""
    downloads: Sequence[Download]
    compare: str
    """Link to the differences between the date of the page and today."""
    learned: str
    """Link to the differences between the position of the page and now."""
    citations: Mapping[str, str]
    embeds: Sequence[EmbedCode]
    """HTML that frames the answer or the chart of the page on another site."""
    day_ruler: DayRuler
    position_ruler: PositionRuler
    receipt: str
    """Address of the receipt of the answer on the page."""
    receipt_query: str
    """SHA-256 of the query and the moments of this receipt."""
    completeness: Mapping[str, str] | None = None
    """Completeness of the lists behind the page; None for a page that is not about acts."""
    image: str | None = None
    """Address of the page as an image that never changes, with the scheme and host."""
    linked_data: Markup | None = None
    """Description of the page for search engines, as JSON-LD; None for most pages."""
    alert_target: str | None = None
    """Address of the page for alerts by e-mail; None for a page without changes."""

    @property
    def canonical(self) -> str:
        """Return the address for search engines: the present page, or the state that it shows."""
        return f"{self.origin}{self.address}"

    @property
    def live(self) -> Address:
        """Return the address of the page of today with the newest records."""
        return live(self.address)

    @property
    def oembed(self) -> str:
        """Return the address of the description of the page for other sites."""
        return oembed_link(self.origin, self.address)


def frame(
    page: Page, address: Address, data: Mapping[str, Any], shown: Mapping[str, Any], origin: str
) -> Frame:
    """Return the frame of a page for the data of its response and the result of its view."""
    state = data["asOf"]
    changing = [
        day for day in shown.get("change_days", ()) if day and len(day) == len("2025-11-09")
    ]
    changes = sorted(set(changing))
    moment = Moment(
        state["validAt"], state["position"], state["knownAt"], state["logRoot"], changes
    )
    pinned = address.pin(moment.valid_at, moment.position)
    cited = CitedPage(
        title=shown["title"],
        url=f"{origin}{pinned}",
        valid_at=moment.valid_at,
        position=moment.position,
        known_at=moment.known_at,
        log_root=moment.log_root,
        sources=shown.get("sources", ()),
    )
    has_image = CHART in shown.get("charts", {})
    return Frame(
        page,
        address,
        moment,
        pinned,
        origin,
        cited.url,
        graphiql_link(page, pinned),
        [*data_forms(page, address), *feed_forms(page, address)],
        [(name, link) for _, name, link in feed_forms(page, address)],
        downloads(page, address, has_image=has_image),
        compare_link(page, address),
        href("/changes", {"fromPosition": moment.position, "valid": address.valid}),
        citations(cited),
        embed_codes(origin, address, pinned, shown),
        make_day_ruler(
            [date.fromisoformat(day) for day in changing],
            date.fromisoformat(moment.valid_at),
            facts_until=shown.get("facts_until"),
        ),
        make_position_ruler(int(moment.position), positions=shown.get("positions", ())),
        receipt=pinned.as_form(RECEIPT),
        receipt_query=""
        if address.scenario
        else page_digest(receipt_operation(page.document, page.operation, page.variables(pinned))),
        completeness=completeness_of(data),
        image=f"{origin}{pinned.as_form('png')}" if has_image else None,
        linked_data=_linked_data(page, address, shown, cited, origin),
        alert_target=alert_target(page, address),
    )


def _linked_data(
    page: Page, address: Address, shown: Mapping[str, Any], cited: CitedPage, origin: str
) -> Markup | None:
    """Return the description of a page with a `subject`, or of the catalogue on the overview."""
    if page.path == "/":
        return script(catalog(Site(origin, cited.valid_at, cited.position, cited.known_at)))
    if "subject" not in shown:
        return None
    facts = {
        "title": cited.title,
        "description": shown["description"],
        "url": f"{origin}{address}",
        "valid_at": cited.valid_at,
        "position": cited.position,
        "known_at": cited.known_at,
    }
    files = [
        (name, media_type(ending), f"{origin}{link}")
        for ending, name, link in data_forms(page, address)
    ]
    return script(page_dataset(facts, shown["subject"], files, cited.sources, origin))


def alert_target(page: Page, address: Address) -> str | None:
    """Return the address of a page with new events or with a shipment, without its moment."""
    has_feed = any(ending == "atom" for ending, _, _ in feed_forms(page, address))
    if has_feed or (page.follows_check and address.query):
        parameters = {k: v for k, v in address.query.items() if k not in PAGE_PARAMETERS}
        return href(address.path, parameters)
    return None


def completeness_of(data: Mapping[str, Any]) -> Mapping[str, str] | None:
    """Return the completeness in a response: of its moment, of one of its lists or of its entity."""
    parts = [data["asOf"], *data["asOf"].values(), *data.values()]
    recorded = (part.get("completeness") for part in parts if isinstance(part, Mapping))
    return next(filter(None, recorded), None)


def graphiql_link(page: Page, pinned: Address) -> str:
    """Return a link to the query of a page in GraphiQL."""
    variables = orjson.dumps(page.variables(pinned)).decode()
    return f"/graphql?query={quote(page.document.strip(), safe='')}&variables={quote(variables)}"


def compare_link(page: Page, address: Address) -> str:
    """Return the comparison of the effective date with 30 days before, for the mineral and place of a page;
    it depends on the address alone."""
    commodity, place = (page.feed.commodity, page.feed.place) if page.feed else (None, None)
    narrowed = {
        "commodity": address.parameters.get(commodity or ""),
        "place": address.parameters.get(place or ""),
    }
    return href("/changes", {**narrowed, "valid": address.valid, "position": address.position})


def data_forms(page: Page, address: Address) -> list[tuple[str, str, str]]:
    """Return ending, name and address of a page in each form of data."""
    has_table = page.table is not None and page.table.answers(address.parameters)
    forms = FORMS if has_table else FORMS[:1]
    return [(ending, name, address.as_form(ending)) for ending, name in forms]


def feed_forms(page: Page, address: Address) -> list[tuple[str, str, str]]:
    """Return ending, name and address of each feed of a page."""
    feeds = page.feed.addresses(address) if page.feed else []
    return [(ending, FEED_NAMES[ending], feed) for ending, feed in feeds]


def downloads(page: Page, address: Address, has_image: bool) -> list[Download]:
    """Return the files of a page: its tables, its image, and its data as JSON."""
    result: list[Download] = []
    chosen = {**page.defaults(address), **address.parameters}
    for table in (page.table, *page.more_tables):
        if table is None or not table.answers(address.parameters):
            continue
        parameters = {**table.parameters(chosen), **address.moment}
        path = f"/tables/{table.name}"
        files = [(name, href(f"{path}.{ending}", parameters)) for ending, name in TABLE_FORMS]
        files.insert(1, (BARE_CSV, href(f"{path}.csv", {**parameters, "header": "none"})))
        files.append(("Metadata of the CSV file", href(f"{path}.csv-metadata.json", parameters)))
        result.append((table.label or with_capital(table.name.replace("-", " ")), files))
    if has_image:
        result.append(("Image", [(name, address.as_form(ending)) for ending, name in IMAGE_FORMS]))
    return [*result, ("This page", [("JSON", address.as_form("json"))])]
