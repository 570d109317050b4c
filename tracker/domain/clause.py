"""A clause of an instrument: what it says, and what is so of it on a day.

One instrument may hold several clauses with dates, goods and destinations of their own, so that
one is suspended while another stays in force (design rule 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

from tracker.domain.duration import Duration
from tracker.domain.scope import Item, PlaceException
from tracker.domain.values import (
    DAY,
    NOT_A_SUBJECT,
    Commodity,
    FreeText,
    Name,
    PartialDate,
    Place,
    Quantity,
    Source,
    Text,
    Value,
    check_number,
    check_order,
)
from tracker.domain.vocabulary import (
    ClauseEnd,
    ClauseStatus,
    Covers,
    Form,
    LegalStage,
    Measure,
    QuotaPart,
    Territory,
)
from tracker.domain.wording import check_not_negative, check_percent
from tracker.errors import InvalidInput


class Clause(Value, frozen=True, kw_only=True):
    """The content of one clause. Absent destinations, origins or forms mean all of them; an absent
    start means that no date is given.

    `in_force_until` is inclusive. `items` are the goods that it names, all that there are of its
    forms if `items_complete`. `destinations` are for exports, `origins` for imports, and
    `exceptions` the places among them for which it is otherwise. `entities` names the firms it is
    limited to, `entity_count` their number where the source does not name them, `exporters` those
    that alone may export. `de_minimis_percent` is the share of foreign value from which it reaches
    goods made abroad. `period` is the year or month that a quota is for. `rate_up_to_percent` is
    the upper end where a rate is a range, `rate_specific` a duty by weight.
    """

    id: Name
    measure: Measure
    commodities: tuple[Commodity, ...]
    destinations: Annotated[tuple[Place, ...], NOT_A_SUBJECT] = ()
    origins: Annotated[tuple[Place, ...], NOT_A_SUBJECT] = ()
    exceptions: Annotated[tuple[PlaceException, ...], NOT_A_SUBJECT] = ()
    in_force_from: PartialDate | None = None
    in_force_until: PartialDate | None = None
    end: ClauseEnd | None = None
    end_condition: Text | None = None
    legal_stage: LegalStage = LegalStage.ADOPTED
    decision_due: PartialDate | None = None
    covers: Covers = Covers.GOODS
    forms: tuple[Form, ...] = ()
    items: tuple[Item, ...] = ()
    items_complete: bool = False
    exempt_items: Annotated[tuple[Item, ...], NOT_A_SUBJECT] = ()
    end_use: Name | None = None
    entities: tuple[Name, ...] = ()
    entity_count: int | None = None
    exporters: tuple[Name, ...] = ()
    territory: Territory = Territory.HOME
    de_minimis_percent: Decimal | None = None
    exemptions: Text | None = None
    rate_percent: Decimal | None = None
    rate_up_to_percent: Decimal | None = None
    rate_specific: Quantity | None = None
    rate_text: Text | None = None
    price_floor: Quantity | None = None
    quota: Quantity | None = None
    period: PartialDate | None = None
    quota_part: QuotaPart | None = None
    carry_over_until: PartialDate | None = None
    note: FreeText | None = None

    @property
    def firms_statement(self) -> str | None:
        """The number of firms that are named, of those that it is limited to; None for all firms."""
        named = len(self.entities)
        if self.entity_count is not None:
            return f"{named} of {self.entity_count} firms are named."
        return f"{named} firms are named; the number of all is not recorded." if named else None

    @property
    def first_day(self) -> date | None:
        """The first day on which it applies: that of its period where it gives no other."""
        start = self.in_force_from or self.period
        return start.first if start else None

    @property
    def last_day(self) -> date | None:
        """The last day on which it applies: that of its period, or of the time in which what is
        left may be used, where it gives no other."""
        end = self.in_force_until or self.carry_over_until or self.period
        return end.last if end else None

    def check_recordable(self) -> None:
        """No quota, rate, price or number of firms is below 0, no foreign share over the whole, and
        no field is there that says nothing without another.

        Raises InvalidInput.
        """
        check_percent(self.de_minimis_percent, "deMinimisPercent")
        check_not_negative(self.rate_percent, "ratePercent")
        check_not_negative(self.entity_count, "entityCount")
        for field, quantity in (
            ("quota", self.quota),
            ("rateSpecific", self.rate_specific),
            ("priceFloor", self.price_floor),
        ):
            if quantity is not None:
                try:
                    quantity.check_not_negative()
                except InvalidInput as error:
                    raise error.below(field) from None
        self._check_range()
        self._check_companions()

    def _check_range(self) -> None:
        low, up = self.rate_percent, self.rate_up_to_percent
        if up is not None and (low is None or up <= low):
            raise InvalidInput(
                "expected more than ratePercent, which is the lower end of the range",
                code="INVALID_RANGE",
                path=("rateUpToPercent",),
            )

    def _check_companions(self) -> None:
        """Refuse a field that says nothing without another that is not there."""
        for field, given, other, there in (
            ("itemsComplete", self.items_complete, "items", self.items),
            ("quotaPart", self.quota_part, "quota", self.quota),
            ("carryOverUntil", self.carry_over_until, "period", self.period),
            ("endCondition", self.end_condition, "end CONDITION", self.end is ClauseEnd.CONDITION),
        ):
            if given and not there:
                raise InvalidInput(
                    f"expected {other} beside {field}", code="FIELD_REQUIRED", path=(field,)
                )
        if self.end is not None and self.in_force_until is not None:
            raise InvalidInput("expected no end beside inForceUntil", path=("end",))
        check_order(self.period, self.carry_over_until, "carryOverUntil")

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


class PartialSuspension(Value, frozen=True, kw_only=True):
    """A time in which a clause does not apply to some firms while it does to all others."""

    entities: tuple[Name, ...]
    suspended_from: PartialDate
    suspended_until: PartialDate | None = None
    suspended_for: Duration | None = None


class StatedSuspension(Value, frozen=True, kw_only=True):
    """A statement of a government, without a legal instrument, that a suspension runs until a day.

    `by` is who made it, on the day `on`; `until` is the last suspended day by it, inclusive.
    """

    by: Name
    on: PartialDate
    until: PartialDate
    source: Source


class ClauseState(Value, frozen=True, kw_only=True):
    """A clause on a day: what it says, its status, and what is known to come.

    `returns_on` is the first day on which a suspended clause is back without any further act.
    `first_in_force` is absent while the clause has never been in force. `retroactive` is whether
    its first day lies before the day on which that was made public. `continued_in` is the key of
    the instrument into which it was merged.
    """

    clause: Clause
    status: ClauseStatus
    suspended_from: PartialDate | None = None
    suspended_until: PartialDate | None = None
    suspended_for: Duration | None = None
    returns_on: date | None = None
    repealed_from: PartialDate | None = None
    continued_in: Name | None = None
    discontinued_from: PartialDate | None = None
    first_in_force: date | None = None
    retroactive: bool = False
    partial_suspensions: tuple[PartialSuspension, ...] = ()
    stated_suspension: StatedSuspension | None = None

    def contradiction(self, day: date) -> StatedSuspension | None:
        """The statement by which it is still suspended on `day`, although by its text it is in force."""
        stated = self.stated_suspension
        contradicted = self.status is ClauseStatus.IN_FORCE and stated and stated.until.last >= day
        return stated if contradicted else None

    def days_in_force(self) -> tuple[date, date | None] | None:
        """The days on which it is in force by its dates, suspended or not, without a last one where it
        has no end; None where it has no day at all."""
        over = self.repealed_from or self.discontinued_from
        ends = [self.clause.last_day] if self.clause.last_day else []
        if over and over.first > date.min:
            ends.append(over.first - DAY)
        start, end = self.clause.first_day, min(ends, default=None)
        if self.clause.legal_stage is not LegalStage.ADOPTED or start is None:
            return None
        return None if end is not None and end < start else (start, end)

    def suspended_days(self) -> tuple[date, date | None] | None:
        """The days of the suspension that it is in or that is to come."""
        if self.suspended_from is None:
            return None
        last = self.suspended_until.last if self.suspended_until else None
        return self.suspended_from.first, self.returns_on - DAY if self.returns_on else last

    def is_in_force_in(self, start: date | None, end: date | None) -> bool:
        """Whether it is in force on a day of a time, as far as its state tells: the suspension that it is
        in or that is to come leaves none if it takes up all of these days."""
        days, rest = self.days_in_force_in(start, end), self.suspended_days()
        is_suspended = days and rest and rest[0] <= days[0] and (rest[1] or date.max) >= days[1]
        return days is not None and not is_suspended

    def days_in_force_in(self, start: date | None, end: date | None) -> tuple[date, date] | None:
        """Which of some days are among those on which it is in force by its dates, suspended or not."""
        own = self.days_in_force()
        if own is None:
            return None
        first, last = max(own[0], start or date.min), min(own[1] or date.max, end or date.max)
        return (first, last) if first <= last else None
