"""Comparing two moments, and looking ahead of one: what `changes` and `upcoming` take and give."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Annotated, TypeAlias

from strawberry import argument

from projections.fold import transitions
from projections.query.changes import ChangeFilter, Changes
from projections.query.lists import Key, Keyed, KeyRange, slice_range
from projections.query.moment import Moment
from schema.base.global_ids import decode_opaque, encode_opaque
from schema.inputs.arguments import domain_value, parse_commodities, parse_publisher, parse_words
from schema.inputs.order_by import ChangeOrder, TransitionOrder
from schema.inputs.pagination import Cursors, cursor_error
from schema.types.change import Change, EntityKind, Transition, change, transition
from schema.types.connection import PageSource
from tracker.domain.codec import decode, encode
from tracker.domain.places import Place
from tracker.errors import InvalidInput

AboutPlace: TypeAlias = Annotated[
    str | None,
    argument(
        description="Only items about this place, such as `CN`: as issuer, member or actor, or as the"
        " place of a figure."
    ),
]
OfKind: TypeAlias = Annotated[
    EntityKind | None, argument(description="Only entities of this kind.")
]


def parse_change_filter(
    commodity: str | None,
    hs_code: str | None,
    place: str | None,
    kind: EntityKind | None,
    publisher: str | None,
) -> ChangeFilter:
    """Parse the filter of changes and transitions. Raises InvalidInput."""
    return ChangeFilter(
        kind=domain_value(kind),
        commodities=parse_commodities(commodity, hs_code),
        places=parse_words(Place, place, "place"),
        publishers=parse_publisher(publisher),
    )


def change_pages(
    changes: Changes, start: Moment, end: Moment, about: ChangeFilter, order: ChangeOrder
) -> PageSource[Change]:
    """The changes between two moments, by entity."""
    cursors = Cursors()

    async def items(span: KeyRange) -> list[Keyed[Change]]:
        found = await changes.between(start, end, about, order.value, span)
        return [((of.entity,), change(of, start, end)) for of in found]

    return PageSource(
        items, lambda: changes.count(start, end, about), cursors.encode, cursors.decode
    )


async def transition_pages(
    changes: Changes, moment: Moment, days: int, about: ChangeFilter, order: TransitionOrder
) -> PageSource[Transition]:
    """The transitions after a day, by day and entity."""
    down = order.value.down
    found = [
        (_order_key(of), transition(of, moment.position))
        for of in await changes.upcoming(moment, days, about)
    ]
    found.sort(key=itemgetter(0), reverse=down)

    async def items(span: KeyRange) -> Sequence[Keyed[Transition]]:
        return slice_range(found, span, down)

    async def count() -> int:
        return len(found)

    return PageSource(items, count, lambda key: encode_opaque(encode(key).decode()), _decode_cursor)


def _order_key(of: transitions.Transition) -> Key:
    """The key that transitions are ordered by."""
    return (of.day.isoformat(), of.entity, *of.part)


def _decode_cursor(given: str, path: str) -> Key:
    try:
        return tuple(decode(list[str], decode_opaque(given)))
    except (ValueError, InvalidInput):
        raise cursor_error(path) from None
