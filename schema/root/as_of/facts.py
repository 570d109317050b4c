"""Facts at a moment: by date, by edition, and the newest of each group."""

from dataclasses import replace
from datetime import date
from enum import Enum

from projections.query.facts import FactFilter, Grouping, NewestFact, NewestFilter, edition_key
from projections.query.list_statements import SortKey
from projections.query.lists import Key, Keyed, KeyRange
from schema.base.context import Info
from schema.base.decorators import object_type
from schema.base.enums import described_enum
from schema.inputs import arguments
from schema.inputs.order_by import EditionOrder, FactOrder, HorizonOrder
from schema.inputs.pagination import WordCursors, cursor_error
from schema.inputs.ranges import DayRange, parse_days
from schema.root.as_of.base import AtMoment
from schema.root.changes import OfKind
from schema.root.events import is_entity_name
from schema.types.connection import PageSource, list_pages
from schema.types.edition import Edition, FactHorizon
from schema.types.event import Fact
from schema.types.list_field import list_field
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.catalogue.places import Actor
from tracker.domain.events.registry import KINDS
from tracker.domain.evidence.completeness import KINDS_OF_ACTS
from tracker.log.resume_token import MAX_POSITION

FACT_CURSORS = WordCursors("facts")


@described_enum
class HorizonGroup(Enum):
    """The groups of facts for their newest fact."""

    KIND = "kind"
    """The kind of entity."""
    ISSUER = "issuer"
    """The issuer of a control, each actor of an announcement, or the alliance. Figures and firms have
    none and are left out."""
    PUBLISHER = "publisher"
    """Each publisher of a source of the fact."""


@object_type
class FactLists(AtMoment):
    """Lists of facts at a moment."""

    @list_field(Fact, FactOrder)
    async def facts(
        self,
        info: Info,
        order: Enum,
        public_on: DayRange | None = None,
        types: arguments.OfTypes = None,
        kind: OfKind = None,
        commodities: arguments.AboutCommodities = None,
        places: arguments.AboutPlaces = None,
        entity: str | None = None,
        publisher: arguments.Publisher = None,
    ) -> PageSource[Fact]:
        """The facts that count at this moment, in the order of the dates on which they became public,
        whenever they were recorded. Facts that become public later are left out, and so are retractions and
        retracted facts; `events` has all of them, in the order of the log.

        - public_on: Only facts that became public in this period.
        - entity: Only facts about this entity, such as `alliance/quad`.
        """
        selection = arguments.parse_selection(types, commodities, places, entity)
        if kind is not None:
            selected_types = selection.types
            of_kind = [
                of
                for of in KINDS[kind.value].FACTS
                if selected_types is None or of in selected_types
            ]
            selection = replace(selection, types=of_kind)
        if entity is not None:
            is_entity_name(entity)
        publishers = arguments.parse_publisher(publisher)
        days = parse_days(public_on, "publicOn") or (None, None)
        narrowed = FactFilter(selection, publishers[0] if publishers else None, days)
        down = order.value.down
        facts = await info.context.services.as_of.facts.by_day(self.moment, narrowed)

        async def items(span: KeyRange) -> list[Keyed[Fact]]:
            return [(key, Fact(of=event)) for key, event in await facts.page(span, down)]

        source = PageSource(items, facts.count, _encode_cursor, _decode_cursor)
        kinds = [kind.value] if kind else KINDS
        acts = {act for name in kinds for act in KINDS_OF_ACTS.get(name, ())}
        return source.about(self.scope(info, acts, places or None, commodities))

    @list_field(Edition, EditionOrder)
    async def editions(
        self,
        info: Info,
        order: Enum,
        publisher: str | None = None,
        commodity: arguments.CommodityId = None,
    ) -> PageSource[Edition]:
        """The editions with figures that are public by this date, with the extent of their claims. With
        `commodity`, only claims about it count.

        - publisher: Only editions of this publisher, by its short id, such as `usgs`.
        """
        publishers = arguments.parse_publisher(publisher)
        goods = arguments.parse_with_descendants(commodity)
        editions = await info.context.services.as_of.facts.editions(
            self.moment, publishers[0] if publishers else None, goods
        )
        keyed = [(edition_key(of), Edition(of=of)) for of in editions]
        listing = list_pages(keyed, "editions", order.value.down)
        return listing.about(self.scope(info, [ActKind.FIGURE], commodities=goods))

    @list_field(FactHorizon, HorizonOrder)
    async def horizons(
        self,
        info: Info,
        order: Enum,
        group_by: list[HorizonGroup] | None = None,
        kind: OfKind = None,
        issuer: str | None = None,
        publisher: arguments.Publisher = None,
    ) -> PageSource[FactHorizon]:
        """The newest recorded facts by kind of entity, issuer or publisher. It depends on the position
        only, not on `validAt`. Preferences, imports and redactions are left out, because they are not facts
        about the world.

        - group_by: The grouping of facts; the kind of entity if left out.
        - issuer: Only facts of this place (`CN`) or alliance (`quad`).
        """
        groups = [HorizonGroup.KIND] if group_by is None else group_by
        by = Grouping(*(of in groups for of in HorizonGroup))
        publishers = arguments.parse_publisher(publisher)
        filter = NewestFilter(
            kind.value if kind else None,
            None if issuer is None else str(arguments.parse_word(Actor, issuer, "issuer")),
            publishers[0] if publishers else None,
        )
        horizons = await info.context.services.as_of.facts.newest(self.moment.position, by, filter)
        keyed = [(_horizon_key(of, order.value.by), FactHorizon(of=of)) for of in horizons]
        name = order.name.removesuffix("_DESC")
        return list_pages(keyed, f"horizons by {name}", order.value.down)


def _horizon_key(of: NewestFact, by: SortKey) -> Key:
    group = of.kind or "", of.issuer or "", of.publisher or ""
    return (of.public_on.isoformat(), *group) if by is SortKey.DATE else group


def _encode_cursor(key: Key) -> str:
    return FACT_CURSORS.encode(tuple(map(str, key)))


def _decode_cursor(text: str, path: str) -> Key:
    try:
        day, position = map(str, FACT_CURSORS.decode(text, path))
        key = date.fromisoformat(day).isoformat(), int(position)
    except ValueError:
        raise cursor_error(path) from None
    if not 0 <= key[1] <= MAX_POSITION:
        raise cursor_error(path)
    return key
