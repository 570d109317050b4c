"""The templates of pages: Jinja, with escaping and strict undefined variables."""

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from html import unescape
from itertools import count
from typing import Any

import jinja2
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import Markup, escape

from schema.pages.charts.line_chart import printable
from schema.pages.charts.status_marks import DOUBTS, HUE_WORDS, LEGEND_WORDS, ON_PAGE, RARE_STYLES
from schema.pages.site import address, amounts, name_fields, naming, words
from schema.pages.site.address import href, path_of
from schema.pages.site.static_files import static_path
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.wording import phrases

MIN_COLUMNS = 4
"""Minimum number of columns of a table whose rows become cards."""
OWN_LAYOUTS = frozenset({"bars", "square", "rank"})
"""Classes of tables with a layout of their own for phones."""

TABLE = re.compile(r"<table\b([^>]*)>(.*?)</table>", re.DOTALL)
HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
START = re.compile(r"<(thead|tbody|tr|th|td)\b([^>]*)>")
TAG = re.compile(r"<[^>]*>")
CLASSES = re.compile(r'class="([^"]*)"')
ROLES = {"thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}


def with_cards(html: str) -> Markup:
    """Return HTML whose tables have roles; cells of wide tables also have the head of their column."""
    return Markup(TABLE.sub(lambda found: _table(found[1], found[2]), html))


def _table(attributes: str, content: str) -> str:
    labels = [_words(head) for head in HEAD.findall(content.partition("</thead>")[0])]
    classes = (CLASSES.search(attributes) or ["", ""])[1]
    cards = len(labels) >= MIN_COLUMNS and not OWN_LAYOUTS & {*classes.split()}
    if cards:
        attributes = f'{CLASSES.sub("", attributes).rstrip()} class="{f"{classes} cards".strip()}"'
    columns = count()

    def start(found: re.Match[str]) -> str:
        nonlocal columns
        tag, given = found[1], found[2]
        if tag == "tr":
            columns = count()
        role = ROLES.get(tag) or ("columnheader" if 'scope="col"' in given else "rowheader")
        number = next(columns) if tag in ("th", "td") else 0
        is_labelled = cards and role == "cell" and "colspan" not in given and labels[number]
        label = f' data-label="{escape(labels[number])}"' if is_labelled else ""
        return f'<{tag}{given} role="{role}"{label}>'

    return f'<table{attributes} role="table">{START.sub(start, content)}</table>'


def _words(head: str) -> str:
    """Return the text of a head."""
    return " ".join(unescape(TAG.sub(" ", head)).split())


LEVELS = {
    "COMPLETE": "Complete records.",
    "PARTIAL": "Records in part.",
    "NONE": "Completeness unknown.",
}
"""Words before the statement, by level of completeness."""


class CompiledTemplates(jinja2.FileSystemBytecodeCache):
    """Templates that processes of this user have compiled, in a private temporary directory.

    Compiling takes a tenth of a second for a page. It depends on the text of a template only, as no filter of
    ours has a constant argument.
    """

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Store a compiled template, unless the disk is full or read-only."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


def compiled_templates() -> CompiledTemplates | None:
    """Return the compiled templates; None without a private temporary directory."""
    with suppress(OSError, RuntimeError):
        return CompiledTemplates()
    return None


@cache
def environment() -> jinja2.Environment:
    """Return templates by their paths below `schema/pages`."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("schema", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        bytecode_cache=compiled_templates(),
    )
    made.filters |= {
        "day": words.day,
        "moment": words.moment,
        "number": phrases.number,
        "percent": phrases.percent,
        "sum_phrase": phrases.sum_phrase,
        "words": phrases.word_phrase,
        "grounds": words.grounds,
        "sentence": phrases.with_capital,
        "listed": phrases.listed,
        "short_date": phrases.short_date,
        "paths": phrases.paths_phrase,
        "amount": amounts.amount,
        "measured": amounts.measured,
        "printable": printable,
        "name_of": name_fields.name_of,
        "with_article": phrases.with_article,
        "with_cards": with_cards,
        "years_of": naming.years_of,
    }
    made.globals |= {
        "static": static_path,
        "href": href,
        "path_of": path_of,
        "publisher_of": words.publisher_of,
        "place_names": name_fields.place_names,
        "commodity_names": name_fields.commodity_names,
        "many": phrases.many,
        "in_days": phrases.in_days,
        "filter_phrase": name_fields.filter_phrase,
        "entity_path": address.entity_path,
        "value": value,
        "on_page": ON_PAGE,
        "statuses": ClauseStatus,
        "measures": Measure,
        "doubts": DOUBTS,
        "hue_words": HUE_WORDS,
        "legend_words": LEGEND_WORDS,
        "rare_styles": RARE_STYLES,
        "levels": LEVELS,
    }
    return made


@jinja2.pass_context
def value(context: Context, path: str, form: str = "number") -> Markup | str:
    """Return a number of the response, by its path in the data (`asOf.exportControls.totalCount`).

    A filter formats it. The element has the value and the path, so that everyone can compare the page with
    the API.
    """
    raw = value_at(context["data"], path)
    if raw is None:
        return ""
    written = context.environment.filters[form](raw)
    return Markup('<data value="{}" data-path="{}">{}</data>').format(raw, path, written)


def value_at(data: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path; None below a null. Raises KeyError and IndexError."""
    value: Any = data
    for part in path.split("."):
        if value is None:
            return None
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value
