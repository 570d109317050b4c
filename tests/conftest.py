"""Real PostgreSQL for every test: one embedded server a test process, one database a test."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import asyncpg
import hypothesis
import pytest
import pytest_asyncio
from rich.console import Console

from deploy.bootstrap import prepare, running_tracker
from deploy.cli.import_progress import copy_log, load_corpus
from deploy.postgres import Postgres
from projections.registry import PROJECTIONS
from projections.runner.rebuild import rebuild
from schema.services import Services
from tests.support.clocks import fix_day
from tests.support.durations import RECORD, DurationRecorder, read_durations
from tests.support.importer import ImportFixture
from tests.support.kinds import DRILLS, NIGHTLY, QUICK, is_below, missing_library
from tests.support.processes import Running
from tests.support.shared_work import make_once
from tests.support.skips import SkipReporter, excused
from tests.support.waiting import all_projected
from tracker.audit.sign.keystore import KeyStore
from tracker.clock import Clock, use_clock
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, create_pool

# Tests start hundreds of processes, which would each compile their imports, and each worker would
# rewrite every test file. So bytecode is cached here even if the machine disables it.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SHARED_MEMORY = Path("/dev/shm")
MIN_FREE_BYTES = 8_000_000_000
"""Free space in bytes for all files of a test run, with a margin."""


def keep_files_in_memory() -> None:
    """Keep temporary files, including test databases, in memory if there is room.

    A database per test means a thousand files per test. Creating and dropping one takes 150 ms of a
    core on a disk, mostly in the kernel, and 35 in memory.
    """
    if "TMPDIR" in os.environ or not SHARED_MEMORY.is_dir():
        return
    found = os.statvfs(SHARED_MEMORY)
    if found.f_bavail * found.f_frsize >= MIN_FREE_BYTES and not found.f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(SHARED_MEMORY)


keep_files_in_memory()
fix_day()

# On a new machine the first text takes a second, because Hypothesis builds its character tables. On a
# busy machine any example may exceed the default of a fifth of a second.
UNHURRIED = hypothesis.settings(
    deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("default", UNHURRIED, max_examples=60)
hypothesis.settings.register_profile("long", UNHURRIED, max_examples=2000)
hypothesis.settings.load_profile("default")

NOT_DRILLS = "not drill"
SHARED_IN_A_PROCESS = {"read_services", "browser"}
"""Fixtures that tests of all files share; their tests run in the loop of the session."""
SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Deselect the drills, unless a path or mark expression is given."""
    config.addinivalue_line("markers", "drill: takes long; run by CI and by `just nightly`")
    config.addinivalue_line("markers", "nightly: one of the longest drills; run by `just nightly`")
    config.addinivalue_line("markers", "quick: part of the quick check of every room")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipReporter(excused()))
        if os.environ.get(RECORD):
            config.pluginmanager.register(DurationRecorder())
    is_chosen = (
        "-m" in config.invocation_params.args
    )  # also for an empty expression, which means all
    if not is_chosen and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.option.markexpr = NOT_DRILLS


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the files of deselected drills, whose libraries take memory."""
    deselected = config.option.markexpr == NOT_DRILLS and is_below(collection_path, DRILLS)
    return True if deselected else None


class WithoutLibrary(pytest.Module):
    """A file of drills whose library is not installed."""

    def collect(self) -> NoReturn:
        """Skip the file."""
        library = missing_library(self.path)
        reason = f"{library} is not installed (pip install -e '.[test,drill]')"
        pytest.skip(reason, allow_module_level=True)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> WithoutLibrary | None:
    """Skip the drills that need a library which is not installed."""
    if missing_library(module_path):
        return WithoutLibrary.from_parent(parent, path=module_path)
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the kinds of tests and their loops; put the longest files first."""
    for item in items:
        for mark, names in (("drill", DRILLS), ("nightly", NIGHTLY), ("quick", QUICK)):
            if is_below(item.path, names):
                item.add_marker(mark)
        if SHARED_IN_A_PROCESS & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    durations = read_durations()
    items.sort(key=lambda item: -durations.get(item.nodeid.partition("::")[0], 0))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what was collected, which lives until the end: a tenth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def real_clock() -> Iterator[None]:
    """Run a test on the real day instead of the fixed one."""
    with use_clock(Clock()):
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the real input beside the checkout."""
    path = SHARED / "data"
    if not path.is_dir():
        pytest.skip("the real input (../shared/data) is not beside this checkout")
    return path


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """Run an embedded PostgreSQL for this test process."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-tests-"))
    os.chmod(directory, 0o755)  # PostgreSQL runs under another account when the tests run as root
    try:
        with Postgres.start(directory / "data") as postgres:
            # These data need not survive a crash of the machine; durability tests have their own
            # server.
            run_sql(postgres, "ALTER SYSTEM SET fsync = off")
            # Trackers of several rooms may run until the end of this process.
            run_sql(postgres, "ALTER SYSTEM SET max_connections = 300")
        with Postgres.start(directory / "data") as postgres:  # this setting needs a start
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
    """Return the target of a database of the server."""
    return {**server.connection.kwargs(), "database": name}


