"""Publishes a log and is killed at a step: before or after each externally visible call.

Run as `python -m tests.support.crash_publisher TARGET DIRECTORY`. For each number on standard input a
child is forked, which publishes and kills itself before that step; 0 means never. The output is the
number of steps reached.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from tests.support.published_log import publish


class StepCounter:
    """A counter of steps that kills the process at one of them."""

    def __init__(self, last: int):
        self.last, self.count = last, 0

    def step(self) -> None:
        """Count a step."""
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, of: Any, name: str) -> None:
        """Count a step before and one after every call of a function."""
        work: Callable[..., Any] = getattr(of, name)

        def stepping(*arguments: Any, **options: Any) -> Any:
            self.step()
            result = work(*arguments, **options)
            self.step()
            return result

        async def stepping_later(*arguments: Any, **options: Any) -> Any:
            self.step()
            result = await work(*arguments, **options)
            self.step()
            return result

        later = asyncio.iscoroutinefunction(work)
        setattr(of, name, stepping_later if later else stepping)


def child(target: dict[str, Any], directory: Path, last: int) -> int:
    """Publish, and return the number of steps."""
    steps = StepCounter(last)
    for name in ("fetch", "fetchrow", "fetchval", "execute"):
        steps.around(asyncpg.Connection, name)
    for name in ("replace", "fsync", "open"):
        steps.around(os, name)
    asyncio.run(publish(target, directory))
    return steps.count


def main() -> None:
    """Fork a child for every number."""
    target, directory = json.loads(sys.argv[1]), Path(sys.argv[2])
    for line in sys.stdin:
        here, there = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(there, b"%d" % child(target, directory, int(line)))
            os._exit(0)
        os.close(there)
        with os.fdopen(here) as told:
            said = told.read()
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else said or "failed", flush=True)


if __name__ == "__main__":
    main()
