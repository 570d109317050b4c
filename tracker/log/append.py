"""Appends to the log over one connection: the events of commands, and those of an import."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from msgspec import Struct

from tracker.errors import DiskFull, IdempotencyConflict, Unavailable, VersionConflict
from tracker.log.entries import NewEvent
from tracker.postgres.batching import commits_confirmed
from tracker.postgres.database import CONNECTION_ERRORS, Connection, named_queries

SQL = named_queries(Path(__file__).with_name("append.sql"))
IMPORT_BATCH_EVENTS = 5000
"""Number of events that an import sends at a time."""

Command = Sequence[NewEvent]


class AppendResult(Struct, frozen=True):
    """Result of a command: the positions of its events, and whether they were recorded before."""

    positions: range
    repeated: bool = False


async def append(
    connection: Connection, commands: Sequence[Command]
) -> list[AppendResult | VersionConflict | IdempotencyConflict]:
    """Append commands over a connection in one round trip, and return the result of each.

    Raises Unconfirmed and connection errors: then all of them may be recorded.
    """
    events = [event for command in commands for event in command]
    annexes = [
        (number, annex)
        for number, event in enumerate(events, 1)
        if event.annexes
        for annex in event.annexes
    ]
    async with commits_confirmed(connection):
        rows = await connection.fetch(
            SQL.append,
            _command_offsets(commands),
            [event.event_id for event in events],
            [event.stream for event in events],
            [event.version for event in events],
            [event.type for event in events],
            [event.attributes for event in events],
            [event.data for event in events],
            [number for number, _ in annexes],
            [annex.field for _, annex in annexes],
            [annex.salt for _, annex in annexes],
            [annex.text for _, annex in annexes],
        )
    return [
        outcome(row, len(command), command[0].event_id)
        for row, command in zip(rows, commands, strict=True)
    ]


def outcome(
    row: asyncpg.Record, count: int, event_id: str
) -> AppendResult | VersionConflict | IdempotencyConflict:
    """Return the result of a command from the reply of `log.append`, given its number of events and its
    first id."""
    if row["outcome"] == "conflict":
        return VersionConflict(row["subject"], row["expected"], row["actual"])
    if row["outcome"] == "reused":
        return IdempotencyConflict(event_id)
    first = row["first_position"]
    return AppendResult(range(first, first + count), repeated=row["outcome"] == "repeated")


def _command_offsets(commands: Sequence[Command]) -> list[int]:
    """Return the index of each command's first event among all of them, counted from 1."""
    starts, next_start = [], 1
    for command in commands:
        starts.append(next_start)
        next_start += len(command)
    return starts


@contextmanager
def lost_as_unavailable() -> Iterator[None]:
    """Convert a lost connection or a full disk during an import to the errors of commands."""
    try:
        yield
    except CONNECTION_ERRORS as error:
        raise unavailable(error) from error


async def append_page(connection: Connection, events: Command) -> int:
    """Append a page of an import in its transaction, and return the last position.

    Raises VersionConflict or IdempotencyConflict, after which the transaction must be rolled back.
    """
    [appended] = await append(connection, [events])
    if not isinstance(appended, AppendResult):
        raise appended
    return appended.positions[-1]


def unavailable(error: Exception) -> Unavailable:
    """Return the error for callers of a failed append."""
    failure: Unavailable
    if isinstance(error, asyncpg.DiskFullError):
        failure = DiskFull()
    elif isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        failure = Unavailable(
            "The database takes no writes now, so nothing was recorded; try again"
        )
    else:
        failure = Unavailable(
            "The log could not be reached; whether the events were recorded is not known. Send the"
            " same command again: it counts once."
        )
    failure.__cause__ = error
    return failure
