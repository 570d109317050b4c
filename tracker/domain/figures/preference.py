"""Preferences: orders of publishers, for all figures or for some only."""

from datetime import date
from typing import Annotated, ClassVar

import msgspec

from tracker.domain.basics.values import Name, Publisher, check_reason
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    Evidence,
    RecordedFact,
    Retracted,
    StateWithEvidence,
    to_evidence,
)
from tracker.domain.entities.fact import DatedFact, Fact
from tracker.errors import InvalidInput

ALL_COMMODITIES = "all"
"""Word for all commodities in streams."""

Publishers = Annotated[tuple[Publisher, ...], msgspec.Meta(min_length=1, max_length=100)]


class Ordered(DatedFact, frozen=True, kw_only=True):
    """An order of publishers, with its reason: the first publisher with a claim is preferred.

    It applies to figures of `commodity` and its descendants (absent: of any) and of `statistic` (absent:
    any). It replaces an earlier order of the same scope.
    """

    publishers: Publishers
    reason: Name
    commodity: Commodity | None = None
    statistic: Statistic | None = None

    def __post_init__(self) -> None:
        check_reason(self.reason)
        if len(set(self.publishers)) < len(self.publishers):
            raise InvalidInput("expected each publisher once", path=("publishers",))

    @property
    def stream(self) -> str:
        """The stream by the scope of the order: `preference/rare_earths/reserves`."""
        parts = (Preference.KIND, self.commodity or ALL_COMMODITIES, self.statistic)
        return "/".join(str(part) for part in parts if part is not None)


class PreferenceState(StateWithEvidence, frozen=True, kw_only=True):
    """The effective order of publishers on a day, with the event that recorded it."""

    publishers: tuple[str, ...]
    reason: str
    """The reason."""
    event: Evidence
    """The event that recorded it."""
    commodity: Commodity | None = None
    """Only for figures of this commodity and its descendants; null: for all."""
    statistic: Statistic | None = None
    """Only for figures of this statistic; null: for all."""


class PreferenceFold(CitingFold[PreferenceState]):
    """The fold of the orders of a preference."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        super().__init__()
        self.last: RecordedFact | None = None

    def take(self, known: RecordedFact) -> None:
        """Apply an order."""
        self.last = known
        self.cite(known)

    def state(self, id: str, day: date) -> PreferenceState | None:
        """Return the last order by `day`."""
        known, order = self.last, self.last and self.last.fact
        if known is None or not isinstance(order, Ordered):
            return None
        return PreferenceState(
            id=id,
            publishers=order.publishers,
            reason=order.reason,
            event=to_evidence(known),
            commodity=order.commodity,
            statistic=order.statistic,
            because=self.because,
        )


class Preference(Entity):
    """An order of publishers, for figures of one commodity or statistic, or for all.

    It is a separate entity, and figures keep all their claims. A query determines the preferred claim from
    figure and orders at the same moment. So an order for all figures is one event and affects one entity.
    """

    KIND: ClassVar[str] = "preference"
    ID_HAS_PARTS: ClassVar[bool] = True
    INITIAL_FACT: ClassVar[type[Fact]] = Ordered
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Preference.Ordered": Ordered,
        "Preference.Retracted": Retracted,
    }

    FOLD = PreferenceFold

    def check(self, fact: Fact) -> None:
        """Check that the scope of an order is that of its stream."""
        if fact.stream != self.id:
            raise InvalidInput(
                f"expected the commodity and statistic of {self.id}", path=("commodity",)
            )
