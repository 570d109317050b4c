"""The goods, places, measures and codes in a search, and the remaining words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import NamedTuple

from projections.query.figure_words import catalogue_words, near_names
from projections.query.search_matches import nearest
from tracker.domain.basics.control_vocabulary import Covers, Direction, Form, Measure
from tracker.domain.basics.toml_files import read_toml
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity, find_commodity
from tracker.domain.catalogue.places import Place, find_place, place_of_text

CODE = re.compile(r"\d{4}(?:[. ]?\d{2}){0,3}")
"""A code of the Harmonized System or a tariff, with dots or without: 4 to 10 digits."""
WORD = re.compile(r"[^\s,;:?!\"“”«»()]+")
MAX_CHARACTERS = 500
MAX_NAME_WORDS = 5
MIN_CORRECTED_LETTERS = 5
WORDS = read_toml(__file__, "search_words.toml")
IGNORED, TOWARD, TRADE, PRODUCTION, ORDINAL, FIRMS = (
    frozenset(WORDS[name].split())
    for name in ("ignored", "toward", "trade", "production", "ordinal", "firms")
)
FIGURES = {
    name: Statistic(statistic)
    for statistic, names in WORDS["figures"].items()
    for name in names.split()
}
"""Statistics by the words that ask for their figures."""
SUBJECTS: dict[str, Form | Covers] = {
    **{name: form for form in Form for name in (str(form), f"{form}s")},
    **{name: Covers(covers) for name, covers in WORDS["subjects"].items()},
}
PEOPLE = [
    (code, name.replace("_", " "))
    for code, *names in map(str.split, re.split(r"[;\n]", WORDS["peoples"].strip()))
    for name in names
]
PEOPLES = {name: tuple(Place(code) for code, each in PEOPLE if each == name) for _, name in PEOPLE}
"""Places by the names of peoples, seats of governments and short names."""
MEASURES = {
    name.replace("_", " "): measures.split()
    for measures, names in WORDS["measures"].items()
    for name in names.split()
}
"""Recorded measures by the names that people use."""
KNOWN = frozenset({*MEASURES, *SUBJECTS, *IGNORED, *TRADE})


class Term(NamedTuple):
    """A name in a search, with its possible meanings: commodities, places, measures, or forms and
    coverages."""

    text: str
    kind: type[Commodity] | type[Place] | type[Measure] | type[Form]
    meanings: tuple[str, ...]

    @property
    def name(self) -> str:
        """The names of the meanings."""
        names = [getattr(one, "name", "") for one in self.meanings]
        return " or ".join(names) if self.kind in (Commodity, Place) else self.text


@dataclass(frozen=True, slots=True)
class ParsedSearch:
    """The parts of a search: a code of goods, names, the place after the last "to", the words without those
    of questions and codes, the direction of a measure, the words besides names, and the statistic of goods
    that it asks for."""

    code: str | None
    terms: tuple[Term, ...]
    destination: Place | None
    words: str
    direction: Direction | None
    rest: tuple[str, ...]
    statistic: Statistic | None = None

    @property
    def has_rest(self) -> bool:
        """Return whether there are words besides names."""
        return bool(self.rest)

    @property
    def commodities(self) -> tuple[Commodity, ...]:
        """The goods."""
        return tuple(Commodity(one) for one in self.of_kind(Commodity))

    @property
    def places(self) -> tuple[Place, ...]:
        """The places."""
        return tuple(Place(one) for one in self.of_kind(Place))

    @property
    def names_goods(self) -> bool:
        """Return whether the search names goods, so that clauses can be listed."""
        return bool(self.code or self.commodities)

    @property
    def is_strict(self) -> bool:
        """Return whether several names must hold in one clause."""
        kinds = {Commodity if one.kind is Form else one.kind for one in self.terms}
        return self.code is None and len(kinds) > 1

    def without(self, *dropped: type) -> ParsedSearch:
        """Return the search without some kinds of names; a measure takes its direction with it."""
        return replace(
            self,
            terms=tuple(one for one in self.terms if one.kind not in dropped),
            direction=None if Measure in dropped else self.direction,
            destination=None if Place in dropped else self.destination,
        )

    def of_kind(self, kind: type) -> tuple[str, ...]:
        """Return the meanings of the names of a kind."""
        named = [one for term in self.terms if term.kind is kind for one in term.meanings]
        return tuple(dict.fromkeys(named))


@lru_cache(maxsize=256)
def parse_search(text: str) -> ParsedSearch:
    """Find the goods, places, measures and codes that a search names; misspelt names are corrected.

    Of a text that is too long, which the API refuses, only the words are returned.
    """
    if len(text) > MAX_CHARACTERS:
        return ParsedSearch(None, (), None, text, None, (text,))
    code = _code(text) or next(filter(None, map(_code, text.split())), None)
    words = [word.strip(".'’") for word in WORD.findall(text) if not _code(word)]
    terms: list[Term] = []
    rest: list[str] = []
    start, toward = 0, None
    while start < len(words):
        word = words[start].lower()
        term, count = name_at(words, start)
        if word in TOWARD:
            toward = len(terms)
        elif not term and word != "the" and toward == len(terms):
            toward = None  # a verb, as in "to export"
        if term:
            terms.append(term)
        elif word not in IGNORED:
            rest.append(word)
        start += count
    has_measure = any(one.kind is Measure for one in terms)
    directions = [Direction(of) for word, of in WORDS["directions"].items() if word in rest]
    if has_measure and not PRODUCTION.isdisjoint(rest):
        directions, rest = [Direction.PRODUCTION], [one for one in rest if one not in PRODUCTION]
    if directions == [Direction.IMPORT] and "from" in map(str.lower, words):
        directions = []  # the controls on exports of the origin count too
    behind = [one for one in terms[toward:] if one.kind is Place] if toward is not None else []
    has_goods = any(one.kind is Commodity for one in terms)
    ignored = IGNORED | TRADE if code or has_goods else IGNORED
    has_subject = any(isinstance(one, Covers) for term in terms for one in term.meanings)
    asks_figures = has_goods and not has_measure and not has_subject
    statistic = next(filter(None, map(FIGURES.get, rest)), None) if asks_figures else None
    if statistic:
        ignored |= ORDINAL
        words = [str(FIGURES.get(word.lower(), word)) for word in words]
    return ParsedSearch(
        code,
        tuple(terms),
        Place(behind[0].meanings[0]) if behind else None,
        " ".join(word for word in words if word.lower() not in ignored),
        directions[0] if has_measure and directions else None,
        () if TRADE.issuperset(rest) else tuple(rest),
        statistic,
    )


def name_at(words: list[str], start: int) -> tuple[Term | None, int]:
    """Return the longest name that begins at a word, and the number of its words; None and 1 without one."""
    for is_corrected in (False, True):
        for count in range(min(MAX_NAME_WORDS, len(words) - start), 0, -1):
            written = [re.sub(r"['’]s$", "", word) for word in words[start : start + count]]
            name = " ".join(map(corrected, written) if is_corrected else written)
            is_word = name.lower() in IGNORED | TRADE and not name.isupper()
            if not is_word and (term := term_of(" ".join(written), name)):
                return term, count
    return None, 1


def term_of(text: str, name: str) -> Term | None:
    """Return the term of a name; None if it names nothing."""
    key = name.lower()
    for spelled in (name, f"{name}s", name.removesuffix("s")):
        if commodity := find_commodity(spelled):
            return Term(text, Commodity, (commodity,))
    if measures := MEASURES.get(key):
        return Term(text, Measure, tuple(measures))
    if subject := SUBJECTS.get(key):
        return Term(text, Form, (subject,))
    if key in PEOPLES:
        return Term(text, Place, PEOPLES[key])
    place = (place_of_text if name.isupper() and name not in FIRMS else find_place)(name)
    is_one = place and (not place.is_aggregate or place == "EU")
    return Term(text, Place, (place,)) if place and is_one else None


@cache
def corrected(word: str) -> str:
    """Return the most similar word in names for a word that is in none of them."""
    key = word.lower()
    if len(key) < MIN_CORRECTED_LETTERS or not key.isalpha() or key in KNOWN | catalogue_words():
        return word
    return next(iter(nearest(key, [*near_names(key), *MEASURES], 1)), word)


def _code(text: str) -> str | None:
    """Return the digits of a code of goods; None for any other text."""
    text = text.strip().strip("?.,")
    is_year = re.fullmatch(r"(19|20)\d\d", text)
    return re.sub(r"\D", "", text) if CODE.fullmatch(text) and not is_year else None
