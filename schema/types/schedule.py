"""GraphQL types of announced transitions."""

import strawberry

from projections.fold import schedule
from schema.base.context import Info
from schema.base.decorators import resolver_field
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day, Instant, Position
from schema.types.change import Transition


async def recorded_at(info: Info, position: int) -> Instant:
    """Return the time at which an event was recorded."""
    event = await info.context.loaders.event_at.load(position)
    assert event is not None  # positions have no gaps
    return Instant(event.recorded_at)  # type: ignore[arg-type]  # the scalar writes it


@output_type(first="day")
class ScheduledDay:
    """A date that was announced for a transition, or its withdrawal."""

    of: strawberry.Private[schedule.ScheduledDay]

    position: Position = struct_field()

    @resolver_field
    async def recorded_at(self, info: Info) -> Instant:
        """The time at which that event was recorded."""
        return await recorded_at(info, self.of.position)


@output_type(only_spelled=True, first="key day withdrawn")
class ScheduledTransition:
    """An announced transition with every announced date. It is one object, such as the end of a
    suspension, which moves if the suspension is extended."""

    of: strawberry.Private[schedule.Scheduled]

    key: str = struct_field("id")
    """Its identifier, which stays the same after later events, such as a move to another date."""
    day: Day = struct_field("transition.day")
    """The date of the transition, as last announced."""
    days: list[ScheduledDay] = struct_field()
    transition: Transition
    """The transition, as last announced; for a withdrawn one, before the withdrawal."""

    @resolver_field
    async def changed_at(self, info: Info) -> Instant:
        """The time of the last event that changed its date or its basis."""
        return await recorded_at(info, self.of.changed)


def scheduled_transition(of: schedule.Scheduled, position: int) -> ScheduledTransition:
    """Return the GraphQL type of an announced transition, as known at a position."""
    return ScheduledTransition(of=of, transition=Transition(of=of.transition, position=position))
