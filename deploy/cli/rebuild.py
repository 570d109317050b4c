"""`tracker rebuild`: rebuild projections from the log."""

from __future__ import annotations

import time
from functools import partial
from typing import Annotated

import typer

from deploy.bootstrap import opened_pool
from deploy.cli.common import DataDir, run_with_database, stderr
from deploy.output.progress import progress_bar
from projections.registry import PROJECTIONS
from projections.runner import rebuild as runner
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
    """Rebuild projections from the log, and swap each in when it is complete."""
    for name in names or ():
        position, seconds = run_with_database(data_dir, partial(_rebuild, name=name))
        stderr.print(
            f"{name}: {position} events in {seconds:.1f} s, {position / seconds:,.0f} a second"
        )


async def _rebuild(target: Target, name: str) -> tuple[int, float]:
    """Return the last position, and the duration in seconds."""
    started = time.monotonic()
    async with opened_pool(target) as pool:
        total = await Recorder(pool).head()
    with progress_bar(stderr) as progress:
        task = progress.add_task(f"rebuilding {name}", total=total)
        position = await runner.rebuild(
            target, PROJECTIONS[name](), lambda done: progress.update(task, completed=done)
        )
    return position, time.monotonic() - started
