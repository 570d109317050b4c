"""Comparing two moments, and looking ahead of one: what `changes` and `upcoming` take and give."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Annotated, TypeAlias

from strawberry import argument

from projections.fold import transitions
from projections.query.changes import ChangeFilter, Changes
from projections.query.lists import Found, Key, Span, part
from projections.query.moment import Moment
from schema.base.global_ids import sealed, unsealed
from schema.inputs.arguments import goods, publishers, value_of, words
from schema.inputs.order_by import ChangeOrder, TransitionOrder
from schema.inputs.pagination import Cursors, not_a_cursor
from schema.types.change import Change, EntityKind, Transition, change, turn
from schema.types.connection import Listing
from tracker.domain.codec import decode, encode
from tracker.domain.places import Place
from tracker.errors import InvalidInput

AboutPlace: TypeAlias = Annotated[
    str | None,
    argument(
        description="Only what is about this place, such as `CN`: as issuer, member, actor, or where a"
        " figure is from."
    ),
]
OfKind: TypeAlias = Annotated[
    EntityKind | None, argument(description="Only entities of this kind.")
]


def about_what(
    commodity: str | None,
    hs_code: str | None,
    place: str | None,
    kind: EntityKind | None,
    publisher: str | None,
) -> ChangeFilter:
    """What changes and turns are narrowed to. Raises InvalidInput."""
    return ChangeFilter(
        kind=value_of(kind),
        commodities=goods(commodity, hs_code),
        places=words(Place, place, "place"),
        publishers=publishers(publisher),
    )


def changed(
    changes: Changes, start: Moment, end: Moment, about: ChangeFilter, order: ChangeOrder
) -> Listing[Change]:
    """What differs between two moments, by entity."""
    cursors = Cursors()

    async def items(span: Span) -> list[Found[Change]]:
        found = await changes.between(start, end, about, order.value, span)
        return [((of.entity,), change(of, start, end)) for of in found]

    return Listing(items, lambda: changes.count(start, end, about), cursors.sealed, cursors.opened)


async def coming(
    changes: Changes, moment: Moment, days: int, about: ChangeFilter, order: TransitionOrder
) -> Listing[Transition]:
    """What will happen after a day, by day and entity."""
    down = order.value.down
    found = [
        (_key(of), turn(of, moment.position)) for of in await changes.upcoming(moment, days, about)
    ]
    found.sort(key=itemgetter(0), reverse=down)

    async def items(span: Span) -> Sequence[Found[Transition]]:
        return part(found, span, down)

    async def count() -> int:
        return len(found)

    return Listing(items, count, lambda key: sealed(encode(key).decode()), _opened)


def _key(of: transitions.Transition) -> Key:
    """What turns are ordered by."""
    return (of.day.isoformat(), of.entity, *of.part)


def _opened(given: str, path: str) -> Key:
    try:
        return tuple(decode(list[str], unsealed(given)))
    except (ValueError, InvalidInput):
        raise not_a_cursor(path) from None
