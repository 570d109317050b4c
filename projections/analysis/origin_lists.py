"""Lists of origins: the newest list of each product. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from projections.analysis.claims import ClaimRef
from projections.analysis.quantities import total
from tracker.domain.basics.control_vocabulary import Form
from tracker.domain.basics.values import PERCENT, Quantity
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.hs_concordance import Concordance
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.products import find_product
from tracker.domain.figures.figure import Claim, FigureState
from tracker.domain.figures.origins import HUNDRED, Origins
from tracker.domain.figures.trade_flow import TradeFlowState

Bounds = tuple[Decimal, Decimal]
"""The least and the greatest value of a part."""
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class OriginList:
    """A list of the origins of a product, in one edition: as published, or from trade flows.

    `goods` is the narrowest commodity that all its goods belong to, and `forms` are their forms; empty
    means that all are possible. `cited` is the claim of a published list. Otherwise `flows` are the trade
    flows under `code`, added up for a union.
    """

    commodity: Commodity
    """The commodity."""
    form: str | None
    """The product, such as `metal`."""
    importer: Place
    """The importing place."""
    goods: Commodity
    forms: tuple[Form, ...]
    first_year: int
    last_year: int
    quantity: Quantity
    origins: Origins
    publisher: str
    edition: str
    public_on: date
    cited: ClaimRef | None = None
    flows: tuple[TradeFlowState, ...] = ()
    code: Concordance | None = None

    @property
    def last_day(self) -> date:
        """The last day of its period."""
        return date(self.last_year, 12, 31)

    @property
    def has_other_goods(self) -> bool:
        """Whether its code also has goods of other commodities."""
        return self.code is not None and not self.code.has_only(self.commodity)

    @property
    def is_in_percent(self) -> bool:
        """Whether its parts are rounded shares in percent, not amounts."""
        return self.quantity.unit == PERCENT

    @property
    def whole(self) -> Decimal:
        """The whole of these parts: 100 percent, or the amount of all imports.

        If the publisher states no amount, it is the sum of the parts that have a number.
        """
        stated = self.quantity.value
        if stated is not None:
            return stated
        parts = [*(part.quantity for part in self.origins.parts), self.origins.unnamed]
        numbers = [part.value for part in parts if part and part.value]
        return HUNDRED if self.is_in_percent else total(numbers)

    def bounds(self, part: Quantity | None) -> Bounds:
        """Return the least and the greatest value of a part; a missing part is nothing."""
        return part.bounds_of_share(self.whole) if part else (NOTHING, NOTHING)


def published_list(figure: FigureState, claim: Claim) -> OriginList:
    """Return the list of a claim."""
    series, origins = figure.series, claim.origins
    assert origins is not None  # a claim on this statistic has them
    assert series.period is not None  # and a period
    product = find_product(series.commodity, series.form)
    return OriginList(
        commodity=series.commodity,
        form=series.form,
        importer=series.place,
        goods=product.goods if product else series.commodity,
        forms=product.forms if product else (),
        first_year=series.period,
        last_year=series.until or series.period,
        quantity=claim.quantity,
        origins=origins,
        publisher=claim.publisher,
        edition=claim.edition,
        public_on=claim.published_on.first,
        cited=(figure, claim),
    )


def newest_lists(figures: Iterable[FigureState], edition: str | None = None) -> list[OriginList]:
    """Return the newest published list of each product and publisher, or that of a named edition.

    Lists are never combined. An average over other years is another list of the product, so the last
    edition has precedence, and in it the last period.
    """
    newest: dict[tuple[str | None, ...], OriginList] = {}
    for figure in figures:
        for claim in figure.claims:
            if claim.latest if edition is None else claim.edition == edition:
                one = published_list(figure, claim)
                product = (one.importer, one.commodity, one.form, one.publisher)
                if product not in newest or _age(one) >= _age(newest[product]):
                    newest[product] = one
    return list(newest.values())


def _age(of: OriginList) -> tuple[date, int]:
    return of.public_on, of.last_year
