"""Metadata of a CSV file as a file beside it (W3C, Metadata Vocabulary for Tabular Data, 2015).

A CSV file without comment lines contains no date, licence or completeness. Its metadata do, with the type
and the meaning of each column.
"""

from typing import Any

from schema.tables.cells import SEPARATOR
from schema.tables.formats import LICENCE_URL, PRODUCT, Header
from schema.tables.shape import Column

ENDING = ".csv-metadata.json"
"""Ending of the address of the metadata, after the name of the table (section 5.2 of the standard)."""
MEDIA_TYPE = "application/csvm+json"
DATATYPES = {
    "Decimal": "decimal",
    "Float": "double",
    "Int": "integer",
    "Position": "integer",
    "Boolean": "boolean",
    "Day": "date",
    "DateTime": "dateTime",
    "JSON": "json",
}
"""Data types of the standard by scalars of the API; all others are strings."""


def csv_metadata(header: Header, csv_url: str) -> dict[str, Any]:
    """Return the metadata of the CSV file at an address."""
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "url": csv_url,
        "dc:title": header.table.name,
        "dc:description": header.table.about,
        "dc:publisher": PRODUCT,
        "dc:license": {"@id": LICENCE_URL},
        "dialect": {"header": True, "encoding": "utf-8", "lineTerminators": ["\r\n"]},
        "notes": [{"name": name, "value": text} for name, text in header.lines().items()],
        "tableSchema": {"columns": [_column(column) for column in header.table.shape.columns]},
    }


def _column(column: Column) -> dict[str, Any]:
    described = {
        "name": column.name,
        "titles": column.name,
        "datatype": DATATYPES.get(column.scalar, "string"),
    }
    if column.description:
        described["dc:description"] = column.description
    return described | ({"separator": SEPARATOR} if column.many else {})
