"""Export controls: instruments and their clauses, from announcement to repeal.

"Export" by habit: import restrictions and production quotas are instruments of the same shape,
told apart by `direction`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import ClassVar

from tracker.domain.clause import Clause, ClauseHistory, ClauseState, check_clauses, next_day
from tracker.domain.elements import Element, Elements, EncodedElement
from tracker.domain.entity import CitingFold, CitingState, Entity, Known, Retracted
from tracker.domain.values import (
    DAY,
    Commodity,
    Fact,
    Name,
    PartialDate,
    Place,
    Source,
    Text,
    Value,
    check_order,
)
from tracker.domain.vocabulary import Direction
from tracker.errors import InvalidInput


class ClausesFact(Fact, frozen=True, kw_only=True):
    """A fact about some clauses of an instrument; no clause named means all of them.

    `on` is the day on which the act was made public, `instrument` the act itself.
    """

    on: PartialDate
    clauses: tuple[str, ...] = ()
    instrument: Name | None = None

    @property
    def public_on(self) -> date:
        """The day on which the act was made public."""
        return self.on.first


class Announced(Fact, frozen=True, kw_only=True):
    """An instrument is announced, with its clauses. `official` is false for a measure that only
    others report and its issuer denies."""

    on: PartialDate
    issuer: Place
    direction: Direction
    title: Name
    clauses: tuple[Clause, ...]
    instrument: Name | None = None
    official: bool = True

    def __post_init__(self) -> None:
        if not self.clauses:
            raise InvalidInput("expected at least one clause", path=("clauses",))
        check_clauses(self.clauses)

    @property
    def public_on(self) -> date:
        """The day of the announcement."""
        return self.on.first


class EnteredIntoForce(ClausesFact, frozen=True, kw_only=True):
    """The clauses are in force, from this day."""

    in_force_from: PartialDate


class Amended(Fact, frozen=True, kw_only=True):
    """The instrument is changed: its clauses are worded anew, or joined by others.

    `effective_from` is the day from which the new wording counts; without it, at once.
    """

    on: PartialDate
    clauses: tuple[Clause, ...]
    title: Name | None = None
    instrument: Name | None = None
    effective_from: PartialDate | None = None

    def __post_init__(self) -> None:
        check_clauses(self.clauses)

    @property
    def public_on(self) -> date:
        """The day on which the change was made public."""
        return self.on.first


class Extended(ClausesFact, frozen=True, kw_only=True):
    """The clauses hold longer than they said: until this day, inclusive."""

    in_force_until: PartialDate


class Suspended(ClausesFact, frozen=True, kw_only=True):
    """The clauses do not apply from a day on, until another, inclusive; then they are back."""

    suspended_from: PartialDate
    suspended_until: PartialDate | None = None

    def __post_init__(self) -> None:
        check_order(self.suspended_from, self.suspended_until, "suspendedUntil")


class SuspensionExtended(ClausesFact, frozen=True, kw_only=True):
    """The suspension of the clauses lasts longer: until this day, inclusive, or further notice."""

    suspended_until: PartialDate | None = None


class Reinstated(ClausesFact, frozen=True, kw_only=True):
    """The suspension of the clauses is over from this day."""

    reinstated_from: PartialDate


class Expired(ClausesFact, frozen=True, kw_only=True):
    """The clauses have ended: this was their last day."""

    in_force_until: PartialDate


class Repealed(ClausesFact, frozen=True, kw_only=True):
    """The clauses are withdrawn from this day."""

    repealed_from: PartialDate


class Disputed(Fact, frozen=True, kw_only=True):
    """Another source tells it otherwise, or the issuer denies it: kept beside, not merged.

    `account` is what that source says; `judged` what this tracker made of it.
    """

    on: PartialDate
    account: Text
    commodities: tuple[Commodity, ...] = ()
    judged: Text | None = None

    @property
    def public_on(self) -> date:
        """The day on which the other account was published."""
        return self.on.first


class Dispute(Value, frozen=True, kw_only=True):
    """An account that differs from the instrument as told here."""

    account: str
    source: Source
    commodities: tuple[Commodity, ...] = ()
    judged: Text | None = None


class ExportControlState(CitingState, frozen=True, kw_only=True):
    """An instrument on a day."""

    issuer: Place
    direction: Direction
    title: str
    announced_on: PartialDate
    clauses: tuple[ClauseState, ...]
    instrument: Name | None = None
    official: bool = True
    disputes: tuple[Dispute, ...] = ()


class ExportControlFold(CitingFold[ExportControlState]):
    """What the facts of an instrument come to."""

    __slots__ = ("_disputed", "_disputes", "courses", "opening", "title")
    LONG = ("because", "disputes")

    def __init__(self) -> None:
        super().__init__()
        self.opening: Announced | None = None
        self.title: str | None = None
        """The title that an amendment gave it."""
        self.courses: dict[str, ClauseHistory] = {}
        """The course of every clause by its id."""
        self._disputed: list[Known] = []
        self._disputes: Elements | None = None

    @classmethod
    def elements_of(cls, known: Known, place: str, replaced: date | None) -> list[Element]:
        """The fact itself, and the account that it gives."""
        elements = super().elements_of(known, place, replaced)
        if isinstance(known.fact, Disputed):
            elements.append(Element.of(2, place, known.fact.public_on, _dispute(known.fact)))
        return elements

    def lists(self) -> Sequence[Elements] | None:
        """The facts behind the instrument, and the accounts that differ."""
        cited = self.cited()
        if cited is None:
            return None
        if self._disputes is None:
            self._disputes = Elements(map(self._write_dispute, self._disputed))
        return cited, self._disputes

    def take(self, known: Known) -> None:
        """Take in an act, or an account of it that differs."""
        self.cite(known)
        match known.fact:
            case Announced() as fact:
                self.opening = self.opening or fact
                self.courses.update(
                    {clause.id: ClauseHistory.initial(clause) for clause in fact.clauses}
                )
            case Amended() as fact:
                self.title = fact.title or self.title
                self.courses.update(
                    {clause.id: _amended(self.courses, clause, fact) for clause in fact.clauses}
                )
            case Disputed():
                self._disputed.append(known)
                if self._disputes is not None:
                    self._disputes.insert(len(self._disputes.values), self._write_dispute(known))
            case ClausesFact() as fact:
                named = [id for id in fact.clauses or tuple(self.courses) if id in self.courses]
                self.courses.update({id: _followed(self.courses[id], fact) for id in named})

    def state(self, id: str, day: date) -> ExportControlState | None:
        """The instrument as far as it is public by `day`."""
        opening = self.opening
        if opening is None:
            return None
        return ExportControlState(
            id=id,
            issuer=opening.issuer,
            direction=opening.direction,
            title=self.title or opening.title,
            announced_on=opening.on,
            instrument=opening.instrument,
            official=opening.official,
            clauses=tuple(course.state(day) for course in self.courses.values()),
            disputes=self._accounts(),
            because=self.because,
        )

    def _accounts(self) -> tuple[Dispute, ...]:
        if lists := self.lists():
            return tuple(lists[1].values)  # type: ignore[arg-type]  # all of this kind
        return tuple([_dispute(known.fact) for known in self._disputed])

    def _write_dispute(self, known: Known) -> EncodedElement:
        return self._texts.get(("dispute", known.position), lambda: _dispute(known.fact))


class ExportControl(Entity):
    """One instrument: an announcement, law or regulation that controls trade or output."""

    KIND: ClassVar[str] = "export-control"
    OPENING: ClassVar[type[Fact]] = Announced
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "ExportControl.Announced": Announced,
        "ExportControl.EnteredIntoForce": EnteredIntoForce,
        "ExportControl.Amended": Amended,
        "ExportControl.Extended": Extended,
        "ExportControl.Suspended": Suspended,
        "ExportControl.SuspensionExtended": SuspensionExtended,
        "ExportControl.Reinstated": Reinstated,
        "ExportControl.Expired": Expired,
        "ExportControl.Repealed": Repealed,
        "ExportControl.Disputed": Disputed,
        "ExportControl.Retracted": Retracted,
    }

    FOLD = ExportControlFold

    def check(self, fact: Fact) -> None:
        """An instrument is announced once; acts fit what is public of it on their day."""
        if isinstance(fact, Announced):
            if self.exists:
                raise InvalidInput(
                    f"{self.id} is announced already: expected an amendment, or a retraction first",
                    code="ALREADY_EXISTS",
                    path=("id",),
                )
        elif isinstance(fact, Amended | ClausesFact):
            public: ExportControlFold = self._fold(fact.public_on)
            if public.opening is None:
                raise InvalidInput(
                    f"{self.id} is not announced on {fact.on}: expected a day from"
                    " its announcement on",
                    code="NOT_ANNOUNCED",
                    path=("on",),
                )
            if isinstance(fact, ClausesFact):
                self._check_clauses(fact, public.courses)

    def _check_clauses(self, fact: ClausesFact, courses: dict[str, ClauseHistory]) -> None:
        for index, id in enumerate(fact.clauses):
            if id not in courses:
                raise InvalidInput(
                    f"{self.id} has no clause {id!r}: expected one of "
                    + ", ".join(sorted(courses)),
                    code="UNKNOWN_CLAUSE",
                    path=("clauses", index),
                )
        for id in fact.clauses or courses:
            self._check_course(id, courses[id], fact)

    def _check_course(self, id: str, course: ClauseHistory, fact: ClausesFact) -> None:
        match fact:
            case SuspensionExtended() | Reinstated():
                suspension = course.suspension(fact.public_on)
                if suspension is None:
                    raise InvalidInput(
                        f"clause {id} of {self.id} is not suspended on {fact.on}",
                        code="NOT_SUSPENDED",
                        path=("clauses",),
                    )
                if isinstance(fact, SuspensionExtended):
                    check_order(suspension.start, fact.suspended_until, "suspendedUntil")
                elif fact.reinstated_from.first - course.last_suspended > DAY:
                    raise InvalidInput(
                        f"clause {id} of {self.id} is suspended until {course.last_suspended} and"
                        f" returns by itself on {course.last_suspended + DAY}: expected a day up to"
                        " that, or a longer suspension first",
                        code="RETURNS_EARLIER",
                        path=("reinstatedFrom",),
                    )
            case EnteredIntoForce() | Extended() | Expired():
                for _, clause in _followed(course, fact).wordings:
                    check_order(clause.in_force_from, clause.in_force_until, "inForceUntil")

    @classmethod
    def turns(cls, fact: Fact) -> Iterable[date]:
        """The day of an act, and those that courses may lead to because of it."""
        yield fact.public_on
        match fact:
            case Announced() | Amended():
                if isinstance(fact, Amended) and fact.effective_from:
                    yield fact.effective_from.first
                for clause in fact.clauses:
                    yield from _from_to(clause.in_force_from, clause.in_force_until)
            case EnteredIntoForce():
                yield from _from_to(fact.in_force_from, None)
            case Extended() | Expired():
                yield from _from_to(None, fact.in_force_until)
            case Suspended():
                yield from _from_to(fact.suspended_from, fact.suspended_until)
            case SuspensionExtended():
                yield from _from_to(None, fact.suspended_until)
            case Reinstated():
                yield from _from_to(fact.reinstated_from, None)
            case Repealed():
                yield from _from_to(fact.repealed_from, None)


def _from_to(start: PartialDate | None, end: PartialDate | None) -> Iterable[date]:
    """The first of some days, and the first day after them."""
    if start:
        yield start.first
    if end:
        yield from next_day(end.last)


def _amended(courses: dict[str, ClauseHistory], clause: Clause, fact: Amended) -> ClauseHistory:
    if clause.id not in courses:
        return ClauseHistory.initial(clause)
    return courses[clause.id].reworded(clause, (fact.effective_from or fact.on).first)


def _followed(course: ClauseHistory, fact: ClausesFact) -> ClauseHistory:
    """The course of a clause after one more act about it."""
    match fact:
        case EnteredIntoForce():
            return course.dated(fact.public_on, in_force_from=fact.in_force_from)
        case Extended() | Expired():
            return course.dated(fact.public_on, in_force_until=fact.in_force_until)
        case Suspended():
            return course.suspended(fact.suspended_from, fact.suspended_until)
        case SuspensionExtended():
            return course.suspension_extended(fact.suspended_until, fact.public_on)
        case Reinstated():
            return course.reinstated(fact.reinstated_from.first)
        case Repealed():
            return course.repealed(fact.repealed_from)
    raise TypeError(f"no course after {fact!r}")


def _dispute(fact: Fact) -> Dispute:
    assert isinstance(fact, Disputed)
    return Dispute(
        account=fact.account, source=fact.source, commodities=fact.commodities, judged=fact.judged
    )
