"""Scalars: text in and text out.

`arguments.py` and, for mutations, the domain parse the text of a scalar. Both know the field, and a scalar
does not. So an invalid date is an error with the path of its field, both in literals and in variables.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NewType

from graphql import FloatValueNode, IntValueNode, StringValueNode, ValueNode
from strawberry import scalar
from strawberry.types.scalar import ScalarDefinition

from tracker.domain.basics.values import PartialDate

Position = NewType("Position", str)
Day = NewType("Day", str)
Instant = NewType("Instant", str)


def parse_text(value: Any) -> str:
    """Return the text of a scalar that is sent as a string."""
    if not isinstance(value, str):
        raise ValueError("expected a string")
    return value


def parse_number(value: Any) -> str:
    """Return the text of a scalar that is sent as a string or, for convenience, as a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("expected a string or a number")
    return repr(value) if isinstance(value, float) else str(value)


def _number_literal(node: ValueNode, _: Any = None) -> str:
    if not isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        raise ValueError("expected a string or a number")
    return str(node.value)


def isoformat(moment: Any) -> str:
    """Format a time in UTC according to RFC 3339."""
    return str(moment.isoformat()).replace("+00:00", "Z")


def _scalar(
    name: str, description: str, *, numeric: bool = False, serialize: Callable[[Any], Any] = str
) -> ScalarDefinition:
    return scalar(
        name=name,
        description=description,
        serialize=serialize,
        parse_value=parse_number if numeric else parse_text,
        parse_literal=_number_literal if numeric else None,
    )


SCALARS: dict[object, ScalarDefinition] = {
    Position: _scalar(
        "Position",
        "A position in the log: 1, 2, 3, … without gaps, and 0 before the first event. It is"
        " a string, since it has 64 bits.",
        numeric=True,
    ),
    Day: _scalar("Day", "A date, YYYY-MM-DD."),
    PartialDate: _scalar(
        "PartialDate", "A date as precise as in its source: YYYY, YYYY-MM or YYYY-MM-DD."
    ),
    Instant: _scalar(
        "DateTime",
        "A time, YYYY-MM-DDTHH:MM:SSZ (RFC 3339); without an offset it is in UTC.",
        serialize=isoformat,
    ),
    Decimal: _scalar("Decimal", "An exact decimal number, written as a string.", numeric=True),
}
