"""Export controls: instruments and their clauses, from announcement to repeal.

The name is historical: import restrictions and production quotas are instruments of the same shape,
distinguished by `direction`.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import ClassVar

from msgspec import structs

from tracker.domain.basics.control_vocabulary import ClauseStatus, Direction
from tracker.domain.basics.original_title import OriginalTitle
from tracker.domain.basics.values import DAY, Name, PartialDate, check_order
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import Clause, ClauseState, PartialSuspension, StatedSuspension
from tracker.domain.controls.clause_history import ClauseHistory, next_day
from tracker.domain.controls.disputes import Dispute, DisputedFold
from tracker.domain.controls.duty_relations import Related, Relation
from tracker.domain.controls.export_control_acts import (
    Amended,
    Announced,
    ClausesFact,
    Discontinued,
    Disputed,
    EnteredIntoForce,
    Expired,
    Extended,
    Merged,
    Reinstated,
    Repealed,
    Suspended,
    SuspensionExtended,
    SuspensionStated,
    check_directions,
)
from tracker.domain.controls.suspensions import Suspension
from tracker.domain.entities.entity import Entity, RecordedFact, Retracted, StateWithEvidence
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput


class ExportControlState(StateWithEvidence, frozen=True, kw_only=True):
    """An instrument on a day."""

    issuer: Place
    direction: Direction
    title: str
    announced_on: PartialDate
    """The date of its announcement."""
    clauses: tuple[ClauseState, ...]
    original_title: OriginalTitle | None = None
    instrument: Name | None = None
    official: bool = True
    disputes: tuple[Dispute, ...] = ()
    """Accounts of it by other sources that differ."""
    relations: tuple[Relation, ...] = ()
    """The recorded relations of its duties to other duties."""

    @property
    def issuers(self) -> tuple[str, ...]:
        """Its issuer."""
        return (self.issuer,)


class ExportControlFold(DisputedFold[ExportControlState]):
    """The fold of an instrument's facts."""

    __slots__ = ("histories", "opening", "original_title", "relations", "title")

    def __init__(self) -> None:
        super().__init__()
        self.opening: Announced | None = None
        self.title = ""
        self.original_title: OriginalTitle | None = None
        self.histories: dict[str, ClauseHistory] = {}
        """The history of every clause by its id."""
        self.relations: list[Relation] = []

    def take(self, known: RecordedFact) -> None:
        """Apply an act, or a differing account."""
        self.cite(known)
        match known.fact:
            case Announced() as fact:
                if self.opening is None:
                    self.opening, self.title = fact, fact.title
                    self.original_title = fact.original_title
                self.histories.update(
                    {
                        clause.id: ClauseHistory.initial(self._with_origins(clause), fact.public_on)
                        for clause in fact.clauses
                    }
                )
            case Amended() if self.opening is None:
                pass  # acts before the announcement are ignored; a correction may have moved the announcement
            case Amended() as fact:
                if fact.title or fact.original_title:
                    self.title = fact.title or self.title
                    self.original_title = fact.original_title
                self.histories.update(
                    {
                        clause.id: _after_amendment(
                            self.histories, self._with_origins(clause), fact
                        )
                        for clause in fact.clauses
                    }
                )
            case Disputed():
                self.take_dispute(known)
            case Related() as fact:
                self.relations.append(fact.relation)
            case ClausesFact() as fact:
                self.histories.update(
                    {
                        id: _after_act(self.histories[id], fact)
                        for id in clauses_of(fact, self.histories)
                    }
                )

    def _with_origins(self, clause: Clause) -> Clause:
        """Return an old clause on imports with `origins`, which were recorded as destinations at first."""
        if (
            clause.destinations
            and self.opening is not None
            and self.opening.direction is Direction.IMPORT
        ):
            return structs.replace(clause, origins=clause.destinations, destinations=())
        return clause

    def state(self, id: str, day: date) -> ExportControlState | None:
        """Return the instrument as public by `day`."""
        opening = self.opening
        if opening is None:
            return None
        return ExportControlState(
            id=id,
            issuer=opening.issuer,
            direction=opening.direction,
            title=self.title,
            original_title=self.original_title,
            announced_on=opening.on,
            instrument=opening.instrument,
            official=opening.official,
            clauses=tuple(history.state(day) for history in self.histories.values()),
            disputes=self.disputes,
            relations=tuple(self.relations),
            because=self.because,
        )


