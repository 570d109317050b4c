"""The log of a demo or of a mirror, and its distinction from a production log.

Anyone may write to a running demo, under the name `demo`. The shipped log is the same everywhere, so a
comment in the database marks the log of a demo permanently, also in a backup. Earlier demos recorded the
corpus themselves: their first event is of `demo`.
"""

from ipaddress import ip_address
from pathlib import Path

from deploy.bootstrap import open_connection, opened_pool
from schema.services import OPEN_CALLER
from tracker.errors import InvalidInput
from tracker.log.recorder import Recorder
from tracker.postgres.database import OWNER, Target, named_queries

SQL = named_queries(Path(__file__).with_name("demo_log.sql"))
MIRROR = "mirror"
ACTOR = OPEN_CALLER.name
OTHERS = (
    "this log was not begun by `tracker demo`. A demo would permanently add its corpus and let "
    "anyone write. Omit --data-dir, or name a separate directory"
)
A_DEMO = (
    "this log was begun by `tracker demo`: it has the shipped corpus, and possibly events of"
    " anyone who could reach the demo, recorded as `demo`. They cannot be removed. Name another"
    " directory (--data-dir) for your own log, or use this one explicitly:"
    " `tracker serve --continue-demo`"
)
A_MIRROR = (
    "this log is a mirror of another, which alone may continue it: send changes to the origin, serve this one"
    " with --mirror, or name another directory (--data-dir)"
)
NOT_A_MIRROR = (
    "this log has events of its own, so it cannot become a mirror: name another directory"
    " (--data-dir)"
)


async def check_demo(target: Target) -> None:
    """Check that a demo may use a log, and mark an empty one. Raises InvalidInput (NOT_A_DEMO)."""
    is_demo = await began_as_demo(target)
    if is_demo is False:
        raise InvalidInput(OTHERS, code="NOT_A_DEMO")
    if is_demo is None:
        async with open_connection(target, role=OWNER) as connection:
            await connection.execute(SQL.mark)


async def check_no_demo(target: Target) -> None:
    """Check that a log is not a demo's. Raises InvalidInput (DEMO_LOG)."""
    if await began_as_demo(target):
        raise InvalidInput(A_DEMO, code="DEMO_LOG")


async def check_no_mirror(target: Target) -> None:
    """Check that events may be appended to a log. Raises InvalidInput (MIRROR_LOG)."""
    if await _mark(target) == MIRROR:
        raise InvalidInput(A_MIRROR, code="MIRROR_LOG")


async def check_mirror(target: Target) -> None:
    """Check that a log may become a mirror, and mark an empty one. Raises InvalidInput (NOT_A_MIRROR)."""
    async with opened_pool(target) as pool:
        used = bool(await Recorder(pool).read(limit=1))
    if await _mark(target) == MIRROR:
        return
    if used:
        raise InvalidInput(NOT_A_MIRROR, code="NOT_A_MIRROR")
    async with open_connection(target, role=OWNER) as connection:
        await connection.execute(SQL.mark_mirror)


async def began_as_demo(target: Target) -> bool | None:
    """Whether a log was begun by a demo; None for an empty log that is not marked."""
    if mark := await _mark(target):
        return mark != MIRROR
    async with opened_pool(target) as pool:
        first = await Recorder(pool).read(limit=1)
    return first[0].actor == ACTOR if first else None


async def _mark(target: Target) -> str | None:
    async with opened_pool(target) as pool:
        mark: str | None = await pool.fetchval(SQL.marked)
    return mark


def is_local(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
