"""Figures: publishers' claims about production and reserves, and preferences between them."""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, ClassVar, Generic, TypeVar, cast

from tracker.domain.basics.values import FreeText, PartialDate, Quantity, Value
from tracker.domain.entities.elements import (
    Element,
    ElementCache,
    Elements,
    EncodedElement,
    are_stored_apart,
)
from tracker.domain.entities.entity import (
    TYPES,
    Entity,
    EntityState,
    Evidence,
    Fold,
    RecordedFact,
    Retracted,
    because,
    to_evidence,
)
from tracker.domain.entities.fact import Fact, Source
from tracker.domain.entities.fold import in_order_of_log, shared_fields
from tracker.domain.figures.figure_facts import (
    Claimed,
    EditionClaim,
    Preferred,
    Series,
    edition_key,
)
from tracker.domain.figures.origins import Origins
from tracker.errors import InvalidInput


class Claim(Value, frozen=True, kw_only=True):
    """A claim on a day. `latest` is false once its publisher has restated it."""

    FACT: ClassVar[type[Fact]] = Claimed

    position: int
    """The position of its event in the log."""
    event_id: str
    edition: str
    """The edition of the publication."""
    quantity: Quantity
    source: Source
    more_sources: tuple[Source, ...] = ()
    latest: bool = True
    edition_version: str | None = None
    """The version of the edition."""
    as_of: int | None = None
    origins: Origins | None = None
    note: FreeText | None = None
    quotation: FreeText | None = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """All of its sources; the first is that of its publisher."""
        return (self.source, *self.more_sources)

    @property
    def publisher(self) -> str:
        """The publisher's short id, such as `usgs`."""
        return self.source.publisher

    @property
    def published_on(self) -> PartialDate:
        """The publication date of the edition."""
        return self.source.published_on

    @property
    def because(self) -> Evidence:
        """The event that recorded the claim, as a list like in other states."""
        return Evidence(
            position=self.position,
            event_id=self.event_id,
            type=TYPES[self.FACT],
            source=self.source,
            more_sources=self.more_sources,
        )


class PreferenceDecision(Value, frozen=True, kw_only=True):
    """The judgement in effect on a day: the event of the preferred claim, and the reason."""

    prefers: str
    reason: str
    event: Evidence


class FigureState(EntityState, frozen=True, kw_only=True):
    """All claims for one series that are public on a day, oldest first.

    The preferred claim also depends on orders of publishers, which are separate entities: see
    `projections.analysis.claims`. `judged` has all judgements so far, including those that are not the
    effective `judgement`.
    """

    series: Series
    """Its series."""
    claims: tuple[Claim, ...]
    judgement: PreferenceDecision | None = None
    judged: tuple[Evidence, ...] = ()

    @property
    def because(self) -> tuple[Evidence, ...]:
        """The recorded events that this state follows from, in the order of the log."""
        evidence = (*(claim.because for claim in self.claims), *self.judged)
        return tuple(sorted(evidence, key=lambda fact: fact.position))

    @property
    def sources(self) -> list[Source]:
        """The sources of those facts, collected without building the facts."""
        facts: tuple[Claim | Evidence, ...] = (*self.claims, *self.judged)
        return [source for fact in facts for source in fact.sources]


S = TypeVar("S", bound=EntityState)
F = TypeVar("F", bound=EditionClaim)
C = TypeVar("C", bound=Claim)


