"""Completeness of a response: the extent to which its lists were read. Pure.

"No record" means "none exists" only if the relevant list was read completely.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from msgspec import Struct

from tracker.domain.basics.control_vocabulary import ActKind, Direction, Measure
from tracker.domain.basics.values import DAY
from tracker.domain.basics.vocabulary import CompletenessLevel
from tracker.domain.catalogue.commodities import Commodity, ancestors, related
from tracker.domain.evidence.coverage import CoverageState
from tracker.domain.evidence.watched_source import WatchedSourceState
from tracker.domain.wording.phrases import (
    commodities_phrase,
    date_phrase,
    is_alliance,
    listed,
    place_in_text,
    with_capital,
)

CONTROLS = frozenset(
    {ActKind.EXPORT_CONTROL, ActKind.ENTITY_LIST, ActKind.LICENCE_CATALOGUE, ActKind.IMPORT_MEASURE}
)
KINDS_OF_ACTS: Mapping[str, frozenset[ActKind]] = {
    "alliance": frozenset({ActKind.ALLIANCE}),
    "announcement": frozenset({ActKind.ANNOUNCEMENT}),
    "export-control": CONTROLS,
    "figure": frozenset({ActKind.FIGURE}),
    "flow": frozenset({ActKind.FIGURE}),
    "obligation": frozenset({ActKind.OBLIGATION}),
}
"""The kinds of acts behind entities, by the kind of entity."""
CATALOGUE_MEASURES = frozenset({Measure.TRADE_LICENCE, Measure.QUOTA, Measure.STATE_TRADING})
NOUNS = {ActKind.OBLIGATION: "obligations", ActKind.FIGURE: "figures"}
"""Nouns for records that are not acts, by kind."""
MAX_ISSUERS_IN_STATEMENT = 2
OTHER_ISSUERS = "No list of any other issuer was read."
OTHER_PUBLISHERS = "No list of figures of any other publisher was read."


Days = tuple[date, date]
"""Days from a first to a last one, both inclusive."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The acts relevant to a response; None means all issuers or all commodities."""

    kinds: frozenset[ActKind]
    issuers: frozenset[str] | None = None
    commodities: frozenset[Commodity] | None = None
    of_imports: bool = False
    """Whether its figures are about the imports of the issuers."""

    @property
    def others(self) -> str:
        """Return the sentence on the lists of all other issuers."""
        return OTHER_PUBLISHERS if self.kinds == {ActKind.FIGURE} else OTHER_ISSUERS

    def phrase(self, kinds: Iterable[ActKind], issuer: str) -> str:
        """Return kinds of acts of an issuer: `export controls of China`."""
        words = listed(kind.phrase for kind in kinds)
        if words != ActKind.FIGURE.phrase:
            return f"{words} of {_name(issuer)}"
        return f"{words} {'on the imports of' if self.of_imports else 'of publishers in'} {_name(issuer)}"


class Gap(Struct, frozen=True):
    """Acts that were not read, and their days; None is an open end."""

    reason: str
    """The gap in a sentence."""
    issuer: str | None = None
    """The issuer, a place (`CN`) or an alliance (`quad`); null for all others."""
    acts: ActKind | None = None
    """The kind of act; null for all kinds."""
    first: date | None = None
    last: date | None = None


class Completeness(Struct, frozen=True):
    """The completeness level of a response, the day up to which its lists were read, the gaps, and a
    statement."""

    level: CompletenessLevel
    """Whether all, some or none of the lists were read."""
    until: date | None
    """The date to which the lists were read; of several lists the earliest. Null if none was read."""
    gaps: tuple[Gap, ...]
    """The gaps up to `validAt`."""
    statement: str
    """Completeness in a few sentences."""


class _ReadList(Struct, frozen=True):
    """A list that was read: its days, its omissions, and the reason of its end."""

    name: str
    days: Days
    omissions: tuple[str, ...]
    waiting: str = ""


class Reading(NamedTuple):
    """Days on which the acts of one kind by an issuer were read, in full or in part; no commodities: all.

    `entity` and `position` are the list and the event that declares it.
    """

    issuer: str
    acts: ActKind
    commodities: tuple[Commodity, ...]
    first: date
    last: date
    complete: bool
    entity: str
    position: int
    url: str | None


def readings(
    lists: Iterable[CoverageState], sources: Mapping[str, WatchedSourceState]
) -> Iterator[Reading]:
    """Yield the days of all lists that count; a list of some commodities is in full for these."""
    for of in lists:
        if of.withdrawn_on is None:
            declared = max(of.because, key=lambda one: one.position)
            scope = Scope(frozenset({of.acts}), commodities=frozenset(of.commodities) or None)
            for one in _read_lists(of, sources, scope):
                yield Reading(
                    of.issuer,
                    of.acts,
                    of.commodities,
                    *one.days,
                    not one.omissions,
                    f"coverage/{of.id}",
                    declared.position,
                    declared.source.url,
                )


