"""The documents: Markdown of the checkout; the build of a wheel copies it into this package."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

if TYPE_CHECKING:
    from schema.pages.docs.markdown import Address, RenderedMarkdown

CHECKOUT = Path(__file__).parents[3]
PACKED = Path(__file__).with_name("files")
"""Directory of the documents in a wheel, at their paths in the checkout (see `setup.py`)."""
FIRST = "README.md"
"""First document; the index and the pages that it links to follow."""
INDEX = "docs/index.md"
DEMO = "http://127.0.0.1:8000"
"""Address of the demo in documents; a server replaces it with its own."""
PATTERNS = ("*.md", "docs/*.md", "docs/*/*.md")
LINK = re.compile(r"\]\(([^)\s#]+)")
NAME = re.compile(r"[a-z][a-z0-9_-]*(/[a-z][a-z0-9_-]*)?")
PICTURES = "docs/screens"


class Document(Struct, frozen=True):
    """A document, with its path in the checkout."""

    name: str
    """Its path in the checkout without `docs/` and `.md`: `time`, `operating/install`."""
    path: str
    text: str


class Pages(Mapping[str, "RenderedMarkdown"]):
    """Pages by their names, each rendered at its first use. Threads may share it."""

    def __init__(self, sources: Mapping[str, tuple[str, Address]]):
        self.sources = sources
        """The Markdown of each page, and the function that converts its links."""
        self._rendered: dict[str, RenderedMarkdown] = {}

    def __getitem__(self, name: str) -> RenderedMarkdown:
        if name not in self._rendered:
            self._rendered[name] = _render(*self.sources[name])
        return self._rendered[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources)

    def __len__(self) -> int:
        return len(self.sources)

    def introduction(self, name: str) -> RenderedMarkdown:
        """Return a page up to its first section, if that is enough for its title and description."""
        text, address = self.sources[name]
        introduction = _render(text.partition("\n## ")[0], address)
        return introduction if introduction.description else self[name]


class Library:
    """All documents, as pages."""

    def __init__(self, documents: Iterable[Document]):
        by_path = {document.path: document for document in documents}
        order = {path: place for place, path in enumerate(reading_order(by_path))}
        self._documents = sorted(by_path.values(), key=lambda each: order[each.path])
        self._names = {document.path: document.name for document in self._documents}

    @property
    def pages(self) -> Pages:
        """Return the pages by their names, in reading order."""
        return Pages(
            {each.name: (each.text, partial(self._address, each)) for each in self._documents}
        )

    def _address(self, document: Document, target: str) -> str | None:
        """Return the address of a link of a document in the product; None without one."""
        parts = urlsplit(target)
        if target.startswith(f"{DEMO}/"):
            return target.removeprefix(DEMO)
        if parts.scheme in ("http", "https"):
            return target
        if parts.scheme or parts.netloc:
            return None
        anchor = f"#{parts.fragment}" if parts.fragment else ""
        if not parts.path:
            return anchor or None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(document.path), parts.path))
        if posixpath.dirname(path) == PICTURES:
            return f"/docs/screens/{posixpath.basename(path)}"
        return f"/docs/{self._names[path]}{anchor}" if path in self._names else None


def reading_order(documents: Mapping[str, Document]) -> list[str]:
    """Return the paths of documents: the README, the index, its pages in their order, the rest by name."""
    linked = LINK.findall(documents[INDEX].text) if INDEX in documents else []
    first = [posixpath.normpath(f"docs/{target}") for target in linked]
    ordered = [path for path in (FIRST, INDEX, *first) if path in documents]
    return list(dict.fromkeys([*ordered, *sorted(documents)]))


def read_documents(directory: Path) -> list[Document]:
    """Read the documents below a directory with the layout of the checkout."""
    return [
        Document(name, path.relative_to(directory).as_posix(), path.read_text("utf-8"))
        for pattern in PATTERNS
        for path in sorted(directory.glob(pattern))
        if NAME.fullmatch(name := name_of(path.relative_to(directory)))
    ]


def name_of(path: Path) -> str:
    """Return the name of a document from its path in the checkout."""
    return path.with_suffix("").as_posix().removeprefix("docs/").lower()


@cache
def directory() -> Path:
    """Return the directory of the documents."""
    return PACKED if PACKED.is_dir() else CHECKOUT


@cache
def pages() -> Pages:
    """Return the pages of all documents, by their names."""
    return Library(read_documents(directory())).pages


def _render(text: str, address: Address) -> RenderedMarkdown:
    from schema.pages.docs.markdown import render  # here, as it would delay every start

    return render(text, address)
