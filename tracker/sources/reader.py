"""The interface of readers: they recognise their files and read them into facts, line by line.

A reader yields an item for all that stands in a file: `ReadFact`, a fact with the place it was read
from, or `RefusedItem`, a place that was not understood or was left out, with the reason. It drops
nothing silently, knows no database, and holds no more of a file in memory than it must.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tracker.commands.commands import PlannedEvent
from tracker.domain.codec import decode, encode
from tracker.domain.entity import check_stream
from tracker.domain.values import Fact
from tracker.errors import InvalidInput, TooLarge, TrackerError
from tracker.sources.column_mapping import ColumnMapping

MAX_EVENT_ID_CHARACTERS = 180
"""The longest event id of a row; corrections add to it."""

ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A character that PostgreSQL keeps in no text, as JSON writes it."""

ZIP_MAGIC = b"PK\x03\x04"
"""How a workbook begins."""

MAX_FILE_BYTES = 2_000_000_000
"""The largest file that is read."""

HEAD_BYTES = 64 * 1024
"""The number of bytes by which a reader recognises a file."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to read. `name` is what facts and receipts call it, `encoding` what its user says."""

    path: Path
    name: str
    encoding: str | None = None

    @classmethod
    def at(cls, path: Path, encoding: str | None = None) -> File:
        """The file at a path, under its own name.

        Raises InvalidInput where there is none, or a link, a device or a pipe, and TooLarge.
        """
        if path.is_symlink():
            raise InvalidInput(
                f"{path}: expected a file, got a link: give what it leads to", code="NO_SUCH_FILE"
            )
        if not path.is_file() or not os.access(path, os.R_OK):
            raise InvalidInput(f"{path}: expected a file that can be read", code="NO_SUCH_FILE")
        return cls(path, path.name, encoding).at_most(MAX_FILE_BYTES)

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return self.path.stat().st_size

    def beginning(self) -> bytes:
        """Its first bytes."""
        with self.path.open("rb") as content:
            return content.read(HEAD_BYTES)

    def head(self) -> bytes:
        """Its first bytes; those of text in UTF-8, as far as its encoding is said or marked."""
        raw, name = self.beginning(), self.encoding
        if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            name = "utf-32"
        elif raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            name = "utf-16"
        if name is None or raw.startswith(ZIP_MAGIC):
            return raw
        return raw.decode(name, "ignore").encode()

    def sha256(self) -> str:
        """The SHA-256 of its content, as hexadecimal digits."""
        with self.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()

    def at_most(self, most: int) -> File:
        """This file, for readers that must hold it whole. Raises TooLarge."""
        if self.size > most:
            raise TooLarge(
                f"{self.name}: expected at most {most:,} bytes in a file of this"
                f" format, got {self.size:,}"
            )
        return self


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in a file: the line, counted from 1, and the column or field."""

    line: int
    column: str | None = None


NOT_UNDERSTOOD = "NOT_UNDERSTOOD"
"""The code of what a reader makes nothing of."""


@dataclass(frozen=True, slots=True)
class ReadFact:
    """A fact that was read, as a command with an id that is always the same for the same row."""

    at: SourceLocation
    planned: PlannedEvent


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """A place that was not understood, or was left out deliberately, and why.

    `code` is stable, as those of errors are: it is that of the rule that was broken, if one was.
    """

    at: SourceLocation
    reason: str
    text: str = ""
    code: str = NOT_UNDERSTOOD

    @classmethod
    def because(cls, at: SourceLocation, error: TrackerError, text: str = "") -> RefusedItem:
        """A place that breaks a rule."""
        return cls(at, error.message, text, error.code)


Item: TypeAlias = ReadFact | RefusedItem


def read_fact(at: SourceLocation, stream: str, fact: Fact, event_id: str) -> ReadFact:
    """A fact that a reader has put together, after making sure that the log can hold it.

    Raises InvalidInput at the field that is too long, or has a character that can't be stored.
    """
    check_stream(stream, "id")
    if len(event_id) > MAX_EVENT_ID_CHARACTERS:
        raise InvalidInput(
            f"expected an id of at most {MAX_EVENT_ID_CHARACTERS} letters", path=("id",)
        )
    data = encode(fact)
    check_storable(data)
    return ReadFact(at, PlannedEvent(stream, decode(type(fact), data), event_id))


def check_storable(data: bytes) -> None:
    """Refuse text, in JSON, that PostgreSQL can't keep. Raises InvalidInput."""
    if ESCAPED_NUL.search(data):
        raise InvalidInput("expected text without NUL characters")


@dataclass(frozen=True, slots=True)
class Reader:
    """A source of facts: a family of files, and how they are read.

    `version` is raised whenever the same file may be read otherwise than before: the next import
    of it then corrects what the earlier version read. `strict` readers take all of a file or
    nothing, since whoever wrote it can mend it; the others list what they refuse. `corrects` says
    that an id stands for a row, so that another fact under it is a correction, not a mistake.
    `encoding` is that of its publisher's files where they are not UTF-8, as far as that is known.
    `with_mapping` makes the reader that knows what a user says about a file, where there is such.
    """

    name: str
    title: str
    version: str
    licence: str
    example: str
    recognise: Callable[[bytes, str], bool]
    read: Callable[[File], Iterator[Item]]
    strict: bool = False
    corrects: bool = True
    encoding: str | None = None
    with_mapping: Callable[[ColumnMapping], Reader] | None = None


def unreadable(file: File, what: str, line: int | None = None) -> InvalidInput:
    """The error of a file that is broken as a whole: nothing of it is imported."""
    where = file.name if line is None else f"{file.name}, line {line}"
    return InvalidInput(f"{where}: {what}", code="UNREADABLE_FILE")


def dotted_path(error: TrackerError) -> str | None:
    """The field that an error is about, as a path with dots."""
    return ".".join(map(str, error.path)) or None
