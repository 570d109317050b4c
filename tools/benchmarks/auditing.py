"""Cost of an auditor's commands in separate processes: time and memory.

    python -m tools.benchmarks.auditing [--events 100000]

The log is the corpus with generated additions (see `growth`), signed. The time is that of the whole command,
with its start. The memory is the peak of its process, without PostgreSQL's.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from deploy.bootstrap import open_connection, open_pool, prepare
from deploy.postgres import Postgres
from tests.support.published_log import publisher
from tools.benchmarks.growth import grown, load
from tools.benchmarks.load import corpus
from tracker.audit.sign.keystore import KeyStore
from tracker.postgres.database import PUBLISHER, Target


async def fill(target: Target, data_dir: Path, size: int) -> None:
    """Create a signed log of a size."""
    await prepare(target)
    async with open_connection(target) as connection:
        await load(connection, grown(corpus()), 0, size)
    keystore = KeyStore(data_dir / "audit")
    keystore.load_or_create("example.org/log")
    async with open_pool(target, role=PUBLISHER, size=2) as pool:
        await publisher(pool, target, keystore).catch_up()


@dataclass(frozen=True, slots=True)
class Used:
    """Resources of a command: seconds, CPU seconds, and the peak of memory in megabytes."""

    seconds: float
    cpu: float
    megabytes: float


def command(data_dir: Path, *arguments: str) -> Used:
    """Run a command of `tracker`."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.cli.main", *arguments, "--data-dir", str(data_dir)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    assert process.returncode == 0, arguments
    return Used(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def line(name: str, size: int, data_dir: Path, *arguments: str) -> None:
    """Run a command and print its line of the table."""
    used = command(data_dir, *arguments)
    print(
        f"| {name} | {used.seconds:.1f} | {size / used.seconds:,.0f} | {used.megabytes:,.0f} |",
        flush=True,
    )


def main() -> None:
    """Run on separate servers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    size = parser.parse_args().events
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" load {os.getloadavg()[0]:.1f}, {size:,} events"
    )
    print("| | seconds | events/s | MB |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        data_dir, bundle = Path(name) / "data", str(Path(name) / "bundle")
        with Postgres.start(data_dir) as postgres:
            uvloop.run(fill(postgres.connection.kwargs(), data_dir, size))
            line("export", size, data_dir, "export", bundle)
            line("export again, nothing new", size, data_dir, "export", bundle)
            line("verify --database", size, data_dir, "verify", "--database")
        own_key = ("--trust-bundle-key", "--allow-missing-texts")  # it is loaded without texts
        line("verify", size, data_dir, "verify", bundle, *own_key)
        line("replay", size, data_dir, "replay", bundle, own_key[0])
        with Postgres.start(Path(name) / "again"):
            line(
                "restore, with the projection",
                size,
                Path(name) / "again",
                "restore",
                bundle,
                *own_key,
            )


if __name__ == "__main__":
    main()
