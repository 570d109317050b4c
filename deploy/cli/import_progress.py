"""Importing files into the log, with progress for people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.progress import Progress

from deploy.output.progress import ProgressBars, progress_bar
from schema.services import Services
from tracker.domain.import_receipt import Receipt
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
    """Import a file with bars; return once the projection shows it all."""
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
    """Import the corpus that ships, unless this very one has been: how many events it made.

    What an earlier release said otherwise is corrected.
    """
    if await _was_imported(services.recorder, SHIPPED_CORPUS.sha256()):
        return 0
    console.print("Recording the corpus that ships, once: about 10 seconds on two idle cores.")
    reader = replace(
        corpus_format.READER, corrects=True
    )  # its ids are ours, whatever release wrote them
    outcome = await import_with_progress(
        target, services, reader, SHIPPED_CORPUS, console, skip_refused=True, **options
    )
    return outcome.receipt.events


async def _was_imported(recorder: Recorder, sha256: str) -> bool:
    """Whether a file of this content has a receipt in the log."""
    after = 0
    while events := await recorder.read(after, types=["Import.Recorded"]):
        if any(isinstance(e.fact, Receipt) and e.fact.sha256 == sha256 for e in events):
            return True
        after = events[-1].position
    return False
