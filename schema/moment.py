"""`asOf`: the one place where time is chosen; everything below it inherits the moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import strawberry
from strawberry import argument, field

from projections.as_of import EVERYTHING, Filter, Moment, S, kind_name
from projections.claims import Orders
from projections.production import distribution as spread
from projections.production import selected
from schema.arguments import (
    After,
    CommodityId,
    First,
    HsCode,
    Publisher,
    goods,
    page_size,
    publishers,
    question,
    value_of,
    with_below,
    word,
    words,
)
from schema.comparison import AboutPlace, OfKind, about_what, page_of_turns
from schema.connections import Connection, connection, cursor, event_after, page_of_states
from schema.described import answer, output
from schema.ids import key_of
from schema.nodes import GlobalId, GlobalIds, node, nodes
from schema.request import Info
from schema.scalars import Day, Instant, Position
from schema.types.alliance import Alliance, alliance
from schema.types.announcement import Announcement, announcement
from schema.types.change import Turn
from schema.types.common import Node
from schema.types.distribution import Distribution, distribution
from schema.types.export_control import ExportControl, export_control
from schema.types.exposure import Exposure, exposure
from schema.types.figure import Claim, Figure, cited_claim, figure
from schema.types.preference import Preference, preference
from tracker.domain.alliance import AllianceState
from tracker.domain.announcement import AnnouncementState
from tracker.domain.commodities import Commodity
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import FigureState
from tracker.domain.places import Place
from tracker.domain.preference import PreferenceState
from tracker.domain.receipt import ImportState
from tracker.domain.redaction import RedactionState
from tracker.domain.values import Actor
from tracker.domain.vocabulary import (
    AnnouncementKind,
    ClauseStatus,
    Direction,
    Measure,
    Stage,
    Statistic,
)

T = TypeVar("T")

OfCommodity = Annotated[str, argument(description="Of which commodity, such as `rare_earths`.")]
Form = Annotated[str | None, argument(
    description="The product, where one stage has several, such as `sponge`.")]


@output
class Counts:
    """How many entities of each kind there are."""

    export_controls: int = field(description="Export controls that are announced.")
    alliances: int = field(description="Alliances that are founded.")
    announcements: int = field(description="Announcements that are made.")
    figures: int = field(description="Figures that somebody has claimed a number for.")
    preferences: int = field(description="Orders of publishers that are set.")
    imports: int = field(description="Imports that are recorded.")
    redactions: int = field(description="Events of which texts had to go.")


@output
class AsOf:
    """What was so on a day, as the log told it at a position."""

    moment: strawberry.Private[Moment]

    @answer
    def position(self) -> Position:
        """The position that the answer rests on; give it to ask again and get the same answer."""
        return Position(str(self.moment.position))

    @answer
    def valid_at(self) -> Day:
        """The day that the answer is about."""
        return Day(self.moment.valid_at.isoformat())

    @answer
    async def known_at(self, info: Info) -> Instant | None:
        """When the event at the position was recorded; null at position 0."""
        recorder = info.context.services.recorder
        events = await recorder.read(self.moment.position - 1, limit=1)
        at_start = self.moment.position == 0 or not events
        return None if at_start else events[0].recorded_at  # type: ignore[return-value]  # the scalar writes it

    @answer
    async def digest(self, info: Info) -> str:
        """The SHA-256 of the whole state at this moment, as hexadecimal digits. A replay of the log
        in memory gives the same.
        """
        return await info.context.services.as_of.digest(self.moment)

    @answer
    async def counts(self, info: Info) -> Counts:
        """How many entities have a state at this moment, by kind."""
        counts = await info.context.services.as_of.counts(self.moment)
        return Counts(
            export_controls=counts[kind_name(ExportControlState)],
            alliances=counts[kind_name(AllianceState)],
            announcements=counts[kind_name(AnnouncementState)],
            figures=counts[kind_name(FigureState)],
            preferences=counts[kind_name(PreferenceState)],
            imports=counts[kind_name(ImportState)],
            redactions=counts[kind_name(RedactionState)],
        )

    @answer
    async def node(self, info: Info, id: GlobalId) -> Node | None:
        """The entity of an id at this moment; null while there is none."""
        return await node(info, self.moment, id)

    @answer
    async def nodes(self, info: Info, ids: GlobalIds) -> list[Node | None]:
        """The entities of some ids at this moment, in the order of the ids; null where none is."""
        return await nodes(info, self.moment, ids)

    @answer
    async def export_controls(
        self,
        info: Info,
        issuer: Annotated[str | None, argument(
            description="Only those of this issuer, such as `CN`.")] = None,
        destination: Annotated[str | None, argument(
            description="Only those with a clause for this place, or for all.")] = None,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        measure: Annotated[Measure | None, argument(
            description="Only those with a clause that works in this way.")] = None,
        direction: Annotated[Direction | None, argument(
            description="Only those that act on this.")] = None,
        status: Annotated[ClauseStatus | None, argument(
            description="Only those with a clause that stands there.")] = None,
        publisher: Publisher = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[ExportControl]:
        """Export controls, import restrictions and quotas. All that is asked of clauses must hold
        of one and the same clause.
        """
        narrowed = Filter(
            commodities=goods(commodity, hs_code),
            places=words(Place, issuer, "issuer"),
            publishers=publishers(publisher),
            category=value_of(direction),
            measure=value_of(measure),
            destination=None if destination is None else word(Place, destination, "destination"),
            status=value_of(status),
        )
        return await self._page(info, ExportControlState, narrowed, export_control, first, after)

    @answer
    async def export_control(
        self, info: Info,
        id: Annotated[str, argument(
            description="Its key, such as `cn-mofcom-2024-46`, or its id.")],
    ) -> ExportControl | None:
        """One export control; null while it is not announced."""
        state = await self._one(info, ExportControlState, id)
        return export_control(state) if state else None

    @answer
    async def alliances(
        self,
        info: Info,
        member: Annotated[str | None, argument(
            description="Only those that this place is a member of, such as `JP`.")] = None,
        publisher: Publisher = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Alliance]:
        """Alliances and initiatives."""
        narrowed = Filter(places=words(Place, member, "member"), publishers=publishers(publisher))
        return await self._page(info, AllianceState, narrowed,
                                lambda state: alliance(state, self.moment), first, after)

    @answer
    async def alliance(
        self, info: Info,
        id: Annotated[str, argument(description="Its key, such as `quad`, or its id.")],
    ) -> Alliance | None:
        """One alliance; null while it is not founded."""
        state = await self._one(info, AllianceState, id)
        return alliance(state, self.moment) if state else None

    @answer
    async def announcements(
        self,
        info: Info,
        kind: Annotated[AnnouncementKind | None, argument(
            description="Only those that do this.")] = None,
        actor: Annotated[str | None, argument(
            description="Only those of this place (`US`) or alliance (`quad`).")] = None,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        publisher: Publisher = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Announcement]:
        """Announcements."""
        narrowed = Filter(
            commodities=goods(commodity, hs_code),
            places=words(Actor, actor, "actor"),
            publishers=publishers(publisher),
            category=value_of(kind),
        )
        return await self._page(info, AnnouncementState, narrowed, announcement, first, after)

    @answer
    async def announcement(
        self, info: Info,
        id: Annotated[str, argument(description="Its key or its id.")],
    ) -> Announcement | None:
        """One announcement; null while it is not made."""
        state = await self._one(info, AnnouncementState, id)
        return announcement(state) if state else None

    @answer
    async def preferences(
        self, info: Info, first: First = 20, after: After = None
    ) -> Connection[Preference]:
        """In which order to trust publishers, for everything and for single commodities and
        statistics.
        """
        return await self._page(info, PreferenceState, EVERYTHING, preference, first, after)

    @answer
    async def figures(
        self,
        info: Info,
        commodity: CommodityId = None,
        hs_code: HsCode = None,
        place: Annotated[str | None, argument(
            description="Only those for this place, such as `CN` or `WORLD`.")] = None,
        statistic: Annotated[Statistic | None, argument(
            description="Only those that count this.")] = None,
        publisher: Publisher = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Figure]:
        """Figures: a series and period with every publisher's claims."""
        narrowed = Filter(
            commodities=goods(commodity, hs_code),
            places=words(Place, place, "place"),
            publishers=publishers(publisher),
            category=value_of(statistic),
        )
        orders = await self._orders(info)
        return await self._page(info, FigureState, narrowed,
                                lambda state: figure(state, orders), first, after)

    @answer
    async def figure(
        self, info: Info,
        id: Annotated[str, argument(
            description="Its series as a path, such as `rare_earths/CN/production/mine/2023`;"
            " or its id.")],
    ) -> Figure | None:
        """One figure; null while nobody has claimed a number for it."""
        state = await self._one(info, FigureState, id)
        return figure(state, await self._orders(info)) if state else None

    @answer
    async def claims(
        self,
        info: Info,
        publisher: Annotated[str | None, argument(
            description="Only claims of this publisher, such as `usgs`.")] = None,
        commodity: CommodityId = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Claim]:
        """Claims on figures, each with its series, by series and position."""
        as_of, moment = info.context.services.as_of, self.moment
        narrowed = Filter(commodities=with_below(commodity), publishers=publishers(publisher))
        found = await as_of.claims(moment, narrowed, after=event_after("figure", after),
                                   limit=page_size(first))
        orders = await self._orders(info)
        return connection(
            [cited_claim(item, orders) for item in found],
            [cursor("figure", state.id, of.position) for state, of in found],
            first, after, lambda: as_of.count_claims(moment, narrowed),
        )

    @answer
    async def production(
        self, info: Info,
        commodity: OfCommodity,
        year: Annotated[int, argument(description="The year of the figures.")],
        stage: Annotated[Stage, argument(description="Where in the chain.")] = Stage.MINE,
        form: Form = None,
    ) -> Distribution:
        """How the world's output of a commodity in a year is spread over places."""
        id = word(Commodity, commodity, "commodity")
        figures = await info.context.services.as_of.figures(id, year, self.moment)
        orders, wanted = await self._orders(info), (Statistic.PRODUCTION, stage, form)
        return distribution(id, spread(selected(figures, *wanted), orders), orders)

    @answer
    async def reserves(
        self, info: Info, commodity: OfCommodity, form: Form = None
    ) -> Distribution:
        """How the world's reserves of a commodity are spread over places."""
        id = word(Commodity, commodity, "commodity")
        figures = await info.context.services.as_of.figures(id, None, self.moment)
        orders, wanted = await self._orders(info), (Statistic.RESERVES, None, form)
        return distribution(id, spread(selected(figures, *wanted), orders), orders)

    @answer
    async def exposure(
        self,
        info: Info,
        commodity: Annotated[str | None, argument(
            description="Only supplies of this commodity and of those below it that have figures;"
            " left out: of all that the controls are about.")] = None,
        issuer: Annotated[str | None, argument(
            description="Only controls of this place: what it controls.")] = None,
        toward: Annotated[str | None, argument(
            description="Only controls toward this destination, or toward all: what it is exposed"
            " to. Left out, those limited to some destinations count as partial.")] = None,
        stage: Annotated[Stage | None, argument(
            description="Only supplies at this stage.")] = None,
        year: Annotated[int | None, argument(
            description="The year of the figures; of every supply the last one if left out.")]
        = None,
    ) -> list[Exposure]:
        """Which supply is under which export controls, and how much of the world's output that is.
        Needs a commodity, an issuer or a destination.
        """
        asked = question(commodity, issuer, toward)
        orders = await self._orders(info)
        found = await info.context.services.as_of.exposures(
            asked, orders, self.moment, stage=stage, year=year)
        return [exposure(item, orders) for item in found]

    async def _orders(self, info: Info) -> Orders:
        return await info.context.services.as_of.orders(self.moment)

    @answer
    async def upcoming(
        self,
        info: Info,
        days: Annotated[int, argument(
            description="How many days after this one to look ahead.")] = 90,
        commodity: CommodityId = None,
        place: AboutPlace = None,
        kind: OfKind = None,
        first: First = 20,
        after: After = None,
    ) -> Connection[Turn]:
        """What will start, end, be suspended or return, in the order of the days, from what is
        known at this moment: public by this day, or recorded by then for a later one.
        """
        about = about_what(commodity, place, kind)
        return await page_of_turns(
            info.context.services.changes, self.moment, days, about, first, after)

    async def _one(self, info: Info, kind: type[S], id: str) -> S | None:
        known = key_of(kind_name(kind), id)
        return await info.context.services.as_of.state(kind, known, self.moment) if known else None

    async def _page(
        self, info: Info, kind: type[S], narrowed: Filter, show: Callable[[S], T], first: int,
        after: str | None,
    ) -> Connection[T]:
        as_of = info.context.services.as_of
        return await page_of_states(as_of, kind, self.moment, narrowed, show, first, after)
