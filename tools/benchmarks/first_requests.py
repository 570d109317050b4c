"""First requests of the pages after `tracker demo` is ready, in milliseconds.

    python -m tools.benchmarks.first_requests [--rounds 3] [--write PAGE]

Each page of the menu, and some pages below them, is requested once after a cold start (an empty data
directory), and once after a warm start. CPU time is that of the server without PostgreSQL. Bytes are those of
the HTML, uncompressed.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

from schema.pages.site.frame import NAVIGATION
from tools.benchmarks.harness import machine, markdown, options, publish
from tools.benchmarks.starting import Demo, running_demo

PATHS = (
    "/",
    *(path for _, pages in NAVIGATION for path, _ in pages),
    "/commodities/gallium",
    "/places/CN",
    "/places/US/dependence",
    "/controls/cn-mofcom-2024-46",
    "/alliances/quad",
    "/search?q=gallium",
    "/sources",
    "/coverage",
    "/docs",
    "/tables",
    "/about",
)
"""The front page, the pages of the menu, and some below them."""


class First(NamedTuple):
    """The first request of a page."""

    milliseconds: float
    cpu_milliseconds: float
    size: float


def first_requests(demo: Demo) -> Iterator[tuple[str, First]]:
    """Request each page of a running demo once."""
    for path in PATHS:
        before, began = _cpu(demo), time.perf_counter()
        with urlopen(Request(demo.url + path, headers={"Accept": "text/html"})) as response:
            size = len(response.read())
        seconds = time.perf_counter() - began
        yield path, First(1000 * seconds, 1000 * (_cpu(demo) - before), size)


def report(taken: Sequence[Sequence[Mapping[str, First]]]) -> str:
    """Return the medians of the first requests after cold and warm starts as a table."""
    cold, warm = map(medians, zip(*taken, strict=True))
    rows = [
        [
            f"`{path}`",
            *(f"{figure:,.0f}" for of in (cold, warm) for figure in of[path][:2]),
            f"{warm[path].size:,.0f}",
        ]
        for path in warm
    ]
    header = ["page", "cold, ms", "CPU", "warm, ms", "CPU", "bytes"]
    return f"{machine()}; medians, rounds: {len(taken)}.\n\n{markdown(header, rows)}"


def medians(taken: Sequence[Mapping[str, First]]) -> dict[str, First]:
    """Return the median of each figure of each page."""
    return {
        path: First(*map(statistics.median, zip(*(each[path] for each in taken), strict=True)))
        for path in taken[0]
    }


def cold_and_warm() -> list[dict[str, First]]:
    """Return the first requests after two starts on a new directory."""
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as directory:
        os.chmod(directory, 0o755)  # PostgreSQL runs under another account when this runs as root
        taken = []
        for _ in ("cold", "warm"):
            with running_demo(Path(directory) / "data") as demo:
                taken.append(dict(first_requests(demo)))
        return taken


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    chosen = options(str(__doc__)).parse_args(arguments)
    taken = [cold_and_warm() for _ in range(chosen.rounds)]
    publish("requests", report(taken), chosen.write)


def _cpu(demo: Demo) -> float:
    return float(sum(demo.process.cpu_times()[:2]))


if __name__ == "__main__":
    main()
