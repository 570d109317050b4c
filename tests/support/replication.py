"""Real replication for tests: a separate primary, and its standbys made by `pg_basebackup`.

    with running_primary() as primary, primary.standby("one") as standby:
        async with running_tracker(primary.target) as services: ...
        standby.promote()

Servers listen on ports of 127.0.0.1 and accept everyone there. They do not sync their files. That matters
only for a crash of the whole machine: `kill` loses nothing that was written.
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
    # Shorter intervals for tests: detection of the other end's return.
    *("wal_retrieve_retry_interval=100ms", "wal_receiver_status_interval=1s"),
)


class Server:
    """A PostgreSQL server of a test, primary or standby, which can be stopped and started."""

    def __init__(self, root: Path, name: str, settings: Sequence[str] = ()):
        self.name = name
        """Name of a standby in `synchronous_standby_names`."""
        self.port = free_port()
        self.target: Target = {"host": HOST, "port": self.port, "user": USER, "database": DATABASE}
        self.url = f"postgresql://{USER}@{HOST}:{self.port}/{DATABASE}"
        self.settings = list(settings)
        """Additional settings, from the next start on."""
        self.site = _site(root)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the id of its first process."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """Return the log of the server."""
        return self.site.log.read_text(errors="replace")

    def start(self) -> None:
        """Start the server, and return when it responds."""
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
        """Shut the server down, as an operator does; do nothing if it is not running."""
        self._end(lambda process: process.send_signal(signal.SIGINT))

    def kill(self) -> None:
        """Kill all its processes, as a failing machine does."""
        self._end(lambda process: self._send(signal.SIGKILL))

    def _end(self, end: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        children = psutil.Process(process.pid).children(recursive=True)
        self.thaw()
        end(process)
        process.wait(PATIENCE_SECONDS)
        # Only then its port and files are free.
        _wait_until(lambda: not any(map(_alive, children)), f"{self.name} to end")

    def freeze(self) -> None:
        """Stop all its processes: connections are accepted, but not served."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume its processes."""
        self._send(signal.SIGCONT)

    def _send(self, kind: signal.Signals) -> None:
        """Send a signal to the server, and then to its current children."""
        assert self._process is not None
        with suppress(psutil.NoSuchProcess):
            server = psutil.Process(self._process.pid)
            server.send_signal(kind)
            for child in server.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.send_signal(kind)

    def sql(self, statement: str, *, database: str = DATABASE) -> str:
        """Return the result of a statement as text: lines of fields between `|`. Blocks."""
        return self.site.run(
            *(_program(self.site, "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1"),
            *("-h", HOST, "-p", str(self.port), "-U", USER, "-d", database, "-c", statement),
        ).strip()

    def promote(self) -> None:
        """Promote a standby, and return when it accepts writes."""
        self.site.run(_program(self.site, "pg_ctl"), "promote", "-D", str(self.site.pgdata), "-w")

    def pause_replay(self) -> None:
        """Pause the replay of a standby, which still receives."""
        self.sql("SELECT pg_wal_replay_pause()")
        _wait_until(
            lambda: self.sql("SELECT pg_get_wal_replay_pause_state()") == "paused", "the pause"
        )

    def resume_replay(self) -> None:
        """Resume the replay."""
        self.sql("SELECT pg_wal_replay_resume()")

    def wait_replayed(self, primary: Server) -> None:
        """Wait until this standby has replayed the primary's current log."""
        end = primary.sql("SELECT pg_current_wal_lsn()")
        _wait_until(
            lambda: self.sql(f"SELECT pg_last_wal_replay_lsn() >= '{end}'") == "t",
            f"{self.name} to replay",
        )

    def require(self, names: str = "") -> None:
        """Set `synchronous_standby_names`; empty disables synchronous commits.

        The checkpointer passes the setting on to commits, and reads it before a checkpoint.
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
        """Take a base backup in a new directory, with its write-ahead log."""
        self.site.run(
            *(_program(self.site, "pg_basebackup"), "-D", str(directory), "--no-sync"),
            *("--checkpoint=fast", "-h", HOST, "-p", str(self.port), "-U", USER, *options),
        )
        return directory

    @contextmanager
    def standby(self, name: str, settings: Sequence[str] = ()) -> Iterator[Server]:
        """Run a streaming standby of this server for the duration of a block."""
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
    """Run a new, empty server for the duration of a block, without migrations."""
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
    """Run a new, empty primary with a standby for the duration of a block."""
    with running_primary() as primary, primary.standby(name) as standby:
        yield Pair(primary, standby)


@contextmanager
def restored(backup: Path, name: str, settings: Sequence[str] = ()) -> Iterator[Server]:
    """Run a server on a copy of a base backup, for the duration of a block.

    For point-in-time recovery pass `restore_command` and the target as settings, with `recovery.signal`
    in the backup.
    """
    with _directory() as root:
        server = Server(root, name, settings)
        shutil.copytree(backup, server.site.pgdata)
        for path in (server.site.pgdata, *server.site.pgdata.rglob("*")):
            server.site.chown(path)
        server.site.pgdata.chmod(0o700)
        with _running(server):
            yield server


def several_hosts(*servers: Server) -> Target:
    """Return a target with these servers as hosts, in order."""
    ports = [server.port for server in servers]
    return servers[0].target | {"host": [HOST] * len(servers), "port": ports}


def url_of(*servers: Server, parameters: str = "") -> str:
    """Return the target as a URL, for example with `target_session_attrs=primary`."""
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
    """Create a directory that PostgreSQL's own account can access."""
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
    """Whether a process is running, not a zombie."""
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
