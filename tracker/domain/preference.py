"""Preferences: in which order to trust publishers, for everything or for some figures only."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

import msgspec

from tracker.domain.entity import (
    CitingFold,
    Entity,
    Evidence,
    RecordedFact,
    Retracted,
    StateWithEvidence,
    to_evidence,
)
from tracker.domain.values import Commodity, Fact, Name, PartialDate, Publisher, check_reason
from tracker.domain.vocabulary import Statistic
from tracker.errors import InvalidInput

ALL_COMMODITIES = "all"
"""Stands in streams for every commodity."""

Publishers = Annotated[tuple[Publisher, ...], msgspec.Meta(min_length=1, max_length=100)]


class Ordered(Fact, frozen=True, kw_only=True):
    """An order of publishers, with its reason: of the claims side by side, use those of the first.

    It is for figures of `commodity` and all below it (absent: of any) and of `statistic` (absent:
    any), and takes the place of an earlier order for the same.
    """

    on: PartialDate
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
        """The stream by what the order is for: `preference/rare_earths/reserves`."""
        parts = (Preference.KIND, self.commodity or ALL_COMMODITIES, self.statistic)
        return "/".join(str(part) for part in parts if part is not None)

    @property
    def public_on(self) -> date:
        """The day of the judgement."""
        return self.on.first


class PreferenceState(StateWithEvidence, frozen=True, kw_only=True):
    """The order of publishers that counts on a day, with the event that said so."""

    publishers: tuple[str, ...]
    reason: str
    """The reason."""
    event: Evidence
    """The event that recorded it."""
    commodity: Commodity | None = None
    """Only for figures of this commodity and those below it; null: for all."""
    statistic: Statistic | None = None
    """Only for figures of this statistic; null: for all."""


class PreferenceFold(CitingFold[PreferenceState]):
    """The fold of the orders of a preference."""

    __slots__ = ("last",)

    def __init__(self) -> None:
        super().__init__()
        self.last: RecordedFact | None = None

    def take(self, known: RecordedFact) -> None:
        """Take in an order."""
        self.last = known
        self.cite(known)

    def state(self, id: str, day: date) -> PreferenceState | None:
        """The last order by `day`."""
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
    """An order of preference between publishers, for figures of one commodity or statistic, or for
    all.

    An entity of its own: figures keep all their claims, and which one is preferred is found when a
    question is answered, from figure and orders as they were at the same moment. So an order that
    touches every figure is one event and folds one entity.
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
        """An order is for what its stream says."""
        if fact.stream != self.id:
            raise InvalidInput(
                f"expected the commodity and statistic of {self.id}", path=("commodity",)
            )
