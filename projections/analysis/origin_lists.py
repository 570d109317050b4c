"""Lists of origins: the newest list of each product. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from projections.analysis.claims import ClaimRef
from projections.analysis.quantities import total
from tracker.domain.commodities import Commodity
from tracker.domain.figure import Claim, FigureState
from tracker.domain.origins import HUNDRED, Origins
from tracker.domain.products import find_product, forms_of
from tracker.domain.values import PERCENT, Place, Quantity
from tracker.domain.vocabulary import Form

Bounds = tuple[Decimal, Decimal]
"""The least and the greatest value of a part."""
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class OriginList:
    """A publisher's list of the origins of a product, in one edition."""

    figure: FigureState
    claim: Claim

    @property
    def cited(self) -> ClaimRef:
        """The claim with its figure."""
        return self.figure, self.claim

    @property
    def commodity(self) -> Commodity:
        """The commodity of the list."""
        return self.figure.series.commodity

    @property
    def goods(self) -> Commodity:
        """The narrowest commodity that all goods of its product belong to."""
        product = find_product(self.commodity, self.form)
        return product.goods if product else self.commodity

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms of its goods; empty if the product is not declared, so that all are possible."""
        return forms_of(self.commodity, self.form)

    @property
    def form(self) -> str | None:
        """The product of the list."""
        return self.figure.series.form

    @property
    def importer(self) -> Place:
        """The importing place."""
        return self.figure.series.place

    @property
    def last_day(self) -> date:
        """The last day of its period."""
        series = self.figure.series
        return date(series.until or series.period or date.min.year, 12, 31)

    @property
    def origins(self) -> Origins:
        """The origins."""
        assert self.claim.origins is not None  # a claim on this statistic has them
        return self.claim.origins

    @property
    def is_in_percent(self) -> bool:
        """Whether its parts are rounded shares in percent, not amounts."""
        return self.claim.quantity.unit == PERCENT

    @property
    def whole(self) -> Decimal:
        """The whole of which these are parts: 100 percent, or the amount of all imports.

        If the publisher states no amount, it is the sum of the parts that have a number.
        """
        stated = self.claim.quantity.value
        if stated is not None:
            return stated
        parts = [*(part.quantity for part in self.origins.parts), self.origins.unnamed]
        numbers = [part.value for part in parts if part and part.value]
        return HUNDRED if self.is_in_percent else total(numbers)

    def bounds(self, part: Quantity | None) -> Bounds:
        """Return the least and the greatest value of a part; a missing part is nothing."""
        return part.bounds_of_share(self.whole) if part else (NOTHING, NOTHING)


def newest_lists(figures: Iterable[FigureState], edition: str | None = None) -> list[OriginList]:
    """Return the newest list of each product and publisher, or that of a named edition.

    Lists are never combined. An average over other years is another list of the product, so the last
    edition has precedence, and in it the last period.
    """
    newest: dict[tuple[str | None, ...], OriginList] = {}
    for one in _lists(figures, edition):
        series = one.figure.series
        product = (series.place, series.commodity, series.form, one.claim.publisher)
        if product not in newest or _age(one) > _age(newest[product]):
            newest[product] = one
    return list(newest.values())


def _lists(figures: Iterable[FigureState], edition: str | None) -> Iterator[OriginList]:
    for figure in figures:
        for claim in figure.claims:
            if claim.origins and (claim.latest if edition is None else claim.edition == edition):
                yield OriginList(figure, claim)


def _age(of: OriginList) -> tuple[date, date, int]:
    return of.claim.published_on.first, of.last_day, of.claim.position
