"""The interface of readers: they recognise their files and convert them to facts, line by line.

A reader yields an item for every part of a file: `ReadFact`, a fact with its place, or `RefusedItem`, an
invalid or omitted place with the reason. It drops nothing silently, uses no database, and keeps as little of
a file in memory as possible.
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

from msgspec import Struct

from tracker.commands.commands import PlannedEvent
from tracker.domain.basics.codec import decode, encode
from tracker.domain.entities.entity import check_stream
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput, TooLarge, TrackerError
from tracker.sources.column_mapping import ColumnMapping

MAX_EVENT_ID_CHARACTERS = 180
"""Maximum length of the event id of a row; corrections add a suffix."""

NUL = rb"\u0000"
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A character that PostgreSQL cannot store in text, in JSON notation."""

ZIP_MAGIC = b"PK\x03\x04"
"""First bytes of a workbook."""

MAX_FILE_BYTES = 2_000_000_000
"""Maximum size of a file."""

HEAD_BYTES = 64 * 1024
"""Number of bytes by which a reader recognises a file."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to read. `name` is used in facts and receipts, `encoding` is set by the user."""

    path: Path
    name: str
    encoding: str | None = None

    @classmethod
    def at(cls, path: Path, encoding: str | None = None) -> File:
        """Return the file at a path, under its own name.

        Raises InvalidInput if there is none, or it is a link, a device or a pipe, and TooLarge.
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
        """The size in bytes."""
        return self.path.stat().st_size

    def beginning(self) -> bytes:
        """Return the first bytes."""
        with self.path.open("rb") as content:
            return content.read(HEAD_BYTES)

    def head(self) -> bytes:
        """Return the first bytes; for text in UTF-8, if its encoding is set or has a byte order mark."""
        raw, name = self.beginning(), self.encoding
        if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            name = "utf-32"
        elif raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            name = "utf-16"
        if name is None or raw.startswith(ZIP_MAGIC):
            return raw
        return raw.decode(name, "ignore").encode()

    def sha256(self) -> str:
        """The SHA-256 of the content, as hexadecimal digits."""
        with self.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()

    def at_most(self, most: int) -> File:
        """Return this file for readers that must load it completely. Raises TooLarge."""
        if self.size > most:
            raise TooLarge(
                f"{self.name}: expected at most {most:,} bytes in a file of this"
                f" format, got {self.size:,}"
            )
        return self


class SourceLocation(Struct, frozen=True):
    """A place in a file: the line, counted from 1, and the column or field."""

    line: int
    column: str | None = None


NOT_UNDERSTOOD = "NOT_UNDERSTOOD"
"""The code of an unparsable item."""


@dataclass(frozen=True, slots=True)
class ReadFact:
    """A fact from a file, as a command with an id that is stable for its row."""

    at: SourceLocation
    planned: PlannedEvent


class RefusedItem(Struct, frozen=True):
    """An invalid or deliberately omitted place, and the reason.

    `code` is stable, like those of errors. If a rule was broken, it is the code of that rule.
    """

    at: SourceLocation
    reason: str
    text: str = ""
    code: str = NOT_UNDERSTOOD

    @classmethod
    def because(cls, at: SourceLocation, error: TrackerError, text: str = "") -> RefusedItem:
        """Return the item for a place that breaks a rule."""
        return cls(at, error.message, text, error.code)


Item: TypeAlias = ReadFact | RefusedItem


def read_fact(at: SourceLocation, stream: str, fact: Fact, event_id: str) -> ReadFact:
    """Return a fact of a reader after checking that the log can store it.

    Raises InvalidInput at a field that is too long, or has an unstorable character.
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
    """Reject JSON text that PostgreSQL cannot store. Raises InvalidInput."""
    if NUL in bytes(data) and ESCAPED_NUL.search(data):  # the pattern alone is slow
        raise InvalidInput("expected text without NUL characters")


@dataclass(frozen=True, slots=True)
class Reader:
    """A source of facts: a family of files, and their reader.

    `version` is increased whenever the result for the same file may change: the next import of the file then
    corrects the earlier one. `strict` readers accept all of a file or nothing, because its author can correct
    it; others list refused items. `corrects` is true if an id identifies a row, so that another fact under it
    is a correction, not an error.

    `encoding` is that of the publisher's files, if known and not UTF-8. `with_mapping` creates the reader
    with the user's settings for a file, if there are any.
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


def unreadable(file: File, problem: str, line: int | None = None) -> InvalidInput:
    """Return the error of an invalid file: nothing of it is imported."""
    where = file.name if line is None else f"{file.name}, line {line}"
    return InvalidInput(f"{where}: {problem}", code="UNREADABLE_FILE")


def dotted_path(error: TrackerError) -> str | None:
    """Return the field of an error, as a path with dots."""
    return ".".join(map(str, error.path)) or None
