"""Comparison of candidates with recorded acts: same act, amendment or conflict.

Matches are computed per request from the current state, so they are never stale. They compare numbers,
days, titles, goods and measures. A match is a hint for the reviewer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from projections.query.list_statements import Ordering, SortKey
from projections.query.lists import Filter, KeyRange, Lists
from projections.query.moment import Moment
from projections.words import words
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.basics.values import PartialDate
from tracker.domain.catalogue.commodities import Commodity, ancestors, descendants
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.entities.citations import cited_numbers, first_number
from tracker.domain.entities.entity import INITIAL_FACTS
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput
from tracker.review.candidate import Candidate

MAX_COMPARED_ACTS = 2_000
"""Maximum of acts of an issuer that a candidate is compared with, per kind: the newest."""
MAX_MATCHES = 20
SIMILAR_SHARE = 0.5
"""Minimum share of common words in two titles, of all words in either, to call them similar."""
NEWEST = Ordering(SortKey.DATE, down=True)

Act: TypeAlias = ExportControlState | AnnouncementState


class MatchKind(Enum):
    """Relation of a candidate to a recorded act."""

    SAME_AS = "same_as"
    """It is this act."""
    AMENDS = "amends"
    """It changes this act, or cites it."""
    CONFLICTS_WITH = "conflicts_with"
    """It is this act, but its date, measure or goods differ from the recorded ones."""


class CandidateMatch(Struct, frozen=True):
    """A recorded act that a candidate refers to, with the reason."""

    kind: MatchKind
    """The relation of the candidate to the act."""
    entity: str
    """The act, such as `export-control/us-bis-2025-19001`."""
    title: str
    """Its current title."""
    because: str
    """The reason for the match, in words."""


async def find_matches(
    lists: Lists, moment: Moment, candidates: Sequence[Candidate]
) -> list[list[CandidateMatch]]:
    """Return the matches of candidates at a moment. The acts of each issuer are read once."""
    issuers = {issuer for candidate in candidates for issuer in candidate.issuers}
    known = {issuer: await _acts_of(lists, moment, issuer) for issuer in sorted(issuers)}
    return [
        list(matches_of(candidate, _acts_of_issuers(known, candidate.issuers)))
        for candidate in candidates
    ]


async def _acts_of(lists: Lists, moment: Moment, issuer: str) -> dict[str, Act]:
    """Return the acts of an issuer, by entity name."""
    arguments = moment, Filter(places=[issuer]), NEWEST, KeyRange(limit=MAX_COMPARED_ACTS)
    acts: dict[str, Act] = {}
    acts |= {str(key[-1]): act for key, act in await lists.page(ExportControlState, *arguments)}
    acts |= {str(key[-1]): act for key, act in await lists.page(AnnouncementState, *arguments)}
    return {name: act for name, act in acts.items() if issuer in _issuers(act)}


def _acts_of_issuers(
    known: Mapping[str, Mapping[str, Act]], issuers: Iterable[str]
) -> dict[str, Act]:
    return {name: act for issuer in issuers for name, act in known[issuer].items()}


def matches_of(candidate: Candidate, acts: Mapping[str, Act]) -> Iterator[CandidateMatch]:
    """Yield the matches of a candidate among acts of its issuers, by entity name. Pure."""
    candidate_fact = _CandidateFact(candidate)
    matches = (match for name, act in acts.items() if (match := _match(candidate_fact, name, act)))
    ranked = sorted(matches, key=lambda match: (RANKS[match.kind], match.entity))
    yield from ranked[:MAX_MATCHES]


RANKS = {MatchKind.SAME_AS: 0, MatchKind.CONFLICTS_WITH: 1, MatchKind.AMENDS: 2}


class _CandidateFact:
    """A candidate's fields that matches compare."""

    def __init__(self, candidate: Candidate):
        self.candidate = candidate
        self.fact = _fact_of(candidate)
        texts = [candidate.number or "", candidate.item, candidate.url]
        if isinstance(self.fact, Announced):
            texts.append(self.fact.instrument or "")
        self.numbers = frozenset[str]().union(*map(cited_numbers, texts))
        self.cited = frozenset[str]().union(*map(cited_numbers, _texts(candidate))) - self.numbers
        self.title = set(words(candidate.title))

    @property
    def opens(self) -> bool:
        """Whether the candidate's fact would begin an entity."""
        return type(self.fact) in INITIAL_FACTS

    @property
    def day(self) -> PartialDate | None:
        """The day of the act, or its day of publication."""
        on: PartialDate | None = getattr(self.fact, "on", None)
        published = self.candidate.published_on
        return on or (PartialDate(published.isoformat()) if published else None)


