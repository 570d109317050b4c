"""Longest slices of the event loop: synchronous pieces of work that let nobody else run.

    python -m tools.benchmarks.slices [--rounds 3] [--only NAME …] [--write PAGE]

One process serves the corpus without a cache of responses, and a thread of it sends expensive queries, one
at a time. A heartbeat measures the CPU time of the loop's thread between two of its iterations. A second
thread samples the stack while a heartbeat is late, so that each query is reported with its longest slice and
the code that ran. Then six clients send the most expensive query, and a seventh a cheap one.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from types import FrameType
from urllib.parse import quote

from deploy.bootstrap import running_tracker
from deploy.cli.process import freeze_gc, run
from deploy.output.log_format import LogLevel
from deploy.web.server import create_server, listening_socket
from schema.app import create_app
from schema.services import Access
from tools.benchmarks.harness import machine, markdown, options, publish, server
from tools.benchmarks.slider import load
from tracker.postgres.database import Target

AIM_MS = 50
BEAT_SECONDS = 0.002
SAMPLE_SECONDS = 0.002
LATE_SECONDS = 0.02
"""Age of a heartbeat from which the stack is sampled."""
CLIENTS, LISTS, BESIDE_SECONDS = 6, 12, 15
THREADS = ThreadPoolExecutor(CLIENTS + 2)
"""Threads of clients; the server uses those of the loop."""
OWN = ("/schema/", "/projections/", "/tracker/", "/deploy/")
CLAIM = "value unit note quotation edition publishedOn source { name citation } series { period }"


@dataclass(slots=True)
class Slice:
    """A slice of the loop: its CPU time in seconds, and the sampled stacks."""

    seconds: float = 0
    stacks: Counter[str] = field(default_factory=Counter)

    @property
    def stack(self) -> str:
        """The most frequent stack."""
        return self.stacks.most_common(1)[0][0] if self.stacks else ""


class SliceMeter:
    """A heartbeat of the running loop, and a thread that samples the stack of late ones."""

    def __init__(self) -> None:
        self.longest = Slice()
        self._stacks: Counter[str] = Counter()
        self._thread, self._cpu, self._beaten = threading.get_ident(), time.thread_time(), 0.0
        self._collecting = 0.0
        gc.callbacks.append(self._note_collection)
        self._beat()
        threading.Thread(target=self._sample, daemon=True).start()

    def restart(self) -> None:
        """Forget the longest slice."""
        self.longest = Slice()

    def _beat(self) -> None:
        cpu = time.thread_time()
        if cpu - self._cpu > self.longest.seconds:
            self.longest = Slice(cpu - self._cpu, self._stacks)
        self._cpu, self._beaten, self._stacks = cpu, time.monotonic(), Counter()
        asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)

    def _note_collection(self, phase: str, about: Mapping[str, int]) -> None:
        """Count a garbage collection like its samples, which no other thread can take meanwhile."""
        now = time.monotonic()
        if phase == "stop":
            samples = int((now - self._collecting) / SAMPLE_SECONDS)
            self._stacks[f"garbage collection {about['generation']}"] += samples
        self._collecting = now

    def _sample(self) -> None:
        while True:
            time.sleep(SAMPLE_SECONDS)
            if time.monotonic() - self._beaten > LATE_SECONDS:
                frame = sys._current_frames().get(self._thread)
                self._stacks[described(frame)] += 1


def described(frame: FrameType | None, most: int = 4) -> str:
    """Return the innermost frame of a stack, and then frames of this project."""
    names: list[str] = []
    while frame and len(names) < most:
        code = frame.f_code
        if not names or any(own in code.co_filename for own in OWN):
            place = code.co_filename.rpartition("/")[2].removesuffix(".py")
            names.append(f"{place}.{code.co_qualname.rpartition('.')[2]}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(names)


def lists(number: int) -> str:
    """Return a query of twelve long lists of claims, on a day of its own."""
    fields = " ".join(
        f"l{n}: claims(first: 200, orderBy: {'PUBLISHED_ON' if n % 2 else 'FIGURE'})"
        f" {{ nodes {{ {CLAIM} }} }}"
        for n in range(LISTS)
    )
    return f'{{ asOf(validAt: "{day(number)}") {{ {fields} }} }}'


def day(number: int) -> str:
    """Return one of many days."""
    return f"20{24 + number // 336 % 2}-{1 + number // 28 % 12:02}-{1 + number % 28:02}"


def documents(number: int) -> Mapping[str, str]:
    """Return expensive GraphQL queries by name; other numbers give other days."""
    on = day(number)
    return {
        "twelve lists of 200 claims": lists(number),
        "exposure over years": f"""{{ over(from: "2010-01-01", to: "{on}", step: YEAR)
            {{ exposure(destination: "US") {{ year world {{ value }} places {{ place {{ name }}
            share }} }} }} }}""",
        "changes over the whole range": f"""{{ changes(from: {{validAt: "1990-01-01"}},
            to: {{validAt: "{on}"}}, first: 200) {{ totalCount nodes {{ entity change
            fields {{ path before after }} }} }} }}""",
        "timeline": f"""{{ asOf(validAt: "{on}") {{ timeline(commodity: "rare_earths", first: 200)
            {{ totalCount nodes {{ __typename day }} }} }} }}""",
        "transitions": f"""{{ asOf(validAt: "{on}") {{ transitions(first: 200)
            {{ totalCount nodes {{ day summary }} }} }} }}""",
        "search": f"""{{ asOf(validAt: "{on}") {{ search(text: "rare earths export", first: 100)
            {{ totalCount nodes {{ __typename }} }} }} }}""",
        "supplies": f'{{ asOf(validAt: "{on}") {{ supplies {{ commodity {{ key }} }} }} }}',
        "clause statuses": f"""{{ asOf(validAt: "{on}") {{ clauseStatuses(first: 200)
            {{ nodes {{ clause {{ key status }} }} }} }} }}""",
        "digest": f'{{ asOf(validAt: "{on}") {{ digest }} }}',
        "events": "{ events(first: 200) { nodes { data } } }",
        "introspection": f"""{{ a{number}: __schema {{ types {{ name description
            fields {{ name description args {{ name description type {{ name }} }} }} }} }} }}""",
    }


PATHS = (
    *(f"/tables/{file}" for file in ("claims.csv", "claims.json", "claims.xlsx", "controls.csv")),
    *("/", "/controls", "/controls/cn-mofcom-2024-46", "/commodities/rare_earths", "/places/CN"),
    *("/figures", "/alliances", "/upcoming", "/upcoming.ics", "/changes?from=2020-01-01"),
    *("/events", "/facts", "/search?q=gallium", "/coverage", "/docs", "/docs?q=witness"),
    *("/docs/access", "/schema.graphql", "/asyncapi.json", "/schemas", "/metrics"),
    "/figures/rare_earths/CN/production/mine/2023",
)


def requests(number: int) -> dict[str, str]:
    """Return the addresses of all expensive requests by name."""
    urls = {name: f"/graphql?query={quote(text)}" for name, text in documents(number).items()}
    return urls | {path: path for path in PATHS}


def get(port: int, path: str, client: int) -> float:
    """Return the seconds of a request from the address of a client."""
    began = time.monotonic()
    connection = HTTPConnection(
        "127.0.0.1", port, timeout=60, source_address=(f"127.0.0.{client}", 0)
    )
    accept = {} if path.startswith("/graphql") else {"Accept": "text/html"}
    connection.request("GET", path, headers=accept)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status != 200 or b'{"errors"' in content[:20]:
        print(f"{path[:60]}: {response.status} {content[:300]!r}", file=sys.stderr)
    return time.monotonic() - began


async def response_seconds(port: int, path: str, client: int = 1) -> float:
    """Return the seconds of a request from a thread of its own."""
    return await asyncio.get_running_loop().run_in_executor(THREADS, get, port, path, client)


async def measure(
    target: Target, rounds: int, only: Sequence[str]
) -> tuple[dict[str, list[Slice]], list[float]]:
    """Return the longest slices by request, and the seconds of a cheap query beside expensive ones."""
    found: dict[str, list[Slice]] = {}
    async with running_tracker(target) as services:
        listening = listening_socket("127.0.0.1", 0)
        app = create_app(services, Access(), answers_bytes=0)
        server = create_server(app, LogLevel.WARNING)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        port = listening.getsockname()[1]
        await asyncio.sleep(1)
        freeze_gc()
        meter = SliceMeter()
        for number in range(rounds):
            for name, path in requests(number).items():
                if only and name not in only:
                    continue
                meter.restart()
                await response_seconds(port, path)
                await asyncio.sleep(0.05)
                found.setdefault(name, []).append(meter.longest)
                print(f"{name}: {1000 * meter.longest.seconds:.0f} ms", file=sys.stderr)
        waits = [] if only else await beside(port)
        server.should_exit = True
        await serving
    return found, waits


async def beside(port: int) -> list[float]:
    """Return the seconds of a cheap query while six clients send twelve long lists each."""
    until, waits = time.monotonic() + BESIDE_SECONDS, list[float]()

    async def press(client: int) -> None:
        number = 1000 * client
        while time.monotonic() < until:
            number += 1
            await response_seconds(port, f"/graphql?query={quote(lists(number))}", 2 + client)

    async def ask() -> None:
        for number in range(10**6):
            if time.monotonic() > until:
                return
            cheap = f'{{asOf(validAt:"{day(number)}"){{exportControl(id:"cn-mofcom-2024-46"){{title}}}}}}'
            waits.append(await response_seconds(port, f"/graphql?query={quote(cheap)}"))
            await asyncio.sleep(0.1)

    await asyncio.gather(ask(), *(press(client) for client in range(CLIENTS)))
    return waits


def report(found: Mapping[str, Sequence[Slice]], waits: Sequence[float], rounds: int) -> str:
    """Return the longest slices as a table, the longest first."""
    worst = {
        name: (
            statistics.median(each.seconds for each in slices),
            max(slices, key=lambda s: s.seconds),
        )
        for name, slices in found.items()
    }
    rows = [
        [f"`{name}`", f"{1000 * median:.0f}", f"{1000 * longest.seconds:.0f}",
         longest.stack if longest.seconds > LATE_SECONDS else ""]
        for name, (median, longest) in sorted(worst.items(), key=lambda row: -row[1][1].seconds)
    ]  # fmt: skip
    table = markdown(["request", "longest slice, ms: median", "worst", "its code"], rows)
    text = f"{machine()}; rounds: {rounds}; CPU time. Aim: {AIM_MS} ms.\n\n{table}"
    if not waits:
        return text
    cells = [f"{1000 * statistics.median(waits):.0f}", f"{1000 * max(waits):.0f}", str(len(waits))]
    header = [
        "a cheap query beside six clients with twelve lists each, ms: p50",
        "worst",
        "queries",
    ]
    return f"{text}\n\n{markdown(header, [cells])}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print, or write to a page."""
    parser = options(str(__doc__))
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="some requests")
    chosen = parser.parse_args(arguments)
    with server() as target:
        run(load(target))
        found, waits = run(measure(target, chosen.rounds, chosen.only))
    publish("slices", report(found, waits, chosen.rounds), chosen.write)


if __name__ == "__main__":
    main()
