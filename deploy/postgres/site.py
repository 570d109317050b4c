"""A data directory, and the account for PostgreSQL in it."""

import os
import pwd
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.postgres.connection import PostgresError

HARMLESS_ACCOUNTS = ("postgres", "_postgres", "nobody")  # the second on macOS


PASSED_ON = (
    "PATH",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "LD_PRELOAD",
    "FAKETIME",
    "FAKETIME_DISABLE_SHM",
    "FAKETIME_DONT_FAKE_MONOTONIC",
)
"""Variables passed to PostgreSQL: library paths, and those of libfaketime for tests that move all
clocks."""


@dataclass(frozen=True)
class DataDirectory:
    """A data directory and the account of the server; None: this process's own."""

    root: Path
    account: pwd.struct_passwd | None

    @property
    def pgdata(self) -> Path:
        return self.root / "pgdata"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    def chown(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def process(self) -> dict[str, Any]:
        """Return the options of PostgreSQL's processes: no terminal, and no secrets."""
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        common = {"cwd": "/", "env": environment | {"LC_ALL": "C"}, "start_new_session": True}
        if not self.account:
            return common
        identity = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return common | identity

    def run(self, *command: str | Path, stdin: str = "") -> str:
        """Return the command's standard output. Raises PostgresError with its error message."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command, input=stdin, capture_output=True, text=True, check=False, **self.process()
        )
        if done.returncode:
            raise PostgresError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def first_unreachable(self, path: Path) -> str:
        """Return the first directory in `path` that the account cannot enter, or an empty text."""
        if not self.account:
            return ""
        script = 'for way do test -x "$way" || { printf %s "$way"; exit; }; done'
        way = [str(step) for step in (*reversed(path.parents), path)]
        return self.run("sh", "-c", script, "sh", *way)


def account(pgdata: Path) -> pwd.struct_passwd | None:
    """Return the account for the server: the owner of the data, or for root an unprivileged one."""
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


def grant_access(site: DataDirectory) -> None:
    """Give the server's account access to a new data directory, and to no other."""
    new = [path.name for path in site.root.iterdir()] == ["lock"]
    if new and site.first_unreachable(site.root) == str(site.root):
        site.root.chmod(stat.S_IMODE(site.root.stat().st_mode) | 0o011)
    if barrier := site.first_unreachable(site.root):
        assert site.account
        raise PostgresError(
            f"PostgreSQL refuses to run as root, so it is run as {site.account.pw_name}, who "
            f"cannot enter {barrier}. Choose a data directory elsewhere, or: chmod o+x '{barrier}'"
        )
