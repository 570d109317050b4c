"""The tables as a package of CSV files (Data Package 2, datapackage.org). Pure.

It has the tables that need no parameters.
"""

from typing import Any

from schema.metadata.facts import DESCRIPTION, KEYWORDS, TITLE, Site, media_type
from schema.tables.cells import SEPARATOR
from schema.tables.formats import LICENCE_URL
from schema.tables.shape import Column
from schema.tables.table import Table, tables

CSV = "csv"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TYPES = {
    "Boolean": "boolean",
    "DateTime": "datetime",
    "Day": "date",
    "Decimal": "number",
    "Float": "number",
    "Int": "integer",
    "Position": "integer",
}
"""Types by scalars of the API; all others, and several values in one cell, are texts."""


def data_package(site: Site) -> dict[str, Any]:
    """Return the description of the package, with the newest data."""
    return {
        "$schema": PROFILE,
        "name": TITLE.replace(": ", "-").replace(" ", "-").lower(),
        "id": f"{site.origin}/datapackage.json",
        "title": TITLE,
        "description": DESCRIPTION,
        "homepage": f"{site.origin}/tables",
        "version": f"0.0.{site.position}",
        "created": site.modified,
        "keywords": list(KEYWORDS),
        "licenses": [{"name": "CC-BY-4.0", "path": LICENCE_URL}],
        "resources": [_resource(one, site) for one in tables().values() if one.is_whole],
    }


def _resource(table: Table, site: Site) -> dict[str, Any]:
    return {
        "name": table.name,
        "path": site.file_url(table, CSV),
        "type": "table",
        "description": table.about,
        "format": CSV,
        "mediatype": media_type(CSV),
        "encoding": "utf-8",
        "schema": {"fields": [_field(column) for column in table.shape.columns]},
    }


def _field(column: Column) -> dict[str, str]:
    text = f" Several values are separated by “{SEPARATOR}”." if column.many else ""
    return {
        "name": column.name,
        "type": "string" if column.many else TYPES.get(column.scalar, "string"),
        "description": f"{column.description or column.name}{text}",
    }
