"""Resume tokens: a position, and which entry stands there.

Whoever comes back with one goes on with the log that it saw, or is told that it was set back: a
position alone would go on with whatever came to stand behind it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tracker.errors import InvalidInput, LogDiverged
from tracker.log.entry_hash import leaf_hash

if TYPE_CHECKING:
    from tracker.log.recorder import Recorder

HASH_DIGITS = 16
"""Hexadecimal digits of the hash of an entry that a token has."""
TOKEN = re.compile(rf"(?P<position>\d{{1,19}})(?:-(?P<hash>[0-9a-f]{{{HASH_DIGITS}}}))?", re.ASCII)
LAST_POSITION = 2**63 - 1


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
    if not found or int(found["position"]) > LAST_POSITION:
        raise InvalidInput(
            f"{given[:50]!r} is not a position: expected a whole number from 0, or a resume token",
            code="INVALID_POSITION",
            path=(field,),
        )
    return ResumeToken(int(found["position"]), found["hash"])


async def check_in_log(recorder: Recorder, token: ResumeToken, head: int, field: str) -> None:
    """Refuse to go on after a position that the log, which ends at `head`, does not have, or has for
    another entry: what follows would not be what the client has missed. Raises InvalidInput, of
    which LogDiverged is one."""
    if token.position > head:
        raise InvalidInput(
            f"the log ends at {head}: expected a position up to that. If {token.position} was seen in"
            " this log, it was set back to an older state, and what comes next may differ from what was"
            " seen; if not, it is of another log",
            code="POSITION_BEYOND_HEAD",
            path=(field,),
        )
    if not await is_in_log(recorder, token):
        raise LogDiverged(
            f"the entry at {token.position} is not the one of the token {token}: the log was set back to"
            " an older state and has grown again, or the token is of another log. What is the same is"
            " found with older tokens: it ends at the last one that is taken"
            " (docs/events.md#missing-nothing)",
            path=(field,),
        )


async def is_in_log(recorder: Recorder, token: ResumeToken) -> bool:
    """Whether the entry of a token is the one at its position; a token without one has any."""
    if token.hash is None:
        return True
    found = (await recorder.lookup.by_position([token.position])).get(token.position)
    return found is not None and found.resume_token == token
