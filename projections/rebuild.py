"""Rebuild: the ordinary projector into fresh tables, then a swap.

The live tables answer all the while. A crash before the swap leaves them as they are, and a
half-made tables in `projection_next` that the next rebuild drops.
"""

from __future__ import annotations

from collections.abc import Callable

from projections.projector import SQL, TABLES, create_bare_tables, project_page
from tracker.log.database import PROJECTOR, Connection, Target, connect

PAGE = 5000


async def rebuild(target: Target, progress: Callable[[int], None] = lambda _: None) -> int:
    """Make the version rows anew from the log and put them in place of the old ones.

    `progress` gets the position after every page. Returns the last position.
    """
    connection = await connect(target, role=PROJECTOR)
    try:
        await connection.execute("SELECT pg_advisory_lock(hashtextextended('rebuild', 0))")
        await connection.execute("SET search_path TO projection_next, public")
        await connection.execute(TABLES.drop_tables)
        await create_bare_tables(connection)
        # Without its index, closing rows would read the whole table; the others come at the end.
        await connection.execute(
            "CREATE INDEX versions_open ON versions (entity) WHERE upper_inf(known)")
        while position := await _page(connection):
            progress(position)
        await connection.execute(TABLES.create_indexes)
        return await _swap(connection)
    finally:
        await connection.close()


async def _page(connection: Connection) -> int:
    async with connection.transaction():
        return await project_page(connection, page=PAGE)


async def _swap(connection: Connection) -> int:
    """Catch up while no other projector can run, and take the place of the live tables."""
    async with connection.transaction():
        await connection.execute(SQL.wait_turn)
        while await project_page(connection, page=PAGE):
            pass
        position = int(await connection.fetchval(SQL.position))
        await connection.execute(TABLES.replace_live)
    return position
