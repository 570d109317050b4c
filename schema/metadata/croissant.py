"""The tables for programs that train models: Croissant 1.0, as JSON-LD. Pure.

It has the tables that need no parameters. Columns are those of the tables.
"""

from typing import Any

from schema.metadata.facts import DESCRIPTION, KEYWORDS, TITLE, Site, described, media_type
from schema.tables.cells import SEPARATOR
from schema.tables.formats import LICENCE_URL, PRODUCT
from schema.tables.shape import Column
from schema.tables.table import Table, tables
from tracker.domain.basics.toml_files import read_toml

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
CSV = "csv"
DATA_TYPES = {
    "Decimal": "sc:Float",
    "Float": "sc:Float",
    "Int": "sc:Integer",
    "Position": "sc:Integer",
    "Boolean": "sc:Boolean",
    "Day": "sc:Date",
    "DateTime": "sc:DateTime",
}
"""Types by scalars of the API; all others, and several values in one cell, are texts."""
CONTEXT = read_toml(__file__)
Node = dict[str, Any]


def croissant(site: Site) -> Node:
    """Return the description of all whole tables, as CSV files with the newest data."""
    whole = [one for one in tables().values() if one.is_whole]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": TITLE.replace(": ", " ").replace(" ", "-").lower(),
        "alternateName": TITLE,
        "conformsTo": CONFORMS_TO,
        "description": DESCRIPTION,
        "url": f"{site.origin}/tables",
        "license": LICENCE_URL,
        "keywords": list(KEYWORDS),
        "inLanguage": "en",
        "creator": {"@type": "sc:Organization", "name": PRODUCT, "url": f"{site.origin}/"},
        "publisher": {"@type": "sc:Organization", "name": PRODUCT, "url": f"{site.origin}/"},
        "datePublished": site.modified,
        "dateModified": site.modified,
        "version": f"0.0.{site.position}",
        "isLiveDataset": True,
        "citeAs": (
            f"{PRODUCT}, as of {site.valid_at}, position {site.position}, <{site.origin}/tables>,"
            " and the publishers that each row names."
        ),
        "distribution": [_file(one, site) for one in whole],
        "recordSet": [_records(one) for one in whole],
    }


def _file(table: Table, site: Site) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": f"{table.name}.{CSV}",
        "name": f"{table.name}.{CSV}",
        "description": table.about,
        "contentUrl": site.file_url(table, CSV),
        "encodingFormat": media_type(CSV),
    }


def _records(table: Table) -> Node:
    return {
        "@type": "cr:RecordSet",
        "@id": table.name,
        "name": table.name,
        "description": described(table),
        "field": [_field(table, column) for column in table.shape.columns],
    }


def _field(table: Table, column: Column) -> Node:
    source: Node = {
        "fileObject": {"@id": f"{table.name}.{CSV}"},
        "extract": {"column": column.name},
    }
    text = f" Several values are separated by “{SEPARATOR}”." if column.many else ""
    return {
        "@type": "cr:Field",
        "@id": f"{table.name}/{column.name}",
        "name": column.name,
        "description": f"{column.description or column.name}{text}",
        "dataType": "sc:Text" if column.many else DATA_TYPES.get(column.scalar, "sc:Text"),
        "source": source,
    }
