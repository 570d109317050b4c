"""`tracker migrate`: the database brought to this version."""

from __future__ import annotations

from deploy.bootstrap import migrate_log
from deploy.cli.common import DataDir, run_with_database, stderr


def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to this version: the log's tables, functions and roles.

    `tracker serve` and `tracker demo` do this by themselves where their login may; other commands
    ask first. Run it once with a login that owns the database and may create roles; then a login
    that is a member of `tracker_api` and `tracker_projector` is enough for the rest.
    """
    for name in run_with_database(data_dir, migrate_log, make=True, migrates=True):
        stderr.print(f"applied {name}")
    stderr.print("The database is of this version.")
