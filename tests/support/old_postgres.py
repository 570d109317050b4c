"""A PostgreSQL older than the required version, if one is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.postgres.site import DataDirectory, account
from tests.support.ports import free_port
from tests.support.time_limits import within

SYSTEM = Path("/usr/lib/postgresql")


@contextmanager
def running_old_postgres(root: Path) -> Iterator[tuple[int, str]]:
    """Run an old server for the duration of a block, and yield its major version and URL."""
    majors = sorted(
        int(each.name) for each in SYSTEM.glob("1[0-6]") if (each / "bin/initdb").exists()
    )
    if not majors:
        pytest.skip(f"no PostgreSQL older than 17 is in {SYSTEM}")
    major = majors[-1]
    programs = SYSTEM / str(major) / "bin"
    root.chmod(0o755)
    site = DataDirectory(root, account(root / "pgdata"))
    site.chown(root)
    port = free_port()
    site.run(
        *(programs / "initdb", "-D", site.pgdata, "-U", "tracker", "--auth=trust", "--no-sync"),
        *("-E", "UTF8", "--locale=C"),
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -c unix_socket_directories="
    control = (programs / "pg_ctl", "-D", site.pgdata, "-w", "-t", f"{within(20):.0f}")
    site.run(*control, "-o", options, "-l", site.log, "start")
    try:
        yield major, f"postgresql://tracker@127.0.0.1:{port}/postgres"
    finally:
        site.run(*control, "-m", "immediate", "stop")
