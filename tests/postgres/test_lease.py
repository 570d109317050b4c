"""One process at a time has a lease; another one gets it soon after that has stopped."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest

from deploy.bootstrap import open_connection, open_pool
from tests.support.time_limits import within
from tracker.postgres import lease as lease_module
from tracker.postgres.database import CONNECTION_ERRORS, DELIVERER, Pool, Target
from tracker.postgres.lease import (
    LEASE_SECONDS,
    POOL_SETTINGS,
    QUERY_TIMEOUT_SECONDS,
    TAKING_INTERVAL_SECONDS,
    Lease,
    LeaseLost,
    check_epoch,
)

MakeLease = Callable[..., Awaitable[Lease]]


@pytest.fixture
async def pool(target: Target) -> AsyncIterator[Pool]:
    """Create a pool like the deliverer's."""
    async with open_pool(target, role=DELIVERER, settings=POOL_SETTINGS) as pool:
        yield pool


class Clock:
    """The clock of a process, moved by a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.seconds = 1000.0
        monkeypatch.setattr(lease_module, "read_clock", lambda: self.seconds)


async def end_lease(target: Target, name: str = "work") -> None:
    """Move the database clock beyond the end of a lease."""
    async with open_connection(target) as admin:
        await admin.execute(
            "UPDATE delivery.leases SET expires_at = expires_at - $2::interval WHERE name = $1",
            name,
            timedelta(seconds=LEASE_SECONDS),
        )


def test_another_one_goes_on_within_10_seconds() -> None:
    assert LEASE_SECONDS + TAKING_INTERVAL_SECONDS + QUERY_TIMEOUT_SECONDS <= 10


async def test_of_many_who_try_at_once_one_has_the_lease(pool: Pool) -> None:
    leases = [Lease(pool, "work") for _ in range(20)]
    taken = await asyncio.gather(*(lease.try_take() for lease in leases))
    assert sum(taken) == 1
    assert [lease.held for lease in leases] == taken
    assert await Lease(pool, "other work").try_take()


async def test_a_lease_that_is_released_is_free_at_once_and_has_the_next_epoch(pool: Pool) -> None:
    first, second = Lease(pool, "work"), Lease(pool, "work")
    assert await first.try_take()
    await first.release()
    assert not first.held
    assert await second.try_take()
    assert (first.epoch, second.epoch) == (1, 2)
    await first.release()  # no references remain
    await second.renew()


async def test_a_lost_lease_cannot_be_renewed(pool: Pool, target: Target) -> None:
    first, second = Lease(pool, "work"), Lease(pool, "work")
    assert await first.try_take()
    await end_lease(target)
    assert await second.try_take()
    with pytest.raises(LeaseLost):
        await first.renew()
    assert not first.held
    assert second.held


async def test_a_lease_that_is_over_is_renewed_with_its_epoch_where_nobody_took_it(
    pool: Pool, target: Target
) -> None:
    lease = Lease(pool, "work")
    assert await lease.try_take()
    await end_lease(target)
    await lease.renew()
    assert lease.epoch == 1
    assert not await Lease(pool, "work").try_take()


async def test_the_holder_stops_a_second_before_others_can_begin(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    lease = Lease(pool, "work")
    assert await lease.try_take()
    clock.seconds += LEASE_SECONDS - 1.01
    assert lease.held
    clock.seconds += 0.02
    assert not lease.held


async def test_a_slow_answer_does_not_make_the_lease_longer(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    lease = Lease(pool, "work")
    fetch = asyncpg.Pool.fetchrow

    async def slow(*arguments: object, **options: object) -> object:
        answer = await fetch(*arguments, **options)  # type: ignore[arg-type]
        clock.seconds += LEASE_SECONDS
        return answer

    monkeypatch.setattr(asyncpg.Pool, "fetchrow", slow)
    assert await lease.try_take()
    assert not lease.held


async def test_an_older_epoch_writes_nothing_any_more(pool: Pool, target: Target) -> None:
    first, second = Lease(pool, "work"), Lease(pool, "work")
    assert await first.try_take()
    async with pool.acquire() as connection, connection.transaction():
        await check_epoch(connection, first)
    await end_lease(target)
    assert await second.try_take()
    async with pool.acquire() as connection, connection.transaction():
        with pytest.raises(LeaseLost):
            await check_epoch(connection, first)
        await check_epoch(connection, second)


async def test_nobody_takes_a_lease_in_the_midst_of_what_its_holder_writes(
    pool: Pool, target: Target
) -> None:
    first, second = Lease(pool, "work"), Lease(pool, "work")
    assert await first.try_take()
    await end_lease(target)
    async with pool.acquire() as connection, connection.transaction():
        await check_epoch(connection, first)
        taking = asyncio.create_task(second.try_take())
        async with open_connection(target) as admin:
            while not await admin.fetchval(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"
            ):
                assert not taking.done()
                await asyncio.sleep(0.01)
    assert await taking
    assert second.epoch == 2


async def test_one_who_stops_in_the_midst_of_writing_loses_its_transaction(
    pool: Pool, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_module, "QUERY_TIMEOUT_SECONDS", 30)  # on a busy machine
    first, second = Lease(pool, "work"), Lease(pool, "work")
    assert await first.try_take()
    await end_lease(target)
    async with pool.acquire() as stopping:
        await stopping.execute("BEGIN")
        await check_epoch(stopping, first)
        assert await second.try_take()
        with pytest.raises(CONNECTION_ERRORS):
            await stopping.execute("SELECT 1")


async def test_work_goes_on_elsewhere_when_its_process_stops_and_when_it_ends(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_module, "TAKING_INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(lease_module, "RENEWAL_SHARE", 0.1)
    works: asyncio.Queue[str] = asyncio.Queue()
    leases = {name: Lease(pool, "work", seconds=3) for name in "abc"}

    async def begin(name: str) -> None:
        assert leases[name].held
        try:
            works.put_nowait(f"{name} begins")
            await asyncio.Event().wait()
        finally:
            works.put_nowait(f"{name} ends")

    async def next_one() -> str:
        return await asyncio.wait_for(works.get(), within(10))

    tasks = {"a": asyncio.create_task(leases["a"].run(lambda: begin("a")))}
    assert await next_one() == "a begins"
    for name in "bc":
        tasks[name] = asyncio.create_task(leases[name].run(lambda name=name: begin(name)))
    tasks["a"].cancel()
    assert await next_one() == "a ends"
    second = (await next_one())[0]
    third = "c" if second == "b" else "b"

    async def silent() -> None:
        await asyncio.sleep(0.01)

    monkeypatch.setattr(leases[second], "renew", silent)  # as if it did not run at all
    assert await next_one() == f"{third} begins"
    monkeypatch.delattr(leases[second], "renew")
    assert await next_one() == f"{second} ends"
    assert [leases[name].held for name in (second, third)] == [False, True]
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


async def test_work_that_fails_begins_anew(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_module, "TAKING_INTERVAL_SECONDS", 0.01)
    begun, again = 0, asyncio.Event()

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun == 3:
            again.set()
            await asyncio.Event().wait()
        raise RuntimeError("wrong")

    task = asyncio.create_task(Lease(pool, "work").run(work))
    await asyncio.wait_for(again.wait(), within(10))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_lease_outlives_a_database_that_is_away_for_a_while(
    pool: Pool, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_module, "RENEWAL_SHARE", 0.01)
    clock = Clock(monkeypatch)
    lease, begun = Lease(pool, "work"), asyncio.Event()
    cancelled = False

    async def work() -> None:
        nonlocal cancelled
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled = True
            raise

    task = asyncio.create_task(lease.run(work))
    await begun.wait()
    renew = Lease.renew

    async def lost(*_: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(Lease, "renew", lost)
    clock.seconds += LEASE_SECONDS
    assert not lease.held
    waiting = asyncio.create_task(lease.wait_until_held())
    await asyncio.sleep(0.2)
    assert not waiting.done()
    monkeypatch.setattr(Lease, "renew", renew)
    await asyncio.wait_for(waiting, within(10))
    assert lease.epoch == 1
    assert not cancelled
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("of_before", [None, "28.9", "29.1"])
async def test_a_newer_release_takes_a_lease_once_the_holder_of_an_older_one_has_stopped(
    pool: Pool, of_before: str | None
) -> None:
    older = Lease(pool, "work", 1.2, of_before)
    newer = Lease(pool, "work", 1.2, "29.2")
    assert await older.try_take()
    taking = asyncio.create_task(newer.try_take())
    while older.held:
        assert not newer.held
        await asyncio.sleep(0.01)
    assert await taking
    assert newer.held
    with pytest.raises(LeaseLost):
        await older.renew()
    assert not await older.try_take()


async def test_an_older_release_takes_a_lease_only_if_the_newer_one_is_gone_for_long(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = Lease(pool, "work", release="29.10")
    assert await newer.try_take()
    await newer.release()
    assert not await Lease(pool, "work", release="29.9").try_take()
    assert not await Lease(pool, "work").try_take()
    same = Lease(pool, "work", release="29.10")
    assert await same.try_take()
    await same.release()
    monkeypatch.setattr(lease_module, "NEWER_RELEASE_SECONDS", 0.0)
    assert await Lease(pool, "work", release="29.9").try_take()
