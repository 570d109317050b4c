"""Obligations: the duties that an act puts on firms and states, with the days on which they are due.

A due day is never earlier than the act allows: of several dates and events the latest counts, and while the
day of an event is not recorded there is no due day, only one before which it cannot be.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, ClassVar

import msgspec

from tracker.domain.basics.duration import Duration
from tracker.domain.basics.values import DAY, FreeText, Name, PartialDate, Text, Value, check_order
from tracker.domain.basics.vocabulary import DueStatus, ObligationRole
from tracker.domain.catalogue.commodities import Commodity, related
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import ENTITY_PATH, DatedFact, Fact
from tracker.domain.entities.fold import shared_fields
from tracker.domain.wording.phrases import date_phrase, listed, with_capital
from tracker.errors import InvalidInput


class Due(Value, frozen=True, kw_only=True):
    """A date that an obligation is due by, or an event that its time runs from."""

    on: PartialDate | None = None
    """The date. The last day of a month or year counts."""
    event: Name | None = None
    """The event, in words, such as `the entry into force of the delegated act`; null beside a date."""
    within: Duration | None = None
    """The time after the event, in ISO 8601, such as `P12M`; null if it is due with the event."""
    happened_on: PartialDate | None = None
    """The date of the event; null if it is not recorded."""

    def __post_init__(self) -> None:
        if (self.on is None) == (self.event is None):
            raise InvalidInput("expected a date or an event, not both", path=("on",))
        if self.on and (self.within or self.happened_on):
            raise InvalidInput("expected an event", code="FIELD_REQUIRED", path=("event",))

    @property
    def day(self) -> date | None:
        """The last day that fulfils it; null while the day of its event is not recorded."""
        start = self.on or self.happened_on
        if start is None:
            return None
        return self.within.after(start.last) if self.within else start.last


Dues = Annotated[tuple[Due, ...], msgspec.Meta(max_length=10)]


class Stated(DatedFact, frozen=True, kw_only=True):
    """An act obliges firms or states. `on` is the day of the act, from which it is known."""

    issuer: Place
    """The place whose act it is. The obligation applies there."""
    act: Name
    """The act, by its title."""
    unit: Name
    """The article or paragraph, such as `Article 24(1)`."""
    roles: Annotated[tuple[ObligationRole, ...], msgspec.Meta(min_length=1)]
    """The roles of those who are obliged."""
    who: Name
    """The persons who are obliged, in words."""
    verb: Name
    """The verb of the duty, such as `report`."""
    object: Text
    """The object of the verb, in words."""
    addressee: Name | None = None
    """The authority or person to which the duty is owed."""
    threshold: Name | None = None
    """The size, quantity or share from which it applies, in words; null without one."""
    commodities: tuple[Commodity, ...] = ()
    """The commodities that it covers; empty if it is not limited to some."""
    due: Dues = ()
    """The dates and events that it is due by; the latest counts. Empty if it applies at all times or at an
    occasion."""
    every: Duration | None = None
    """The time after which it is due again, in ISO 8601, such as `P3Y`; null if it is due once."""
    occasion: Name | None = None
    """The occasion at which it is due each time, such as `each export`, from its due day on; null if dates
    decide."""
    continues: bool = False
    """Whether it applies at all times from its due day on, such as a label that products must bear."""
    until: PartialDate | None = None
    """The last date on which it applies by its own terms; null without one."""
    exemptions: tuple[Name, ...] = ()
    """The exemptions, in words."""
    instrument: Name | None = None
    """The entity with the act, such as `export-control/cn-61-2025`; null if it is not recorded."""

    def __post_init__(self) -> None:
        if self.occasion and (self.every or self.continues):
            raise InvalidInput(
                "expected no occasion beside `every` or `continues`", path=("occasion",)
            )
        if self.every and self.continues:
            raise InvalidInput("expected `every` or `continues`, not both", path=("continues",))
        if self.every and not self.due:
            raise InvalidInput("expected the first due date", path=("due",))
        if self.instrument and not ENTITY_PATH.fullmatch(self.instrument):
            raise InvalidInput(
                f"{self.instrument!r}: expected an entity such as export-control/cn-61-2025",
                code="INVALID_ID",
                path=("instrument",),
            )
        check_order(self.on, self.until, "until")

    @property
    def issuers(self) -> tuple[str, ...]:
        """Its issuer."""
        return (self.issuer,)


class Postponed(DatedFact, frozen=True, kw_only=True):
    """A later act sets a later due date, or the event that the time runs from took place."""

    act: Name
    """The later act, or the record of the event."""
    due: Annotated[tuple[Due, ...], msgspec.Meta(min_length=1, max_length=10)]
    """The dates and events that it is due by from now on; the latest counts."""


class Repealed(DatedFact, frozen=True, kw_only=True):
    """A later act ends the obligation."""

    act: Name
    """The act that ends it."""
    repealed_from: PartialDate
    """The first date on which it does not apply."""


class NextDue(msgspec.Struct, frozen=True):
    """The next due day of an obligation."""

    status: DueStatus
    """The reason for a due day, or for its absence."""
    day: date | None = None
    """The day by which it is due; null unless the status is DATED."""
    not_before: date | None = None
    """A day before which it is not due, if the status is OPEN."""
    events: tuple[str, ...] = ()
    """The events without a recorded day that it waits for, or the occasion at which it is due each time."""

    @property
    def phrase(self) -> str:
        """The due day in words, for use after an obligation."""
        match self.status:
            case DueStatus.DATED if self.day:
                return f"due by {date_phrase(self.day)}"
            case DueStatus.OPEN:
                least = f", not before {date_phrase(self.not_before)}" if self.not_before else ""
                return f"due after {listed(self.events)}, whose day is not recorded{least}"
            case DueStatus.EACH_TIME:
                return f"due at {listed(self.events)}"
        return self.status.phrase


class ObligationState(StateWithEvidence, frozen=True, kw_only=True):
    """An obligation as it is known on a day."""

    issuer: Place
    act: str
    unit: str
    roles: tuple[ObligationRole, ...]
    who: str
    verb: str
    object: str
    stated_on: PartialDate
    """The day of the act."""
    addressee: str | None = None
    threshold: str | None = None
    commodities: tuple[Commodity, ...] = ()
    due: tuple[Due, ...] = ()
    every: Duration | None = None
    occasion: str | None = None
    continues: bool = False
    until: PartialDate | None = None
    exemptions: tuple[str, ...] = ()
    instrument: str | None = None
    postponed_by: str | None = None
    """The act that set the due dates last; null if it is the first one."""
    repealed_by: str | None = None
    """The act that ended it; null while none has."""
    repealed_from: PartialDate | None = None
    """The day from which it is repealed; null while it is not."""
    note: FreeText | None = None
    quotation: FreeText | None = None

    @property
    def issuers(self) -> tuple[str, ...]:
        """Its issuer."""
        return (self.issuer,)

    @property
    def sentence(self) -> str:
        """The obligation in one sentence, with its article and act."""
        return obligation_sentence(self)

    @property
    def last_day(self) -> date | None:
        """The last day on which it applies; null without one."""
        ends = [self.until.last] if self.until else []
        ends += [self.repealed_from.first - DAY] if self.repealed_from else []
        return min(ends, default=None)

    def is_of(self, role: ObligationRole) -> bool:
        """Return whether it obliges those with a role. An obligation of any firm is one of each role of
        firms."""
        return role in self.roles or (
            ObligationRole.FIRM in self.roles and role is not ObligationRole.STATE
        )

    def covers(self, commodity: Commodity) -> bool:
        """Return whether it covers a commodity, or one above or below it."""
        return not self.commodities or not related(commodity).isdisjoint(self.commodities)


def obligation_sentence(of: Stated | ObligationState) -> str:
    """Return an obligation in one sentence, with its article and act."""
    to = f" to {of.addressee}" if of.addressee else ""
    return f"{with_capital(of.who)} must {of.verb} {of.object}{to} ({of.unit}, {of.act})."


def next_due(of: ObligationState, day: date) -> NextDue:
    """Return the next day, from a day on, on which an obligation is due. Pure."""
    least, last = earliest(of.due), of.last_day
    if last is not None and max(day, least or day) > last:
        return NextDue(DueStatus.ENDED)
    if not of.due:
        return _continuing(of)
    events = tuple(one.event for one in of.due if one.day is None and one.event)
    if events or least is None:
        return NextDue(DueStatus.OPEN, not_before=least, events=events)
    if least < day and not of.every:
        return _continuing(of) if of.occasion or of.continues else NextDue(DueStatus.PASSED)
    due = _recurrence(least, of.every, day) if of.every else least
    if last is not None and due > last:
        return NextDue(DueStatus.ENDED)
    return NextDue(DueStatus.DATED, due)


def still_due(of: Iterable[ObligationState], day: date) -> list[ObligationState]:
    """Return the obligations that have neither passed nor ended: by the next due day, then by key."""
    over = {DueStatus.PASSED, DueStatus.ENDED}
    due = [(next_due(one, day), one) for one in of]
    listed = [(at.day or date.max, one.id, one) for at, one in due if at.status not in over]
    return [one for *_, one in sorted(listed, key=lambda each: each[:2])]


def _continuing(of: ObligationState) -> NextDue:
    """Return the status of an obligation that applies at an occasion or at all times."""
    if of.occasion:
        return NextDue(DueStatus.EACH_TIME, events=(of.occasion,))
    return NextDue(DueStatus.AT_ALL_TIMES)


def earliest(due: Sequence[Due]) -> date | None:
    """Return the day before which dates and events are not due together; None if no day is recorded."""
    return max(filter(None, (one.day for one in due)), default=None)


def _recurrence(first: date, every: Duration, day: date) -> date:
    """Return the first recurrence from a day on."""
    times = max((day - first).days, 0) // (31 * every.months + every.days)
    while (due := every.after(first, times)) < day:
        times += 1
    return due


class ObligationFold(CitingFold[ObligationState]):
    """The state of an obligation from its facts."""

    __slots__ = ("postponed", "repealed", "stated")
    NEEDS_OPENING = True

    def __init__(self) -> None:
        super().__init__()
        self.stated: Stated | None = None
        self.postponed: Postponed | None = None
        self.repealed: Repealed | None = None

    def take(self, known: RecordedFact) -> None:
        """Apply a fact; facts dated before the act are ignored."""
        match known.fact:
            case Stated() as fact:
                self.stated = fact
            case Postponed() as fact if self.stated:
                self.postponed = fact
            case Repealed() as fact if self.stated:
                self.repealed = fact
            case _:
                return
        self.cite(known)

    @property
    def due(self) -> tuple[Due, ...]:
        """The due dates that were set last."""
        of = self.postponed or self.stated
        return of.due if of else ()

    def state(self, id: str, day: date) -> ObligationState | None:
        """Return the obligation as public by `day`."""
        if self.stated is None:
            return None
        fields = {**shared_fields(self.stated, ObligationState), "due": self.due}
        return ObligationState(
            **fields,
            id=id,
            stated_on=self.stated.on,
            postponed_by=self.postponed.act if self.postponed else None,
            repealed_by=self.repealed.act if self.repealed else None,
            repealed_from=self.repealed.repealed_from if self.repealed else None,
            because=self.because,
        )


class Obligation(Entity):
    """One duty that an act puts on firms or states."""

    KIND: ClassVar[str] = "obligation"
    INITIAL_FACT: ClassVar[type[Fact]] = Stated
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Obligation.Stated": Stated,
        "Obligation.Postponed": Postponed,
        "Obligation.Repealed": Repealed,
        "Obligation.Retracted": Retracted,
    }
    FOLD = ObligationFold

    def check(self, fact: Fact) -> None:
        """Check that an obligation is stated once, and that its due date never gets earlier."""
        before: ObligationFold = self._fold()
        if before.stated is None:
            return
        if isinstance(fact, Stated):
            raise InvalidInput(
                f"{self.id} is stated already: expected a retraction first",
                code="ALREADY_EXISTS",
                path=("id",),
            )
        if fact.public_on < before.stated.public_on:
            raise InvalidInput(
                f"{self.id} is not stated on {fact.public_on}: expected a day from"
                f" {before.stated.on} on",
                code="NOT_STATED",
                path=("on",),
            )
        least = earliest(before.due)
        if isinstance(fact, Postponed) and least and (earliest(fact.due) or date.min) < least:
            raise InvalidInput(
                f"{self.id} is due on {least} at the earliest: expected no earlier date",
                code="DUE_TOO_EARLY",
                path=("due",),
            )
