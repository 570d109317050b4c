"""A table of statuses as a separate image: sizes in pixels, real colours, text inside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from schema.pages.charts.status_bars import StatusRow, StatusTable
from schema.pages.charts.status_marks import (
    HUE_WORDS,
    IMAGE_COLOURS,
    LEGEND_WORDS,
    RARE_STYLES,
    Paint,
)
from tracker.domain.basics.word import Shape

WIDTH_PX = 1120
MARGIN_PX = 32
LABELS_PX, STATES_PX = 300, 240
"""Widths of the columns beside the drawing."""
BARS_PX = WIDTH_PX - 2 * MARGIN_PX - LABELS_PX - STATES_PX
LINE_PX = 16
TITLE_LINE_PX = 30
CHARACTERS_OF_TITLE, CHARACTERS_OF_NOTE, CHARACTERS_OF_LABEL = 68, 150, 44
"""Maximum number of characters in a line."""
MAX_LINES_OF_LABEL = 3
MAX_ROWS = 60
MARK_PX, CHARACTER_PX = 38, 7
"""Widths of a mark of the legend with its margins, and of a character."""


@dataclass(frozen=True)
class RowOfImage:
    """A row with its location."""

    row: StatusRow
    y: int
    height: int
    label: Sequence[str]
    sub: Sequence[str]


@dataclass(frozen=True)
class StatusImage:
    """The data for the template of the image."""

    table: StatusTable
    paint: Paint
    height: int
    title: Sequence[str]
    notes: Sequence[str]
    axis_y: int
    rows: Sequence[RowOfImage]
    hidden_rows: int
    legend: Sequence[tuple[int, str, str, str]]
    """Left edge, style, hue and word of each item of the legend."""
    width: int = WIDTH_PX
    margin: int = MARGIN_PX
    bars_x: int = MARGIN_PX + LABELS_PX
    states_x: int = WIDTH_PX - MARGIN_PX - STATES_PX + 16
    line: int = LINE_PX
    title_line: int = TITLE_LINE_PX


def layout_image(table: StatusTable, title: str, notes: Sequence[str] = ()) -> StatusImage:
    """Lay out an image; `notes` are below the title, such as the moment and the sources."""
    titles = wrap(title, CHARACTERS_OF_TITLE)
    below = [line for note in notes for line in wrap(note, CHARACTERS_OF_NOTE)]
    axis_y = MARGIN_PX + len(titles) * TITLE_LINE_PX + len(below) * LINE_PX + LINE_PX
    y = axis_y + 26
    rows = []
    for row in table.rows[:MAX_ROWS]:
        label = _cut(row.row.label)
        sub = _cut(row.row.sub)
        states = sum(2 if state.words else 1 for state in row.states)
        height = max(row.height_px, max(len(label) + len(sub), states) * LINE_PX + 10)
        rows.append(RowOfImage(row, y, height, label, sub))
        y += height
    hidden = len(table.rows) - len(rows)
    height = y + MARGIN_PX + LINE_PX * (3 if hidden else 2)
    paint = Paint(IMAGE_COLOURS, BARS_PX)
    return StatusImage(
        table, paint, height, titles, below, axis_y, rows, hidden, list(_legend(table))
    )


def _legend(table: StatusTable) -> Iterator[tuple[int, str, str, str]]:
    """Yield the legend from left to right: the styles of statuses, then the kinds of measures."""
    styles = [
        (style, "ink", word)
        for style, word in LEGEND_WORDS.items()
        if style not in RARE_STYLES or style in table.styles
    ]
    x = MARGIN_PX
    for style, hue, word in [*styles, *((Shape.SOLID, hue, HUE_WORDS[hue]) for hue in table.hues)]:
        yield x, style, hue, word
        x += MARK_PX + CHARACTER_PX * len(word)


def _cut(text: str) -> list[str]:
    """Return a text in lines, cut if it is too long for a row."""
    lines = wrap(text, CHARACTERS_OF_LABEL)
    if len(lines) <= MAX_LINES_OF_LABEL:
        return lines
    return [*lines[: MAX_LINES_OF_LABEL - 1], f"{lines[MAX_LINES_OF_LABEL - 1]} …"]
