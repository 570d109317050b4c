"""`tracker rebuild`: rebuild projections from the log."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from deploy.bootstrap import opened_pool
from deploy.cli.common import DataDir, run_with_database, stderr
from deploy.output.progress import progress_bar
from projections.registry import PROJECTIONS, linked_projections
from projections.runner.folds import Fold, read_folds
from projections.runner.rebuild import rebuild_all
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target


def check_names(names: list[str] | None) -> list[str]:
    """Return the names of projections, by default all. Exits if one is unknown."""
    for name in names or ():
        if name not in PROJECTIONS:
            raise typer.BadParameter(f"no projection {name!r}: expected {', '.join(PROJECTIONS)}")
    return names or [*PROJECTIONS]


def rebuild(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            callback=check_names,
            help=f"Which projections, of {', '.join(PROJECTIONS)}; all of them without a name.",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Rebuild projections from the log, and swap all in when they are complete.

    Projections with rows of another release are rebuilt too, because one release maintains all.
    """
    folds, seconds = run_with_database(data_dir, partial(_rebuild, names=names or ()))
    for fold in folds:
        rate = fold.position / seconds
        stderr.print(f"{fold.projection}: {fold.position} events, {rate:,.0f} a second")


async def _rebuild(target: Target, names: Sequence[str]) -> tuple[list[Fold], float]:
    """Return the rebuilt rows, and the duration in seconds."""
    started = time.monotonic()

    def choice(folds: list[Fold]) -> list[Fold]:
        return [fold for fold in folds if fold.projection in names or not fold.is_own]

    async with opened_pool(target) as pool:
        total = await Recorder(pool).head()
        chosen = [fold.projection for fold in choice(await read_folds(pool, linked_projections()))]
    with progress_bar(stderr) as progress:
        task = progress.add_task(f"rebuilding {', '.join(chosen)}", total=total * len(chosen))
        folds = await rebuild_all(
            target, linked_projections(), lambda done: progress.update(task, completed=done), choice
        )
    rebuilt = [fold for fold in folds if fold.projection in chosen]
    return rebuilt, time.monotonic() - started
