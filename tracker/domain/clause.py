"""A clause of an instrument: what it says, and what becomes of it.

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

from tracker.domain.suspensions import NO_SUSPENSIONS, Suspension, Suspensions
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
class ClauseHistory:
    """What becomes of a clause as far as it is announced; the status of any day follows from it."""

    wordings: tuple[tuple[date, Clause], ...]
    """What the clause says, each with the day from which it does, in the order of these days."""
    suspensions: Suspensions = NO_SUSPENSIONS
    repealed_from: PartialDate | None = None
    _not_before: date = field(default=date.min, compare=False)
    """A day before which it is known to be in force on no day; a search need not begin earlier."""

    @classmethod
    def initial(cls, clause: Clause) -> Self:
        """The history of a clause that says what it said from the beginning."""
        return cls(((date.min, clause),))

    def reworded(self, clause: Clause, day: date) -> Self:
        """The history with another wording from `day` on; suspensions stay."""
        earlier = self.wordings[: bisect_left(self.wordings, day, key=_START)]
        return self._changed(day, wordings=(*earlier, (day, clause)))

    def dated(self, day: date, **dates: PartialDate) -> Self:
        """The history with dates that the clause has from `day` on, however it will be worded."""
        current = self._wording_index(day)
        later = [
            (start, structs.replace(clause, **dates)) for start, clause in self.wordings[current:]
        ]
        return self._changed(later[0][0], wordings=(*self.wordings[:current], *later))

    def repealed(self, day: PartialDate) -> Self:
        """The history with its end by repeal."""
        before = self.repealed_from.first if self.repealed_from else day.first
        return self._changed(min(before, day.first), repealed_from=day)

    def suspended(self, start: PartialDate, end: PartialDate | None) -> Self:
        """The history with one more suspension."""
        return self._changed(start.first, suspensions=self.suspensions.add(start, end))

    def suspension(self, day: date) -> Suspension | None:
        """The last suspension that is not over on `day`, though it may not have begun."""
        return self.suspensions.last_ordered(day)

    @property
    def last_suspended(self) -> date:
        """The last day of all suspensions."""
        return self.suspensions.last_day

    def suspension_extended(self, end: PartialDate | None, day: date) -> Self:
        """The history with a new end for the suspension that is not over on `day`."""
        extended = self.suspension(day)
        if extended is None:  # it may have been retracted meanwhile
            return self
        return self._changed(extended.start.first, suspensions=self.suspensions.extend(end, day))

    def reinstated(self, day: date) -> Self:
        """The history with every suspension over on `day` at the latest."""
        return self._changed(day, suspensions=self.suspensions.end_before(day))

    def status(self, day: date) -> ClauseStatus:
        """The status of the clause on `day`."""
        clause = self.wording(day)
        if self.repealed_from and day >= self.repealed_from.first:
            return ClauseStatus.REPEALED
        if clause.in_force_until and day > clause.in_force_until.last:
            return ClauseStatus.EXPIRED
        if self.suspensions.on(day):
            return ClauseStatus.SUSPENDED
        if clause.in_force_from and day >= clause.in_force_from.first:
            return ClauseStatus.IN_FORCE
        return ClauseStatus.ANNOUNCED

    def wording(self, day: date) -> Clause:
        """What the clause says on `day`."""
        return self.wordings[self._wording_index(day)][1]

    def state(self, day: date) -> ClauseState:
        """The clause on `day`, with what is known to come."""
        status = self.status(day)
        suspension = self.suspensions.on(day) or self.suspensions.next_after(day)
        return ClauseState(
            clause=self.wording(day),
            status=status,
            suspended_from=suspension.start if suspension else None,
            suspended_until=suspension.end if suspension else None,
            returns_on=self._in_force_next(day) if status is ClauseStatus.SUSPENDED else None,
            repealed_from=self.repealed_from,
            first_in_force=self._first_in_force(day),
        )

    def _first_in_force(self, day: date) -> date | None:
        """The first day of all on which it is in force, if that is not after `day`."""
        first = self._in_force_next(self._not_before)
        object.__setattr__(self, "_not_before", first or date.max)  # follows from what is frozen
        return first if first and first <= day else None

    def _in_force_next(self, day: date) -> date | None:
        """The first day from `day` on on which the clause is in force, if there is one."""
        for index in range(self._wording_index(day), len(self.wordings)):
            start, clause = self.wordings[index]
            if clause.in_force_from:
                begin = max(day, start, clause.in_force_from.first)
                found = self.suspensions.first_day_without(begin)
                is_worded_so = self._wording_index(begin) == index
                if found and is_worded_so and self.status(found) is ClauseStatus.IN_FORCE:
                    return found
        return None

    def _wording_index(self, day: date) -> int:
        return bisect_right(self.wordings, day, key=_START) - 1

    def _changed(self, day: date, **parts: Any) -> Self:
        """The history with other parts, which change nothing before a day."""
        return replace(self, **parts, _not_before=min(self._not_before, day))


_START = itemgetter(0)


def next_day(day: date) -> Iterator[date]:
    """The day after `day`, if the calendar has one."""
    if day < date.max:
        yield day + DAY
