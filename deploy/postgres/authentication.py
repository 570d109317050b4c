"""Access rules: only this process's user and root may connect, over the Unix socket, as any role.

PostgreSQL gets the peer's user from the kernel. If root runs the server under another account, such as
`postgres`, that account is not a superuser of this database, although it owns the data files. It does not
own these access files, which lie beside the data. Every start rewrites them, so existing data are
covered as well.
"""

import os
import pwd
from collections.abc import Iterator
from contextlib import suppress

from deploy.postgres.site import DataDirectory

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
