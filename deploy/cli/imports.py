"""Commands for sources: import files, list readers and past imports."""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.bootstrap import running_tracker
from deploy.cli.common import DataDir, is_web, report_errors, run_with_database, stderr
from deploy.cli.demo_log import check_no_mirror
from deploy.cli.import_progress import import_with_progress
from deploy.cli.import_report import all_refused, describe_outcome, format_receipt, report_writer
from deploy.cli.process import Exit
from deploy.output.terminal import Terminal, in_one_line
from projections.query.lists import Filter
from schema.services import Services
from tracker.domain.evidence.import_receipt import ImportState
from tracker.errors import InvalidInput, TooLarge, VersionConflict
from tracker.postgres.database import Target
from tracker.sources.column_mapping import load_mapping
from tracker.sources.download import downloaded_file
from tracker.sources.reader import MAX_FILE_BYTES, File, Reader
from tracker.sources.readers import corpus_format, spreadsheet
from tracker.sources.readers.corpus_schema import corpus_schema
from tracker.sources.registry import READERS, reader_for, reader_named
from tracker.sources.text_files import encoding_named

MAX_FILES = 10_000
"""The maximum number of files imported from a directory."""


def resolve_reader(
    source: str | None,
    columns: list[str],
    constants: list[str],
    mapping: Path | None,
    names: Iterable[str] = (),
) -> Reader | None:
    """Return the reader by name or mapping; None selects readers by file content.

    Values of all rows are for the reader that recognises the first file, if it takes any, else for
    spreadsheets.
    """
    if columns or constants or mapping:
        recognised = None if source or columns or mapping else _recognised(names)
        reader = recognised or reader_named(source or spreadsheet.READER.name)
        if reader.with_mapping is None:
            raise InvalidInput(f"{source} has nothing to map or to set: expected --from sheet")
        return reader.with_mapping(load_mapping(mapping, columns, constants))
    return reader_named(source) if source else None


def _recognised(names: Iterable[str]) -> Reader | None:
    path = Path(next(iter(names), ""))
    reader = reader_for(File.at(path)) if path.is_file() and not path.is_symlink() else None
    return reader if reader and reader.with_mapping else None


def resolve_files(
    stack: ExitStack, names: Iterable[str], reader: Reader | None, encoding: str | None = None
) -> Iterator[tuple[Reader, File]]:
    """Yield the files of an import, each with its reader; unrecognised files of directories are
    skipped.

    Raises InvalidInput for a missing file.
    """
    for name in names:
        if not name:  # from an unset variable: pathlib would use the current directory
            raise InvalidInput(
                "expected the name of a file or directory, or an address", code="NO_SUCH_FILE"
            )
        if Path(name).is_dir() and not Path(name).is_symlink():
            yield from files_in_directory(Path(name), reader, encoding)
            continue
        if name == "-":
            file = stack.enter_context(standard_input())
        else:
            file = (
                stack.enter_context(downloaded_file(name)) if is_web(name) else File.at(Path(name))
            )
        file = replace(file, encoding=encoding)
        yield reader or reader_for(file) or corpus_format.READER, file


def files_in_directory(
    directory: Path, named_reader: Reader | None, encoding: str | None = None
) -> Iterator[tuple[Reader, File]]:
    """Yield the recognised files in and below a directory, by name."""
    paths = sorted(islice(directory.rglob("*"), MAX_FILES + 1))
    if len(paths) > MAX_FILES:
        raise TooLarge(f"{directory}: expected at most {MAX_FILES:,} files")
    for path in paths:
        if path.is_symlink():
            stderr.print(f"{path}: skipped, a link", style="yellow", markup=False)
        elif path.is_file() and not path.name.startswith("."):
            file = File.at(path, encoding)
            reader = reader_for(file)
            if reader is None or (named_reader and named_reader.name != reader.name):
                stderr.print(f"{path}: skipped, not recognised", style="yellow", markup=False)
            else:
                yield named_reader or reader, file


@contextmanager
def standard_input() -> Iterator[File]:
    """Store standard input in a file, because it is read more than once."""
    with tempfile.NamedTemporaryFile(prefix="tracker-") as file:
        while chunk := sys.stdin.buffer.read(1 << 20):
            file.write(chunk)
            if file.tell() > MAX_FILE_BYTES:
                raise TooLarge(f"standard input: expected at most {MAX_FILE_BYTES:,} bytes")
        file.flush()
        yield File(Path(file.name), "standard input")