class ClaimsFold(Fold[S], Generic[S, F, C]):
    """The fold of publishers' claims; later editions restate earlier ones."""

    __slots__ = ("_claims", "_texts", "claimed", "editions", "latest")
    LONG: ClassVar[tuple[str, ...]] = ("claims",)
    CLAIM: ClassVar[type[Any]]
    """The class of the claims."""

    def __init__(self) -> None:
        self.claimed: list[tuple[RecordedFact, F]] = []
        """The claims in valid-time order."""
        self.latest: dict[str, int] = {}
        """The index of each publisher's latest claim."""
        self.editions: dict[tuple[str, str, str | None], int] = {}
        """The index of the last claim of each edition."""
        self._claims: Elements | None = None
        self._texts = ElementCache()

    @classmethod
    def claim(cls, known: RecordedFact, fact: F, latest: bool) -> C:
        """Return the claim of a fact, marked as the latest of its publisher or not."""
        made: C = cls.CLAIM(
            **shared_fields(known.fact, cls.CLAIM),
            position=known.position,
            event_id=known.event_id,
            latest=latest,
        )
        return made

    @classmethod
    def elements_of(cls, known: RecordedFact, place: str, replaced: date | None) -> list[Element]:
        """Return the claim before and after it is restated."""
        fact, day = known.fact, known.fact.public_on
        latest = Element.of(1, place, day, cls.claim(known, cast(F, fact), True), replaced)
        if replaced is None:
            return [latest]
        later = Element.of(1, place, replaced, cls.claim(known, cast(F, fact), False))
        return [latest, later] if day < replaced else [later]

    @classmethod
    def replacing(cls, fact: Fact) -> Hashable:
        """Return the publisher of a claim, whose next claim replaces it."""
        return fact.source.publisher

    def take_claim(self, known: RecordedFact, fact: F) -> None:
        """Apply a claim."""
        index, before = len(self.claimed), self.latest.get(fact.source.publisher)
        self.claimed.append((known, fact))
        self.latest[fact.source.publisher] = self.editions[edition_key(fact)] = index
        if self._claims is not None:
            self._claims.insert(index, self._write(index))
            if before is not None:
                self._claims.put(before, self._write(before, True), self._write(before))

    def lists(self) -> Sequence[Elements] | None:
        """Return the claims."""
        if not are_stored_apart(len(self.claimed)):
            return None
        return (self._listed_claims(),)

    @property
    def claims(self) -> tuple[C, ...]:
        """The claims, each marked as latest of its publisher or not."""
        if lists := self.lists():
            return tuple(lists[0].values)  # type: ignore[arg-type]  # all of this kind
        return tuple([self._claim(index) for index in range(len(self.claimed))])

    def check_edition(self, fact: F, entity: str) -> None:
        """Check that a claim is the only one of its edition. Raises InvalidInput."""
        if edition_key(fact) in self.editions:
            raise InvalidInput(
                f"{fact.source.publisher} has a claim on {entity} in {fact.edition} already:"
                " expected another edition or edition version, or a retraction first",
                code="DUPLICATE_CLAIM",
                path=("edition",),
            )

    def _listed_claims(self) -> Elements:
        if self._claims is None:
            self._claims = Elements(map(self._write, range(len(self.claimed))))
        return self._claims

    def _claim(self, index: int) -> C:
        known, fact = self.claimed[index]
        return self.claim(known, fact, self.latest[fact.source.publisher] == index)

    def _write(self, index: int, latest: bool | None = None) -> EncodedElement:
        """Encode the claims; a claim may be needed with its former `latest` flag too."""
        known, fact = self.claimed[index]
        is_latest = latest or self.latest[fact.source.publisher] == index
        key = known.position, is_latest
        return self._texts.get(key, lambda: self.claim(known, fact, is_latest))


