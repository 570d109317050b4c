"""The eventsourcing library over the tracker's own log."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import datetime_now_with_tzinfo
from eventsourcing.persistence import IntegrityError, NotSupportedError
from eventsourcing.system import ProcessApplication

from tests.eventsourcing_asyncpg.support import in_a_process, kill_others, run, run_all
from tests.support.documents import block
from tests.support.fact_builders import announced, clause, fact, suspended
from tracker.commands.commands import RecordFact
from tracker.commands.handler import Commands
from tracker.domain.actors.announcement import Announcement, Made
from tracker.domain.controls.export_control import ExportControl
from tracker.domain.entities.entity import Entity
from tracker.errors import InvalidInput
from tracker.eventsourcing_asyncpg.tracker_log import EntityMapper, TrackerLogRecorder
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool

MODULE = "tracker.eventsourcing_asyncpg.tracker_log"
GALLIUM, GERMANIUM = "export-control/gallium", "export-control/germanium"
MANY = 800
"""Number of events that take longer than the library's wait of a second."""
T = TypeVar("T")


class PolicyLog(Application[str]):
    """The tracker's log for a user of the library."""


@pytest.fixture(autouse=True)
def over_the_log(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure the library's applications on the log."""
    monkeypatch.setenv("PERSISTENCE_MODULE", MODULE)


@pytest.fixture
def app() -> Iterator[PolicyLog]:
    """Return an application on the log."""
    with PolicyLog() as app:
        yield app


def with_tracker(target: Target, work: Callable[[Recorder, Commands], Awaitable[T]]) -> T:
    """Run an operation of the tracker itself."""

    async def working() -> T:
        pool = await create_pool(target, role=None, size=2)
        try:
            recorder = Recorder(pool)
            return await work(recorder, Commands(recorder))
        finally:
            await pool.close()

    return asyncio.run(working())


def recorded(target: Target, *commands: RecordFact) -> None:
    """Record facts through the tracker's commands."""
    with_tracker(target, lambda _, own: own.record_all(commands))


def entries(target: Target) -> list[tuple[int, str, str | None]]:
    """Return all positions, event types and actors of the log."""

    async def read(recorder: Recorder, _: Commands) -> list[tuple[int, str, str | None]]:
        return [(e.position, e.type, e.actor) for e in await recorder.read()]

    return with_tracker(target, read)


def test_an_application_reads_the_entities_of_the_tracker(target: Target, app: PolicyLog) -> None:
    recorded(target, RecordFact(GALLIUM, announced()), RecordFact(GALLIUM, suspended()))
    control = app.repository.get(GALLIUM)
    assert isinstance(control, ExportControl)
    assert [(k.position, k.type, k.fact) for k in control.known] == [
        (1, "ExportControl.Announced", announced()),
        (2, "ExportControl.Suspended", suspended()),
    ]
    assert app.repository.get(GALLIUM, version=1).version == 1
    with pytest.raises(AggregateNotFoundError):
        app.repository.get(GERMANIUM)


def test_notifications_are_the_events_of_the_log(target: Target, app: PolicyLog) -> None:
    assert app.recorder.max_notification_id() is None
    recorded(
        target,
        RecordFact(GALLIUM, announced()),
        RecordFact(GERMANIUM, announced()),
        RecordFact(GALLIUM, suspended()),
    )
    everything = app.recorder.select_notifications(1, 10)
    assert [(n.id, n.originator_id, n.originator_version, n.topic) for n in everything] == [
        (1, GALLIUM, 1, "ExportControl.Announced"),
        (2, GERMANIUM, 1, "ExportControl.Announced"),
        (3, GALLIUM, 2, "ExportControl.Suspended"),
    ]
    assert app.recorder.max_notification_id() == 3
    for arguments, ids in (
        ((2, 10), [2, 3]),
        ((1, 2), [1, 2]),
        ((1, 10, 2), [1, 2]),
        ((None, 10, None, ["ExportControl.Suspended"]), [3]),
    ):
        assert [n.id for n in app.recorder.select_notifications(*arguments)] == ids
    later = app.recorder.select_notifications(1, 10, inclusive_of_start=False)
    assert [n.id for n in later] == [2, 3]
    backwards = app.recorder.select_events(GALLIUM, desc=True, limit=1)
    assert [event.originator_version for event in backwards] == [2]
    between = app.recorder.select_events(GALLIUM, gt=1, lte=2)
    assert [event.originator_version for event in between] == [2]


def test_a_subscription_gets_what_the_tracker_records(target: Target, app: PolicyLog) -> None:
    recorded(target, RecordFact(GALLIUM, announced()))
    with app.recorder.subscribe(gt=0) as subscription:
        assert next(subscription).id == 1
        recorded(target, RecordFact(GALLIUM, suspended()))
        assert next(subscription).topic == "ExportControl.Suspended"


def documented(language: str, part: str) -> str:
    """Return the only block of docs/library.md in a language with a given part."""
    return block("docs/library.md", language, part)


@pytest.fixture
def integrator(target: Target) -> Iterator[dict[str, str]]:
    """Return the documented environment for the documented login."""
    statements = documented("sql", "CREATE ROLE integrator")
    run_all(target, statements.replace("DATABASE minerals", f'DATABASE "{target["database"]}"'))
    lines = documented("sh", "tracker_log").splitlines()
    found = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    parts = urlencode({key: target[key] for key in ("host", "port")})
    url = f"postgresql://integrator@/{target['database']}?{parts}"
    assert found["TRACKER_DATABASE_URL"] == "postgresql://integrator:password@host/minerals"
    assert found["PERSISTENCE_MODULE"] == MODULE
    yield {"url": url, "module": MODULE, "POSTGRES_SCHEMA": found["POSTGRES_SCHEMA"]}
    run_all(target, "DROP OWNED BY integrator CASCADE; DROP ROLE integrator")


def test_the_example_counts_controls_in_force_by_issuer_as_the_role_of_the_page(
    target: Target, integrator: dict[str, str]
) -> None:
    example = documented("python", "class InForce")
    in_force = clause(inForceFrom="2025-03-01")
    made = fact(Made, "2025-03-01", kind="statement", title="A", actors=["US"])
    recorded(
        target,
        RecordFact(GALLIUM, announced(in_force, on="2025-02-01")),
        RecordFact(GERMANIUM, announced(in_force, on="2025-02-01", issuer="MY")),
        RecordFact("export-control/antimony", announced(in_force, on="2025-02-01")),
        RecordFact("export-control/antimony", suspended(start="2025-11-09", end="2026-11-27")),
        *(RecordFact(f"announcement/{number}", made) for number in range(MANY)),
    )
    result = in_a_process(example, **integrator)
    assert result.stderr == ""
    assert (result.returncode, result.stdout) == (0, "{'CN': 1, 'MY': 1}\n")
    query = "SELECT notification_id FROM integrator.controls_tracking"
    assert run(target, query) == 4 + MANY
    assert run(target, "SELECT count(*) FROM integrator.in_force") > 0
    recorded(target, RecordFact(GERMANIUM, suspended()))
    result = in_a_process(example, **integrator)  # resumes at its position
    assert result.stdout == "{'CN': 1}\n"


# --- writing


def test_events_saved_by_an_application_are_like_any_other(target: Target, app: PolicyLog) -> None:
    recorded(target, RecordFact(GALLIUM, announced()))
    control = app.repository.get(GALLIUM)
    control.record(suspended(), "mine")
    [recording] = app.save(control)
    assert recording.notification.id == 2
    assert entries(target) == [
        (1, "ExportControl.Announced", None),
        (2, "ExportControl.Suspended", "application:PolicyLog"),
    ]
    assert app.repository.get(GALLIUM).version == 2
    recorded(target, RecordFact(GALLIUM, suspended(start="2027-01-01", end=None)))
    assert [position for position, *_ in entries(target)] == [1, 2, 3]


def test_texts_that_a_law_may_force_out_become_annexes(target: Target, app: PolicyLog) -> None:
    control = ExportControl.empty(GALLIUM)
    control.record(announced(clause(note="Ann said so")), "e1")
    app.save(control)
    assert b"Ann said so" not in app.recorder.select_events(GALLIUM)[0].state
    assert run(target, "SELECT text FROM log.annexes") == "Ann said so"


def test_the_second_writer_is_refused_and_nothing_is_recorded(
    target: Target, app: PolicyLog
) -> None:
    recorded(target, RecordFact(GALLIUM, announced()))
    ours, theirs = app.repository.get(GALLIUM), app.repository.get(GALLIUM)
    for control, event_id in ((theirs, "theirs"), (ours, "ours")):
        control.record(suspended(), event_id)
    app.save(theirs)
    with pytest.raises(IntegrityError, match="version"):
        app.save(ours)
    other = ExportControl.empty(GERMANIUM)
    other.record(announced(), "theirs")
    with pytest.raises(IntegrityError):
        app.save(other)
    assert len(entries(target)) == 2


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Check that an operation is refused with a code."""
    with pytest.raises(InvalidInput) as caught:
        yield
    assert caught.value.code == code


def test_the_rules_of_the_domain_hold(target: Target, app: PolicyLog) -> None:
    control = ExportControl.empty(GALLIUM)
    control.record(announced(), "e1")
    app.save(control)
    with refused("ALREADY_EXISTS"):
        app.repository.get(GALLIUM).record(announced(), "e2")
    coloured = ExportControl.empty(GERMANIUM)
    coloured.record(announced(title="\x1b[31mred"), "e2")
    with pytest.raises(InvalidInput, match="control character"):
        app.save(coloured)
    nobody = Announcement.empty("announcement/a")
    nobody.record(fact(Made, "2025-03-01", kind="statement", title="A", actors=["quad"]), "e2")
    with refused("UNKNOWN_ACTOR"):
        app.save(nobody)
    imported = ExportControl.empty(GERMANIUM)
    imported.record(announced(), "import-7")
    with refused("RESERVED_ID"):
        app.save(imported)
    assert len(entries(target)) == 1


def test_a_lost_connection_appends_nothing_twice(target: Target, app: PolicyLog) -> None:
    control = ExportControl.empty(GALLIUM)
    control.record(announced(), str(uuid4()))
    app.save(control)
    kill_others(target)
    control.record(suspended(), str(uuid4()))
    app.save(control)
    assert len(entries(target)) == 2


def test_events_that_are_saved_again_are_found_again(app: PolicyLog) -> None:
    event = Entity.Event(GALLIUM, 1, datetime_now_with_tzinfo(), "e1", announced())
    recorder: Any = app.recorder
    assert isinstance(recorder, TrackerLogRecorder)
    assert isinstance(app.mapper, EntityMapper)
    stored = app.mapper.to_stored_event(event)
    assert [*recorder.insert_events([stored])] == [1]
    assert [*recorder.insert_events([stored])] == [1]
    assert recorder.insert_events([]) == []


def test_an_event_that_the_log_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotSupportedError, match="ProjectionRunner"):
        ProcessApplication[str]()
    monkeypatch.setenv("IS_SNAPSHOTTING_ENABLED", "yes")
    with pytest.raises(NotSupportedError, match="snapshots"):
        PolicyLog()
