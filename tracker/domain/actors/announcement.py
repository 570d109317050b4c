"""Announcements: statements, commitments, proceedings and responses of states and alliances."""

from datetime import date
from typing import ClassVar

from tracker.domain.basics.original_title import OriginalTitle
from tracker.domain.basics.values import PERCENT, FreeText, Name, PartialDate, Quantity, Value
from tracker.domain.basics.vocabulary import AnnouncementKind
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Actor
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import ENTITY_PATH, DatedFact, Fact, Source
from tracker.domain.entities.fold import shared_fields
from tracker.errors import InvalidInput

MAX_REFERENCES = 20
"""Maximum number of entities in one field of an announcement; each can be expanded in a query."""


class Amount(Value, frozen=True, kw_only=True):
    """An amount in an announcement: money, a share, or a number of years."""

    label: Name
    quantity: Quantity

    def check_recordable(self) -> None:
        """Reject negative money, mass, years and counts; a change in percent may be negative.

        Raises InvalidInput.
        """
        if self.quantity.unit != PERCENT:
            try:
                self.quantity.check_not_negative()
            except InvalidInput as error:
                raise error.below("quantity") from None


class Made(DatedFact, frozen=True, kw_only=True):
    """Records an announcement.

    `actors` make it or are party to it: places (`US`) and alliances (`quad`). `about` names entities of this
    tracker (`alliance/quad`). `firms` are the participating firms as in the source. `conflicts_with` names
    announcements with a conflicting account, `supersedes` those that it replaces.
    """

    kind: AnnouncementKind
    title: Name
    original_title: OriginalTitle | None = None
    actors: tuple[Actor, ...] = ()
    commodities: tuple[Commodity, ...] = ()
    topic: Name | None = None
    about: tuple[Name, ...] = ()
    amounts: tuple[Amount, ...] = ()
    firms: tuple[Name, ...] = ()
    until: PartialDate | None = None
    conflicts_with: tuple[Name, ...] = ()
    supersedes: tuple[Name, ...] = ()

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise InvalidInput("expected a title", path=("title",))
        for field, streams in self._references().items():
            for index, stream in enumerate(streams):
                if not ENTITY_PATH.fullmatch(stream):
                    raise InvalidInput(
                        f"{stream!r}: expected an entity such as alliance/quad",
                        code="INVALID_ID",
                        path=(field, index),
                    )

    def check_recordable(self) -> None:
        """Reject more entities than a query can expand together. Raises InvalidInput."""
        for field, streams in self._references().items():
            if len(streams) > MAX_REFERENCES:
                raise InvalidInput(
                    f"expected at most {MAX_REFERENCES} entities", code="TOO_LARGE", path=(field,)
                )

    def _references(self) -> dict[str, tuple[Name, ...]]:
        """Yield the fields that name entities."""
        return {
            "about": self.about,
            "conflictsWith": self.conflicts_with,
            "supersedes": self.supersedes,
        }

    @property
    def issuers(self) -> tuple[str, ...]:
        """Its actors."""
        return self.actors


class Superseded(DatedFact, frozen=True, kw_only=True):
    """A later announcement replaces this one."""

    by: Name


class AnnouncementState(StateWithEvidence, frozen=True, kw_only=True):
    """An announcement on a day."""

    date: PartialDate
    """The date of the announcement."""
    kind: AnnouncementKind
    """Its kind, such as a commitment."""
    title: str
    actors: tuple[Actor, ...]
    source: Source
    """The source of the announcement."""
    original_title: OriginalTitle | None = None
    commodities: tuple[Commodity, ...] = ()
    """The commodities that it covers."""
    topic: Name | None = None
    about: tuple[Name, ...] = ()
    amounts: tuple[Amount, ...] = ()
    firms: tuple[Name, ...] = ()
    until: PartialDate | None = None
    conflicts_with: tuple[Name, ...] = ()
    supersedes: tuple[Name, ...] = ()
    superseded_by: str | None = None
    """The announcement that replaced it; null while none has."""
    note: FreeText | None = None
    quotation: FreeText | None = None

    @property
    def issuers(self) -> tuple[str, ...]:
        """Its actors."""
        return self.actors


class AnnouncementFold(CitingFold[AnnouncementState]):
    """The fold of an announcement's facts."""

    __slots__ = ("by", "made")
    NEEDS_OPENING = True

    def __init__(self) -> None:
        super().__init__()
        self.made: Made | None = None
        self.by: str | None = None

    def take(self, known: RecordedFact) -> None:
        """Apply a fact.

        Facts dated before the announcement are ignored. They exist if a correction moved the announcement to
        a later day.
        """
        if self.made is None:
            if not isinstance(known.fact, Made):
                return
            self.made = known.fact
        elif isinstance(known.fact, Superseded):
            self.by = known.fact.by
        self.cite(known)

    def state(self, id: str, day: date) -> AnnouncementState | None:
        """Return the announcement as public by `day`."""
        made = self.made
        if made is None:
            return None
        return AnnouncementState(
            **shared_fields(made, AnnouncementState),
            id=id,
            date=made.on,
            superseded_by=self.by,
            because=self.because,
        )


class Announcement(Entity):
    """One announcement."""

    KIND: ClassVar[str] = "announcement"
    INITIAL_FACT: ClassVar[type[Fact]] = Made
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Announcement.Made": Made,
        "Announcement.Superseded": Superseded,
        "Announcement.Retracted": Retracted,
    }

    FOLD = AnnouncementFold

    def check(self, fact: Fact) -> None:
        """Check that an announcement is made once, and not superseded by an earlier one."""
        made = self._fold().made
        if made and isinstance(fact, Made):
            raise InvalidInput(
                f"{self.id} is recorded already: expected a retraction first",
                code="ALREADY_EXISTS",
                path=("id",),
            )
        if made and fact.public_on < made.public_on:
            raise InvalidInput(
                f"{self.id} is not made on {fact.public_on}: expected a day from {made.on} on",
                code="NOT_MADE",
                path=("on",),
            )
