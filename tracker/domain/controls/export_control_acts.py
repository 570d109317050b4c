"""Acts that create, change and end instruments, and differing accounts of them."""

from collections.abc import Sequence
from datetime import date

from tracker.domain.basics.control_vocabulary import Direction, Outcome
from tracker.domain.basics.duration import Duration
from tracker.domain.basics.original_title import OriginalTitle
from tracker.domain.basics.values import Name, PartialDate, Text, check_order
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.clause import Clause, check_clauses
from tracker.domain.entities.fact import DatedFact
from tracker.errors import InvalidInput


class ClausesFact(DatedFact, frozen=True, kw_only=True):
    """A fact about some clauses of an instrument; without clauses it is about all of them.

    `on` is the day on which the act became public, `instrument` the act itself.
    """

    clauses: tuple[str, ...] = ()
    instrument: Name | None = None

    @property
    def counts_from(self) -> date:
        """The day from which it ends clauses; for other effects, the day on which it became public."""
        return self.public_on


class Announced(DatedFact, frozen=True, kw_only=True):
    """An instrument is announced, with its clauses.

    `official` is false for a measure that only others report and its issuer denies.
    """

    issuer: Place
    """The issuer, such as `CN`."""
    direction: Direction
    """The trade that it restricts: exports, imports or production."""
    title: Name
    """Its title."""
    clauses: tuple[Clause, ...]
    original_title: OriginalTitle | None = None
    instrument: Name | None = None
    """The legal act, as cited by its issuer."""
    official: bool = True
    """False for a measure that only others report and its issuer denies."""

    def __post_init__(self) -> None:
        if not self.clauses:
            raise InvalidInput("expected at least one clause", path=("clauses",))
        check_clauses(self.clauses)

    def check_recordable(self) -> None:
        """Check that only exports have destinations and only imports have origins. Raises InvalidInput."""
        check_directions(self.clauses, self.direction)

    @property
    def issuers(self) -> tuple[str, ...]:
        """Its issuer."""
        return (self.issuer,)


def check_directions(clauses: Sequence[Clause], direction: Direction) -> None:
    """Reject destinations without exports, and origins without imports.

    Raises InvalidInput.
    """
    for index, clause in enumerate(clauses):
        if clause.destinations and direction is Direction.IMPORT:
            raise InvalidInput(
                "expected origins: an import control says where goods come from",
                code="ORIGINS_EXPECTED",
                path=("clauses", index, "destinations"),
            )
        if clause.origins and direction is not Direction.IMPORT:
            raise InvalidInput(
                "expected destinations: only an import control has origins",
                code="DESTINATIONS_EXPECTED",
                path=("clauses", index, "origins"),
            )


class EnteredIntoForce(ClausesFact, frozen=True, kw_only=True):
    """The clauses are in force, from this day."""

    in_force_from: PartialDate


class Amended(DatedFact, frozen=True, kw_only=True):
    """The instrument is amended: its clauses are reworded, or clauses are added.

    `effective_from` is the first day of the new wording; by default it takes effect immediately.
    """

    clauses: tuple[Clause, ...]
    title: Name | None = None
    original_title: OriginalTitle | None = None
    instrument: Name | None = None
    effective_from: PartialDate | None = None

    def __post_init__(self) -> None:
        check_clauses(self.clauses)


class Extended(ClausesFact, frozen=True, kw_only=True):
    """The last day of the clauses is postponed to this day, inclusive."""

    in_force_until: PartialDate


class Suspended(ClausesFact, frozen=True, kw_only=True):
    """The clauses do not apply from one day until another, inclusive; then they are in force again.

    `suspended_for` is the length of the suspension if the act gives that instead of an end. With `entities`
    only these firms are exempt from the clauses.
    """

    suspended_from: PartialDate
    suspended_until: PartialDate | None = None
    suspended_for: Duration | None = None
    entities: tuple[Name, ...] = ()

    def __post_init__(self) -> None:
        check_order(self.suspended_from, self.suspended_until, "suspendedUntil")
        if self.suspended_for and self.suspended_until:
            raise InvalidInput(
                "expected either suspendedFor or suspendedUntil", path=("suspendedFor",)
            )

    @property
    def last_day(self) -> PartialDate | None:
        """The last suspended day, if known; None: until further notice."""
        if self.suspended_for is None:
            return self.suspended_until
        return PartialDate(self.suspended_for.last_day(self.suspended_from.first).isoformat())


class SuspensionExtended(ClausesFact, frozen=True, kw_only=True):
    """The suspension of the clauses lasts longer: until this day, inclusive, or further notice."""

    suspended_until: PartialDate | None = None


class SuspensionStated(ClausesFact, frozen=True, kw_only=True):
    """A government states, without a legal instrument, that the suspension lasts until this day,
    inclusive.

    The status remains that of the text, and every response contains the statement. `stated_by` is the author
    of the statement, `account` its content.
    """

    suspended_until: PartialDate
    stated_by: Name
    account: Text | None = None


class Reinstated(ClausesFact, frozen=True, kw_only=True):
    """The suspension of the clauses has ended from this day."""

    reinstated_from: PartialDate


class Expired(ClausesFact, frozen=True, kw_only=True):
    """The clauses have ended; this was their last day."""

    in_force_until: PartialDate


class Repealed(ClausesFact, frozen=True, kw_only=True):
    """The clauses are repealed from this day."""

    repealed_from: PartialDate

    @property
    def counts_from(self) -> date:
        """The first day after the end."""
        return self.repealed_from.first


class Discontinued(ClausesFact, frozen=True, kw_only=True):
    """The clauses have ended from this day without a repeal.

    They were withdrawn before they were in force, or lapsed without a decision. An investigation or a
    negotiation was concluded without a measure.
    """

    discontinued_from: PartialDate
    outcome: Outcome

    @property
    def counts_from(self) -> date:
        """The first day after the end."""
        return self.discontinued_from.first


class Merged(ClausesFact, frozen=True, kw_only=True):
    """The clauses are repealed from this day because another instrument continues them; `into` is its key."""

    merged_from: PartialDate
    into: Name

    @property
    def counts_from(self) -> date:
        """The first day after the end."""
        return self.merged_from.first


class Disputed(DatedFact, frozen=True, kw_only=True):
    """Another source gives a different account, or the issuer denies the instrument.

    The account is stored separately and not merged. `account` is its content, `judged` this tracker's
    assessment.
    """

    account: Text
    commodities: tuple[Commodity, ...] = ()
    judged: Text | None = None
