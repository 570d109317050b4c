"""Subscriptions: the log as it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from strawberry import argument

from projections.subjects import follow
from schema.arguments import position, selection
from schema.described import output, subscription
from schema.request import Info
from schema.scalars import Position
from schema.seen import seen
from schema.types.event import Event, event


@output
class Subscription:
    """What can be followed."""

    @subscription
    async def events(
        self,
        info: Info,
        after: Annotated[Position | None, argument(
            description="The position to go on after; if left out, only new events come.")] = None,
        types: Annotated[list[str] | None, argument(
            description="Only events of these types, such as `ExportControl.Suspended`.")] = None,
        commodities: Annotated[list[str] | None, argument(
            description="Only events about one of these commodities or one below it, such as"
            " `rare_earths`: by what an event or an earlier one of its entity names.")] = None,
        places: Annotated[list[str] | None, argument(
            description="Only events about one of these, such as `CN` or `quad`: as issuer, member,"
            " actor, or where a figure is from.")] = None,
    ) -> AsyncIterator[Event]:
        """Every event after a position, in order, and then each new one as it comes. Whoever is cut
        off comes back with `after` the last position seen, and misses nothing.
        """
        services = info.context.services
        start, wanted = position(after, "after"), selection(types, commodities, places)
        if start is None:
            start = await services.recorder.head()
        following = follow(services.recorder, services.follower, start, wanted)
        async with aclosing(following) as pages:
            async for page in pages:
                for recorded in page:
                    seen().reached(recorded.position)
                    yield event(recorded)
