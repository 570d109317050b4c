"""`tracker check`: a file of shipments, with the results of their checks."""

import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from deploy.bootstrap import running_tracker
from deploy.cli import common
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
        date | None, common.day_option(help="The day of the checks (default: today, UTC).")
    ] = None,
    position: Annotated[
        int | None, typer.Option(min=0, help="The position of the log (default: the last one).")
    ] = None,
    data_dir: common.DataDir = None,
) -> None:
    """Check the shipments of a file: the rules that apply, duties and open questions.

    The result has the same lines with further columns. The last columns state the error of a line; the
    exit code is then 1. Information, not legal advice.
    """

    from schema.tables.shipment_file import LineChecker, ShipmentFile  # it would delay every start

    with common.report_errors():
        shipments = ShipmentFile.parse(_read(file))
    result = bytearray()

    async def work(target: Target) -> int:
        async with running_tracker(target) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            moment = await services.as_of.resolve(valid_at, None, position)
            checker = LineChecker(services.as_of, moment, shipments)
            with progress_bar(common.stderr) as progress:
                task = progress.add_task("checking", total=len(shipments.rows) + 1)
                async for line in checker.lines():
                    result.extend(line)
                    progress.advance(task)
        return checker.errors

    errors = common.run_with_database(data_dir, work)
    with common.report_errors():
        _write(bytes(result), out)
    if errors:
        lines = "1 line has an error" if errors == 1 else f"{errors} lines have errors"
        common.stderr.print(f"{lines}: see the column `error`.", style="yellow", markup=False)
        raise typer.Exit(Exit.REFUSED)


def _read(path: Path) -> bytes:
    """Return the content of a file or of standard input. Raises InvalidInput."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    return File.at(path).path.read_bytes()


def _write(result: bytes, out: Path | None) -> None:
    """Write the result to a file or to standard output. Raises InvalidInput."""
    if out is None:
        common.print_whole(result.decode().splitlines())
        return
    part = out.parent / f".{out.name}.{os.getpid()}.part"
    try:
        part.write_bytes(result)
        part.replace(out)
    except OSError as error:
        raise InvalidInput(f"{out}: {error.strerror}", code="NO_SUCH_FILE") from None
    finally:
        part.unlink(missing_ok=True)
