"""Real PostgreSQL for every test: one embedded server a test process, one database a test."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest

from deploy.bootstrap import prepare, running_tracker
from deploy.postgres import Postgres
from schema.services import Services
from tests.support.clocks import fix_day
from tests.support.importer import ImportFixture
from tests.support.kinds import DRILLS, QUICK, is_below
from tests.support.processes import Running
from tests.support.time_limits import within
from tracker.audit.sign.keystore import KeyStore
from tracker.clock import Clock, use_clock
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

# Tests begin hundreds of processes, which would each compile what they import, and each worker would rewrite
# every file of tests: a machine that keeps no compiled files has them kept here all the same.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SHARED_MEMORY = Path("/dev/shm")
MIN_FREE_BYTES = 8_000_000_000
"""What all files of a run of the tests have room in, several times over."""


def keep_files_in_memory() -> None:
    """Let temporary files, those of the tests' databases among them, be files in memory where there is room.

    A database a test means a thousand files a test. To make and drop one takes 150 ms of a core on a disk,
    most of it in the kernel, and 35 in memory.
    """
    if "TMPDIR" in os.environ or not SHARED_MEMORY.is_dir():
        return
    found = os.statvfs(SHARED_MEMORY)
    if found.f_bavail * found.f_frsize >= MIN_FREE_BYTES and not found.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(SHARED_MEMORY)


keep_files_in_memory()
fix_day()

# The first text that is drawn on a new machine takes a second: Hypothesis makes its tables of characters. And
# on a busy machine any example may take longer than the fifth of a second that it is given by default.
UNHURRIED = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("default", UNHURRIED, max_examples=60)
hypothesis.settings.register_profile("long", UNHURRIED, max_examples=2000)
hypothesis.settings.load_profile("default")

NO_BROWSER = "THE BROWSER TESTS DO NOT RUN"
"""Begins the reason for which they are skipped."""
SHARED = Path(__file__).parents[2] / "shared"


NOT_TESTED = "NOT TESTED"
"""Is in the reason for which tests of deployments are skipped."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end, where everybody looks, which tests did not run for want of a program."""
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())]
    for reason in sorted({each for each in skipped if NOT_TESTED in each}):
        terminalreporter.write_line(reason, red=True)
    if count := sum(NO_BROWSER in reason for reason in skipped):
        terminalreporter.write_line(f"{NO_BROWSER}: {count} tests; Chromium is missing", red=True)


