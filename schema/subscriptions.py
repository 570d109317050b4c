"""Subscriptions: the log as it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from strawberry import argument

from schema.arguments import event_types, position
from schema.described import output, subscription
from schema.request import Info
from schema.scalars import Position
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
    ) -> AsyncIterator[Event]:
        """Every event after a position, in order, and then each new one as it comes. Whoever is cut
        off comes back with `after` the last position seen, and misses nothing.
        """
        services = info.context.services
        start = position(after, "after")
        if start is None:
            start = await services.recorder.head()
        async for recorded in services.follower.follow(start, types=event_types(types)):
            yield event(recorded)
