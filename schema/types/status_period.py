"""Times of the status of a clause as GraphQL shows them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from strawberry import argument, field

from projections.fold import status_periods
from projections.fold.transitions import TransitionBasis
from schema.base.decorators import object_type
from schema.base.scalars import Day
from schema.inputs.ranges import DayRange
from schema.types.common import Because
from tracker.domain.vocabulary import ClauseStatus

StatusDays: TypeAlias = Annotated[
    DayRange | None, argument(description="Only times of which a day is one of these.")
]


@object_type
class StatusPeriod:
    """A time in which a clause has a status."""

    status: ClauseStatus = field(description="The status.")
    first: Day = field(name="from", description="The first day.")
    last: Day | None = field(
        name="until", description="The last day, inclusive; null: as far as is known it lasts."
    )
    because: Because = field(description="The event that it begins because of.")
    announced_on: Day = field(description="The day on which that event became public.")
    basis: TransitionBasis = field(
        description="Whether it begins by an act of its first day or by what was announced before."
    )
    confirmed_by: Because | None = field(
        description="The first later act that says that it begins on its first day; null where the"
        " event that it follows from is of the day itself, and where no such act is known."
    )


def status_period(of: status_periods.StatusPeriod) -> StatusPeriod:
    """The GraphQL type of a time of a status."""
    return StatusPeriod(
        status=of.status,
        first=Day(of.first.isoformat()),
        last=Day(of.last.isoformat()) if of.last else None,
        because=Because(of=of.because),
        announced_on=Day(of.announced_on.isoformat()),
        basis=of.basis,
        confirmed_by=Because(of=of.confirmed_by) if of.confirmed_by else None,
    )
