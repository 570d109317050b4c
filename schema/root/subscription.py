"""Subscriptions to new events, and to responses that change with them."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from projections.query.change_feed import ChangeFeed
from schema.base.context import Info
from schema.base.decorators import object_type, subscription_field
from schema.base.scalars import Day, Position
from schema.inputs import arguments
from schema.inputs.moment import wait_for_replica
from schema.root.as_of.as_of import AsOf
from schema.telemetry.operation import current_operation
from schema.types.change import EntityKind
from schema.types.event import Event
from tracker.domain.events.registry import KINDS
from tracker.domain.figures.preference import Preference
from tracker.log.resumption import check_in_log
from tracker.log.selection import Selection, follow_selected, read_selected


@object_type
class Subscription:
    """Subscriptions to new events, and to responses that change with them."""

    @subscription_field
    async def events(
        self,
        info: Info,
        after: Position | None = None,
        types: arguments.OfTypes = None,
        commodities: arguments.AboutCommodities = None,
        places: arguments.AboutPlaces = None,
    ) -> AsyncIterator[Event]:
        """Every event after a position, in order, and then each new event when it is recorded. After a lost
        connection, subscribe again with `after` set to the last resume token; no event is lost. A resume
        token of an event that the log no longer contains is refused (LOG_DIVERGED), and so is a position
        after the end of the log (POSITION_BEYOND_HEAD).

        - after: Return events after this position, or after the event of this resume token; if left out,
          new events only.
        """
        services = info.context.services
        token, selection = (
            arguments.parse_token(after, "after"),
            arguments.parse_selection(types, commodities, places),
        )
        if info.context.last_seen is not None:
            token = info.context.last_seen  # a client that reconnects sends the same query
        await wait_for_replica(services, token.position if token else 0, "after")
        head = await services.recorder.head()
        start = head if token is None else token.position
        if token is not None:
            await check_in_log(services.recorder, token, head, "after")
        until = info.context.until
        following = (
            follow_selected(services.recorder, services.follower, start, selection)
            if until is None
            else read_selected(services.recorder, start, until, selection)
        )
        async with aclosing(following) as pages:
            async for page in pages:
                for recorded in page:
                    info.context.position = recorded.position
                    info.context.resume_token = recorded.resume_token
                    info.context.offset = recorded.position, 0
                    current_operation().note_position(recorded.position)
                    yield Event(of=recorded)
        info.context.complete = True

    @subscription_field
    async def world_changed(
        self,
        info: Info,
        kinds: list[EntityKind] | None = None,
        commodities: list[str] | None = None,
        places: list[str] | None = None,
        valid_at: Day | None = None,
    ) -> AsyncIterator[AsOf]:
        """The present state at once, and again after every event that may change the response, as of its
        position or a later one. Several events in quick succession cause one response; a slow client gets
        the latest state and skips those between. An order of publishers affects all figures.

        - kinds: Only after events of entities of these kinds.
        - commodities: Only after events about one of these commodities, one below it or one above it.
        - places: Only after events about one of these places or alliances, such as `CN` or `quad`: as
          issuer, member or actor, or as the place of a figure.
        - valid_at: The effective date; if left out, today (UTC), with a new response when a new day begins.
        """
        services = info.context.services
        live = ChangeFeed(services.recorder, services.follower, services.projector, services.as_of)
        moments = live.moments(
            event_filter_for(kinds, commodities, places), arguments.parse_day(valid_at, "validAt")
        )
        async with aclosing(moments):
            async for moment in moments:
                info.context.offset = moment.position, moment.valid_at.toordinal()
                yield AsOf(moment=moment)


def event_filter_for(
    kinds: list[EntityKind] | None, commodities: list[str] | None, places: list[str] | None
) -> Selection:
    """Return the filter of events that may change a response about kinds, commodities and places."""
    selection = arguments.parse_selection(None, commodities, places)
    if kinds is not None:
        words = {kind.value for kind in kinds}
        if EntityKind.FIGURE in kinds:
            words.add(Preference.KIND)
        selection = replace(
            selection, types=[type_ for w in sorted(words) for type_ in KINDS[w].FACTS]
        )
    return selection
