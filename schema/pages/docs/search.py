"""Search in the documents: the sections that have all words of a question, the fittest first. Pure."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from schema.pages.docs.markdown import RenderedMarkdown, Section

WORD = re.compile(r"[^\W_]+")
HEADING_WEIGHT = 4
"""A word in a heading counts as so many in the text."""
TITLE_WEIGHT = 2
"""The same in the title of the document."""
CHANGELOG = "changelog"
"""The name of the document that stands behind all others."""
WHOLE_WORD_WEIGHT = 2
"""A word that is the one asked for counts as so many that only begin with it."""
MAX_RESULTS = 20
MAX_WORDS = 8
EXCERPT_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of text, and whether it is what was asked for."""

    text: str
    matches: bool


@dataclass(frozen=True, slots=True)
class Result:
    """A section that was found."""

    name: str
    """Of its document."""
    title: str
    section: Section
    score: float
    excerpt: Sequence[Excerpt]


class SearchIndex:
    """All words of the documents, with the sections that they stand in."""

    def __init__(self, pages: Mapping[str, RenderedMarkdown]):
        self._sections = [
            (name, page.title, section) for name, page in pages.items() for section in page.sections
        ]
        entries: defaultdict[str, dict[int, int]] = defaultdict(dict)
        for number, (_, title, section) in enumerate(self._sections):
            for word, count in weighted_words(title, section).items():
                entries[word][number] = count
        self._entries = dict(entries)
        self._words = sorted(entries)

    def find(self, question: str) -> list[Result]:
        """The sections that have a word for each of a question, which may be its begin."""
        asked = asked_words(question)
        if not asked:
            return []
        scores = [self._scores(word) for word in asked]
        common = set(scores[0]).intersection(*scores[1:])
        found = sorted(
            common,
            key=lambda number: (
                self._sections[number][0] == CHANGELOG,  # says of everything that it came
                -sum(one[number] for one in scores),
                number,
            ),
        )
        return [
            self._result(number, sum(one[number] for one in scores), asked)
            for number in found[:MAX_RESULTS]
        ]

    def _scores(self, asked: str) -> dict[int, float]:
        """How well each section fits a word; those without it are left out."""
        counts: Counter[int] = Counter()
        for word in self._beginning_with(asked):
            weight = WHOLE_WORD_WEIGHT if word == asked else 1
            for number, count in self._entries[word].items():
                counts[number] += count * weight
        rarity = math.log(1 + len(self._sections) / max(1, len(counts)))
        return {number: rarity * math.log1p(count) for number, count in counts.items()}

    def _beginning_with(self, start: str) -> Iterable[str]:
        for word in self._words[bisect_left(self._words, start) :]:
            if not word.startswith(start):
                return
            yield word

    def _result(self, number: int, score: float, asked: Sequence[str]) -> Result:
        name, title, section = self._sections[number]
        return Result(name, title, section, score, excerpt(section.text, asked))


def words(text: str) -> list[str]:
    """The words of a text, without regard to case; of names with `_` each part."""
    return [word.casefold() for word in WORD.findall(text)]


def asked_words(question: str) -> list[str]:
    """The words of a question by which sections are chosen: single letters only where it has no more."""
    found = list(dict.fromkeys(words(question)))
    return ([word for word in found if len(word) > 1] or found)[:MAX_WORDS]


def weighted_words(title: str, section: Section) -> Counter[str]:
    """How often each word stands in a section, where it counts more if it does so more often."""
    found = Counter(words(section.text))
    for word in words(section.heading):
        found[word] += HEADING_WEIGHT
    for word in words(title):
        found[word] += TITLE_WEIGHT
    return found


def excerpt(text: str, asked: Sequence[str]) -> list[Excerpt]:
    """The part of a text with the most of what is asked for, that marked; its begin where it has
    none of it."""
    places = [
        (match.start(), match.end(), next(word for word in asked if found.startswith(word)))
        for match in WORD.finditer(text)
        if (found := match.group().casefold()).startswith(tuple(asked))
    ]
    start, end = _window(text, places)
    pieces = [Excerpt("… ", False)] if start else []
    at = start
    for begin, stop, _ in places:
        if begin >= start and stop <= end:
            pieces += [Excerpt(text[at:begin], False), Excerpt(text[begin:stop], True)]
            at = stop
    pieces.append(Excerpt(text[at:end] + (" …" if end < len(text) else ""), False))
    return [piece for piece in pieces if piece.text]


def _window(text: str, places: Sequence[tuple[int, int, str]]) -> tuple[int, int]:
    """Where to begin and to end, between words."""

    def variety(first: int) -> int:
        reach = places[first][0] + EXCERPT_CHARACTERS * 3 // 4
        return len({word for begin, _, word in places[first:] if begin < reach})

    best = max(range(len(places)), key=variety) if places else None
    start = 0 if best is None else max(0, places[best][0] - EXCERPT_CHARACTERS // 4)
    if start:
        start = text.find(" ", start) + 1
    end = min(len(text), start + EXCERPT_CHARACTERS)
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + 1)
    return start, end
