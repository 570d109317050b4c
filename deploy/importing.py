"""Importing files into the log, with progress for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schema.context import Services
from tracker.sources.corpus import Line, Problem, plan, shipped


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    recorded: int
    unchanged: int
    problems: list[Problem]


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """A bar that stays as one line when it is done; nothing where nobody watches."""
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(),
               TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress


async def import_lines(
    services: Services, lines: Iterable[bytes], console: Console, *, skip_invalid: bool = False
) -> Imported:
    """Record what the lines say. Nothing is written while a line is invalid, unless skipping.

    Returns once the projection shows it all.
    """
    with progress_bar(console) as progress:
        counted = progress.track(list(lines), description="checking")
        planned = await plan(services.recorder, counted)
        if planned.problems and not skip_invalid:
            return Imported(0, planned.unchanged, planned.problems)
        task = progress.add_task("recording", total=len(planned.events))
        await services.recorder.append_all(
            planned.events, lambda count: progress.advance(task, count))
        await _project(services, progress, len(planned.events))
    return Imported(len(planned.events), planned.unchanged, planned.problems)


async def _project(services: Services, progress: Progress, count: int) -> None:
    if not count:
        return
    head = await services.recorder.head()
    task = progress.add_task("projecting", total=count)
    await services.projector.catch_up(
        lambda position: progress.update(task, completed=count - (head - position)))
    await services.projector.reach(head, seconds=600)
    progress.update(task, completed=count)


async def load_corpus(services: Services, console: Console) -> Imported:
    """Import the corpus that ships, unless all of it is in the log already."""
    lines = list(shipped())
    ids = [msgspec.json.decode(line, type=Line).id for line in lines]
    if len(await services.recorder.known_ids(ids)) == len(ids):
        return Imported(0, len(ids), [])
    return await import_lines(services, lines, console)
