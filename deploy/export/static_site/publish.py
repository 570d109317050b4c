"""Publication of a static site: a crawl of the pages at one moment, through the application itself."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import msgspec
from msgspec import Struct
from starlette.applications import Starlette

from deploy.export.static_site.addresses import (
    EXPLANATION,
    LOG,
    RECEIPTS,
    Addresses,
    Reason,
    bare_file,
)
from deploy.export.static_site.files import SiteFiles
from deploy.export.static_site.pages import HOST, StaticPages
from deploy.export.static_site.receipts import ENDING as RECEIPT_ENDING
from deploy.export.static_site.receipts import lasting_receipt
from deploy.export.static_site.requests import Reply, get
from projections.fold.replay import STATE_FORMAT
from projections.query.moment import Moment
from schema.pages.docs.docs import sections
from schema.pages.registry import PAGES
from schema.pages.site.address import PATHS, Address, href
from schema.pages.site.frame import Session
from schema.pages.site.html import around
from schema.pages.site.templates import environment
from schema.services import Services
from schema.tables.csv_metadata import ENDING as METADATA
from schema.tables.formats import LICENCE, PRODUCT
from schema.tables.table import tables
from tracker.domain.entities.entity import has_reserved_ending

WORKERS = 3
"""Concurrent requests: one is rendered while others wait for the database."""
RETRIES = 2
"""Repetitions of a request that fails with a server error, such as a timeout."""
TEXT_TYPES = ("application/json", "application/csvm+json", "image/svg+xml", "text/csv")
HTML = "text/html"
LEADING_COMMENTS = re.compile(rb"\A(?:#[^\n]*\n)*")
Report: TypeAlias = Callable[[int, int], None]
"""A function that gets the number of files made so far, and of those that are known."""


class SiteMoment(Struct, frozen=True):
    """The moment of a site."""

    moment: Moment
    known_at: datetime | None
    digest: str

    @property
    def valid(self) -> str:
        """Return the effective date."""
        return self.moment.valid_at.isoformat()

    def lines(self) -> dict[str, Any]:
        """Return the moment, digest and licence, for the manifest."""
        return {
            "product": PRODUCT,
            "valid_at": self.valid,
            "position": str(self.moment.position),
            "known_at": self.known_at.isoformat() if self.known_at else None,
            "digest": f"sha256 {self.digest}",
            "state_format": STATE_FORMAT,
            "licence": LICENCE,
        }


@dataclass(slots=True)
class Crawl:
    """The crawl of an application: each linked page and file once."""

    app: Starlette
    pages: StaticPages
    files: SiteFiles
    report: Report
    missing: dict[str, str] = field(default_factory=dict)
    """Status by address of pages and files that the application did not return."""
    pages_written: int = 0
    _files_seen: set[str] = field(default_factory=set)
    _made: int = 0

    async def run(self, required: Sequence[str], optional: Sequence[str]) -> None:
        """Write all pages and files that these addresses lead to; skip `optional` ones that fail."""
        queue = asyncio.Queue[tuple[str, bool]]()
        for addresses, is_optional in ((required, False), (optional, True)):
            for address in addresses:
                self._enqueue(queue, address, is_optional)

        async def work() -> None:
            while True:
                address, is_optional = await queue.get()
                for link in await self._write(address, is_optional):
                    self._enqueue(queue, link, False)
                self._made += 1
                self.report(self._made, len(self._files_seen))
                queue.task_done()

        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(work()) for _ in range(WORKERS)]
                await queue.join()
                for worker in workers:
                    worker.cancel()
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def _enqueue(
        self, queue: asyncio.Queue[tuple[str, bool]], address: str, is_optional: bool
    ) -> None:
        address = address.replace("header=none", "header=true")  # `write` makes both files of it
        file = self.pages.addresses.file_of(address)
        if isinstance(file, Reason) or file in self._files_seen or file.startswith(f"{LOG}/"):
            return
        self._files_seen.add(file)
        queue.put_nowait((address, is_optional))

    async def _write(self, address: str, is_optional: bool) -> list[str]:
        """Write the file of an address, and return the addresses that it links to."""
        reply = await self._get(address)
        if reply.status != 200:
            if not is_optional:
                self.missing[address] = str(reply.status)
            return []
        file = self.pages.addresses.file_of(address)
        assert not isinstance(file, Reason)
        return self.write(file, reply)

    async def _get(self, address: str) -> Reply:
        for _ in range(1 + RETRIES):
            reply = await get(self.app, address, HOST)
            if reply.status < 500:
                break
        return reply

    def write(self, file: str, reply: Reply) -> list[str]:
        """Write a response as a file, and return the addresses that it links to."""
        content, links = reply.body, list[str]()
        if reply.media_type == HTML:
            page, links = self.pages.page(content.decode(), file)
            content = page.encode()
            self.pages_written += 1
        elif file.endswith(RECEIPT_ENDING):  # signed, so unchanged
            content = lasting_receipt(self.files.present(file), content)
        elif reply.media_type in TEXT_TYPES:
            content = self.pages.text(
                content.decode(), markup=reply.media_type == "image/svg+xml"
            ).encode()
        self.files.write(file, content)
        if reply.media_type == "text/csv":
            self.files.write(bare_file(file), LEADING_COMMENTS.sub(b"", content))
        return links


async def publish_site(
    app: Starlette,
    files: SiteFiles,
    of: SiteMoment,
    addresses: Addresses,
    base_url: str,
    report: Report,
    copy_log: Callable[[], Awaitable[object]],
) -> Crawl:
    """Write the site of a moment beside the present files, and put it in place.

    The log, if the site has one, is copied last, so that it covers the checkpoints of all receipts. Addresses
    that the application did not return are `missing`; their links lead nowhere. Raises InvalidInput if a
    file cannot be written.
    """
    pages = StaticPages(addresses, base_url)
    crawl = Crawl(app, pages, files, report)
    crawl.write(EXPLANATION, Reply(200, HTML, _explanation(of, addresses).encode()))
    if "docs" not in addresses.omitted:
        files.write("docs/sections.json", msgspec.json.encode(sections(with_types=True)))
    await crawl.run(list(_pages(addresses)), list(_tables(addresses)))
    if addresses.has_log:
        await copy_log()
        files.add_directory(LOG)
    files.finish(
        {
            **of.lines(),
            "base_url": None if base_url == "/" else base_url,
            "omitted": sorted(addresses.omitted),
            "missing": crawl.missing,
        }
    )
    return crawl


async def entities_without_page(services: Services, missing: Iterable[str]) -> set[str]:
    """Return the missing addresses of entities of older logs whose ids end like files.

    The server answers such an address with a file of another page, so no page can have it.
    """
    kinds = {section: kind for kind, section in PATHS.items()}
    streams = {}
    for address in missing:
        section, _, key = unquote(urlsplit(address).path)[1:].partition("/")
        if section in kinds and has_reserved_ending(key):
            streams[f"{kinds[section]}/{key}"] = address
    recorded = await services.recorder.existing_streams([*streams])
    return {streams[stream] for stream in recorded}


def _pages(addresses: Addresses) -> Iterator[str]:
    """Yield the addresses of the pages that need no key, and of the documentation."""
    for page in PAGES:
        if "{" not in page.path:
            yield href(page.path, addresses.moment)
    yield "/docs"


def _tables(addresses: Addresses) -> Iterator[str]:
    """Yield the addresses of all tables; those that need a parameter are in the links of pages."""
    for name in tables():
        for ending in (".csv", ".json", METADATA):
            yield href(f"/tables/{name}{ending}", addresses.moment)


def _explanation(of: SiteMoment, addresses: Addresses) -> str:
    """Return the page that explains missing pages and files, with a section for each reason."""
    at = Address("/", valid=addresses.valid, position=addresses.position)
    return (
        environment()
        .get_template("site/not_published.html")
        .render(
            **around(at, None, Session()),
            title="Not in this published copy",
            valid_at=of.valid,
            position=of.moment.position,
            known_at=of.known_at and of.known_at.isoformat(),
            omitted=sorted(addresses.omitted - {RECEIPTS}),
        )
    )


async def site_moment(
    services: Services, valid_at: date | None, position: int | None
) -> SiteMoment:
    """Return the moment of a site. Raises InvalidInput for a position that does not exist."""
    moment = await services.as_of.resolve(valid_at, position=position)
    at = moment.position
    events = await services.recorder.read(at - 1, limit=1) if at else []
    known_at = events[0].recorded_at if events else None
    return SiteMoment(moment, known_at, await services.as_of.digest(moment))
