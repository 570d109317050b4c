"""Types of PostgreSQL itself are looked up once a process, all others on each connection."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tracker.postgres.database import Target, connect

ARRAYS = "SELECT $1::integer[] || 3, $2::text[], $3::bytea[], array_agg(n) FROM unnest($1::integer[]) AS n"
VALUES = [1, 2], ["a", None], [b"\x00"]
ANSWER = [1, 2, 3], ["a", None], [b"\x00"], [1, 2]


@pytest.fixture
def lookups(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """Return the types that asyncpg looks up from now on, as in a new process."""
    monkeypatch.setattr("tracker.postgres.database.BUILTIN_TYPES", {})
    found, real = list[set[int]](), asyncpg.Connection._introspect_types  # type: ignore[attr-defined]

    async def counted(self: Any, types: Any, timeout: Any) -> Any:
        found.append(set(types))
        return await real(self, types, timeout)

    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", counted)
    return found


async def test_types_of_postgresql_are_looked_up_by_one_connection(
    target: Target, lookups: list[set[int]]
) -> None:
    for _ in range(3):
        connection = await connect(target)
        for _ in range(2):
            assert tuple(await connection.fetchrow(ARRAYS, *VALUES)) == ANSWER
        await connection.close()
    assert len(lookups) == 1


async def test_types_of_a_database_are_looked_up_in_it(
    target: Target, lookups: list[set[int]]
) -> None:
    """A type of the same number may be another one elsewhere."""
    connection = await connect(target)
    for values in (["x"], [{"x": "y"}]):
        shape = "AS ENUM ('x')" if values == ["x"] else "AS (x text)"
        await connection.execute(f"CREATE TYPE kind {shape}")
        beside = await connect(target)
        cast = "ARRAY['x'::kind]" if values == ["x"] else "ARRAY[ROW('y')::kind]"
        [row] = await beside.fetch(f"SELECT {cast} AS found, ARRAY[1] AS number")
        assert [
            value if isinstance(value, str) else dict(value) for value in row["found"]
        ] == values
        await beside.close()
        await connection.execute("DROP TYPE kind")
    await connection.close()
    assert len(lookups) == 2
