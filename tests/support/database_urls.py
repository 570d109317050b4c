"""Addresses of the tests' databases in the form of command options."""

from tracker.postgres.database import Target


def database_url(target: Target) -> str:
    """Return the URL of a database with a Unix socket."""
    return (
        f"postgresql://{target['user']}@/{target['database']}"
        f"?host={target['host']}&port={target['port']}"
    )
