"""Watched sources at a moment."""

from __future__ import annotations

from typing import Annotated

from strawberry import argument

from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import Search, parse_search, parse_words
from schema.inputs.order_by import ORDER_BY, WatchedSourceOrder
from schema.inputs.pagination import After, Before, First, Last, parse_page
from schema.root.as_of.base import AtMoment
from schema.types.connection import Connection, entity_pages, matching_pages
from schema.types.watched_source import WatchedSource
from tracker.domain.values import Actor
from tracker.domain.watched_source import WatchedSourceState


@object_type
class WatchedSources(AtMoment):
    """Watched sources of a moment."""

    @resolver_field
    async def watched_sources(
        self,
        info: Info,
        search: Search = None,
        issuer: Annotated[
            str | None,
            argument(
                description="Only sources that have acts of this place (`US`) or alliance (`quad`)."
            ),
        ] = None,
        is_watched: Annotated[
            bool | None,
            argument(description="Only those that are still watched, or only those that are not."),
        ] = None,
        is_failing: Annotated[
            bool | None,
            argument(
                description="Only those whose last look could not read everything, or only the others."
            ),
        ] = None,
        order_by: Annotated[WatchedSourceOrder, ORDER_BY] = WatchedSourceOrder.KEY,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[WatchedSource]:
        """Sources that are or were watched: when they were last looked at, how far, and which can't
        be read.
        """
        asked = parse_page(first, after, last, before)
        narrowed = Filter(search=parse_search(search), places=parse_words(Actor, issuer, "issuer"))
        as_of = info.context.services.as_of

        def show(state: WatchedSourceState) -> WatchedSource:
            return WatchedSource.at(state, self.moment)

        def matches(state: WatchedSourceState) -> bool:
            return is_watched in (None, state.is_watched) and is_failing in (
                None,
                state.failing_since is not None,
            )

        if is_watched is None and is_failing is None:
            pages = entity_pages(as_of, WatchedSourceState, self.moment, narrowed, show, order_by)
        else:
            pages = matching_pages(
                as_of, WatchedSourceState, self.moment, narrowed, matches, show, order_by
            )
        return await pages.page(asked)

    @resolver_field
    async def watched_source(
        self,
        info: Info,
        id: Annotated[
            str, argument(description="Its key, such as `us-federal-register`, or its id.")
        ],
    ) -> WatchedSource | None:
        """One watched source; null where it was never watched."""
        state = await self.one(info, WatchedSourceState, id)
        return WatchedSource.at(state, self.moment) if state else None