class FigureFold(ClaimsFold[FigureState, Claimed, Claim]):
    """The fold of a figure's claims and judgements."""

    __slots__ = ("_judged", "judged")
    LONG = ("claims", "judged")
    CLAIM = Claim

    def __init__(self) -> None:
        super().__init__()
        self.judged: list[tuple[RecordedFact, Preferred]] = []
        self._judged: Elements | None = None

    @classmethod
    def elements_of(cls, known: RecordedFact, place: str, replaced: date | None) -> list[Element]:
        """Return the claim before and after it is restated, or the judgement."""
        if isinstance(known.fact, Claimed):
            return super().elements_of(known, place, replaced)
        return [Element.of(2, in_order_of_log(known), known.fact.public_on, to_evidence(known))]

    @classmethod
    def replacing(cls, fact: Fact) -> Hashable:
        """Return the publisher of a claim, whose next claim replaces it."""
        return super().replacing(fact) if isinstance(fact, Claimed) else None

    def take(self, known: RecordedFact) -> None:
        """Apply a claim or a judgement."""
        match known.fact:
            case Claimed() as fact:
                self.take_claim(known, fact)
            case Preferred() as fact:
                self.judged.append((known, fact))
                if self._judged is not None:
                    judgements = self._judged.values
                    self._judged.insert(
                        bisect_right(judgements, known.position, key=_POSITION),
                        self._write_judged(known),
                    )

    def state(self, id: str, day: date) -> FigureState | None:
        """Return all claims public by `day`, with the effective judgement: the last one with an existing
        claim."""
        if not self.claimed:
            return None
        judged = self.judged
        return FigureState(
            id=id,
            series=self.claimed[0][1].series,
            claims=self.claims,
            judgement=self._judgement() if judged else None,
            judged=self._all_judged() if judged else (),
        )

    def lists(self) -> Sequence[Elements] | None:
        """Return the claims and the judgements."""
        if not are_stored_apart(len(self.claimed) + len(self.judged)):
            return None
        if self._judged is None:
            judgements = sorted([known for known, _ in self.judged], key=_POSITION)
            self._judged = Elements(map(self._write_judged, judgements))
        return self._listed_claims(), self._judged

    def _all_judged(self) -> tuple[Evidence, ...]:
        if lists := self.lists():
            return tuple(lists[1].values)  # type: ignore[arg-type]  # all of this kind
        return because([known for known, _ in self.judged])

    def last_match(self, judgement: Preferred) -> RecordedFact | None:
        """Return the last claim that a judgement selects."""
        last = self.latest.get(judgement.publisher, -1)
        claims = (self.claimed[index] for index in range(last, -1, -1))
        return next((known for known, claim in claims if judgement.matches(claim)), None)

    def _write_judged(self, known: RecordedFact) -> EncodedElement:
        return self._texts.get(known.position, lambda: to_evidence(known))

    def _judgement(self) -> PreferenceDecision | None:
        for known, fact in reversed(self.judged):
            if meant := self.last_match(fact):
                return PreferenceDecision(
                    prefers=meant.event_id, reason=fact.reason, event=to_evidence(known)
                )
        return None


_POSITION = attrgetter("position")


class Figure(Entity):
    """One series and period, with every publisher's claims by edition."""

    KIND: ClassVar[str] = "figure"
    ID_HAS_PARTS: ClassVar[bool] = True
    INITIAL_FACT: ClassVar[type[Fact]] = Claimed
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "Figure.Claimed": Claimed,
        "Figure.Preferred": Preferred,
        "Figure.Retracted": Retracted,
    }

    FOLD = FigureFold

    def check(self, fact: Fact) -> None:
        """Check that a claim belongs to this series and is the only one of its edition, and that a
        judgement selects a claim."""
        fold: FigureFold = self._fold()
        match fact:
            case Claimed():
                self._check_claim(fact, fold)
            case Preferred():
                if fact.publisher not in fold.latest:
                    raise InvalidInput(
                        f"expected a publisher with a claim on {self.id}", path=("publisher",)
                    )
                if fold.last_match(fact) is None:
                    raise InvalidInput(
                        f"expected an edition with a claim of {fact.publisher} on {self.id}",
                        path=("edition",),
                    )

    def _check_claim(self, fact: Claimed, fold: FigureFold) -> None:
        if fact.series.stream != self.id:
            raise InvalidInput(f"expected the series of {self.id}", path=("series",))
        fold.check_edition(fact, self.id)
