"""Line charts over years: a pure function whose result templates render as SVG.

Names are beside the ends of their lines, moved apart here; there is no legend. A filled mark is the
preferred claim, a hollow one an earlier edition. A year without a number and a change of the publisher
break a line.
"""

import re
import unicodedata
from calendar import isleap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from textwrap import wrap

from msgspec import Struct, field

from schema.pages.charts.amounts import amount_words, apart, ticks
from tracker.domain.wording.phrases import rounded

MAX_LINES = 8
"""Maximum number of lines that readers can distinguish."""
MAX_TICKS = 6
LABEL_DISTANCE_PIXELS = 14
LABEL_OFFSET_PIXELS = 8
CHARACTER_PIXELS = 7
"""Average width of a character; a wide one, such as in Chinese, is twice as wide."""
DIGIT_PIXELS = 7
MARGIN_PIXELS = 4
IMAGE_MARGIN_PIXELS = 16
UNIT_PIXELS = 24
"""Height above the plot, for the unit."""
YEARS_PIXELS = 22
"""Height below the plot, for the years."""
TITLE_PIXELS = 86
"""Height of the title, the source and the legend of an image."""
TITLE_LINE_PIXELS, TITLE_CHARACTERS = 22, 66
"""Height of a line of the title, and its maximum number of characters."""
FACTORS = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
"""Divisors of large numbers on the axis, with the word before the unit."""

NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Colours = Mapping[str, str]
SERIES = ("c1", "c2", "c3", "c4", "c5", "c6")
TOKENS: Colours = {
    name: f"var(--{name})" for name in ("paper", "ink", "ink-2", "ink-3", "line", *SERIES)
}
"""Colours in a page: they follow its theme."""
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
"""Colours of images, which have no theme: those of the light theme."""


@dataclass(frozen=True, slots=True)
class YearMark:
    """One claim on the number of one year."""

    year: int
    value: Decimal
    words: str
    """Text of the mark: `China, 2023: 255,000 t REO, MCS 2025, in use`."""
    address: str
    """Path of its page."""
    in_use: bool = True
    publisher: str = ""
    """Publisher of the claim; a line joins the claims of one publisher only."""
    breaks: bool = False
    """Whether the line breaks before it, because its basis differs from that of the year before."""
    estimated: bool = False


class Line(Struct, frozen=True):
    """The claims on the numbers of one place."""

    name: str
    marks: Sequence[YearMark]
    colour: str
    """Name of a colour: `ink`, `c1`, …."""


class DatedMark(Struct, frozen=True):
    """A day with a label above the plot, such as the start of a control."""

    day: date
    label: str


class LineChart(Struct, frozen=True):
    """The content of a chart."""

    title: str
    description: str
    """Text alternative of the chart."""
    source: str
    """Publishers and moment of the numbers, for images outside of the page."""
    unit: str
    """Unit with the basis, such as `t REO`."""
    lines: Sequence[Line]
    dates: Sequence[DatedMark] = ()
    """Days that are marked. A year's number is then at the middle of its year."""


class Layout(Struct, frozen=True):
    """Size of the plot; names and numbers are outside of it."""

    width_pixels: int
    height_pixels: int
    max_year_labels: int
    label_pixels: int
    """Maximum width of names; longer ones end in an ellipsis."""
    colours: Colours = field(default_factory=lambda: TOKENS)
    is_image: bool = False
    """Whether it is a separate image, with its title, its source and a background, without links."""


WIDE = Layout(640, 300, 12, 160)
NARROW = Layout(250, 260, 4, 92)
IMAGE = Layout(640, 340, 12, 160, LIGHT, is_image=True)


class Label(Struct, frozen=True):
    """A text at a position of the plot."""

    x: float
    y: float
    text: str
    colour: str
    anchor: str = "start"


class DrawnMark(Struct, frozen=True):
    """A mark at its position of the plot."""

    x: float
    y: float
    colour: str
    mark: YearMark


class LineDrawing(Struct, frozen=True):
    """The elements of a chart, in pixels from the upper left corner of the plot."""

    chart: LineChart
    layout: Layout
    left: float
    top: float
    width: int
    height: int
    titles: Sequence[str]
    """Lines of the title of an image."""
    unit: str
    numbers: Sequence[Label]
    years: Sequence[Label]
    paths: Sequence[tuple[str, str]]
    """Points of each unbroken part of a line, with its colour."""
    marks: Sequence[DrawnMark]
    """Marks; preferred claims are last, above the others."""
    names: Sequence[Label]
    dates: Sequence[tuple[float, str]] = ()
    """Distance of each marked day from the left, with a label for it and the days beside it."""


def page_drawings(chart: LineChart) -> list[tuple[str, LineDrawing]]:
    """Return the drawings of a page by CSS class; the style sheet shows one of them."""
    return [("wide", draw_lines(chart, WIDE)), ("narrow", draw_lines(chart, NARROW))]


