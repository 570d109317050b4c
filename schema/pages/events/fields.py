"""Fields of the data of an event for a page, each with its location in the entry. Pure.

A page must show every value of the entry, so that a script can compare it with the proven bytes. Each value
is marked with its JSON Pointer and its format. Values of unknown fields are written unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from schema.pages.site.address import entity_path, path_of
from tracker.domain.basics.toml_files import read_toml
from tracker.domain.catalogue.places import Place
from tracker.domain.wording import phrases
from tracker.errors import InvalidInput

DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?", re.ASCII)
DECIMAL = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
NUMBERS = frozenset({"value", "upper", "ratePercent", "rateUpToPercent", "deMinimisPercent"})
DECLARED: Mapping[str, Any] = read_toml(__file__)
WORDS = frozenset(DECLARED["words"])
"""Fields with words in which underscores become spaces."""
ACTORS = frozenset(DECLARED["actors"])
"""Fields of places (`CN`) and alliances (`quad`)."""
YEARS = frozenset({"period", "asOf"})
LABELS = {"on": "Day", "hs": "HS codes", "asOf": "As of the year", "sha256": "SHA-256"}
SOURCES = frozenset({"source", "moreSources"})
TEXTS = frozenset({"note", "quotation"})
LABELS_OF_TEXTS = {"note": "Remark", "quotation": "Quotation"}


class ShownValue(Struct, frozen=True):
    """A value with its pointer in the entry, its format and its text."""

    pointer: str
    form: str
    text: str
    name: str = ""
    """Name for a code; it is not part of the entry."""
    path: str | None = None
    """Path of the page of the named entity."""


class AnnexText(Struct, frozen=True):
    """A text that the entry commits to; without `text` it was redacted."""

    pointer: str
    text: str | None
    redaction: Mapping[str, Any] | None


class Field(Struct, frozen=True):
    """A field: its values, its text beside the entry, or its subfields."""

    label: str
    values: tuple[ShownValue, ...] = ()
    annex: AnnexText | None = None
    parts: tuple[tuple[Field, ...], ...] = field(default=())


def entry_fields(data: Mapping[str, Any], annexes: list[Mapping[str, Any]]) -> list[Field]:
    """Return the fields of an event without its sources, its own texts last."""
    texts = {annex["field"]: annex for annex in annexes}
    names = [name for name in data if name not in SOURCES]
    ordered = sorted(names, key=lambda name: name in TEXTS)
    return [_field(name, data[name], f"/data/{name}", texts) for name in ordered]


def _field(name: str, value: Any, pointer: str, texts: Mapping[str, Mapping[str, Any]]) -> Field:
    label = LABELS_OF_TEXTS.get(name) or label_of(name)
    if isinstance(value, Mapping):
        if "commitment" in value:
            return Field(label, annex=_annex(pointer.removeprefix("/data"), texts))
        return Field(label, parts=(_parts(value, pointer, texts),))
    if not isinstance(value, list):
        return Field(label, (shown(name, value, pointer),))
    if any(isinstance(one, Mapping) for one in value):
        groups = (_parts(one, f"{pointer}/{index}", texts) for index, one in enumerate(value))
        return Field(label, parts=tuple(groups))
    values = (shown(name, one, f"{pointer}/{index}") for index, one in enumerate(value))
    return Field(label, tuple(values))


def _parts(
    value: Mapping[str, Any], pointer: str, texts: Mapping[str, Mapping[str, Any]]
) -> tuple[Field, ...]:
    return tuple(_field(name, one, f"{pointer}/{name}", texts) for name, one in value.items())


def _annex(pointer: str, texts: Mapping[str, Mapping[str, Any]]) -> AnnexText:
    annex = texts.get(pointer, {})
    return AnnexText(pointer, annex.get("text"), annex.get("redaction"))


def shown(name: str, value: Any, pointer: str) -> ShownValue:
    """Return a value of a field as written on the page."""
    if isinstance(value, bool):
        return ShownValue(pointer, "yes", "yes" if value else "no")
    text = str(value)
    if isinstance(value, int):
        if name in YEARS:
            return ShownValue(pointer, "text", text)
        return ShownValue(pointer, "number", phrases.number(text))
    if name in NUMBERS and DECIMAL.fullmatch(text):
        return ShownValue(pointer, "number", phrases.number(text))
    if name in WORDS:
        path = path_of("commodities", text) if name in ("commodities", "commodity") else None
        return ShownValue(pointer, "words", phrases.word_phrase(text), path=path)
    if name in ACTORS:
        return _actor(pointer, text)
    if DATE.fullmatch(text):
        return ShownValue(pointer, "day", phrases.short_date(text))
    return ShownValue(pointer, "text", text, path=_page_of(text))


def shown_time(recorded_at: str) -> ShownValue:
    """Return the time of recording, to the second."""
    day, _, clock = recorded_at.partition("T")
    return ShownValue("/time", "time", f"{phrases.short_date(day)}, {clock[:8]}{phrases.NBSP}UTC")


def _actor(pointer: str, code: str) -> ShownValue:
    try:
        name, room = Place(code).name, "places"
    except InvalidInput:
        name, room = "", "alliances"
    return ShownValue(pointer, "text", code, name, path_of(room, code))


def _page_of(text: str) -> str | None:
    """Return the page of an entity, if a text is the name of one."""
    return entity_path(text) if re.fullmatch(r"[a-z-]+(/[A-Za-z0-9_.-]+)+", text) else None


def label_of(name: str) -> str:
    """Return the name of a field in words: `inForceFrom` is `In force from`."""
    return LABELS.get(name) or phrases.with_capital(phrases.field_phrase(name))


def pointers(fields: list[Field]) -> Iterator[str]:
    """Yield the pointers of the values of fields in the entry."""
    for one in fields:
        yield from (value.pointer for value in one.values)
        if one.annex:
            yield f"/data{one.annex.pointer}"
        for part in one.parts:
            yield from pointers(list(part))
