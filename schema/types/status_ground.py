"""GraphQL type of the record that supports a status."""

from __future__ import annotations

from strawberry import field

from schema.base.decorators import object_type
from schema.base.scalars import Day, Position
from tracker.domain.basics.control_vocabulary import GroundKind
from tracker.domain.controls.confirmation import Ground


@object_type
class StatusGround:
    """A record that supports a status."""

    kind: GroundKind = field(description="The kind of record.")
    on: Day = field(
        description="The date of the act or statement, the publication date of the text, or the last"
        " date of the reading."
    )
    entity: str = field(description="The entity of the record in the log.")
    position: Position = field(description="The position of the record in the log.")
    url: str | None = field(description="The address of its source; null if none is recorded.")
    complete: bool = field(
        description="False for a reading of lists in part, which confirms only an entry into force on"
        " the date of its act."
    )


def status_ground(of: Ground) -> StatusGround:
    """Return the GraphQL type of a record that supports a status."""
    return StatusGround(
        kind=of.kind,
        on=Day(of.on.isoformat()),
        entity=of.entity,
        position=Position(str(of.position)),
        url=of.url,
        complete=not of.in_part,
    )
