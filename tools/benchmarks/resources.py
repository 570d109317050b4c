"""CPU time and memory of one answer or command, with those of PostgreSQL. Linux only."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import psutil  # type: ignore[import-untyped]
import uvloop

from deploy.bootstrap import open_connection, running_tracker
from tests.support.api import Api
from tools.benchmarks.auditing import command
from tracker.postgres.database import Target

SAMPLE_SECONDS = 0.02

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of an answer: CPU seconds, megabytes of its process and of PostgreSQL, and its items."""

    cpu: float
    megabytes: float
    database_megabytes: float
    items: int | str
    """Number of items, or the code of an error."""


class DatabaseMemory:
    """Peak of the memory that the processes of a PostgreSQL allocate, above the beginning."""

    def __init__(self, postmaster: int):
        self._postmaster = psutil.Process(postmaster)
        self._begin = self._peak = self._allocated()

    @property
    def megabytes(self) -> float:
        """The peak so far."""
        return max(0.0, self._peak - self._begin) / 1024

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """Sample for the duration of a block."""
        done = threading.Event()

        def sample() -> None:
            while not done.wait(SAMPLE_SECONDS):
                self._peak = max(self._peak, self._allocated())

        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _allocated(self) -> float:
        return sum(kilobytes(child.pid, "RssAnon") for child in self._postmaster.children())


def kilobytes(process: int, name: str) -> float:
    """Return a value from the status of a process; 0 after its end."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(name)), 0)


def database_cpu(postmaster: int) -> float:
    """Return the CPU seconds of a PostgreSQL, with those of its ended processes."""
    process = psutil.Process(postmaster)
    times = [each.cpu_times() for each in (process, *process.children())]
    ended = times[0].children_user + times[0].children_system
    return float(ended + sum(each.user + each.system for each in times))


async def postmaster_of(target: Target) -> int:
    """Return the first process of a PostgreSQL."""
    async with open_connection(target) as connection:
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        return int(psutil.Process(backend).ppid())


def command_cost(postmaster: int, data_dir: Path, arguments: Sequence[str], items: int) -> Cost:
    """Return the cost of a command of `tracker`."""
    memory, cpu = DatabaseMemory(postmaster), database_cpu(postmaster)
    with memory.sampled():
        used = command(data_dir, *arguments)
    cpu = used.cpu + database_cpu(postmaster) - cpu
    return Cost(cpu, used.megabytes, memory.megabytes, items)


def answer_cost(postmaster: int, target: Target, document: str) -> Cost:
    """Return the cost of an answer, which a new process gives."""
    memory = DatabaseMemory(postmaster)
    with memory.sampled():
        cpu, megabytes, items = in_new_process(_answer, postmaster, target, document)
    return Cost(cpu, megabytes, memory.megabytes, items)


def in_new_process(work: Callable[..., T], *arguments: object) -> T:
    """Return the result of some work in a new process, so that its memory is not that of this one.

    The memory of a command also begins with that of the process that starts it.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments).result()


def _answer(postmaster: int, target: Target, document: str) -> tuple[float, float, int | str]:
    return uvloop.run(_answered(postmaster, target, document))


async def _answered(
    postmaster: int, target: Target, document: str
) -> tuple[float, float, int | str]:
    """Return the CPU seconds, the peak of memory and the items of an answer in this process."""
    async with running_tracker(target) as services:
        api = Api(services)
        await api.ask("{ asOf { position } }")  # imports and plans
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        began = time.process_time() + database_cpu(postmaster)
        answer = await api.post(f"{{ asOf {{ {document} }} }}")
        cpu = time.process_time() + database_cpu(postmaster) - began
        return cpu, kilobytes(os.getpid(), "VmHWM") / 1024, items_of(answer)


def items_of(answer: Mapping[str, Any]) -> int | str:
    """Return the total of the list in an answer, 1 for a value, or the code of an error."""
    for error in answer.get("errors", ()):
        return str(error["extensions"]["code"])
    [value] = answer["data"]["asOf"].values()
    return int(value["totalCount"]) if isinstance(value, dict) else 1
