"""Watched sources at a moment."""

from enum import Enum

from projections.query.lists import Filter
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.arguments import Search, parse_search, parse_words
from schema.inputs.order_by import WatchedSourceOrder
from schema.root.as_of.base import AtMoment
from schema.types.connection import PageSource, node_pages
from schema.types.list_field import list_field
from schema.types.watched_source import WatchedSource
from tracker.domain.catalogue.places import Actor
from tracker.domain.evidence.watched_source import WatchedSourceState


@object_type
class WatchedSources(AtMoment):
    """Watched sources at a moment."""

    @list_field(WatchedSource, WatchedSourceOrder)
    async def watched_sources(
        self,
        info: Info,
        order: Enum,
        search: Search = None,
        issuer: str | None = None,
        is_watched: bool | None = None,
        is_failing: bool | None = None,
    ) -> PageSource[WatchedSource]:
        """Sources that are or were watched, with their last polls, coverage and failures.

        - issuer: Only sources with acts of this place (`US`) or alliance (`quad`).
        - is_watched: Only sources that are still watched, or only those that are not.
        - is_failing: Only sources whose last poll was incomplete, or only the others.
        """

        def matches(state: WatchedSourceState) -> bool:
            is_failing_now = state.failing_since is not None
            return is_watched in (None, state.is_watched) and is_failing in (None, is_failing_now)

        narrowed = Filter(search=parse_search(search), places=parse_words(Actor, issuer, "issuer"))
        is_narrowed = is_watched is not None or is_failing is not None
        return node_pages(
            info.context.services.as_of,
            WatchedSource,
            self.moment,
            narrowed,
            order,
            matches if is_narrowed else None,
        )

    @resolver_field
    async def watched_source(self, info: Info, id: str) -> WatchedSource | None:
        """One watched source; null if it was never watched.

        - id: Its key, such as `us-federal-register`, or its id.
        """
        return await self.one(info, WatchedSource, id)
