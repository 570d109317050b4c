"""Memory and time of an import of a large file.

    python -m tools.benchmarks.imports [--megabytes 200]

The generated file has claims of four editions on many series, in the corpus format. The resident memory is
the peak of this process, compared with that before the import.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from msgspec import structs

from deploy.bootstrap import prepare
from deploy.postgres import Postgres
from tests.support.fact_builders import claimed
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.reader import File
from tracker.sources.readers import corpus_format
from tracker.sources.readers.corpus_format import format_line

EDITIONS = 4
LINE_BYTES = 340


def lines(size: int) -> Iterator[bytes]:
    """Yield endless claims, edition after edition, on as many series as fit in a size."""
    series = size // LINE_BYTES // EDITIONS
    plain = claimed(1)
    for number in count():
        of = structs.replace(plain.series, form=f"form_{number % series}")
        fact = structs.replace(plain, series=of, edition=f"Edition {number // series}")
        yield format_line(f"claim-{number}", "Figure.Claimed", fact)


def make(path: Path, size: int) -> int:
    """Write a file of about `size` bytes, and return the number of lines."""
    written = 0
    with path.open("wb") as content:
        for number, line in enumerate(lines(size), 1):
            written += content.write(line)
            if written >= size:
                return number
    raise AssertionError("unreachable")


def resident() -> float:
    """Return the peak of resident memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measure(target: Target, path: Path) -> None:
    """Import and print."""
    await prepare(target)
    before, started = resident(), time.perf_counter()
    outcome = await import_file(target, corpus_format.READER, File.at(path))
    seconds = time.perf_counter() - started
    counts = outcome.receipt.counts
    print(
        f"{counts.new + counts.restated:,} facts in {seconds:,.0f} s; memory {before:,.0f} MB"
        f" before, {resident():,.0f} MB at most"
    )


def main() -> None:
    """Run on a separate server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    size = parser.parse_args().megabytes * 1024 * 1024
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = Path(directory) / "facts.jsonl"
        print(f"{make(path, size):,} lines, {path.stat().st_size / 1024 / 1024:,.0f} MB")
        with Postgres.start(Path(directory) / "data") as postgres:
            asyncio.run(measure(postgres.connection.kwargs(), path))


if __name__ == "__main__":
    main()
