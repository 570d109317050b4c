"""Guarantees of our recorders beyond the library's test cases: order, bytes, outcomes."""

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import (
    DataError,
    IntegrityError,
    Notification,
    OperationalError,
    ProgrammingError,
    StoredEvent,
    Tracking,
)
from eventsourcing.utils import Environment

from tests.eventsourcing_asyncpg.support import (
    events,
    kill_others,
    kill_waiting,
    locked,
    run,
    until,
    waiting_for_the_lock,
)
from tests.support.time_limits import within
from tracker.eventsourcing_asyncpg import AsyncpgApplicationRecorder, AsyncpgFactory
from tracker.eventsourcing_asyncpg import recorders as inserts
from tracker.eventsourcing_asyncpg.recorders import Insert, Outcome, insert
from tracker.postgres.database import Connection, Target, connect


@pytest.fixture
def recorder(factory: AsyncpgFactory) -> AsyncpgApplicationRecorder:  # type: ignore[override]
    """Return the recorder of an application without a name."""
    return factory.application_recorder()


def follow(recorder: AsyncpgApplicationRecorder, count: int) -> list[Notification]:
    """Return the first events of a subscription."""
    with recorder.subscribe() as subscription:
        return [next(subscription) for _ in range(count)]


@pytest.mark.parametrize("state", [b"", b"\0", bytes(range(256)) * 9, b"\xff" * 1_000_000])
def test_a_state_is_any_bytes(recorder: AsyncpgApplicationRecorder, state: bytes) -> None:
    [event] = events(1, state=state)
    recorder.insert_events([event])
    assert recorder.select_events(event.originator_id) == [event]
    assert recorder.select_notifications(None, 10)[0].state == state


def test_originator_ids_come_back_as_plain_uuids(recorder: AsyncpgApplicationRecorder) -> None:
    [event] = events(1)
    recorder.insert_events([event])
    [read] = recorder.select_events(event.originator_id)
    assert type(read.originator_id) is UUID
    assert type(recorder.select_notifications(None, 1)[0].originator_id) is UUID


def test_sixteen_writers_and_a_live_subscription_skip_and_double_nothing(
    recorder: AsyncpgApplicationRecorder, database_url: str
) -> None:
    other = AsyncpgFactory({"TRACKER_DATABASE_URL": database_url})
    recorders = [recorder, other.application_recorder()]
    followed: list[Notification] = []

    def watch() -> None:
        followed.extend(follow(recorder, 16 * 50 * 2))

    def write(writer: int) -> list[int]:
        return [i for _ in range(50) for i in recorders[writer % 2].insert_events(events(2)) or ()]

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(16) as pool:
        written = [i for ids in pool.map(write, range(16)) for i in ids]
    watcher.join()
    other.close()
    assert sorted(written) == list(range(1, 16 * 50 * 2 + 1))
    assert [event.id for event in followed] == sorted(written)


def test_a_slow_subscriber_holds_one_page(recorder: AsyncpgApplicationRecorder) -> None:
    recorder.insert_events(events(1200))
    with recorder.subscribe() as subscription:
        ids = []
        for _ in range(1200):
            ids.append(next(subscription).id)
            assert len(subscription._page) < 500
    assert ids == list(range(1, 1201))


def test_inserts_that_wait_are_joined_and_each_has_its_own_outcome(
    recorder: AsyncpgApplicationRecorder, target: Target
) -> None:
    taken = events(1)
    recorder.insert_events(taken)
    inserts = [events(2), taken, [StoredEvent(uuid4(), 1, "nul \0 in it", b"")], events(3)]
    with ThreadPoolExecutor(5) as pool:
        with locked(target, "stored_events"):
            first = pool.submit(recorder.insert_events, events(1))
            until(lambda: waiting_for_the_lock(target))
            others = [pool.submit(recorder.insert_events, each) for each in inserts]
            until(lambda: len(recorder._inserts._joined._waiting) == len(inserts))
        outcomes = [f.exception() or f.result() for f in (first, *others)]
    assert outcomes[0] == [2]
    assert isinstance(outcomes[2], IntegrityError)
    assert "already exists" in str(outcomes[2])
    assert isinstance(outcomes[3], DataError)
    assert sorted((len(outcomes[1]), len(outcomes[4]))) == [2, 3]
    assert sorted([*outcomes[1], *outcomes[4]]) == [3, 4, 5, 6, 7]
    assert recorder.max_notification_id() == 7


