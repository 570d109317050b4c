"""A clause of an instrument: its content, and its state on a day.

An instrument may have several clauses, each with its own dates, goods and destinations. One can be suspended
while another stays in force (design rule 2).
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

from tracker.domain.basics.control_vocabulary import (
    ClauseEnd,
    ClauseStatus,
    Covers,
    Form,
    LegalStage,
    Measure,
    QuotaPart,
    Territory,
)
from tracker.domain.basics.duration import Duration
from tracker.domain.basics.text_rules import check_not_negative, check_percent
from tracker.domain.basics.values import (
    DAY,
    FreeText,
    Name,
    PartialDate,
    Quantity,
    Text,
    Value,
    check_number,
    check_order,
)
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.scope import FirmRate, Item, PlaceException, PlaceQuota
from tracker.domain.entities.fact import NOT_A_SUBJECT, Source
from tracker.errors import InvalidInput


class Clause(Value, frozen=True, kw_only=True):
    """The content of one clause.

    Absent destinations, origins or forms mean all of them; an absent start means that no date is given.
    """

    id: Name
    """Its number or name in the instrument, such as `1`."""
    measure: Measure
    """The kind of measure: a licence, a ban, a quota, a tariff, …."""
    commodities: tuple[Commodity, ...]
    """The commodities that it covers."""
    destinations: Annotated[tuple[Place, ...], NOT_A_SUBJECT] = ()
    """The destinations for which exports need permission or are banned; empty if it limits none. For
    imports see `origins`."""
    origins: Annotated[tuple[Place, ...], NOT_A_SUBJECT] = ()
    """The places whose goods it limits as imports; empty: all places. For imports only."""
    by_consignment: bool = False
    """Whether `origins` are the places from which the goods are consigned, whatever their origin."""
    exceptions: Annotated[tuple[PlaceException, ...], NOT_A_SUBJECT] = ()
    """Places for which it does not apply, or applies with another rate."""
    in_force_from: PartialDate | None = None
    """The first day on which it applies; null if no date is given. A quota with a `period` then applies
    from its first day."""
    in_force_until: PartialDate | None = None
    """Its last day, inclusive; null if no end is announced. A quota with a `period` then applies until
    `carryOverUntil` or its last day."""
    end: ClauseEnd | None = None
    """The kind of its end if no last day is known; null if the facts do not state it."""
    end_condition: Text | None = None
    """The condition for its end."""
    legal_stage: LegalStage = LegalStage.ADOPTED
    """Its legal stage, from proposal to law; ADOPTED if left out."""
    decision_due: PartialDate | None = None
    """The deadline for the decision whether it becomes law."""
    covers: Covers = Covers.GOODS
    """The subject of the clause: the goods themselves (the default), or the technology, equipment,
    materials or services to make them."""
    forms: tuple[Form, ...] = ()
    """The forms of the goods that it covers; empty: all."""
    items: tuple[Item, ...] = ()
    """The individual goods that it names; empty: all goods of its commodities and forms."""
    items_complete: bool = False
    """Whether its items are all goods of its forms; if not, it covers them only partly."""
    exempt_items: Annotated[tuple[Item, ...], NOT_A_SUBJECT] = ()
    """The individual goods that are exempt."""
    end_use: Name | None = None
    """The end use that it is limited to."""
    entities: tuple[Name, ...] = ()
    """The firms that it is limited to, if the source names them."""
    entity_count: int | None = None
    """The number of firms, if the source does not name them."""
    exporters: tuple[Name, ...] = ()
    """The only firms that may export."""
    territory: Territory = Territory.HOME
    """Whether it covers goods in the issuer's territory (HOME, the default), goods abroad, or
    both."""
    de_minimis_percent: Decimal | None = None
    """The percentage of controlled content from which it covers goods made abroad."""
    exempt_preferences: tuple[Name, ...] = ()
    """The trade agreements under which goods that enter free of duty are exempt, such as `USMCA`."""
    exemptions: Text | None = None
    """The exemptions, in words."""
    rate_percent: Decimal | None = None
    """The rate of a tariff; the lower end if it is a range. Of a tariff-rate quota the rate within the
    quota."""
    rate_up_to_percent: Decimal | None = None
    """The upper end of a rate that is a range. Of a tariff-rate quota the rate above the quota."""
    firm_rates: Annotated[tuple[FirmRate, ...], NOT_A_SUBJECT] = ()
    """The rates of makers with an own rate; all others have the upper rate."""
    rate_specific: Quantity | None = None
    """A duty by weight, in a unit such as `USD/t`."""
    rate_text: Text | None = None
    """The rate in words, if numbers cannot express it."""
    price_floor: Quantity | None = None
    """The price of a price floor, in a unit such as `USD/kg`."""
    quota: Quantity | None = None
    """The amount of a quota."""
    quotas: Annotated[tuple[PlaceQuota, ...], NOT_A_SUBJECT] = ()
    """The parts of a quota by place and period, such as a quarter."""
    period: PartialDate | None = None
    """The year or month of a quota, such as `2026`. Without other days the quota is in force in this
    period."""
    quota_part: QuotaPart | None = None
    """Whether the amount is all of the period's quota or one of several that add up."""
    carry_over_until: PartialDate | None = None
    """The last day on which the remainder of a quota may be used, inclusive."""
    note: FreeText | None = None

    @property
    def firms_statement(self) -> str | None:
        """A sentence with the number of named firms, of all firms that it is limited to; null if it is
        limited to none. A search by name does not find firms that are not named."""
        named = len(self.entities)
        if self.entity_count is not None:
            return f"{named} of {self.entity_count} firms are named."
        return f"{named} firms are named; the number of all is not recorded." if named else None

    @property
    def first_day(self) -> date | None:
        """The first day on which it applies; the first day of its period if it has no other."""
        start = self.in_force_from or self.period
        return start.first if start else None

    @property
    def last_day(self) -> date | None:
        """The last day on which it applies.

        Without one, the last day of its period, or of the time in which the remainder may be used.
        """
        end = self.in_force_until or self.carry_over_until or self.period
        return end.last if end else None

    def check_recordable(self) -> None:
        """Check the numbers and fields of the clause.

        Quotas, rates, prices and numbers of firms are not negative, and shares are at most 100 percent. A
        field that requires another one occurs only with it. Raises InvalidInput.
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
        """Reject a field without the field that it requires."""
        for field, value, other, there in (
            ("itemsComplete", self.items_complete, "items", self.items),
            ("byConsignment", self.by_consignment, "origins", self.origins),
            ("firmRates", self.firm_rates, "ratePercent", self.rate_percent is not None),
            ("quotaPart", self.quota_part, "quota", self.quota),
            ("carryOverUntil", self.carry_over_until, "period", self.period),
            ("endCondition", self.end_condition, "end CONDITION", self.end is ClauseEnd.CONDITION),
        ):
            if value and not there:
                raise InvalidInput(
                    f"expected {other} beside {field}", code="FIELD_REQUIRED", path=(field,)
                )
        if self.end is not None and self.in_force_until is not None:
            raise InvalidInput("expected no end beside inForceUntil", path=("end",))
        check_order(self.period, self.carry_over_until, "carryOverUntil")

    def check(self) -> None:
        """Raise InvalidInput if the clause contradicts itself.

        A clause in a state may do so after several acts, but a stated clause must not.
        """
        check_order(self.in_force_from, self.in_force_until, "inForceUntil")
        check_number(self.de_minimis_percent, "deMinimisPercent")
        check_number(self.rate_percent, "ratePercent")
        if not self.id.strip():
            raise InvalidInput("expected the number or name of the clause", path=("id",))
        if not self.commodities:
            raise InvalidInput("expected at least one commodity", path=("commodities",))


def check_clauses(clauses: Sequence[Clause]) -> None:
    """Reject clauses that contradict themselves or share an id. Raises InvalidInput."""
    if len({clause.id for clause in clauses}) < len(clauses):
        raise InvalidInput("expected each id once", path=("clauses",))
    for index, clause in enumerate(clauses):
        try:
            clause.check()
        except InvalidInput as error:
            raise error.below("clauses", index) from None


class PartialSuspension(Value, frozen=True, kw_only=True):
    """A period in which a clause does not apply to some firms, but to all others."""

    entities: tuple[Name, ...]
    """The firms."""
    suspended_from: PartialDate
    """The first day."""
    suspended_until: PartialDate | None = None
    """The last day, inclusive; null: until further notice."""
    suspended_for: Duration | None = None
    """Its length in ISO 8601, if the act gives that instead of an end."""


class StatedSuspension(Value, frozen=True, kw_only=True):
    """A government's statement, without a legal instrument, that a suspension lasts until a day."""

    by: Name
    """The author of the statement."""
    on: PartialDate
    """The day of the statement."""
    until: PartialDate
    """The last suspended day according to the statement, inclusive."""
    source: Source
    """The source of the statement."""


