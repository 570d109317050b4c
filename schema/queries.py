"""Queries."""

from __future__ import annotations

from typing import Annotated

from strawberry import argument

from projections.as_of import Filter
from projections.projector import Projector
from schema.arguments import (
    After,
    CommodityId,
    First,
    day,
    entity_path,
    event_types,
    instant,
    page_size,
    position,
    short,
)
from schema.comparison import (
    AboutPlace,
    MomentInput,
    OfKind,
    about_what,
    moments,
    page_of_changes,
)
from schema.connections import Connection, page_of_states
from schema.described import answer, answer_as, output
from schema.ids import key_of
from schema.moment.as_of import AsOf
from schema.nodes import GlobalId, GlobalIds, node, nodes
from schema.request import Info
from schema.scalars import Day, Instant, Position
from schema.types.change import Change
from schema.types.common import Commodity, Node, commodity
from schema.types.event import EventConnection, HistoryVersion, event_page, history_version
from schema.types.receipt import Import, import_
from tracker.domain.commodities import commodities
from tracker.domain.kinds import kind_of
from tracker.domain.receipt import ImportState
from tracker.errors import Unavailable
from tracker.log.mapper import Recorded
from tracker.log.recorder import Recorder

PATIENCE = 5
"""Seconds that a question waits for a position that another server gave."""


@output
class Query:
    """What can be asked."""

    @answer
    async def as_of(
        self,
        info: Info,
        valid_at: Annotated[Day | None, argument(
            description="The day in the world; today (UTC) if left out.")] = None,
        known_at: Annotated[Instant | None, argument(
            description="What had been recorded by then. Not together with position.")] = None,
        at: Annotated[Position | None, argument(
            name="position",
            description="What the log said at this position; the latest if left out.")] = None,
        min_position: Annotated[Position | None, argument(
            description="Wait until the answer can rest on this position, which another server of"
            f" the tracker gave; for {PATIENCE} seconds at most.")] = None,
    ) -> AsOf:
        """What was so on a day, as the log told it at a position. Without arguments: what is so
        today, as far as is recorded. All below it is of that moment; two aliases compare
        two moments.
        """
        services = info.context.services
        if least := position(min_position, "minPosition"):
            await come_to(services.projector, least)
        moment = await services.as_of.resolve(
            day(valid_at, "validAt"), instant(known_at, "knownAt"), position(at, "position"))
        return AsOf(moment=moment)

    @answer
    async def head(self, info: Info) -> Position:
        """The last position of the log; 0 when nothing is recorded."""
        return Position(str(await info.context.services.recorder.head()))

    @answer
    async def node(self, info: Info, id: GlobalId) -> Node | None:
        """The entity of an id as of now; null while there is none. Of another moment: ask `asOf`
        for it.
        """
        return await node(info, await info.context.services.as_of.resolve(), id)

    @answer
    async def nodes(self, info: Info, ids: GlobalIds) -> list[Node | None]:
        """The entities of some ids as of now, in the order of the ids; null where none is."""
        return await nodes(info, await info.context.services.as_of.resolve(), ids)

    @answer
    async def history(
        self,
        info: Info,
        entity: Annotated[str, argument(
            description="Its name in the log, such as `export-control/cn-mofcom-2024-46`.")],
    ) -> list[HistoryVersion]:
        """Everything that was ever so of an entity, on both time axes, the oldest knowledge first;
        empty for one that never was.
        """
        if not known_entity(entity):
            return []
        as_of = info.context.services.as_of
        return [history_version(held) for held in await as_of.history(entity)]

    @answer
    async def changes(
        self,
        info: Info,
        start: Annotated[MomentInput, argument(
            name="from", description="The first moment; what it leaves out is as in `to`.")],
        end: Annotated[MomentInput | None, argument(
            name="to", description="The second moment, on neither axis before the first; what it"
            " leaves out is now.")] = None,
        commodity: CommodityId = None,
        place: AboutPlace = None,
        kind: OfKind = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Change]:
        """What is not the same at two moments: between two days, what happened; between two
        positions, what was restated; or both. What came and went again between them does not
        show: `history` has it.
        """
        services = info.context.services
        about = about_what(commodity, place, kind)
        return await page_of_changes(
            services.changes, *await moments(services.as_of, start, end), about, first, after)

    @answer
    async def imports(
        self,
        info: Info,
        source: Annotated[str | None, argument(
            description="Only those of this source, such as `usgs`.")] = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Import]:
        """The files that were imported, the oldest first, as far as is recorded now."""
        as_of = info.context.services.as_of
        narrowed = Filter(category=None if source is None else short(source, "source"))
        return await page_of_states(as_of, ImportState, await as_of.resolve(), narrowed, import_,
                                    first, after)

    @answer_as("import")
    async def one_import(
        self, info: Info,
        id: Annotated[str, argument(description="Its key or id, as `imports` gives them.")],
    ) -> Import | None:
        """One import; null where there is none of this id."""
        key = key_of("import", id)
        if key is None:
            return None
        as_of = info.context.services.as_of
        state = await as_of.state(ImportState, key, await as_of.resolve())
        return import_(state) if state else None

    @answer
    def commodities(self) -> list[Commodity]:
        """All declared commodities, in the order of the tree."""
        return [commodity(id) for id in commodities()]

    @answer
    async def events(
        self,
        info: Info,
        after: Annotated[Position | None, argument(
            description="The position to go on after; from the first event if left out.")] = None,
        first: First = 20,
        types: Annotated[list[str] | None, argument(
            description="Only events of these types, such as `ExportControl.Suspended`.")] = None,
        entity: Annotated[str | None, argument(
            description="Only events of this entity, such as `alliance/quad`.")] = None,
    ) -> EventConnection:
        """The log itself: events in the order of their positions."""
        start, limit = position(after, "after") or 0, page_size(first)
        wanted = event_types(types)
        recorder = info.context.services.recorder
        if entity is None:
            found = await recorder.read(start, limit=limit, types=wanted)
        else:
            found = [e for e in await events_of(recorder, entity)
                     if e.position > start and (wanted is None or e.type in wanted)][:limit]
        return event_page(found, first, after)


async def come_to(projector: Projector, position: int) -> None:
    """Wait until questions can be answered from a position. Raises Unavailable if it is not reached
    in time.
    """
    try:
        await projector.reach(position, seconds=PATIENCE)
    except Unavailable:
        raise Unavailable(
            f"Position {position} was not reached in {PATIENCE} seconds: this server is behind, or"
            " the log does not go so far; try again", code="POSITION_NOT_REACHED",
            path=("minPosition",)) from None


def known_entity(entity: str) -> bool:
    """Whether this can be the name of an entity. Raises InvalidInput for an unknown kind."""
    kind = kind_of(short(entity, "entity")).KIND
    return entity_path(kind, entity.removeprefix(f"{kind}/")) is not None


async def events_of(recorder: Recorder, entity: str) -> list[Recorded]:
    """All events of one entity."""
    if not known_entity(entity):
        return []
    return (await recorder.read_streams([entity]))[entity]
