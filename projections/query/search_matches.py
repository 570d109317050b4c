"""Matches in texts: the matching part, and words similar to another. Pure."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from msgspec import Struct

from projections.words import IDEOGRAPHS, plain, without_dots, words

SPELT_WORD = re.compile(
    rf"[{IDEOGRAPHS}]|[^\W_{IDEOGRAPHS}](?:[^\W_{IDEOGRAPHS}]|[\u0300-\u036f])*"
)
"""A written word, with its accents."""
ASKED_WORD = re.compile(rf"(?:(?!\u30fb)[{IDEOGRAPHS}])+|[^\W_{IDEOGRAPHS}]+")
"""A searched word. Adjacent ideographs are one word, in their order. The dot between Japanese words is
not part of one."""
SIGNS = re.compile(rf"[{IDEOGRAPHS}]+")
MAX_EXCERPT_CHARACTERS = 200
CHARACTERS_BEFORE = 60
"""Characters of an excerpt before its match, if the text is longer than an excerpt."""
STOP_WORDS = frozenset(
    "a an and are as at by for from hs in is of on or that the to with".split()  # noqa: SIM905
)
"""Words that nearly every text has, and the prefix of Harmonized System codes. A search with other
words ignores them."""
MAX_WORDS = 20
"""Maximum of different words per search."""


class SoughtWord(Struct, frozen=True):
    """A word of a search: as entered, its English stem, and similar words that replace it."""

    word: str
    stem: str | None = None
    near: tuple[str, ...] = ()

    @property
    def signs(self) -> tuple[str, ...]:
        """The ideographs of the word; empty for other scripts."""
        return tuple(self.word) if SIGNS.fullmatch(self.word) else ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """All spellings of the word."""
        return (self.word, *self.near)

    def quality(self, found: Iterable[str]) -> int:
        """Return the quality of the best match in some words: 0 (none) to 4 (exact).

        Ideographs match only in their order.
        """
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
    """A matching part of a text: an excerpt, and the match in it as character offsets."""

    field: str
    text: str
    start: int
    end: int
    position: int | None = None
    """Position of the event with this annex."""


class Text(NamedTuple):
    """A text with its field, and the position of its event if it is an annex."""

    field: str
    text: str
    position: int | None = None


def sought_words(text: str) -> list[str]:
    """Return the distinct words of a search, without stop words."""
    found = list(dict.fromkeys(asked_words(without_dots(text))))
    return [word for word in found if word not in STOP_WORDS] or found


def asked_words(text: str) -> list[str]:
    """Return the words of a text; adjacent ideographs are one word."""
    return ASKED_WORD.findall(plain(text))


def best_matches(
    sought: Sequence[SoughtWord], texts: Sequence[Text]
) -> tuple[list[Match], list[SoughtWord]]:
    """Return the best match of each word, and the words that no text has.

    Ideographs that no text has in this order are matched one by one.
    """
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
    """Return a word, or its ideographs if the texts have all of them but not in order."""
    signs = sought.signs
    if signs and said.issuperset(signs) and not sought.quality(said):
        return [SoughtWord(sign) for sign in signs]
    return [sought]


def _place(sought: SoughtWord, quality: int, text: str) -> tuple[int, int]:
    """Return the position of the first match of this quality in a text.

    If signs are decomposed for comparison (`½`), the match is the whole text.
    """
    places = list(SPELT_WORD.finditer(text))
    most = len(sought.signs) or 1
    for first, last in zip(places, places[most - 1 :], strict=False):
        if sought.quality(asked_words(text[first.start() : last.end()])) >= quality:
            return first.start(), last.end()
    return 0, len(text)


def _excerpt(of: Text, start: int, end: int) -> Match:
    """Return the part of a text around a match."""
    text = of.text
    if len(text) <= MAX_EXCERPT_CHARACTERS:
        return Match(of.field, text, start, end, of.position)
    first = max(0, start - CHARACTERS_BEFORE)
    last = min(len(text), max(first + MAX_EXCERPT_CHARACTERS, end))
    if first:  # avoid the middle of a word
        first = text.find(" ", first, start) + 1 or first
    if last < len(text):
        last = max(text.rfind(" ", end, last), end)
    before, after = "…" if first else "", "…" if last < len(text) else ""
    shift = len(before) - first
    return Match(
        of.field, f"{before}{text[first:last]}{after}", start + shift, end + shift, of.position
    )


def allowed_edits(word: str) -> int:
    """Return the number of letters that may be wrong, missing, added or swapped."""
    return 1 if len(word) < 8 else 2


def nearest(word: str, candidates: Iterable[str], limit: int) -> tuple[str, ...]:
    """Return the most similar words, nearest first."""
    allowed = allowed_edits(word)
    distances = {one: edits(word, one, allowed) for one in candidates if one != word}
    near = sorted((count, one) for one, count in distances.items() if count <= allowed)
    return tuple([one for _, one in near[:limit]])


def edits(one: str, other: str, most: int) -> int:
    """Return the optimal string alignment distance of two words, or `most + 1` if it is larger."""
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
