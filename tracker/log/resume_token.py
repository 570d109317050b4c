"""Resume tokens: a position with the hash of its entry.

A client with a token resumes the same log, or gets an error if it was set back. A position alone would resume
with different events after a set-back.
"""

import re
from typing import NamedTuple

from tracker.errors import InvalidInput
from tracker.log.entry_hash import leaf_hash

HASH_DIGITS = 16
"""Number of hexadecimal digits of the entry's hash in a token."""
TOKEN = re.compile(rf"(?P<position>\d+)(?:-(?P<hash>[0-9a-f]{{{HASH_DIGITS}}}))?", re.ASCII)
MAX_POSITION = 2**63 - 1
"""Largest integer of the database."""
MAX_POSITION_DIGITS = len(str(MAX_POSITION))


class ResumeToken(NamedTuple):
    """The position after which to resume, with the hash of its entry; without a hash any entry is
    accepted."""

    position: int
    hash: str | None = None

    def __str__(self) -> str:
        return str(self.position) if self.hash is None else f"{self.position}-{self.hash}"


def resume_token(position: int, entry: bytes) -> ResumeToken:
    """Return the token of the entry at a position."""
    return ResumeToken(position, leaf_hash(entry).hex()[:HASH_DIGITS])


def parse_resume_token(text: str, field: str) -> ResumeToken:
    """Parse a token or a position. Raises InvalidInput."""
    match = TOKEN.fullmatch(text)
    if not match:
        raise InvalidInput(
            f"{text[:50]!r} is not a position: expected a whole number from 0, or a resume token",
            code="INVALID_POSITION",
            path=(field,),
        )
    return ResumeToken(position_of(match["position"], field), match["hash"])


def position_of(digits: str, field: str) -> int:
    """Return the position from any number of digits. Raises InvalidInput for one above the maximum."""
    number = digits.lstrip("0") or "0"
    if len(number) > MAX_POSITION_DIGITS or int(number) > MAX_POSITION:
        raise InvalidInput(
            f"{digits[:50]!r} is too large for a position: expected at most {MAX_POSITION}",
            code="INVALID_POSITION",
            path=(field,),
        )
    return int(number)
