"""One check of a shipment beside one list of controls with clauses, and a file of a thousand shipments.

    python -m tools.benchmarks.shipments [--rounds 3] [--seconds 3] [--write PAGE]

Responses are not cached, so every query is executed; states are cached. One connection is used.
"""

import asyncio
import json
import statistics
import sys
import time
from contextlib import ExitStack
from itertools import cycle, islice, product

import httpx2
import uvloop

from tools.benchmarks.graphql import own_rows, started
from tools.benchmarks.harness import load, machine, markdown, options, publish, server
from tools.benchmarks.queries import Answered, cpu, post, request

LINES = 1000
STATES_BYTES = 64 * 1024 * 1024
"""Size of the cache of states, as of a server."""
FIRST = "a list of controls with their clauses"
SELECTED = "key title"
CLAUSE = "key measure status confirmation inForceFrom commodities { key }"
CHECKED = f"kind match obligation clause {{ control {{ {SELECTED} }} clause {{ {CLAUSE} }} }}"
INPUT = '(input: {commodity: "gallium", origin: "CN", destination: "US"})'
QUERIES = {
    FIRST: f"""exportControls(commodity: "gallium", first: 100)
        {{ edges {{ node {{ {SELECTED} }} matchingClauses {{ {CLAUSE} }} }} }}""",
    "rules and questions for a shipment": f"""shipment{INPUT}
        {{ verdicts {{ {CHECKED} }} openQuestions {{ text }} }}""",
    "the whole check": f"""shipment{INPUT} {{
        verdicts {{ {CHECKED} }} openQuestions {{ text }} notInForce {{ obligation firstDay }}
        importDuties {{ low high steps {{ text }} remarks }} upcoming {{ day summary }}
        completeness {{ completeness {{ statement }} }} newestActs {{ issuer newestFactOn }} }}""",
}
GOODS = ("gallium", "tungsten", "permanent_magnets", "cobalt", "nickel", "aluminium", "graphite")
ORIGINS = ("CN", "RU", "CD", "ID", "JP")
DESTINATIONS = ("US", "DE", "IN", "KR")
FIRMS = ("", "Lockheed Martin Corporation", "Unknown GmbH")


def lines() -> str:
    """Return a file of a thousand shipments."""
    rows = product(GOODS, ORIGINS, DESTINATIONS, FIRMS)
    text = "\n".join(map(",".join, islice(cycle(rows), LINES)))
    return f"commodity,origin,destination,endUser\n{text}\n"


def query(head: int, selection: str) -> bytes:
    """Return a request for one day."""
    text = f'{{ asOf(validAt: "2025-12-01", position: "{head}") {{ validAt {selection} }} }}'
    return request("/graphql", json.dumps({"query": text}).encode())


async def measured(
    port: int, process: int, head: int, rounds: int, seconds: float
) -> dict[str, list[Answered]]:
    """Measure the queries in turn, after an unmeasured warm-up."""
    taken: dict[str, list[Answered]] = {name: [] for name in QUERIES}
    for number in range(-1, rounds):
        for name, selection in QUERIES.items():
            await asyncio.sleep(0.2)
            got = await post(port, query(head, selection), process, seconds=seconds, connections=1)
            print(f"{name}: {got}", file=sys.stderr)
            if number >= 0:
                taken[name].append(got)
    return taken


def file_seconds(port: int, process: int, rounds: int) -> tuple[float, float]:
    """Return the median seconds of a file, and the CPU seconds of the server for it."""
    walls, used = [], []
    for _ in range(rounds):
        before, since = cpu(process), time.perf_counter()
        address = f"http://127.0.0.1:{port}/shipments.csv?valid=2025-12-01"
        response = httpx2.post(address, content=lines(), timeout=300)
        assert response.text.count("\r\n") == LINES + 2, response.text[:200]
        walls.append(time.perf_counter() - since)
        used.append(cpu(process) - before)
    return statistics.median(walls), statistics.median(used)


def report(taken: dict[str, list[Answered]], file: tuple[float, float]) -> str:
    """Return the medians as Markdown."""
    medians = {
        name: (
            statistics.median(each.p50 for each in runs),
            statistics.median(each.cpu for each in runs),
        )
        for name, runs in taken.items()
    }
    base = medians[FIRST]
    rows = [
        [name, f"{p50:.2f}", f"{cpu:.2f}", f"{p50 / base[0]:.1f}", f"{cpu / base[1]:.1f}"]
        for name, (p50, cpu) in medians.items()
    ]
    header = ["query", "p50, ms", "CPU, ms", "times as long", "times the CPU"]
    wall, used = file
    return (
        f"{machine()}. Medians.\n\n{markdown(header, rows)}\n\nA file of {LINES:,} lines takes"
        f" {wall:.1f} s, with {used:.1f} s of CPU time of the server."
    )


def main() -> None:
    """Measure and print, or write to a page."""
    parser = options(str(__doc__))
    parser.add_argument("--seconds", type=float, default=3, help="seconds per measurement")
    chosen = parser.parse_args()
    with server() as target, ExitStack() as running:
        head = uvloop.run(load(target))
        port, process = running.enter_context(started(own_rows(target, 0, STATES_BYTES)))
        taken = uvloop.run(measured(port, process, head, chosen.rounds, chosen.seconds))
        file = file_seconds(port, process, chosen.rounds)
    publish("shipments", report(taken, file), chosen.write)


if __name__ == "__main__":
    main()
