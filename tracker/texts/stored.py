"""Texts of acts in the store of snapshots, split into units, and their redlines."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tracker.domain.controls.text import TextVersion
from tracker.snapshots.store import SnapshotStore

if TYPE_CHECKING:  # their imports would delay every start
    from tracker.texts.redline import Redline
    from tracker.texts.units import Unit

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
MAX_CACHED_TEXTS = 16
MAX_CACHED_REDLINES = 8


class StoredText(NamedTuple):
    """The words of a version and its units."""

    text: str
    units: tuple[Unit, ...]


class StoredTexts:
    """Reads texts from the store of snapshots. It works on one text at a time, in a thread."""

    def __init__(self, snapshots: SnapshotStore):
        self._snapshots = snapshots
        self._texts: dict[str, StoredText] = {}
        self._redlines: dict[tuple[str, str], Redline] = {}
        self._one_at_a_time = asyncio.Lock()

    async def read(self, version: TextVersion, search: str | None = None) -> StoredText | None:
        """Return the text of a version, with all units or those with some words; None if its bytes are not
        stored here, or were redacted."""
        # Reading the row each time removes a redacted text at once.
        info = await self._snapshots.describe(version.sha256)
        if info is None or info.redaction:
            self._texts.pop(version.sha256, None)
            return None
        async with self._one_at_a_time:
            if version.sha256 not in self._texts:
                content = b"".join([chunk async for chunk in self._snapshots.chunks(info)])
                read = await asyncio.to_thread(_read, version.format, content)
                _keep(self._texts, version.sha256, read, MAX_CACHED_TEXTS)
            stored = self._texts[version.sha256]
            return await asyncio.to_thread(_search, stored, search) if search else stored

    async def redline(self, old: TextVersion, new: TextVersion) -> Redline | None:
        """Return the differences between two versions; None if the bytes of one are not stored here."""
        before, after = await self.read(old), await self.read(new)
        if before is None or after is None:
            return None
        key = old.sha256, new.sha256
        async with self._one_at_a_time:
            if key not in self._redlines:
                made = await asyncio.to_thread(_compare, before.text, after.text)
                _keep(self._redlines, key, made, MAX_CACHED_REDLINES)
            return self._redlines[key]


def _keep(cache: dict[K, V], key: K, value: V, limit: int) -> None:
    if len(cache) >= limit:
        cache.pop(next(iter(cache)))
    cache[key] = value


def _read(ending: str, content: bytes) -> StoredText:
    # Here, as it would delay every start.
    from tracker.texts.formats import read_text
    from tracker.texts.units import split_into_units

    text = read_text(f"text.{ending}", content)
    return StoredText(text, tuple(split_into_units(text)))


def _search(stored: StoredText, words: str) -> StoredText:
    from tracker.texts.quotations import has_words  # here, as it would delay every start

    return stored._replace(units=tuple(one for one in stored.units if has_words(one.text, words)))


def _compare(old: str, new: str) -> Redline:
    from tracker.texts.redline import compare_texts  # here, as it would delay every start

    return compare_texts(old, new)
