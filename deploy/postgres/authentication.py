"""Access rules: this process's user and root may connect as any role, over the Unix socket only.

PostgreSQL asks the kernel who is at the other end of the socket. The account that root has the
server run under may serve others too, such as `postgres`: being it makes nobody superuser of this
database, though it owns the files of the data. What is written here it does not own, since it lies
beside the data; every start writes it anew, so that it holds for data of before as well.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import suppress

from deploy.postgres.site import DataDirectory

RULES = "local all all peer map=tracker\nlocal replication all peer map=tracker\n"


def write_access_files(site: DataDirectory) -> list[str]:
    """Write who may connect; returns the settings by which the server finds it."""
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
    """The names of this process's user and of root, as PostgreSQL's files quote them."""
    for number in sorted({os.geteuid(), 0}):
        with suppress(KeyError):  # a user without a name can't be let in by one
            yield pwd.getpwuid(number).pw_name.replace('"', '""')
