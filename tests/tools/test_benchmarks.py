"""The benchmarks run and print results; their values are not tested."""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from deploy.postgres import Postgres
from deploy.web.connections import Limits
from schema.services import Access, Services
from tests.support.fact_builders import announced
from tests.support.web_server import serving
from tools.benchmarks import commands, first_requests, graphql, hostile, log, start
from tools.benchmarks.attacks import LOADS
from tools.benchmarks.fanout import Fanout, Written
from tools.benchmarks.first_requests import First
from tools.benchmarks.following import WAYS, Followed
from tools.benchmarks.harness import OURS, Column, Table, publish, report, selected
from tools.benchmarks.load import BYTES, DATA, ENTRY, new_events
from tools.benchmarks.queries import Answered, post, request
from tools.benchmarks.starting import Start
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def row(text: str, name: str, table: int = 0) -> list[str]:
    """Return the cells of a table row."""
    [found] = re.findall(
        rf"^\| {re.escape(name)} \| (.*) \|$", text.split("| --- |")[table + 1], re.MULTILINE
    )
    return str(found).split(" | ")


def figure(cell: str) -> float:
    """Return the number of a cell."""
    return float(cell.split()[0].replace(",", ""))


@pytest.mark.parametrize(
    ("tables", "only", "peers"),
    [
        (log.tables, ["append-16", "hundreds-1"], ["plain INSERT"]),
        (log.tables, ["bulk"], ["COPY"]),
        (commands.tables, ["writers-16"], ["plain INSERT"]),
    ],
    ids=["append", "bulk", "commands"],
)
async def test_every_benchmark_has_a_figure_for_us_and_for_the_limits(
    server: Postgres, tables: Callable[[float], Sequence[Table]], only: list[str], peers: list[str]
) -> None:
    text = await report(server.connection.kwargs(), selected(tables(0.02), only), 1, "a test")
    assert "fsync on" in text
    for name in (OURS, *peers):
        assert all(isfinite(figure(cell)) for cell in row(text, name)), text


async def test_a_peer_that_is_not_installed_is_a_row_with_the_reason(server: Postgres) -> None:
    async def absent(_: Target) -> float:
        raise ModuleNotFoundError("No module named 'absent'")

    async def two(_: Target) -> float:
        return 2

    async def eight(_: Target) -> float:
        return 8

    table = Table("x/s", [Column("x", "x", {OURS: eight, "slow": two, "absent": absent})])
    text = await report(server.connection.kwargs(), [table], 2, "a test")
    assert (row(text, OURS), row(text, "slow"), row(text, "absent")) == (["8"], ["2 (4.00)"], ["–"])
    assert "absent: not measured, No module named 'absent'." in text


async def test_appended_events_are_real_and_have_the_stated_size(recorder: Recorder) -> None:
    events = new_events("w64-100000", 1)
    await recorder.append(events)
    [read] = await recorder.read()
    assert len(events[0].data) == len(DATA) == BYTES
    assert (read.stream, read.event_id) == (events[0].stream, events[0].event_id)
    assert len(ENTRY) == len(read.entry) + len("100000") - len("1")


