"""Trade flows: the imports of a place under one code of the Harmonized System in a year, by origin.

A code may have the goods of several commodities, so a flow is not a figure of a commodity: see
`hs_concordance.py`.
"""

from datetime import date
from typing import Annotated, ClassVar

import msgspec

from tracker.domain.basics.values import Name, Quantity
from tracker.domain.basics.vocabulary import HsEdition, Qualifier
from tracker.domain.catalogue.hs_concordance import Concordance, concordance
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.entity import Entity, EntityState, Evidence, RecordedFact, Retracted
from tracker.domain.entities.fact import Fact, Source
from tracker.domain.figures.figure import Claim, ClaimsFold
from tracker.domain.figures.figure_facts import check_existence
from tracker.domain.figures.origins import Origins
from tracker.domain.wording.phrases import commodities_phrase, place_in_text
from tracker.errors import InvalidInput, below

FIRST_YEAR, LAST_YEAR = 1988, 2100
"""The years of the Harmonized System that flows can have."""
HsCode = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{6}\Z")]


class FlowClaimed(Fact, frozen=True, kw_only=True):
    """A publisher's list of the origins of a place's imports under one code and in one year.

    Later editions restate it without overwriting it.
    """

    hs_edition: HsEdition
    """The edition of the Harmonized System that the code belongs to."""
    hs_code: HsCode
    """The code of the goods, of 6 digits."""
    importer: Place
    """The place that imports."""
    year: int
    """The year of the imports."""
    edition: Name
    """The edition of the publication, such as `BACI 202601`."""
    value: Quantity
    """The value of all parts."""
    quantity: Quantity
    """The weight of all parts; `not_available` if a part has none."""
    origins: Origins
    """The origins, each with the value and the weight of its part."""
    edition_version: Name | None = None

    def check_recordable(self) -> None:
        """Check the claim: the year, the importer, and the sums of the parts. Raises InvalidInput."""
        if not FIRST_YEAR <= self.year <= LAST_YEAR:
            raise InvalidInput(
                f"expected a year between {FIRST_YEAR} and {LAST_YEAR}", path=("year",)
            )
        check_existence(self.importer, self.year, ("importer",))
        with below("value"):
            _check_amount(self.value)
        with below("quantity"):
            _check_amount(self.quantity)
        with below("origins"):
            self.origins.check_places()
            self.origins.check_values(self.value)
            if self.quantity.value is None:
                self.origins.check_missing_quantity(self.quantity.unit)
            else:
                self.origins.check_parts(self.quantity)

    @property
    def stream(self) -> str:
        """The stream of the flow: `flow/hs17/811292/DE/2024`."""
        return f"{TradeFlow.KIND}/{self.hs_edition}/{self.hs_code}/{self.importer}/{self.year}"

    @property
    def public_on(self) -> date:
        """The day on which the edition was published."""
        return self.source.published_on.first


def _check_amount(amount: Quantity) -> None:
    """Check an amount, which may be missing but not withheld or in words. Raises InvalidInput."""
    if amount.qualifier not in (None, Qualifier.NOT_AVAILABLE):
        raise InvalidInput("expected a number or not_available", path=("qualifier",))
    amount.check_not_negative()


class FlowClaim(Claim, frozen=True, kw_only=True):
    """A claim on a trade flow on a day. Its quantity is a weight."""

    FACT: ClassVar[type[Fact]] = FlowClaimed

    value: Quantity
    """The value of all parts."""
    origins: Origins
    """The origins, each with the value and the weight of its part."""


class TradeFlowState(EntityState, frozen=True, kw_only=True):
    """All claims on one trade flow that are public on a day, oldest first."""

    hs_edition: HsEdition
    """The edition of the Harmonized System that the code belongs to."""
    hs_code: HsCode
    """The code of the goods, of 6 digits."""
    importer: Place
    """The place that imports."""
    year: int
    """The year of the imports."""
    claims: tuple[FlowClaim, ...]
    """The claims of all publishers and editions that were public on this date, the oldest first."""

    @property
    def concordance(self) -> Concordance | None:
        """The goods of the code; null if the code was not compared with HS 2022."""
        return concordance(self.hs_code) if self.hs_edition is HsEdition.HS17 else None

    @property
    def preferred(self) -> FlowClaim:
        """The latest claim of the publisher that published first."""
        first = self.claims[0].publisher
        return next(one for one in reversed(self.claims) if one.publisher == first)

    @property
    def because(self) -> tuple[Evidence, ...]:
        """The recorded events that this state follows from, in the order of the log."""
        evidence = [claim.because for claim in self.claims]
        return tuple(sorted(evidence, key=lambda fact: fact.position))

    @property
    def sources(self) -> list[Source]:
        """The sources of the claims."""
        return [source for claim in self.claims for source in claim.sources]


class TradeFlowFold(ClaimsFold[TradeFlowState, FlowClaimed, FlowClaim]):
    """The fold of the claims on a trade flow."""

    __slots__ = ()
    CLAIM = FlowClaim

    def take(self, known: RecordedFact) -> None:
        """Apply a claim."""
        if isinstance(known.fact, FlowClaimed):
            self.take_claim(known, known.fact)

    def state(self, id: str, day: date) -> TradeFlowState | None:
        """Return all claims public by `day`."""
        if not self.claimed:
            return None
        first = self.claimed[0][1]
        return TradeFlowState(
            id=id,
            hs_edition=first.hs_edition,
            hs_code=first.hs_code,
            importer=first.importer,
            year=first.year,
            claims=self.claims,
        )


class TradeFlow(Entity):
    """The imports of one place under one code in one year, with every publisher's claims by edition."""

    KIND: ClassVar[str] = "flow"
    ID_HAS_PARTS: ClassVar[bool] = True
    INITIAL_FACT: ClassVar[type[Fact]] = FlowClaimed
    FACTS: ClassVar[dict[str, type[Fact]]] = {
        "TradeFlow.Claimed": FlowClaimed,
        "TradeFlow.Retracted": Retracted,
    }

    FOLD = TradeFlowFold

    def check(self, fact: Fact) -> None:
        """Check that a claim belongs to this flow and is the only one of its edition."""
        if not isinstance(fact, FlowClaimed):
            return
        if fact.stream != self.id:
            raise InvalidInput(f"expected a claim on {self.id}", path=("hsCode",))
        fold: TradeFlowFold = self._fold()
        fold.check_edition(fact, self.id)


def flow_name(entity: str) -> str:
    """Return a trade flow by its name in the log: `Imports of 282200 (cobalt) by Germany, 2024`."""
    _, edition, code, importer, year = entity.split("/")
    goods = concordance(code) if edition == HsEdition.HS17 else None
    named = f" ({commodities_phrase(goods.commodities)})" if goods else ""
    return f"Imports of {code}{named} by {place_in_text(importer)}, {year}"
