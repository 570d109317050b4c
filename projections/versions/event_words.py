"""What a search finds events by: the words of all that a fact says, those of codes included. Pure.

Claims on figures have none: they are found by the name of their figure. Nor have fetches of watched
sources that did not fail, which are many, and notes and quotations, which stand in annexes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from projections.versions.search_document import (
    MAX_DOCUMENT_BYTES,
    commodity_text,
    other_names,
    place_text,
    plain_word,
)
from projections.versions.search_text import words
from tracker.domain.commodities import Commodity
from tracker.domain.figure import Figure
from tracker.domain.history import RecordedFact
from tracker.domain.import_receipt import Import
from tracker.domain.places import Place
from tracker.domain.values import Actor, TextCommitment
from tracker.domain.watched_source_facts import Fetched, Unchanged

WITHOUT_WORDS = (f"{Figure.KIND}/", f"{Import.KIND}/")
CAPITAL = str.maketrans({letter: f" {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


def event_words(entity: str, known: RecordedFact) -> str | None:
    """The words of an event, each once; None for those that are found by their entity alone."""
    if entity.startswith(WITHOUT_WORDS) or isinstance(known.fact, Fetched | Unchanged):
        return None
    texts = [entity, known.type.translate(CAPITAL), *_texts(known.fact)]
    found = " ".join(dict.fromkeys(word for text in texts for word in words(text)))
    return found.encode()[:MAX_DOCUMENT_BYTES].decode(errors="ignore")


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, however deep, and what codes stand for."""
    match value:
        case TextCommitment() | Decimal() | None:
            return
        case Commodity():
            yield commodity_text(value)
        case Place():
            yield from (place_text(value), other_names(value))
        case Actor():
            yield from (value,) if value.islower() else _texts(Place(value))
        case Enum():
            yield plain_word(str(value.value))
        case str():
            yield value
        case msgspec.Struct():
            yield from _all([getattr(value, name) for name in value.__struct_fields__])
        case tuple():
            yield from _all(value)


def _all(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield from _texts(value)