class ExportControl(Entity):
    """One instrument: an announcement, law or regulation that controls trade or output."""

    KIND: ClassVar[str] = "export-control"
    INITIAL_FACT: ClassVar[type[Fact]] = Announced
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "ExportControl.Announced": Announced,
        "ExportControl.EnteredIntoForce": EnteredIntoForce,
        "ExportControl.Amended": Amended,
        "ExportControl.Extended": Extended,
        "ExportControl.Suspended": Suspended,
        "ExportControl.SuspensionExtended": SuspensionExtended,
        "ExportControl.SuspensionStated": SuspensionStated,
        "ExportControl.Reinstated": Reinstated,
        "ExportControl.Expired": Expired,
        "ExportControl.Repealed": Repealed,
        "ExportControl.Discontinued": Discontinued,
        "ExportControl.Merged": Merged,
        "ExportControl.Disputed": Disputed,
        "ExportControl.Related": Related,
        "ExportControl.Retracted": Retracted,
    }

    FOLD = ExportControlFold

    def check(self, fact: Fact) -> None:
        """Check that an instrument is announced once, and that acts match its public state on their day."""
        if isinstance(fact, Announced):
            if self.exists:
                raise InvalidInput(
                    f"{self.id} is announced already: expected an amendment, or a retraction first",
                    code="ALREADY_EXISTS",
                    path=("id",),
                )
        elif isinstance(fact, Amended | ClausesFact | Related):
            public: ExportControlFold = self._fold(fact.public_on)
            if public.opening is None:
                raise InvalidInput(
                    f"{self.id} is not announced on {fact.on}: expected a day from"
                    " its announcement on",
                    code="NOT_ANNOUNCED",
                    path=("on",),
                )
            if isinstance(fact, ClausesFact):
                self._check_clauses(fact, public.histories)
            elif isinstance(fact, Related):
                self._check_ids(fact.relation.clauses, public.histories, "relation")
            else:
                check_directions(fact.clauses, public.opening.direction)

    def _check_ids(
        self, clauses: Sequence[str], histories: dict[str, ClauseHistory], *path: str
    ) -> None:
        for index, id in enumerate(clauses):
            if id not in histories:
                raise InvalidInput(
                    f"{self.id} has no clause {id!r}: expected one of "
                    + ", ".join(sorted(histories)),
                    code="UNKNOWN_CLAUSE",
                    path=(*path, "clauses", index),
                )

    def _check_clauses(self, fact: ClausesFact, histories: dict[str, ClauseHistory]) -> None:
        self._check_ids(fact.clauses, histories)
        if isinstance(fact, Suspended) and all(
            histories[id].status(fact.suspended_from.first).has_ended for id in histories
        ):
            fact = structs.replace(fact, clauses=tuple(histories))  # no clause is left to suspend
        for id in clauses_of(fact, histories):
            self._check_history(id, histories[id], fact)

    def _check_history(self, id: str, history: ClauseHistory, fact: ClausesFact) -> None:
        match fact:
            case Suspended():
                self._check_has_not_ended(id, history, fact)
            case SuspensionExtended():
                suspension = self._suspension(id, history, fact)
                check_order(suspension.start, fact.suspended_until, "suspendedUntil")
                self._check_is_longer(id, suspension.last, fact.suspended_until, "suspendedUntil")
            case SuspensionStated():
                self._check_states_longer(id, history, fact)
            case Reinstated():
                self._check_returns_not_later(id, history, fact)
            case EnteredIntoForce() | Extended() | Expired():
                if isinstance(fact, Extended):
                    last = history.wording(fact.public_on).last_day
                    self._check_is_longer(id, last, fact.in_force_until, "inForceUntil")
                for _, clause, *_ in _after_act(history, fact).wordings:
                    check_order(clause.in_force_from, clause.in_force_until, "inForceUntil")

    def _check_has_not_ended(self, id: str, history: ClauseHistory, fact: Suspended) -> None:
        """Reject the suspension of an ended clause, except by an act about all clauses."""
        status = history.status(fact.suspended_from.first)
        if status.has_ended and fact.clauses:
            raise InvalidInput(
                f"clause {id} of {self.id} is {status} on {fact.suspended_from}: expected a day on"
                " which it is announced or in force",
                code="HAS_ENDED",
                path=("clauses",),
            )

    def _suspension(self, id: str, history: ClauseHistory, fact: ClausesFact) -> Suspension:
        suspension = history.suspension(fact.public_on)
        if suspension is None:
            raise InvalidInput(
                f"clause {id} of {self.id} is not suspended on {fact.on}",
                code="NOT_SUSPENDED",
                path=("clauses",),
            )
        return suspension

    def _check_states_longer(self, id: str, history: ClauseHistory, fact: SuspensionStated) -> None:
        """Reject a statement about a clause that was never suspended, or that adds nothing to its text."""
        if history.last_suspended == date.min:
            raise InvalidInput(
                f"clause {id} of {self.id} was never suspended: expected a clause with a suspension",
                code="NOT_SUSPENDED",
                path=("clauses",),
            )
        self._check_is_longer(id, history.last_suspended, fact.suspended_until, "suspendedUntil")

    def _check_is_longer(
        self, id: str, last: date | None, until: PartialDate | None, field: str
    ) -> None:
        """Reject an extension that would shorten the period."""
        if last is not None and until is not None and until.last < last:
            end = "further notice" if last == date.max else last
            raise InvalidInput(
                f"clause {id} of {self.id} has this until {end} already: expected a day not before"
                " that",
                code="NOT_LONGER",
                path=(field,),
            )

    def _check_returns_not_later(self, id: str, history: ClauseHistory, fact: Reinstated) -> None:
        if history.is_suspended_for_some(fact.public_on) and not history.suspension(fact.public_on):
            return
        self._suspension(id, history, fact)
        if fact.reinstated_from.first - history.last_suspended > DAY:
            raise InvalidInput(
                f"clause {id} of {self.id} is suspended until {history.last_suspended} and"
                f" returns automatically on {history.last_suspended + DAY}: expected a day up to"
                " that, or a longer suspension first",
                code="RETURNS_EARLIER",
                path=("reinstatedFrom",),
            )

    @classmethod
    def change_days(cls, fact: Fact) -> Iterable[date]:
        """Return the day of an act, and the days of later changes that it may cause."""
        yield fact.public_on
        match fact:
            case Announced() | Amended():
                if isinstance(fact, Amended) and fact.effective_from:
                    yield fact.effective_from.first
                for clause in fact.clauses:
                    yield from _from_to(clause.in_force_from, clause.in_force_until)
                    yield from _from_to(clause.period, clause.carry_over_until or clause.period)
            case EnteredIntoForce():
                yield from _from_to(fact.in_force_from, None)
            case Extended() | Expired():
                yield from _from_to(None, fact.in_force_until)
            case Suspended():
                yield from _from_to(fact.suspended_from, fact.last_day)
            case SuspensionExtended() | SuspensionStated():
                yield from _from_to(None, fact.suspended_until)
            case Reinstated():
                yield from _from_to(fact.reinstated_from, None)
            case Repealed():
                yield from _from_to(fact.repealed_from, None)
            case Merged():
                yield from _from_to(fact.merged_from, None)
            case Discontinued():
                yield from _from_to(fact.discontinued_from, None)


