"""Identifiers in the SQL of one application."""

import re

from eventsourcing.persistence import ProgrammingError

MAX_IDENTIFIER_BYTES = 56
"""Maximum bytes of a name: PostgreSQL truncates names after 63 bytes, and the table's function has 7 more."""
PLAIN = re.compile(r"[\w .-]+")


def names(schema: str, originator_id_type: str, **tables: str) -> dict[str, str]:
    """Return the quoted values of `{events}`, `{insert}`, `{lock}`, `{channel}`, `{tracking}` and `{id}`
    in the SQL.

    Raises ProgrammingError for an invalid table name.
    """
    filled = {"id": originator_id_type}
    for role, table in tables.items():
        filled[role] = f"{quoted(schema)}.{quoted(table)}"
    if "events" in tables:
        filled["insert"] = f'{quoted(schema)}.{quoted(tables["events"])[:-1]}_insert"'
        filled["lock"] = f"'{filled['events']}'"
        filled["channel"] = f"'{tables['events']}'"
    return filled


def quoted(name: str) -> str:
    """Return a name as a quoted identifier. It needs no escaping, also not in a literal."""
    if not PLAIN.fullmatch(name) or len(name.encode()) > MAX_IDENTIFIER_BYTES:
        raise ProgrammingError(
            f"{name!r} can't be a name here: expected letters, digits, spaces, _, . or -, "
            f"and at most {MAX_IDENTIFIER_BYTES} bytes"
        )
    return f'"{name}"'