def is_read_in_full(lists: Iterable[Reading], days: Days) -> bool:
    """Return whether lists without omissions cover some days together."""
    read = _union((one.first, one.last) for one in lists if one.complete)
    return not any(_outside(read, days))


class _Part(Struct, frozen=True):
    """One kind of act by one issuer, and the extent to which it was read."""

    issuer: str
    acts: ActKind
    level: CompletenessLevel
    gaps: tuple[Gap, ...]
    since: date | None = None
    until: date | None = None


def control_kinds(
    direction: Direction | None = None, measures: Iterable[Measure] = ()
) -> frozenset[ActKind]:
    """Return the kinds of acts that contain controls of a direction and with some measures."""
    if direction is Direction.IMPORT:
        return frozenset({ActKind.IMPORT_MEASURE})
    kinds = CONTROLS if direction is None else CONTROLS - {ActKind.IMPORT_MEASURE}
    requested = frozenset(measures)
    if requested and requested <= CATALOGUE_MEASURES:
        return kinds - {ActKind.ENTITY_LIST}
    if requested and requested.isdisjoint(CATALOGUE_MEASURES):
        return kinds - {ActKind.LICENCE_CATALOGUE}
    return kinds


def completeness(
    lists: Iterable[CoverageState],
    sources: Mapping[str, WatchedSourceState],
    scope: Scope,
    day: date,
) -> Completeness:
    """Return the completeness of the lists behind a response about a day.

    `sources` are the watched sources by key. A poll that read everything continues a list, unless polls have
    proposed documents since the day of the declaration, because these may await review.
    """
    by_part: dict[tuple[str, ActKind], list[_ReadList]] = {}
    for of in lists:
        if of.withdrawn_on is None and of.acts in scope.kinds and _overlaps(of, scope):
            by_part.setdefault((of.issuer, of.acts), []).extend(_read_lists(of, sources, scope))
    scope_issuers = scope.issuers
    issuers = {issuer for issuer, _ in by_part} if scope_issuers is None else scope_issuers
    parts = [
        _part(scope, issuer, kind, by_part.get((issuer, kind), ()), day)
        for issuer in sorted(issuers)
        for kind in ActKind
        if kind in scope.kinds and (scope_issuers is not None or (issuer, kind) in by_part)
    ]
    levels = {part.level for part in parts} | (
        {CompletenessLevel.NONE} if scope_issuers is None else set()
    )
    gaps = [gap for part in parts for gap in part.gaps]
    if scope_issuers is None:
        gaps.append(Gap(scope.others if parts else "No list was read."))
    return Completeness(
        levels.pop() if len(levels) == 1 else CompletenessLevel.PARTIAL,
        min((part.until for part in parts if part.until), default=None),
        tuple(gaps),
        _statement(parts, scope, day),
    )


def _overlaps(of: CoverageState, scope: Scope) -> bool:
    if not of.commodities or not scope.commodities:
        return True
    return any(not related(one).isdisjoint(of.commodities) for one in scope.commodities)


def _read_lists(
    of: CoverageState, sources: Mapping[str, WatchedSourceState], scope: Scope
) -> Iterator[_ReadList]:
    """Yield the declared list, and the days by which polls extended it."""
    omissions = of.left_out
    if of.commodities and not _has_all(of.commodities, scope.commodities):
        omissions = (*omissions, f"Only acts on {commodities_phrase(of.commodities)} were read.")
    if of.firms_named is False:
        omissions = (*omissions, "Some listed firms are not named.")
    first, last = of.first.first if of.first else date.min, of.last.last
    source = sources.get(of.watched_source or "")
    polled_until = source.covers_until if source else None
    if source is None or polled_until is None or polled_until <= last:
        yield _ReadList(of.name, (first, last), omissions)
        return
    proposed = source.last_proposed_at
    if proposed is not None and proposed.date() >= of.declared_on.first:
        waiting = "Documents that polls found since may wait for review."
        yield _ReadList(of.name, (first, last), omissions, waiting)
        return
    yield _ReadList(of.name, (first, last), omissions)
    polled_from = max(last + DAY, source.watched_since.first)
    if polled_from <= polled_until:
        yield _ReadList(of.name, (polled_from, polled_until), omissions)


def _has_all(named: Sequence[Commodity], requested: frozenset[Commodity] | None) -> bool:
    return bool(requested) and all(
        not {one, *ancestors(one)}.isdisjoint(named) for one in requested or ()
    )


