"""Export controls at a moment."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from enum import Enum
from typing import Any, cast

from msgspec import Struct

from projections.query.as_of import AsOf
from projections.query.list_statements import Ordering
from projections.query.lists import Filter, Keyed, KeyRange, slice_range
from projections.query.moment import Moment, MomentSeries, kind_name
from projections.query.suspended_days import MatchingControl
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import Search, parse_search
from schema.inputs.clause_filter import CONTROL_FILTERS, parse_control_filter
from schema.inputs.order_by import ExportControlOrder, cursor_name
from schema.inputs.pagination import Cursors, PageRequest
from schema.inputs.ranges import DayRange, parse_days
from schema.root.as_of.base import AtMoment
from schema.types.completeness import AnswerScope
from schema.types.connection import PageSource, entity_pages
from schema.types.export_control import (
    ExportControl,
    ExportControlConnection,
    clause_query,
    control_edge,
    page_at,
)
from schema.types.list_field import SOURCES, list_field
from tracker.domain.basics.control_vocabulary import Direction
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.clause_query import ClauseQuery, matching_clauses
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import Licences

FILTERS = ArgumentGroup(
    CONTROL_FILTERS,
    **ArgumentGroup.of(
        issuer=(str, "Only export controls of this issuer, such as `CN`."),
        direction=(Direction, "Only controls of exports, of imports or of production."),
        announced=(DayRange, "Only export controls announced in this period."),
    ),
).only(
    "issuer destination origin commodity form hs_code measure covers firm direction status announced"
    " in_force confirmation match"
)


@object_type
class Controls(AtMoment):
    """Export controls at a moment."""

    @list_field(
        ExportControl, ExportControlOrder, sources=SOURCES, connection=ExportControlConnection
    )
    async def export_controls(
        self,
        info: Info,
        order: Enum,
        page: PageRequest,
        sources: Mapping[str, Any],
        search: Search = None,
        filters: ArgumentGroup = FILTERS,
    ) -> ExportControlConnection:
        """Export controls, import restrictions and quotas. All filters on clauses must match the same
        clause; `matchingClauses` of an edge lists the clauses that match."""
        query = await clause_query(info, filters, self.moment)
        narrowed = parse_control_filter(
            filters,
            search=parse_search(search),
            dated=parse_days(filters["announced"], "announced"),
            **sources,
        )
        as_of, series = info.context.services.as_of, self.moment.series
        scope = self.clause_scope(info, filters, narrowed, query)
        list_query = ControlListQuery(query, narrowed, order, page, scope)
        if series is None or not list_query.is_same_on_all_days:
            return await control_page(as_of, self.moment, list_query)
        days = await series.read(
            list_query.key, lambda: control_pages_on(as_of, series, list_query)
        )
        return series.on(self.moment.valid_at, days)

    @resolver_field
    async def export_control(self, info: Info, id: str) -> ExportControl | None:
        """One export control; null before it is announced.

        - id: Its key, such as `cn-mofcom-2024-46`, or its id.
        """
        return await self.one(info, ExportControl, id)


class ControlListQuery(Struct, frozen=True):
    """The filters of a query for controls, and the requested page."""

    query: ClauseQuery
    narrowed: Filter
    order: Enum
    page: PageRequest
    scope: AnswerScope | None

    @property
    def is_same_on_all_days(self) -> bool:
        """Return whether the result is the same on all dates with the same state and licences.

        It is not if unions, the names of a firm, or earlier suspensions matter.
        """
        by_day = (
            self.query.on_any_day is None or self.query.firm is not None or self.query.needs_acts
        )
        return self.query.needs_rule and not by_day

    @property
    def key(self) -> tuple[Any, ...]:
        """Return its lookup key."""
        return self.query.on_any_day, self.narrowed.key, self.order, self.page


async def control_page(
    as_of: AsOf, moment: Moment, list_query: ControlListQuery
) -> ExportControlConnection:
    """Return the requested page of controls at a moment."""
    licences = await as_of.controls.licences(moment) if list_query.query.is_about_goods else {}
    listing = control_pages(
        as_of, moment, list_query.query, licences, list_query.narrowed, list_query.order
    )
    return cast(
        ExportControlConnection, await listing.about(list_query.scope).page(list_query.page)
    )


async def control_pages_on(
    as_of: AsOf, series: MomentSeries, list_query: ControlListQuery
) -> Mapping[date, ExportControlConnection]:
    """Return the page on each date of a series, computed once for dates with the same result."""
    order: Ordering = list_query.order.value
    by_day = await as_of.controls.matching_on(series, list_query.query, list_query.narrowed, order)
    pages: dict[date, ExportControlConnection] = {}
    made: dict[int, ExportControlConnection] = {}
    for moment in series.moments():
        await series.give_way()
        matching = by_day[moment.valid_at]
        if same := made.get(id(matching)):
            pages[moment.valid_at] = page_at(same, moment)
        else:
            listing = matching_pages(_at_hand(matching), moment, list_query.query, list_query.order)
            listing = listing.about(list_query.scope)
            page = cast(ExportControlConnection, await listing.page(list_query.page))
            pages[moment.valid_at] = made[id(matching)] = page
    return pages


def control_pages(
    as_of: AsOf,
    moment: Moment,
    query: ClauseQuery,
    licences: Licences,
    narrowed: Filter,
    order: Enum,
) -> PageSource[ExportControl]:
    """Return pages of the controls with a clause that matches all filters on clauses, in an order."""
    if not query.needs_rule:  # the database can decide all of it
        filter = replace(narrowed, measure=query.measure, status=query.status)
        pages = entity_pages(
            as_of,
            ExportControlState,
            moment,
            filter,
            lambda state: _matched(state, matching_clauses(query, state, licences), moment, query),
            order,
        )
        return replace(pages, connection=ExportControlConnection, edge=control_edge)
    whole: list[Keyed[MatchingControl]] | None = None

    async def matching() -> list[Keyed[MatchingControl]]:
        nonlocal whole
        if whole is None:
            whole = await as_of.controls.matching(moment, query, licences, narrowed, order.value)
        return whole

    return matching_pages(matching, moment, query, order)


def matching_pages(
    read: Callable[[], Awaitable[Sequence[Keyed[MatchingControl]]]],
    moment: Moment,
    query: ClauseQuery,
    order: Enum,
) -> PageSource[ExportControl]:
    """Return pages of matched controls with their matching clauses, in the order of the matches."""

    async def items(span: KeyRange) -> list[Keyed[ExportControl]]:
        within = slice_range(await read(), span, order.value.down)
        return [
            (key, _matched(of.state, of.clauses, moment, of.query or query)) for key, of in within
        ]

    async def count() -> int:
        return len(await read())

    cursors = Cursors(kind_name(ExportControlState), cursor_name(order))
    return PageSource(
        items, count, cursors.encode, cursors.decode, ExportControlConnection, control_edge
    )


def _at_hand(
    controls: Sequence[Keyed[MatchingControl]],
) -> Callable[[], Awaitable[Sequence[Keyed[MatchingControl]]]]:
    async def given() -> Sequence[Keyed[MatchingControl]]:
        return controls

    return given


def _matched(
    state: ExportControlState, clauses: Sequence[ClauseState], moment: Moment, query: ClauseQuery
) -> ExportControl:
    control = ExportControl.at(state, moment)
    control.matched, control.query = clauses, query
    return control
