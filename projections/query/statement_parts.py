"""The parts of a sentence about a control or a share of production. Pure; see `statements`."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from math import prod

from projections.query.search_matches import edits
from projections.query.search_terms import (
    IGNORED,
    PRODUCTION,
    TOWARD,
    WORDS,
    Term,
    corrected,
    name_at,
    term_of,
)
from projections.query.search_terms import WORD as WORD_OF_SEARCH
from projections.query.statement_verdicts import CheckedPart, PartKind, part
from tracker.domain.basics.control_vocabulary import Direction, Measure
from tracker.domain.basics.toml_files import read_toml
from tracker.domain.basics.units import Unit
from tracker.domain.basics.values import PartialDate
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.wording.phrases import MONTHS
from tracker.errors import InvalidInput

OWN = read_toml(__file__, "statement_words.toml")
(
    PLAIN,
    HEDGES,
    NEGATIONS,
    CHANGES,
    FIGURES,
    SUSPENDED,
    ENDED,
    GENERAL,
    BANS,
    UNCORRECTED,
    PRESENT,
) = (
    frozenset(OWN[name].split())
    for name in (
        *("plain", "hedges", "negations", "changes", "figures", "suspended", "ended", "general"),
        *("bans", "uncorrected", "present"),
    )
)
WORLD = frozenset({"global", "world", "world's", "worldwide"})
UNNAMED = PLAIN | HEDGES | NEGATIONS | CHANGES | FIGURES | SUSPENDED | ENDED | UNCORRECTED | WORLD
"""Words that are not misspelt names."""
MONTH = "|".join(f"{name}|{name[:3]}\\.?" for name in MONTHS)
BEFORE = r"(?:\b(?P<before>on|in|since|from|until|till|through|by|before|after|effective)\s+)?"
DATE = re.compile(
    BEFORE + r"\b(?:(?P<iso>\d{4}-\d\d-\d\d)"
    rf"|(?:(?P<day>\d\d?)(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<month>{MONTH}),?\s+(?P<year>\d{{4}})"
    rf"|(?P<month2>{MONTH})\s+(?P<day2>\d\d?)(?:st|nd|rd|th)?,?\s+(?P<year2>\d{{4}})"
    r"|(?P<only>(?:19|20)\d\d))\b(?![-/.]\d)",
    re.IGNORECASE,
)
ACT = re.compile(
    r"(?:\b(?:announcement|decree|regulation|order|notice)\s+)?(?:\bno\.?\s*)?"
    r"\b(?:(\d{1,4})\s*(?:/|\s+of\s+)\s*((?:19|20)\d\d)|((?:19|20)\d\d)\s*(?:/|\s+no\.?\s*)\s*(\d{1,4}))\b",
    re.IGNORECASE,
)
UNITS = "|".join(sorted(OWN["units"], key=len, reverse=True))
NUMBER = re.compile(
    r"(?P<near>\b(?:more than|less than|over|above|at least|under|below|at most|up to|about|around|roughly"
    r"|nearly|almost|some|approximately)\s+)?(?<![\d.,/–-])(?P<number>\d[\d,]*(?:\.\d+)?)\s*(?P<times>million|thousand)?\s*"
    rf"(?:(?P<percent>%|percent\b|per\s+cent\b)|(?P<unit>(?:{UNITS})\b))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number in percent or in a unit of mass, with half a unit of its last digit and its comparison."""

    value: Decimal
    half: Decimal
    unit: Unit
    near: str


