"""A peer: the rows of figures in a system-versioned table of MariaDB, on a separate server."""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from projections.query.moment import Moment
from tracker.postgres.database import Connection

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Positions become microseconds after this time."""

FOREVER = "2106-02-07 06:28:15.999999"
CREATE = """CREATE OR REPLACE TABLE versions_{} (
    entity varchar(300) NOT NULL, commodity varchar(60) NOT NULL, period integer,
    valid_from date NOT NULL, valid_until date NOT NULL, state text NOT NULL,
    known_from timestamp(6) GENERATED ALWAYS AS ROW START,
    known_until timestamp(6) GENERATED ALWAYS AS ROW END,
    PERIOD FOR SYSTEM_TIME (known_from, known_until), PERIOD FOR valid (valid_from, valid_until),
    KEY (commodity, period)
) WITH SYSTEM VERSIONING CHARACTER SET ascii"""
ROWS = """SELECT entity, commodity, period, first_day, least(last_day + 1, '9999-12-31'),
                 state, since, nullif(until, 9223372036854775807)
          FROM versions WHERE kind = 'figure' AND period IS NOT NULL"""
FILL = """LOAD DATA LOCAL INFILE '{}' INTO TABLE versions_{} FIELDS ESCAPED BY ''
          (entity, commodity, period, valid_from, valid_until, state, known_from, known_until)"""
QUERY = """SELECT entity, state FROM versions_{} FOR SYSTEM_TIME AS OF TIMESTAMP %s
         WHERE commodity = %s AND period = %s AND valid_from <= %s AND valid_until > %s
           AND entity LIKE 'figure/%%/production/%%' ORDER BY entity"""


def moment(position: int | None) -> str:
    """Return a position as a time."""
    if position is None:
        return FOREVER
    return f"{EPOCH + timedelta(microseconds=position):%Y-%m-%d %H:%M:%S.%f}"


class MariaDB:
    """A connection to a server with the rows."""

    def __init__(self, connection: Any, directory: Path):
        self._connection = connection
        self._directory = directory
        self._positions: dict[int, list[tuple[str, int]]] = {}

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self | None]:
        """Run a server in a temporary directory, or yield None and print the reason."""
        try:
            import pymysql
        except ImportError:
            print("MariaDB left out: pymysql is not installed")
            yield None
            return
        if not shutil.which("mariadbd"):
            print("MariaDB left out: the Debian package mariadb-server is not installed")
            yield None
            return
        with tempfile.TemporaryDirectory(prefix="tracker-bench-") as name:
            directory, socket = Path(name), f"{name}/socket"
            common = [f"--datadir={name}/data", "--user=root", "--no-defaults"]
            subprocess.run(
                ["mariadb-install-db", *common[::-1], "--auth-root-authentication-method=normal"],
                check=True,
                capture_output=True,
            )
            server = subprocess.Popen(
                [
                    "mariadbd",
                    *common[::-1],
                    f"--socket={socket}",
                    "--skip-networking",
                    "--local-infile",
                    "--innodb-buffer-pool-size=1G",
                ],
                stderr=subprocess.DEVNULL,
            )
            try:
                while not Path(socket).exists():
                    time.sleep(0.1)
                connection = pymysql.connect(
                    unix_socket=socket,
                    user="root",
                    database="mysql",
                    local_infile=True,
                    autocommit=True,
                    init_command="SET time_zone = '+00:00'",
                )
                yield cls(connection, directory)
            finally:
                server.terminate()
                server.wait()

    async def load(self, connection: Connection, size: int) -> None:
        """Copy the rows of figures with a year, with their history, from a log of some size."""
        path = self._directory / "rows"
        requested = set()
        with path.open("w", encoding="utf-8") as file:
            async with connection.transaction():
                async for row in connection.cursor(ROWS, prefetch=1000):
                    *fields, since, until = row
                    file.write("\t".join(map(str, (*fields, moment(since), moment(until)))) + "\n")
                    if "/production/" in fields[0] and fields[2] < 2026:
                        requested.add((fields[1], fields[2]))
        self._positions[size] = sorted(requested)
        with self._connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS peer")
            cursor.execute("USE peer")
            cursor.execute(CREATE.format(size))
            cursor.execute("SET SESSION system_versioning_insert_history = 1")
            cursor.execute(FILL.format(path, size))
            cursor.execute(f"ANALYZE TABLE versions_{size}")
        path.unlink()

    def production(self, size: int, chance: random.Random) -> Callable[[Moment], Awaitable[Any]]:
        """Return a query for the production of a commodity in a year, at a moment."""

        async def time_query(at: Moment) -> Any:
            day: date = at.valid_at
            commodity, period = chance.choice(self._positions[size])
            with self._connection.cursor() as cursor:
                cursor.execute(
                    QUERY.format(size), (moment(at.position), commodity, period, day, day)
                )
                return cursor.fetchall()

        return time_query
