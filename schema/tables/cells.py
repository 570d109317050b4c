"""Values of a table as texts of cells."""

import re
from typing import Any

import orjson

FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""Characters at the start of a cell that spreadsheets interpret as a formula, as listed by OWASP."""
NUMBERS = frozenset({"Decimal", "Float", "Int", "Position"})
"""Scalars whose texts are digits, with at most a minus before them."""
SEPARATOR = "; "
"""Separator of several values in a cell."""


def escape_formula(text: str) -> str:
    """Return a text that no spreadsheet interprets as a formula: `=1` as `'=1`."""
    return f"'{text}" if FORMULA.match(text) else text


def cell(scalar: str, value: Any) -> str:
    """Return a value of a scalar as the text of a cell.

    Null is empty, several values have semicolons, objects are JSON. Texts of others are escaped as in
    `escape_formula`.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return escape_formula(SEPARATOR.join(plain(item) for item in value))
    return plain(value) if scalar in NUMBERS else escape_formula(plain(value))


def plain(value: Any) -> str:
    """Return a single value as a text."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
