"""A clause of an instrument: what it says, and its course through time.

One instrument may hold several clauses with dates, goods and destinations of their own, so that
one is suspended while another stays in force (design rule 2).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Any, Self

from msgspec import structs

from tracker.domain.values import (
    DAY,
    NOT_A_SUBJECT,
    Commodity,
    FreeText,
    Name,
    PartialDate,
    Place,
    Quantity,
    Text,
    Value,
    check_number,
    check_order,
)
from tracker.domain.vocabulary import ClauseStatus, Covers, Measure
from tracker.domain.wording import check_not_negative, check_percent
from tracker.errors import InvalidInput


class Clause(Value, frozen=True, kw_only=True):
    """What one clause says. Absent destinations mean all; an absent start means no date is given.

    `in_force_until` is inclusive. `entities` names the firms it is limited to, `entity_count` their
    number where the source does not name them. `de_minimis_percent` is the share of foreign value
    from which it reaches goods made abroad.
    """

    id: Name
    measure: Measure
    commodities: tuple[Commodity, ...]
    destinations: Annotated[tuple[Place, ...], NOT_A_SUBJECT] = ()
    in_force_from: PartialDate | None = None
    in_force_until: PartialDate | None = None
    covers: Covers = Covers.GOODS
    end_use: Name | None = None
    entities: tuple[Name, ...] = ()
    entity_count: int | None = None
    extraterritorial: bool = False
    de_minimis_percent: Decimal | None = None
    exemptions: Text | None = None
    rate_percent: Decimal | None = None
    quota: Quantity | None = None
    note: FreeText | None = None

    def check_recordable(self) -> None:
        """No quota, rate or number of firms is below 0, and no foreign share over the whole.

        Raises InvalidInput.
        """
        check_percent(self.de_minimis_percent, "deMinimisPercent")
        check_not_negative(self.rate_percent, "ratePercent")
        check_not_negative(self.entity_count, "entityCount")
        if self.quota is not None:
            try:
                self.quota.check_not_negative()
            except InvalidInput as error:
                raise error.below("quota") from None

    def check(self) -> None:
        """Raise InvalidInput if the clause contradicts itself, as it may where acts meet in a
        state but not where it is stated."""
        check_order(self.in_force_from, self.in_force_until, "inForceUntil")
        check_number(self.de_minimis_percent, "deMinimisPercent")
        check_number(self.rate_percent, "ratePercent")
        if not self.id.strip():
            raise InvalidInput("expected the number or name of the clause", path=("id",))
        if not self.commodities:
            raise InvalidInput("expected at least one commodity", path=("commodities",))


def check_clauses(clauses: Sequence[Clause]) -> None:
    """Refuse clauses that contradict themselves or share an id. Raises InvalidInput."""
    if len({clause.id for clause in clauses}) < len(clauses):
        raise InvalidInput("expected each id once", path=("clauses",))
    for index, clause in enumerate(clauses):
        try:
            clause.check()
        except InvalidInput as error:
            raise error.below("clauses", index) from None


class ClauseState(Value, frozen=True, kw_only=True):
    """A clause on a day: what it says, where it stands, and what is known to come.

    `returns_on` is the first day on which a suspended clause is back without any further act.
    `first_in_force` is absent while the clause has never been in force.
    """

    clause: Clause
    status: ClauseStatus
    suspended_from: PartialDate | None = None
    suspended_until: PartialDate | None = None
    returns_on: date | None = None
    repealed_from: PartialDate | None = None
    first_in_force: date | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """A time in which a clause does not apply. No end: until further notice. Ends are inclusive."""

    start: PartialDate
    end: PartialDate | None
    ended_early: date | None = None

    @property
    def last(self) -> date:
        """The last suspended day."""
        if self.ended_early is not None:
            return self.ended_early - DAY
        return self.end.last if self.end else date.max

    def covers(self, day: date) -> bool:
        """Whether the clause is suspended on `day`."""
        return self.start.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Course:
    """A clause's course as far as it is announced; the status of any day follows from it."""

    wordings: tuple[tuple[date, Clause], ...]
    """What the clause says, each with the day from which it does, in the order of these days."""
    suspensions: tuple[Suspension, ...] = ()
    repealed_from: PartialDate | None = None
    _first: date | None = field(default=None, compare=False)
    """The first day of all on which it is in force, once somebody asked and if there is one."""

    @classmethod
    def of(cls, clause: Clause) -> Self:
        """The course of a clause that says what it said from the beginning."""
        return cls(((date.min, clause),))

    def reworded(self, clause: Clause, day: date) -> Course:
        """The course with another wording from `day` on; suspensions stay."""
        earlier = self.wordings[: bisect_left(self.wordings, day, key=_START)]
        return self._with(day, wordings=(*earlier, (day, clause)))

    def dated(self, day: date, **dates: PartialDate) -> Course:
        """The course with dates that the clause has from `day` on, however it will be worded."""
        current = bisect_right(self.wordings, day, key=_START) - 1
        later = [
            (start, structs.replace(clause, **dates)) for start, clause in self.wordings[current:]
        ]
        return self._with(later[0][0], wordings=(*self.wordings[:current], *later))

    def repealed(self, day: PartialDate) -> Course:
        """The course with its end by repeal."""
        before = self.repealed_from.first if self.repealed_from else day.first
        return self._with(min(before, day.first), repealed_from=day)

    def suspended(self, start: PartialDate, end: PartialDate | None) -> Course:
        """The course with one more suspension."""
        return self._with(start.first, suspensions=(*self.suspensions, Suspension(start, end)))

    def suspension(self, day: date) -> Suspension | None:
        """The last suspension that is not over on `day`, though it may not have begun."""
        return next((s for s in reversed(self.suspensions) if s.last >= day), None)

    @property
    def last_suspended(self) -> date:
        """The last day of all suspensions."""
        return max(s.last for s in self.suspensions)

    def suspension_extended(self, end: PartialDate | None, day: date) -> Course:
        """The course with a new end for the suspension that is not over on `day`."""
        extended = self.suspension(day)
        if extended is None:  # it may have been retracted meanwhile
            return self
        return self._with(
            extended.start.first,
            suspensions=tuple(
                [Suspension(s.start, end) if s is extended else s for s in self.suspensions]
            ),
        )

    def reinstated(self, day: date) -> Course:
        """The course with every suspension over on `day` at the latest."""
        begun = [s for s in self.suspensions if s.start.first < day]
        return self._with(
            day,
            suspensions=tuple([replace(s, ended_early=day) if s.last >= day else s for s in begun]),
        )

    def status(self, day: date) -> ClauseStatus:
        """Where the clause stands on `day`."""
        clause = self.wording(day)
        if self.repealed_from and day >= self.repealed_from.first:
            return ClauseStatus.REPEALED
        if clause.in_force_until and day > clause.in_force_until.last:
            return ClauseStatus.EXPIRED
        if any(s.covers(day) for s in self.suspensions):
            return ClauseStatus.SUSPENDED
        if clause.in_force_from and day >= clause.in_force_from.first:
            return ClauseStatus.IN_FORCE
        return ClauseStatus.ANNOUNCED

    def wording(self, day: date) -> Clause:
        """What the clause says on `day`."""
        return self.wordings[bisect_right(self.wordings, day, key=_START) - 1][1]

    def turns(self) -> Iterator[date]:
        """The days on which the status or the wording changes."""
        for start, clause in self.wordings:
            yield start
            if clause.in_force_from:
                yield clause.in_force_from.first
            if clause.in_force_until:
                yield from after(clause.in_force_until.last)
        for suspension in self.suspensions:
            yield suspension.start.first
            yield from after(suspension.last)
        if self.repealed_from:
            yield self.repealed_from.first

    def state(self, day: date) -> ClauseState:
        """The clause on `day`, with what is known to come."""
        status = self.status(day)
        current = next((s for s in self.suspensions if s.covers(day)), None)
        coming = current or min(
            (s for s in self.suspensions if s.start.first > day),
            key=lambda s: s.start.first,
            default=None,
        )
        return ClauseState(
            clause=self.wording(day),
            status=status,
            suspended_from=coming.start if coming else None,
            suspended_until=coming.end if coming else None,
            returns_on=self._returns_on(day) if status is ClauseStatus.SUSPENDED else None,
            repealed_from=self.repealed_from,
            first_in_force=self._first_in_force(day),
        )

    def _returns_on(self, day: date) -> date | None:
        return self._in_force_first({turn for turn in self.turns() if turn > day})

    def _first_in_force(self, day: date) -> date | None:
        if self._first is None:
            first = self._in_force_first(set(self.turns()))
            object.__setattr__(self, "_first", first)  # it follows from what is frozen
        return self._first if self._first and self._first <= day else None

    def _in_force_first(self, turns: set[date]) -> date | None:
        """The first of some turns on which the clause is in force."""
        return next(
            (turn for turn in sorted(turns) if self.status(turn) is ClauseStatus.IN_FORCE), None
        )

    def _with(self, day: date, **parts: Any) -> Self:
        """The course with other parts, which change nothing before a day."""
        first = self._first if self._first and self._first < day else None
        return replace(self, **parts, _first=first)


_START = itemgetter(0)


def after(day: date) -> Iterator[date]:
    """The day after `day`, if the calendar has one."""
    if day < date.max:
        yield day + DAY
