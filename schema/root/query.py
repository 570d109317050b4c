"""Queries."""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

from strawberry import argument

from projections.query.lists import EVERYTHING, Filter
from projections.words import matches
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import named_resolver_field, object_type, resolver_field
from schema.base.global_ids import key_of
from schema.base.scalars import Day, Position
from schema.inputs import arguments
from schema.inputs.moment import (
    AtPosition,
    KnownAt,
    MinPosition,
    MomentInput,
    current_moment,
    resolve_moment,
    resolve_range,
    wait_for_position,
)
from schema.inputs.order_by import ChangeOrder, EventOrder, ImportOrder, KeyOrder
from schema.inputs.pagination import PageRequest
from schema.inputs.ranges import DayRange, RecordedIn, TimeRange, parse_days, parse_times
from schema.root.as_of.as_of import AsOf
from schema.root.batch import COMMAND_INPUT, MAX_COMMANDS, execute_preview
from schema.root.candidates import ReviewQueries
from schema.root.changes import CHANGE_FILTERS, change_pages, parse_change_filter
from schema.root.endpoints import EndpointQueries
from schema.root.events import OneEvent, check_tokens, event_pages, log_range, search_pages
from schema.root.history import EntityName, HeldIn, history_pages
from schema.root.nodes import GlobalId, GlobalIds, same_node, same_nodes
from schema.root.over import Over
from schema.root.proofs import Proofs
from schema.root.scenarios import ScenarioKey, ScenarioQueries
from schema.root.shipment_changes import ShipmentQueries
from schema.telemetry.operation import current_operation
from schema.types.change import Change
from schema.types.common import Commodity, Node, Place, place
from schema.types.common import commodity as shown_commodity
from schema.types.completeness import scope_of_filter
from schema.types.connection import Connection, PageSource, node_pages
from schema.types.event import Event, HistoryVersion
from schema.types.imports import Import
from schema.types.list_field import PAGING, list_field
from schema.types.preview import Preview
from schema.types.redaction import Redaction
from tracker.domain.catalogue.commodities import commodities
from tracker.domain.catalogue.places import places
from tracker.domain.evidence.import_receipt import ImportState
from tracker.log.entries import RecordedEvent

POSITIONS: Mapping[str, Any] = {
    **PAGING,
    "after": Annotated[
        Position | None,
        "Return events after this position, or after the event of this resume token, in the order of the"
        " list.",
    ],
    "before": Annotated[
        Position | None,
        "Return events before this position, or before the event of this resume token, in the order of"
        " the list.",
    ],
}
"""The arguments of pages of events, by name."""


