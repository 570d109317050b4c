"""History of a clause: its wordings, suspensions and end. It determines the status on any day."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple, Self

from msgspec import structs

from tracker.domain.basics.control_vocabulary import ClauseStatus, LegalStage
from tracker.domain.basics.duration import Duration
from tracker.domain.basics.values import DAY, PartialDate
from tracker.domain.controls.clause import Clause, ClauseState, PartialSuspension, StatedSuspension
from tracker.domain.controls.suspensions import NO_SUSPENSIONS, Suspension, Suspensions


class Wording(NamedTuple):
    """The content of a clause from a day on.

    `retroactive`: the first day in force is before the day of publication. `instrument` is the act, if it is
    not that of the announcement.
    """

    start: date
    clause: Clause
    retroactive: bool = False
    instrument: str | None = None


class Ending(NamedTuple):
    """The end of a clause: the first day, the status from then on, and the successor instrument, if any."""

    start: PartialDate
    status: ClauseStatus
    into: str | None = None


@dataclass(frozen=True, slots=True)
class ClauseHistory:
    """The announced history of a clause; the status of any day follows from it."""

    wordings: tuple[Wording, ...]
    """The wordings, in the order of their first days."""
    suspensions: Suspensions = NO_SUSPENSIONS
    partial_suspensions: tuple[PartialSuspension, ...] = ()
    ending: Ending | None = None
    statement: StatedSuspension | None = None
    """The last statement that a suspension lasts on; None after a later act."""
    _not_before: date = field(default=date.min, compare=False)
    """A day before which it is in force on no day, so a search can begin here."""

    @classmethod
    def initial(cls, clause: Clause, public_on: date, instrument: str | None = None) -> Self:
        """Return the history of a clause without amendments."""
        return cls((Wording(date.min, clause, _starts_before(clause, public_on), instrument),))

    def reworded(
        self, clause: Clause, day: date, public_on: date, instrument: str | None = None
    ) -> Self:
        """Return the history with another wording from `day` on; suspensions remain.

        An act that repeats the wording is not the one that words it.
        """
        earlier = self.wordings[: bisect_left(self.wordings, day, key=_START)]
        before = (earlier or self.wordings)[-1]
        if clause == before.clause:
            instrument = before.instrument
        same_start = clause.first_day == before.clause.first_day
        late = before.retroactive if same_start else _starts_before(clause, public_on)
        return self._changed(day, wordings=(*earlier, Wording(day, clause, late, instrument)))

    def entered_into_force(self, day: date, start: PartialDate) -> Self:
        """Return the history with a first day in force, made public on `day`; the clause is then law.

        An act that repeats an announced first day is not retroactive.
        """
        current = self.wording(day)
        repeats = current.first_day == start.first and current.legal_stage is LegalStage.ADOPTED
        return self._dated(
            day,
            None if repeats else start.first < day,
            in_force_from=start,
            legal_stage=LegalStage.ADOPTED,
        )

    def ends_after(self, day: date, last: PartialDate) -> Self:
        """Return the history with a last day in force, made public on `day`."""
        return self._dated(day, None, in_force_until=last, end=None, end_condition=None)

    def extended(self, day: date, last: PartialDate) -> Self:
        """Return the history with a later last day in force, made public on `day`.

        A future wording with a later end is unchanged.
        """
        after = self.ends_after(day, last).wordings
        unchanged = [
            old
            if old.start > day and old.clause.last_day and old.clause.last_day > last.last
            else new
            for old, new in zip(self.wordings, after, strict=True)
        ]
        return self._changed(
            self.wordings[self._wording_index(day)].start, wordings=tuple(unchanged)
        )

    def _dated(self, day: date, retroactive: bool | None, **parts: Any) -> Self:
        """Return the history with changed fields in all wordings from `day` on."""
        current = self._wording_index(day)
        later = [
            Wording(
                wording.start,
                structs.replace(wording.clause, **parts),
                wording.retroactive if retroactive is None else retroactive,
                wording.instrument,
            )
            for wording in self.wordings[current:]
        ]
        return self._changed(later[0].start, wordings=(*self.wordings[:current], *later))

    def ended(
        self, public_on: date, day: PartialDate, status: ClauseStatus, into: str | None = None
    ) -> Self:
        """Return the history with its end by repeal or another act, made public on a day.

        An end that has already taken effect is not postponed by an act with a later end.
        """
        if (
            self.ending
            and self.ending.start.first < day.first
            and self.ending.start.first <= public_on
        ):
            return self
        before = self.ending.start.first if self.ending else day.first
        return self._changed(min(before, day.first), ending=Ending(day, status, into))

    def suspended(
        self, start: PartialDate, end: PartialDate | None, length: Duration | None
    ) -> Self:
        """Return the history with a further suspension."""
        return self._changed(start.first, suspensions=self.suspensions.add(start, end, length))

    def suspended_for_some(self, suspension: PartialSuspension) -> Self:
        """Return the history with a further suspension for some firms; the status does not change."""
        return replace(self, partial_suspensions=(*self.partial_suspensions, suspension))

    def is_suspended_for_some(self, day: date) -> bool:
        """Return whether a suspension for some firms has not ended by `day`."""
        return any(_last_day(s) >= day for s in self.partial_suspensions)

    def suspension(self, day: date) -> Suspension | None:
        """Return the last suspension that has not ended by `day`; it may not have begun."""
        return self.suspensions.last_ordered(day)

    @property
    def last_suspended(self) -> date:
        """Return the last day of all suspensions."""
        return self.suspensions.last_day

    def suspension_extended(self, end: PartialDate | None, day: date) -> Self:
        """Return the history with a new end of the suspension that has not ended by `day`."""
        extended = self.suspension(day)
        if extended is None:  # it may have been retracted meanwhile
            return self
        return self._changed(extended.start.first, suspensions=self.suspensions.extend(end, day))

    def with_statement(self, statement: StatedSuspension) -> Self:
        """Return the history with a statement that the suspension lasts on; the status does not change."""
        return replace(self, statement=statement)

    def without_statement(self) -> Self:
        """Return the history without a statement, after a later act."""
        return replace(self, statement=None) if self.statement else self

    def reinstated(self, day: date) -> Self:
        """Return the history with every suspension ended by `day`."""
        return self._changed(
            day,
            suspensions=self.suspensions.end_before(day),
            partial_suspensions=tuple(_ended_before(day, self.partial_suspensions)),
        )

    def status(self, day: date) -> ClauseStatus:
        """Return the status of the clause on `day`."""
        clause = self.wording(day)
        first, last = clause.first_day, clause.last_day
        if self.ending and day >= self.ending.start.first:
            return self.ending.status
        if clause.legal_stage is not LegalStage.ADOPTED:
            return ClauseStatus(clause.legal_stage)
        if last and day > last:
            return ClauseStatus.EXPIRED
        if self.suspensions.on(day):
            return ClauseStatus.SUSPENDED
        if first and day >= first:
            return ClauseStatus.IN_FORCE
        return ClauseStatus.ANNOUNCED

    def wording(self, day: date) -> Clause:
        """Return the wording in effect on `day`."""
        return self.wordings[self._wording_index(day)].clause

    def state(self, day: date) -> ClauseState:
        """Return the clause on `day`, with its recorded future changes."""
        status = self.status(day)
        suspension = self.suspensions.on(day) or self.suspensions.next_after(day)
        wording, ending = self.wordings[self._wording_index(day)], self.ending
        repealed = ending is not None and ending.status is ClauseStatus.REPEALED
        return ClauseState(
            clause=wording.clause,
            status=status,
            instrument=wording.instrument,
            suspended_from=suspension.start if suspension else None,
            suspended_until=suspension.end if suspension else None,
            suspended_for=suspension.length if suspension else None,
            returns_on=self._in_force_next(day) if status is ClauseStatus.SUSPENDED else None,
            repealed_from=ending.start if ending and repealed else None,
            continued_in=ending.into if ending else None,
            discontinued_from=ending.start if ending and not repealed else None,
            first_in_force=self._first_in_force(day),
            retroactive=wording.retroactive,
            partial_suspensions=tuple([s for s in self.partial_suspensions if _last_day(s) >= day]),
            stated_suspension=self._statement_on(day),
        )

    def _statement_on(self, day: date) -> StatedSuspension | None:
        """Return the statement that a suspension lasts on, until its last day."""
        stated = self.statement
        return stated if stated and stated.until.last >= day else None

    def _first_in_force(self, day: date) -> date | None:
        """Return the first day of all on which it is in force, if that is not after `day`."""
        first = self._in_force_next(self._not_before)
        object.__setattr__(self, "_not_before", first or date.max)  # derived from immutable values
        return first if first and first <= day else None

    def _in_force_next(self, day: date) -> date | None:
        """Return the first day from `day` on on which the clause is in force; None without one."""
        for index in range(self._wording_index(day), len(self.wordings)):
            start, clause = self.wordings[index][:2]
            if first := clause.first_day:
                begin = max(day, start, first)
                next_day = self.suspensions.first_day_without(begin)
                is_worded_so = self._wording_index(begin) == index
                if next_day and is_worded_so and self.status(next_day) is ClauseStatus.IN_FORCE:
                    return next_day
        return None

    def _wording_index(self, day: date) -> int:
        return bisect_right(self.wordings, day, key=_START) - 1

    def _changed(self, day: date, **parts: Any) -> Self:
        """Return the history with other fields, which change nothing before a day."""
        return replace(self, **parts, _not_before=min(self._not_before, day))


_START = attrgetter("start")


def _starts_before(clause: Clause, day: date) -> bool:
    return clause.first_day is not None and clause.first_day < day


def _last_day(suspension: PartialSuspension) -> date:
    return suspension.suspended_until.last if suspension.suspended_until else date.max


def _ended_before(
    day: date, suspensions: tuple[PartialSuspension, ...]
) -> Iterator[PartialSuspension]:
    """Return suspensions for some firms, ended before a day; later ones are dropped."""
    for suspension in suspensions:
        if _last_day(suspension) < day:
            yield suspension
        elif suspension.suspended_from.first < day:
            last = PartialDate((day - DAY).isoformat())
            yield structs.replace(suspension, suspended_until=last, suspended_for=None)


def next_day(day: date) -> Iterator[date]:
    """Return the day after `day`; the last day of the calendar has none."""
    if day < date.max:
        yield day + DAY
