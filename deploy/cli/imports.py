"""The commands about sources: import files, list what is understood and what was imported."""

from __future__ import annotations

import csv
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
from deploy.imports import import_with_progress
from deploy.process import Exit
from deploy.terminal import Terminal, in_one_line
from projections.query.lists import Filter
from schema.services import Services
from schema.tables.cells import escape_formula
from tracker.domain.import_receipt import ImportCounts, ImportState, Receipt
from tracker.errors import InvalidInput, TooLarge, VersionConflict
from tracker.postgres.database import Target
from tracker.sources.column_mapping import load_mapping
from tracker.sources.download import downloaded_file
from tracker.sources.importing.importer import EntityDifference, ImportOutcome
from tracker.sources.importing.receipt_builder import RemarkListener
from tracker.sources.reader import MAX_FILE_BYTES, File, Reader
from tracker.sources.readers import corpus_format, spreadsheet
from tracker.sources.readers.corpus_schema import corpus_schema
from tracker.sources.registry import READERS, reader_for, reader_named
from tracker.sources.text_files import encoding_named

MAX_SHOWN_ITEMS = 20
MAX_FILES = 10_000
"""The maximum number of files imported from a directory."""
MAX_SHOWN_CHARACTERS = 100
SHOWN_TEXT_FIELDS = ("title", "name", "edition", "note", "quotation", "account", "reason")
"""The fields of a fact that a dry run prints, if set."""
plain = Terminal(highlight=False, soft_wrap=True)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command(name="import")(import_)
    app.command()(sources)
    app.command()(imports)
    app.command()(schema)


