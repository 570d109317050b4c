"""`/robots.txt`, `/llms.txt`, `/.well-known/security.txt` and `/opensearch.xml`. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from markupsafe import escape

from schema.execution.url_parameters import MOMENT, SCENARIO
from schema.metadata.facts import DESCRIPTION
from schema.tables.formats import LICENCE_URL, PRODUCT

API_PATHS = ("/graphql", "/mcp", "/embed/", "/oembed")
"""Paths that no search engine should list."""
SECURITY_DAYS = 180
"""Days until a reader of `security.txt` reads it again (RFC 9116: less than a year)."""
GUIDE = {
    "Read": [
        (
            "/commodities",
            "Commodities",
            "rules, producers, dependence and upcoming changes of one commodity",
        ),
        ("/controls", "Controls", "acts with their clauses, status and sources"),
        ("/places", "Places", "rules of one place, and on exports to it"),
        ("/check", "Check of a shipment", "rules and duties for goods, origin and destination"),
        ("/tables", "Tables", "every list as CSV, JSON, XLSX and Parquet"),
        ("/coverage", "Coverage", "lists of acts that were read; anything else can be missing"),
    ],
    "Programs": [
        ("/graphql", "GraphQL API", "every answer for any date; its schema is `/schema.graphql`"),
        ("/mcp", "Assistant tools", "Model Context Protocol, with a receipt for each answer"),
        ("/openapi.json", "OpenAPI", "the tables and files"),
        ("/catalog.jsonld", "Catalogue", "DCAT-AP; also `/croissant.json` and `/datapackage.json`"),
    ],
    "Documentation": [
        ("/docs/tour", "Tour of the API", "one query per subject"),
        ("/docs/cookbook", "Cookbook", "common questions with their queries"),
        ("/docs/data", "Data", "coverage, gaps and how to cite"),
        ("/docs/domain", "Domain rules", "the meaning of each status and measure"),
    ],
}
"""Addresses for language models, with names and contents."""
SHORT_NAME = "Critical minerals"
"""At most 16 characters for most browsers; the standard cuts longer names."""


def robots(origin: str, restricted: Iterable[str], *, public: bool) -> str:
    """Return the rules for crawlers; `restricted` are paths of forms for people with rights.

    Pages of other moments are endless, so that only the present ones are listed.
    """
    if not public:
        return "User-agent: *\nDisallow: /\n"
    refused = [*API_PATHS, *restricted, *(f"/*{name}=" for name in (*MOMENT, SCENARIO))]
    previews = [
        f"/*.png?*{name}=" for name in MOMENT
    ]  # images of link previews; longer rules count
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in refused),
        *(f"Allow: {path}" for path in previews),
    ]
    return "\n".join([*lines, "", f"Sitemap: {origin}/sitemap.xml", ""])


def llms(origin: str) -> str:
    """Return the guide for language models (llmstxt.org)."""
    sections = [
        f"## {title}\n\n"
        + "\n".join(f"- [{name}]({origin}{path}): {about}" for path, name, about in links)
        for title, links in GUIDE.items()
    ]
    rules = (
        "Add `?valid=YYYY-MM-DD` to read any page or table as of a date. Quote the first sentence of a page"
        " with its address. `by its own terms` and `not confirmed` are parts of a status. An empty cell"
        f" means that nothing is recorded. The licence is {LICENCE_URL}; name the publishers too."
    )
    return "\n\n".join([f"# {PRODUCT}", f"> {DESCRIPTION}", rules, *sections]) + "\n"


def security(origin: str, contact: str, now: datetime) -> str:
    """Return the contact for reports of vulnerabilities (RFC 9116)."""
    expires = (now + timedelta(days=SECURITY_DAYS)).strftime("%Y-%m-%dT00:00:00Z")
    return (
        f"Contact: {contact}\nExpires: {expires}\nPreferred-Languages: en\n"
        f"Canonical: {origin}/.well-known/security.txt\nPolicy: {origin}/docs/security\n"
    )


def open_search(origin: str) -> str:
    """Return the description of the search for browsers (OpenSearch 1.1)."""
    where = escape(origin)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"<ShortName>{SHORT_NAME}</ShortName>\n"
        f"<Description>Search the {PRODUCT}</Description>\n"
        "<InputEncoding>UTF-8</InputEncoding>\n"
        f'<Url type="text/html" template="{where}/search?q={{searchTerms}}"/>\n'
        f'<Url type="application/atom+xml" template="{where}/search.atom?q={{searchTerms}}"/>\n'
        f'<Url type="application/opensearchdescription+xml" rel="self" template="{where}/opensearch.xml"/>\n'
        "</OpenSearchDescription>\n"
    )
