"""Settings of watched sources: a TOML file with one table per source, in addition to the built-in file.

    [us-federal-register]
    adapter = "federal-register"
    name = "Federal Register"
    publisher = "federal-register"       # of tracker/domain/catalogue/publishers.toml
    issuers = ["US"]
    address = "https://www.federalregister.gov/api/v1/documents.json"
    every = "12h"                        # or "30m", "7d"
    pause_seconds = 1
    covers = "Rules of export controls"
    [us-federal-register.options]        # options of the adapter

A table of a user's file replaces the built-in table with the same key; `watched = false` leaves a source
out.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path as FilePath
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from tracker.domain.basics.text_rules import check_address, check_line
from tracker.domain.catalogue.places import Actor
from tracker.errors import InvalidInput, Path
from tracker.watch.adapter import Adapter, SourceSettings

SHIPPED = FilePath(__file__).with_name("sources.toml")
MAX_FILE_BYTES = 1_000_000
MAX_SOURCES = 200
KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
MAX_KEY_CHARACTERS = 60
RHYTHM = re.compile(r"([1-9][0-9]{0,4})([mhd])")
HOURS_BY_UNIT: Mapping[str, float] = {"m": 1 / 60, "h": 1, "d": 24}
MIN_EVERY_MINUTES, MAX_EVERY_DAYS = 5, 366
PATH_IN_MESSAGE = re.compile(r" - at `\$\.?([^`]*)`")

LEFT_OUT = {"watched": False}
"""Table of a built-in source that is not to be watched."""

Name = Annotated[str, Meta(min_length=1, max_length=200)]


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table of a source."""

    adapter: Name
    name: Name
    publisher: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=100)]
    address: Annotated[str, Meta(max_length=500)]
    issuers: tuple[Name, ...] = ()
    every: str = "24h"
    pause_seconds: Annotated[float, Meta(ge=0.1, le=600)] = 1.0
    covers: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    watched: bool = True
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class WrongSources(InvalidInput):
    """An invalid file of sources; the error names the place."""

    code = "WRONG_SOURCES"


FindAdapter = Callable[[str], Adapter]


def load_sources(file: FilePath | None, find_adapter: FindAdapter) -> tuple[SourceSettings, ...]:
    """Load the built-in sources, overridden by those of a user's file; by key.

    Raises WrongSources.
    """
    sources: dict[str, SourceSettings | None] = {}
    for each in (SHIPPED, file):
        if each is not None:
            with _naming(each):
                sources |= _sources(_read(each), find_adapter, sources.keys())
    enabled = tuple(each for _, each in sorted(sources.items()) if each is not None)
    if len(enabled) > MAX_SOURCES:
        raise WrongSources(f"expected at most {MAX_SOURCES} sources")
    return enabled


@contextmanager
def _naming(file: FilePath) -> Iterator[None]:
    """Prefix errors with the name of the file."""
    try:
        yield
    except WrongSources as error:
        named = WrongSources(f"{file}: {error.message}", path=error.path)
        raise named from None


def _read(file: FilePath) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise WrongSources(f"expected at most {MAX_FILE_BYTES:,} bytes")
        return raw.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except OSError as error:
        raise WrongSources(error.strerror or str(error)) from None
    except UnicodeError:
        raise WrongSources("expected text in UTF-8") from None


def _sources(
    text: str, find_adapter: FindAdapter, known: Collection[str] = ()
) -> dict[str, SourceSettings | None]:
    """Return the sources of a text by key; None for those that are left out.

    A source that is left out must be one of `known`, or be defined in full.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongSources(str(error)) from None
    for key, table in tables.items():
        if table == LEFT_OUT and key not in known:
            raise _wrong("nothing to leave out: no source that ships has this key", key)
    return {key: _source(key, table, find_adapter) for key, table in tables.items()}


def _source(key: str, table: Any, find_adapter: FindAdapter) -> SourceSettings | None:
    """Return the source of a table; None for one that is left out."""
    if not KEY.fullmatch(key) or len(key) > MAX_KEY_CHARACTERS:
        raise _wrong("expected small letters and digits with single '-' between", key)
    if not isinstance(table, dict):
        raise _wrong("expected a table with the settings of a source", key)
    if table == LEFT_OUT:
        return None
    converted = _convert(table, _Table, key)
    try:
        check_line(converted.name, "name")
        check_line(converted.covers or "-", "covers")
        check_address(converted.address)
        adapter = find_adapter(converted.adapter)
    except InvalidInput as error:
        raise _wrong(error.message, key, *map(str, error.path or ("address",))) from None
    for index, issuer in enumerate(converted.issuers):
        try:
            Actor(issuer)
        except InvalidInput as error:
            raise _wrong(error.message, key, "issuers", str(index)) from None
    options = _convert(converted.options, adapter.Options, key, "options")
    if not converted.watched:
        return None
    return SourceSettings(
        key=key,
        adapter=converted.adapter,
        name=converted.name,
        publisher=converted.publisher,
        address=converted.address,
        issuers=converted.issuers,
        every_hours=_every_hours(converted.every, key),
        pause_seconds=converted.pause_seconds,
        covers=converted.covers,
        options=options,
    )


def _every_hours(text: str, key: str) -> float:
    match = RHYTHM.fullmatch(text)
    hours = int(match[1]) * HOURS_BY_UNIT[match[2]] if match else 0
    if not MIN_EVERY_MINUTES / 60 <= hours <= MAX_EVERY_DAYS * 24:
        raise _wrong(
            f"{text!r}: expected a time such as 30m, 12h or 7d, from {MIN_EVERY_MINUTES}m to"
            f" {MAX_EVERY_DAYS}d",
            key,
            "every",
        )
    return hours


def _convert(value: Any, kind: Any, *path: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        where = PATH_IN_MESSAGE.search(message)
        below = [part for part in re.split(r"[.\[\]]+", where[1]) if part] if where else []
        raise _wrong(PATH_IN_MESSAGE.sub("", message), *path, *below) from None


def _wrong(problem: str, *path: str) -> WrongSources:
    where: Path = tuple(int(part) if part.isdecimal() else part for part in path)
    return WrongSources(f"{'.'.join(path)}: {problem}", path=where)
