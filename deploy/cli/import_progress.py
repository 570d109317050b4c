"""Imports into the log, with progress bars."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.progress import Progress

from deploy.output.progress import ProgressBars, progress_bar
from schema.services import Services
from tracker.domain.evidence.import_receipt import Receipt
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target
from tracker.sources.importing.importer import ImportOutcome, import_file
from tracker.sources.importing.receipt_builder import RemarkListener
from tracker.sources.reader import File, Reader
from tracker.sources.readers import corpus_format
from tracker.sources.readers.corpus_format import SHIPPED_CORPUS


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


async def load_corpus(target: Target, services: Services, console: Console, **options: Any) -> int:
    """Import the shipped corpus, unless it was imported before, and return the number of events.

    Different statements of an earlier release are corrected.
    """
    if await _was_imported(services.recorder, SHIPPED_CORPUS.sha256()):
        return 0
    console.print("Recording the shipped corpus, once: about 10 seconds on two idle cores.")
    reader = replace(corpus_format.READER, corrects=True)  # all releases use our own ids
    outcome = await import_with_progress(
        target, services, reader, SHIPPED_CORPUS, console, skip_refused=True, **options
    )
    return outcome.receipt.events


async def _was_imported(recorder: Recorder, sha256: str) -> bool:
    """Whether the log has a receipt for a file of this content."""
    after = 0
    while events := await recorder.read(after, types=["Import.Recorded"]):
        if any(isinstance(e.fact, Receipt) and e.fact.sha256 == sha256 for e in events):
            return True
        after = events[-1].position
    return False
