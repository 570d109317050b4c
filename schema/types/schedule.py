"""GraphQL types of what was said to be to come."""

from __future__ import annotations

import strawberry
from strawberry import field

from projections.fold import schedule
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.scalars import Day, Instant, Position
from schema.types.change import Transition, transition


async def recorded_at(info: Info, position: int) -> Instant:
    """When an event was recorded."""
    found = await info.context.loaders.event_at.load(position)
    assert found is not None  # positions have no gaps
    return Instant(found.recorded_at)  # type: ignore[arg-type]  # the scalar writes it


@object_type
class ScheduledDay:
    """A day that something to come was given, or that it was withdrawn."""

    day: Day | None = field(description="The day; null where it was withdrawn.")
    position: Position = field(description="The position of the event that says so.")

    @resolver_field
    async def recorded_at(self, info: Info) -> Instant:
        """The time at which that event was recorded."""
        return await recorded_at(info, int(self.position))


@object_type
class ScheduledTransition:
    """A transition that was said before its day, with every day that it was given: it is one thing, such
    as the end of a suspension, that moves when the suspension is extended."""

    of: strawberry.Private[schedule.Scheduled]

    key: str = field(
        description="What stands for it, whatever is recorded later, such as that it moves."
    )
    day: Day = field(description="The day on which it happens, as it was told last.")
    withdrawn: bool = field(description="Whether it is said no more, so that it does not happen.")
    days: list[ScheduledDay] = field(
        description="Every day that it was given, in the order of the log, and that it was withdrawn."
    )
    transition: Transition = field(
        description="What happens, as it was told last: of one that is withdrawn, before that."
    )

    @resolver_field
    async def changed_at(self, info: Info) -> Instant:
        """When the last event was recorded that changed anything of it: its day, or what it rests on."""
        return await recorded_at(info, self.of.changed)


def scheduled_transition(of: schedule.Scheduled, position: int) -> ScheduledTransition:
    """The GraphQL type of something to come, from what is known at a position."""
    return ScheduledTransition(
        of=of,
        key=of.id,
        day=Day(of.transition.day.isoformat()),
        withdrawn=of.withdrawn,
        days=[
            ScheduledDay(
                day=Day(one.day.isoformat()) if one.day else None,
                position=Position(str(one.position)),
            )
            for one in of.days
        ],
        transition=transition(of.transition, position),
    )
