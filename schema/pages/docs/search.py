"""Search in the documents: the sections with all words of a query, the best first. Pure."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schema.pages.docs.markdown import RenderedMarkdown, Section

WORD = re.compile(r"[^\W_]+")
HEADING_WEIGHT = 4
"""Weight of a word in a heading, relative to the text."""
TITLE_WEIGHT = 2
"""Weight of a word in the title of the document, relative to the text."""
CHANGELOG = "changelog"
"""Name of the document that is ranked last."""
WHOLE_WORD_WEIGHT = 2
"""Weight of a whole-word match, relative to a prefix match."""
MAX_RESULTS = 20
MAX_WORDS = 8
EXCERPT_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of text, and whether it matches the query."""

    text: str
    matches: bool


@dataclass(frozen=True, slots=True)
class Result:
    """A matching section."""

    name: str
    """Name of its document."""
    title: str
    section: Section
    score: float
    excerpt: Sequence[Excerpt]


class SearchIndex:
    """All words of the documents, with their sections."""

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

    def find(self, query: str) -> list[Result]:
        """Return the sections with a match for each word of a query; a prefix matches too."""
        sought = query_words(query)
        if not sought:
            return []
        scores = [self._scores(word) for word in sought]
        common = set(scores[0]).intersection(*scores[1:])
        ranked = sorted(
            common,
            key=lambda number: (
                self._sections[number][0] == CHANGELOG,  # the changelog mentions everything
                -sum(one[number] for one in scores),
                number,
            ),
        )
        return [
            self._result(number, sum(one[number] for one in scores), sought)
            for number in ranked[:MAX_RESULTS]
        ]

    def _scores(self, sought: str) -> dict[int, float]:
        """Return the score of each section for a word; sections without it are left out."""
        counts: Counter[int] = Counter()
        for word in self._beginning_with(sought):
            weight = WHOLE_WORD_WEIGHT if word == sought else 1
            for number, count in self._entries[word].items():
                counts[number] += count * weight
        rarity = math.log(1 + len(self._sections) / max(1, len(counts)))
        return {number: rarity * math.log1p(count) for number, count in counts.items()}

    def _beginning_with(self, start: str) -> Iterable[str]:
        for word in self._words[bisect_left(self._words, start) :]:
            if not word.startswith(start):
                return
            yield word

    def _result(self, number: int, score: float, sought: Sequence[str]) -> Result:
        name, title, section = self._sections[number]
        return Result(name, title, section, score, excerpt(section.text, sought))


def words(text: str) -> list[str]:
    """Return the words of a text, without case; names with `_` also give each part."""
    return [word.casefold() for word in WORD.findall(text)]


def query_words(query: str) -> list[str]:
    """Return the words of a query that select sections: single letters only if there are no others."""
    distinct = list(dict.fromkeys(words(query)))
    return ([word for word in distinct if len(word) > 1] or distinct)[:MAX_WORDS]


def weighted_words(title: str, section: Section) -> Counter[str]:
    """Return the weighted counts of the words of a section."""
    counts = Counter(words(section.text))
    for word in words(section.heading):
        counts[word] += HEADING_WEIGHT
    for word in words(title):
        counts[word] += TITLE_WEIGHT
    return counts


def excerpt(text: str, sought: Sequence[str]) -> list[Excerpt]:
    """Return the part of a text with the most matches, marked; without matches, its beginning."""
    places = [
        (match.start(), match.end(), next(word for word in sought if lowered.startswith(word)))
        for match in WORD.finditer(text)
        if (lowered := match.group().casefold()).startswith(tuple(sought))
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
    """Return the start and the end of an excerpt, between words."""

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
