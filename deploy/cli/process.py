"""The process of a command: event loop, signals, exit codes."""

import asyncio
import gc
import signal
import sys
from collections.abc import Coroutine
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import uvloop

T = TypeVar("T")

GC_THRESHOLDS = (10_000, 10, 10) if sys.version_info >= (3, 14) else (10_000, 2, 100)
"""Thresholds of the cyclic garbage collector. Cycles are rare, and scanning the facts and states of a page
took a tenth of the time of a fold. Before Python 3.14 a collection of the second generation scans all of it
at once, and ten of 20,000 objects blocked the event loop for more than 100 ms."""


class Exit(IntEnum):
    """Exit codes of commands, as in the table of docs/commands.md."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 3
    FAILED = 70
    INTERRUPTED = 130


def catch_signals() -> None:
    """Exit by SystemExit on SIGTERM, so that all resources are closed, PostgreSQL included."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(*_: Any) -> NoReturn:
    sys.exit(Exit.INTERRUPTED)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; SIGINT and SIGTERM cancel it, then exit by SystemExit."""
    gc.freeze()  # modules are permanent
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        return uvloop.run(_cancelled_by_signals(main))
    except asyncio.CancelledError:
        sys.exit(Exit.INTERRUPTED)
    finally:
        catch_signals()  # closing the loop removed its handlers


def freeze_gc() -> None:
    """Exclude current objects, such as modules and the schema, from garbage collection.

    They are permanent, and scanning them caused the slowest requests.
    """
    gc.collect()
    gc.freeze()


async def _cancelled_by_signals(main: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await main
