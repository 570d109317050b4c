"""The files of an import, each with its reader."""

import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

from deploy.cli.common import is_web, stderr
from tracker.errors import InvalidInput, TooLarge
from tracker.sources.column_mapping import load_mapping
from tracker.sources.download import downloaded_file
from tracker.sources.reader import MAX_FILE_BYTES, File, Reader
from tracker.sources.readers import corpus_format, spreadsheet
from tracker.sources.registry import reader_for, reader_named

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
