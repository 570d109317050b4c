"""What a search finds events by: the words of all that a fact says, those of codes included. Pure.

Claims on figures have none: they are found by the name of their figure. Nor have fetches of watched
sources that did not fail, which are many, and notes and quotations, which stand in annexes.
"""

from __future__ import annotations

from collections.abc import Iterable
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


def event_words(entity: str, facts: Iterable[RecordedFact]) -> dict[int, str]:
    """The words of the events of an entity by position, each word once; without those events that are
    found by their entity alone."""
    if entity.startswith(WITHOUT_WORDS):
        return {}
    return {
        known.position: _words(entity, known)
        for known in facts
        if not isinstance(known.fact, Fetched | Unchanged)
    }


def _words(entity: str, known: RecordedFact) -> str:
    texts = [entity, known.type.translate(CAPITAL)]
    _add_texts(known.fact, texts)
    found = " ".join(dict.fromkeys([word for text in texts for word in words(text)]))
    return found.encode()[:MAX_DOCUMENT_BYTES].decode(errors="ignore")


def _add_texts(value: Any, texts: list[str]) -> None:
    """Add all texts in a value, however deep, and what codes stand for."""
    match value:
        case TextCommitment() | Decimal() | None:
            return
        case Commodity():
            texts.append(commodity_text(value))
        case Place():
            texts += [place_text(value), other_names(value)]
        case Actor():
            if value.islower():
                texts.append(value)
            else:
                _add_texts(Place(value), texts)
        case Enum():
            texts.append(plain_word(str(value.value)))
        case str():
            texts.append(value)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                _add_texts(getattr(value, name), texts)
        case tuple():
            for one in value:
                _add_texts(one, texts)
