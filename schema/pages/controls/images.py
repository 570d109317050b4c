"""Drawings of the statuses of clauses as separate images."""

from __future__ import annotations

from collections.abc import Sequence

from schema.pages.charts.status_bars import StatusTable
from schema.pages.charts.status_image import layout_image
from schema.pages.site.templates import environment


def status_image(table: StatusTable, title: str, position: str, notes: Sequence[str] = ()) -> str:
    """Return a table of statuses as SVG, with its moment."""
    moment = (
        f"Unit: days, along the horizontal axis. Line and words: as of {table.day_in_words}, as recorded at"
        f" position {int(position):,}. Pale: later, by recorded terms."
    )
    template = environment().get_template("charts/status_image.html")
    return template.render(image=layout_image(table, title, (*notes, moment)))
