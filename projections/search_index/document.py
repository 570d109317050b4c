"""The search document of a state, with its passages and fields, and the words of events. Pure.

Figures have no passages. They are found by the declared words of their series (see
`projections.query.figure_words`), so millions of them cost a search nothing. Notes and quotations have
none either: they are in annexes, which can be redacted.

Events are found by all words of their fact, including those of codes. Claims on figures have no words;
the name of their figure finds them. Lists of origins and successful polls of watched sources, which are
many, have none either.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from projections.words import words
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.actors.firm import FirmState
from tracker.domain.basics.values import FreeText, TextCommitment, Value
from tracker.domain.catalogue.commodities import Commodity, ancestors
from tracker.domain.catalogue.places import Actor, Place
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.obligation import ObligationState
from tracker.domain.controls.scope import Item
from tracker.domain.controls.text import TextState
from tracker.domain.entities.history import RecordedFact
from tracker.domain.evidence.coverage import CoverageState
from tracker.domain.evidence.import_receipt import Import
from tracker.domain.evidence.watched_source import WatchedSourceState
from tracker.domain.evidence.watched_source_facts import Fetched, Unchanged
from tracker.domain.figures.figure import Figure
from tracker.domain.figures.tariff import LineFact
from tracker.domain.figures.trade_flow import FlowClaimed, TradeFlowState

MAX_DOCUMENT_BYTES = 100_000
"""Maximum of bytes of words per state; PostgreSQL limits a vector to a megabyte."""
MAX_DISPUTES = 20
"""Maximum of indexed accounts per state; the list may be long, and each state repeats it."""


WITHOUT_WORDS = (f"{Figure.KIND}/", f"{Import.KIND}/")
"""Beginnings of the names of entities without documents and without words of their events."""
CAPITAL = str.maketrans({letter: f" {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


class Passage(msgspec.Struct, frozen=True, gc=False):
    """A text of a state, its field, and its weight: A is a name, D a passing mention."""

    field: str
    weight: str
    text: str


class Document(NamedTuple):
    """The words of a state's passages by weight, A to D, and a key of their content."""

    key: str
    words: tuple[str, str, str, str]


def document(state: Value) -> Document | None:
    """Return the document of a state, or None without passages."""
    said = passages(state)
    if not said:
        return None
    by_weight: dict[str, list[str]] = {weight: [] for weight in "ABCD"}
    for passage in said:
        by_weight[passage.weight].extend(words(passage.text))
    left, parts = MAX_DOCUMENT_BYTES, []
    for found in by_weight.values():
        part = " ".join(found)
        if len(part.encode()) > left:
            part = " ".join(dict.fromkeys(found)).encode()[: max(left, 0)].decode(errors="ignore")
        left -= len(part.encode())
        parts.append(part)
    a, b, c, d = parts
    key = blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
    return Document(key, (a, b, c, d))


def passages(state: Value) -> list[Passage]:
    """Return the passages of a state, highest weight of each field first."""
    return [passage for passage in _passages(state) if passage.text]


def _passages(state: Value) -> Iterator[Passage]:
    match state:
        case AllianceState():
            yield Passage("name", "A", state.name)
            yield Passage("key", "A", state.id)
            yield from (Passage("formerNames", "B", name) for name in state.former_names)
            yield from _places("members", [member.place for member in state.members])
            yield from (Passage(*link) for link in _links(state))
            yield Passage("purpose", "C", state.purpose or "")
        case FirmState():
            yield Passage("name", "A", state.name)
            yield Passage("key", "A", state.id)
            yield from (Passage("also", "B", name) for name in state.also)
            yield from (Passage("formerNames", "B", name) for name in state.former_names)
            yield from _places("place", [state.place] if state.place else [])
        case AnnouncementState():
            yield from _of_announcement(state)
        case ExportControlState():
            yield from _of_control(state)
        case WatchedSourceState():
            yield Passage("name", "A", state.name)
            yield Passage("key", "A", state.id)
            yield Passage("publisher", "B", state.publisher)
            yield from _places("issuers", state.issuers)
            yield Passage("covers", "C", state.covers or "")
        case CoverageState():
            yield Passage("name", "A", state.name)
            yield Passage("key", "A", state.id)
            yield from _places("issuer", [state.issuer])
            yield from (Passage("leftOut", "C", text) for text in state.left_out)
        case ObligationState():
            yield Passage("act", "A", state.act)
            yield Passage("key", "A", state.id)
            yield Passage("unit", "B", state.unit)
            yield from _places("issuer", [state.issuer])
            yield from _commodities("commodities", state.commodities)
            yield Passage("sentence", "C", state.sentence)
            yield from _free_text("quotation", state.quotation)
        case TextState():
            yield Passage("act", "A", state.act)
            yield Passage("key", "A", state.id)
            yield from _places("issuer", [state.issuer])
            for document in dict.fromkeys(one.document for one in state.versions):
                yield Passage("document", "B", document or "")
        case TradeFlowState():
            yield Passage("key", "A", state.id)
            yield Passage("hsCode", "A", state.hs_code)
            yield from _places("importer", [state.importer])
            goods = state.concordance
            yield from _commodities("commodities", goods.commodities if goods else ())


def _links(state: AllianceState) -> Iterator[tuple[str, str, str]]:
    yield "partOf", "C", state.part_of or ""
    yield "replaces", "C", state.replaces or ""
    yield "succeededBy", "C", state.succeeded_by or ""


