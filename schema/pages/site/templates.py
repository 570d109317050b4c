"""The templates of pages: Jinja, with everything escaped and nothing that is missing passed over."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from schema.pages.site import words
from schema.pages.site.address import href, path_of
from schema.pages.site.static_files import static_path


@cache
def environment() -> Environment:
    """Templates by their paths below `schema/pages`."""
    made = Environment(
        loader=PackageLoader("schema", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    made.filters |= {
        "day": words.day,
        "moment": words.moment,
        "number": words.number,
        "percent": words.percent,
        "words": words.words,
        "sentence": words.sentence,
        "listed": words.listed,
        "written_day": words.written_day,
    }
    made.globals |= {
        "static": static_path,
        "href": href,
        "path_of": path_of,
        "many": words.many,
        "in_days": words.in_days,
        "entity_path": words.entity_path,
    }
    return made
