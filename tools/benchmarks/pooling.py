"""API over PgBouncer compared with direct connections, on the same server with the same client.

    python -m tools.benchmarks.pooling [--rounds 3] [--seconds 4]

Needs pgbouncer, and runs it with the file of `deploy/manifests/pooler`. Caches are off, so that every request
reads the database.
"""

from __future__ import annotations

import json
import os
import statistics
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from operator import truediv

import uvloop

from deploy.bootstrap import open_pool
from tests.support.poolers import Pooler, prepare_logins, running_pooler, way
from tests.support.replication import running_primary
from tools.benchmarks.graphql import CONNECTIONS, OWN_QUERY, own_rows, rows, started
from tools.benchmarks.harness import machine, markdown, options, publish
from tools.benchmarks.load import Load, new_events, rate
from tools.benchmarks.queries import cpu, post, request
from tracker.log.recorder import Recorder

ONE = '{ asOf { exportControl(id: "cn-mofcom-2024-46") { title } } }'
WRITERS = 16
WAYS = ("directly", "over PgBouncer")
KINDS = {
    "requests/s, 100 rows each": request("/graphql", json.dumps({"query": OWN_QUERY}).encode()),
    "requests/s, one control each": request("/graphql", json.dumps({"query": ONE}).encode()),
}
APPENDED = f"events/s appended, {WRITERS} writers"
COST = "CPU µs of PgBouncer for each"
Taken = dict[str, dict[str, list[float]]]


async def appended(pooler: Pooler, pooled: bool, seconds: float) -> float:
    """Return events per second of writers that append sequentially."""
    target = pooler.pooled if pooled else pooler.direct
    async with open_pool(target, pooled=pooled, size=2) as pool:
        log = Recorder(pool)
        return await rate(
            Load(WRITERS, seconds=seconds),
            lambda name: log.append(new_events(f"{uuid.uuid4().hex}-{name}", 1)),
        )


async def measured(
    pooler: Pooler, servers: Mapping[str, tuple[int, int]], rounds: int, seconds: float
) -> Taken:
    """Measure everything in turn, after an unmeasured warm-up."""
    taken: Taken = {kind: {name: [] for name in (*WAYS, COST)} for kind in (*KINDS, APPENDED)}
    assert pooler.process is not None
    for number in range(-1, rounds):
        for kind in (*KINDS, APPENDED):
            for name in WAYS:
                port, process = servers[name]
                before = cpu(pooler.process.pid)
                if sent := KINDS.get(kind):
                    figure = (
                        await post(port, sent, process, seconds=seconds, connections=CONNECTIONS)
                    ).rate
                else:
                    figure = await appended(pooler, name != WAYS[0], seconds)
                if number >= 0:
                    taken[kind][name].append(figure)
            if number >= 0 and kind in KINDS:  # appends have their own warm-up
                taken[kind][COST].append(cpu(pooler.process.pid) - before)
    return taken


def report(taken: Taken, seconds: float) -> str:
    """Return the medians as Markdown; the ratio is the median of the rounds' ratios."""
    lines = []
    for kind, columns in taken.items():
        directly, over, worked = columns.values()
        ratio = statistics.median(map(truediv, over, directly))
        medians = [f"{statistics.median(each):,.0f}" for each in (directly, over)]
        cost = f"{sum(worked) / sum(over) / seconds * 1_000_000:,.0f}" if worked else "–"
        lines.append([kind, *medians, f"{ratio:.2f}", cost])
    rounds = len(taken[APPENDED][WAYS[0]])
    return "\n\n".join(
        [
            f"{machine()}; load at the end {os.getloadavg()[0]:.1f}; {CONNECTIONS} connections."
            f" Medians; rounds: {rounds}.",
            markdown(["", *WAYS, "ratio", COST], lines),
        ]
    )


def main() -> None:
    """Measure and print, or write to a page."""
    parser = options(str(__doc__))
    parser.add_argument("--seconds", type=float, default=4, help="seconds per measurement")
    chosen = parser.parse_args()
    with running_primary(settings=["fsync=on"]) as primary, ExitStack() as running_:
        prepare_logins(primary)
        uvloop.run(rows(way(primary, "minerals_admin")))
        pooler = running_.enter_context(running_pooler(primary))
        command = own_rows(pooler.direct, 0, 0)
        servers = {
            WAYS[0]: running_.enter_context(started(command)),
            WAYS[1]: running_.enter_context(started([*command, json.dumps(pooler.pooled)])),
        }
        taken = uvloop.run(measured(pooler, servers, chosen.rounds, chosen.seconds))
    publish("pooling", report(taken, chosen.seconds), chosen.write)


if __name__ == "__main__":
    main()
