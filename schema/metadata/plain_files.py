"""`/robots.txt` and `/opensearch.xml`. Pure."""

from collections.abc import Iterable

from markupsafe import escape

from schema.execution.url_parameters import MOMENT
from schema.tables.formats import PRODUCT

API_PATHS = ("/graphql", "/mcp", "/embed/", "/oembed")
"""Paths that no search engine should list."""
SHORT_NAME = "Critical minerals"
"""At most 16 characters for most browsers; the standard cuts longer names."""


def robots(origin: str, restricted: Iterable[str], *, public: bool) -> str:
    """Return the rules for crawlers; `restricted` are paths of forms for people with rights.

    Pages of other moments are endless, so that only the present ones are listed.
    """
    if not public:
        return "User-agent: *\nDisallow: /\n"
    refused = [*API_PATHS, *restricted, *(f"/*{name}=" for name in MOMENT)]
    previews = [
        f"/*.png?*{name}=" for name in MOMENT
    ]  # images of link previews; longer rules count
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in refused),
        *(f"Allow: {path}" for path in previews),
    ]
    return "\n".join([*lines, "", f"Sitemap: {origin}/sitemap.xml", ""])


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
