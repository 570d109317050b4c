"""Roles and labels of table cells, so that a phone shows the rows of wide tables as cards. Pure.

A style sheet that changes the display of a table takes its roles away in some browsers, so they are explicit.
"""

import re
from html import unescape
from itertools import count

from markupsafe import Markup, escape

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
