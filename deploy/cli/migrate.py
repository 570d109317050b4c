"""`tracker migrate`: migrate the database to this version."""

from typing import Annotated

import typer

from deploy.bootstrap import check_migrations, migrate_log
from deploy.cli.common import DataDir, run_with_database, stderr

Check = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Change nothing: name the missing steps and roles, and exit with code 3 if there are any.",
    ),
]


def migrate(check: Check = False, data_dir: DataDir = None) -> None:
    """Migrate the database to this version: tables, functions and roles of the log.

    `tracker serve` and `tracker demo` do this automatically if their login may; other commands ask
    first. Run it once with a login that owns the database and may create roles, or has them
    (`roles.sql`). Then a login that is a member of `tracker_api` and `tracker_projector` is enough.
    """
    if check:
        run_with_database(data_dir, check_migrations, migrates=None)
    else:
        for name in run_with_database(data_dir, migrate_log, make=True, migrates=True):
            stderr.print(f"applied {name}")
    stderr.print("The database is of this version.")
