"""Independence of other processes from one that is stopped at work."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from deploy.bootstrap import migrate_log, open_connection, running_tracker
from deploy.postgres import Postgres
from projections.fold.replay import ReplayState
from projections.runner.projection import PAGE_EVENTS
from projections.runner.projector import PassLimits, Projector, ReadAhead
from projections.runner.rebuild import rebuild
from projections.versions.projection import Versions
from projections.versions.row_batch import RowBatch
from schema.services import Services
from tests.conftest import database, run_sql
from tests.support.fact_builders import announced
from tests.support.log_events import gallium
from tests.support.published_log import check
from tests.support.time_limits import within
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.log.follower import Follower
from tracker.log.recorder import Recorder
from tracker.postgres.database import PROJECTOR, Target, create_pool

MAX_WAIT_SECONDS = within(12)
"""Maximum seconds until others continue: 10, and the start of the other process."""
DAY = date(2025, 11, 20)


SLOW = """
CREATE FUNCTION projection.slow() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep({}); RETURN new; END';
CREATE TRIGGER slow BEFORE INSERT ON projection.versions
    FOR EACH ROW EXECUTE FUNCTION projection.slow();
"""
"""A database that needs some seconds per version row."""


class Frozen:
    """A process of `tests.support.frozen_process` that has stopped itself."""

    def __init__(self, kind: str, target: Target, directory: Path):
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.support.frozen_process",
                kind,
                json.dumps(target),
                str(directory),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        looking = psutil.Process(self._process.pid)
        deadline = time.monotonic() + within(60)
        while looking.status() != psutil.STATUS_STOPPED:
            assert self._process.poll() is None, "it has ended"
            assert time.monotonic() < deadline, "it has not stopped"
            time.sleep(0.01)
        self.since = time.monotonic()

    async def thawed(self) -> str:
        """Resume it and return its output."""
        os.kill(self._process.pid, signal.SIGCONT)
        output, _ = await asyncio.to_thread(self._process.communicate, timeout=within(100))
        return output.strip()

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.communicate()


@asynccontextmanager
async def frozen(kind: str, target: Target, directory: Path) -> AsyncIterator[Frozen]:
    """Run a process that stops in the middle of its work."""
    process = await asyncio.to_thread(Frozen, kind, target, directory)
    try:
        yield process
    finally:
        process.kill()


async def digests(services: Services) -> tuple[str, str]:
    """Return the digests of today's state by the projection, and by a replay of the log."""
    replay, head = ReplayState(), await services.recorder.head()
    async for each in services.recorder.read_all(head):
        replay.add(each)
    await services.projector.reach(head, seconds=60)
    moment = await services.as_of.resolve(DAY)
    return await services.as_of.digest(moment), replay.digest(DAY, head)


