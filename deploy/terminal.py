"""What others wrote, shown where it could steer a terminal: escaped."""

from __future__ import annotations

import re
from typing import Any

from rich.console import Console

from tracker.domain.wording import NOT_IN_LINE, NOT_IN_TEXT


class Terminal(Console):
    """A console that shows control and direction characters by their numbers."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as `Console` does."""
        super().print(
            *(escaped(item) if isinstance(item, str) else item for item in objects), **options
        )


def escaped(text: str) -> str:
    """Running text with characters that steer a terminal written as `\\u001b`; lines stay."""
    return NOT_IN_TEXT.sub(_number, text)


def in_one_line(text: str) -> str:
    """A name as it may stand in a line: line ends and tabulators are written by number, too."""
    return NOT_IN_LINE.sub(_number, text)


def _number(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escaped_json(text: str) -> str:
    """A line of JSON that means the same, without characters that steer a terminal."""
    return NOT_IN_LINE.sub(
        lambda found: "".join(f"\\u{unit:04x}" for unit in _utf16_units(found[0])), text
    )


def _utf16_units(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]
