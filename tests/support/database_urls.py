"""Addresses of the tests' databases, as commands take them."""

from __future__ import annotations

from tracker.postgres.database import Target


def database_url(target: Target) -> str:
    """Return the URL of a database that is reached by a socket."""
    return (
        f"postgresql://{target['user']}@/{target['database']}"
        f"?host={target['host']}&port={target['port']}"
    )