async def test_while_a_projector_is_frozen_another_one_projects(
    target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    await recorder.append([gallium("first", "export-control/first")])
    async with (
        frozen("projector", target, tmp_path) as process,
        running_tracker(target) as services,
    ):
        await services.commands.record("export-control/a", announced())
        await services.projector.reach(2, seconds=60)
        assert time.monotonic() - process.since < MAX_WAIT_SECONDS
        assert await process.thawed() == "DONE"
        await services.commands.record("export-control/b", announced())
        of_projection, of_log = await digests(services)
        assert of_projection == of_log


async def test_pages_that_take_longer_to_fold_than_a_turn_lasts_are_projected_nevertheless(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ReadAhead.page

    async def slow(ahead: ReadAhead[RowBatch], after: int) -> RowBatch | None:
        page = await real(ahead, after)
        await asyncio.sleep(1.5)
        return page

    monkeypatch.setattr(ReadAhead, "page", slow)
    monkeypatch.setattr(services.projector, "_limits", PassLimits(PAGE_EVENTS, 1))
    monkeypatch.setattr("projections.runner.projector.MAX_FOLD_SECONDS", 0.5)
    await services.commands.record("export-control/a", announced())
    await services.projector.reach(1, seconds=30)


@pytest.mark.parametrize(("rows", "seconds_of_a_row"), [(24, 0.1), (1, 2)])
async def test_pages_that_take_longer_to_write_than_a_turn_lasts_are_projected_nevertheless(
    target: Target,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    rows: int,
    seconds_of_a_row: float,
) -> None:
    async with open_connection(target) as connection:
        await connection.execute(SLOW.format(seconds_of_a_row))
    await recorder.append([gallium(f"id-{n}", f"export-control/e{n}") for n in range(1, rows + 1)])
    async with await create_pool(target, role=PROJECTOR) as pool:
        projector = Projector(pool, Follower(recorder, target), Versions())
        monkeypatch.setattr(projector, "_limits", limits := PassLimits(PAGE_EVENTS, 1))
        async with projector:
            await projector.reach(rows, seconds=60)
            async with open_connection(target) as connection:
                await connection.execute("DROP TRIGGER slow ON projection.versions")
            async with asyncio.timeout(within(60)):
                while limits.seconds > 1 or limits.events <= rows:  # fast transactions restore them
                    rows += 1
                    await recorder.append([gallium(f"id-{rows}", f"export-control/e{rows}")])
                    await projector.reach(rows)


@pytest.mark.parametrize("shared", [True, False])
async def test_while_a_publisher_is_frozen_another_one_signs_and_the_thawed_one_goes_on_from_there(
    target: Target, recorder: Recorder, keystore: KeyStore, tmp_path: Path, shared: bool
) -> None:
    own = KeyStore(tmp_path / "own")
    own.directory.mkdir()
    (own.directory / "keys").write_bytes((keystore.directory / "keys").read_bytes())
    await recorder.append([gallium("first", "export-control/first")])
    directory = keystore.directory if shared else own.directory
    async with frozen("publisher", target, directory) as process:
        async with running_tracker(target, SigningOptions(keystore)) as services:
            await services.commands.record("export-control/a", announced())
            while await services.proofs.size() != 2:
                await asyncio.sleep(0.02)
            assert time.monotonic() - process.since < MAX_WAIT_SECONDS
        await recorder.append([gallium("last", "export-control/last")])
        assert await process.thawed() == "DONE"
    sizes = await check(target, keystore if shared else own)
    assert sizes == [2, 3], "the head that was frozen was never published"


async def test_while_an_import_is_frozen_others_write_and_the_thawed_one_says_that_it_failed(
    target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    async with frozen("import", target, tmp_path) as process:
        await recorder.append([gallium("a", "export-control/a")])
        assert time.monotonic() - process.since < MAX_WAIT_SECONDS
        assert await process.thawed() == "UNAVAILABLE"
    assert await recorder.head() == 1


@pytest.mark.parametrize(
    ("kind", "ends_with"), [("staging of a restore", "NOT_EMPTY"), ("restore", "LOST")]
)
async def test_while_a_restore_is_frozen_others_write_and_the_thawed_one_restores_nothing(
    target: Target, recorder: Recorder, tmp_path: Path, kind: str, ends_with: str
) -> None:
    async with frozen(kind, target, tmp_path) as process:
        await recorder.append([gallium("a", "export-control/a")])
        assert time.monotonic() - process.since < MAX_WAIT_SECONDS
        assert await process.thawed() == ends_with
    assert await recorder.head() == 1


async def test_while_a_rebuild_is_frozen_another_one_is_done_and_the_thawed_one_harms_nothing(
    target: Target, recorder: Recorder, tmp_path: Path
) -> None:
    async with running_tracker(target) as services:
        for name in "abc":
            await services.commands.record(f"export-control/{name}", announced())
    async with frozen("rebuild", target, tmp_path) as process:
        await rebuild(target, Versions())
        assert time.monotonic() - process.since < 2 * MAX_WAIT_SECONDS
        assert await process.thawed() == "LOST"
    async with running_tracker(target) as services:
        of_projection, of_log = await digests(services)
        assert of_projection == of_log


@pytest.fixture
def bare(server: Postgres) -> Iterator[Target]:
    """Create a database without tables."""
    name = f"test_{uuid.uuid4().hex}"
    run_sql(server, f"CREATE DATABASE {name}")
    yield database(server, name)
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


async def test_while_a_migration_is_frozen_another_process_migrates(
    bare: Target, tmp_path: Path
) -> None:
    async with frozen("migration", bare, tmp_path) as process:
        assert await migrate_log(bare)
        assert time.monotonic() - process.since < MAX_WAIT_SECONDS
        assert await process.thawed() == "LOST"
    assert await migrate_log(bare) == []
