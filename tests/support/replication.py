"""Real replication for tests: a primary of their own, and standbys made of it by `pg_basebackup`.

    with running_primary() as primary, primary.standby("one") as standby:
        async with running_tracker(primary.target) as services: ...
        standby.promote()

Servers listen on ports of 127.0.0.1 and let everyone there in. They do not sync their files, which
only a crash of the whole machine would show: `kill` loses nothing that was written.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from deploy.postgres.binaries import find_binaries
from deploy.postgres.site import DataDirectory, account
from tests.support.ports import free_port
from tracker.postgres.database import Target

HOST, USER, DATABASE = "127.0.0.1", "tracker", "tracker"
PATIENCE_SECONDS = 60.0
ACCESS = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust\n"
SETTINGS = (
    *("fsync=off", "shared_buffers=32MB", "max_connections=100", "log_destination=stderr"),
    *("wal_level=replica", "max_wal_senders=10", "wal_keep_size=512MB", "wal_log_hints=on"),
    # What is slow by default, and only matters to tests: noticing that the other end is back.
    *("wal_retrieve_retry_interval=100ms", "wal_receiver_status_interval=1s"),
)


class Server:
    """A PostgreSQL server of a test's own, primary or standby, which can be stopped and started."""

    def __init__(self, root: Path, name: str, settings: Sequence[str] = ()):
        self.name = name
        """What a standby is called in `synchronous_standby_names`."""
        self.port = free_port()
        self.target: Target = {"host": HOST, "port": self.port, "user": USER, "database": DATABASE}
        self.url = f"postgresql://{USER}@{HOST}:{self.port}/{DATABASE}"
        self.settings = list(settings)
        """Settings beside our own, from the next start on."""
        self.site = _site(root)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that has started all others of the server."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server has said."""
        return self.site.log.read_text(errors="replace")

    def start(self) -> None:
        """Start the server, and return when it answers."""
        words = [
            *SETTINGS,
            *self.settings,
            f"listen_addresses={HOST}",
            f"port={self.port}",
            f"hba_file={self.site.root / 'pg_hba.conf'}",
            "unix_socket_directories=",
        ]
        (self.site.root / "pg_hba.conf").write_text(ACCESS)
        options = [each for word in words for each in ("-c", word)]
        command = [_program(self.site, "postgres"), "-D", str(self.site.pgdata), *options]
        with self.site.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.site.process()
            )
        _wait_until(self._answers, f"{self.name} to start: {self.site.log}")

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.name} did not start:\n{self.log[-2000:]}")
        asked = [_program(self.site, "pg_isready"), "-q", "-h", HOST, "-p", str(self.port)]
        return not subprocess.run(asked, check=False, **self.site.process()).returncode

    def stop(self) -> None:
        """Shut the server down, as an operator does; nothing if it does not run."""
        self._end(lambda process: process.send_signal(signal.SIGINT))

    def kill(self) -> None:
        """Kill all its processes, as a machine that fails does."""
        self._end(lambda process: self._send(signal.SIGKILL))

    def _end(self, end: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        children = psutil.Process(process.pid).children(recursive=True)
        self.thaw()
        end(process)
        process.wait(PATIENCE_SECONDS)
        # Its port and its files are free only then.
        _wait_until(lambda: not any(map(_alive, children)), f"{self.name} to end")

    def freeze(self) -> None:
        """Stop all its processes where they are: connections are taken, and nobody answers."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Have them go on."""
        self._send(signal.SIGCONT)

    def _send(self, kind: signal.Signals) -> None:
        """Send a signal to the server, and then to all that it had started by then."""
        assert self._process is not None
        with suppress(psutil.NoSuchProcess):
            server = psutil.Process(self._process.pid)
            server.send_signal(kind)
            for child in server.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.send_signal(kind)

    def sql(self, statement: str, *, database: str = DATABASE) -> str:
        """What a statement answers, as text: lines of fields between `|`. Blocks."""
        return self.site.run(
            *(_program(self.site, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1"),
            *("-h", HOST, "-p", str(self.port), "-U", USER, "-d", database, "-c", statement),
        ).strip()

    def promote(self) -> None:
        """Make a standby a primary, and return when it takes writes."""
        self.site.run(_program(self.site, "pg_ctl"), "promote", "-D", str(self.site.pgdata), "-w")

    def pause_replay(self) -> None:
        """Have a standby receive, but show nothing more."""
        self.sql("SELECT pg_wal_replay_pause()")
        _wait_until(
            lambda: self.sql("SELECT pg_get_wal_replay_pause_state()") == "paused", "the pause"
        )

    def resume_replay(self) -> None:
        """Have it go on."""
        self.sql("SELECT pg_wal_replay_resume()")

    def wait_replayed(self, primary: Server) -> None:
        """Return when this standby shows all that a primary shows now."""
        end = primary.sql("SELECT pg_current_wal_lsn()")
        _wait_until(
            lambda: self.sql(f"SELECT pg_last_wal_replay_lsn() >= '{end}'") == "t",
            f"{self.name} to replay",
        )

    def require(self, names: str = "") -> None:
        """Have commits wait for standbys, as `synchronous_standby_names` says it, or for nobody.

        The checkpointer tells commits to wait, and sees the setting before it makes a checkpoint.
        """
        self.sql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.sql("SELECT pg_reload_conf()")
        shown = f"SELECT current_setting('synchronous_standby_names') = '{names}'"
        _wait_until(lambda: self.sql(shown) == "t", "the setting")
        self.sql("CHECKPOINT")
        if names:
            _wait_until(self._synchronous, f"a synchronous standby of {names}")

    def _synchronous(self) -> bool:
        count = "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
        return self.sql(count) != "0"

    def base_backup(self, directory: Path, *options: str) -> Path:
        """A base backup of now in a new directory, with the log of while it was made."""
        self.site.run(
            *(_program(self.site, "pg_basebackup"), "-D", str(directory), "--no-sync"),
            *("--checkpoint=fast", "-h", HOST, "-p", str(self.port), "-U", USER, *options),
        )
        return directory

    @contextmanager
    def standby(self, name: str, settings: Sequence[str] = ()) -> Iterator[Server]:
        """A standby of this server, which streams from it, for the length of a block."""
        with _directory() as root:
            standby = Server(root, name, settings)
            conninfo = f"host={HOST} port={self.port} user={USER} application_name={name}"
            self.base_backup(standby.site.pgdata, "--write-recovery-conf", "-d", conninfo)
            with _running(standby):
                yield standby


@dataclass(frozen=True)
class Pair:
    """A primary and its standby."""

    primary: Server
    standby: Server


@contextmanager
def running_primary(name: str = "primary", settings: Sequence[str] = ()) -> Iterator[Server]:
    """A new, empty server for the length of a block: nothing is migrated."""
    with _directory() as root:
        server = Server(root, name, settings)
        server.site.run(
            *(_program(server.site, "initdb"), "-D", str(server.site.pgdata), "-U", USER),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "-E", "UTF8"),
            *("--auth=trust", "--no-sync", "--no-instructions"),
        )
        with _running(server):
            server.sql(f"CREATE DATABASE {DATABASE}", database="postgres")
            yield server


@contextmanager
def running_pair(name: str = "standby") -> Iterator[Pair]:
    """A new, empty primary with a standby for the length of a block."""
    with running_primary() as primary, primary.standby(name) as standby:
        yield Pair(primary, standby)


@contextmanager
def restored(backup: Path, name: str, settings: Sequence[str] = ()) -> Iterator[Server]:
    """A server on a copy of a base backup, for the length of a block. For recovery up to a moment
    give `restore_command` and the target as settings, and `recovery.signal` in the backup."""
    with _directory() as root:
        server = Server(root, name, settings)
        shutil.copytree(backup, server.site.pgdata)
        for path in (server.site.pgdata, *server.site.pgdata.rglob("*")):
            server.site.chown(path)
        server.site.pgdata.chmod(0o700)
        with _running(server):
            yield server


def several_hosts(*servers: Server) -> Target:
    """A target whose hosts are these servers, in this order."""
    ports = [server.port for server in servers]
    return servers[0].target | {"host": [HOST] * len(servers), "port": ports}


def url_of(*servers: Server, parameters: str = "") -> str:
    """The same as the URL that settings take, such as with `target_session_attrs=primary`."""
    hosts = ",".join(f"{HOST}:{server.port}" for server in servers)
    return f"postgresql://{USER}@{hosts}/{DATABASE}" + (f"?{parameters}" if parameters else "")


@contextmanager
def _running(server: Server) -> Iterator[None]:
    try:
        server.start()
        yield
    finally:
        server.kill()


@contextmanager
def _directory() -> Iterator[Path]:
    """A directory that PostgreSQL's own account can write to and reach."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-tests-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _site(root: Path) -> DataDirectory:
    site = DataDirectory(root, account(root / "pgdata"))
    site.chown(root)
    return site


def _program(site: DataDirectory, name: str) -> str:
    return str(find_binaries(site) / name)


def _alive(process: psutil.Process) -> bool:
    """Whether a process has not ended; one that nobody has asked for its outcome yet has."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.02)
