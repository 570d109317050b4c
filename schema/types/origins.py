"""GraphQL types of lists of origins."""

import strawberry

from schema.base.output_types import output_type
from tracker.domain.figures import origins as domain


@output_type(first="place quantity value includes")
class Origin:
    """One origin in a list, with its part of the imports."""

    of: strawberry.Private[domain.Origin]


@output_type(first="parts unnamed unnamed_value measured")
class Origins:
    """The origins of a place's imports in the printed order. The parts and the unnamed part are the
    whole."""

    of: strawberry.Private[domain.Origins]


def shown_origins(of: domain.Origins | None) -> Origins | None:
    """Return the GraphQL type of a list of origins, or None."""
    return Origins(of=of) if of else None
