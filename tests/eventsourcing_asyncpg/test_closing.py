"""Nothing hangs at the end or without a database, and nothing is left behind."""

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import asyncpg
import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
    StoredEvent,
)

from tests.eventsourcing_asyncpg.support import (
    in_a_process,
    locked,
    run,
    until,
    waiting_for_the_lock,
)
from tests.support.cases import each_case
from tests.support.time_limits import within
from tracker.eventsourcing_asyncpg import AsyncpgFactory
from tracker.eventsourcing_asyncpg.datastore import to_persistence_error
from tracker.postgres.database import Target

NOWHERE = "postgresql:///nothing?host=/nowhere&port=5432&user=nobody"


def loop_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "tracker.eventsourcing_asyncpg"]


def other_connections(target: Target) -> int:
    return int(
        run(
            target,
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
    )


def test_closing_ends_a_subscriber_that_waits(factory: AsyncpgFactory) -> None:
    recorder = factory.application_recorder()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, recorder.subscribe())
        time.sleep(0.3)
        assert not waiting.done()
        factory.close()
        assert waiting.result(timeout=within(10)) == []


def test_closing_leaves_no_thread_and_no_connection(
    factory: AsyncpgFactory, target: Target
) -> None:
    recorder = factory.application_recorder()
    recorder.insert_events([StoredEvent(uuid4(), 1, "topic", b"")])
    with recorder.subscribe() as subscription:
        next(subscription)
    before = len(loop_threads())
    factory.close()
    factory.close()
    assert len(loop_threads()) == before - 1
    until(lambda: other_connections(target) == 0)
    with pytest.raises(ConnectionPoolClosedError):
        recorder.max_notification_id()


def test_closing_answers_a_call_that_is_stuck(factory: AsyncpgFactory, target: Target) -> None:
    recorder = factory.application_recorder()
    with locked(target, "stored_events"), ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(recorder.insert_events, [StoredEvent(uuid4(), 1, "topic", b"")])
        until(lambda: waiting_for_the_lock(target))
        factory.close()
        with pytest.raises(ConnectionPoolClosedError):
            stuck.result(timeout=within(10))


def test_an_application_that_is_not_held_is_closed(target: Target) -> None:
    app = Application[object]()
    app.save(Aggregate())
    subscription = app.recorder.subscribe()
    next(subscription)
    assert other_connections(target) > 0
    del app, subscription
    gc.collect()
    until(lambda: other_connections(target) == 0)


def test_a_process_ends_though_its_application_was_never_closed(database_url: str) -> None:
    result = in_a_process(
        """
import threading
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
app = Application()
print(app.save(Aggregate())[0].notification.id)
threading.Thread(target=list, args=[app.recorder.subscribe()], daemon=True).start()
""",
        url=database_url,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n", "")


def test_a_database_that_is_away_is_an_error_and_not_a_wait(database_url: str) -> None:
    result = in_a_process(
        """
from eventsourcing.application import Application
Application()
""",
        url=NOWHERE,
    )
    assert result.returncode == 1
    assert "eventsourcing.persistence.OperationalError" in result.stderr


def test_a_forked_process_gets_an_error(database_url: str) -> None:
    result = in_a_process(
        """
import os
from eventsourcing.application import Application
app = Application()
if os.fork() == 0:
    try:
        app.recorder.max_notification_id()
    except Exception as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
""",
        url=database_url,
    )
    assert result.stdout == "closed, or made before this process was forked\n"
    assert result.returncode == 0


@each_case(
    ("setting", "value", "message"),
    [
        ("TRACKER_DATABASE_URL", "", "expected a postgresql:// URL"),
        ("ORIGINATOR_ID_TYPE", "number", "expected uuid or text"),
        ("POSTGRES_POOL_SIZE", "-1", "expected a whole number above 0"),
        ("POSTGRES_CONNECT_TIMEOUT", "soon", "expected a whole number above 0"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, value: str, message: str) -> None:
    with pytest.raises(OSError, match=f"{setting} is .*{message}"):
        AsyncpgFactory({"TRACKER_DATABASE_URL": NOWHERE, setting: value})


def test_without_create_table_a_missing_table_is_a_programming_error(database_url: str) -> None:
    factory = AsyncpgFactory({"TRACKER_DATABASE_URL": database_url, "CREATE_TABLE": "no"})
    with pytest.raises(ProgrammingError, match=r'"public\.stored_events" does not exist'):
        factory.application_recorder().max_notification_id()
    factory.close()


@each_case(
    ("error", "expected"),
    [
        (asyncpg.UniqueViolationError("x"), IntegrityError),
        (asyncpg.UndefinedTableError("x"), ProgrammingError),
        (asyncpg.DataError("x"), DataError),
        (asyncpg.AdminShutdownError("x"), OperationalError),
        (asyncpg.ConnectionDoesNotExistError("x"), OperationalError),
        (asyncpg.DiskFullError("x"), OperationalError),
        (asyncpg.FeatureNotSupportedError("x"), NotSupportedError),
        (asyncpg.InternalServerError("x"), InternalError),
        (asyncpg.RaiseError("x"), DatabaseError),
        (asyncpg.InterfaceError("x"), InterfaceError),
        (asyncpg.InternalClientError("x"), OperationalError),
        (ConnectionRefusedError("x"), OperationalError),
        (TimeoutError(), OperationalError),
    ],
)
def test_an_error_is_reported_in_the_librarys_words(
    error: Exception, expected: type[PersistenceError]
) -> None:
    assert type(to_persistence_error(error)) is expected
    assert str(to_persistence_error(error))
