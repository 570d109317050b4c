"""Values of a table as texts of cells."""

from __future__ import annotations

import re
from typing import Any

import orjson

FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What makes a spreadsheet take a cell for a formula at its beginning, as OWASP lists it."""
NUMBERS = frozenset({"Decimal", "Float", "Int", "Position"})
"""Scalars whose texts are digits of ours, a minus before them at most."""
SEPARATOR = "; "
"""Between the values of a cell with several."""


def escape_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula: `=1` as `'=1`."""
    return f"'{text}" if FORMULA.match(text) else text


def cell(scalar: str, value: Any) -> str:
    """A value of a scalar as the text of a cell: nothing for null, several with semicolons, objects
    as JSON; what others wrote is no formula."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return escape_formula(SEPARATOR.join(plain(item) for item in value))
    return plain(value) if scalar in NUMBERS else escape_formula(plain(value))


def plain(value: Any) -> str:
    """A single value as a text."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