MAX_SHOWN_ITEMS = 20
plain = Terminal(highlight=False, soft_wrap=True)


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE|DIR|URL…",
        help="Files, directories, or web addresses; - reads standard input.",
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="SOURCE",
        show_default=False,
        help="The reader of the files: see `tracker sources` (default: by content).",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Record nothing; show the counts, and the first facts with their texts."
    ),
]
SkipInvalid = Annotated[
    bool,
    typer.Option(
        "--skip-invalid", help="Record the valid rows of a strict format, and skip the others."
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        show_default=False,
        help="Spreadsheets: the meaning of a column, such as title=Titel.",
    ),
]
Constants = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        show_default=False,
        help="A value of all rows, such as publisher=iea or published=2026-05-20 for spreadsheets, or"
        " commodity=gallium for USGS tables.",
    ),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        metavar="TOML",
        show_default=False,
        help="Spreadsheets: a mapping file; see docs/sources.md.",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        show_default=False,
        help="The encoding of text that is not UTF-8, such as gb18030 or cp1250.",
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        metavar="CSV", show_default=False, help="Write all refused and suspect rows to this file."
    ),
]


def import_(
    files: Files,
    source: Source = None,
    dry_run: DryRun = False,
    skip_invalid: SkipInvalid = False,
    columns: Columns = None,
    constants: Constants = None,
    mapping: MappingFile = None,
    encoding: Encoding = None,
    report: ReportFile = None,
    data_dir: DataDir = None,
) -> None:
    """Record the facts of files, each file completely or not at all.

    A file is checked first, and problems are listed with line, field and reason. A row counts once:
    importing a file again adds nothing, and a changed row is corrected by a retraction and a new event.
    Each run leaves a receipt in the log.
    """
    with report_errors(), ExitStack() as stack:
        named_reader = resolve_reader(source, columns or [], constants or [], mapping, files)
        named = encoding_named(encoding) if encoding is not None else None
        documents = list(resolve_files(stack, files, named_reader, named))
        listen = stack.enter_context(report_writer(report))
        options = dict[str, Any](dry_run=dry_run, skip_refused=skip_invalid, listen=listen)

        async def work(target: Target) -> bool:
            await check_no_mirror(target)
            async with running_tracker(target) as services:
                done = [await import_one(target, services, *each, **options) for each in documents]
            return all(done)

        if not run_with_database(data_dir, work, make=True):
            raise typer.Exit(Exit.REFUSED)


async def import_one(
    target: Target, services: Services, reader: Reader, file: File, *, dry_run: bool, **options: Any
) -> bool:
    """Import one file and print the outcome. Returns False if it was refused."""
    options["dry_run"] = dry_run
    try:
        outcome = await import_with_progress(target, services, reader, file, stderr, **options)
    except (InvalidInput, TooLarge, VersionConflict) as error:
        stderr.print(f"{error.message}\n{file.name}: nothing recorded", markup=False)
        return False
    for line in describe_outcome(outcome, dry_run=dry_run):
        stderr.print(line, markup=False)
    return not (outcome.refused or all_refused(outcome.receipt.counts))


def sources() -> None:
    """List the import formats: each source with its licence and an example."""
    for reader in READERS:
        plain.print(f"{reader.name} (reader {reader.version})", style="bold")
        plain.print(f"  {reader.title}", markup=False)
        plain.print(f"  licence: {reader.licence}\n  example: {reader.example}", markup=False)


def imports(
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="SOURCE", show_default=False, help="Only imports of this source."
        ),
    ] = None,
    first: Annotated[
        int, typer.Option(min=1, help="Maximum number of imports, the latest ones.")
    ] = MAX_SHOWN_ITEMS,
    data_dir: DataDir = None,
) -> None:
    """List the latest imports, oldest first."""
    with report_errors():
        reader = reader_named(source) if source else None

    async def work(target: Target) -> list[ImportState]:
        async with running_tracker(target) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            moment = await services.as_of.resolve()
            return await services.as_of.states(
                ImportState, moment, Filter(category=reader.name if reader else None)
            )

    for state in run_with_database(data_dir, work)[-first:]:
        print(in_one_line(format_receipt(state)))


def schema(
    of: Annotated[str, typer.Argument(metavar="corpus", help="The format: corpus.")],
) -> None:
    """Print the JSON Schema of a line of the corpus format."""
    with report_errors():
        if of != "corpus":
            raise InvalidInput(f"{of!r} has no schema: expected corpus", code="UNKNOWN_SOURCE")
    print(corpus_schema())
