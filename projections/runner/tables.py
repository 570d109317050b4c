"""Creation of projection tables, and shared statements."""

from pathlib import Path
from typing import Any

from projections.runner.fingerprint import fingerprint
from projections.runner.projection import Page, Projection
from projections.runner.release import RELEASE
from tracker.postgres.database import Connection, named_queries

SQL = named_queries(Path(__file__).with_name("runner.sql"))


async def create_tables(connection: Connection, projection: Projection[Any]) -> bool:
    """Create the live tables of a projection if they are missing.

    Returns whether existing rows follow from this code; if not they need a rebuild.
    """
    async with connection.transaction():
        await connection.execute(SQL.lock_creation)
        if not await connection.fetchval(SQL.tracking_exists):
            await connection.execute(SQL.create_tracking)
        tracking = await connection.fetchrow(SQL.tracking, [projection.name])
        if tracking is None:
            if await connection.fetchval(SQL.live_tables_exist, projection.tables.names):
                return False  # an older release tracks them elsewhere
            await connection.execute(projection.tables.create)
            for statements in projection.tables.indexes:
                await connection.execute(statements)
            await begin_tracking(connection, projection, projection.name)
    return tracking is None or bool(tracking["fold"] == fingerprint(projection))


async def begin_tracking(connection: Connection, projection: Projection[Any], name: str) -> None:
    """Record new tables of a projection under a name, at position 0, made by this code."""
    await connection.execute(SQL.begin_tracking, name, fingerprint(projection), RELEASE)


async def project_page(
    connection: Connection, projection: Projection[Any], name: str, *, limit: int
) -> int:
    """Project the next events, at most `limit`, in the caller's transaction.

    `name` is the name of the tracking record. Returns the position reached, or 0 without events.
    """
    after = int(await connection.fetchval(SQL.position, name))
    page: Page | None = await projection.fold_page(connection, after, limit=limit)
    if page is None:
        return 0
    await projection.write_page(connection, page)
    await advance(connection, name, page)
    return page.until


async def advance(
    connection: Connection, name: str, page: Page, *, seconds: float | None = None
) -> None:
    """Store the position after a page that was written, in the same transaction."""
    moved = await connection.fetchrow(SQL.advance, name, page.after, page.until, timeout=seconds)
    if moved is None:
        raise RuntimeError(f"the position of {name} is not {page.after}: a page was not written")
