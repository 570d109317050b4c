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
from tracker.errors import InvalidInput
from tracker.sources.ids import slug

MAX_MAPPING_BYTES = 1_000_000
"""Maximum size of a mapping file."""

FIELDS = {
    "id": "a row id; the default is jurisdiction and title",
    "title": "the title",
    "jurisdiction": "the country, by name or ISO code",
    "announced": "the day of the announcement",
    "effective": "the first day in force",
    "ended": "the last day in force, or, if repealed, the first day without it",
    "suspended": "the first suspended day",
    "suspended_until": "the last suspended day",
    "status": "the status: see [statuses]",
    "measure": "the measure: see [measures]; without it a row is an announcement",
    "commodities": "the commodities, separated by semicolons or commas",
    "destinations": "for an export control: the countries that it is limited to",
    "origins": "for an import control: the countries that it is limited to",
    "direction": "export, import or production; the default follows from the measure, else export",
    "covers": "goods, technology, equipment, materials or services; the default is goods",
    "end_use": "the end use that it is limited to",
    "exemptions": "the exemptions, in words",
    "instrument": "the act, as cited by its issuer",
    "link": "the web address",
    "publisher": "the short id of the publisher of the list",
    "source": "the name of the list",
    "published": "the publication date of the list",
    "year": "for a figure: the year",
    "value": "for a figure: the number",
    "unit": "for a figure: t, kt, ...",
    "basis": "for a figure: the basis of weight",
    "stage": "for a figure: mine, refinery, ...",
    "statistic": "for a figure: production, capacity or reserves",
    "edition": "for a figure: the edition of the publication",
}
"""The fields that a column can be mapped to."""

ALIASES = {
    "country": "jurisdiction",
    "issuer": "jurisdiction",
    "date": "announced",
    "announced on": "announced",
    "announcement date": "announced",
    "date announced": "announced",
    "date implemented": "effective",
    "date removed": "ended",
    "implementing jurisdiction": "jurisdiction",
    "implementing jurisdictions": "jurisdiction",
    "affected jurisdictions": "destinations",
    "intervention id": "id",
    "intervention type": "measure",
    "intervention url": "link",
    "state act title": "title",
    "end use": "end_use",
    "effective date": "effective",
    "effective from": "effective",
    "in force from": "effective",
    "implementation date": "effective",
    "end date": "ended",
    "expires": "ended",
    "url": "link",
    "commodity": "commodities",
    "mineral": "commodities",
    "minerals": "commodities",
    "type": "measure",
    "policy type": "measure",
    "name": "title",
    "policy": "title",
}
"""Names of columns that need no mapping."""

STATUSES = {
    word: status
    for status, words in {
        ClauseStatus.ANNOUNCED: ("announced", "planned", "proposed", "adopted", "under discussion"),
        ClauseStatus.IN_FORCE: (
            "in force",
            "in_force",
            "active",
            "implemented",
            "in effect",
            "enacted",
        ),
        ClauseStatus.SUSPENDED: ("suspended", "paused"),
        ClauseStatus.EXPIRED: ("expired", "ended"),
        ClauseStatus.REPEALED: ("repealed", "withdrawn", "revoked", "lifted"),
    }.items()
    for word in words
}
MEASURES = {
    word: measure
    for measure, words in {
        Measure.LICENCE: (
            "licence",
            "license",
            "licensing requirement",
            "export licence",
            "export license",
        ),
        Measure.DUAL_USE_LICENCE: ("dual-use licence", "dual-use license"),
        Measure.TRADE_LICENCE: (
            "trade licence",
            "trade license",
            "import licence",
            "import license",
        ),
        Measure.BAN: (
            "ban",
            "export ban",
            "import ban",
            "prohibition",
            "export prohibition",
            "import prohibition",
        ),
        Measure.QUOTA: ("quota", "export quota", "import quota", "production quota"),
        Measure.TARIFF: (
            "tariff",
            "export tax",
            "export tariff",
            "export duty",
            "import tariff",
            "import duty",
            "duty",
        ),
        Measure.TARIFF_RATE_QUOTA: (
            "tariff-rate quota",
            "tariff rate quota",
            "import tariff quota",
        ),
        Measure.STATE_TRADING: ("state trading",),
        Measure.INVESTIGATION: ("investigation",),
    }.items()
    for word in words
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
