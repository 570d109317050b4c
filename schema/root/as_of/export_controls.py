"""Export controls at a moment."""

from __future__ import annotations

from typing import Annotated

from strawberry import argument

from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import (
    CheckedAs,
    CommodityId,
    HsCode,
    Primary,
    Publisher,
    Search,
    Verified,
    domain_value,
    parse_commodities,
    parse_publisher,
    parse_search,
    parse_word,
    parse_words,
)
from schema.inputs.order_by import ORDER_BY, ExportControlOrder
from schema.inputs.pagination import After, Before, First, Last, parse_page
from schema.inputs.ranges import DayRange, PublishedIn, parse_days
from schema.root.as_of.base import AtMoment
from schema.types.connection import Connection
from schema.types.export_control import ExportControl, export_control
from tracker.domain.export_control import ExportControlState
from tracker.domain.places import Place
from tracker.domain.vocabulary import ClauseStatus, Direction, Measure


@object_type
class Controls(AtMoment):
    """Export controls of a moment."""

    @resolver_field
    async def export_controls(
        self,
        info: Info,
        search: Search = None,
        issuer: Annotated[
            str | None, argument(description="Only export controls of this issuer, such as `CN`.")
        ] = None,
        destination: Annotated[
            str | None,
            argument(
                description="Only export controls with a clause for exports to this place, or to all places."
            ),
        ] = None,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        measure: Annotated[
            Measure | None,
            argument(description="Only export controls with a clause of this measure."),
        ] = None,
        direction: Annotated[
            Direction | None,
            argument(description="Only controls of exports, of imports or of production."),
        ] = None,
        status: Annotated[
            ClauseStatus | None,
            argument(description="Only export controls with a clause of this status."),
        ] = None,
        announced: Annotated[
            DayRange | None,
            argument(description="Only export controls announced on one of these days."),
        ] = None,
        in_force: Annotated[
            DayRange | None,
            argument(
                description="Only export controls with a clause that is in force on one of these days, by the"
                " dates and suspension known at this moment."
            ),
        ] = None,
        published: PublishedIn = None,
        publisher: Publisher = None,
        verified: Verified = None,
        primary: Primary = None,
        checked: CheckedAs = None,
        order_by: Annotated[ExportControlOrder, ORDER_BY] = ExportControlOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ExportControl]:
        """Export controls, import restrictions and quotas. All that is asked of clauses must hold
        of one and the same clause.
        """
        narrowed = Filter(
            search=parse_search(search),
            commodities=parse_commodities(commodity, hs_code),
            places=parse_words(Place, issuer, "issuer"),
            publishers=parse_publisher(publisher),
            category=domain_value(direction),
            measure=domain_value(measure),
            destination=None
            if destination is None
            else parse_word(Place, destination, "destination"),
            status=domain_value(status),
            in_force=parse_days(in_force, "inForce"),
            dated=parse_days(announced, "announced"),
            published=parse_days(published, "published"),
            verified=verified,
            primary=primary,
            checked=domain_value(checked),
        )
        return await self.page(
            info,
            ExportControlState,
            narrowed,
            export_control,
            order_by,
            parse_page(first, after, last, before),
        )

    @resolver_field
    async def export_control(
        self,
        info: Info,
        id: Annotated[
            str, argument(description="Its key, such as `cn-mofcom-2024-46`, or its id.")
        ],
    ) -> ExportControl | None:
        """One export control; null before it is announced."""
        state = await self.one(info, ExportControlState, id)
        return export_control(state) if state else None