def import_(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|DIR|URL…",
            help="Files, directories of them, or addresses on the web; - reads standard input.",
        ),
    ],
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            show_default=False,
            help="What the files are: see `tracker sources` (default: recognised by their content).",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Record nothing; show what would be recorded: the counts, and the first"
            " facts with their texts.",
        ),
    ] = False,
    skip_invalid: Annotated[
        bool,
        typer.Option(
            "--skip-invalid", help="Record what is valid of a strict format, leave the rest out."
        ),
    ] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            show_default=False,
            help="Of a spreadsheet: which column means what, such as title=Titel.",
        ),
    ] = None,
    constants: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            show_default=False,
            help="What all rows share, such as publisher=iea or published=2026-05-20.",
        ),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping",
            metavar="TOML",
            show_default=False,
            help="Of a spreadsheet: a file that says so; see docs/sources.md.",
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            show_default=False,
            help="The encoding of text that is not UTF-8, such as gb18030 or cp1250.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            show_default=False,
            help="Write every refused and suspect place to this file.",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Record the facts of files, each file wholly or not at all.

    All of a file is checked first, and what is not understood is listed with its line, field and
    reason. A row counts once: importing a file again adds nothing, and a row that now reads
    otherwise is corrected by a retraction and a new event. Each run leaves a receipt in the log.
    """
    with report_errors(), ExitStack() as stack:
        given = resolve_reader(source, columns or [], constants or [], mapping)
        named = encoding_named(encoding) if encoding is not None else None
        found = list(resolve_files(stack, files, given, named))
        listen = stack.enter_context(report_writer(report))

        async def work(target: Target) -> bool:
            async with running_tracker(target) as services:
                done = [
                    await import_one(
                        target,
                        services,
                        reader,
                        file,
                        listen,
                        skip_refused=skip_invalid,
                        dry_run=dry_run,
                    )
                    for reader, file in found
                ]
            return all(done)

        if not run_with_database(data_dir, work, make=True):
            raise typer.Exit(Exit.REFUSED)


def resolve_reader(
    source: str | None, columns: list[str], constants: list[str], mapping: Path | None
) -> Reader | None:
    """The reader that is asked for by name or by a mapping; None: by the content of each file."""
    if columns or constants or mapping:
        reader = reader_named(source or spreadsheet.READER.name)
        if reader.with_mapping is None:
            raise InvalidInput(f"{source} has nothing to map or to set: expected --from sheet")
        return reader.with_mapping(load_mapping(mapping, columns, constants))
    return reader_named(source) if source else None


def resolve_files(
    stack: ExitStack, names: Iterable[str], given: Reader | None, encoding: str | None = None
) -> Iterator[tuple[Reader, File]]:
    """The files that are meant, each with its reader; those of a directory that nobody reads are
    left out. Raises InvalidInput for a file that is not there."""
    for name in names:
        if Path(name).is_dir() and not Path(name).is_symlink():
            yield from files_in_directory(Path(name), given, encoding)
            continue
        if name == "-":
            file = stack.enter_context(standard_input())
        else:
            file = (
                stack.enter_context(downloaded_file(name)) if is_web(name) else File.at(Path(name))
            )
        file = replace(file, encoding=encoding)
        yield given or reader_for(file) or corpus_format.READER, file


def files_in_directory(
    directory: Path, given: Reader | None, encoding: str | None = None
) -> Iterator[tuple[Reader, File]]:
    """The files in a directory and below it, by name, that some reader recognises."""
    paths = sorted(islice(directory.rglob("*"), MAX_FILES + 1))
    if len(paths) > MAX_FILES:
        raise TooLarge(f"{directory}: expected at most {MAX_FILES:,} files")
    for path in paths:
        if path.is_symlink():
            stderr.print(f"{path}: left out, a link", style="yellow", markup=False)
        elif path.is_file() and not path.name.startswith("."):
            file = File.at(path, encoding)
            reader = reader_for(file)
            if reader is None or (given and given.name != reader.name):
                stderr.print(f"{path}: left out, not recognised", style="yellow", markup=False)
            else:
                yield given or reader, file


@contextmanager
def standard_input() -> Iterator[File]:
    """Standard input as a file: it is read more than once."""
    with tempfile.NamedTemporaryFile(prefix="tracker-") as kept:
        while chunk := sys.stdin.buffer.read(1 << 20):
            kept.write(chunk)
            if kept.tell() > MAX_FILE_BYTES:
                raise TooLarge(f"standard input: expected at most {MAX_FILE_BYTES:,} bytes")
        kept.flush()
        yield File(Path(kept.name), "standard input")


@contextmanager
def report_writer(path: Path | None) -> Iterator[RemarkListener | None]:
    """Writes every refused and suspect place to a CSV file, if one is wanted."""
    if path is None:
        yield None
        return
    try:
        opened = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror}") from None
    with opened as content:
        writer = csv.writer(content)
        writer.writerow(("came", "line", "column", "code", "reason", "text"))
        yield lambda came, at, code, reason, text: writer.writerow(
            (came, at.line, *map(escape_formula, (at.column or "", code, reason, text)))
        )


async def import_one(
    target: Target,
    services: Services,
    reader: Reader,
    file: File,
    listen: RemarkListener | None,
    *,
    skip_refused: bool,
    dry_run: bool,
) -> bool:
    """Import one file and say what became of it; whether it was not refused."""
    try:
        outcome = await import_with_progress(
            target,
            services,
            reader,
            file,
            stderr,
            listen=listen,
            skip_refused=skip_refused,
            dry_run=dry_run,
        )
    except (InvalidInput, TooLarge, VersionConflict) as error:
        stderr.print(f"{error.message}\n{file.name}: nothing recorded", markup=False)
        return False
    for line in describe_outcome(outcome, dry_run=dry_run):
        stderr.print(line, markup=False)
    return not (outcome.refused or all_refused(outcome.receipt.counts))


def all_refused(counts: ImportCounts) -> bool:
    """Whether a file had facts for us, and none was taken or known: most likely it is of another
    format or layout than its reader knows."""
    return 0 < counts.refused == counts.items and not counts.withdrawn


def describe_outcome(outcome: ImportOutcome, *, dry_run: bool) -> Iterator[str]:
    """The lines of an import's outcome: refused places with reasons, differences, counts."""
    return map(in_one_line, _outcome_lines(outcome, dry_run=dry_run))


def _outcome_lines(outcome: ImportOutcome, *, dry_run: bool) -> Iterator[str]:
    receipt = outcome.receipt
    name = receipt.file
    for remark in receipt.refused:
        yield f"{name}: {format_location(remark.line, remark.column)}: {remark.reason}"
    if receipt.counts.refused > len(receipt.refused):
        yield f"{name}: {receipt.counts.refused} refused in all (--report lists them):"
        yield from (f"{name}: {reason.count:8,} {reason.reason}" for reason in receipt.reasons)
    for remark in receipt.suspects:
        yield (
            f"{name}: suspect: {format_location(remark.line, remark.column)}: {remark.text}: {remark.reason}"
        )
    if dry_run:
        for item in outcome.differences:
            yield f"{name}: {format_difference(item)}"
            yield from (f"{name}:   {text}" for text in texts_of(item.fact))
    yield f"{name}: {format_summary(receipt, refused=outcome.refused, dry_run=dry_run)}"


