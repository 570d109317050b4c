"""Follow a log: bring its mirror up to date, again and again."""

from __future__ import annotations

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
    """Look at a log for ever. `on_update` gets the first update, and later what is new.

    `on_failure` gets why the log can't be followed for now, once for each reason: it does not answer, or
    was set back, in which case the mirror waits until it is whole again. Raises as `Mirror.update` for all
    else, such as a fork.
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
