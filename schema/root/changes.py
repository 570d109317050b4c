"""Arguments and pages of the query `changes`, which compares two moments."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, TypeAlias

from projections.fold import change as fold
from projections.query.changes import ChangeFilter, Changes
from projections.query.lists import Keyed, KeyRange
from projections.query.moment import Moment
from schema.base.argument_group import ArgumentGroup
from schema.inputs import arguments
from schema.inputs.order_by import cursor_name
from schema.inputs.pagination import Cursors
from schema.types.change import Change, EntityKind
from schema.types.connection import PageSource
from tracker.domain.catalogue.places import Place
from tracker.domain.events.registry import STATES
from tracker.domain.evidence.watched_source import WatchedSource
from tracker.domain.figures.tariff import TariffLine

CHANGING_KINDS = tuple(kind for kind in STATES if kind not in (WatchedSource.KIND, TariffLine.KIND))
"""Default kinds of changes. Watched sources are left out, because each poll changes them, and lines of
tariffs, because an edition states or changes hundreds."""

OfKind: TypeAlias = Annotated[EntityKind | None, "Only entities of this kind."]
CHANGE_FILTERS = ArgumentGroup(
    commodity=arguments.CommodityId,
    hs_code=arguments.HsCode,
    **ArgumentGroup.of(
        place=(
            str,
            "Only items about this place, such as `CN`: as issuer, member or actor, or as the place of a"
            " figure.",
        )
    ),
    kind=OfKind,
    publisher=arguments.Publisher,
)


def parse_change_filter(filters: Mapping[str, Any]) -> ChangeFilter:
    """Parse the filter of changes. Raises InvalidInput."""
    return ChangeFilter(
        kinds=parse_kinds(filters["kind"], CHANGING_KINDS),
        commodities=arguments.parse_commodities(filters["commodity"], filters["hs_code"]),
        places=arguments.parse_words(Place, filters["place"], "place"),
        publishers=arguments.parse_publisher(filters["publisher"]),
    )


def parse_kinds(kind: EntityKind | None, default: Sequence[str] = tuple(STATES)) -> Sequence[str]:
    """Return the kinds of entities of a filter."""
    return default if kind is None else [kind.value]


def change_pages(
    source: Changes, start: Moment, end: Moment, about: ChangeFilter, order: Enum
) -> PageSource[Change]:
    """Return the changes between two moments, by entity or by date."""
    cursors = Cursors(order=cursor_name(order))
    by_day = cursors.order is not None

    async def items(span: KeyRange) -> list[Keyed[Change]]:
        changes = await source.between(start, end, about, order.value, span)
        return [
            ((_day(of), of.entity) if by_day else (of.entity,), Change(of=of, start=start, end=end))
            for of in changes
        ]

    return PageSource(
        items, lambda: source.count(start, end, about), cursors.encode, cursors.decode
    )


def _day(of: fold.Change) -> str:
    return of.held_from.isoformat() if of.held_from else ""
