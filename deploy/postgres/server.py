"""The embedded server: created, started, monitored and stopped by this process."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from deploy.postgres.binaries import find_binaries
from deploy.postgres.connection import PORT, Connection, PostgresError
from deploy.postgres.lock import Lock, open_private, wait_until
from deploy.postgres.site import DataDirectory, account, grant_access

RULES = "local all all peer map=tracker\nlocal replication all peer map=tracker\n"


def write_access_files(site: DataDirectory) -> list[str]:
    """Write the access files and return the settings that name them."""
    users = "".join(f'tracker "{name}" all\n' for name in _users())
    settings = []
    for setting, name, content in (
        ("hba_file", "pg_hba.conf", RULES),
        ("ident_file", "pg_ident.conf", users),
    ):
        path = site.root / name
        part = path.with_name(f"{name}.part")
        part.write_text(content, encoding="utf-8")
        part.chmod(0o644)  # the server's account reads it
        part.replace(path)
        settings.append(f"{setting}={path}")
    return settings


def _users() -> Iterator[str]:
    """Yield the names of this process's user and of root, quoted for PostgreSQL's files."""
    for number in sorted({os.geteuid(), 0}):
        with suppress(KeyError):  # a user without a name cannot be authenticated by one
            yield pwd.getpwuid(number).pw_name.replace('"', '""')


MAX_SOCKET_PATH_BYTES = 103  # bytes, on macOS; Linux has 107
FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN = (signal.SIGINT, 120.0), (signal.SIGQUIT, 30.0)  # seconds
SIGNAL_INTERVAL_SECONDS = 5.0
"""Seconds after which a running server gets the shutdown signal again."""
MIN_FREE_BYTES = (
    16 * 1024 * 1024
)  # bytes left: too few for a segment of PostgreSQL's write-ahead log
RETRIED_OBSTACLES = ("pre-existing shared memory block", 'lock file "postmaster.pid" already')
SETTINGS = (  # on the command line, which takes precedence over postgresql.conf
    *("listen_addresses=", "unix_socket_permissions=0700", "fsync=on", "logging_collector=off"),
    *("log_destination=stderr", "timezone=UTC", "log_timezone=UTC"),
)
TEMPORARY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
"""Settings of a server whose data are removed at its end, so that they need not survive a crash."""
INITDB = (
    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "-E", "UTF8", "-k"),
    *("--auth-local=peer", "--auth-host=scram-sha-256", "--no-instructions"),
    "--no-sync",
    # These go into postgresql.conf, where an operator may change them.
    *("-c", "shared_buffers=128MB", "-c", "max_connections=100", "-c", "log_checkpoints=off"),
)
SYNC = ("--sync-only", *(("--sync-method=syncfs",) if sys.platform == "linux" else ()))
WATCHED = """exec 3<&0
read -r line || exit
( { read -r line <&3 || for try in 1 2 3 4 5; do kill -INT $$ || exit; sleep 2; done; } 2>/dev/null & )
exec "$@" 3<&- </dev/null
"""
"""The shell script that runs a server, with a process beside it that shuts it down when its input ends
without a line: this process has been killed. Repeatedly, as a starting server may miss the signal."""
_Server = subprocess.Popen[Any]


class Postgres:
    """A running server, which this process owns until `stop`; a context manager."""

    def __init__(self, connection: Connection, site: DataDirectory, server: _Server, lock: Lock):
        """Take over the resources of `start`."""
        self.connection = connection
        self._site = site
        self._server = server
        self._lock = lock
        self._begun = site.log.stat().st_size

    @classmethod
    def start(
        cls, data_dir: Path, *, timeout: float = 600, lasting: bool = False, temporary: bool = False
    ) -> Self:
        """Run a server on `data_dir`, and create missing directories and databases.

        `timeout` is the maximum of seconds until the server is ready, including crash recovery.
        `lasting` processes run until they are stopped, so others may use their server. The data of a
        `temporary` server do not survive a crash. Raises InUse if another process holds the directory, and
        PostgresError for all other errors.
        """
        try:
            root = data_dir.expanduser().resolve()
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = Lock.take(root / "lock")
            try:
                return cls._start_locked(root, lock, timeout, lasting, temporary)
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            raise PostgresError(f"PostgreSQL cannot be run on {data_dir}: {error}") from error

    @classmethod
    def _start_locked(
        cls, root: Path, lock: Lock, timeout: float, lasting: bool, temporary: bool
    ) -> Self:
        _stop_orphan(root / "pgdata")
        _clear_sockets(lock.predecessor.get("host"))
        site = DataDirectory(root, account(root / "pgdata"))
        grant_access(site)
        binaries = find_binaries(site)
        _make_database(site, binaries, temporary)
        host = str(_make_socket_dir(site))
        record = {"owner": os.getpid(), "host": host, "lasting": lasting}
        lock.write(record)
        try:
            server = _launch(site, binaries, host, timeout, TEMPORARY if temporary else ())
            lock.write({**record, "ready": True})
            return cls(Connection(host), site, server, lock)
        except BaseException:  # a full disk, or the exception of a signal handler
            _stop_orphan(site.pgdata)
            _clear_sockets(host)
            raise

    @property
    def ended(self) -> str | None:
        """Return the reason for the end of the server with its last log lines, or None while it runs."""
        if not _has_ended(self._server):
            return None
        return f"PostgreSQL has ended. {_last_words(self._site, self._begun)}"

    def stop(self) -> None:
        """Shut the server down, closing its connections, and release the directory.

        May be called again, even by a signal handler during this call. Raises PostgresError if the
        server does not end; the directory then stays locked.
        """
        _shut_down(self._server.pid, lambda: _has_ended(self._server))
        _end_watch(self._server)
        if self._lock.held:
            _clear_sockets(self.connection.host)
        self._lock.release()

    def __enter__(self) -> Self:
        """Return the running server."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Stop the server."""
        self.stop()