class ClauseState(Value, frozen=True, kw_only=True):
    """A clause on a day: its content, its status, and its recorded future changes."""

    clause: Clause
    status: ClauseStatus
    """Its status on the day."""
    instrument: Name | None = None
    """The act that words it on the day; null if that is the legal act of the instrument, or not
    recorded."""
    suspended_from: PartialDate | None = None
    """The first day of the present or upcoming suspension."""
    suspended_until: PartialDate | None = None
    """The last suspended day, inclusive; null also means until further notice."""
    suspended_for: Duration | None = None
    """The length of the suspension in ISO 8601, such as `P90D`, if the act gives that instead of an end.
    `suspendedUntil` is counted from it, including the first day."""
    returns_on: date | None = None
    """The first day on which it is in force again without a further act."""
    repealed_from: PartialDate | None = None
    """The day from which it is repealed, or merged into another instrument."""
    continued_in: Name | None = None
    """The key of the export control into which it was merged."""
    discontinued_from: PartialDate | None = None
    """The day from which it is withdrawn, lapsed or concluded."""
    first_in_force: date | None = None
    """The first day on which it was in force; null if it never was."""
    retroactive: bool = False
    """Whether it became public only after its first day. The states of the days in between do not include
    it."""
    partial_suspensions: tuple[PartialSuspension, ...] = ()
    """Suspensions for individual firms, present and future; they do not change its status."""
    stated_suspension: StatedSuspension | None = None
    """The last statement of a government that its suspension lasts until a day, without a legal
    instrument. Null after that day, or after a later act."""

    def contradiction(self, day: date) -> StatedSuspension | None:
        """The statement that it is suspended on `day`, although it is in force by its text."""
        stated = self.stated_suspension
        contradicted = self.status is ClauseStatus.IN_FORCE and stated and stated.until.last >= day
        return stated if contradicted else None

    def days_in_force(self) -> tuple[date, date | None] | None:
        """The days on which it is in force by its dates, suspended or not.

        There is no last day if it has no end, and the result is None if it has no day at all.
        """
        over = self.repealed_from or self.discontinued_from
        ends = [self.clause.last_day] if self.clause.last_day else []
        if over and over.first > date.min:
            ends.append(over.first - DAY)
        start, end = self.clause.first_day, min(ends, default=None)
        if self.clause.legal_stage is not LegalStage.ADOPTED or start is None:
            return None
        return None if end is not None and end < start else (start, end)

    def suspended_days(self) -> tuple[date, date | None] | None:
        """The days of the present or upcoming suspension."""
        if self.suspended_from is None:
            return None
        last = self.suspended_until.last if self.suspended_until else None
        return self.suspended_from.first, self.returns_on - DAY if self.returns_on else last

    def is_in_force_in(self, start: date | None, end: date | None) -> bool:
        """Return whether it is in force on a day of a period, as far as its state shows.

        It is not if the present or upcoming suspension covers all of these days.
        """
        days, rest = self.days_in_force_in(start, end), self.suspended_days()
        is_suspended = days and rest and rest[0] <= days[0] and (rest[1] or date.max) >= days[1]
        return days is not None and not is_suspended

    def days_in_force_in(self, start: date | None, end: date | None) -> tuple[date, date] | None:
        """Return the days of a period on which it is in force by its dates, suspended or not."""
        own = self.days_in_force()
        if own is None:
            return None
        first, last = max(own[0], start or date.min), min(own[1] or date.max, end or date.max)
        return (first, last) if first <= last else None
