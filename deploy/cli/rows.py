"""Rows of values on standard output, for programs."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from deploy.cli.common import print_whole
from deploy.output.terminal import in_one_line

Row: TypeAlias = Sequence[object]


def print_rows(rows: Iterable[Row]) -> None:
    """Print rows with tabs between the values; None is empty."""
    print_whole("\t".join(map(_text, row)) for row in rows)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, list | tuple):
        return ",".join(map(_text, value))
    return in_one_line(str(value))
