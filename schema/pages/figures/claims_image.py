"""The claims on a figure as a separate image. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from schema.pages.charts.line_chart import LIGHT, Colours, printable
from schema.pages.site.images import Image

WIDTH_PIXELS = 1000
PLOT_LEFT_PIXELS = 330
PLOT_WIDTH_PIXELS = 400
HEAD_PIXELS = 112
ROW_PIXELS = 48
FOOT_PIXELS = 28
MAX_NAME_CHARACTERS = 44
VALID_COLOUR, WARNING_COLOUR = "#0a568c", "#7a5200"


@dataclass(frozen=True)
class ClaimsDrawing:
    """The data for the template; `rows` and `line` are those of the page."""

    title: str
    source: str
    unit: str
    rows: Sequence[Any]
    line: Any
    colours: ClassVar[Colours] = {**LIGHT, "valid": VALID_COLOUR, "warn": WARNING_COLOUR}
    width: int = WIDTH_PIXELS
    head: int = HEAD_PIXELS
    row_height: int = ROW_PIXELS
    plot_right: int = PLOT_LEFT_PIXELS + PLOT_WIDTH_PIXELS

    @property
    def height(self) -> int:
        """Return the height of the head, the rows and the foot."""
        return HEAD_PIXELS + ROW_PIXELS * len(self.rows) + FOOT_PIXELS

    @staticmethod
    def pixels(x: str) -> str:
        """Return a distance in percent of the plot as pixels from the left of the image."""
        return f"{PLOT_LEFT_PIXELS + PLOT_WIDTH_PIXELS * float(x.removesuffix('%')) / 100:.1f}"

    @staticmethod
    def shortened(text: str) -> str:
        """Return a text that fits its column."""
        text = printable(text)
        return text if len(text) <= MAX_NAME_CHARACTERS else f"{text[: MAX_NAME_CHARACTERS - 1]}…"


def claims_image(title: str, source: str, unit: str, rows: Sequence[Any], line: Any) -> Image:
    """Return an image with a row for each claim."""
    drawing = ClaimsDrawing(printable(title), printable(source), printable(unit), rows, line)
    return Image("figures/claims_image.svg", drawing)
