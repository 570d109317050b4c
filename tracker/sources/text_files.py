"""Text files with any line ends, in a known encoding, with or without a byte order mark.

Text is UTF-8 unless it has a mark of UTF-16 or UTF-32, the user names another encoding, or the publisher is
known to use one. No encoding is guessed, because most bytes are valid in any encoding, and an error would be
recorded permanently. Lines are read one at a time and have a maximum length, so memory is bounded for files
of any size.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from encodings.aliases import aliases
from itertools import islice
from typing import IO

from msgspec import Struct

from tracker.errors import InvalidInput
from tracker.sources.reader import File, unreadable

MAX_ROW_BYTES = 1_000_000
"""Maximum length of a line, and of a row of a table, which may have several lines."""
MAX_COLUMNS = 1000

CHUNK_BYTES = 1024 * 1024
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks with their encodings. That of UTF-32 can look like one of UTF-16, so it comes first."""
NON_FILE_CODECS = frozenset(
    {
        "idna",
        "punycode",
        "raw-unicode-escape",
        "unicode-escape",
        "undefined",
        "unicode_escape",
        "raw_unicode_escape",
    }
)
"""Text codecs that are not encodings of files."""


class Line(Struct, frozen=True):
    """A line with its number, without its line end.

    `whole` is false if it is too long, and then `content` is its beginning.
    """

    number: int
    content: bytes
    whole: bool = True


def lines(file: File, publishers: str | None = None) -> Iterator[Line]:
    """Yield the lines of a file in UTF-8, ended by a line feed, a carriage return or both.

    `publishers` is the encoding of its publisher. Raises InvalidInput.
    """
    number = 0
    with in_utf8(file, publishers) as content:
        while raw := content.readline(MAX_ROW_BYTES + 1):
            if number == 0:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            whole = raw.endswith(b"\n") or len(raw) <= MAX_ROW_BYTES
            for part in raw.splitlines() or [b""]:
                number += 1
                yield Line(number, part, whole)
            while not whole and not raw.endswith(b"\n"):
                raw = content.readline(CHUNK_BYTES)
                if not raw:
                    return


@contextmanager
def in_utf8(file: File, publishers: str | None = None) -> Iterator[IO[bytes]]:
    """Open the content of a text file in UTF-8 for the length of a block. Raises InvalidInput."""
    name = encoding(file, publishers)
    with file.path.open("rb") as content:
        if name == "utf-8":
            yield content
            return
        decoder = codecs.getincrementaldecoder(name)()
        with tempfile.TemporaryFile(prefix="tracker-") as copy:
            while chunk := content.read(CHUNK_BYTES):
                copy.write(decoder.decode(chunk).encode())
            copy.write(decoder.decode(b"", final=True).encode())
            copy.seek(0)
            yield copy


def encoding(file: File, publishers: str | None = None) -> str:
    """Return the encoding of a text file: of its mark, the named one, UTF-8, or its publisher's.

    The content must be valid in it. Raises InvalidInput.
    """
    head = file.beginning()
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)
    named = file.encoding
    if marked and named and not named.startswith(marked):
        raise unreadable(file, f"it begins with the mark of {marked}: leave out --encoding {named}")
    for name in [marked or named] if marked or named else filter(None, ("utf-8", publishers)):
        assert name is not None
        wrong = _encoding_fault(file, name)
        if wrong is None:
            if named and not marked and name != "utf-8" and _is_utf8_beyond_ascii(file):
                raise unreadable(file, f"it is UTF-8: leave out --encoding {named}")
            return name
    if marked or named:
        raise unreadable(file, f"expected text in {marked or named}: {wrong}")
    raise InvalidInput(
        f"{file.name}: expected text in UTF-8: {wrong}; save it as UTF-8, or name its encoding,"
        " such as --encoding gb18030, big5, cp1250, cp1252 or shift_jis",
        code="ENCODING_REQUIRED",
        path=("encoding",),
    )


