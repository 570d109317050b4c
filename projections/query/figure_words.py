"""Figures by the words of their commodity, place and statistic. Pure.

The names of commodities and places are declared, so the possible meanings of a word are known. The name
of a figure contains its series, so no text is stored for millions of figures.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from msgspec import Struct

from projections.search_index.document import commodity_text, other_names, place_text
from projections.words import can_be_corrected, trigrams, words
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.commodities import Commodity, commodities
from tracker.domain.catalogue.places import Place, places
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.figure_facts import Series

ANYTHING = "[^/]+"


class WordIndex(NamedTuple):
    """Sorted words, with the ids that each word names."""

    words: Sequence[str]
    ids: Mapping[str, set[str]]


class FigureQuestion(Struct, frozen=True):
    """A query for figures by words: prefixes of their names, index words, and expressions that every
    name must match."""

    beginnings: Sequence[str]
    subjects: Sequence[str]
    expressions: Sequence[str]


NO_FIGURES = FigureQuestion([], [], [])
"""The query that matches no figure."""


def figure_query(alternatives: Sequence[Sequence[str]]) -> FigureQuestion | None:
    """Return the query for figures with all words, each in one of several spellings.

    Returns None if no word belongs to a commodity or place, because all figures would have to be read.
    """
    meant = [_meaning(spellings) for spellings in alternatives]
    by_commodity = [goods for goods, at in meant if goods and not at]
    by_place = [at for goods, at in meant if at and not goods]
    by_both = [(goods, at) for goods, at in meant if goods and at]
    expressions = [
        _expression(spellings, *meaning)
        for spellings, meaning in zip(alternatives, meant, strict=True)
    ]
    if by_commodity:
        goods = min(by_commodity, key=lambda ids: len(ids))
        return FigureQuestion([f"figure/{id}/" for id in sorted(goods)], [], expressions)
    if by_place:
        at = min(by_place, key=lambda ids: len(ids))
        return FigureQuestion([], sorted(at), expressions)
    if by_both:
        goods, at = by_both[0]
        return FigureQuestion([f"figure/{id}/" for id in sorted(goods)], sorted(at), expressions)
    return None


def figure_text(series: Series) -> dict[str, str]:
    """Return the searchable texts of a figure by field."""
    texts = {
        "series.commodity": f"{commodity_text(series.commodity)}; {', '.join(series.commodity.hs_codes)}",
        "series.place": ", ".join(
            filter(None, [place_text(series.place), other_names(series.place)])
        ),
        "series.statistic": series.statistic.replace("_", " "),
        "series.stage": str(series.stage or ""),
        "series.form": (series.form or "").replace("_", " "),
        "series.period": series.years or "",
    }
    return {field: text for field, text in texts.items() if text}


def figure_title(state: FigureState) -> str:
    """Return the title of a figure: `Gallium, China, production, primary, 2023`."""
    of = state.series
    parts = (Commodity(of.commodity).name, Place(of.place).name, of.statistic, of.stage, of.form)
    return ", ".join(
        [*(p.replace("_", " ") for p in parts if p), *([of.years] if of.years else [])]
    )


def begins_name(word: str) -> bool:
    """Whether a word is a prefix of a word in the names of commodities and places."""
    return bool(_ids_with(word, _commodity_words()) or _ids_with(word, _place_words()))


@cache
def catalogue_words() -> frozenset[str]:
    """Return the words in the names of commodities and places."""
    return frozenset({*_commodity_words().words, *_place_words().words})


def near_names(word: str) -> list[str]:
    """Return similar words of commodities, places, statistics and stages: they share a trigram."""
    found: dict[str, int] = {}
    for part in trigrams(word):
        for name in _names_by_trigram().get(part, ()):
            if abs(len(name) - len(word)) <= 2:
                found[name] = found.get(name, 0) + 1
    return sorted(found, key=lambda name: (-found[name], name))[:50]


def _meaning(spellings: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the commodities and places that a word can mean in one of its spellings."""
    goods: set[str] = set()
    at: set[str] = set()
    for word in spellings:
        goods |= _ids_with(word, _commodity_words())
        at |= _ids_with(word, _place_words())
    return frozenset(goods), frozenset(at)


def _expression(spellings: Iterable[str], goods: Iterable[str], at: Iterable[str]) -> str:
    """Return the expression for names of figures with a word. Words and keys have letters and digits
    only."""
    ways = [f"{ANYTHING}/{ANYTHING}/(.*[/_])?{re.escape(word)}" for word in spellings]
    if goods := sorted(goods):
        ways.append(f"({'|'.join(goods)})/")
    if at := sorted(at):
        ways.append(f"{ANYTHING}/({'|'.join(at)})/")
    return f"^figure/({'|'.join(ways)})"


def _ids_with(begun: str, index: WordIndex) -> set[str]:
    found: set[str] = set()
    for word in islice(index.words, bisect_left(index.words, begun), None):
        if not word.startswith(begun):
            break
        found |= index.ids[word]
    return found


@cache
def _commodity_words() -> WordIndex:
    texts = {str(id): f"{commodity_text(id)} {' '.join(id.hs_codes)}" for id in commodities()}
    return _ids_by_word(texts)


@cache
def _place_words() -> WordIndex:
    return _ids_by_word(
        {str(place): f"{place_text(place)} {other_names(place)}" for place in places()}
    )


def _ids_by_word(texts: dict[str, str]) -> WordIndex:
    found: dict[str, set[str]] = {}
    for id, text in texts.items():
        for word in words(text):
            found.setdefault(word, set()).add(id)
    return WordIndex(sorted(found), found)


@cache
def _names_by_trigram() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    counted = {part for word in (*Statistic, *Stage) for part in words(word)}
    for name in sorted(catalogue_words() | counted):
        for part in trigrams(name) if can_be_corrected(name) else ():
            found.setdefault(part, []).append(name)
    return found
