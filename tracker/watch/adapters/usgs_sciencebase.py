"""Data releases of the USGS Mineral Commodity Summaries, in the catalogue ScienceBase.

Source: www.sciencebase.gov/catalog, items as JSON. A release is an item, identified by its title. Its files,
and those of its child items, are listed with checksums. A file with a new checksum is fetched, verified, and
proposed for import by the reader `usgs`. Files that this reader does not recognise, and files that are not
tables, are left to a person.
"""

import hashlib
import re
from collections.abc import Generator, Iterator, Mapping
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Annotated, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from msgspec import Meta, Struct

from tracker.review.finding import Finding, ImportProposal, Lead, LeadCode, Origin
from tracker.sources.reader import HEAD_BYTES
from tracker.sources.readers import usgs
from tracker.watch import adapter
from tracker.watch.json_answers import read_json
from tracker.watch.listing import address_in, fetch

ACCEPT = "application/json"
RELEASE = re.compile(r"Mineral Commodity Summaries (?P<year>20[0-9]{2})\b", re.IGNORECASE)
MAX_PAGES = 20
MAX_FILES = 60
"""Maximum number of files fetched in a poll; the others wait for the next."""
CHECKSUMS = {"MD5": "md5", "SHA-1": "sha1", "SHA1": "sha1", "SHA-256": "sha256", "SHA256": "sha256"}

T = TypeVar("T")
Name = Annotated[str, Meta(pattern=r"\S", max_length=1000)]


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Selection of releases: those from the edition `since_edition` on.

    `tables` are name patterns of files to fetch, `ignore` of files that need no review.
    """

    since_edition: Annotated[int, Meta(ge=2000, le=2100)]
    tables: tuple[str, ...] = ("*.csv",)
    ignore: tuple[str, ...] = ("*.xml", "*.html")


class Checksum(Struct, frozen=True):
    """The checksum of a file in the catalogue."""

    value: str
    type: str = "MD5"


class CatalogueFile(Struct, frozen=True, rename="camel"):
    """A file of an item."""

    name: Name
    url: str | None = None
    download_uri: str | None = None
    size: int | None = None
    checksum: Checksum | None = None
    date_uploaded: str | None = None

    @property
    def version(self) -> str:
        """Return a text that changes with the content, according to the catalogue."""
        return self.checksum.value if self.checksum else f"{self.size}@{self.date_uploaded}"


class Item(Struct, frozen=True, rename="camel"):
    """An item of the catalogue."""

    id: Name
    title: Name
    has_children: bool = False
    files: list[CatalogueFile] | None = None


class Link(Struct, frozen=True):
    """A link to another page."""

    url: str


class ItemPage(Struct, frozen=True):
    """A page of a list of items."""

    total: int
    items: list[Item]
    nextlink: Link | None = None


class ReleaseFile(Struct, frozen=True):
    """A file of a release, with the snapshot of the response that lists it."""

    year: int
    item: Item
    file: CatalogueFile
    listed_in: adapter.Response

    @property
    def key(self) -> str:
        """Return the key of the file in the cursor."""
        return f"{self.item.id}/{self.file.name}"[-200:]

    @property
    def title(self) -> str:
        """Return the title of the file for people."""
        return f"{self.item.title}: {self.file.name}"

    @property
    def origin(self) -> Origin:
        """Return the origin of the file's listing."""
        base = self.listed_in.url
        address = address_in(self.file.download_uri or self.file.url, base)
        return Origin(
            item=self.key,
            title=self.title,
            sha256=self.listed_in.sha256,
            url=address or base,
            place=f"files[{self.file.name}]",
            language="en",
        )


def poll(
    settings: adapter.SourceSettings, cursor: adapter.Cursor, today: date
) -> adapter.PollSteps:
    """Poll for releases, then for files of them that are new, changed or removed."""
    options: Options = settings.options
    known: Mapping[str, list[str]] = cursor.get("files", {})
    files = yield from _all_files(settings.address, options.since_edition)
    changed = [f for key, f in sorted(files.items()) if known.get(key, [""])[0] != f.file.version]
    left = [each.key for each in _select_files(changed, options)[MAX_FILES:]]
    unread = set(left)
    for each in changed:
        if each.key not in left and not (
            yield from _describe_release_file(each, options, each.key not in known)
        ):
            unread.add(each.key)
    for key in sorted(known.keys() - files.keys()):
        yield _missing_lead(key, known[key][1], settings.address)
    now = {key: [f.file.version, f.title[:150]] for key, f in files.items() if key not in unread}
    now |= {key: known[key] for key in unread if key in known}
    warnings = (f"{len(left)} files are left for the next poll",) if left else ()
    covers_until = None if unread else today - timedelta(days=1)
    return adapter.PollResult({"files": now}, covers_until, warnings)


def _all_files(
    address: str, since_edition: int
) -> Generator[adapter.Request | Finding, adapter.Response | None, dict[str, ReleaseFile]]:
    """Return the files of all releases from an edition on. Raises NotUnderstood if there is no release."""
    items = yield from _items(address)
    releases = [
        (int(named["year"]), item) for _, item in items if (named := RELEASE.search(item.title))
    ]
    if not releases:
        raise adapter.NotUnderstood(f"{address}: none of {len(items)} items is a release of MCS")
    files: dict[str, ReleaseFile] = {}
    for year, release in releases:
        if year >= since_edition:
            of_release = yield from _release_files(address, year, release)
            files |= {each.key: each for each in of_release}
    return files