def test_the_conflicts_of_one_transaction_fail_alone_and_leave_no_gap(
    recorder: AsyncpgApplicationRecorder, target: Target
) -> None:
    taken = events(2)
    recorder.insert_events(taken)
    twice = events(1) * 2
    outcomes = _insert(recorder, target, [events(2), taken[:1], twice, taken[1:], events(1)])
    assert [o if isinstance(o, list) else type(o) for o in outcomes] == [
        [3, 4],
        IntegrityError,
        IntegrityError,
        IntegrityError,
        [5],
    ]
    assert [n.id for n in recorder.select_notifications(None, 10)] == [1, 2, 3, 4, 5]


def test_an_insert_whose_answer_was_lost_is_found_again_and_not_doubled(
    recorder: AsyncpgApplicationRecorder, target: Target
) -> None:
    mine, new = events(3), events(1)
    assert recorder.insert_events(mine) == [1, 2, 3]
    other = [StoredEvent(e.originator_id, e.originator_version, e.topic, b"other") for e in mine]
    outcomes = _insert(recorder, target, [mine, other, new], again=True)
    assert outcomes[0] == [1, 2, 3]
    assert isinstance(outcomes[1], IntegrityError)
    assert outcomes[2] == [4]


def _insert(
    recorder: AsyncpgApplicationRecorder,
    target: Target,
    inserts: Sequence[Sequence[StoredEvent]],
    again: bool = False,
) -> list[Outcome]:
    """Insert over a separate connection, as one transaction of batched inserts."""

    async def execute() -> list[Outcome]:
        connection = await connect(target)
        try:
            return await insert(connection, recorder._insert, inserts, again)
        finally:
            await connection.close()

    return asyncio.run(execute())


def test_tracked_work_whose_answer_was_lost_is_done_once(
    factory: AsyncpgFactory, target: Target
) -> None:
    recorder = factory.process_recorder()
    done = 0

    async def work(connection: Connection) -> None:
        nonlocal done
        done += 1
        if done == 1:  # the first attempt loses its connection before it can commit
            await asyncio.to_thread(kill_others, target)
            await connection.execute("SELECT 1")

    recorder.record(Tracking("upstream", 7), work)
    assert (done, recorder.max_tracking_id("upstream")) == (2, 7)

    async def again(tracking: Tracking) -> bool:
        connection = await connect(target)
        try:
            return await recorder._track(connection, tracking, again=True)
        finally:
            await connection.close()

    assert asyncio.run(again(Tracking("upstream", 7))) is False
    with pytest.raises(IntegrityError, match="expected one after 7"):
        asyncio.run(again(Tracking("upstream", 6)))


def test_killed_connections_cost_a_writer_and_a_subscriber_nothing(
    recorder: AsyncpgApplicationRecorder, target: Target
) -> None:
    acknowledged: list[int] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            acknowledged.extend(recorder.insert_events(events(2)) or ())

    with ThreadPoolExecutor(9) as pool, recorder.subscribe() as subscription:
        writers = [pool.submit(write) for _ in range(8)]
        followed = [next(subscription).id]
        for _ in range(5):
            assert kill_others(target) > 0
            time.sleep(0.2)
            followed.append(next(subscription).id)
        stop.set()
        for writer in writers:
            writer.result()
        last = recorder.max_notification_id() or 0
        while followed[-1] < last:
            followed.append(next(subscription).id)
    assert followed == list(range(1, last + 1))
    assert sorted(acknowledged) == followed


def test_a_subscription_of_rare_topics_passes_over_the_others_once(
    recorder: AsyncpgApplicationRecorder,
) -> None:
    recorder.insert_events(events(700))
    with recorder.subscribe(topics=["rare"]) as subscription, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, subscription)
        until(lambda: subscription._last_notification_id == 700)
        recorder.insert_events([*events(1), StoredEvent(uuid4(), 1, "rare", b""), *events(1)])
        assert waiting.result(timeout=within(10)).id == 702


def test_an_insert_that_loses_its_connection_is_sent_again(
    recorder: AsyncpgApplicationRecorder, target: Target
) -> None:
    with ThreadPoolExecutor(1) as pool, locked(target, "stored_events"):
        insertion = pool.submit(recorder.insert_events, events(2))
        until(lambda: kill_waiting(target) == 1)
    assert insertion.result(timeout=within(10)) == [1, 2]