def _part(scope: Scope, issuer: str, kind: ActKind, lists: Sequence[_ReadList], day: date) -> _Part:
    """Return the extent to which one kind of act by one issuer was read, up to a day."""
    begun = [one for one in lists if one.days[0] <= day]
    if not begun:
        gap = Gap(f"No list of {scope.phrase([kind], issuer)} was read.", issuer, kind, None, None)
        return _Part(issuer, kind, CompletenessLevel.NONE, (gap,))
    read = [days for days in _union(one.days for one in lists) if days[0] <= day]
    whole = _union(one.days for one in begun if not one.omissions)
    waiting = next((one.waiting for one in begun if one.waiting), "")
    gaps = [
        *(_unread(scope, issuer, kind, days, waiting) for days in _outside(read, (date.min, day))),
        *(
            Gap(f"{one.name}: {omission}", issuer, kind, *_open(days))
            for one in begun
            for days in _outside(whole, (one.days[0], min(one.days[1], day)))
            for omission in one.omissions
        ),
    ]
    level = CompletenessLevel.PARTIAL if gaps else CompletenessLevel.COMPLETE
    return _Part(issuer, kind, level, tuple(gaps), read[0][0], read[-1][1])


def _unread(scope: Scope, issuer: str, kind: ActKind, days: Days, waiting: str) -> Gap:
    """Return the gap of days outside all lists."""
    acts = scope.phrase([kind], issuer)
    if days[0] == date.min:
        when = f"before {date_phrase(days[1] + DAY)}"
    else:
        when = f"after {date_phrase(days[0] - DAY)}"
    return Gap(
        " ".join([f"Not read: {acts} {when}.", *([waiting] if waiting else [])]),
        issuer,
        kind,
        *_open(days),
    )


def _union(all_days: Iterable[Days]) -> list[Days]:
    """Return days without overlaps, in order; adjacent spans are merged."""
    union: list[Days] = []
    for first, last in sorted(all_days):
        if union and (union[-1][1] == date.max or first <= union[-1][1] + DAY):
            union[-1] = (union[-1][0], max(union[-1][1], last))
        else:
            union.append((first, last))
    return union


def _outside(days: Sequence[Days], within: Days) -> Iterator[Days]:
    """Yield the days of a span that are in none of some sorted spans."""
    start, end = within
    for first, last in days:
        if first > end:
            break
        if first > start:
            yield start, first - DAY
        if last >= end:
            return
        start = max(start, last + DAY)
    if start <= end:
        yield start, end


def _open(days: Days) -> tuple[date | None, date | None]:
    """Return a span with None for the beginning of the calendar."""
    return (None if days[0] == date.min else days[0], days[1])


def _statement(parts: Sequence[_Part], scope: Scope, day: date) -> str:
    """Return completeness in a few sentences, starting with the unread lists."""
    if scope.issuers is None and parts:
        parts = [part for part in parts if part.since]
        if not parts:
            return f"No list of acts up to {date_phrase(day)} was read."
    if scope.issuers is None and len({part.issuer for part in parts}) > MAX_ISSUERS_IN_STATEMENT:
        issuers = dict.fromkeys(_name(part.issuer) for part in parts)
        subject = f"{len(issuers)} issuers were read ({listed(issuers)})"
        return f"Lists of {subject}, most in part. {scope.others}"
    groups: dict[tuple[object, ...], list[_Part]] = {}
    for part in parts:
        key = part.issuer, part.level, part.since, part.until, NOUNS.get(part.acts)
        groups.setdefault(key, []).append(part)
    sentences = [_sentence_of(scope, alike, day) for alike in groups.values()]
    if scope.issuers is None:
        sentences.append(scope.others if parts else "No list was read.")
    return " ".join(sentences)


def _sentence_of(scope: Scope, parts: Sequence[_Part], day: date) -> str:
    """Return the sentence for parts that were read to the same extent."""
    like = parts[0]
    acts = scope.phrase([part.acts for part in parts], like.issuer)
    noun = NOUNS.get(like.acts)
    if like.since is None or like.until is None:
        in_full = " in full" if like.acts is ActKind.FIGURE else ""
        return f"No list of {acts} was read{in_full}, so {noun or 'such acts'} may be missing."
    in_part = " in part" if like.level is CompletenessLevel.PARTIAL else ""
    since = "" if like.since == date.min else f" from {date_phrase(like.since)}"
    missing = [*(["earlier"] if since else []), *(["later"] if like.until < day else [])]
    warning = f"; {' and '.join(missing)} {noun or 'acts'} may be missing" if missing else ""
    return f"{with_capital(acts)} were read{in_part}{since} to {date_phrase(like.until)}{warning}."


def _name(issuer: str) -> str:
    return issuer if is_alliance(issuer) else place_in_text(issuer)
