"""Resume tokens: a position, and which entry stands there.

Whoever comes back with one goes on with the log that it saw, or is told that it was set back: a
position alone would go on with whatever came to stand behind it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tracker.errors import InvalidInput
from tracker.log.entry_hash import leaf_hash

HASH_DIGITS = 16
"""Hexadecimal digits of the hash of an entry that a token has."""
TOKEN = re.compile(rf"(?P<position>\d+)(?:-(?P<hash>[0-9a-f]{{{HASH_DIGITS}}}))?", re.ASCII)
MAX_POSITION = 2**63 - 1
"""The largest number that the database can hold."""
MAX_POSITION_DIGITS = len(str(MAX_POSITION))


class ResumeToken(NamedTuple):
    """The position to go on after, with the hash of the entry there; without it whatever is there."""

    position: int
    hash: str | None = None

    def __str__(self) -> str:
        return str(self.position) if self.hash is None else f"{self.position}-{self.hash}"


def resume_token(position: int, entry: bytes) -> ResumeToken:
    """The token of the entry at a position."""
    return ResumeToken(position, leaf_hash(entry).hex()[:HASH_DIGITS])


def parse_resume_token(given: str, field: str) -> ResumeToken:
    """A token, or a position, from its text. Raises InvalidInput."""
    found = TOKEN.fullmatch(given)
    if not found:
        raise InvalidInput(
            f"{given[:50]!r} is not a position: expected a whole number from 0, or a resume token",
            code="INVALID_POSITION",
            path=(field,),
        )
    return ResumeToken(position_of(found["position"], field), found["hash"])


def position_of(digits: str, field: str) -> int:
    """The position that digits say, of which there may be any number. Raises InvalidInput for one
    above all that there can be."""
    number = digits.lstrip("0") or "0"
    if len(number) > MAX_POSITION_DIGITS or int(number) > MAX_POSITION:
        raise InvalidInput(
            f"{digits[:50]!r} is too large for a position: expected at most {MAX_POSITION}",
            code="INVALID_POSITION",
            path=(field,),
        )
    return int(number)
