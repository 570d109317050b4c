"""GraphQL types of periods of the status of a clause."""

from typing import Annotated, TypeAlias

import strawberry

from projections.fold import status_periods
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day
from schema.inputs.ranges import DayRange
from schema.types.common import Because

StatusDays: TypeAlias = Annotated[DayRange | None, "Only periods that overlap these dates."]


@output_type(first="status first last because announced_on basis")
class StatusPeriod:
    """A period in which a clause has a status."""

    of: strawberry.Private[status_periods.StatusPeriod]

    first: Day = struct_field(name="from", description="The first date.")
    last: Day | None = struct_field(name="until")
    """The last date, inclusive; null if no end is known."""
    because: Because = struct_field()
    confirmed_by: Because | None = struct_field()
