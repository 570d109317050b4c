"""Accounts that differ from the recorded instrument, and their fold."""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from tracker.domain.basics.values import Text, Value
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.controls.export_control_acts import Disputed
from tracker.domain.entities.elements import Element, Elements, EncodedElement
from tracker.domain.entities.entity import CitingFold, RecordedFact, StateWithEvidence
from tracker.domain.entities.fact import Fact, Source

S = TypeVar("S", bound=StateWithEvidence)


class Dispute(Value, frozen=True, kw_only=True):
    """An account that differs from the recorded instrument."""

    account: str
    """The other source's account, in words."""
    source: Source
    """The other source."""
    commodities: tuple[Commodity, ...] = ()
    """The commodities that it covers."""
    judged: Text | None = None


class DisputedFold(CitingFold[S]):
    """A fold of facts that include differing accounts; its states list them."""

    __slots__ = ("_disputed", "_disputes")
    LONG = ("because", "disputes")

    def __init__(self) -> None:
        super().__init__()
        self._disputed: list[RecordedFact] = []
        self._disputes: Elements | None = None

    @classmethod
    def elements_of(cls, known: RecordedFact, place: str, replaced: date | None) -> list[Element]:
        """Return the fact itself, and the account that it gives."""
        elements = super().elements_of(known, place, replaced)
        if isinstance(known.fact, Disputed):
            elements.append(Element.of(2, place, known.fact.public_on, dispute(known.fact)))
        return elements

    def lists(self) -> Sequence[Elements] | None:
        """Return the facts behind the state, and the differing accounts."""
        cited = self.cited()
        if cited is None:
            return None
        if self._disputes is None:
            self._disputes = Elements(map(self._write_dispute, self._disputed))
        return cited, self._disputes

    def take_dispute(self, known: RecordedFact) -> None:
        """Apply a differing account."""
        self._disputed.append(known)
        if self._disputes is not None:
            self._disputes.insert(len(self._disputes.values), self._write_dispute(known))

    @property
    def disputes(self) -> tuple[Dispute, ...]:
        """Return the differing accounts, in the order of the facts."""
        if lists := self.lists():
            return tuple(lists[1].values)  # type: ignore[arg-type]  # all of this kind
        return tuple([dispute(known.fact) for known in self._disputed])

    def _write_dispute(self, known: RecordedFact) -> EncodedElement:
        return self._texts.get(("dispute", known.position), lambda: dispute(known.fact))


def dispute(fact: Fact) -> Dispute:
    """Return the account that a fact gives."""
    assert isinstance(fact, Disputed)
    return Dispute(
        account=fact.account, source=fact.source, commodities=fact.commodities, judged=fact.judged
    )
