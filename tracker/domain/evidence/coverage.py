"""Coverage: lists of acts that were read, the days read, and omissions.

An empty result is meaningful only as far as the lists that would contain the records were read.
"""

from datetime import date
from typing import Annotated, ClassVar

import msgspec

from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.basics.values import Name, PartialDate, check_order, check_reason
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Actor
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import DatedFact, Fact
from tracker.domain.entities.fold import shared_fields
from tracker.errors import InvalidInput

Omissions = Annotated[tuple[Name, ...], msgspec.Meta(max_length=20)]


class CoverageFact(DatedFact, frozen=True, kw_only=True):
    """A fact about coverage, of the day on which it was established."""


class Declared(CoverageFact, frozen=True, kw_only=True):
    """A list was read: the acts of one kind by `issuer` from `first` to `last` are recorded.

    It replaces an earlier declaration of the same entity. Without `first` the list goes back to the first act
    of its kind; without `commodities` it covers all. `left_out` describes unread acts of the kind in that
    period, in sentences; empty means none. `watched_source` is the key of a watched source whose polls
    continue the list.
    """

    issuer: Actor
    acts: ActKind
    name: Name
    last: PartialDate
    checked_by: Name
    first: PartialDate | None = None
    commodities: tuple[Commodity, ...] = ()
    left_out: Omissions = ()
    firms_named: bool | None = None
    watched_source: Name | None = None

    def __post_init__(self) -> None:
        check_order(self.first, self.last, "last")
        if self.firms_named is not None and self.acts is not ActKind.ENTITY_LIST:
            raise InvalidInput("expected only for entity lists", path=("firmsNamed",))


class Withdrawn(CoverageFact, frozen=True, kw_only=True):
    """A declaration no longer counts."""

    reason: Name

    def __post_init__(self) -> None:
        check_reason(self.reason)


class CoverageState(StateWithEvidence, frozen=True, kw_only=True):
    """A list that was read; `declared_on` is the day of its newest declaration."""

    issuer: Actor
    """The issuer of the acts."""
    acts: ActKind
    name: str
    """The list that was read."""
    last: PartialDate
    checked_by: str
    declared_on: PartialDate
    """The day of its newest declaration."""
    first: PartialDate | None = None
    """The first date covered; null if the list goes back to the first act of its kind."""
    commodities: tuple[Commodity, ...] = ()
    """The commodities whose acts were read; empty for all."""
    left_out: tuple[str, ...] = ()
    """The acts of this kind and period that were not read, in sentences; empty if the list is complete."""
    firms_named: bool | None = None
    """Whether all listed firms are named; null for lists other than entity lists."""
    watched_source: str | None = None
    withdrawn_on: PartialDate | None = None
    """The day from which it no longer counts; null while it does."""
    withdrawn_because: str | None = None
    """The reason; null while it counts."""


class CoverageFold(CitingFold[CoverageState]):
    """The state of coverage from its facts."""

    __slots__ = ("declared", "withdrawn")

    def __init__(self) -> None:
        super().__init__()
        self.declared: Declared | None = None
        self.withdrawn: Withdrawn | None = None

    def take(self, known: RecordedFact) -> None:
        """Apply a fact. A later declaration ends a withdrawal."""
        match known.fact:
            case Declared() as fact:
                self.declared, self.withdrawn = fact, None
            case Withdrawn() as fact:
                self.withdrawn = fact
        self.cite(known)

    def state(self, id: str, day: date) -> CoverageState | None:
        """Return the newest declaration, with its withdrawal."""
        of, withdrawn = self.declared, self.withdrawn
        if of is None:
            return None
        return CoverageState(
            **shared_fields(of, CoverageState),
            id=id,
            because=self.because,
            declared_on=of.on,
            withdrawn_on=withdrawn.on if withdrawn else None,
            withdrawn_because=withdrawn.reason if withdrawn else None,
        )


class Coverage(Entity):
    """One list of acts that was read."""

    KIND: ClassVar[str] = "coverage"
    INITIAL_FACT: ClassVar[type[Fact]] = Declared
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Coverage.Declared": Declared,
        "Coverage.Withdrawn": Withdrawn,
        "Coverage.Retracted": Retracted,
    }
    FOLD = CoverageFold

    def check(self, fact: Fact) -> None:
        """Reject a second withdrawal. Raises InvalidInput."""
        if isinstance(fact, Withdrawn) and self._fold().withdrawn:
            raise InvalidInput(
                f"{self.id} is already withdrawn", code="ALREADY_WITHDRAWN", path=("id",)
            )