def _encoding_fault(file: File, name: str) -> str | None:
    """Return the reason why a file is not text in an encoding; None if it is."""
    decoder, place = codecs.getincrementaldecoder(name)(), 0
    with file.path.open("rb") as content:
        while True:
            chunk = content.read(CHUNK_BYTES)
            try:
                if "\0" in decoder.decode(chunk, final=not chunk):
                    raise unreadable(file, "expected text, got NUL bytes")
            except UnicodeError as error:
                start = getattr(error, "start", 0)
                return f"not so near byte {place + start:,} ({getattr(error, 'reason', error)})"
            if not chunk:
                return None
            place += len(chunk)


def _is_utf8_beyond_ascii(file: File) -> bool:
    with file.path.open("rb") as content:
        if all(chunk.isascii() for chunk in iter(lambda: content.read(CHUNK_BYTES), b"")):
            return False
    return _encoding_fault(file, "utf-8") is None


def encoding_named(name: str) -> str:
    """Return the Python name of a text encoding. Raises InvalidInput for an unknown one."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        codec = None
    if codec is None or not codec._is_text_encoding or codec.name in NON_FILE_CODECS:
        near = difflib.get_close_matches(name.lower().replace("-", "_"), aliases, n=3)
        like = near or ["utf-8", "gb18030", "cp1252"]
        raise InvalidInput(
            f"{name[:50]!r} is not an encoding of text: expected one such as " + ", ".join(like),
            code="UNKNOWN_ENCODING",
            path=("encoding",),
        )
    return codec.name


class Row(Struct, frozen=True):
    """A row of a table with the number of its last line."""

    line: int
    fields: Sequence[str]

    def at(self, index: int | None) -> str:
        """Return the text of a field without extra spaces; empty if the row or the column is missing."""
        if index is None or index >= len(self.fields):
            return ""
        return " ".join(self.fields[index].split())


def rows(file: File, publishers: str | None = None) -> Iterator[Row]:
    """Yield the non-empty rows of a CSV file, separated by commas, semicolons or tabs.

    `publishers` is the encoding of its publisher. Raises InvalidInput if the file ends inside quotes, or has
    too long a line or row or too many columns.
    """
    text = _Lines(file, publishers)
    reader = csv.reader(text, delimiter=delimiter(file.head()), strict=True)
    while True:
        text.bytes_of_row = 0
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise unreadable(file, f"expected CSV: {error}", reader.line_num) from None
        if fields is None:
            return
        if len(fields) > MAX_COLUMNS:
            raise unreadable(file, f"expected at most {MAX_COLUMNS:,} columns", reader.line_num)
        if any(field.strip() for field in fields):
            yield Row(reader.line_num, fields)


class _Lines:
    """The lines of a file as text, with a maximum number of bytes per row."""

    def __init__(self, file: File, publishers: str | None):
        self._file = file
        self._lines = lines(file, publishers)
        self.bytes_of_row = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.bytes_of_row += len(line.content)
        if not line.whole or self.bytes_of_row > MAX_ROW_BYTES:
            raise unreadable(
                self._file,
                f"expected lines and rows of at most {MAX_ROW_BYTES:,} bytes",
                line.number,
            )
        return line.content.decode() + "\n"


def head_rows(head: bytes, most: int) -> list[Row]:
    """Return the first rows of a possible CSV file; empty if it is not text."""
    try:
        text = head.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
        reader = csv.reader(text.splitlines(), delimiter=delimiter(head))
        return [Row(reader.line_num, fields) for fields in islice(reader, most)]
    except csv.Error:
        return []


def delimiter(head: bytes) -> str:
    """Return the delimiter of the first line."""
    first = head.splitlines()[0] if head else b""
    counts = {mark: first.count(mark.encode()) for mark in (",", ";", "\t")}
    return max(counts, key=lambda mark: counts[mark])
