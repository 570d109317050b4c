"""Where texts match a search: which part of which text, and which words are nearly like another. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from projections.versions.search_words import IDEOGRAPHS, plain, without_dots, words

SPELT_WORD = re.compile(
    rf"[{IDEOGRAPHS}]|[^\W_{IDEOGRAPHS}](?:[^\W_{IDEOGRAPHS}]|[\u0300-\u036f])*"
)
"""A word as it is written, with its accents."""
ASKED_WORD = re.compile(rf"(?:(?!\u30fb)[{IDEOGRAPHS}])+|[^\W_{IDEOGRAPHS}]+")
"""A word as somebody asks for it: signs side by side are one, in their order. The dot between words of
Japanese is none of them."""
SIGNS = re.compile(rf"[{IDEOGRAPHS}]+")
MAX_EXCERPT_CHARACTERS = 200
CHARACTERS_BEFORE = 60
"""Of an excerpt before its match, where the text is longer than an excerpt."""
STOP_WORDS = frozenset(
    "a an and are as at by for from hs in is of on or that the to with".split()  # noqa: SIM905
)
"""Words that nearly every text has, and the one that people write before codes of the Harmonized
System: they are left out of a search that has others."""
MAX_WORDS = 20
"""Different words of one search."""


@dataclass(frozen=True, slots=True)
class SoughtWord:
    """A word of a search: as it was asked, its English stem, and others that are nearly like it and
    taken in its place."""

    word: str
    stem: str | None = None
    near: tuple[str, ...] = ()

    @property
    def signs(self) -> tuple[str, ...]:
        """The signs that it is of, where words are not set apart; none of other scripts."""
        return tuple(self.word) if SIGNS.fullmatch(self.word) else ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """All words that it may be."""
        return (self.word, *self.near)

    def quality(self, found: Iterable[str]) -> int:
        """How well it matches one of some words: 0 not at all, 4 exactly. Signs match where they stand in
        their order."""
        if self.signs:
            return 4 if any(self.word in word for word in found) else 0
        return max((self._quality(word) for word in found), default=0)

    def _quality(self, found: str) -> int:
        if found == self.word:
            return 4
        if found.startswith(self.word):
            return 3
        if found in self.near:
            return 2
        # "polici" is the stem of both "policy" and "policies"
        stem = (self.stem or "").removesuffix("i")
        return 1 if stem and found.startswith(stem) else 0


class Match(NamedTuple):
    """The part of a text that matches: an excerpt of the text, and where in this it begins and ends,
    in characters."""

    field: str
    text: str
    start: int
    end: int
    position: int | None = None
    """Of the event whose annex the text is."""


class Text(NamedTuple):
    """A text with its field, and the position of the event whose annex it is."""

    field: str
    text: str
    position: int | None = None


def sought_words(text: str) -> list[str]:
    """The words of a search, each once, without those that say nothing."""
    found = list(dict.fromkeys(asked_words(without_dots(text))))
    return [word for word in found if word not in STOP_WORDS] or found


def asked_words(text: str) -> list[str]:
    """The words of a text, of which signs side by side are one."""
    return ASKED_WORD.findall(plain(text))


def best_matches(
    sought: Sequence[SoughtWord], texts: Sequence[Text]
) -> tuple[list[Match], list[SoughtWord]]:
    """For each word its best match, the first of the best; and the words that none of the texts has.
    Signs that nowhere stand in their order are words for themselves."""
    compared = [(text, frozenset([*words(text.text), *asked_words(text.text)])) for text in texts]
    every = frozenset[str]().union(*(said for _, said in compared))
    matches: list[Match] = []
    missing: list[SoughtWord] = []
    for one in chain.from_iterable(_parts(each, every) for each in sought):
        quality, best = 0, None
        for text, said in compared:
            if (found := one.quality(said)) > quality:
                quality, best = found, text
        if best is None:
            missing.append(one)
        else:
            matches.append(_excerpt(best, *_place(one, quality, best.text)))
    return list(dict.fromkeys(matches)), missing


def _parts(sought: SoughtWord, said: frozenset[str]) -> Sequence[SoughtWord]:
    """A word, or its signs where all of them are said, but not in their order."""
    signs = sought.signs
    if signs and said.issuperset(signs) and not sought.quality(said):
        return [SoughtWord(sign) for sign in signs]
    return [sought]


def _place(sought: SoughtWord, quality: int, text: str) -> tuple[int, int]:
    """Where the first word of a text stands that matches so well; where its signs are taken apart to
    be compared (`½`), the text as a whole."""
    places = list(SPELT_WORD.finditer(text))
    most = len(sought.signs) or 1
    for first, last in zip(places, places[most - 1 :], strict=False):
        if sought.quality(asked_words(text[first.start() : last.end()])) >= quality:
            return first.start(), last.end()
    return 0, len(text)


def _excerpt(of: Text, start: int, end: int) -> Match:
    """The part of a text around a match."""
    text = of.text
    if len(text) <= MAX_EXCERPT_CHARACTERS:
        return Match(of.field, text, start, end, of.position)
    first = max(0, start - CHARACTERS_BEFORE)
    last = min(len(text), max(first + MAX_EXCERPT_CHARACTERS, end))
    if first:  # not in the middle of a word
        first = text.find(" ", first, start) + 1 or first
    if last < len(text):
        last = max(text.rfind(" ", end, last), end)
    before, after = "…" if first else "", "…" if last < len(text) else ""
    shift = len(before) - first
    return Match(
        of.field, f"{before}{text[first:last]}{after}", start + shift, end + shift, of.position
    )


def allowed_edits(word: str) -> int:
    """How many letters of a word may be wrong, missing, too many or swapped."""
    return 1 if len(word) < 8 else 2


def nearest(word: str, candidates: Iterable[str], limit: int) -> tuple[str, ...]:
    """The words that are nearly like another, the nearest first."""
    allowed = allowed_edits(word)
    distances = {one: edits(word, one, allowed) for one in candidates if one != word}
    near = sorted((count, one) for one, count in distances.items() if count <= allowed)
    return tuple([one for _, one in near[:limit]])


def edits(one: str, other: str, most: int) -> int:
    """How many letters are to be changed, added, taken out or swapped to make one word of another;
    more than `most` where it is more than that (the optimal string alignment distance)."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, second in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != second))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == second:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most and min(before) > most:
            return most + 1
    return row[-1]
