"""Imports into the log, with progress bars."""

from typing import Any

from rich.console import Console
from rich.progress import Progress

from deploy.bootstrap import open_connection, opened_pool
from deploy.output.progress import ProgressBars, progress_bar
from schema.services import Services
from tracker.corpus.shipped import SHIPPED_LOG, releases, was_imported
from tracker.log.durability import head
from tracker.postgres.database import Target
from tracker.sources.importing.importer import ImportOutcome, import_file
from tracker.sources.importing.receipt_builder import RemarkListener
from tracker.sources.reader import File, Reader
from tracker.sources.readers.corpus_format import SHIPPED_CORPUS, SHIPPED_READER


async def import_with_progress(
    target: Target,
    services: Services,
    reader: Reader,
    file: File,
    console: Console,
    *,
    listen: RemarkListener | None = None,
    **options: Any,
) -> ImportOutcome:
    """Import a file with progress bars; return once the projection has all of it."""
    with progress_bar(console) as progress:
        outcome = await import_file(
            target, reader, file, progress=ProgressBars(progress), listen=listen, **options
        )
        if outcome.position is not None:
            await _project(services, progress, outcome.position, outcome.receipt.events + 1)
    return outcome


async def _project(services: Services, progress: Progress, head: int, count: int) -> None:
    task = progress.add_task("projecting", total=count)
    await services.projector.catch_up(
        lambda position: progress.update(task, completed=count - (head - position))
    )
    await services.projector.reach(head, seconds=600)
    progress.update(task, completed=count)


async def copy_log(target: Target, console: Console) -> int:
    """Copy the shipped log to a database that has no other events, and return the number of new ones.

    Run it before a tracker on this database, which then projects all of them in one rebuild.
    """
    async with opened_pool(target) as pool, open_connection(target) as connection:
        if await head(connection) >= max((one.size for one in releases(SHIPPED_LOG)), default=0):
            return 0
        # Here, as they would delay every start.
        from tracker.audit.bundle.packed import PackedLog
        from tracker.corpus.copying import copy_shipped_log

        with progress_bar(console) as bar:
            task, log = bar.add_task("copying the shipped log", total=None), PackedLog(SHIPPED_LOG)
            return await copy_shipped_log(
                connection, pool, log, lambda done: bar.update(task, completed=done)
            )


async def load_corpus(
    target: Target, services: Services, console: Console, *, copied: int = 0, **options: Any
) -> int:
    """Import the shipped facts that the log lacks, and return the number of new events.

    It waits for the projection of the events that `copy_log` has `copied`. Different statements of an earlier
    release are corrected.
    """
    if copied:
        with progress_bar(console) as progress:
            await _project(services, progress, await services.recorder.head(), copied)
    if await was_imported(services.recorder, SHIPPED_CORPUS.sha256()):
        return copied
    console.print("Recording the shipped facts that are not in the log yet, once.")
    outcome = await import_with_progress(
        target, services, SHIPPED_READER, SHIPPED_CORPUS, console, skip_refused=True, **options
    )
    return copied + outcome.receipt.events
