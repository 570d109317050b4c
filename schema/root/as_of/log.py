"""The log up to a moment."""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Annotated, Any

from strawberry import argument

from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.scalars import Position
from schema.inputs import arguments
from schema.inputs.order_by import EventOrder
from schema.inputs.pagination import PageRequest
from schema.inputs.ranges import RecordedIn, parse_days, parse_times
from schema.root.as_of.base import AtMoment
from schema.root.events import event_pages, log_range, search_pages
from schema.root.history import EntityName, HeldIn, history_pages
from schema.types.connection import Connection, PageSource
from schema.types.event import HistoryVersion, KnownEvent
from schema.types.list_field import PAGING, list_field
from tracker.log.entries import RecordedEvent

POSITIONS: Mapping[str, Any] = {
    **PAGING,
    "after": Annotated[
        Position | None, "Return events after this position, in the order of the list."
    ],
    "before": Annotated[
        Position | None, "Return events before this position, in the order of the list."
    ],
}
"""The arguments of pages of events, by name."""


@object_type
class LogUntilMoment(AtMoment):
    """The events of the log up to the position of a moment, and their effects."""

    @list_field(HistoryVersion)
    async def history(
        self, info: Info, entity: EntityName, valid: HeldIn = None
    ) -> PageSource[HistoryVersion]:
        """The versions of an entity's state on both time axes, as known at this position. A version that
        was replaced later has no `knownUntil`. Ordered as `history` of `Query`. It depends on the position
        only, not on `validAt`."""
        as_of, until = info.context.services.as_of, self.moment.position
        days = parse_days(valid, "valid")
        return history_pages(as_of, entity, days, (None, None), None, until)

    @resolver_field
    async def event(
        self,
        info: Info,
        at: Annotated[
            Position, argument(name="position", description="The position of the event in the log.")
        ],
    ) -> KnownEvent | None:
        """One event, as known at this position; null if it was recorded later. It depends on the position
        only, not on `validAt`."""
        position = arguments.parse_required_position(at, "position")
        if position > self.moment.position:
            return None
        event = await info.context.loaders.event_at.load(position)
        return KnownEvent(of=event, until=self.moment.position) if event else None

    @list_field(KnownEvent, EventOrder, paging=POSITIONS)
    async def events(
        self,
        info: Info,
        order: Enum,
        page: PageRequest,
        search: str | None = None,
        types: arguments.OfTypes = None,
        commodities: arguments.AboutCommodities = None,
        places: arguments.AboutPlaces = None,
        entity: arguments.OfEntity = None,
        recorded: RecordedIn = None,
    ) -> Connection[KnownEvent]:
        """The events of the log up to this position, as known at it. The cursor of an event is its
        position. It depends on the position only, not on `validAt`.

        - search: Only events with all of these words, compared as in `events(search:)` of `Query`. If more
          than 10,000 match, only the newest.
        """
        selection = arguments.parse_selection(types, commodities, places, entity)
        services, until = info.context.services, self.moment.position
        part = await log_range(services.recorder, selection, *parse_times(recorded, "recorded"))
        part = replace(part, before=min(part.before, until + 1))

        def show(of: RecordedEvent) -> KnownEvent:
            return KnownEvent(of=of, until=until)

        if search is None:
            pages = await event_pages(services.recorder, part, order, show)
        else:
            searches = services.as_of.searches
            arguments.parse_search_words(search, "search")
            pages = await search_pages(services.recorder, searches, search, part, order, show)
        return await pages.page(page)
