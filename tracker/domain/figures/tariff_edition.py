"""Editions of tariff schedules that were read. An edition proves what was printed on its day."""

from datetime import date
from typing import Annotated, ClassVar

import msgspec

from tracker.domain.basics.values import Name, Sha256
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.fold import shared_fields
from tracker.errors import InvalidInput

Beginning = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2,8}\Z")]
EditionKey = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-z]+(-[0-9a-z]+)*\Z", max_length=40)]


class EditionRead(Fact, frozen=True, kw_only=True):
    """An edition of a tariff schedule was read. It is the record of the completeness of its lines."""

    place: Place
    """The place whose tariff it is."""
    edition: EditionKey
    """The key of the edition, such as `2026-rev-10`."""
    title: Name
    """The title of the edition."""
    sha256: Sha256 | None = None
    """The SHA-256 of the whole file of the publisher, as hexadecimal digits; null if it was read in parts."""
    chapters: tuple[Beginning, ...]
    """The chapters and headings that were read in full, as beginnings of codes."""

    @property
    def stream(self) -> str:
        """The stream of the edition: `tariff-edition/us/2026-rev-10`."""
        return f"{TariffEdition.KIND}/{self.place.lower()}/{self.edition}"

    @property
    def public_on(self) -> date:
        """The day of the edition."""
        return self.source.published_on.first


class TariffEditionState(StateWithEvidence, frozen=True, kw_only=True):
    """An edition of a tariff schedule that was read."""

    place: Place
    """The place whose tariff it is."""
    edition: EditionKey
    """The key of the edition, such as `2026-rev-10`."""
    title: Name
    """The title of the edition."""
    printed_on: date
    """The day of the edition."""
    sha256: Sha256 | None = None
    """The SHA-256 of the whole file of the publisher, as hexadecimal digits; null if it was read in parts."""
    chapters: tuple[Beginning, ...]
    """The chapters and headings that were read in full, as beginnings of codes."""

    def reads(self, code: str) -> bool:
        """Return whether the edition was read for a code, or for all codes that begin with it."""
        return code.startswith(self.chapters)


class _EditionFold(CitingFold[TariffEditionState]):
    """The fold of an edition."""

    __slots__ = ("read",)

    def __init__(self) -> None:
        super().__init__()
        self.read: EditionRead | None = None

    def take(self, known: RecordedFact) -> None:
        """Apply a reading; it replaces an earlier one."""
        if isinstance(known.fact, EditionRead):
            self.cite(known)
            self.read = known.fact

    def state(self, id: str, day: date) -> TariffEditionState | None:
        """Return the edition, if it was read."""
        if self.read is None:
            return None
        of = self.read
        return TariffEditionState(
            **shared_fields(of, TariffEditionState),
            id=id,
            printed_on=of.public_on,
            because=self.because,
        )


class TariffEdition(Entity):
    """An edition of a tariff schedule that was read."""

    KIND: ClassVar[str] = "tariff-edition"
    ID_HAS_PARTS: ClassVar[bool] = True
    INITIAL_FACT: ClassVar[type[Fact]] = EditionRead
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "TariffEdition.Read": EditionRead,
        "TariffEdition.Retracted": Retracted,
    }
    FOLD = _EditionFold

    def check(self, fact: Fact) -> None:
        """Check that a reading is of this edition."""
        if fact.stream not in (None, self.id):
            raise InvalidInput(f"expected a fact about {self.id}", path=("edition",))