def _match(candidate_fact: _CandidateFact, name: str, act: Act) -> CandidateMatch | None:
    """Return the match of a candidate and an act, or None.

    An act that was recorded from this candidate is not a match.
    """
    if act.because and act.because[0].event_id == candidate_fact.candidate.recorded_id:
        return None
    same = _same_because(candidate_fact, name, act)
    if same:
        differences = list(_differences(candidate_fact, act))
        if not differences:
            return CandidateMatch(MatchKind.SAME_AS, name, act.title, same)
        because = "; ".join((same, *differences))
        return CandidateMatch(MatchKind.CONFLICTS_WITH, name, act.title, because)
    if name == candidate_fact.candidate.stream and candidate_fact.fact is not None:
        because = "it is about this act"
        return CandidateMatch(MatchKind.AMENDS, name, act.title, because)
    if cited := candidate_fact.cited & _numbers(act):
        because = f"it cites {', '.join(sorted(cited))}"
        return CandidateMatch(MatchKind.AMENDS, name, act.title, because)
    return None


def _same_because(candidate_fact: _CandidateFact, name: str, act: Act) -> str | None:
    """Return the reason why a candidate is the same act, or None."""
    if numbers := candidate_fact.numbers & _numbers(act):
        return f"the same number: {', '.join(sorted(numbers))}"
    if name == candidate_fact.candidate.stream and candidate_fact.opens:
        return "the same key"
    if candidate_fact.candidate.url in _addresses(act):
        return "the same address"
    if _overlap(candidate_fact.day, _day(act)) and _similar(
        candidate_fact.title, set(words(act.title))
    ):
        return "the same issuer and day, and a similar title"
    return None


def _differences(candidate_fact: _CandidateFact, act: Act) -> Iterator[str]:
    """Yield the differences between a proposed fact and the recorded act."""
    if candidate_fact.fact is None or not candidate_fact.opens:
        return
    on: PartialDate | None = getattr(candidate_fact.fact, "on", None)
    if on and not _overlap(on, _day(act)):
        yield f"another day: {on}, not {_day(act)}"
    if not isinstance(candidate_fact.fact, Announced) or not isinstance(act, ExportControlState):
        return
    known = {item.clause.measure for item in act.clauses}
    measures = {clause.measure for clause in candidate_fact.fact.clauses}
    if known and measures and known.isdisjoint(measures):
        yield f"another measure: {_list_words(measures)}, not {_list_words(known)}"
    goods = {good for item in act.clauses for good in item.clause.commodities}
    named = {good for clause in candidate_fact.fact.clauses for good in clause.commodities}
    if goods and named and _with_related(goods).isdisjoint(named):
        yield f"other goods: {_list_words(named)}, not {_list_words(goods)}"


def _list_words(given: Iterable[str]) -> str:
    return ", ".join(sorted(given))


def _with_related(goods: Iterable[Commodity]) -> set[str]:
    """Return goods with all goods above and below them."""
    return {other for good in goods for other in (good, *descendants(good), *ancestors(good))}


def _fact_of(candidate: Candidate) -> Fact | None:
    if candidate.type is None:
        return None
    try:
        return candidate.fact
    except InvalidInput:  # data of another schema version
        return None


def _texts(candidate: Candidate) -> Iterator[str]:
    """Yield the texts of a candidate that may cite other acts."""
    yield candidate.title
    yield candidate.reason
    for name in ("note", "quotation", "title"):
        value = (candidate.data or {}).get(name)
        if isinstance(value, str):
            yield value


def _numbers(act: Act) -> frozenset[str]:
    """Return the numbers under which an act is cited.

    These are its own number, the number in its address, and the first number in its first source.
    """
    numbers = cited_numbers(act.instrument or "") if isinstance(act, ExportControlState) else None
    for source in act.because[0].sources[:1] if act.because else ():
        numbers = (numbers or frozenset()) | cited_numbers(source.url or "")
        numbers |= first_number(source.reference or "")
    return numbers or frozenset()


def _addresses(act: Act) -> set[str]:
    return {source.url for evidence in act.because for source in evidence.sources if source.url}


def _issuers(act: Act) -> tuple[str, ...]:
    return (act.issuer,) if isinstance(act, ExportControlState) else act.actors


def _day(act: Act) -> PartialDate:
    return act.announced_on if isinstance(act, ExportControlState) else act.date


def _overlap(one: PartialDate | None, other: PartialDate) -> bool:
    """Whether two days can be equal, given their precision."""
    return one is not None and one.first <= other.last and other.first <= one.last


def _similar(one: set[str], other: set[str]) -> bool:
    """Whether two titles have most of their words in common."""
    return bool(one and other) and len(one & other) / len(one | other) >= SIMILAR_SHARE
