"""The catalogue of the tables for European data portals (DCAT-AP 3), as JSON-LD. Pure.

Words of controlled vocabularies are those of the Publications Office of the European Union.
"""

from typing import Any

from schema.metadata.facts import DESCRIPTION, KEYWORDS, TITLE, Site, described, media_type, title
from schema.tables.formats import FORMATS, LICENCE_URL, PRODUCT
from schema.tables.table import Table, tables

AUTHORITY = "http://publications.europa.eu/resource/authority"
FILE_TYPES = {"csv": "CSV", "json": "JSON", "xlsx": "XLSX"}
"""Names of formats there; Parquet has only its media type."""
THEMES = ("ECON", "INTR")
"""Economy; international issues."""
MEDIA_TYPES = "https://www.iana.org/assignments/media-types"
CSVW = "https://www.w3.org/TR/tabular-metadata/"
CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
Node = dict[str, Any]


def catalogue(site: Site) -> Node:
    """Return the catalogue with its datasets and services."""
    services = [_files_service(site), _graphql_service(site)]
    return {
        "@context": CONTEXT,
        "@id": f"{site.origin}/#catalog",
        "@type": "dcat:Catalog",
        "dct:title": _english(TITLE),
        "dct:description": _english(DESCRIPTION),
        "dct:publisher": _publisher(site),
        "dct:language": _concept("language/ENG", "dct:LinguisticSystem"),
        "dct:license": _licence(),
        "dct:modified": _time(site),
        "foaf:homepage": {"@id": f"{site.origin}/", "@type": "foaf:Document"},
        "dcat:themeTaxonomy": _concept("data-theme", "skos:ConceptScheme", title="Data themes"),
        "dcat:service": services,
        "dcat:dataset": [_dataset(one, site) for one in tables().values()],
    }


def _dataset(table: Table, site: Site) -> Node:
    access = "PUBLIC" if site.public else "RESTRICTED"
    return {
        "@id": site.table_url(table),
        "@type": "dcat:Dataset",
        "dct:title": _english(title(table)),
        "dct:description": _english(described(table)),
        "dct:identifier": site.table_url(table),
        "dct:publisher": _publisher(site),
        "dct:language": _concept("language/ENG", "dct:LinguisticSystem"),
        "dct:modified": _time(site),
        "dct:accessRights": _concept(f"access-right/{access}", "dct:RightsStatement"),
        "dct:accrualPeriodicity": _concept("frequency/IRREG", "dct:Frequency"),
        "dcat:version": site.position,
        "dcat:theme": [
            _concept(f"data-theme/{theme}", "skos:Concept", label=theme) for theme in THEMES
        ],
        "dcat:keyword": [_english(word) for word in KEYWORDS],
        "dcat:landingPage": {"@id": site.table_url(table), "@type": "foaf:Document"},
        "dcat:distribution": _distributions(table, site),
    }


def _distributions(table: Table, site: Site) -> list[Node]:
    """Return the files of a table; of one that needs parameters the service that makes them."""
    if not table.is_whole:
        return [
            {
                "@type": "dcat:Distribution",
                "dct:title": _english("Files for parameters"),
                "dcat:accessURL": {"@id": site.table_url(table)},
                "dcat:accessService": {"@id": f"{site.origin}/openapi.json#service"},
                "dct:license": _licence(),
            }
        ]
    return [_file(table, site, ending) for ending in FORMATS]


def _file(table: Table, site: Site, ending: str) -> Node:
    url = {"@id": site.file_url(table, ending)}
    type = media_type(ending)
    file: Node = {
        "@id": f"{site.origin}/tables/{table.name}.{ending}#distribution",
        "@type": "dcat:Distribution",
        "dct:title": _english(f"{title(table)} as {ending.upper()}"),
        "dcat:accessURL": url,
        "dcat:downloadURL": url,
        "dcat:mediaType": {"@id": f"{MEDIA_TYPES}/{type}", "@type": "dct:MediaType"},
        "dct:license": _licence(),
        "dct:modified": _time(site),
    }
    if ending in FILE_TYPES:
        file["dct:format"] = _concept(f"file-type/{FILE_TYPES[ending]}", "dct:MediaTypeOrExtent")
    if ending == "csv":
        file["dct:conformsTo"] = {"@id": CSVW, "@type": "dct:Standard"}
    return file


def _files_service(site: Site) -> Node:
    """Return the service of all tables as files for parameters."""
    return {
        **_service(site, f"{site.origin}/openapi.json#service", "Tables as files"),
        "dcat:endpointURL": {"@id": f"{site.origin}/tables"},
        "dcat:endpointDescription": {"@id": f"{site.origin}/openapi.json"},
        "dcat:servesDataset": [{"@id": site.table_url(one)} for one in tables().values()],
    }


def _graphql_service(site: Site) -> Node:
    return {
        **_service(site, f"{site.origin}/graphql#service", "GraphQL API"),
        "dcat:endpointURL": {"@id": f"{site.origin}/graphql"},
        "dcat:endpointDescription": {"@id": f"{site.origin}/schema.graphql"},
    }


def _service(site: Site, id: str, name: str) -> Node:
    return {
        "@id": id,
        "@type": "dcat:DataService",
        "dct:title": _english(f"{PRODUCT}: {name}"),
        "dct:publisher": _publisher(site),
        "dct:license": _licence(),
    }


def _publisher(site: Site) -> Node:
    return {"@id": f"{site.origin}/#publisher", "@type": "foaf:Agent", "foaf:name": PRODUCT}


def _licence() -> Node:
    return {"@id": LICENCE_URL, "@type": "dct:LicenseDocument"}


def _concept(path: str, type: str, *, label: str = "", title: str = "") -> Node:
    """Return a word of a controlled vocabulary, with the text that the profile wants of some."""
    concept: Node = {"@id": f"{AUTHORITY}/{path}", "@type": type}
    if label:
        concept["skos:prefLabel"] = _english(label)
    if title:
        concept["dct:title"] = _english(title)
    return concept


def _english(text: str) -> Node:
    return {"@value": text, "@language": "en"}


def _time(site: Site) -> Node:
    type = "dateTime" if site.known_at else "date"
    return {"@value": site.modified, "@type": f"xsd:{type}"}
