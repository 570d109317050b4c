"""Times of the status of a clause as GraphQL shows them."""

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
from tracker.domain.vocabulary import ClauseStatus

StatusDays: TypeAlias = Annotated[
    DayRange | None, argument(description="Only times of which a day is one of these.")
]


@output_type(of=status_periods.StatusPeriod, only_spelled=True)
class StatusPeriod:
    """A time in which a clause has a status."""

    of: strawberry.Private[status_periods.StatusPeriod]

    status: ClauseStatus = struct_field(description="The status.")
    first: Day = struct_field(name="from", description="The first day.")
    last: Day | None = struct_field(
        name="until", description="The last day, inclusive; null: as far as is known it lasts."
    )
    because: Because = struct_field(description="The event that it begins because of.")
    announced_on: Day = struct_field(description="The day on which that event became public.")
    basis: TransitionBasis = struct_field(
        description="Whether it begins by an act of its first day or by what was announced before."
    )
    confirmed_by: Because | None = struct_field(
        description="The first later act that says that it begins on its first day; null where the"
        " event that it follows from is of the day itself, and where no such act is known."
    )
