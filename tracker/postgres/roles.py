"""Roles of the server: which a database needs, and which a login lacks to migrate it."""

from collections.abc import Iterable
from pathlib import Path

from tracker.errors import Unavailable
from tracker.postgres.database import (
    API,
    DELIVERER,
    MAILER,
    OWNER,
    PROJECTOR,
    PUBLISHER,
    WATCHER,
    Connection,
    named_queries,
)

SQL = named_queries(Path(__file__).with_name("roles.sql"))
ROLES = {"roles": (OWNER, PROJECTOR, API, PUBLISHER, DELIVERER, WATCHER), "mail_role": (MAILER,)}
"""Roles by the step that creates them. These steps run as the login, the others as the owner."""
ALL_ROLES = tuple(role for roles in ROLES.values() for role in roles)
SCRIPT = "deploy/manifests/database/roles.sql"
"""The script that creates the roles and grants them to the shipped logins."""


class NotMigrated(Unavailable):
    """The database does not have the schema of this version, and this login cannot migrate it."""

    code = "NOT_MIGRATED"


async def check_roles(connection: Connection, applied: Iterable[str]) -> None:
    """Check that a database has the roles of its applied steps: a dump does not contain them.

    Raises NotMigrated (MISSING_ROLES).
    """
    steps = dict.fromkeys(("roles", *applied))
    roles = [role for step in steps for role in ROLES.get(step, ())]
    misplaced = await connection.fetchrow(SQL.misplaced, roles, OWNER)
    assert misplaced is not None
    if misplaced["missing"]:
        statements = "".join(f"\n  CREATE ROLE {role} NOLOGIN;" for role in misplaced["missing"])
        raise NotMigrated(
            f"The server lacks the roles {', '.join(misplaced['missing'])}. They belong to the server"
            " and are not part of a database dump; without them restored objects have neither owners"
            " nor grants. Create the roles with a login that may create roles, then restore the dump"
            f" again, into an empty database (docs/operating/back-up.md):{statements}",
            code="MISSING_ROLES",
        )
    if misplaced["owner"]:
        raise NotMigrated(
            f"The log belongs to {misplaced['owner']} and not to {OWNER}: the dump was restored while"
            " the server had no such role, and has lost its owners and grants. The roles are there"
            " now: restore the dump once more, into an empty database (docs/operating/back-up.md)",
            code="MISSING_ROLES",
        )


async def check_rights(connection: Connection, missing: Iterable[str]) -> None:
    """Check that the owner of a database can create or take the roles of its missing steps.

    Raises NotMigrated (MISSING_ROLES) with the statements that a superuser runs.
    """
    roles = [role for step in missing for role in ROLES.get(step, ())]
    rights = await connection.fetchrow(SQL.rights, roles)
    assert rights is not None
    if not rights["owns_database"] or not (rights["uncreatable"] or rights["ungranted"]):
        return
    statements = [f"CREATE ROLE {role} NOLOGIN;" for role in rights["uncreatable"]]
    granted = [role for role in roles if role in {*rights["uncreatable"], *rights["ungranted"]}]
    statements.append(
        f"GRANT {', '.join(granted)} TO {rights['login']} WITH INHERIT TRUE, SET TRUE;"
    )
    raise NotMigrated(
        f"The login {rights['login']} owns the database, but it can neither create nor use the roles"
        f" {', '.join(granted)} of this release. A superuser of the server creates them: run {SCRIPT}"
        " again, which keeps existing roles, or these statements. Then run `tracker migrate` again, and"
        " grant the server's login the roles of its tasks (docs/database.md):"
        + "".join(f"\n  {statement}" for statement in statements),
        code="MISSING_ROLES",
    )
