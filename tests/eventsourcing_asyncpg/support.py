"""Shared parts of the tests of the library's recorders."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from tests.support.time_limits import within
from tracker.postgres.database import Target, connect

ROOT = Path(__file__).parents[2]


def events(
    count: int, key: UUID | str | None = None, first: int = 1, state: bytes = b"state"
) -> list[StoredEvent]:
    """Return consecutive events of one originator."""
    key = key or uuid4()
    return [StoredEvent(key, version, "topic", state) for version in range(first, first + count)]


def run(target: Target, statement: str) -> Any:
    """Run a statement over a connection of its own, and return its value."""

    async def execute() -> Any:
        connection = await connect(target)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(execute())


def run_all(target: Target, statements: str) -> None:
    """Run statements over a connection of its own."""

    async def execute() -> None:
        connection = await connect(target)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    asyncio.run(execute())


def kill_others(target: Target) -> int:
    """Kill every other connection to the database, and return their number."""
    return int(
        run(
            target,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
    )


def kill_waiting(target: Target) -> int:
    """Kill the connections that wait for a lock, and return their number."""
    return int(
        run(
            target,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
    )


@contextmanager
def locked(target: Target, table: str) -> Iterator[None]:
    """Hold the lock of inserts into a table, like a slow writer."""
    ready, done = threading.Event(), threading.Event()

    async def hold() -> None:
        connection = await connect(target)
        await connection.execute(
            "SELECT pg_advisory_lock(hashtextextended($1, 0))", f'"public"."{table}"'
        )
        ready.set()
        await asyncio.to_thread(done.wait)
        await connection.close()

    holder = threading.Thread(target=lambda: asyncio.run(hold()))
    holder.start()
    ready.wait()
    try:
        yield
    finally:
        done.set()
        holder.join()


def waiting_for_the_lock(target: Target) -> bool:
    """Whether a connection waits for that lock."""
    return bool(
        run(target, "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    )


def until(happened: Callable[[], bool]) -> None:
    """Wait for something that has no other sign."""
    deadline = time.monotonic() + within(20)
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def in_a_process(
    script: str, *, url: str, module: str = "tracker.eventsourcing_asyncpg", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a script in a separate Python, and fail if it does not end."""
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=within(60),
        check=False,
        cwd=ROOT,
        env={
            **os.environ,
            "PERSISTENCE_MODULE": module,
            "TRACKER_DATABASE_URL": url,
            **environment,
        },
    )
