"""The names that one application's SQL is filled with."""

from __future__ import annotations

import re

from eventsourcing.persistence import ProgrammingError

MAX_IDENTIFIER_BYTES = 56
"""PostgreSQL cuts names off after 63 bytes; the table's function has 7 more than the table."""
PLAIN = re.compile(r"[\w .-]+")


def names(schema: str, originator_id_type: str, **tables: str) -> dict[str, str]:
    """What stands in the SQL for `{events}`, `{insert}`, `{lock}`, `{channel}`, `{tracking}` and
    `{id}`, quoted. Raises ProgrammingError for what can't name a table."""
    filled = {"id": originator_id_type}
    for role, table in tables.items():
        filled[role] = f"{quoted(schema)}.{quoted(table)}"
    if "events" in tables:
        filled["insert"] = f'{quoted(schema)}.{quoted(tables["events"])[:-1]}_insert"'
        filled["lock"] = f"'{filled['events']}'"
        filled["channel"] = f"'{tables['events']}'"
    return filled


def quoted(name: str) -> str:
    """A name as an identifier. Nothing in it needs escaping, in a literal neither."""
    if not PLAIN.fullmatch(name) or len(name.encode()) > MAX_IDENTIFIER_BYTES:
        raise ProgrammingError(
            f"{name!r} can't be a name here: expected letters, digits, spaces, _, . or -, "
            f"and at most {MAX_IDENTIFIER_BYTES} bytes"
        )
    return f'"{name}"'
