"""Faults at random moments under load, and the environments for them."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import psutil  # type: ignore[import-untyped]

from deploy.cli.process import Exit
from deploy.postgres import Postgres
from tests.faults.brokers import SystemWithBroker, kill_broker, kill_relay
from tests.faults.deliveries import (
    SystemWithReceivers,
    freeze_deliverer,
    kill_deliverer,
    kill_receivers,
)
from tests.faults.disk import small_disk
from tests.faults.load import Broken
from tests.faults.proxy import Proxy
from tests.faults.watching import SystemWithWatchers, freeze_watcher, kill_watcher
from tests.faults.world import SystemUnderLoad
from tests.support.processes import command, postmasters
from tests.support.time_limits import within
from tracker.postgres.database import CONNECTION_ERRORS, connect

FILL_WAL = "SELECT pg_logical_emit_message(false, 'faults', 'fills'), pg_switch_wal()"
OTHERS_SECONDS = 15
"""Timeout in seconds for other processes when one is frozen: 10, and a margin for a busy machine."""
LONG_SECONDS = 12
"""Maximum seconds of a freeze: longer than the timeout of an append."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault."""

    world: Callable[[], AbstractAsyncContextManager[SystemUnderLoad]]
    strike: Callable[[SystemUnderLoad, Random], Awaitable[float]]
    """Function that applies the fault and restarts ended processes. Returns the time from which only
    the tracker has to recover."""


class SystemWithRival(SystemUnderLoad):
    """A tracker with a rival that is frozen."""

    # Measures the time until others continue, not the time of projecting the backlog.
    pause_seconds = 0.05


@contextmanager
def room() -> Iterator[Path]:
    """Create a directory that PostgreSQL's own account can enter."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-faults-", dir="/tmp"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        for process in postmasters(directory):  # left by a broken guarantee
            process.kill()
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def embedded(
    system: type[SystemUnderLoad] = SystemUnderLoad,
) -> AsyncIterator[SystemUnderLoad]:
    """Run a system on the embedded PostgreSQL of `tracker serve`."""
    with room() as directory:
        async with system(directory / "data") as world:
            yield world


@asynccontextmanager
async def behind_a_proxy(
    system: type[SystemUnderLoad] = SystemUnderLoad, rival: bool = False
) -> AsyncIterator[SystemUnderLoad]:
    """Run a system on a PostgreSQL behind a proxy, perhaps with a second `tracker serve`."""
    with room() as directory, Postgres.start(directory / "data") as postgres:
        async with (
            Proxy(postgres.connection, directory) as proxy,
            system(directory / "unused", proxy=proxy, rival=rival) as world,
        ):
            yield world


with_receivers = partial(embedded, SystemWithReceivers)
with_receivers_and_a_rival = partial(behind_a_proxy, SystemWithReceivers, rival=True)
with_a_broker = partial(embedded, SystemWithBroker)
with_watchers = partial(embedded, SystemWithWatchers)
with_a_rival = partial(behind_a_proxy, SystemWithRival, rival=True)


@asynccontextmanager
async def on_a_small_disk() -> AsyncIterator[SystemUnderLoad]:
    """Run `tracker serve` with its embedded PostgreSQL, with all data on a small disk."""
    with room() as directory, small_disk(directory) as disk:
        async with SystemUnderLoad(directory / "data", disk=disk) as world:
            yield world


async def kill_api(world: SystemUnderLoad, chance: Random) -> float:
    """Kill `tracker serve`; its PostgreSQL continues."""
    world.serving.process.kill()
    struck = time.monotonic()
    await world.ended()
    await world.serve()
    return struck


async def kill_postgres(world: SystemUnderLoad, chance: Random) -> float:
    """Kill PostgreSQL's first process: `tracker serve` ends with the reason."""
    postmaster(world).kill()
    struck = time.monotonic()
    await has_given_up(world, "PostgreSQL has ended")
    await world.serve()
    return struck


async def kill_backend(world: SystemUnderLoad, chance: Random) -> float:
    """Kill a PostgreSQL backend: PostgreSQL closes all other connections and recovers."""
    chance.choice(backends(world)).kill()
    return time.monotonic()


async def cut_connection(world: SystemUnderLoad, chance: Random) -> float:
    """Break a connection to PostgreSQL after a random number of bytes."""
    assert world.proxy
    cuts = world.proxy.cuts
    world.proxy.cut(chance.choice(["asked", "answered"]), chance.randint(1, 20_000))
    await world.until(lambda: world.proxy.cuts > cuts, "a connection is cut")
    return time.monotonic()


async def freeze_server(world: SystemUnderLoad, chance: Random) -> float:
    """Stop one of two servers with SIGSTOP: the other one continues, and so does the first when resumed."""
    assert world.rival
    frozen = psutil.Process(world.rival.process.pid)
    frozen.suspend()
    struck = time.monotonic()
    try:
        await world.settled(within(OTHERS_SECONDS))
        went_on = time.monotonic() - struck
    finally:
        frozen.resume()
    await world.ready(world.rival.url)
    return time.monotonic() - went_on


