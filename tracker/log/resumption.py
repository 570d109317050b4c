"""Validation of resume tokens against the log."""

from tracker.errors import InvalidInput, LogDiverged
from tracker.log.recorder import Recorder
from tracker.log.resume_token import ResumeToken


async def check_in_log(recorder: Recorder, token: ResumeToken, head: int, field: str) -> None:
    """Reject a position that is after `head`, or whose entry differs: the client would miss events.

    Raises InvalidInput, or its subclass LogDiverged.
    """
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
    """Return whether the entry at the position of a token has its hash; a token without a hash matches any
    entry."""
    if token.hash is None:
        return True
    event = (await recorder.lookup.by_position([token.position])).get(token.position)
    return event is not None and event.resume_token == token
