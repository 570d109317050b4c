"""Trade flows at a moment."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any

from projections.query.lists import Filter
from projections.versions.rows import code_word
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import CommodityId, check_hs_code, parse_word
from schema.inputs.order_by import TradeFlowOrder
from schema.inputs.ranges import YearRange, parse_years
from schema.root.as_of.base import AtMoment
from schema.types.completeness import imports_scope
from schema.types.connection import PageSource, node_pages
from schema.types.list_field import SOURCES, list_field
from schema.types.trade_flow import TradeFlow
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.hs_concordance import codes_at, codes_of
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import members_of
from tracker.domain.figures.trade_flow import TradeFlowState
from tracker.errors import InvalidInput


@object_type
class TradeFlows(AtMoment):
    """Trade flows at a moment."""

    @list_field(TradeFlow, TradeFlowOrder, sources=SOURCES)
    async def trade(
        self,
        info: Info,
        order: Enum,
        sources: Mapping[str, Any],
        hs_code: str | None = None,
        commodity: CommodityId = None,
        importer: str | None = None,
        origin: str | None = None,
        years: YearRange | None = None,
    ) -> PageSource[TradeFlow]:
        """Trade flows: the imports of a place under one code in one year, by origin. `commodity` selects
        the codes that may have its goods; `goods` of a flow says whether they have others too. Codes
        that were not compared with HS 2022 belong to no commodity.

        - hs_code: Only flows under this code of 6 digits, such as `811292`, or under this heading of 4. A
          code of HS 2022 also finds the code of HS 2017 that had its goods. A tariff code of 8 or 10 digits
          is cut to 6.
        - importer: Only imports of this place, such as `DE`. A union, such as `EU`, selects its members on
          the effective date, with the trade between them.
        - origin: Only flows with this origin in a publisher's latest claim, such as `CN`. It needs
          `hsCode`, `commodity` or `importer` beside it.
        - years: Only imports of these years, both inclusive.
        """
        if origin is not None and hs_code is commodity is importer is None:
            raise InvalidInput(
                "expected hsCode, commodity or importer beside origin",
                code="FILTER_REQUIRED",
                path=("origin",),
            )
        day = self.moment.valid_at
        narrowed = Filter(
            about=_words(hs_code, commodity),
            places=_with_members(importer, day, "importer"),
            period=parse_years(years, "years"),
            **sources,
        )
        as_of, matches = info.context.services.as_of, _has_origin(origin, day)
        return node_pages(as_of, TradeFlow, self.moment, narrowed, order, matches).about(
            imports_scope(info, self.moment, importer)
        )

    @resolver_field
    async def trade_flow(self, info: Info, id: str) -> TradeFlow | None:
        """One trade flow; null if there is no claim on it.

        - id: Its key, such as `hs17/811292/DE/2024`, or its id.
        """
        return await self.one(info, TradeFlow, id)


def _words(hs_code: str | None, commodity: str | None) -> Sequence[str] | None:
    """Return the index words of the requested codes; None without such a filter. Raises InvalidInput."""
    at = None if hs_code is None else codes_at(check_hs_code(hs_code)[:6])
    if commodity is None:
        return None if at is None else [*map(code_word, at)]
    of = [one.code for one in codes_of(parse_word(Commodity, commodity, "commodity"))]
    return [code_word(code) for code in of if at is None or code.startswith(at)]


def _with_members(code: str | None, day: date, field: str) -> list[str] | None:
    """Return a place with its members, if it is a union; None if the argument is left out."""
    if code is None:
        return None
    place = parse_word(Place, code, field)
    return [place, *sorted(members_of(place, day))]


def _has_origin(origin: str | None, day: date) -> Callable[[TradeFlowState], bool] | None:
    """Return the condition that a latest claim names an origin; None without one."""
    if origin is None:
        return None
    places = frozenset(_with_members(origin, day, "origin") or ())
    return lambda state: any(
        claim.latest and not places.isdisjoint(claim.origins.places) for claim in state.claims
    )
