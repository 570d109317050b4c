"""Descriptions in the vocabulary of schema.org, as JSON-LD in pages. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from markupsafe import Markup

from schema.metadata.facts import DESCRIPTION, KEYWORDS, TITLE, Site, described, media_type, title
from schema.tables.formats import FORMATS, LICENCE_URL, PRODUCT
from schema.tables.table import Table, tables
from tracker.domain.catalogue.identifiers import wikidata_of_commodity, wikidata_of_place

CONTEXT = "https://schema.org/"
HS_EDITION = "HS 2022"
COUNTRY_CODES = {
    "code": "ISO 3166-1 alpha-2",
    "alpha3Code": "ISO 3166-1 alpha-3",
    "numericCode": "ISO 3166-1 numeric",
}
Described = dict[str, Any]


def script(data: Described) -> Markup:
    """Return a description for a `script` element: nothing in it ends the element."""
    text = orjson.dumps({"@context": CONTEXT, **data}).decode()
    return Markup(text.replace("<", r"\u003c"))


def catalog(site: Site) -> Described:
    """Return the catalogue of all tables, without the tables: `/tables` has them."""
    return {
        "@type": "DataCatalog",
        "@id": f"{site.origin}/#catalog",
        "name": TITLE,
        "description": DESCRIPTION,
        "url": f"{site.origin}/tables",
        "license": LICENCE_URL,
        "publisher": publisher(site.origin),
        "keywords": list(KEYWORDS),
        **_newest_record(None, site.known_at),
    }


def whole_catalog(site: Site) -> Described:
    """Return the catalogue with all tables, each with its files and columns."""
    return catalog(site) | {"dataset": [table_dataset(one, site) for one in tables().values()]}


def publisher(origin: str) -> Described:
    """Return the publisher."""
    return {"@type": "Organization", "name": PRODUCT, "url": f"{origin}/"}


def table_dataset(table: Table, site: Site) -> Described:
    """Return a table, with its files and columns."""
    files = FORMATS if table.is_whole else ()
    return {
        "@type": "Dataset",
        "@id": site.table_url(table),
        "name": title(table),
        "description": described(table),
        "url": site.table_url(table),
        "license": LICENCE_URL,
        "creator": publisher(site.origin),
        **_newest_record(site.position, site.known_at),
        "isAccessibleForFree": site.public,
        "variableMeasured": [column.name for column in table.shape.columns],
        "distribution": [
            download(ending.upper(), media_type(ending), site.file_url(table, ending))
            for ending in files
        ],
    }


def download(name: str, type: str, url: str) -> Described:
    """Return a file."""
    return {"@type": "DataDownload", "name": name, "encodingFormat": type, "contentUrl": url}


def page_dataset(
    page: Mapping[str, str | None],
    about: Described,
    files: Iterable[tuple[str, str, str]],
    sources: Sequence[str],
    origin: str,
) -> Described:
    """Return a page about a commodity or a place as a dataset.

    `page` has title, description, url, valid_at, position and known_at; `files` have name, media type and
    address.
    """
    return {
        "@type": "Dataset",
        "name": f"{page['title']}: controls and figures",
        "description": f"{page['description']} {DESCRIPTION}",
        "url": page["url"],
        "about": about,
        "license": LICENCE_URL,
        "creator": publisher(origin),
        "includedInDataCatalog": {"@id": f"{origin}/#catalog"},
        **_newest_record(page["position"], page["known_at"]),
        "temporalCoverage": f"../{page['valid_at']}",
        "isBasedOn": [{"@type": "CreativeWork", "name": name} for name in sources],
        "distribution": [download(*file) for file in files],
    }


def commodity(of: Mapping[str, Any]) -> Described:
    """Return a commodity with its HS codes, and the same thing in Wikidata."""
    codes = [_identifier(HS_EDITION, code) for code in of["hsCodes"]]
    return _thing("Thing", of["name"], codes, wikidata_of_commodity(of["key"]))


def place(of: Mapping[str, Any]) -> Described:
    """Return a place with its ISO 3166-1 codes, and the same thing in Wikidata."""
    has_codes = of["alpha3Code"] is not None and len(of["code"]) == 2
    codes = [
        _identifier(standard, of[name]) for name, standard in COUNTRY_CODES.items() if has_codes
    ]
    kind = "AdministrativeArea" if has_codes else "Place"
    return _thing(kind, of["name"], codes, wikidata_of_place(of["code"]))


def _newest_record(position: str | None, known_at: str | None) -> Described:
    """Return the version and the time of the last event; nothing before the first event."""
    if known_at is None:
        return {}
    return {"dateModified": known_at} | ({"version": position} if position else {})


def _identifier(standard: str, code: str) -> Described:
    return {"@type": "PropertyValue", "propertyID": standard, "value": code}


def _thing(type: str, name: str, codes: Sequence[Described], same_as: str | None) -> Described:
    thing: Described = {"@type": type, "name": name}
    if codes:
        thing["identifier"] = list(codes)
    if same_as:
        thing["sameAs"] = same_as
    return thing
