"""Follow a log: update its mirror at intervals."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from tracker.audit.mirror.mirror import Mirror, MirrorUpdate
from tracker.errors import Rejected, TrackerError, Unavailable

Progress = Callable[[int, int], None]


async def follow(
    mirror: Mirror,
    poll_interval_seconds: float,
    on_update: Callable[[MirrorUpdate], None],
    on_failure: Callable[[TrackerError], None],
    progress: Progress = lambda done, size: None,
) -> NoReturn:
    """Follow a log until cancelled. `on_update` gets the first update, then each with new events.

    `on_failure` gets the reason why the log cannot be followed now, once per reason. The log does not
    respond, or was set back; then the mirror waits until it is complete again. Raises all other errors of
    `Mirror.update`, such as a fork.
    """
    reason, first = None, True
    while True:
        try:
            update = await mirror.update(progress)
        except (Unavailable, Rejected) as error:
            if isinstance(error, Rejected) and error.code != "SHRUNK":
                raise
            if reason != error.message:
                on_failure(error)
            reason = error.message
        else:
            if first or update.new or reason:
                on_update(update)
            reason, first = None, False
        await asyncio.sleep(poll_interval_seconds)
