"""The confirmation of a status: the record that supports it, or the days without one. Pure.

A status that follows from dates in older acts is confirmed by a record of its first day or later that names
the clause, its act or the act that suspends it, or by a reading of the lists in which a change would stand.
No record confirms a status of a day after it was recorded.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from tracker.domain.actors.announcement import Made
from tracker.domain.basics.control_vocabulary import (
    ActKind,
    Assumption,
    ClauseEnd,
    ClauseStatus,
    Confirmation,
    GroundKind,
)
from tracker.domain.basics.vocabulary import AnnouncementKind
from tracker.domain.catalogue.commodities import related
from tracker.domain.controls.clause import Clause, ClauseState
from tracker.domain.controls.duty_relations import Related
from tracker.domain.controls.export_control import (
    ExportControl,
    ExportControlFold,
    ExportControlState,
    clauses_of,
)
from tracker.domain.controls.export_control_acts import (
    Amended,
    Announced,
    ClausesFact,
    Disputed,
    Extended,
    Reinstated,
    Suspended,
    SuspensionStated,
)
from tracker.domain.entities.citations import cited_numbers, last_year
from tracker.domain.entities.entity import RecordedFact, effective_facts
from tracker.domain.entities.fact import READ, Fact
from tracker.domain.evidence.completeness import Reading, control_kinds, is_read_in_full

CONTROL = f"{ExportControl.KIND}/"
RETURNS = Assumption.AUTOMATIC_RETURN, Assumption.ORDERED_RETURN  # by its terms, by an act


class Ground(NamedTuple):
    """A record that supports a status."""

    kind: GroundKind
    """The kind of record."""
    on: date
    """The date of the act or statement, the publication date of the text, or the last date of the reading."""
    entity: str
    """The entity of the record in the log."""
    position: int
    """The position of the record in the log."""
    url: str | None
    """The address of its source; null if none is recorded."""
    in_part: bool = False  # of the lists
    year: int | None = None  # the last year that it is for, such as that of a yearly catalogue


class Period(NamedTuple):
    """A status of a clause from a day on, with the wording of that day.

    `is_open` marks statuses that governments often prevent by a further act: a return after a suspension, an
    expiry, and a renewal. `assumed`: basis of a return. `named_on`: last act before that names the clause.
    """

    first: date
    status: ClauseStatus
    clause: Clause
    is_open: bool
    assumed: Assumption | None
    named_on: date


class _Support(NamedTuple):
    """The records that support a status, with its first day; the newest records come first."""

    first: date
    grounds: Sequence[Ground]

    def on(self, clause: ClauseState, day: date) -> Iterator[Ground]:
        """Yield the records that support it on a day. An act for a year supports no later one."""
        in_force = clause.status is ClauseStatus.IN_FORCE
        is_open = in_force and clause.clause.end is ClauseEnd.UNKNOWN
        needed = max(self.first, day) if is_open else self.first
        for one in self.grounds:
            if one.on < needed:
                return
            if not (in_force and one.year and one.year < day.year):
                yield one


class ControlRecord(NamedTuple):
    """The facts about an instrument, as far as they support statuses of its clauses."""

    issuer: str
    kinds: Mapping[str, frozenset[ActKind]]
    """The lists in which changes of a clause stand, by clause."""
    periods: Mapping[str, Sequence[Period]]
    """The statuses of each clause, by day."""
    acts: Sequence[Ground]
    """Acts that name the instrument."""
    naming: Mapping[str, Sequence[Ground]]
    """Acts and texts that name a clause."""
    numbers: frozenset[str]
    """The numbers of its act and of acts that suspend it."""
    cited: Sequence[tuple[str, Ground]]  # numbers of acts that its facts cite
    recorded_on: date = date.max  # the date on which its newest fact was recorded


class Grounds:
    """The records that support statuses, as recorded at a position."""

    def __init__(
        self,
        records: Mapping[str, ControlRecord],
        announcements: Iterable[tuple[str, RecordedFact]] = (),
        readings: Iterable[Reading] = (),
    ):
        self._records = records
        self._statements = defaultdict[str, list[Ground]](list)
        """By instrument: statements of its issuer about it."""
        for entity, known in announcements:
            fact = known.fact
            if isinstance(fact, Made) and fact.kind is AnnouncementKind.STATEMENT:
                ground = _ground(GroundKind.STATEMENT, entity, known)
                for about in fact.about:
                    record = records.get(about.removeprefix(CONTROL))
                    if record and record.issuer in fact.actors:
                        self._statements[about.removeprefix(CONTROL)].append(ground)
        self._citing = defaultdict[tuple[str, str], list[Ground]](list)
        """By issuer and number of an act: the acts that cite it."""
        for record in records.values():
            for number, ground in record.cited:
                self._citing[record.issuer, number].append(ground)
        self._readings = defaultdict[str, list[Reading]](list)
        for reading in readings:
            self._readings[reading.issuer].append(reading)
        self._of_period: dict[tuple[str, str, date], _Support] = {}

    def period(self, control: str, clause: str, day: date) -> Period | None:
        """Return the status of a clause on a day, with its first day."""
        record = self._records.get(control)
        periods = record.periods.get(clause, ()) if record else ()
        place = bisect_right(periods, day, key=_FIRST)
        return periods[place - 1] if place else None

    def supported_until(
        self, control: ExportControlState, clause: ClauseState, day: date
    ) -> date | None:
        """Return the last date for which records confirm the status that a clause has on a day; None without
        a record that supports it.

        It is the date on which the newest fact about the instrument was recorded, that of a later record
        that supports the status, or the date to which the lists were read completely since then.
        """
        newest = next(self._supports(control.id, clause, day), None)
        if newest is None:
            return None
        record = self._records[control.id]
        read = dict.fromkeys(record.kinds[clause.clause.id], date.min)
        for one in self._readings_of(record, clause.clause):
            if one.complete and one.first <= record.recorded_on:
                read[one.acts] = max(read[one.acts], one.last)
        return max(record.recorded_on, newest.on, min(read.values(), default=date.min))

    def confirmed_by(
        self, control: ExportControlState, clause: ClauseState, day: date
    ) -> Ground | None:
        """Return the record that supports the status of a clause on a day; None without one.

        Acts come first, then the newest record up to the day.
        """
        supports = self._supports(control.id, clause, day)
        return min(supports, key=lambda one: _preference(one, day), default=None)

    def _supports(self, control: str, clause: ClauseState, day: date) -> Iterator[Ground]:
        """Yield the records that support the status of a clause; none if it is not that of the records."""
        period = self.period(control, clause.clause.id, day)
        if period is None or period.status is not clause.status:
            return iter(())
        key = control, clause.clause.id, period.first
        if key not in self._of_period:
            grounds = sorted(self._support(control, period), key=_ON, reverse=True)
            self._of_period[key] = _Support(period.first, grounds)
        return self._of_period[key].on(clause, day)

    def last_reading(self, control: str, clause: str) -> Reading | None:
        """Return the reading with the last day of the lists in which changes of a clause stand."""
        record = self._records.get(control)
        periods = record.periods.get(clause) if record else None
        if record is None or not periods:
            return None
        readings = self._readings_of(record, periods[-1].clause)
        return max(readings, key=attrgetter("last"), default=None)

    def last_named(self, control: str, clause: str, day: date) -> date | None:
        """Return the day of the last record up to a day that names a clause."""
        record = self._records.get(control)
        named = record.naming.get(clause, ()) if record else ()
        return max((one.on for one in named if one.on <= day), default=None)

    def _support(self, control: str, period: Period) -> Iterator[Ground]:
        """Yield the records that support a status from its first day on."""
        record, id = self._records[control], period.clause.id
        for ground in record.naming[id]:
            if ground.kind is not GroundKind.STATEMENT or period.status is ClauseStatus.SUSPENDED:
                yield ground
        readings = [
            one for one in self._readings_of(record, period.clause) if one.last >= period.first
        ]
        if period.is_open:
            span = period.named_on, period.first
            if all(
                is_read_in_full([one for one in readings if one.acts is kind], span)
                for kind in record.kinds[id]
            ):
                yield from map(_reading_ground, readings)
            return
        yield from record.acts
        yield from self._statements[control]
        for number in record.numbers:
            yield from self._citing[record.issuer, number]
        yield from (_reading_ground(one) for one in readings if one.first <= period.first)

    def _readings_of(self, record: ControlRecord, clause: Clause) -> Iterator[Reading]:
        named = frozenset().union(*map(related, clause.commodities))
        for reading in self._readings[record.issuer]:
            if reading.acts in record.kinds[clause.id] and (
                not reading.commodities or not named.isdisjoint(reading.commodities)
            ):
                yield reading


NO_GROUNDS = Grounds({})
"""No record supports any status."""


def confirmation(
    control: ExportControlState, clause: ClauseState, day: date, grounds: Grounds
) -> Confirmation:
    """Return the confirmation of the status of a clause on a day.

    A statement that contradicts the text has precedence over every other record.
    """
    if clause.contradiction(day):
        return Confirmation.CONTRADICTED
    until = grounds.supported_until(control, clause, day)
    if until is None:
        return Confirmation.BY_TERMS
    return Confirmation.CONFIRMED if day <= until else Confirmation.AS_RECORDED


def assumption(
    control: ExportControlState, clause: ClauseState, day: date, grounds: Grounds
) -> Assumption | None:
    """Return the assumption behind the status of a clause in force on a day; None without one.

    A return from a suspension is assumed until a record confirms it.
    """
    if clause.status is not ClauseStatus.IN_FORCE:
        return None
    period = grounds.period(control.id, clause.clause.id, day)
    supported = confirmation(control, clause, day, grounds)
    if period and period.assumed and not supported.is_supported:
        return period.assumed
    return Assumption.END_UNKNOWN if clause.clause.end is ClauseEnd.UNKNOWN else None


def control_record(facts: Iterable[RecordedFact], entity: str) -> ControlRecord | None:
    """Return the record of an instrument from its effective facts; None before its announcement."""
    known = effective_facts(facts)
    fold, place = ExportControlFold(), 0
    periods = defaultdict[str, list[Period]](list)
    naming = defaultdict[str, list[Ground]](list)
    acts, cited = list[Ground](), list[tuple[str, Ground]]()
    named_on, ordered = dict[str, date](), set[tuple[str, date]]()
    lacks = {pair for one in known for pair in _without(one.fact)}
    for day in sorted({day for one in known for day in ExportControl.change_days(one.fact)}):
        named_before = dict(named_on)
        renewed = set[str]()
        while place < len(known) and known[place].fact.public_on <= day:
            one, place = known[place], place + 1
            fact, named = one.fact, [*_named(one.fact, fold)]
            if isinstance(fact, Extended):
                renewed.update(named)
            if isinstance(fact, Reinstated):
                ordered.update((id, fact.reinstated_from.first) for id in named)
            fold.take(one)
            if isinstance(fact, Disputed):
                continue
            for id in named:
                named_on[id] = day
                naming[id] += _naming(id, entity, one, lacks)
            if not isinstance(fact, SuspensionStated):
                ground = _ground(GroundKind.ACT, entity, one)
                acts.append(ground)
                cited += [(number, ground) for number in _numbers(fact)]
        for id, history in fold.histories.items():
            status, of = history.status(day), periods[id]
            last = of[-1].status if of else None
            if status is not last or (id in renewed and status is ClauseStatus.IN_FORCE):
                returns = (last, status) == (ClauseStatus.SUSPENDED, ClauseStatus.IN_FORCE)
                is_open = returns or status is last or bool(of and status is ClauseStatus.EXPIRED)
                before = named_before.get(id, day)
                assumed = RETURNS[(id, day) in ordered] if returns else None
                of.append(Period(day, status, history.wording(day), is_open, assumed, before))
    if fold.opening is None:
        return None
    kinds = {id: _kinds(fold, of[-1].clause) for id, of in periods.items()}
    numbers = frozenset[str]().union(
        *(_numbers(one.fact) for one in known if isinstance(one.fact, Announced | Suspended))
    )
    return ControlRecord(fold.opening.issuer, kinds, periods, acts, naming, numbers, cited)


def _kinds(fold: ExportControlFold, clause: Clause) -> frozenset[ActKind]:
    """Return the kinds of lists in which a change of a clause would stand."""
    assert fold.opening is not None
    kinds = control_kinds(fold.opening.direction, [clause.measure])
    names_firms = clause.entities or clause.entity_count is not None
    return kinds if names_firms else kinds - {ActKind.ENTITY_LIST}


def _named(fact: Fact, fold: ExportControlFold) -> Iterable[str]:
    """Return the clauses that a fact names, after the facts that a fold has applied."""
    match fact:
        case Related():
            return fact.relation.clauses or fold.histories
        case ClausesFact():
            return clauses_of(fact, fold.histories)
    return _stated(fact)


def _naming(
    id: str, entity: str, known: RecordedFact, lacks: Container[tuple[str, str]]
) -> Iterator[Ground]:
    """Yield a fact that names a clause, and its sources that were read; not if they lack the clause."""
    if isinstance(known.fact, SuspensionStated):
        yield _ground(GroundKind.STATEMENT, entity, known)
        return
    sources = [one for one in known.fact.sources if (one.url or one.name, id) not in lacks]
    if sources:
        yield _ground(GroundKind.ACT, entity, known)
    for source in sources:
        if source.checked in READ:
            on = source.published_on.first
            yield _ground(GroundKind.TEXT, entity, known)._replace(on=on, url=source.url)


def _without(fact: Fact) -> Iterator[tuple[str, str]]:
    """Yield the sources, by address or name, that do not contain a clause of their fact, with the clause."""
    for place, id in enumerate(_stated(fact)):
        for source in fact.sources:
            if f"clauses.{place}" in source.unsupported:
                yield source.url or source.name, id


def _stated(fact: Fact) -> Sequence[str]:
    """Return the clauses in the fields of a fact."""
    match fact:
        case Announced() | Amended():
            return [clause.id for clause in fact.clauses]
        case ClausesFact():
            return fact.clauses
    return ()


def _texts(fact: Fact) -> list[str]:
    """Return the citation and title of a fact."""
    return [text for name in ("instrument", "title") if (text := getattr(fact, name, None))]


def _numbers(fact: Fact) -> frozenset[str]:
    """Return the numbers of acts in the citation and title of a fact."""
    return frozenset[str]().union(*map(cited_numbers, _texts(fact)))


def _ground(kind: GroundKind, entity: str, known: RecordedFact) -> Ground:
    fact = known.fact
    year = max(filter(None, map(last_year, _texts(fact))), default=None)
    return Ground(kind, fact.public_on, entity, known.position, fact.source.url, year=year)


def _reading_ground(of: Reading) -> Ground:
    return Ground(
        GroundKind.READING, of.last, of.entity, of.position, of.url, in_part=not of.complete
    )


def _preference(ground: Ground, day: date) -> tuple[int, bool, int, int]:
    """Return the sort key of grounds: acts first, then the newest up to a day, then the next one."""
    is_later = ground.on > day
    distance = abs((ground.on - day).days)
    return KINDS.index(ground.kind), is_later, distance, ground.position


KINDS = (*GroundKind,)
_FIRST, _ON = attrgetter("first"), attrgetter("on")
