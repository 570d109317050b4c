"""The ScienceBase catalogue of the USGS: releases with child items and files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from tests.support.publishers.publisher import MISSING, Asked, Page, Publisher, as_json

ITEMS = "/catalog/items"
FOLDER = "5c8c03e4e4b0938824529f7d"
WORLD_2025 = (
    b"Source,Country,Commodity,Type,Unit_meas,Prod_2023,Prod_Est_2024\n"
    b"MCS2025,China,Gallium,Primary production,kilograms,600000,750000\n"
)


@dataclass
class CatalogueItem:
    """An item: a release, or a child of one."""

    id: str
    title: str
    files: dict[str, bytes] = field(default_factory=dict)
    children: list[CatalogueItem] = field(default_factory=list)


@dataclass
class ScienceBase(Publisher):
    """The catalogue. `checksums` are wrong ones that it returns."""

    releases: list[CatalogueItem] = field(default_factory=list)
    page_size: int = 20
    checksums: dict[str, str] = field(default_factory=dict)
    total: int | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def page(self, asked: Asked) -> Page:
        """Return a list of items, an item, or a file."""
        if asked.path == ITEMS:
            parent = self._items().get(asked.parameter("parentId"))
            return self._list(parent.children if parent else self.releases, asked)
        kind, _, name = asked.path.removeprefix("/catalog/").partition("/")
        item = self._items().get(name.removeprefix("get/"))
        if kind == "item" and item is not None:
            return as_json(self._as_json(item, asked, whole=True))
        if kind == "file" and item is not None and asked.parameter("f") in item.files:
            return Page(item.files[asked.parameter("f")], "text/csv", charset="utf-8")
        return MISSING

    def _list(self, items: list[CatalogueItem], asked: Asked) -> Page:
        offset = int(asked.parameter("offset", "0"))
        page: dict[str, Any] = {
            "total": len(items) if self.total is None else self.total,
            "items": [
                self._as_json(item, asked, whole="files" in asked.parameter("fields"))
                for item in items[offset : offset + self.page_size]
            ],
        }
        if offset + self.page_size < len(items):
            target = asked.target.split("&offset=")[0]
            page["nextlink"] = {
                "rel": "next",
                "url": f"{asked.base}{target}&offset={offset + self.page_size}",
            }
        return as_json(page)

    def _as_json(self, item: CatalogueItem, asked: Asked, *, whole: bool) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": item.id,
            "title": item.title,
            "hasChildren": bool(item.children),
            "link": {"rel": "self", "url": f"{asked.base}/catalog/item/{item.id}"},
        }
        if whole and item.files:
            found["files"] = [
                {
                    "name": name,
                    "contentType": "text/csv",
                    "size": len(content),
                    "dateUploaded": "2025-02-01T00:00:00Z",
                    "checksum": {
                        "value": self.checksums.get(name) or hashlib.md5(content).hexdigest(),
                        "type": "MD5",
                    },
                    "url": f"{asked.base}/catalog/file/get/{item.id}?f={name}",
                }
                for name, content in item.files.items()
            ]
        return found

    def _items(self) -> dict[str, CatalogueItem]:
        everything = [item for release in self.releases for item in (release, *release.children)]
        return {item.id: item for item in everything}
