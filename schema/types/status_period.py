"""GraphQL types of periods of the status of a clause."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry
from strawberry import argument

from projections.fold import status_periods
from projections.fold.transitions import TransitionBasis
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day
from schema.inputs.ranges import DayRange
from schema.types.common import Because
from tracker.domain.basics.control_vocabulary import ClauseStatus

StatusDays: TypeAlias = Annotated[
    DayRange | None, argument(description="Only periods that overlap these dates.")
]


@output_type(of=status_periods.StatusPeriod, only_spelled=True)
class StatusPeriod:
    """A period in which a clause has a status."""

    of: strawberry.Private[status_periods.StatusPeriod]

    status: ClauseStatus = struct_field(description="The status.")
    first: Day = struct_field(name="from", description="The first date.")
    last: Day | None = struct_field(
        name="until", description="The last date, inclusive; null if no end is known."
    )
    because: Because = struct_field(description="The event that starts it.")
    announced_on: Day = struct_field(description="The date on which that event became public.")
    basis: TransitionBasis = struct_field(
        description="Whether it begins by an act of its first date or by an earlier announcement."
    )
    confirmed_by: Because | None = struct_field(
        description="The first later act that confirms its start. Null if the event"
        " behind it is of the same date, or if no such act is recorded."
    )
