"""Helpers: processes of this program that take work off the one they are begun by.

A helper reads from its standard input, as lines of JSON, which database is meant and then one piece
of work after the other; it answers with pickles. It ends with its input, or when nobody reads its
answers any more: so it does not outlive whoever began it, however that ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from tracker.errors import Unavailable
from tracker.postgres.database import CONNECTION_ERRORS, Target

SIZE = 4
"""Bytes in front of an answer, which say how long it is."""
LOST_IT = 3
"""The exit code of a helper that has lost its database."""
MADE = 20_000
"""Objects to make before those in cycles are looked for: there are hardly any, and looking through
the facts and states of a page for them took a tenth of the time of a fold."""

Work = Callable[[Target, Iterator[Any]], Awaitable[None]]
"""What a helper does: with which database, and one piece of work after the other."""


class HelperFailed(Exception):
    """A helper could not be begun, or has ended before its work."""


class Helper:
    """A helper, as those see it who have begun it."""

    def __init__(self, process: Process):
        self._process = process

    @classmethod
    @asynccontextmanager
    async def begun(cls, module: str, target: Target) -> AsyncIterator[Helper]:
        """A process that runs a module, for the length of a block. Raises HelperFailed."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, stdin=PIPE, stdout=PIPE
            )
        except OSError as error:
            raise HelperFailed(f"a helper could not be begun: {error}") from None
        helper = cls(process)
        try:
            helper.ask(target)  # not among its arguments, which everybody may see
            yield helper
            await process.communicate(b"")  # whatever it may still have to answer
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def ask(self, work: object) -> None:
        """Give it another piece of work."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(work).encode() + b"\n")

    async def answer(self) -> Any:
        """Its next answer. Raises Unavailable when it has lost the database, else HelperFailed."""
        assert self._process.stdout
        try:
            size = int.from_bytes(await self._process.stdout.readexactly(SIZE))
            return pickle.loads(await self._process.stdout.readexactly(size))
        except asyncio.IncompleteReadError:
            if await self._process.wait() == LOST_IT:
                raise Unavailable("A helper has lost the database") from None
            raise HelperFailed(f"a helper ended with {self._process.returncode}") from None


def look_less_for_cycles() -> None:
    """Have this process look for objects in cycles as rarely as folding wants."""
    gc.set_threshold(MADE, 10, 10)


def help_with(work: Work) -> None:
    """Be a helper: do this work until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who began this process ends it
    look_less_for_cycles()
    try:
        uvloop.run(_helping(work))
    except CONNECTION_ERRORS:  # the database is gone, or nobody reads the answers
        sys.exit(LOST_IT)


async def _helping(work: Work) -> None:
    await work(json.loads(sys.stdin.readline()), map(json.loads, sys.stdin))


def answer(value: object) -> None:
    """Answer to whoever began this process."""
    pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    with open(sys.stdout.fileno(), "wb", closefd=False) as output:
        # Where Python is told not to buffer, sys.stdout may write less than it is given.
        output.write(len(pickled).to_bytes(SIZE) + pickled)
