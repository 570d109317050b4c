"""Registry of readers."""

from tracker.errors import InvalidInput
from tracker.sources.reader import File, Reader
from tracker.sources.readers import (
    baci,
    bgs,
    corpus_format,
    federal_register,
    hts,
    iea,
    spreadsheet,
    usgs,
)

READERS: tuple[Reader, ...] = (
    corpus_format.READER,
    usgs.READER,
    bgs.READER,
    iea.READER,
    baci.READER,
    hts.READER,
    federal_register.READER,
    spreadsheet.READER,
)


def reader_named(name: str) -> Reader:
    """Return the reader of a source. Raises InvalidInput for an unknown one."""
    for reader in READERS:
        if reader.name == name:
            return reader
    raise InvalidInput(
        f"{name!r} is not a source: expected one of "
        + ", ".join(reader.name for reader in READERS),
        code="UNKNOWN_SOURCE",
    )


def reader_for(file: File) -> Reader | None:
    """Return the reader that recognises a file; None if there is none."""
    head = file.head()
    return next((reader for reader in READERS if reader.recognise(head, file.name)), None)
