"""`tracker check`: a file of shipments, with the results of their checks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, day_option, report_errors, run_with_database, stderr
from deploy.cli.process import Exit
from deploy.output.progress import progress_bar
from tracker.errors import InvalidInput
from tracker.postgres.database import Target
from tracker.sources.reader import File


def check(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A CSV file with a column per field of ShipmentInput; - reads standard input.",
            allow_dash=True,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The file for the results (default: standard output).")
    ] = None,
    valid_at: Annotated[
        date | None, day_option(help="The day of the checks (default: today, UTC).")
    ] = None,
    position: Annotated[
        int | None, typer.Option(min=0, help="The position of the log (default: the last one).")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Check the shipments of a file: the rules that apply, duties and open questions.

    Each line is returned with its results. Lines with errors have them in their last columns, and the
    exit code is 1. Information, not legal advice.
    """

    async def work(target: Target) -> int:
        from schema.tables.shipment_file import LineChecker, ShipmentFile  # would delay every start

        shipments = ShipmentFile.parse(data)
        async with running_tracker(target) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            moment = await services.as_of.resolve(valid_at, None, position)
            checker = LineChecker(services.as_of, moment, shipments)
            with progress_bar(stderr) as progress:
                task = progress.add_task("checking", total=len(shipments.rows) + 1)
                async for line in checker.lines():
                    write(line)
                    progress.advance(task)
        return checker.errors

    with report_errors(), _output(out) as write:
        data = _read(file)
        errors = run_with_database(data_dir, work)
    if errors:
        stderr.print(f"{errors} lines have errors: see their column error.", style="yellow")
        raise typer.Exit(Exit.REFUSED)


def _read(path: Path) -> bytes:
    """Return the content of a file or of standard input. Raises InvalidInput."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    return File.at(path).path.read_bytes()


@contextmanager
def _output(out: Path | None) -> Iterator[Callable[[bytes], object]]:
    """Open the output: a file that gets its name when it is complete, or standard output.

    Raises InvalidInput if the file cannot be written.
    """
    if out is None:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    part = out.parent / f".{out.name}.{os.getpid()}.part"
    try:
        with part.open("wb") as opened:
            yield opened.write
        part.replace(out)
    except OSError as error:
        raise InvalidInput(f"{out}: {error.strerror}", code="NO_SUCH_FILE") from error
    finally:
        part.unlink(missing_ok=True)
