"""Lines over years, as a specification in Vega-Lite: a pure function of what the chart shows.

Names stand beside the ends of their lines, moved apart here; there is no legend. A filled mark is the
claim in use, a hollow one what an earlier edition said. A year without a number breaks its line, and
so does another publisher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from schema.pages.charts.amounts import apart, ticks

MAX_LINES = 8
"""More than so many lines cannot be told apart."""
LINK_PREFIX = "https://link.invalid/"
"""What stands for the address of a mark in a specification: with the number of the mark behind it.
Vega makes relative addresses absolute ones of its own site, so ours are put in afterwards."""
FONT = "system-ui, 'Liberation Sans', Arial, sans-serif"
LABEL_DISTANCE_PIXELS = 14
LABEL_OFFSET_PIXELS = 8
FACTORS = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
"""What long numbers are divided by on the axis, and the word for it before the unit."""

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Colours = Mapping[str, str]
SERIES = ("c1", "c2", "c3", "c4", "c5", "c6")
TOKENS: Colours = {
    name: f"var(--{name})" for name in ("paper", "ink", "ink-2", "ink-3", "line", *SERIES)
}
"""Colours inside of a page: they follow its theme."""
LIGHT: Colours = {
    "paper": "#fcfbf8",
    "ink": "#16191d",
    "ink-2": "#454a52",
    "ink-3": "#656a72",
    "line": "#dfdbd1",
    "c1": "#b03a06",
    "c2": "#5f2a6a",
    "c3": "#123a9c",
    "c4": "#147a64",
    "c5": "#7a5c00",
    "c6": "#5d636b",
}
"""Colours of images, which know no theme: those of the tokens on light ground."""


@dataclass(frozen=True, slots=True)
class YearMark:
    """One claim on the number of one year."""

    year: int
    value: Decimal
    words: str
    """What the mark says: `China, 2023: 255,000 t REO, MCS 2025, in use`."""
    address: str
    """Where it is told, in this product: a path."""
    in_use: bool = True
    publisher: str = ""
    """Whose claim it is: a line joins the claims of one publisher only."""


@dataclass(frozen=True, slots=True)
class Line:
    """The claims on the numbers of one place."""

    name: str
    marks: Sequence[YearMark]
    colour: str
    """The name of a token: `ink`, `c1`, …."""


@dataclass(frozen=True, slots=True)
class LineChart:
    """What a chart shows."""

    title: str
    description: str
    """What is to be seen, for those who do not see it."""
    source: str
    """Whose numbers these are and as of which moment: in images, which are seen without the page."""
    unit: str
    """With the basis, such as `t REO`."""
    lines: Sequence[Line]

    @property
    def marks(self) -> list[YearMark]:
        """All marks in the order in which they are numbered."""
        return [mark for line in self.lines for mark in line.marks]


@dataclass(frozen=True, slots=True)
class Layout:
    """The size of the plot; names and numbers come on top."""

    width_pixels: int
    height_pixels: int
    max_year_labels: int
    label_pixels: int
    """Names that are wider end in an ellipsis."""
    colours: Colours = field(default_factory=lambda: TOKENS)
    is_image: bool = False
    """Whether it stands alone: with its title, its source and a ground."""


WIDE = Layout(640, 300, 12, 160)
NARROW = Layout(250, 260, 4, 90)
IMAGE = Layout(640, 340, 12, 160, LIGHT, is_image=True)


def vega_lite(chart: LineChart, layout: Layout) -> dict[str, Any]:
    """The specification of a chart. Raises ValueError for a chart that shows nothing, or too much."""
    if not chart.marks or len(chart.lines) > MAX_LINES:
        raise ValueError(f"expected marks, and at most {MAX_LINES} lines")
    years = sorted({mark.year for mark in chart.marks})
    scale = ticks(Decimal(0), max(mark.value for mark in chart.marks), 6)
    factor, word = _factor(scale[-1])
    axes = _axes(layout, years, [float(tick / factor) for tick in scale], f"{word} {chart.unit}")
    spec: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": layout.width_pixels,
        "height": layout.height_pixels,
        "background": layout.colours["paper"] if layout.is_image else None,
        "padding": 16 if layout.is_image else 4,
        "config": _config(layout.colours),
        "encoding": axes | {"color": {"field": "colour", "type": "nominal", "scale": None}},
        "layer": [
            _line_layer(chart, layout, factor),
            _mark_layer(chart, layout, factor, in_use=False),
            _mark_layer(chart, layout, factor, in_use=True),
            _name_layer(chart, layout, years[-1], scale[-1], factor),
        ],
    }
    if layout.is_image:
        spec["title"] = {"text": printable(chart.title), "subtitle": printable(chart.source)}
    return spec


def printable(text: str) -> str:
    """A text without the control characters that XML cannot hold."""
    return NOT_IN_XML.sub("", text)


def _factor(highest: Decimal) -> tuple[int, str]:
    """What numbers up to this one are divided by, and the word for it."""
    return next(((size, word) for size, word in FACTORS if highest >= 2 * size), (1, ""))


def _axes(
    layout: Layout, years: Sequence[int], scale: Sequence[float], unit: str
) -> dict[str, Any]:
    skipped = -(-len(years) // layout.max_year_labels)
    labelled = years[::-1][::skipped][::-1]
    quiet = {"domain": False, "ticks": False, "aria": False}
    return {
        "x": {
            "field": "year",
            "type": "quantitative",
            "scale": {"domain": [years[0], max(years[-1], years[0] + 1)], "nice": False},
            "axis": quiet | {"title": None, "format": "d", "values": labelled, "grid": False},
        },
        "y": {
            "field": "value",
            "type": "quantitative",
            "scale": {"domain": [scale[0], scale[-1]], "nice": False},
            "axis": quiet
            | {
                "title": printable(unit.strip()),
                "titleAngle": 0,
                "titleAlign": "left",
                "titleAnchor": "end",
                "titleX": 0,
                "titleY": -14,
                "format": ",.12~g",
                "values": list(scale),
            },
        },
    }


def _line_layer(chart: LineChart, layout: Layout, factor: int) -> dict[str, Any]:
    rows = [
        {
            "year": mark.year,
            "value": float(mark.value / factor),
            "colour": layout.colours[line.colour],
            "part": f"{number}/{part}",
        }
        for number, line in enumerate(chart.lines)
        for part, marks in enumerate(unbroken(line.marks))
        for mark in marks
    ]
    return {
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 2, "strokeJoin": "round", "aria": False},
        "encoding": {"detail": {"field": "part", "type": "nominal"}},
    }


def unbroken(marks: Iterable[YearMark]) -> list[list[YearMark]]:
    """The marks in use by runs that a line joins: years that follow each other, told by one publisher."""
    parts: list[list[YearMark]] = []
    for mark in sorted((mark for mark in marks if mark.in_use), key=lambda mark: mark.year):
        last = parts[-1][-1] if parts else None
        if last and (mark.year - last.year, mark.publisher) == (1, last.publisher):
            parts[-1].append(mark)
        else:
            parts.append([mark])
    return parts


def _mark_layer(chart: LineChart, layout: Layout, factor: int, *, in_use: bool) -> dict[str, Any]:
    colours = [layout.colours[line.colour] for line in chart.lines for _ in line.marks]
    rows = [
        {
            "year": mark.year,
            "value": float(mark.value / factor),
            "colour": colour,
            "words": printable(mark.words),
            "link": f"{LINK_PREFIX}{number}",
        }
        for number, (mark, colour) in enumerate(zip(chart.marks, colours, strict=True))
        if mark.in_use == in_use
    ]
    look = (
        {"filled": True, "size": 34, "opacity": 1}
        if in_use
        else {"filled": False, "fill": layout.colours["paper"], "size": 40, "strokeWidth": 1.4}
    )
    encoding: dict[str, Any] = {"description": {"field": "words", "type": "nominal"}}
    if not layout.is_image:
        encoding["href"] = {"field": "link", "type": "nominal"}
    return {
        "data": {"values": rows},
        "mark": {"type": "point", "shape": "circle", "opacity": 1, **look},
        "encoding": encoding,
    }


def _name_layer(
    chart: LineChart, layout: Layout, last_year: int, highest: Decimal, factor: int
) -> dict[str, Any]:
    """The names at the right end, at the heights of the last numbers in use."""
    named = [(line, unbroken(line.marks)) for line in chart.lines]
    ends = [(line, parts[-1][-1].value) for line, parts in named if parts]
    height = layout.height_pixels
    wanted = [height * float(1 - value / highest) for _, value in ends]
    places = apart(wanted, LABEL_DISTANCE_PIXELS, 0, height)
    rows = [
        {
            "year": last_year,
            "value": float(highest / factor) * (1 - place / height),
            "colour": layout.colours[line.colour],
            "name": printable(line.name),
        }
        for (line, _), place in zip(ends, places, strict=True)
    ]
    mark = {
        "type": "text",
        "align": "left",
        "baseline": "middle",
        "dx": LABEL_OFFSET_PIXELS,
        "fontSize": 12,
        "fontWeight": 600,
        "limit": layout.label_pixels,
        "aria": False,
    }
    return {
        "data": {"values": rows},
        "mark": mark,
        "encoding": {"text": {"field": "name", "type": "nominal"}},
    }


def _config(colours: Colours) -> dict[str, Any]:
    return {
        "font": FONT,
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "color": colours["ink"],
            "fontSize": 17,
            "fontWeight": 600,
            "subtitleColor": colours["ink-2"],
            "subtitleFontSize": 12,
            "subtitlePadding": 6,
            "offset": 28,
        },
        "axis": {
            "gridColor": colours["line"],
            "labelColor": colours["ink-3"],
            "labelFontSize": 11,
            "labelPadding": 6,
            "titleColor": colours["ink-3"],
            "titleFontSize": 11,
            "titleFontWeight": "normal",
        },
    }