@dataclass(slots=True)
class Sentence:
    """The parts of a sentence, each with its text, and what limits a verdict on it."""

    issuers: list[Term] = field(default_factory=list)
    partners: list[Term] = field(default_factory=list)
    measures: list[Term] = field(default_factory=list)
    goods: list[Term] = field(default_factory=list)
    forms: list[Term] = field(default_factory=list)
    dates: list[tuple[str, str, PartialDate]] = field(default_factory=list)
    numbers: list[tuple[str, Number]] = field(default_factory=list)
    acts: list[tuple[str, str, str]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    direction: Direction | None = None
    limited: set[str] = field(default_factory=set)
    """The goods beside a word that is not read."""
    negated: str | None = None
    """The word that a negation precedes closely."""
    is_plain: bool = True
    """Whether the sentence states a fact: no plan, condition or other negation."""

    @property
    def has_figures(self) -> bool:
        """Whether it is about an output, not about a restriction."""
        return not self.measures and not FIGURES.isdisjoint(self.words)

    @property
    def combinations(self) -> int:
        """The number of combinations of its names; the maximum if they may belong to several statements."""
        each = [len(one) or 1 for one in (self.issuers, self.goods, self.partners, self.measures)]
        return prod(each) if each[3] == 1 or sum(each[:2]) == 2 else sys.maxsize

    @property
    def is_present(self) -> bool:
        """Whether it says that the restriction applies now."""
        return not self.statuses and not self.dates and not PRESENT.isdisjoint(self.words)

    @property
    def is_statement(self) -> bool:
        """Whether it is more than words of a search: an act or an output of a place, with a detail."""
        is_claim = self.issuers and self.goods and (self.measures or self.has_figures)
        is_dated = self.dates and (self.words[4:] or any(before for _, before, _ in self.dates))
        return bool(is_claim and (is_dated or self.numbers or self.negated or self.words[6:]))


@lru_cache(maxsize=256)
def parse_sentence(text: str) -> Sentence:
    """Return the parts of a sentence."""
    of = Sentence()
    text = re.sub(r"\bU\.\s?S\.(?:A\.)?", "US", text.replace("’", "'"))
    text = re.sub(r"(?<=\w)-(?=(?:ban|banned|earths?|export|exports|ore)\b)", " ", text)
    text = ACT.sub(lambda match: _take_act(of, match), text)
    text = NUMBER.sub(lambda match: _take_number(of, match), text)
    text = DATE.sub(lambda match: _take_date(of, match), text)
    words = [one.strip(".'()[]") for one in WORD_OF_SEARCH.findall(text) if one.strip(".'()[]")]
    of.words = [one.lower() for one in words]
    places: list[tuple[int, Term]] = []
    kinds: list[str] = []
    start = 0
    while start < len(words):
        term, count = _term_at(words, start)
        word = of.words[start]
        kinds += ["plain"] * count
        if term is None:
            _take_word(of, word, kinds, start)
        elif term.kind is Place:
            places.append((start, term))
        else:
            (
                of.goods
                if term.kind is Commodity
                else of.measures
                if term.kind is Measure
                else of.forms
            ).append(term)
            kinds[start:] = ["goods" if term.kind is Commodity else "term"] * count
        start += count
    _limit(of, kinds)
    _assign_places(of, places)
    _negate(of)
    trades = [Direction(one) for name, one in WORDS["directions"].items() if name in of.words]
    if of.measures and not trades and not PRODUCTION.isdisjoint(of.words):
        trades = [Direction.PRODUCTION]
    of.direction = trades[0] if trades else None
    if of.direction and not of.measures and not SUSPENDED.isdisjoint(of.statuses):
        of.measures = [Term(one, Measure, (Measure.BAN,)) for one in of.statuses]
        of.statuses = []
    return of


def texts_of(of: Sentence) -> list[tuple[PartKind, str]]:
    """Return the texts of all parts that have a kind."""
    terms = {
        PartKind.ISSUER: [one.text for one in of.issuers],
        PartKind.MEASURE: [one.text for one in of.measures],
        PartKind.GOODS: [one.text for one in of.goods],
        PartKind.PARTNER: [one.text for one in of.partners],
        PartKind.STATUS: of.statuses,
        PartKind.ACT: [text for text, *_ in of.acts],
        PartKind.DATE: [text for text, *_ in of.dates],
        PartKind.NUMBER: [text for text, _ in of.numbers],
    }
    return [(kind, text) for kind, texts in terms.items() for text in texts]


def not_checked(of: Sentence, why: str) -> list[CheckedPart]:
    """Return all parts that have a kind, which were not checked."""
    return [part(kind, one, f"Not checked: {why}.") for kind, one in texts_of(of)]


def _term_at(words: list[str], start: int) -> tuple[Term | None, int]:
    """Return the name that begins at a word; a misspelt one differs in one letter after the first."""
    word = words[start].lower()
    term, count = name_at(words, start)
    if term and not _is_near(words[start : start + count]):
        term, count = None, 1
    if count > 1:
        return term, count
    if agency := OWN["agencies"].get(word.removesuffix("'s")):
        return Term(words[start], Place, (Place(agency),)), 1
    if word in BANS:
        return Term(word, Measure, (Measure.BAN,)), 1
    if word in GENERAL:
        duties = (
            {Measure.TARIFF, Measure.TARIFF_RATE_QUOTA} if word.startswith("control") else set()
        )
        return Term(word, Measure, tuple(set(Measure) - {Measure.INVESTIGATION, *duties})), 1
    return (None if word in UNNAMED else term), 1


def _is_near(words: Sequence[str]) -> bool:
    written = [word.removesuffix("'s") for word in words]
    name = " ".join(written)
    return term_of(name, name) is not None or all(
        word == near
        or (
            word[:1].lower().replace("k", "c") == near[:1].replace("k", "c")
            and edits(word.lower(), near, 1) < 2
        )
        for word in written
        for near in [corrected(word)]
    )


def _take_word(of: Sentence, word: str, kinds: list[str], at: int) -> None:
    if word in SUSPENDED | ENDED:
        of.statuses.append(word)
    elif word in HEDGES:
        of.is_plain = False
        of.other.append(word)
    elif word not in PLAIN | IGNORED | FIGURES | NEGATIONS | WORLD:
        of.other.append(word)
        kinds[at] = "other"


def _limit(of: Sentence, kinds: list[str]) -> None:
    """Note the goods beside a word that is not read: `lithium batteries`."""
    for at, kind in enumerate(kinds):
        if kind == "goods" and "other" in kinds[max(0, at - 1) : at] + kinds[at + 1 : at + 2]:
            of.limited.add(of.words[at])


def _assign_places(of: Sentence, places: Sequence[tuple[int, Term]]) -> None:
    before: list[Term] | None = None
    by = [
        at
        for at, _ in places
        if (at and of.words[at - 1] == "by") or (at > 1 and of.words[at - 2 : at] == ["by", "the"])
    ]
    last = -9
    for at, term in places:
        near = [one for one in of.words[max(0, at - 2) : at] if one != "the"][-1:]
        word = near[0] if near else ""
        if (before is not None and at - last <= 3 and word in ("and", "or")) or (
            before is not None and at == last + 1
        ):
            role = before
        elif at in by:
            role = of.issuers
        elif word in {*TOWARD, "against", "for", "from"} or of.issuers or by:
            role = of.partners
        else:
            role = of.issuers
        role.append(term)
        before, last = role, at + len(term.text.split()) - 1


def _negate(of: Sentence) -> None:
    at = [index for index, word in enumerate(of.words) if word in NEGATIONS or word.endswith("n't")]
    longer = [index for index in at if of.words[index : index + 2] == ["no", "longer"]]
    if not at:
        return
    after = [word for word in of.words[at[0] + 1 :] if word not in ("a", "an", "the")][:3]
    named = {word for term in of.measures for word in term.text.lower().split()} | SUSPENDED | ENDED
    of.negated = next((word for word in after if word in named), None)
    only = of.words[at[0] : at[0] + 2] == ["not", "only"]
    if (
        len(at) > 1
        or of.negated is None
        or only
        or longer
        or of.words[at[0]] in ("no", "without", "denied", "denies")
    ):
        of.negated, of.is_plain = None, False


def _take_act(of: Sentence, match: re.Match[str]) -> str:
    number, year = match[1] or match[4], match[2] or match[3]
    of.acts.append((match[0].strip(), number, year))
    return " "


def _take_number(of: Sentence, match: re.Match[str]) -> str:
    times = {"million": 1_000_000, "thousand": 1000}.get((match["times"] or "").lower(), 1)
    digits = match["number"].replace(",", "")
    fraction = len(digits.partition(".")[2])
    zeros = 0 if fraction else len(digits) - len(digits.rstrip("0")) if len(digits) > 3 else 0
    half = Decimal(5) * Decimal(10) ** (zeros - fraction - 1) * times
    value = Decimal(digits) * times
    unit = Unit("percent") if match["percent"] else Unit(OWN["units"][match["unit"].lower()])
    of.numbers.append(
        (
            match[0].strip(),
            Number(value, min(half, value / 40), unit, (match["near"] or "").strip().lower()),
        )
    )
    return " "


def _take_date(of: Sentence, match: re.Match[str]) -> str:
    month = match["month"] or match["month2"]
    if match["iso"]:
        text = match["iso"]
    elif month:
        number = [one[:3].lower() for one in MONTHS].index(month[:3].lower()) + 1
        day = match["day"] or match["day2"]
        text = f"{match['year'] or match['year2']}-{number:02}" + (f"-{int(day):02}" if day else "")
    else:
        text = match["only"]
    try:
        of.dates.append((match[0].strip(), (match["before"] or "").lower(), PartialDate(text)))
    except InvalidInput:
        of.other.append(match[0].strip())
    return " "