def format_location(line: int, column: str | None) -> str:
    """A place in a file, as people cite it."""
    return f"line {line}: {column}" if column else f"line {line}"


def format_difference(item: EntityDifference) -> str:
    """The difference for one entity, in a line."""
    where = f" (line {item.at.line})" if item.at else ""
    if not item.before:
        return f"{item.came}: {item.stream}{where}"
    return f"{item.came}: {item.stream}{where}: {format_content(item.before)} -> {format_content(item.fact)}"


def texts_of(fact: Any) -> Iterator[str]:
    """The texts of a fact, shortened, so that somebody sees whether they are what the file says."""
    for field in SHOWN_TEXT_FIELDS:
        text = getattr(fact, field, None)
        if isinstance(text, str):
            end = "\u2026" if len(text) > MAX_SHOWN_CHARACTERS else ""
            yield f"{field}: {text[:MAX_SHOWN_CHARACTERS]}{end}"
    if quantity := getattr(fact, "quantity", None):
        yield f"quantity: {format_content(fact)}{f' {quantity.basis}' if quantity.basis else ''}"


def format_content(fact: Any) -> str:
    """A short description of a fact."""
    quantity = getattr(fact, "quantity", None)
    if quantity is None:
        return str(getattr(fact, "title", type(fact).__name__))
    return f"{quantity.qualifier or ''} {quantity.value or ''} {quantity.unit}".strip()


def format_summary(receipt: Receipt, *, refused: bool, dry_run: bool) -> str:
    """A summary of an import, in a line."""
    if refused:
        return f"nothing recorded, {receipt.counts.refused} problems"
    if all_refused(receipt.counts):
        return f"{receipt.reader}: nothing recorded: all {receipt.counts.refused} were refused"
    return f"{receipt.reader}: {'would be ' if dry_run else ''}{format_counts(receipt.counts)}"


def format_counts(counts: ImportCounts) -> str:
    """The counts of a receipt, without what did not happen."""
    always = {"recorded": counts.new + counts.restated, "known before": counts.unchanged}
    sometimes = {
        "of them restating an earlier edition": counts.restated,
        "corrected": counts.corrected,
        "withdrawn": counts.withdrawn,
        "repeated in the file": counts.repeated,
        "left out": counts.refused,
        "suspect": counts.suspect,
    }
    parts = always | {what: count for what, count in sometimes.items() if count}
    return ", ".join(f"{count} {what}" for what, count in parts.items())


def sources() -> None:
    """List what can be imported: each source with its licence and an example."""
    for reader in READERS:
        plain.print(f"{reader.name} (reader {reader.version})", style="bold")
        plain.print(f"  {reader.title}", markup=False)
        plain.print(f"  licence: {reader.licence}\n  example: {reader.example}", markup=False)


def imports(
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="SOURCE", show_default=False, help="Only those of this source."
        ),
    ] = None,
    first: Annotated[
        int, typer.Option(min=1, help="How many at most, the latest.")
    ] = MAX_SHOWN_ITEMS,
    data_dir: DataDir = None,
) -> None:
    """List what was imported: the latest receipts, the oldest of them first."""
    with report_errors():
        given = reader_named(source) if source else None

    async def work(target: Target) -> list[ImportState]:
        async with running_tracker(target) as services:
            await services.projector.reach(await services.recorder.head(), seconds=600)
            moment = await services.as_of.resolve()
            return await services.as_of.states(
                ImportState, moment, Filter(category=given.name if given else None)
            )

    for state in run_with_database(data_dir, work)[-first:]:
        print(in_one_line(format_receipt(state)))


def format_receipt(state: ImportState) -> str:
    """A receipt in a line."""
    return (
        f"{state.because[0].position:8}  {state.on}  {state.reader} {state.reader_version}"
        f"  {state.file}  {state.sha256[:12]}  {state.encoding or 'no text'}"
        f"  {format_counts(state.counts)}"
    )


def schema(
    of: Annotated[str, typer.Argument(metavar="corpus", help="The format: corpus.")],
) -> None:
    """Print the JSON Schema of a line of the corpus format."""
    with report_errors():
        if of != "corpus":
            raise InvalidInput(f"{of!r} has no schema: expected corpus", code="UNKNOWN_SOURCE")
    print(corpus_schema())
