"""Comparing two moments, and looking ahead of one: what `changes` and `upcoming` take and give."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry
from strawberry import argument, field

from projections import turns
from projections.as_of import AsOf, Moment
from projections.changes import About, Changes
from schema.arguments import (
    day,
    instant,
    page_size,
    position,
    value_of,
    with_below,
    words,
)
from schema.connections import Connection, connection, opened, stream_after
from schema.ids import sealed
from schema.scalars import Day, Instant, Position
from schema.seen import seen
from schema.types.change import Change, EntityKind, Turn, change, turn
from tracker.domain.codec import decode, encode
from tracker.domain.places import Place
from tracker.errors import InvalidInput

AboutPlace: TypeAlias = Annotated[str | None, argument(
    description="Only what is about this place, such as `CN`: as issuer, member, actor, or where a"
    " figure is from.")]
OfKind: TypeAlias = Annotated[EntityKind | None, argument(
    description="Only entities of this kind.")]


@strawberry.input(description="A place on both time axes.")
class MomentInput:
    """A place on both time axes."""

    valid_at: Day | None = field(description="The day in the world.", default=None)
    known_at: Instant | None = field(
        description="What had been recorded by then. Not together with position.", default=None)
    position: Position | None = field(
        description="What the log said at this position.", default=None)


def about_what(commodity: str | None, place: str | None, kind: EntityKind | None) -> About:
    """What changes and turns are narrowed to. Raises InvalidInput."""
    return About(kind=value_of(kind), commodities=with_below(commodity),
                 places=words(Place, place, "place"))


async def moments(
    as_of: AsOf, start: MomentInput, end: MomentInput | None
) -> tuple[Moment, Moment]:
    """The two moments of a comparison: `end` is now where it says nothing, and `start` is as `end`.

    So a comparison of two days rests on the same position, and one of two positions on one day.
    """
    to = await _moment(as_of, "to", end or MomentInput(), None)
    seen().reached(to.position)
    return await _moment(as_of, "from", start, to), to


async def _moment(as_of: AsOf, name: str, given: MomentInput, default: Moment | None) -> Moment:
    try:
        valid_at = day(given.valid_at, "validAt")
        known_at, at = instant(given.known_at, "knownAt"), position(given.position, "position")
        if default:
            valid_at = valid_at or default.valid_at
            at = default.position if known_at is None and at is None else at
        return await as_of.resolve(valid_at, known_at, at)
    except InvalidInput as error:
        raise error.below(name) from None


async def page_of_changes(
    changes: Changes, start: Moment, end: Moment, about: About, first: int, after: str | None
) -> Connection[Change]:
    """A page of what differs between two moments, by entity."""
    found = await changes.between(start, end, about, after=stream_after(after),
                                  limit=page_size(first))
    return connection([change(of, start, end) for of in found], [sealed(of.entity) for of in found],
                      first, after, lambda: changes.count(start, end, about))


async def page_of_turns(
    changes: Changes, moment: Moment, days: int, about: About, first: int, after: str | None
) -> Connection[Turn]:
    """A page of what will happen after a day, by day and entity."""
    size, behind = page_size(first), _turn_after(after)
    coming = await changes.upcoming(moment, days, about)
    found = [of for of in coming if behind is None or _key(of) > behind][:size]

    async def count() -> int:
        return len(coming)

    return connection([turn(of, moment.position) for of in found],
                      [sealed(encode(_key(of)).decode()) for of in found], first, after, count)


def _key(of: turns.Turn) -> list[str]:
    """What turns are ordered by."""
    return [of.day.isoformat(), of.entity, *of.part]


def _turn_after(given: str | None) -> list[str] | None:
    key = opened(given)
    try:
        return None if key is None else decode(list[str], key)
    except InvalidInput as error:
        raise InvalidInput(error.message, code="INVALID_CURSOR", path=("after",)) from None
