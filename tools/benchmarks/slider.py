"""Sixty months in one query, compared with the same query for one month, with the same client.

    python -m tools.benchmarks.slider [--rounds 3] [--seconds 3] [--write PAGE]

This is the query of a time slider: `over` in steps of a month. Responses are not cached, so every query is
executed; states are cached. One connection is used, so that times are those of one user.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from contextlib import ExitStack

import uvloop

from deploy.bootstrap import running_tracker
from tools.benchmarks.graphql import own_rows, started
from tools.benchmarks.harness import machine, markdown, options, publish, server
from tools.benchmarks.queries import Answered, post, request
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

MONTHS = 60
QUERIES = {
    "controls of a commodity, with their clauses": """exportControls(commodity: "gallium", first: 100)
        { nodes { key title clauses { key status measure commodities { key } } } }""",
    "members of an alliance": 'alliance(id: "msp") { name members { place { code name } } }',
    "production of a year": """production(commodity: "rare_earths", year: 2023)
        { world { value } figures { place { code } value share } }""",
}


def one(position: int, selection: str) -> str:
    """Return the query for one month."""
    return f'{{ asOf(validAt: "2025-12-01", position: "{position}") {{ validAt {selection} }} }}'


def many(position: int, selection: str) -> str:
    """Return the query for sixty months."""
    return (
        f'{{ over(from: "2021-01-01", to: "2025-12-01", step: MONTH, position: "{position}")'
        f" {{ validAt {selection} }} }}"
    )


async def load(target: Target) -> int:
    """Load the corpus and return its last position."""
    async with running_tracker(target) as services:
        await import_file(target, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
        head = await services.recorder.head()
        await services.projector.reach(head, seconds=120)
        return head


async def measured(
    port: int, process: int, head: int, rounds: int, seconds: float
) -> dict[str, tuple[list[Answered], list[Answered]]]:
    """Measure one month and sixty by query, after an unmeasured warm-up."""
    taken: dict[str, tuple[list[Answered], list[Answered]]] = {name: ([], []) for name in QUERIES}
    for number in range(-1, rounds):
        for name, selection in QUERIES.items():
            for body, into in zip((one, many), taken[name], strict=True):
                sent = request("/graphql", json.dumps({"query": body(head, selection)}).encode())
                await asyncio.sleep(0.2)
                got = await post(port, sent, process, seconds=seconds, connections=1)
                print(f"{name}: {got}", file=sys.stderr)
                if number >= 0:
                    into.append(got)
    return taken


def report(taken: dict[str, tuple[list[Answered], list[Answered]]]) -> str:
    """Return the medians as Markdown."""
    cells = []
    for name, both in taken.items():
        alone, together = (statistics.median(each.p50 for each in runs) for runs in both)
        cpu = [statistics.median(each.cpu for each in runs) for runs in both]
        cells.append(
            [
                name,
                f"{alone:.2f}",
                f"{together:.2f}",
                f"{together / alone:.1f}",
                f"{cpu[1] / cpu[0]:.1f}",
            ]
        )
    header = ["question", "one month, ms", f"{MONTHS} months, ms", "times as long", "times the CPU"]
    return f"{machine()}. Medians.\n\n{markdown(header, cells)}"


def main() -> None:
    """Measure and print, or write to a page."""
    parser = options(str(__doc__))
    parser.add_argument("--seconds", type=float, default=3, help="seconds per measurement")
    chosen = parser.parse_args()
    with server() as target, ExitStack() as running:
        head = uvloop.run(load(target))
        port, process = running.enter_context(started(own_rows(target, 0)))
        taken = uvloop.run(measured(port, process, head, chosen.rounds, chosen.seconds))
    publish("slider", report(taken), chosen.write)


if __name__ == "__main__":
    main()