def _make_database(site: DataDirectory, binaries: Path, temporary: bool) -> None:
    """Create the cluster with its role and database, unless it exists."""
    for half_made in site.root.glob("pgdata.new-*"):
        shutil.rmtree(half_made, ignore_errors=True)
    if site.pgdata.exists():
        return
    # A unique name: the initdb of a killed process may still use another.
    fresh = Path(tempfile.mkdtemp(prefix="pgdata.new-", dir=site.root))
    site.chown(fresh)
    site.run(binaries / "initdb", "-D", fresh, "-U", "tracker", *INITDB)
    single = ("--single", "-D", fresh, "-c", "exit_on_error=on", "-c", "fsync=off", "postgres")
    site.run(binaries / "postgres", *single, stdin="CREATE DATABASE tracker STRATEGY file_copy\n")
    if not temporary:  # all files at once, which takes half as long as each program's own
        site.run(binaries / "initdb", "-D", fresh, *SYNC)
    fresh.rename(site.pgdata)
    _sync(site.root)


def _make_socket_dir(site: DataDirectory) -> Path:
    """Return a directory that only the server's account (and root) can access."""
    directory = site.root / "run"
    if len(os.fsencode(directory / f".s.PGSQL.{PORT}")) > MAX_SOCKET_PATH_BYTES:
        directory = Path(tempfile.mkdtemp(prefix="tracker-postgres-", dir="/tmp"))
    directory.mkdir(mode=0o700, exist_ok=True)
    site.chown(directory)
    return directory


def _clear_sockets(host: str | None) -> None:
    """Remove a server's socket, its lock and their directory after a crash."""
    if host:
        for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (Path(host) / name).unlink(missing_ok=True)
        with suppress(OSError):
            Path(host).rmdir()


def _stop_orphan(pgdata: Path) -> None:
    """Stop the server of a killed process; ignore a stale or reused pid."""
    pid = _recorded_pid(pgdata)
    if pid is None:
        return
    _shut_down(pid, lambda: not _is_postmaster(pid, pgdata))
    # Even without this file PostgreSQL refuses to start while backends of its predecessor run.
    (pgdata / "postmaster.pid").unlink(missing_ok=True)


def _recorded_pid(pgdata: Path) -> int | None:
    """Return the pid in postmaster.pid: 0 if a full disk left the file empty, None without a file."""
    try:
        first, *_ = (pgdata / "postmaster.pid").read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else 0


def _is_postmaster(pid: int, pgdata: Path) -> bool:
    command = _command_line(pid) + b" "
    return b"/postgres -" in command and b" " + os.fsencode(pgdata) + b" " in command


def _command_line(pid: int) -> bytes:
    """Return the command line of a process; empty for an ended process or a zombie."""
    if os.path.exists("/proc/self/cmdline"):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
        except (FileNotFoundError, ProcessLookupError):
            return b""
    command = ["ps", "-ww", "-p", str(pid), "-o", "command="]
    return subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout.strip()


