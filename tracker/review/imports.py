"""Imports of accepted files, one at a time, in the first process that is free.

A file may take longer than a request: acceptance sets the state `accepting`, and this module imports the
file. After a crash the state remains, and the next process continues. A completed import is detected by its
receipt, which is recorded in the same transaction as its events.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from tracker.errors import InvalidInput, TrackerError, Unavailable
from tracker.postgres.background import BackgroundTask
from tracker.postgres.database import API, CONNECTION_ERRORS, Target, connect, named_queries
from tracker.review.candidate import Candidate
from tracker.review.review import Review, with_review
from tracker.snapshots.store import SnapshotStore
from tracker.sources.column_mapping import load_mapping
from tracker.sources.importing.importer import ImportOutcome, import_file
from tracker.sources.reader import File, Item, Reader, ReadFact

SQL = named_queries(Path(__file__).with_name("imports.sql"))

POLL_INTERVAL_SECONDS = 5.0
"""Seconds between two checks for waiting files that were accepted in other processes."""
MAX_SHOWN_REFUSALS = 3
"""Maximum number of refusal reasons shown with a candidate."""

T = TypeVar("T")
logger = logging.getLogger(__name__)


class AcceptedImports(BackgroundTask):
    """Imports accepted files into one database. `target` must be its direct address."""

    def __init__(self, target: Target, review: Review, snapshots: SnapshotStore):
        self._target = target
        self._review = review
        self._snapshots = snapshots
        self._woken = asyncio.Event()
        review.wake = self._woken.set

    async def run(self) -> None:
        """Import accepted files until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_INTERVAL_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self.work_off()
            except (*CONNECTION_ERRORS, TimeoutError, Unavailable) as error:
                logger.warning("accepted files cannot be imported now: %s", error)

    async def work_off(self) -> None:
        """Import all waiting files, unless another process does. Raises connection errors."""
        if not await self._waiting():
            return
        async with self._import_lock() as has_lock:
            while has_lock and (waiting := await self._waiting()):
                for id in waiting:
                    await self._import(await self._review.candidates.get(id))

    async def _waiting(self) -> list[int]:
        return [row["id"] for row in await self._review.pool.fetch(SQL.waiting)]

    @asynccontextmanager
    async def _import_lock(self) -> AsyncIterator[bool]:
        """Hold the import lock for the length of a block, if it is free; a crash releases it."""
        connection = await connect(self._target, role=API)
        try:
            yield bool(await connection.fetchval(SQL.take_turn))
        finally:
            connection.terminate()

    async def _import(self, candidate: Candidate) -> None:
        """Import a file, or return it to the queue with the reason."""
        position = await self._review.pool.fetchval(
            SQL.receipt, candidate.reader, candidate.snapshot, candidate.accepting_at
        )
        try:
            if position is None:
                position = _position_of(await self._run(candidate))
        except Unavailable:
            raise
        except TrackerError as error:
            await self._review.put_back(candidate, error.message)
            return
        except Exception as error:  # a failure of a reader must not block the other files
            logger.exception("the import of candidate %s failed", candidate.id)
            await self._review.put_back(candidate, f"the import failed: {type(error).__name__}")
            return
        await self._review.finish(candidate, position)

    async def _run(self, candidate: Candidate) -> ImportOutcome:
        """Import the snapshot of a candidate, as its last reviewer, in a thread.

        Reading takes long, and must not delay other requests.
        """
        reader = reviewed_reader(candidate)
        snapshot = await self._snapshots.get(str(candidate.snapshot))
        if snapshot is None or snapshot.content is None:
            raise InvalidInput("the snapshot is not here any more", code="SNAPSHOT_GONE")
        with tempfile.TemporaryDirectory(prefix="tracker-import-") as directory:
            path = Path(directory, "snapshot")
            await asyncio.to_thread(path.write_bytes, snapshot.content)
            file = File(path, str(candidate.file_name))
            actor = candidate.accepted_by[-1]

            async def work() -> ImportOutcome:
                return await import_file(self._target, reader, file, actor=actor)

            return await run_in_thread(work)


async def run_in_thread(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run work in a thread with its own loop. Cancellation also cancels the work."""
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def main() -> T:
        begun.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await work()

    try:
        return await asyncio.to_thread(asyncio.run, main())
    except asyncio.CancelledError:
        for loop, task in begun:
            if task:
                loop.call_soon_threadsafe(task.cancel)
        raise


def _position_of(outcome: ImportOutcome) -> int:
    """Return the position of an import's receipt. Raises InvalidInput for a refused file."""
    if outcome.position is None:
        reasons = [
            f"{of.count} times: {of.reason}" for of in outcome.receipt.reasons[:MAX_SHOWN_REFUSALS]
        ]
        raise InvalidInput("; ".join(["the file has places that are refused", *reasons]))
    return outcome.position


def reviewed_reader(candidate: Candidate) -> Reader:
    """Return the reader of a candidate's file with its settings; its facts have the snapshot and the
    reviewers.

    Raises InvalidInput for an unknown reader.
    """
    from tracker.sources.registry import reader_named  # here, as it would delay every start

    reader = reader_named(str(candidate.reader))
    if candidate.settings:
        if reader.with_mapping is None:
            raise InvalidInput(f"{reader.name} takes no settings")
        settings = [f"{name}={value}" for name, value in candidate.settings.items()]
        reader = reader.with_mapping(load_mapping(constants=settings))
    return replace(reader, read=_with_reviews(reader.read, candidate))


def _with_reviews(
    read: Callable[[File], Iterator[Item]], candidate: Candidate
) -> Callable[[File], Iterator[Item]]:
    def read_reviewed(file: File) -> Iterator[Item]:
        for item in read(file):
            if isinstance(item, ReadFact):
                planned = item.planned
                fact = with_review(planned.fact, candidate.snapshot, candidate.accepted_by)
                yield replace(item, planned=replace(planned, fact=fact))
            else:
                yield item

    return read_reviewed
