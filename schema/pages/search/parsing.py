"""The goods, places and codes in a search, and the remaining words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from schema.base.global_ids import MAX_ID_CHARACTERS
from schema.pages.site.name_fields import is_place_code
from tracker.domain.catalogue.commodities import Commodity, find_commodity
from tracker.domain.catalogue.places import Place, find_place

CODE = re.compile(r"\d{4}(?:[. ]?\d{2}){0,3}")
"""A code of the Harmonized System or a tariff, with dots or without: 4 to 10 digits."""
WORD = re.compile(r"[^\s,;:?!\"“”«»()]+")
MAX_NAME_WORDS = 4
QUESTION_WORDS = """
a all allowed an and any apply applies are at be been by can could do does for from happens has have how i in
into is it me my need needs now of on or our show that the there this to today toward towards we what when
where which who why will with you your
"""
IGNORED = frozenset(QUESTION_WORDS.split())
"""Words of questions, which match no record."""
TOWARD = frozenset({"into", "to", "toward", "towards"})
"""Words before a destination."""
TRADE = frozenset({"chapter", "code", "export", "exports", "heading", "hs", "import", "imports"})
"""Words in nearly every record; ignored beside goods or a code."""


@dataclass(frozen=True, slots=True)
class ParsedSearch:
    """The parts of a search."""

    code: str | None
    """A code of goods."""
    commodities: tuple[Commodity, ...]
    places: tuple[Place, ...]
    destination: Place | None
    """The place after the last "to" or "toward"."""
    words: str
    """The search words, without those of questions and codes of goods."""

    @property
    def names_goods(self) -> bool:
        """Return whether the search names goods, so that clauses can be listed."""
        return bool(self.code or self.commodities)


@lru_cache(maxsize=64)
def parse_search(text: str) -> ParsedSearch:
    """Find the goods, places and codes that a search names; in a text that is too long, only words."""
    if len(text) > MAX_ID_CHARACTERS:  # the API refuses it
        return ParsedSearch(None, (), (), None, text)
    code = _code(text) or next(
        (word_code for word in text.split() if (word_code := _code(word))), None
    )
    words = [word.strip(".'’") for word in WORD.findall(text) if not _code(word)]
    goods: list[Commodity] = []
    where: list[Place] = []
    start, before_toward = 0, None
    while start < len(words):
        if words[start].lower() in TOWARD:
            before_toward = len(where)
        start += _take_name(words, start, goods, where)
    behind = where[before_toward:] if before_toward is not None else []
    names_goods = bool(goods or code)
    search_words = [
        word
        for word in words
        if word.lower() not in IGNORED and not (names_goods and word.lower() in TRADE)
    ]
    return ParsedSearch(
        code,
        tuple(dict.fromkeys(goods)),
        tuple(dict.fromkeys(where)),
        destination=next(iter(behind), None),
        words=" ".join(search_words),
    )


def _take_name(words: list[str], start: int, goods: list[Commodity], where: list[Place]) -> int:
    """Note the longest name that begins at a word, and return the number of its words; 1 without one."""
    for count in range(min(MAX_NAME_WORDS, len(words) - start), 0, -1):
        name = " ".join(words[start : start + count])
        if name.lower() in IGNORED and not name.isupper():
            continue
        if commodity := find_commodity(name):
            goods.append(commodity)
            return count
        if place := _place(name):
            where.append(place)
            return count
    return 1


def _place(name: str) -> Place | None:
    """Return the place of a name, or of a code in capitals."""
    place = Place(name) if is_place_code(name) else find_place(name)
    return place if place and (not place.is_aggregate or place == "EU") else None


def _code(text: str) -> str | None:
    """Return the digits of a code of goods; None for any other text."""
    text = text.strip().strip("?.,")
    return re.sub(r"\D", "", text) if CODE.fullmatch(text) and not _is_year(text) else None


def _is_year(text: str) -> bool:
    return bool(re.fullmatch(r"(19|20)\d\d", text))
