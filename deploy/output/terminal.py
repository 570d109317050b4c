"""Text on terminals, with control characters and unencodable characters escaped."""

import codecs
import io
import os
import re
import select
import sys
from typing import Any

from rich.console import Console

from tracker.domain.basics.text_rules import NOT_IN_LINE, NOT_IN_TEXT

UTF_8 = "utf-8"
ESCAPES = "tracker_escapes"
"""Name of `_escape_unencodable` among the error handlers of encodings."""


class Terminal(Console):
    """A console that escapes control and direction characters."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as `Console` does."""
        super().print(
            *(escaped(item) if isinstance(item, str) else item for item in objects), **options
        )


def escaped(text: str) -> str:
    """Return running text with control characters as `\\u001b`; line ends stay."""
    return NOT_IN_TEXT.sub(_number, text)


def in_one_line(text: str) -> str:
    """Return a name for use in a line; line ends and tabs are escaped too."""
    return NOT_IN_LINE.sub(_number, text)


def _number(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escaped_json(text: str) -> str:
    """Return an equivalent line of JSON without control characters."""
    return NOT_IN_LINE.sub(
        lambda match: "".join(f"\\u{unit:04x}" for unit in _utf16_units(match[0])), text
    )


def _utf16_units(character: str) -> list[int]:
    raw = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2)]


def allow_any_encoding() -> None:
    """Let standard output and error accept every character.

    They use UTF-8, or on a terminal of another encoding JSON escapes.
    """
    codecs.register_error(ESCAPES, _escape_unencodable)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            right = stream.isatty() or stream.encoding.lower() == UTF_8
            stream.reconfigure(encoding=None if right else UTF_8, errors=ESCAPES)


def _escape_unencodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = _utf16_units(error.object[error.start : error.end])
    return "".join(f"\\u{unit:04x}" for unit in units), error.end


def output_is_closed() -> bool:
    """Whether the reader of the output has closed it, as `head` does."""
    poll = select.poll()
    poll.register(sys.stdout, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def discard_output() -> None:
    """Discard all output from now on, including buffered output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
