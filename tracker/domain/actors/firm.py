"""Firms: the names under which acts and announcements mention one firm.

A clause or an announcement names firms as in its source. A firm is a separate entity, so that its records can
be listed under all of its names.
"""

from datetime import date
from typing import ClassVar

from tracker.domain.basics.values import Name
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import DatedFact, Fact
from tracker.errors import InvalidInput


class FirmFact(DatedFact, frozen=True, kw_only=True):
    """A fact about a firm. `on` is the day from which it applies and is public."""


class Identified(FirmFact, frozen=True, kw_only=True):
    """Records the names of a firm.

    `also` has other spellings, `place` is the place of its seat.
    """

    name: Name
    also: tuple[Name, ...] = ()
    place: Place | None = None


class Renamed(FirmFact, frozen=True, kw_only=True):
    """Records another name of a firm. Searches still match the earlier names."""

    name: Name
    also: tuple[Name, ...] = ()


class FirmState(StateWithEvidence, frozen=True, kw_only=True):
    """A firm on a day. `also` are other spellings of its names."""

    name: str
    """Its name on this day."""
    also: tuple[str, ...] = ()
    former_names: tuple[str, ...] = ()
    """Its earlier names, the oldest first."""
    place: Place | None = None
    """The place of its seat; null if not recorded."""

    @property
    def spellings(self) -> frozenset[str]:
        """All of its names in lower case, for matching."""
        return frozenset(map(spelling, (self.name, *self.also, *self.former_names)))


def spelling(name: str) -> str:
    """Return a name for matching: case and spaces are ignored, nothing else."""
    return " ".join(name.casefold().split())


class FirmFold(CitingFold[FirmState]):
    """The state of a firm from its facts."""

    __slots__ = ("also", "names", "place")
    NEEDS_OPENING = True

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.also: list[str] = []
        self.place: Place | None = None

    def take(self, known: RecordedFact) -> None:
        """Apply a fact; facts dated before the identification of the firm are ignored."""
        match known.fact:
            case Identified() as fact:
                self.place = fact.place
            case Renamed() as fact if self.names:
                pass
            case _:
                return
        self.names.append(fact.name)
        self.also += [name for name in fact.also if name not in self.also]
        self.cite(known)

    def state(self, id: str, day: date) -> FirmState | None:
        """Return the firm as public by `day`."""
        if not self.names:
            return None
        return FirmState(
            id=id,
            name=self.names[-1],
            also=tuple(self.also),
            former_names=tuple(self.names[:-1]),
            place=self.place,
            because=self.because,
        )


class Firm(Entity):
    """One firm."""

    KIND: ClassVar[str] = "firm"
    INITIAL_FACT: ClassVar[type[Fact]] = Identified
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Firm.Identified": Identified,
        "Firm.Renamed": Renamed,
        "Firm.Retracted": Retracted,
    }

    FOLD = FirmFold

    def check(self, fact: Fact) -> None:
        """Check that a firm is identified once, before it is renamed."""
        first = next(
            (k.fact for k in self.history.effective if isinstance(k.fact, Identified)), None
        )
        if isinstance(fact, Identified):
            if first:
                raise InvalidInput(
                    f"{self.id} is identified already", code="ALREADY_EXISTS", path=("id",)
                )
        elif first and fact.public_on < first.public_on:
            raise InvalidInput(
                f"{self.id} is not identified on {fact.public_on}: expected a day"
                f" from {first.public_on} on",
                code="NOT_IDENTIFIED",
                path=("on",),
            )