def _of_announcement(state: AnnouncementState) -> Iterator[Passage]:
    yield from _titles(state)
    yield Passage("key", "A", state.id)
    yield Passage("topic", "B", state.topic or "")
    yield from (Passage("firms", "B", firm) for firm in state.firms)
    yield from _places("actors", state.actors)
    yield from _commodities("commodities", state.commodities)
    yield Passage("kind", "C", state.kind)
    yield from (Passage("about", "C", about) for about in state.about)
    yield from (Passage("amounts", "C", amount.label) for amount in state.amounts)
    yield from _free_text("note", state.note)
    yield from _free_text("quotation", state.quotation)


def _titles(state: AnnouncementState | ExportControlState) -> Iterator[Passage]:
    yield Passage("title", "A", state.title)
    yield Passage("originalTitle", "A", state.original_title.text if state.original_title else "")


def _of_control(state: ExportControlState) -> Iterator[Passage]:
    yield from _titles(state)
    yield Passage("instrument", "A", state.instrument or "")
    yield Passage("key", "A", state.id)
    yield from _places("issuer", [state.issuer])
    clauses = [item.clause for item in state.clauses]
    yield from _commodities("commodities", [id for clause in clauses for id in clause.commodities])
    yield Passage("direction", "C", state.direction)
    for item in state.clauses:
        yield from _of_clause(item.clause)
        for suspension in item.partial_suspensions:
            yield from (Passage("clauses", "B", firm) for firm in suspension.entities)
    for dispute in state.disputes[:MAX_DISPUTES]:
        yield Passage("disputes", "D", dispute.account)
        yield Passage("disputes", "D", dispute.judged or "")


def _of_clause(clause: Clause) -> Iterator[Passage]:
    """Yield a passage for each text of a clause."""
    yield from (Passage("clauses", "B", firm) for firm in (*clause.entities, *clause.exporters))
    yield Passage("clauses", "B", plain_word(clause.measure))
    for item in (*clause.items, *clause.exempt_items):
        yield Passage("clauses", "C", _of_item(item))
    for text in (
        clause.end_use,
        clause.exemptions,
        clause.rate_text,
        clause.end_condition,
        *(exception.note for exception in clause.exceptions),
    ):
        yield Passage("clauses", "C", text or "")
    yield Passage("clauses", "C", plain_word(clause.covers))
    yield Passage("clauses", "C", plain_word(", ".join(clause.forms)))
    yield from _places("clauses", (*clause.destinations, *clause.origins), "C")
    yield from _places("clauses", [at for one in clause.exceptions for at in one.places], "D")
    yield from _free_text("clauses", clause.note)


def _of_item(item: Item) -> str:
    """Return the goods of a clause, with their codes."""
    return ", ".join(part for part in (item.name, item.code, *item.hs, item.threshold) if part)


def plain_word(word: str) -> str:
    """Return a vocabulary word as plain text."""
    return word.replace("_", " ")


def _free_text(field: str, text: FreeText | None) -> Iterator[Passage]:
    """Yield a text that an event from before annexes contains."""
    if isinstance(text, str):
        yield Passage(field, "D", text)


def _places(field: str, actors: Iterable[str], weight: str = "B") -> Iterator[Passage]:
    """Yield places by name, codes and other names; alliances by their keys."""
    for actor in dict.fromkeys(actors):
        if actor.islower():
            yield Passage(field, weight, actor)
        else:
            yield Passage(field, weight, place_text(actor))
            yield Passage(field, "D", other_names(actor))


def _commodities(field: str, ids: Iterable[str]) -> Iterator[Passage]:
    """Yield commodities by all names, by Harmonized System codes, and by the names of their groups.

    A search for rare earths also finds dysprosium.
    """
    named = list(dict.fromkeys(map(Commodity, ids)))
    for commodity in named:
        yield Passage(field, "B", commodity_text(commodity))
        yield Passage(field, "C", ", ".join(commodity.hs_codes))
    above = dict.fromkeys(higher for commodity in named for higher in ancestors(commodity))
    for higher in above:
        if higher not in named:
            yield Passage(field, "D", commodity_text(higher))


@cache
def place_text(code: str) -> str:
    """Return the searchable name and codes of a place."""
    place = Place(code)
    return f"{place.name} ({', '.join(filter(None, [code, place.alpha3]))})"


@cache
def other_names(code: str) -> str:
    """Return publishers' other names of a place."""
    return ", ".join(Place(code).also)


@cache
def commodity_text(id: str) -> str:
    """Return the searchable name, key and other names of a commodity."""
    commodity = Commodity(id)
    names = {name.casefold(): name for name in (*commodity.also, plain_word(id), commodity.name)}
    return ", ".join([commodity.name, *(n for n in names.values() if n != commodity.name)])


def event_words(entity: str, facts: Iterable[RecordedFact]) -> dict[int, str]:
    """Return the distinct words of an entity's events by position.

    Successful polls of watched sources, lists of origins and tariff lines are left out.
    """
    return {
        known.position: _event_text(entity, known)
        for known in facts
        if not isinstance(known.fact, Fetched | Unchanged | FlowClaimed | LineFact)
    }


def _event_text(entity: str, known: RecordedFact) -> str:
    texts = [entity, known.type.translate(CAPITAL)]
    _add_texts(known.fact, texts)
    found = " ".join(dict.fromkeys([word for text in texts for word in words(text)]))
    return found.encode()[:MAX_DOCUMENT_BYTES].decode(errors="ignore")


def _add_texts(value: Any, texts: list[str]) -> None:
    """Add all texts in a nested value, and the names of codes."""
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