def test_figures_are_put_between_the_marks_of_their_benchmark(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("log", "commands", "graphql", "start", "fanout"):
        publish(name, f"first {name}", page)
        publish(name, f"then {name}", page)
    written = re.findall(r"^(?:first|then) \w+$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert written == ["then log", "then commands", "then graphql", "then start", "then fanout"]
    with pytest.raises(SystemExit, match="expected the marks"):
        publish("other", "x", page)


@pytest.mark.parametrize(
    ("only", "keys"),
    [("append-1", ["append-1"]), ("hundreds", ["hundreds-1", "hundreds-16"]), ("append-2", [])],
)
def test_one_figure_can_be_measured_alone_or_with_its_kind(only: str, keys: list[str]) -> None:
    tables = selected(log.tables(1), [only])
    assert [column.key for table in tables for column in table.columns] == keys


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "nothing"], "expected append-1, append-16"),
        (["--only", "bulk", "--write", "page.md"], "expected no --only"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        log.main(arguments)
    assert said in capsys.readouterr().err


async def test_the_client_counts_the_answers_of_a_server_and_refuses_errors(
    services: Services,
) -> None:
    async with serving(services, Access()) as (address, *_):
        port = int(address.rpartition(":")[2])
        for document in ("{ head }", "{ nothing }"):
            sent = request("/graphql", b'{"query": "%s"}' % document.encode())
            asking = post(port, sent, os.getpid(), seconds=0.2, connections=2)
            if document == "{ head }":
                asked = await asking
                assert asked.rate > 0
                assert 0 < asked.p50 <= asked.p99
            else:
                with pytest.raises(ValueError, match="expected answers without errors"):
                    await asking


@pytest.mark.skipif(sys.platform != "linux", reason="other systems lack epoll and 127.0.1.1")
@pytest.mark.parametrize("way", WAYS)
async def test_followers_say_what_came_to_them_in_every_way(services: Services, way: str) -> None:
    async with serving(services, Access(open=True)) as (address, *_):
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.benchmarks.following"),
            *(way, address.rpartition(":")[2], "20"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert client.stdout is not None
        assert await client.stdout.readline() == b"ready\n"
        while services.follower.followers < (20 if WAYS[way].every else 1):
            await asyncio.sleep(0.01)
        recorded = {}
        for name in ("a", "b"):
            done = await services.commands.record(f"export-control/{name}", announced())
            recorded[done.positions[-1]] = time.time()
        said, _ = await client.communicate(json.dumps(recorded).encode() + b"\n")
    found = Followed(**json.loads(said))
    assert (found.missed, found.doubled, found.ended) == (0, 0, 0)
    assert 20 <= found.delivered <= 40
    assert isfinite(found.worst)


def test_a_way_of_following_that_misses_an_aim_is_said_to_miss_it() -> None:
    def holds(p99: float = 300, missed: int = 0, beside: float = 0.0105) -> str:
        found = Followed(200, p99, 400, 10, missed, 0, 0)
        alone, slower = Written([0.01] * 9, {}), Written([beside] * 9, {})
        return Fanout("events", 10, found, alone, slower, 20, 0.01, 30).cells[-1]

    assert holds() == "yes"
    assert holds(p99=1100) == "**no**"
    assert holds(missed=1) == "**no**"
    assert holds(beside=0.012) == "**no**"


def test_medians_of_the_api_are_reported_beside_the_peer() -> None:
    text = graphql.report(
        {"ours": [Answered(4000, 1, 2, 0.2)], "peer": [Answered(1000, 4, 9, 0.8)]}
    )
    assert row(text, "ours") == ["4,000 (4.00)", "1.00", "2.00", "0.200"]
    assert row(text, "peer") == ["1,000 (1.00)", "4.00", "9.00", "0.800"]


def test_starts_are_reported_by_their_median_and_the_slowest() -> None:
    taken = [(4.0, 0.5), (9.0, 0.7), (5.0, 0.6)]
    text = start.report([(Start(cold, 3), Start(warm, 1)) for cold, warm in taken])
    assert (row(text, "cold"), row(text, "warm")) == (
        ["5.00", "9.00", "3.00"],
        ["0.60", "0.70", "1.00"],
    )


def test_first_requests_are_reported_by_their_median_after_cold_and_warm_starts() -> None:
    def taken(cold: float, warm: float) -> list[dict[str, First]]:
        return [{"/": First(cold, 2, 3000)}, {"/": First(warm, 1, 3000)}]

    text = first_requests.report([taken(90, 20), taken(50, 30), taken(60, 40)])
    assert row(text, "`/`") == ["60", "2", "30", "1", "3,000"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems lack 127.0.0.2")
async def test_a_cheap_question_is_asked_beside_hostile_clients(services: Services) -> None:
    async with serving(services, Access()) as (address, server, _):
        counts = [0]

        async def count() -> None:
            while True:
                counts.append(len(server.server_state))
                await asyncio.sleep(0.05)

        counting = asyncio.create_task(count())
        found = await hostile.measure(
            "trickle", int(address.rpartition(":")[2]), psutil.Process(), seconds=4, settle=0
        )
        counting.cancel()
    assert max(counts) > 100
    assert (found.load, found.failures) == ("trickle", 0)
    assert len(found.waits) > 3
    assert len(row(hostile.report([found], 4, 0), "trickle")) == 8


def test_every_hostile_load_is_one_that_can_be_run() -> None:
    for load, addresses, connections in LOADS.values():
        assert callable(load)
        assert 0 < addresses <= 250
        assert 0 < connections <= Limits().client_connections


def test_a_missed_target_is_marked() -> None:
    def holds(waits: list[float], most: float = 100, failures: int = 0) -> str:
        return hostile.Beside("x", 5, waits, failures, 0.01, most).cells[-1]

    assert holds([0.01] * 100) == "yes"
    assert holds([0.01] * 1000 + [1.1]) == "**no**"
    assert holds([0.01] * 100, most=700) == "**no**"
    assert holds([0.01] * 100, failures=1) == "**no**"
