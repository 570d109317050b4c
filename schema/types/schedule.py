"""GraphQL types of what was said to be to come."""

from __future__ import annotations

import strawberry
from strawberry import field

from projections.fold import schedule
from schema.base.context import Info
from schema.base.decorators import resolver_field
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day, Instant, Position
from schema.types.change import Transition


async def recorded_at(info: Info, position: int) -> Instant:
    """When an event was recorded."""
    found = await info.context.loaders.event_at.load(position)
    assert found is not None  # positions have no gaps
    return Instant(found.recorded_at)  # type: ignore[arg-type]  # the scalar writes it


@output_type(of=schedule.ScheduledDay, only_spelled=True)
class ScheduledDay:
    """A day that something to come was given, or that it was withdrawn."""

    of: strawberry.Private[schedule.ScheduledDay]

    day: Day | None = struct_field(description="The day; null where it was withdrawn.")
    position: Position = struct_field(description="The position of the event that says so.")

    @resolver_field
    async def recorded_at(self, info: Info) -> Instant:
        """The time at which that event was recorded."""
        return await recorded_at(info, self.of.position)


@output_type(of=schedule.Scheduled, only_spelled=True)
class ScheduledTransition:
    """A transition that was said before its day, with every day that it was given: it is one thing, such
    as the end of a suspension, that moves when the suspension is extended."""

    of: strawberry.Private[schedule.Scheduled]

    key: str = struct_field(
        "id", description="What stands for it, whatever is recorded later, such as that it moves."
    )
    day: Day = struct_field(
        "transition.day", description="The day on which it happens, as it was told last."
    )
    withdrawn: bool = struct_field(
        description="Whether it is said no more, so that it does not happen."
    )
    days: list[ScheduledDay] = struct_field(
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
    return ScheduledTransition(of=of, transition=Transition(of=of.transition, position=position))
