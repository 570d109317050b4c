"""A process that sends alerts: `python -m tests.support.mailing_process TARGET PORT POINT`.

TARGET is JSON for `asyncpg.connect`, PORT is that of the mail server. The process kills itself at
POINT, or never if it is empty. It prints a line when it has the lease.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import date
from typing import Any

from deploy.bootstrap import open_pool
from tests.support.clocks import fix_day
from tests.support.mail_server import MailBox
from tracker.alerts import mailer, smtp
from tracker.alerts.letter import Item, Letter
from tracker.alerts.subscription import Subscription
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

POINTS: dict[str, tuple[Any, str, bool]] = {
    "before a digest is stored": (mailer.Mailing, "_store", False),
    "within the transaction of a digest": (mailer, "check_epoch", True),
    "after a digest is stored": (mailer.Mailing, "_store", True),
    "before a message is sent": (smtp.Connection, "send", False),
    "after the mail server accepted a message": (smtp.Connection, "send", True),
    "after a message is marked as sent": (mailer.Mailing, "_note", True),
}
"""Points of a kill: owner and name of a coroutine function, and whether it has run."""


def kill_at(point: str) -> None:
    """Kill this process at a point."""
    owner, name, after = POINTS[point]
    method = getattr(owner, name)

    async def killing(*arguments: Any, **options: Any) -> Any:
        if after:
            await method(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, killing)


class Positions:
    """Pages whose changes are all events of the log."""

    async def letter(
        self, subscription: Subscription, day: date, position: int, unsubscribe: str
    ) -> Letter | None:
        """Return a letter with the events since the last digest."""
        events = range(subscription.position + 1, position + 1)
        if not events:
            return None
        return Letter("Events", [Item("", f"/events/{each}?", "") for each in events])


async def post(target: Target, port: int) -> None:
    """Send alerts until the process is killed."""
    async with open_pool(target, size=2) as pool:
        head = Recorder(pool).head
        sending = mailer.Mailer(target, MailBox(port).options(), Positions(), head)
        async with sending:
            while not sending.active:
                await asyncio.sleep(0.01)
            print("sends", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    fix_day()
    if sys.argv[3]:
        kill_at(sys.argv[3])
    asyncio.run(post(json.loads(sys.argv[1]), int(sys.argv[2])))
