"""Text search: the words that a state says, and those that a question asks for. Pure.

Words are compared without capitals and accents. What finds them is in `lists.sql`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from projections.lru_cache import lru_cache_short_keys
from projections.versions.spellings import other_spellings
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.commodities import Commodity
from tracker.domain.coverage import CoverageState
from tracker.domain.export_control import ExportControlState
from tracker.domain.firm import FirmState
from tracker.domain.matching import firms_in
from tracker.domain.places import Place
from tracker.domain.values import Value
from tracker.domain.watched_source import WatchedSourceState

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
WORD = re.compile(rf"[{IDEOGRAPHS}]|[^\W_{IDEOGRAPHS}]+")
"""A run of letters and digits; where words are not set apart, each sign is one."""


def _words(text: str) -> Sequence[str]:
    """The words of a text, in its order."""
    return WORD.findall(plain(text))


def plain(text: str) -> str:
    """A text without capitals and accents, as words are compared."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


words = lru_cache_short_keys(_words, 16384, 200)
"""The same for the next time: the states of an entity repeat most of what they say."""


def to_tsquery(text: str) -> str:
    """A search as `to_tsquery` reads it: every word in either spelling, or what begins with it; empty
    without words."""
    return " & ".join(map(_prefix_query, dict.fromkeys(words(text))))


def _prefix_query(word: str) -> str:
    begun = " | ".join(f"'{one}':*" for one in (word, *other_spellings(word)))
    return f"({begun})" if "|" in begun else begun


def matches(search: str | None, *names: str) -> bool:
    """Whether each word of a search begins a word of these names; True without a search."""
    known = words(" ".join(names))
    return all(any(word.startswith(begun) for word in known) for begun in words(search or ""))


def title(state: Value) -> str | None:
    """What an entity is called, as lists order by it; None for those without a name."""
    match state:
        case AllianceState() | FirmState() | WatchedSourceState() | CoverageState():
            return _joined([state.name])
        case AnnouncementState() | ExportControlState():
            return _joined([state.title])
    return None


def search_text(state: Value) -> str | None:
    """All that a search finds an entity by; None for those that are not searched."""
    match state:
        case AllianceState():
            return _joined(
                [
                    state.name,
                    state.id,
                    *state.former_names,
                    *_places(member.place for member in state.members),
                ]
            )
        case AnnouncementState():
            return _joined(
                [
                    *_titles(state),
                    state.id,
                    state.topic or "",
                    *_places(state.actors),
                    *_commodities(state.commodities),
                    *state.firms,
                ]
            )
        case ExportControlState():
            about = chain.from_iterable(item.clause.commodities for item in state.clauses)
            return _joined(
                [
                    *_titles(state),
                    state.id,
                    state.instrument or "",
                    *_places([state.issuer]),
                    *_commodities(about),
                    *chain.from_iterable(map(firms_in, state.clauses)),
                ]
            )
        case FirmState():
            return _joined(
                [
                    state.name,
                    state.id,
                    *state.also,
                    *state.former_names,
                    *_places([state.place] if state.place else []),
                ]
            )
        case WatchedSourceState():
            return _joined([state.name, state.id, state.covers or "", *_places(state.issuers)])
        case CoverageState():
            return _joined([state.name, state.id, *_places([state.issuer])])
    return None


def _titles(state: AnnouncementState | ExportControlState) -> Iterator[str]:
    """The title, and that in the language of the issuer."""
    yield state.title
    if state.original_title is not None:
        yield state.original_title.text


def _places(actors: Iterable[str]) -> Iterator[str]:
    """The codes and names of places; of an alliance its key."""
    for actor in dict.fromkeys(actors):
        yield actor
        if not actor.islower():
            yield Place(actor).name


def _commodities(ids: Iterable[str]) -> Iterator[str]:
    """The names of commodities, also those that publishers give them."""
    for id in dict.fromkeys(ids):
        commodity = Commodity(id)
        yield from (id, commodity.name, *commodity.also)


def _joined(texts: Iterable[str]) -> str:
    return " ".join(chain.from_iterable(map(words, texts)))
