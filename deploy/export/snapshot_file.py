"""State snapshots: the whole state at a moment as a file, from the database or from the log alone."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from rich.console import Console

from deploy.output.progress import progress_bar
from projections.fold.replay import STATE_FORMAT, ReplayState
from projections.query.moment import Moment
from schema.services import Services
from tracker.audit.bundle.files import report_path
from tracker.audit.verify.verifier import Verification
from tracker.log.recorder import Recorder


class Snapshot:
    """A state that is hashed and written line by line."""

    def __init__(self, write: Callable[[bytes], object]):
        self._write = write
        self._hash = hashlib.sha256()

    def add(self, line: bytes) -> None:
        """Add the next line."""
        self._hash.update(line)
        self._write(line)

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all lines, as hexadecimal digits."""
        return self._hash.hexdigest()


@contextmanager
def snapshot(out: Path | None) -> Iterator[Snapshot]:
    """Open a snapshot that is written to a file, or only hashed.

    The file gets its name when it is complete. Until then it is a hidden one beside it, which a crash
    may leave. Raises InvalidInput if the file cannot be written.
    """
    if out is None:
        yield Snapshot(lambda line: None)
        return
    part = out.parent / f".{out.name}.{os.getpid()}.part"
    with report_path(out):
        file = part.open("wb")

    def write(line: bytes) -> None:
        with report_path(out):
            file.write(line)

    try:
        yield Snapshot(write)
        with report_path(out):
            file.flush()
            os.fsync(file.fileno())
            part.replace(out)
    finally:
        with suppress(OSError):
            file.close()
        part.unlink(missing_ok=True)


async def write_snapshot(
    services: Services, moment: Moment, out: Path | None, note: Console
) -> str:
    """Write a snapshot from the database and return its digest; `note` gets a summary."""
    counts = await services.as_of.counts(moment)
    _print_moment(note, moment)
    note.print(", ".join(f"{count:,} {kind}" for kind, count in counts.items()))
    with progress_bar(note) as progress, snapshot(out) as state:
        task = progress.add_task("writing", total=sum(counts.values()))
        async for line in services.as_of.lines(moment):
            state.add(line)
            progress.advance(task)
    return state.digest


async def replay(recorder: Recorder, moment: Moment, out: Path | None, note: Console) -> str:
    """Write the same snapshot from the log alone, folded in memory up to the moment."""
    world = ReplayState()
    with progress_bar(note) as progress:
        task = progress.add_task("replaying", total=moment.position)
        async for event in recorder.read_all(moment.position):
            world.add(event)
            progress.advance(task)
    return _write_state(world, moment, out, note)


async def replay_bundle(
    verification: Verification,
    moment: Moment,
    known_at: datetime | None,
    out: Path | None,
    note: Console,
) -> str:
    """Write the snapshot from a verified log, without a database.

    It ends at the moment's position or, with `known_at`, at the last event recorded by then. The whole
    log is verified first. Raises Rejected, and then nothing is written.
    """
    world = ReplayState()
    with progress_bar(note) as progress:
        task = progress.add_task("replaying", total=verification.head.size)
        async for page in verification.pages():
            for event in page.events:
                if event.position <= moment.position and (
                    known_at is None or event.recorded_at <= known_at
                ):
                    world.add(event)
            progress.advance(task, len(page.events))
    return _write_state(world, Moment(moment.valid_at, world.position), out, note)


def _write_state(world: ReplayState, moment: Moment, out: Path | None, note: Console) -> str:
    """Write the state of a folded log at a moment and return its digest."""
    _print_moment(note, moment)
    with snapshot(out) as state:
        for line in world.lines(moment.valid_at, moment.position):
            state.add(line)
    return state.digest


def _print_moment(note: Console, moment: Moment) -> None:
    note.print(
        f"position {moment.position}, valid at {moment.valid_at}, state format {STATE_FORMAT}:"
    )