@pytest.fixture(scope="session")
def empty_template(server: Postgres) -> str:
    """Create a database with empty tables, as a template."""
    run_sql(server, "CREATE DATABASE empty_template")
    asyncio.run(prepare(database(server, "empty_template")))
    return "empty_template"


@pytest.fixture(scope="session")
def corpus_template(server: Postgres, empty_template: str) -> str:
    """Create a database with the shipped corpus, as a template."""
    run_sql(server, f"CREATE DATABASE corpus_template TEMPLATE {empty_template}")

    async def load() -> None:
        target, quiet = database(server, "corpus_template"), Console(quiet=True)
        copied = await copy_log(target, quiet)
        for make in PROJECTIONS.values():
            await rebuild(target, make())
        async with running_tracker(target) as services:
            # Facts that are not released yet: they were changed in this checkout.
            await load_corpus(target, services, quiet, copied=copied)
            await all_projected(services)

    asyncio.run(load())
    return "corpus_template"


def copied(server: Postgres, template: str) -> Iterator[Target]:
    """Copy a template database, and drop the copy afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    run_sql(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield database(server, name)
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def target(server: Postgres, empty_template: str) -> Iterator[Target]:
    """Create a separate database with empty tables."""
    yield from copied(server, empty_template)


@pytest.fixture
def corpus_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """Create a separate database with the shipped corpus."""
    yield from copied(server, corpus_template)


@pytest.fixture
async def recorder(target: Target) -> AsyncIterator[Recorder]:
    """Open a separate log without followers."""
    pool = await create_pool(target)
    yield Recorder(pool)
    await pool.close()


@pytest.fixture
def keystore(tmp_path: Path) -> KeyStore:
    """Create the keys of a log."""
    keystore = KeyStore(tmp_path / "audit")
    keystore.load_or_create("example.com/log")
    return keystore


@pytest.fixture
async def services(target: Target) -> AsyncIterator[Services]:
    """Run a whole tracker with an empty log."""
    async with running_tracker(target) as services:
        yield services


@pytest.fixture
async def corpus_services(corpus_target: Target) -> AsyncIterator[Services]:
    """Run a whole tracker with the shipped corpus."""
    async with running_tracker(corpus_target) as services:
        yield services


@pytest.fixture(scope="session")
def read_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """Create the database with the shipped corpus that all tests of a process read."""
    yield from copied(server, corpus_template)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def read_services(read_target: Target) -> AsyncIterator[Services]:
    """Run a tracker with the shipped corpus for tests that only read; they run in the loop of the session."""
    async with running_tracker(read_target) as services:
        head = await services.recorder.head()
        yield services
        assert await services.recorder.head() == head, (
            "a test wrote to the tracker that all tests read"
        )


@pytest.fixture
def importer(target: Target, recorder: Recorder, tmp_path: Path) -> ImportFixture:
    """Return an importer into a separate log."""
    return ImportFixture(target, recorder, tmp_path)


@pytest.fixture(scope="session")
def demo_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the files of a demo that has loaded the corpus and stopped; one process of a run makes them."""

    def make(place: Path) -> None:
        with accessible("tracker-demo-") as directory:
            running = Running("demo", data_dir=directory / "data")
            running.rest("Ctrl-C stops")
            assert running.stop() == 0, running.output
            subprocess.run(["cp", "-a", directory / "data", place], check=True)

    return make_once(tmp_path_factory, "demo", make) / "data"


@pytest.fixture(scope="module")
def demo(demo_files: Path) -> Iterator[Running]:
    """Run a demo on a copy of these files, shared by tests that do not stop it."""
    with accessible("tracker-demo-") as directory:
        subprocess.run(["cp", "-a", demo_files, directory], check=True)
        running = Running("demo", data_dir=directory / "data")
        running.rest("Ctrl-C stops")
        yield running
        running.stop()


@contextmanager
def accessible(prefix: str) -> Iterator[Path]:
    """Create a directory that PostgreSQL's own account can access, for the duration of a block."""
    directory = Path(tempfile.mkdtemp(prefix=prefix))
    os.chmod(directory, 0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Create a directory that PostgreSQL's own account can access."""
    with accessible("tracker-cli-") as directory:
        yield directory / "data"


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Return a function that starts serving commands, and end them after a failed test."""
    started: list[Running] = []

    def begin(*arguments: str, data_dir: Path, **environment: str) -> Running:
        started.append(Running(*arguments, data_dir=data_dir, **environment))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.stop()
