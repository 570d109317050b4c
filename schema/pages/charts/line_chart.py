"""Lines over years: a pure function of what the chart shows, which templates make SVG of.

Names stand beside the ends of their lines, moved apart here; there is no legend. A filled mark is the
claim in use, a hollow one what an earlier edition said. A year without a number breaks its line, and
so does another publisher.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from schema.pages.charts.amounts import amount_words, apart, ticks

MAX_LINES = 8
"""More than so many lines cannot be told apart."""
MAX_TICKS = 6
LABEL_DISTANCE_PIXELS = 14
LABEL_OFFSET_PIXELS = 8
CHARACTER_PIXELS = 7
"""Width of a character of a name on average; of a wide one, as in Chinese, twice as much."""
DIGIT_PIXELS = 6
MARGIN_PIXELS = 4
IMAGE_MARGIN_PIXELS = 16
UNIT_PIXELS = 24
"""Height above the plot, for the unit."""
YEARS_PIXELS = 22
"""Height below the plot, for the years."""
TITLE_PIXELS = 66
"""Height of the title and the source of an image."""
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
    """Whether it stands alone: with its title, its source and a ground, without links."""


WIDE = Layout(640, 300, 12, 160)
NARROW = Layout(250, 260, 4, 92)
IMAGE = Layout(640, 340, 12, 160, LIGHT, is_image=True)


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place of the plot."""

    x: float
    y: float
    text: str
    colour: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """A mark at its place of the plot."""

    x: float
    y: float
    colour: str
    mark: YearMark


@dataclass(frozen=True, slots=True)
class LineDrawing:
    """The elements of a chart, in pixels from the upper left corner of the plot."""

    chart: LineChart
    layout: Layout
    left: float
    top: float
    width: int
    height: int
    unit: str
    numbers: Sequence[Label]
    years: Sequence[Label]
    paths: Sequence[tuple[str, str]]
    """The points of each unbroken part of a line, and its colour."""
    marks: Sequence[DrawnMark]
    """Those in use last: they lie above the others."""
    names: Sequence[Label]


def draw_lines(chart: LineChart, layout: Layout) -> LineDrawing:
    """Draw a chart. Raises ValueError for a chart that shows nothing, or too much."""
    marks = [(line, mark) for line in chart.lines for mark in line.marks]
    if not marks or len(chart.lines) > MAX_LINES:
        raise ValueError(f"expected marks, and at most {MAX_LINES} lines")
    years = sorted({mark.year for _, mark in marks})
    scale = ticks(Decimal(0), max(mark.value for _, mark in marks), MAX_TICKS)
    factor, word = _factor(scale[-1])

    def x(year: int) -> float:
        return round(layout.width_pixels * (year - years[0]) / max(years[-1] - years[0], 1), 1)

    def y(value: Decimal) -> float:
        return round(layout.height_pixels * float(1 - value / scale[-1]), 1)

    quiet, colours = layout.colours["ink-3"], layout.colours
    numbers = [Label(-6, y(tick), amount_words(tick / factor), quiet, "end") for tick in scale]
    names = _names(chart, layout, y)
    margin = IMAGE_MARGIN_PIXELS if layout.is_image else MARGIN_PIXELS
    left = margin + 6 + DIGIT_PIXELS * max(len(label.text) for label in numbers)
    top = margin + UNIT_PIXELS + (TITLE_PIXELS if layout.is_image else 0)
    right = LABEL_OFFSET_PIXELS + max((_width(label.text) for label in names), default=0)
    return LineDrawing(
        chart=chart,
        layout=layout,
        left=left,
        top=top,
        width=round(left + layout.width_pixels + right + margin),
        height=top + layout.height_pixels + YEARS_PIXELS + margin,
        unit=printable(f"{word} {chart.unit}".strip()),
        numbers=numbers,
        years=[
            Label(x(year), layout.height_pixels + 15, str(year), quiet, _anchor(year, years))
            for year in years[:: -_skipped(len(years), layout)]
        ],
        paths=[
            (" ".join(f"{x(mark.year)},{y(mark.value)}" for mark in part), colours[line.colour])
            for line in chart.lines
            for part in unbroken(line.marks)
        ],
        marks=[
            DrawnMark(x(mark.year), y(mark.value), colours[line.colour], mark)
            for line, mark in sorted(marks, key=lambda pair: pair[1].in_use)
        ],
        names=names,
    )


def printable(text: str) -> str:
    """A text without the control characters that XML cannot hold."""
    return NOT_IN_XML.sub("", text)


def _factor(highest: Decimal) -> tuple[int, str]:
    """What numbers up to this one are divided by, and the word for it."""
    return next(((size, word) for size, word in FACTORS if highest >= 2 * size), (1, ""))


def _skipped(years: int, layout: Layout) -> int:
    """The distance of the years that have labels, counted from the last one."""
    return -(-years // layout.max_year_labels)


def _anchor(year: int, years: Sequence[int]) -> str:
    """The side of its place on which a year stands, so that none is outside of the plot."""
    return "end" if year == years[-1] else "start" if year == years[0] else "middle"


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


def _names(chart: LineChart, layout: Layout, y: Callable[[Decimal], float]) -> list[Label]:
    """The names at the right end, at the heights of the last numbers in use."""
    parts = [(line, unbroken(line.marks)) for line in chart.lines]
    ends = [(line, y(of_line[-1][-1].value)) for line, of_line in parts if of_line]
    heights = apart([end for _, end in ends], LABEL_DISTANCE_PIXELS, 0, layout.height_pixels)
    return [
        Label(
            layout.width_pixels + LABEL_OFFSET_PIXELS,
            round(height, 1),
            _shortened(printable(line.name), layout.label_pixels),
            layout.colours[line.colour],
        )
        for (line, _), height in zip(ends, heights, strict=True)
    ]


def _width(text: str) -> int:
    """The width of a name in pixels, about."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return CHARACTER_PIXELS * (len(text) + wide)


def _shortened(text: str, pixels: int) -> str:
    """A name that is at most so wide."""
    if _width(text) <= pixels:
        return text
    while text and _width(f"{text}…") > pixels:
        text = text[:-1]
    return f"{text.rstrip()}…"