@object_type
class Query(
    Proofs, OneEvent, Over, ShipmentQueries, EndpointQueries, ReviewQueries, ScenarioQueries
):
    """Queries. Every query reads the log; `asOf` chooses the moment."""

    @resolver_field
    async def as_of(
        self,
        info: Info,
        valid_at: Day | None = None,
        known_at: KnownAt = None,
        at: AtPosition = None,
        min_position: MinPosition = None,
        scenario: ScenarioKey = None,
    ) -> AsOf:
        """The state of the world as of one date, as recorded at one position; without arguments, today and
        the latest position. All fields below are of this moment. Use two aliases to compare two moments.

        - valid_at: The effective date; today (UTC) if left out.
        """
        input = MomentInput(valid_at=valid_at, known_at=known_at, position=at)
        return AsOf(moment=await resolve_moment(info, input, min_position))

    @resolver_field
    async def head(self, info: Info, min_position: MinPosition = None) -> Position:
        """The last position of the log; 0 for an empty log."""
        await wait_for_position(info, min_position)
        head = await info.context.services.recorder.head()
        current_operation().note_position(head)
        return Position(str(head))

    @resolver_field
    async def node(self, info: Info, id: GlobalId, min_position: MinPosition = None) -> Node | None:
        """The object with this `id`: the entity at the same moment, or the same version of its history. For
        another moment use `asOf { node }`."""
        await wait_for_position(info, min_position)
        return await same_node(info, id)

    @resolver_field
    async def nodes(
        self, info: Info, ids: GlobalIds, min_position: MinPosition = None
    ) -> list[Node | None]:
        """The objects with these ids, in the order of the ids; null for each that does not exist."""
        await wait_for_position(info, min_position)
        return await same_nodes(info, ids)

    @list_field(HistoryVersion)
    async def history(
        self,
        info: Info,
        entity: EntityName,
        valid: HeldIn = None,
        known: TimeRange | None = None,
        types: list[str] | None = None,
        *,
        min_position: MinPosition = None,
    ) -> PageSource[HistoryVersion]:
        """All versions of an entity's state on both time axes, ordered by the position from which
        they were known; empty for an entity that never existed. A page of very large states may
        have fewer items than requested: `hasNextPage` says whether there are more. The entity's
        events are in `events(entity:)`.

        - known: Only versions that were current at some time in this range: recorded in it, or before it
          and not yet replaced.
        - types: Only versions that became known with an event of one of these types, such as
          `ExportControl.Retracted`.
        """
        of = history_pages(
            info.context.services.as_of,
            entity,
            parse_days(valid, "valid"),
            parse_times(known, "known"),
            arguments.parse_event_types(types),
        )
        await wait_for_position(info, min_position)
        return of

    @list_field(Change, ChangeOrder)
    async def changes(
        self,
        info: Info,
        order: Enum,
        start: Annotated[
            MomentInput,
            argument(
                name="from",
                description="The first moment. Fields that are left out take the values of `to`.",
            ),
        ],
        end: Annotated[
            MomentInput | None,
            argument(
                name="to",
                description="The second moment, not before the first on either axis."
                " Fields that are left out mean today and the latest"
                " position.",
            ),
        ] = None,
        filters: ArgumentGroup = CHANGE_FILTERS,
        *,
        min_position: MinPosition = None,
        scenario: ScenarioKey = None,
    ) -> PageSource[Change]:
        """The differences between two moments: changes between two dates, restatements between two
        positions, or both. A state that began and ended between the two moments is not listed; see
        `history`. Watched sources are left out unless the `kind` is `SOURCE`, because each poll changes
        them; see `watchedSources`."""
        about = parse_change_filter(filters)
        earlier, later = await resolve_range(info, start, end, min_position)
        of = change_pages(info.context.services.changes, earlier, later, about, order)
        return of.about(scope_of_filter(info, later, about))

    @resolver_field
    async def preview(
        self,
        info: Info,
        commands: Annotated[
            list[COMMAND_INPUT],  # type: ignore[valid-type]  # known at run time only
            f"The commands, 1 to {MAX_COMMANDS}, as for `record`.",
        ],
        idempotency_key: str | None = None,
        valid_at: Day | None = None,
    ) -> Preview:
        """A dry run of `record`: the events that the commands would record, and the resulting changes.
        Nothing is recorded. The commands are checked as by `record`: a refused command has the same code
        and path. Needs a token of scope `record`, unless writing is open.

        - idempotency_key: The idempotency key, as for `record`.
        - valid_at: The date on which states are compared; today (UTC) if left out.
        """
        return await execute_preview(
            info, commands, idempotency_key, arguments.parse_day(valid_at, "validAt")
        )

    @list_field(Import, ImportOrder)
    async def imports(
        self,
        info: Info,
        order: Enum,
        source: str | None = None,
        on: DayRange | None = None,
        *,
        min_position: MinPosition = None,
    ) -> PageSource[Import]:
        """The imported files, the oldest first by default, as recorded now.

        - source: Only imports of this source, such as `usgs`.
        - on: Only imports on these days (UTC).
        """
        narrowed = Filter(
            category=arguments.parse_optional_text(source, "source"), dated=parse_days(on, "on")
        )
        moment = await current_moment(info, min_position)
        return node_pages(info.context.services.as_of, Import, moment, narrowed, order)

    @named_resolver_field("import")
    async def one_import(
        self, info: Info, id: str, min_position: MinPosition = None
    ) -> Import | None:
        """One import; null if no import has this key or id.

        - id: Its key or id, as in `imports`.
        """
        key = key_of("import", id)
        if key is None:
            return None
        moment = await current_moment(info, min_position)
        state = await info.context.services.as_of.state(ImportState, key, moment)
        return Import.at(state, moment) if state else None

    @list_field(Redaction, KeyOrder)
    async def redactions(
        self, info: Info, order: Enum, *, min_position: MinPosition = None
    ) -> PageSource[Redaction]:
        """The redactions, one for each event with redacted texts, as recorded now."""
        moment = await current_moment(info, min_position)
        return node_pages(info.context.services.as_of, Redaction, moment, EVERYTHING, order)

    @resolver_field
    def commodities(
        self,
        search: str | None = None,
        commodity: arguments.CommodityId = None,
        hs_code: arguments.HsCode = None,
    ) -> list[Commodity]:
        """All declared commodities, in the order of the tree.

        - search: Only commodities with a name in which each of these words begins a word. Names that
          publishers use count too.
        """
        selected = arguments.parse_commodities(commodity, hs_code)
        return [
            shown_commodity(of)
            for of in commodities()
            if (selected is None or of in selected)
            and matches(arguments.parse_search(search), of, of.name, *of.also)
        ]

    @resolver_field
    def places(self, search: str | None = None) -> list[Place]:
        """All places: countries, and the declared groups, by code.

        - search: Only places with a code (of two letters, three letters or digits) or name in which each of
          these words begins a word.
        """
        words = arguments.parse_search(search)
        return [
            place(of)
            for of in places()
            if matches(words, of, of.name, of.alpha3 or "", of.numeric or "")
        ]

    @list_field(Event, EventOrder, paging=POSITIONS)
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
        *,
        min_position: MinPosition = None,
    ) -> Connection[Event]:
        """The events of the log. The cursor of an event is its position.

        - search: Only events with all of these words in the fact, in a note or quotation, or in the name of
          a figure, compared as in `asOf { search }`. If more than 10,000 match, only the newest. Events are
          searchable once they are projected.
        """
        selection = arguments.parse_selection(types, commodities, places, entity)
        if search is not None:
            arguments.parse_search_words(search, "search")
        await wait_for_position(info, min_position)
        services = info.context.services
        await check_tokens(services.recorder, after=page.after, before=page.before)
        part = await log_range(services.recorder, selection, *parse_times(recorded, "recorded"))

        def shown(of: RecordedEvent) -> Event:
            return Event(of=of)

        if search is not None:
            searches = services.as_of.searches
            pages = search_pages(services.recorder, searches, search, part, order, shown)
            return await (await pages).page(page)
        return await (await event_pages(services.recorder, part, order, shown)).page(page)