def _launch(
    site: DataDirectory, binaries: Path, host: str, timeout: float, more: tuple[str, ...]
) -> _Server:
    """Run the server until it is ready; on failure leave no process behind."""
    deadline = time.monotonic() + timeout
    while (server := _try_launch(site, binaries, host, deadline, more)) is None:
        time.sleep(0.1)
        _stop_orphan(site.pgdata)
    return server


def _try_launch(
    site: DataDirectory, binaries: Path, host: str, deadline: float, more: tuple[str, ...]
) -> _Server | None:
    server, log_offset = _spawn(site, binaries, host, more)
    try:
        _send_line(server)
        wait_until(lambda: _ready(server, site.pgdata) or _has_ended(server), deadline)
        if _ready(server, site.pgdata):
            return server
        if not _has_ended(server):
            raise PostgresError(f"PostgreSQL was not ready in time; {site.log} says why.")
    except BaseException:
        _shut_down(server.pid, lambda: _has_ended(server))
        _end_watch(server)
        raise
    _end_watch(server)
    last_words = _last_words(site, log_offset)
    # Backends of a killed server run until their query ends; PostgreSQL refuses to start meanwhile.
    if any(passing in last_words for passing in RETRIED_OBSTACLES) and time.monotonic() < deadline:
        return None
    raise PostgresError(f"PostgreSQL did not start. {last_words}")


def _last_words(site: DataDirectory, begun: int) -> str:
    """Return the log of the server since `begun` bytes, and whether the disk is full.

    On a full disk the log may lack the message.
    """
    with site.log.open("rb") as log:
        log.seek(max(begun, log.seek(0, os.SEEK_END) - 2000))
        text = log.read().decode(errors="replace").strip()
    full = shutil.disk_usage(site.root).free < MIN_FREE_BYTES
    space = f"The disk of {site.root} is full. " if full else ""
    return f"{space}Its log, {site.log}, ends:\n{text}"


def _spawn(
    site: DataDirectory, binaries: Path, host: str, more: tuple[str, ...]
) -> tuple[_Server, int]:
    """Start a server that waits for a line, and return it with its start in the log.

    If a signal handler raises here, the line is never sent, and no server is left behind. A second line
    ends the watch over this process.
    """
    quoted = host.replace('"', '""')
    access = write_access_files(site)
    settings = [*SETTINGS, *more, *access, f'unix_socket_directories="{quoted}"']
    options = [word for setting in settings for word in ("-c", setting)]
    postgres = [str(binaries / "postgres"), "-D", str(site.pgdata), "-p", str(PORT), *options]
    command = ["sh", "-c", WATCHED, "sh", *postgres]
    with open(site.log, "ab", opener=open_private) as log:
        log_offset = log.tell()
        streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": log, "stderr": log}
        return subprocess.Popen(command, bufsize=0, **streams, **site.process()), log_offset


def _send_line(server: _Server) -> None:
    assert server.stdin
    with suppress(BrokenPipeError, ValueError):  # it has ended, or its watch has
        server.stdin.write(b"\n")


def _end_watch(server: _Server) -> None:
    _send_line(server)
    assert server.stdin
    server.stdin.close()


def _ready(server: _Server, pgdata: Path) -> bool:
    """Whether this server, and no predecessor, has reported that it accepts connections."""
    try:
        lines = (pgdata / "postmaster.pid").read_bytes().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 1 and lines[0] == b"%d" % server.pid and lines[-1].strip() == b"ready"


def _has_ended(server: _Server) -> bool:
    """Return whether the server has ended, without the deadlock of `server.poll()` in signal handlers."""
    if server.returncode is None:
        try:
            pid, status = os.waitpid(server.pid, os.WNOHANG)
        except ChildProcessError:  # a signal handler has reaped it
            pid, status = server.pid, 0
        if pid:
            server.returncode = os.waitstatus_to_exitcode(status)
    return server.returncode is not None


def _shut_down(pid: int, gone: Callable[[], bool]) -> None:
    """Request a fast shutdown, which loses nothing, and finally one with crash recovery."""
    for kind, patience in (FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN):
        deadline = time.monotonic() + patience
        while not gone() and time.monotonic() < deadline:
            with suppress(ProcessLookupError):
                os.kill(pid, kind)  # repeatedly: a starting server may miss the signal
            wait_until(gone, min(deadline, time.monotonic() + SIGNAL_INTERVAL_SECONDS))
        if gone():
            return
    raise PostgresError(f"PostgreSQL does not shut down. Inspect its process {pid}.")


def _sync(directory: Path) -> None:
    """Sync a directory, so that its names survive a power failure."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
