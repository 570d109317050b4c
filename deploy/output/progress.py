"""Progress bars on terminals."""

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
    """Show a bar that stays as one line at the end; show nothing without a terminal."""
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield progress


class ProgressBars:
    """A progress bar for each task of a run."""

    def __init__(self, progress: Progress):
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, doing: str, more: int, of: int | None = None) -> None:
        """Advance the bar of a task."""
        if doing not in self._tasks:
            self._tasks[doing] = self._progress.add_task(doing, total=of)
        self._progress.advance(self._tasks[doing], more)