async def freeze_backend(world: SystemUnderLoad, chance: Random) -> float:
    """Stop a PostgreSQL backend with SIGSTOP, with all its locks."""
    frozen = chance.choice(backends(world))
    await frozen_for(chance.uniform(0.5, LONG_SECONDS), [frozen])
    return time.monotonic()


async def freeze_postgres(world: SystemUnderLoad, chance: Random) -> float:
    """Stop all of PostgreSQL with SIGSTOP."""
    first = postmaster(world)
    await frozen_for(chance.uniform(0.5, LONG_SECONDS), [first, *first.children()])
    return time.monotonic()


async def swallow(world: SystemUnderLoad, chance: Random) -> float:
    """Drop all network traffic without errors; older connections stay silent."""
    assert world.proxy
    world.proxy.swallow()
    await asyncio.sleep(chance.uniform(0.5, LONG_SECONDS))
    world.proxy.heal()
    return time.monotonic()


async def frozen_for(seconds: float, processes: list[psutil.Process]) -> None:
    """Stop processes, and resume them after some seconds."""
    for process in processes:
        process.suspend()
    try:
        await asyncio.sleep(seconds)
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


async def fill_disk(world: SystemUnderLoad, chance: Random) -> float:
    """Fill the disk of tables: commands are refused, reads continue."""
    assert world.disk
    world.disk.fill(chance.randrange(1 << 16))
    await world.until(
        lambda: any(sent.refused for sent in world.sent) or gone(world), "a full disk is told"
    )
    if gone(world):  # the write-ahead log had no space
        await has_given_up(world, "The disk of")
    else:
        await world.answered("{ head asOf { digest } }")
    world.disk.free()
    struck = time.monotonic()
    if gone(world):
        await world.serve()
    return struck


async def fill_wal(world: SystemUnderLoad, chance: Random) -> float:
    """Fill the disk of the write-ahead log: PostgreSQL stops, and does not start until there is space.

    `tracker serve` reports both.
    """
    assert world.disk
    world.disk.fill(chance.randrange(1 << 16))
    while not gone(world):
        with suppress(*CONNECTION_ERRORS):
            connection = await connect(world.target)
            await connection.execute(FILL_WAL)
            await connection.close()
        await asyncio.sleep(0.01)
    await has_given_up(world, "The disk of")
    again = await asyncio.to_thread(command, "serve", data_dir=world.data_dir)
    if again.returncode != Exit.UNAVAILABLE or "The disk of" not in again.stderr:
        raise Broken(f"on a full disk serve ends with {again.returncode}: {again.stderr}")
    world.disk.free()
    struck = time.monotonic()
    await world.serve()
    return struck


FAULTS = {
    "api": Fault(embedded, kill_api),
    "postgres": Fault(embedded, kill_postgres),
    "backend": Fault(embedded, kill_backend),
    "cut": Fault(behind_a_proxy, cut_connection),
    "freeze": Fault(with_a_rival, freeze_server),
    "freeze-backend": Fault(embedded, freeze_backend),
    "freeze-postgres": Fault(embedded, freeze_postgres),
    "swallow": Fault(behind_a_proxy, swallow),
    "disk": Fault(on_a_small_disk, fill_disk),
    "wal": Fault(on_a_small_disk, fill_wal),
    "deliverer": Fault(with_receivers_and_a_rival, kill_deliverer),
    "freeze-deliverer": Fault(with_receivers_and_a_rival, freeze_deliverer),
    "deliverer-alone": Fault(with_receivers, kill_api),
    "receiver": Fault(with_receivers, kill_receivers),
    "receiver-postgres": Fault(with_receivers, kill_postgres),
    "broker": Fault(with_a_broker, kill_broker),
    "relay": Fault(with_a_broker, kill_relay),
    "watch": Fault(with_watchers, kill_watcher),
    "freeze-watch": Fault(with_watchers, freeze_watcher),
}


def postmaster(world: SystemUnderLoad) -> psutil.Process:
    """Return the first process of the PostgreSQL of `tracker serve`."""
    [found] = psutil.Process(world.serving.process.pid).children()
    return found


def backends(world: SystemUnderLoad) -> list[psutil.Process]:
    """Return the PostgreSQL backends of connections."""
    return [
        process
        for process in postmaster(world).children()
        if process.cmdline()[0].startswith("postgres: tracker")
    ]


def gone(world: SystemUnderLoad) -> bool:
    """Whether `tracker serve` has ended."""
    return world.serving.process.poll() is not None


async def has_given_up(world: SystemUnderLoad, message: str) -> None:
    """Check that `tracker serve` ends with a message and its exit code."""
    code = await world.ended()
    said = world.serving.output
    if code != Exit.UNAVAILABLE or message not in said or "Traceback" in said:
        raise Broken(f"serve ended with {code}, saying {said}")