def test_an_insert_that_was_committed_but_not_answered_succeeds_once(
    recorder: AsyncpgApplicationRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[bool] = []

    async def lossy(
        connection: Connection, statement: str, inserts: Sequence[Insert], again: bool
    ) -> list[Outcome]:
        outcomes = await insert(connection, statement, inserts, again)
        attempts.append(again)
        if not again:
            raise ConnectionResetError
        return outcomes

    monkeypatch.setattr(inserts, "insert", lossy)
    assert recorder.insert_events(events(3)) == [1, 2, 3]
    assert (attempts, recorder.max_notification_id()) == ([False, True], 3)


def test_a_snapshot_whose_answer_was_lost_is_not_sent_again(
    factory: AsyncpgFactory, target: Target
) -> None:
    snapshots = factory.aggregate_recorder("snapshots")

    async def lose() -> None:
        blocker = await connect(target)
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE public.stored_snapshots")
            insertion = asyncio.create_task(asyncio.to_thread(snapshots.insert_events, events(1)))
            await asyncio.to_thread(until, lambda: kill_waiting(target) == 1)
            with pytest.raises(OperationalError, match="may be recorded or not"):
                await insertion
        await blocker.close()

    asyncio.run(lose())


def test_a_subscriber_needs_no_notification(
    recorder: AsyncpgApplicationRecorder, target: Target
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(follow, recorder, 1)
        time.sleep(0.3)
        run(
            target,
            f"INSERT INTO public.stored_events VALUES ('{uuid4()}', 1, 'topic', 'unheard', 1)",
        )
        assert waiting.result(timeout=within(10))[0].state == b"unheard"


def test_two_applications_in_one_database_do_not_mix(database_url: str) -> None:
    env = {"TRACKER_DATABASE_URL": database_url}
    ones, others = (AsyncpgFactory(Environment(name, env)) for name in ("Ones", "Others"))
    one, other = ones.application_recorder(), others.application_recorder()
    [event] = events(1)
    assert one.insert_events([event]) == other.insert_events([event]) == [1]
    one.insert_events(events(2))
    assert (one.max_notification_id(), other.max_notification_id()) == (3, 1)
    with other.subscribe(gt=1) as subscription:
        one.insert_events(events(1))
        other.insert_events(events(1, state=b"mine"))
        assert next(subscription).state == b"mine"
    ones.close()
    others.close()


def test_tables_made_by_the_librarys_own_module_are_continued(
    factory: AsyncpgFactory, target: Target
) -> None:
    run(
        target,
        "CREATE TABLE public.stored_events (originator_id uuid NOT NULL,"
        " originator_version bigint NOT NULL, topic text, state bytea,"
        " notification_id bigserial, PRIMARY KEY (originator_id, originator_version))",
    )
    run(target, "CREATE UNIQUE INDEX ON public.stored_events (notification_id ASC)")
    run(
        target,
        "INSERT INTO public.stored_events (originator_id, originator_version, topic, state)"
        f" VALUES ('{uuid4()}', 1, 'topic', 'theirs')",
    )
    recorder = factory.application_recorder()
    assert recorder.insert_events(events(2)) == [2, 3]
    assert [n.id for n in recorder.select_notifications(None, 10)] == [1, 2, 3]


@pytest.mark.parametrize("name", ['a"b', "a'b", "$insert$", "a" * 51])
def test_a_name_that_can_not_be_a_table_is_refused(database_url: str, name: str) -> None:
    factory = AsyncpgFactory(Environment(name, {"TRACKER_DATABASE_URL": database_url}))
    with pytest.raises(ProgrammingError, match="can't be a name here"):
        factory.application_recorder()
    factory.close()


def test_a_schema_of_its_own_holds_the_tables(database_url: str, target: Target) -> None:
    run(target, "CREATE SCHEMA books")
    factory = AsyncpgFactory({"TRACKER_DATABASE_URL": database_url, "POSTGRES_SCHEMA": "books"})
    factory.process_recorder().insert_events(events(1), tracking=Tracking("upstream", 1))
    factory.close()
    assert run(target, "SELECT count(*) FROM books.stored_events") == 1
    assert run(target, "SELECT count(*) FROM books.notification_tracking") == 1
