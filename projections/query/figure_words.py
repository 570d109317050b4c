"""Figures by words: of their commodity, their place, and what is counted. Pure.

The names of commodities and places are declared, so it is known which of them a word can mean; what
a figure is of stands in its name. No text has to be stored for millions of figures.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import NamedTuple

from projections.versions.search_document import commodity_text, other_names, place_text
from projections.versions.search_words import can_be_corrected, trigrams, words
from tracker.domain.commodities import Commodity, commodities
from tracker.domain.figure import FigureState
from tracker.domain.figure_facts import Series
from tracker.domain.places import Place, places
from tracker.domain.vocabulary import Stage, Statistic

ANYTHING = "[^/]+"


class WordIndex(NamedTuple):
    """Words in their order, and the ids of what each is a name of."""

    words: Sequence[str]
    ids: Mapping[str, set[str]]


@dataclass(frozen=True, slots=True)
class FigureQuestion:
    """Which figures have some words: how their names may begin, which words they may be about, and
    expressions that their names all answer to."""

    beginnings: Sequence[str]
    subjects: Sequence[str]
    expressions: Sequence[str]


NO_FIGURES = FigureQuestion([], [], [])
"""The question that no figure answers to."""


def figure_question(alternatives: Sequence[Sequence[str]]) -> FigureQuestion | None:
    """The question for the figures with some words, each in one of several spellings; None where no
    word is that of a commodity or a place, since all figures would have to be looked at."""
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
    """What a figure is found by, by its fields."""
    texts = {
        "series.commodity": f"{commodity_text(series.commodity)}; {', '.join(series.commodity.hs_codes)}",
        "series.place": ", ".join(
            filter(None, [place_text(series.place), other_names(series.place)])
        ),
        "series.statistic": series.statistic.replace("_", " "),
        "series.stage": str(series.stage or ""),
        "series.form": (series.form or "").replace("_", " "),
        "series.period": str(series.period or ""),
    }
    return {field: text for field, text in texts.items() if text}


def figure_title(state: FigureState) -> str:
    """What a figure is called: `Gallium, China, production, primary, 2023`."""
    of = state.series
    parts = (Commodity(of.commodity).name, Place(of.place).name, of.statistic, of.stage, of.form)
    return ", ".join(
        [*(p.replace("_", " ") for p in parts if p), *([str(of.period)] if of.period else [])]
    )


def begins_name(word: str) -> bool:
    """Whether a word begins one of the names of commodities and places."""
    return bool(_ids_with(word, _commodity_words()) or _ids_with(word, _place_words()))


def near_names(word: str) -> list[str]:
    """Words of commodities, places, statistics and stages that share a part of three letters with a
    word."""
    found: dict[str, int] = {}
    for part in trigrams(word):
        for name in _names_by_trigram().get(part, ()):
            if abs(len(name) - len(word)) <= 2:
                found[name] = found.get(name, 0) + 1
    return sorted(found, key=lambda name: (-found[name], name))[:50]


def _meaning(spellings: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The commodities and the places that a word can mean in one of its spellings."""
    goods: set[str] = set()
    at: set[str] = set()
    for word in spellings:
        goods |= _ids_with(word, _commodity_words())
        at |= _ids_with(word, _place_words())
    return frozenset(goods), frozenset(at)


def _expression(spellings: Iterable[str], goods: Iterable[str], at: Iterable[str]) -> str:
    """The expression for names of figures that have a word; words and keys are letters and digits."""
    ways = [f"{ANYTHING}/{ANYTHING}/(.*[/_])?{re.escape(word)}" for word in spellings]
    if goods := sorted(goods):
        ways.append(f"({'|'.join(goods)})/")
    if at := sorted(at):
        ways.append(f"{ANYTHING}/({'|'.join(at)})/")
    return f"^figure/({'|'.join(ways)})"


def _ids_with(begun: str, index: WordIndex) -> set[str]:
    """The ids of the words of an index that begin so."""
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
    for name in sorted({*_commodity_words().words, *_place_words().words, *counted}):
        for part in trigrams(name) if can_be_corrected(name) else ():
            found.setdefault(part, []).append(name)
    return found
