"""The mapping of columns of a spreadsheet: by flags, by a TOML file, or by their names.

publisher = "iea"              # a value that all rows share
dates = "dmy"                  # order of 3/12/2024: dmy or mdy
ignore = ["Last updated"]      # columns to leave out of the note
[columns]                      # field = column
title = "Titel"
[statuses]                     # word in the file = status of the tracker
"teilweise in Kraft" = "in_force"
[measures]
"Ausfuhrverbot" = "ban"
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.basics.toml_files import read_toml
from tracker.errors import InvalidInput
from tracker.sources.ids import slug

MAX_MAPPING_BYTES = 1_000_000
"""Maximum size of a mapping file."""

_DECLARED = read_toml(__file__)
FIELDS: dict[str, str] = _DECLARED["fields"]
"""The fields that a column can be mapped to."""
CONTROLS = frozenset(_DECLARED["rows"]["controls"])
FIGURES = frozenset(_DECLARED["rows"]["figures"])
"""The fields that only rows of controls or of figures have."""
ALIASES: dict[str, str] = _DECLARED["aliases"]
"""Names of columns that need no mapping."""
STATUSES = {
    word: ClauseStatus(status) for status, words in _DECLARED["statuses"].items() for word in words
}
MEASURES = {
    word: Measure(measure) for measure, words in _DECLARED["measures"].items() for word in words
}


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The mapping of the columns and words of a spreadsheet."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, ClauseStatus] = field(default_factory=lambda: STATUSES)
    measures: Mapping[str, Measure] = field(default_factory=lambda: MEASURES)
    dates: str | None = None
    ignored: frozenset[str] = frozenset()

    def locate_columns(self, header: Iterable[str]) -> dict[str, int]:
        """Return the index of the column of every field in the header.

        Raises InvalidInput if a mapped column does not exist.
        """
        places = {name.strip().casefold(): index for index, name in enumerate(header)}
        columns: dict[str, int] = {}
        for name, index in places.items():
            meant = name if name in FIELDS else ALIASES.get(name.replace("_", " "), "")
            if meant and meant not in self.columns:
                columns.setdefault(meant, index)
        for meant, column in self.columns.items():
            if column.strip().casefold() not in places:
                raise InvalidInput(
                    f"expected a column {column!r} for {meant}; there are "
                    + ", ".join(repr(name) for name in places if name),
                    code="NO_SUCH_COLUMN",
                    path=("columns", meant),
                )
            columns[meant] = places[column.strip().casefold()]
        return columns


def load_mapping(
    file: Path | None = None, columns: Iterable[str] = (), constants: Iterable[str] = ()
) -> ColumnMapping:
    """Load a mapping from a TOML file, overridden by flags such as `title=Titel`. Raises InvalidInput."""
    base = _from_toml(file) if file else ColumnMapping()
    return replace(
        base,
        columns={**base.columns, **_pairs(columns)},
        constants={**base.constants, **_pairs(constants)},
    )


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise InvalidInput(f"{text!r}: expected FIELD=..., such as title=Titel")
        pairs[_field(name)] = value
    return pairs


def _field(name: str) -> str:
    name = name if name in FIELDS else ALIASES.get(name, name)
    if name not in FIELDS:
        raise InvalidInput(
            f"{name!r} is not a field: expected one of {', '.join(FIELDS)}",
            code="UNKNOWN_FIELD",
            path=(name,),
        )
    return name


def _from_toml(file: Path) -> ColumnMapping:
    if not file.is_file() or file.stat().st_size > MAX_MAPPING_BYTES:
        raise InvalidInput(
            f"{file.name}: expected a file of at most {MAX_MAPPING_BYTES:,} bytes",
            code="NO_SUCH_FILE",
        )
    try:
        table = tomllib.loads(file.read_text("utf-8"))
        tables = {name: table.pop(name, {}) for name in ("columns", "statuses", "measures")}
        dates, ignored = table.pop("dates", None), table.pop("ignore", [])
        if dates not in (None, "dmy", "mdy"):
            raise InvalidInput("dates: expected dmy or mdy")
        return ColumnMapping(
            columns={_field(name): str(column) for name, column in tables["columns"].items()},
            constants={_field(name): str(value) for name, value in table.items()},
            statuses={**STATUSES, **_words(tables["statuses"], ClauseStatus)},
            measures={**MEASURES, **_words(tables["measures"], Measure)},
            dates=dates,
            ignored=frozenset(map(str, ignored)),
        )
    except (OSError, ValueError, AttributeError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"{file.name}: expected a mapping in TOML: {error}") from None


def _words(table: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    return {word.casefold(): kind(meant) for word, meant in table.items()}


def default_publisher(name: str) -> str:
    """Return the publisher of a file that names none: the file's name, without digits that change between
    versions."""
    return slug(re.sub(r"\d+", "", Path(name).stem))[:100].strip("-") or "spreadsheet"
