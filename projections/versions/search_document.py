"""What a search looks in: the passages of a state, each with the field that says it. Pure.

Figures have no passages: they are found by the words of their series, which are declared (see
`projections.query.figure_words`), so that millions of them cost a search nothing. Notes and
quotations are none either: they stand in annexes, and have to vanish with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from projections.versions.search_text import words
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.clause import Clause
from tracker.domain.commodities import Commodity, ancestors
from tracker.domain.coverage import CoverageState
from tracker.domain.export_control import ExportControlState
from tracker.domain.firm import FirmState
from tracker.domain.places import Place
from tracker.domain.scope import Item
from tracker.domain.values import FreeText, Value
from tracker.domain.watched_source import WatchedSourceState

MAX_DOCUMENT_BYTES = 100_000
"""Bytes of words that one state is found by: PostgreSQL takes no vector above a megabyte."""
MAX_DISPUTES = 20
"""Accounts that one state is found by: the list of them may be long, and each state repeats it."""
MIN_CORRECTED_LETTERS = 4
"""Letters of a word that may be misspelt; shorter ones are like too many others."""
MAX_CORRECTED_LETTERS = 40


class Passage(msgspec.Struct, frozen=True, gc=False):
    """A text of a state, its field, and how much it weighs: A is a name, D is said in passing."""

    field: str
    weight: str
    text: str


class Document(NamedTuple):
    """The words of the passages of a state by their weights, A to D, and a key that tells them from
    others."""

    key: str
    words: tuple[str, str, str, str]


def document(state: Value) -> Document | None:
    """The document of a state; None for one without passages."""
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
    """The passages of a state, the weightiest of each field first."""
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
    """What a clause says; a passage for each of its texts."""
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
    """The goods of a clause, with their codes."""
    return ", ".join(part for part in (item.name, item.code, *item.hs, item.threshold) if part)


def plain_word(word: str) -> str:
    """A word of the vocabulary as people write it."""
    return word.replace("_", " ")


def _free_text(field: str, text: FreeText | None) -> Iterator[Passage]:
    """A text that stands in an event of before there were annexes."""
    if isinstance(text, str):
        yield Passage(field, "D", text)


def _places(field: str, actors: Iterable[str], weight: str = "B") -> Iterator[Passage]:
    """Places by name and codes, and what else they are called; alliances by their keys."""
    for actor in dict.fromkeys(actors):
        if actor.islower():
            yield Passage(field, weight, actor)
        else:
            yield Passage(field, weight, place_text(actor))
            yield Passage(field, "D", other_names(actor))


def _commodities(field: str, ids: Iterable[str]) -> Iterator[Passage]:
    """Commodities by all of their names, by their codes in the Harmonized System, and by the names of
    what they belong to: who looks for rare earths means dysprosium too."""
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
    """A place as it is found: its name and codes."""
    place = Place(code)
    return f"{place.name} ({', '.join(filter(None, [code, place.alpha3]))})"


@cache
def other_names(code: str) -> str:
    """What publishers call a place beside its name."""
    return ", ".join(Place(code).also)


@cache
def commodity_text(id: str) -> str:
    """A commodity as it is found: its name, its key, and what publishers call it."""
    commodity = Commodity(id)
    names = {name.casefold(): name for name in (*commodity.also, plain_word(id), commodity.name)}
    return ", ".join([commodity.name, *(n for n in names.values() if n != commodity.name)])


def can_be_corrected(word: str) -> bool:
    """Whether a word may be misspelt: it is of letters, and neither short nor endless."""
    return word.isalpha() and MIN_CORRECTED_LETTERS <= len(word) <= MAX_CORRECTED_LETTERS


def trigrams(word: str) -> list[str]:
    """The parts of three letters of a word, by which words like it are found; `_` is its border."""
    framed = f"__{word}_"
    return list(dict.fromkeys(framed[at : at + 3] for at in range(len(framed) - 2)))
