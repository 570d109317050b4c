"""Text files as they come: with a mark or without, in UTF-8 or cp1252, with any line ends.

Lines are read one at a time and never longer than a limit, so that no file is too large and no
line fills the memory.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tracker.sources.contract import File, unreadable

MOST_BYTES = 1_000_000
"""The longest line that is looked at."""

CHUNK = 1024 * 1024
ODD_MARKS = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32",
             codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line with its number, without its line end; `whole` is false where it is over the limit,
    and then `content` is its beginning."""

    number: int
    content: bytes
    whole: bool = True


def lines(file: File) -> Iterator[Line]:
    """The lines of a file, whatever ends them: a line feed, a carriage return or both."""
    number = 0
    with file.path.open("rb") as content:
        while raw := content.readline(MOST_BYTES + 1):
            if number == 0:
                check_marks(file, raw)
                raw = raw.removeprefix(codecs.BOM_UTF8)
            whole = raw.endswith(b"\n") or len(raw) <= MOST_BYTES
            for part in raw.splitlines() or [b""]:
                number += 1
                yield Line(number, part, whole)
            while not whole and not raw.endswith(b"\n"):
                raw = content.readline(CHUNK)
                if not raw:
                    return


def check_marks(file: File, head: bytes) -> None:
    """Refuse text that is neither UTF-8 nor cp1252 by its first bytes. Raises InvalidInput."""
    for mark, name in ODD_MARKS.items():
        if head.startswith(mark):
            raise unreadable(file, f"expected UTF-8, got {name}: save it as UTF-8")


def encoding(file: File) -> str:
    """The encoding of a file: UTF-8, or cp1252 if it can't be that. Raises InvalidInput."""
    for name in ("utf-8", "cp1252"):
        decoder = codecs.getincrementaldecoder(name)()
        try:
            with file.path.open("rb") as content:
                while chunk := content.read(CHUNK):
                    if b"\0" in chunk:
                        raise unreadable(file, "expected text, got NUL bytes")
                    decoder.decode(chunk)
            decoder.decode(b"", final=True)
            return name
        except UnicodeDecodeError:
            continue
    raise unreadable(file, "expected text in UTF-8 or cp1252")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with the number of its last line."""

    line: int
    fields: Sequence[str]

    def at(self, index: int | None) -> str:
        """The text of a field without odd spaces; empty where the row or the column ends."""
        if index is None or index >= len(self.fields):
            return ""
        return " ".join(self.fields[index].split())


def rows(file: File) -> Iterator[Row]:
    """The rows of a CSV file that are not empty; commas, semicolons or tabs divide them.

    Raises InvalidInput where the file breaks off inside quotes or has a line over the limit.
    """
    check_marks(file, file.head())
    text = _decoded(file, encoding(file))
    reader = csv.reader(text, delimiter=delimiter(file.head()), strict=True)
    while True:
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise unreadable(file, f"expected CSV: {error}", reader.line_num) from None
        if fields is None:
            return
        if any(field.strip() for field in fields):
            yield Row(reader.line_num, fields)


def head_rows(head: bytes, most: int) -> list[Row]:
    """The first rows of what may be a CSV file, from its beginning; none where it is not text."""
    try:
        text = head.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace")
        reader = csv.reader(text.splitlines(), delimiter=delimiter(head))
        return [Row(reader.line_num, fields) for fields in islice(reader, most)]
    except csv.Error:
        return []


def delimiter(head: bytes) -> str:
    """What divides the fields of the first line."""
    first = head.splitlines()[0] if head else b""
    counts = {mark: first.count(mark.encode()) for mark in (",", ";", "\t")}
    return max(counts, key=lambda mark: counts[mark])


def _decoded(file: File, encoding: str) -> Iterator[str]:
    for line in lines(file):
        if not line.whole:
            raise unreadable(file, f"expected lines of at most {MOST_BYTES:,} bytes", line.number)
        yield line.content.decode(encoding) + "\n"
