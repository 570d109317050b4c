"""PgBouncer with the file of `deploy/manifests/pooler`, before a server with the logins of
`deploy/manifests/database`."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.bootstrap import prepare
from deploy.postgres.binaries import find_binaries
from deploy.postgres.site import DataDirectory
from tests.support.checkout import ROOT
from tests.support.ports import free_port
from tests.support.replication import HOST, Server
from tests.support.time_limits import within
from tracker.postgres.database import Target

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIGURATION = ROOT / "deploy" / "manifests" / "pooler" / "pgbouncer.ini"
PASSWORD = "a-password-of-the-tests"
SECRETS = (
    "SELECT format('\"%s\" \"%s\"', rolname, rolpassword) FROM pg_authid WHERE rolpassword <> ''"
)


@dataclass
class Pooler:
    """A PgBouncer, with targets through it and around it."""

    pooled: Target
    direct: Target
    directory: Path
    site: DataDirectory
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it listens."""
        log = self.directory / "pgbouncer.log"
        log.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [str(PGBOUNCER), "--quiet", str(self.directory / "pgbouncer.ini")],
            **self.site.process(),
        )
        deadline = time.monotonic() + within(20)
        while "process up" not in (said := log.read_text() if log.exists() else ""):
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it, as a failing machine does."""
        if self.process:
            self.process.kill()
            self.process.wait()

    @property
    def pooled_url(self) -> str:
        """Return the URL through the pooler."""
        return url(self.pooled)


def url(target: Target) -> str:
    """Return a target as a URL."""
    login = f"{target['user']}:{target.get('password', '')}"
    return f"postgresql://{login}@{target['host']}:{target['port']}/{target['database']}"


def prepare_logins(server: Server) -> None:
    """Create the logins and the database of `deploy/manifests/database`, and migrate it."""
    passwords = ("admin_password", "web_password", "pooled_password")
    given = [each for name in passwords for each in ("--set", f"{name}={PASSWORD}")]
    for name in ("roles.sql", "pooled.sql"):
        server.site.run(
            *(find_binaries(server.site) / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1"),
            *("-h", HOST, "-p", str(server.port), "-U", server.target["user"], "-d", "postgres"),
            *(*given, "--file", "-"),
            stdin=(ROOT / "deploy" / "manifests" / "database" / name).read_text(),
        )
    asyncio.run(prepare(way(server, "minerals_admin")))


def way(server: Server, login: str) -> Target:
    """Return the direct target of the database, for one of the logins."""
    return {**server.target, "user": login, "password": PASSWORD, "database": "minerals"}


@contextmanager
def running_pooler(
    server: Server, changes: Mapping[str, str] | None = None, *, login: str = "web_pooled"
) -> Iterator[Pooler]:
    """Run the pooler for the duration of a block, with changes of its file: new text by old text."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-pooler-"))
    directory.chmod(0o755)
    server.site.chown(directory)
    port = free_port()
    here = {
        "host=127.0.0.1 port=5432": f"host={HOST} port={server.port}",
        "listen_port = 6432": f"listen_port = {port}",
        "/etc/pgbouncer/userlist.txt": str(directory / "userlist.txt"),
        "/var/log/pgbouncer/pgbouncer.log": str(directory / "pgbouncer.log"),
        "/run/pgbouncer/pgbouncer.pid": str(directory / "pgbouncer.pid"),
    }
    written = CONFIGURATION.read_text(encoding="utf-8")
    for old, new in {**here, **(changes or {})}.items():
        assert written.count(old) == 1, old
        written = written.replace(old, new)
    (directory / "pgbouncer.ini").write_text(written, encoding="utf-8")
    (directory / "userlist.txt").write_text(server.sql(SECRETS), encoding="utf-8")
    pooler = Pooler(
        {**way(server, login), "port": port}, way(server, "web"), directory, server.site
    )
    try:
        pooler.start()
        yield pooler
    finally:
        pooler.kill()
        shutil.rmtree(directory, ignore_errors=True)