def draw_lines(chart: LineChart, layout: Layout) -> LineDrawing:
    """Draw a chart. Raises ValueError for a chart without marks or with too many lines."""
    marks = [(line, mark) for line in chart.lines for mark in line.marks]
    if not marks or len(chart.lines) > MAX_LINES:
        raise ValueError(f"expected marks, and at most {MAX_LINES} lines")
    years = sorted({mark.year for _, mark in marks})
    scale = ticks(Decimal(0), max(mark.value for _, mark in marks), MAX_TICKS)
    factor, word = _factor(scale[-1])

    margin_years = 0.5 if chart.dates else 0.0
    first, span = years[0] - margin_years, max(years[-1] - years[0] + 2 * margin_years, 1)

    def x(year: float) -> float:
        return round(layout.width_pixels * (year - first) / span, 1)

    def y(value: Decimal) -> float:
        return round(layout.height_pixels * float(1 - value / scale[-1]), 1)

    quiet, colours = layout.colours["ink-3"], layout.colours
    numbers = [Label(-6, y(tick), amount_words(tick / factor), quiet, "end") for tick in scale]
    names = _names(chart, layout, y)
    margin = IMAGE_MARGIN_PIXELS if layout.is_image else MARGIN_PIXELS
    left = margin + 6 + DIGIT_PIXELS * max(len(label.text) for label in numbers)
    titles = wrap(printable(chart.title), TITLE_CHARACTERS) if layout.is_image else ()
    top = margin + UNIT_PIXELS
    if layout.is_image:
        top += TITLE_PIXELS + TITLE_LINE_PIXELS * max(len(titles) - 1, 0)
    right = LABEL_OFFSET_PIXELS + max((_width(label.text) for label in names), default=0)
    return LineDrawing(
        chart=chart,
        layout=layout,
        left=left,
        top=top,
        width=round(left + layout.width_pixels + right + margin),
        height=top + layout.height_pixels + YEARS_PIXELS + margin,
        titles=titles,
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
        dates=_labelled_apart(
            [
                (x(middle), one.label)
                for one in chart.dates
                if first <= (middle := _year_of(one.day) - 0.5) <= first + span
            ]
        ),
    )


def _labelled_apart(dates: Iterable[tuple[float, str]]) -> list[tuple[float, str]]:
    """Return marked days with their labels; a day beside another one shares the label of the first."""
    labelled: list[tuple[float, str]] = []
    for x, label in sorted(dates):
        start = next((at for at, text in reversed(labelled) if text), None)
        if start is not None and x - start < LABEL_DISTANCE_PIXELS:
            index = next(i for i, (at, _) in enumerate(labelled) if at == start)
            labelled[index] = (start, f"{labelled[index][1]}, {label}")
            labelled.append((x, ""))
        else:
            labelled.append((x, label))
    return labelled


def _year_of(day: date) -> float:
    """Return a day as a year with a fraction."""
    return day.year + (day.timetuple().tm_yday - 1) / (366 if isleap(day.year) else 365)


def printable(text: str) -> str:
    """Return a text without the control characters that XML cannot contain."""
    return NOT_IN_XML.sub("", text)


def _factor(highest: Decimal) -> tuple[int, str]:
    """Return the divisor for numbers up to this one, and its word."""
    return next(((size, word) for size, word in FACTORS if highest >= 2 * size), (1, ""))


def _skipped(years: int, layout: Layout) -> int:
    """Return the distance of the years with labels, counted from the last one."""
    return -(-years // layout.max_year_labels)


def _anchor(year: int, years: Sequence[int]) -> str:
    """Return the text anchor of a year that keeps its label inside the plot."""
    return "end" if year == years[-1] else "start" if year == years[0] else "middle"


def change_in_words(marks: Sequence[YearMark], measure: str) -> str:
    """Return the first and the last number of the last unbroken part of a line in use, in words; empty if it
    has only one: `rose from 2 t in 2020 to 3 in 2024`."""
    runs = unbroken([mark for mark in marks if mark.in_use])
    if not runs or len(runs[-1]) == 1:
        return ""
    first, last = runs[-1][0], runs[-1][-1]
    estimated = " (estimated)" if first.estimated or last.estimated else ""
    if first.value == last.value:
        return f"was {rounded(first.value)} {measure} both in {first.year} and in {last.year}{estimated}"
    verb = "rose" if last.value > first.value else "fell"
    return (
        f"{verb} from {rounded(first.value)} {measure} in {first.year}"
        f" to {rounded(last.value)} in {last.year}{estimated}"
    )


def unbroken(marks: Iterable[YearMark]) -> list[list[YearMark]]:
    """Return the preferred marks in runs that a line joins: adjacent years of one publisher."""
    parts: list[list[YearMark]] = []
    for mark in sorted((mark for mark in marks if mark.in_use), key=lambda mark: mark.year):
        last = parts[-1][-1] if parts else None
        joins = last and (mark.year - last.year, mark.publisher) == (1, last.publisher)
        if joins and not mark.breaks:
            parts[-1].append(mark)
        else:
            parts.append([mark])
    return parts


def _names(chart: LineChart, layout: Layout, y: Callable[[Decimal], float]) -> list[Label]:
    """Return the names at the right end, at the heights of the last preferred numbers."""
    parts = [(line, unbroken(line.marks)) for line in chart.lines]
    ends = [(line, y(of_line[-1][-1].value)) for line, of_line in parts if of_line]
    heights = apart([end for _, end in ends], LABEL_DISTANCE_PIXELS, 0, layout.height_pixels)
    return [
        Label(
            layout.width_pixels + LABEL_OFFSET_PIXELS,
            round(height, 1),
            shortened(printable(line.name), layout.label_pixels),
            layout.colours[line.colour],
        )
        for (line, _), height in zip(ends, heights, strict=True)
    ]


def _width(text: str) -> int:
    """Return the approximate width of a name in pixels."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return CHARACTER_PIXELS * (len(text) + wide)


def shortened(text: str, pixels: int) -> str:
    """Return a name shortened to a width."""
    if _width(text) <= pixels:
        return text
    while text and _width(f"{text}…") > pixels:
        text = text[:-1]
    return f"{text.rstrip()}…"