def _from_to(start: PartialDate | None, end: PartialDate | None) -> Iterable[date]:
    """Return the first of some days, and the first day after them."""
    if start:
        yield start.first
    if end:
        yield from next_day(end.last)


def clauses_of(fact: ClausesFact, histories: dict[str, ClauseHistory]) -> list[str]:
    """Return the clauses that an act covers: those that it names, otherwise all that have not ended by
    then.

    If all have ended, the result is all clauses, because a late extension applies to clauses that have just
    ended.
    """
    if fact.clauses:
        return [id for id in fact.clauses if id in histories]
    day = min(fact.public_on, fact.counts_from)
    return [id for id, of in histories.items() if not of.status(day).has_ended] or list(histories)


def _after_amendment(
    histories: dict[str, ClauseHistory], clause: Clause, fact: Amended
) -> ClauseHistory:
    if clause.id not in histories:
        return ClauseHistory.initial(clause, fact.public_on, fact.instrument)
    start = (fact.effective_from or fact.on).first
    history = histories[clause.id].without_statement()
    return history.reworded(clause, start, fact.public_on, fact.instrument)


def _after_act(history: ClauseHistory, fact: ClausesFact) -> ClauseHistory:
    """Return the history of a clause after a further act, which overrides earlier statements."""
    if isinstance(fact, SuspensionStated):
        return history.with_statement(
            StatedSuspension(
                by=fact.stated_by, on=fact.on, until=fact.suspended_until, source=fact.source
            )
        )
    history = history.without_statement()
    match fact:
        case EnteredIntoForce():
            return history.entered_into_force(fact.public_on, fact.in_force_from)
        case Extended():
            return history.extended(fact.public_on, fact.in_force_until)
        case Expired():
            return history.ends_after(fact.public_on, fact.in_force_until)
        case Suspended(entities=()):
            return history.suspended(fact.suspended_from, fact.last_day, fact.suspended_for)
        case Suspended():
            return history.suspended_for_some(_partial_suspension(fact))
        case SuspensionExtended():
            return history.suspension_extended(fact.suspended_until, fact.public_on)
        case Reinstated():
            return history.reinstated(fact.reinstated_from.first)
        case Repealed():
            return history.ended(fact.public_on, fact.repealed_from, ClauseStatus.REPEALED)
        case Merged():
            return history.ended(fact.public_on, fact.merged_from, ClauseStatus.REPEALED, fact.into)
        case Discontinued():
            return history.ended(fact.public_on, fact.discontinued_from, ClauseStatus(fact.outcome))
    raise TypeError(f"no history after {fact!r}")


def _partial_suspension(fact: Suspended) -> PartialSuspension:
    return PartialSuspension(
        entities=fact.entities,
        suspended_from=fact.suspended_from,
        suspended_until=fact.last_day,
        suspended_for=fact.suspended_for,
    )