LONGEST = (
    "faults/test_faults.py",
    "deploy/test_cli.py",
    "deploy/test_two_releases.py",
    "faults/test_frozen.py",
    "deploy/test_postgres.py",
    "deploy/test_entry.py",
    "audit/test_auditing.py",
    "auth/test_access.py",
    "browser/test_truth.py",
    "browser/test_pages.py",
    "deploy/test_packaging.py",
    "projections/test_projections.py",
    "deploy/test_data_dirs.py",
    "schema/test_paging.py",
    "deploy/test_operating.py",
    "test_idle_programs.py",
)
"""Files that take longest, from half a minute to three: they are begun first, so that no worker is left
alone with one in the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Leave the drills out, unless a path or an expression of marks is given."""
    config.addinivalue_line("markers", "drill: takes long; run by CI and by `just nightly`")
    config.addinivalue_line("markers", "quick: part of the quick check of every room")
    is_chosen = (
        "-m" in config.invocation_params.args
    )  # also for an empty expression, which means all
    if not is_chosen and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.option.markexpr = "not drill"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the kinds of tests, and put the files that take longest first, in the order of `LONGEST`."""
    for item in items:
        for mark, names in (("drill", DRILLS), ("quick", QUICK)):
            if is_below(item.path, names):
                item.add_marker(mark)
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@pytest.fixture
def real_clock() -> Iterator[None]:
    """Let a test run on the real day instead of the fixed one."""
    with use_clock(Clock()):
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real input beside the checkout."""
    path = SHARED / "data"
    if not path.is_dir():
        pytest.skip("the real input (../shared/data) is not beside this checkout")
    return path


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """An embedded PostgreSQL that belongs to this test process."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-tests-"))
    os.chmod(directory, 0o755)  # PostgreSQL runs under another account when the tests run as root
    try:
        with Postgres.start(directory / "data") as postgres:
            # Nobody needs these data after a crash of the machine; tests of what is durable have their own.
            run_sql(postgres, "ALTER SYSTEM SET fsync = off")
            run_sql(postgres, "SELECT pg_reload_conf()")
            yield postgres
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run_sql(server: Postgres, statement: str) -> None:
    """Run a statement that needs no transaction, such as CREATE DATABASE."""

    async def execute() -> None:
        connection = await asyncpg.connect(**server.connection.kwargs())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute())


def database(server: Postgres, name: str) -> dict[str, Any]:
    """What to connect to for a database of the server."""
    return {**server.connection.kwargs(), "database": name}


@pytest.fixture(scope="session")
def empty_template(server: Postgres) -> str:
    """A database with the tables and nothing in them, to be copied."""
    run_sql(server, "CREATE DATABASE empty_template")
    asyncio.run(prepare(database(server, "empty_template")))
    return "empty_template"


@pytest.fixture(scope="session")
def corpus_template(server: Postgres, empty_template: str) -> str:
    """A database with the shipped corpus, to be copied."""
    run_sql(server, f"CREATE DATABASE corpus_template TEMPLATE {empty_template}")

    async def load() -> None:
        target = database(server, "corpus_template")
        async with running_tracker(target) as services:
            outcome = await import_file(target, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
            assert not outcome.refused, outcome.receipt.refused
            await services.projector.reach(await services.recorder.head(), seconds=within(60))

    asyncio.run(load())
    return "corpus_template"


def copied(server: Postgres, template: str) -> Iterator[Target]:
    """A database of the test's own, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    run_sql(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield database(server, name)
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def target(server: Postgres, empty_template: str) -> Iterator[Target]:
    """A database of the test's own, empty but for its tables."""
    yield from copied(server, empty_template)


@pytest.fixture
def corpus_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """A database of the test's own, with the shipped corpus."""
    yield from copied(server, corpus_template)


@pytest.fixture
async def recorder(target: Target) -> AsyncIterator[Recorder]:
    """A log of the test's own, with nobody following it."""
    pool = await create_pool(target)
    yield Recorder(pool)
    await pool.close()


@pytest.fixture
def keystore(tmp_path: Path) -> KeyStore:
    """The keys of a log."""
    keystore = KeyStore(tmp_path / "audit")
    keystore.load_or_create("example.com/log")
    return keystore


@pytest.fixture
async def services(target: Target) -> AsyncIterator[Services]:
    """A whole tracker with an empty log."""
    async with running_tracker(target) as services:
        yield services


@pytest.fixture
async def corpus_services(corpus_target: Target) -> AsyncIterator[Services]:
    """A whole tracker with the shipped corpus."""
    async with running_tracker(corpus_target) as services:
        yield services


@pytest.fixture
def importer(target: Target, recorder: Recorder, tmp_path: Path) -> ImportFixture:
    """Imports files into a log of the test's own."""
    return ImportFixture(target, recorder, tmp_path)


@pytest.fixture(scope="module")
def demo() -> Iterator[Running]:
    """A running demo, shared by the tests that do not stop it."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-demo-"))
    os.chmod(directory, 0o755)
    running = Running("demo", data_dir=directory / "data")
    running.rest("Ctrl-C stops")
    yield running
    running.stop()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A directory that PostgreSQL's own account can reach."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-cli-"))
    os.chmod(directory, 0o755)
    yield directory / "data"
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts commands that serve, and ends what a failing test leaves of them."""
    started: list[Running] = []

    def begin(*arguments: str, data_dir: Path, **environment: str) -> Running:
        started.append(Running(*arguments, data_dir=data_dir, **environment))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.stop()
