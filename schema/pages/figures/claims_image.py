"""The claims on a figure as a separate image. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from schema.pages.charts.line_chart import LIGHT, printable
from schema.pages.site.templates import environment

WIDTH_PIXELS = 1000
PLOT_LEFT_PIXELS = 330
PLOT_WIDTH_PIXELS = 400
HEAD_PIXELS = 112
ROW_PIXELS = 48
FOOT_PIXELS = 28
MAX_NAME_CHARACTERS = 44
VALID_COLOUR, WARNING_COLOUR = "#0a568c", "#7a5200"


def claims_image(title: str, source: str, unit: str, rows: Sequence[Any], line: Any) -> str:
    """Return an SVG with a row for each claim; `rows` and `line` are those of the page."""
    return (
        environment()
        .get_template("figures/claims_image.svg")
        .render(
            title=printable(title),
            source=printable(source),
            unit=printable(unit),
            rows=rows,
            line=line,
            colours={**LIGHT, "valid": VALID_COLOUR, "warn": WARNING_COLOUR},
            width=WIDTH_PIXELS,
            height=HEAD_PIXELS + ROW_PIXELS * len(rows) + FOOT_PIXELS,
            head=HEAD_PIXELS,
            row_height=ROW_PIXELS,
            plot_right=PLOT_LEFT_PIXELS + PLOT_WIDTH_PIXELS,
            pixels=_pixels,
            shortened=_shortened,
        )
    )


def _pixels(x: str) -> str:
    """Return a distance in percent of the plot as pixels from the left of the image."""
    return f"{PLOT_LEFT_PIXELS + PLOT_WIDTH_PIXELS * float(x.removesuffix('%')) / 100:.1f}"


def _shortened(text: str) -> str:
    text = printable(text)
    return text if len(text) <= MAX_NAME_CHARACTERS else f"{text[: MAX_NAME_CHARACTERS - 1]}…"
