"""Numbers, words and marks in USGS tables, and the notes that determine their meaning.

`XX` not applicable, `W` withheld, `NA` not available, a dash nil; `s` and a blank have a meaning only with a
note (design rule 6). Abbreviations: USGS MCS, "Appendix A".
"""

import re
from decimal import Decimal

from msgspec import Struct

from tracker.domain.basics.vocabulary import Qualifier
from tracker.sources.readers.usgs.words import WORDS

NUMBER = r"[0-9][0-9,]*(?:\.[0-9]+)?"
PLAIN = re.compile(rf"(?P<estimate>e)?(?P<value>{NUMBER})")
BOUND = re.compile(rf"(?P<sign>[<>])\s*(?P<value>{NUMBER})")
RANGE = re.compile(rf"(?P<value>{NUMBER})\s*[-\u2013]\s*(?P<upper>{NUMBER})")
BOUNDS = {"<": Qualifier.LESS_THAN, ">": Qualifier.MORE_THAN}

MARKS = {word: Qualifier(of) for word, of in WORDS["marks"].items()}
INCLUDED = re.compile(r"\bincluded (?:in|with)\b", re.IGNORECASE)
CATEGORIZED = re.compile(r'categorized as "(?P<word>\w+)"', re.IGNORECASE)
FOR_YEARS = re.compile(
    r"(?P<mark>\w+) for (?P<first>[0-9]{2,4})(?:-(?P<last>[0-9]{2,4}))?", re.IGNORECASE
)
MARK_AND_MORE = re.compile(r"(?P<mark>NA|W|XX) \(.*", re.IGNORECASE)
LESS_THAN = re.compile(
    rf"less than (?:(?P<half>½|1/2) ?unit|(?P<value>{NUMBER}) (?P<what>\w+))", re.IGNORECASE
)
UNIT_FACTORS = {
    ("carats", "kct"): 1_000,
    ("carats", "Mct"): 1_000_000,
    ("tons", "t"): 1,
    ("tons", "kt"): 1_000,
    ("tons", "Mt"): 1_000_000,
}
"""Number of units of the table per unit of a note."""


class Amount(Struct, frozen=True):
    """The amount in a cell: a number, a qualifier, or both."""

    value: Decimal | None = None
    upper: Decimal | None = None
    qualifier: Qualifier | None = None
    estimated: bool = False


def amount(text: str, note: str, year: int | None, unit: str) -> Amount | str:
    """Return the amount of a cell and its note, or the reason why it is unknown."""
    noted = amount_in_note(note, year)
    if text == "":
        return noted or "blank: the file does not tell withheld, not available and nil apart"
    if text == "s":
        return _amount_of_small(note, unit) or "s, and no note says what it stands for"
    if text.upper() == "NA":
        return noted or Amount(qualifier=Qualifier.NOT_AVAILABLE)
    return _parse_cell(text) or f"no known number, mark or word: {text!r}"


def amount_in_note(note: str, year: int | None) -> Amount | None:
    """Return the value that a note gives for its cell of that year; None if there is none."""
    if INCLUDED.search(note) and "not included" not in note:
        return Amount(qualifier=Qualifier.INCLUDED_ELSEWHERE)
    if match := CATEGORIZED.search(note):
        return _parse_cell(match["word"])
    if match := FOR_YEARS.fullmatch(note):
        first, last = _year(match["first"]), _year(match["last"] or match["first"])
        return _parse_cell(match["mark"]) if year and first <= year <= last else None
    if match := MARK_AND_MORE.fullmatch(note):
        return _parse_cell(match["mark"])
    return _parse_cell(note.partition(". ")[0].rstrip("."))


def _parse_cell(text: str) -> Amount | None:
    """Parse a number, a bound, a range, or a mark or word of the publisher."""
    if match := PLAIN.fullmatch(text):
        return Amount(_number(match["value"]), estimated=bool(match["estimate"]))
    if match := BOUND.fullmatch(text):
        return Amount(_number(match["value"]), qualifier=BOUNDS[match["sign"]])
    if match := RANGE.fullmatch(text):
        return Amount(_number(match["value"]), _number(match["upper"]), Qualifier.RANGE)
    if INCLUDED.match(text):
        return Amount(qualifier=Qualifier.INCLUDED_ELSEWHERE)
    qualifier = MARKS.get(text.casefold())
    if qualifier is None:
        return None
    return Amount(Decimal(0) if qualifier is Qualifier.NIL else None, qualifier=qualifier)


def _amount_of_small(note: str, unit: str) -> Amount | None:
    """Return the meaning of `s` in this table: under half a unit, under a number of carats, or elsewhere."""
    if INCLUDED.search(note):
        return Amount(qualifier=Qualifier.INCLUDED_ELSEWHERE)
    match = LESS_THAN.search(note)
    if match is None:
        return None
    if match["half"]:
        return Amount(Decimal("0.5"), qualifier=Qualifier.LESS_THAN)
    factor = UNIT_FACTORS.get((match["what"].lower(), unit))
    if factor is None:
        return None
    return Amount(_number(match["value"]) / factor, qualifier=Qualifier.LESS_THAN)


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)
