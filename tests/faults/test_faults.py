"""A few rounds of every fault, and tests of the check."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx2
import pytest
from msgspec.structs import replace

from deploy.postgres import Connection
from tests.faults import check
from tests.faults.disk import NoDisk
from tests.faults.faults import FAULTS
from tests.faults.load import Broken
from tests.faults.proxy import Proxy
from tests.faults.rounds import RoundTotals, run_round
from tests.faults.writers import Sent, positions
from tests.support.fact_builders import announced
from tests.support.time_limits import within
from tests.support.waiting import until
from tracker.commands.handler import Commands
from tracker.errors import DiskFull, Unavailable
from tracker.log.entries import RecordedEvent
from tracker.log.recorder import Recorder


@pytest.mark.parametrize(
    "kinds",
    [
        ("api", "postgres", "backend"),
        ("cut",),
        ("disk", "wal"),
        ("freeze",),
        ("freeze-backend", "freeze-postgres"),
        ("swallow",),
        ("deliverer", "receiver"),
        ("broker",),
    ],
    ids="-".join,
)
async def test_after_any_fault_all_is_as_promised(kinds: tuple[str, ...]) -> None:
    tally = RoundTotals()
    try:
        async with FAULTS[kinds[0]].world() as world:
            for number, kind in enumerate(kinds, 1):
                await run_round(world, kind, number, 1, tally)
    except NoDisk as reason:
        pytest.skip(f"no small disk: {reason}")
    assert tally.rounds == len(kinds)
    assert tally.acknowledged > 0


@pytest.fixture
async def log(recorder: Recorder) -> list[RecordedEvent]:
    """Create four events: one of a, two of b, one of c."""
    commands = Commands(recorder)
    for name in "abc":
        await commands.record(f"export-control/{name}", announced(), idempotency_key=f"{name}1")
    await commands.retract("b1", "misread", announced().source, idempotency_key="b2")
    return await recorder.read()


def sent(*ids: str, at: range | None = None, refused: bool = False) -> Sent:
    """Return a command with an outcome, which is not sent again."""
    return Sent(ids, send=lambda: pytest.fail("sent again"), positions=at, refused=refused)


WHOLE = (sent("a1", at=range(1, 2)), sent("b1", "c1", at=range(2, 4)), sent("b2", at=range(4, 5)))


async def test_a_log_that_keeps_every_promise_passes(log: list[RecordedEvent]) -> None:
    check.in_order(log)
    check.nothing_lost_or_doubled(list(WHOLE), log)
    check.whole_or_absent(sent("b1", "c1"), log)
    check.whole_or_absent(sent("x1", "x2"), log)
    check.whole_or_absent(sent("x1", refused=True), log)


@pytest.mark.parametrize(
    "harm",
    [
        lambda log: log[1:],
        lambda log: [*log[:2], *log[3:]],
        lambda log: [log[0], log[0], *log[2:]],
        lambda log: [*log[:3], replace(log[3], version=3)],
        lambda log: [
            *log[:3],
            replace(log[3], recorded_at=log[0].recorded_at - timedelta(seconds=1)),
        ],
    ],
    ids=["first lost", "one lost", "position twice", "version skipped", "time ran backwards"],
)
async def test_a_log_out_of_order_is_noticed(
    log: list[RecordedEvent], harm: Callable[[list[RecordedEvent]], list[RecordedEvent]]
) -> None:
    with pytest.raises(Broken):
        check.in_order(harm(log))


@pytest.mark.parametrize(
    "commands",
    [WHOLE[:2], (*WHOLE, sent("x1", at=range(5, 6))), (*WHOLE[:2], sent("b2", at=range(3, 4)))],
    ids=["never sent", "lost", "elsewhere"],
)
async def test_an_event_lost_moved_or_made_up_is_noticed(
    log: list[RecordedEvent], commands: tuple[Sent, ...]
) -> None:
    with pytest.raises(Broken):
        check.nothing_lost_or_doubled(list(commands), log)


async def test_an_event_that_is_there_twice_is_noticed(log: list[RecordedEvent]) -> None:
    with pytest.raises(Broken, match="twice"):
        check.nothing_lost_or_doubled(list(WHOLE), [*log, replace(log[0], position=5)])


@pytest.mark.parametrize(
    "command",
    [sent("b1", "x1"), sent("a1", "c1"), sent("a1", refused=True)],
    ids=["half", "apart", "refused"],
)
async def test_a_half_recorded_command_is_noticed(log: list[RecordedEvent], command: Sent) -> None:
    with pytest.raises(Broken):
        check.whole_or_absent(command, log)


async def test_a_command_that_counts_twice_is_noticed(log: list[RecordedEvent]) -> None:
    async def again() -> range:
        return range(5, 6)

    with pytest.raises(Broken, match="sent again"):
        await check.sent_again(Sent(("a1",), again), log)


@pytest.mark.parametrize(
    ("status", "code", "met"),
    [
        (200, "UNAVAILABLE", Unavailable),
        (200, "TIMEOUT", Unavailable),
        (200, "DISK_FULL", DiskFull),
        (200, "INTERNAL", RuntimeError),
        (503, "UNAVAILABLE", RuntimeError),
    ],
)
def test_only_errors_that_are_promised_are_let_pass(
    status: int, code: str, met: type[Exception]
) -> None:
    answer = httpx2.Response(status, json={"errors": [{"extensions": {"code": code}}]})
    with pytest.raises(met):
        positions("foundAlliance", answer)


async def test_a_connection_is_cut_after_the_bytes_that_were_let_through(tmp_path: Path) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))
        await reader.read()
        writer.close()

    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    echoing = await asyncio.start_unix_server(echo, there / ".s.PGSQL.5432")
    async with echoing, Proxy(Connection(str(there)), here) as proxy:
        proxy.cut("answered", 7)
        reader, writer = await asyncio.open_unix_connection(here / ".s.PGSQL.5432")
        writer.write(b"0123456789")
        assert await asyncio.wait_for(reader.read(), within(5)) == b"0123456"
        assert proxy.cuts == 1
        writer.close()


async def test_dropped_packets_never_arrive_after_the_network_recovers(tmp_path: Path) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    echoing = await asyncio.start_unix_server(echo, there / ".s.PGSQL.5432")
    async with echoing, Proxy(Connection(str(there)), here) as proxy:
        connect = partial(asyncio.open_unix_connection, here / ".s.PGSQL.5432")
        reader, writer = await connect()
        writer.write(b"1")
        assert await asyncio.wait_for(reader.read(5), within(5)) == b"1"
        proxy.swallow()
        writer.write(b"2")
        during, asking = await connect()
        asking.write(b"3")
        await until(lambda: proxy.connections == 2)
        proxy.heal()
        writer.write(b"4")
        asking.write(b"5")
        after, last = await connect()
        last.write(b"6")
        assert await asyncio.wait_for(after.read(5), within(5)) == b"6"
        for silent in (reader, during):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(silent.read(5), 0.1)
        for each in (writer, asking, last):
            each.close()