def _describe_release_file(
    file: ReleaseFile, options: Options, is_new: bool
) -> Generator[adapter.Request | Finding, adapter.Response | None, bool]:
    """Report a new or changed file; return whether it was available."""
    try:
        finding = yield from _finding(file, options, is_new=is_new)
    except adapter.FetchFailed as failure:
        reason = f"A table of a release could not be fetched: {failure.message}"
        yield Lead(file.origin, reason, LeadCode.NOT_READ)
        return False
    if finding is not None:
        yield finding
    return True


def _select_files(changed: list[ReleaseFile], options: Options) -> list[ReleaseFile]:
    return [
        each
        for each in changed
        if _fits(each.file.name, options.tables) and not _fits(each.file.name, options.ignore)
    ]


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _items(
    address: str,
) -> Generator[
    adapter.Request | Finding, adapter.Response | None, list[tuple[adapter.Response, Item]]
]:
    """Return all items of a list, each with its page.

    Raises NotUnderstood, with the code `INCOMPLETE` if the number differs from the catalogue's count.
    """
    items: dict[str, tuple[adapter.Response, Item]] = {}
    url: str | None = address
    for _ in range(MAX_PAGES):
        if url is None:
            break
        response = yield from fetch(adapter.Request(url, accept=ACCEPT))
        page = read_json(response, ItemPage)
        items |= {item.id: (response, item) for item in page.items}
        link = page.nextlink.url if page.nextlink and page.items else None
        url = address_in(link, response.url)
    if url is not None or len(items) != page.total:
        raise adapter.NotUnderstood(
            f"{address}: {len(items)} of {page.total} items were returned", code="INCOMPLETE"
        )
    return list(items.values())


def _release_files(
    address: str, year: int, release: Item
) -> Generator[adapter.Request | Finding, adapter.Response | None, list[ReleaseFile]]:
    catalogue = urljoin(address, urlsplit(address).path.rpartition("/")[0] + "/")
    response = yield from fetch(
        adapter.Request(f"{catalogue}item/{release.id}?format=json", accept=ACCEPT)
    )
    whole = read_json(response, Item)
    files = list(_files_of(year, whole, response))
    if whole.has_children or release.has_children:
        query = {"parentId": release.id, "format": "json", "max": 100, "fields": "title,files"}
        children = yield from _items(f"{catalogue}items?{urlencode(query)}")
        for listed_in, child in children:
            files += _files_of(year, child, listed_in)
    return files


def _files_of(year: int, item: Item, listed_in: adapter.Response) -> Iterator[ReleaseFile]:
    for file in item.files or []:
        yield ReleaseFile(year, item, file, listed_in)


def _finding(
    file: ReleaseFile, options: Options, *, is_new: bool
) -> Generator[adapter.Request | Finding, adapter.Response | None, Finding | None]:
    """Return the finding for a new or changed file; None for one that needs no review."""
    if _fits(file.file.name, options.ignore):
        return None
    if not _fits(file.file.name, options.tables):
        reason = "A file of a release that is not a table: a person must read it"
        return Lead(file.origin, reason, LeadCode.ANNOUNCED)
    if file.origin.url == file.listed_in.url:
        return Lead(file.origin, "A table of a release without an address", LeadCode.NOT_READ)
    response = yield from fetch(adapter.Request(file.origin.url))
    _check_content(response, file.file)
    return _proposal(file, response, is_new=is_new)


def _check_content(response: adapter.Response, file: CatalogueFile) -> None:
    """Compare a file with the catalogue. Raises NotUnderstood (`TRUNCATED`)."""
    algorithm = CHECKSUMS.get(file.checksum.type.upper()) if file.checksum else None
    if file.checksum and algorithm:
        digest = hashlib.new(algorithm, response.content, usedforsecurity=False).hexdigest()
        if digest != file.checksum.value.strip().lower():
            raise adapter.NotUnderstood(
                f"{response.url}: {len(response.content):,} bytes that hash to {digest}, not to the"
                f" {file.checksum.value} of the catalogue",
                code="TRUNCATED",
            )
    elif file.size is not None and file.size != len(response.content):
        raise adapter.NotUnderstood(
            f"{response.url}: expected {file.size:,} bytes, got {len(response.content):,}",
            code="TRUNCATED",
        )


def _proposal(file: ReleaseFile, response: adapter.Response, *, is_new: bool) -> Finding:
    place = Origin(
        item=file.key, title=file.title, sha256=response.sha256, url=file.origin.url, language="en"
    )
    head = response.content[:HEAD_BYTES]
    for name in (file.file.name, f"mcs{file.year}-{file.file.name}"):
        if usgs.READER.recognise(head, name):
            reason = f"A table of the edition of {file.year}, which " + (
                "was not seen before" if is_new else "has another text than before"
            )
            return ImportProposal(place, reason, reader="usgs", file_name=name)
    return Lead(place, "A table of a release that no reader recognises", LeadCode.NOT_READ)


def _missing_lead(key: str, title: str, address: str) -> Lead:
    origin = Origin(item=key, title=title, sha256=None, url=address, language="en")
    return Lead(origin, "The catalogue no longer lists the file", LeadCode.WITHDRAWN)


ADAPTER = adapter.Adapter(
    name="usgs-sciencebase",
    title="Data releases of USGS Mineral Commodity Summaries (ScienceBase)",
    Options=Options,
    poll=poll,
)
