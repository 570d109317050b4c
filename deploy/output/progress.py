"""Progress bars on terminals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """A bar that stays as one line when it is done; nothing where nobody watches."""
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress


class ProgressBars:
    """A bar for each thing that a run does."""

    def __init__(self, progress: Progress):
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, doing: str, more: int, of: int | None = None) -> None:
        """So many more are done."""
        if doing not in self._tasks:
            self._tasks[doing] = self._progress.add_task(doing, total=of)
        self._progress.advance(self._tasks[doing], more)
