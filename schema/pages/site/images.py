"""Charts as separate images, which need no style sheet: title, moment and legend inside."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from schema.pages.charts import line_chart, sankey
from schema.pages.charts.status_bars import StatusTable
from schema.pages.charts.status_image import layout_image
from schema.pages.charts.world_image import layout_world_image
from schema.pages.charts.world_map import SHARES, Scale, WorldMap
from schema.pages.site.templates import environment
from tracker.domain.wording.phrases import short_date

CHART = "chart"
"""Part of a page with its main chart, which is also the image of the page."""
OUTLINES = "Outlines: Natural Earth, public domain; de facto borders."


class Sized(Protocol):
    """A drawing or a layout with its size in pixels."""

    @property
    def width(self) -> int:
        """The width."""
        ...

    @property
    def height(self) -> int:
        """The height."""
        ...


class Image(Struct, frozen=True):
    """A chart as a separate image, with its name for readers."""

    template: str
    drawing: Sized
    name: str = "Chart"

    def svg(self) -> str:
        """Render the image."""
        return environment().get_template(self.template).render(drawing=self.drawing)


def line_image(chart: line_chart.LineChart, name: str = "Chart") -> Image:
    """Return lines over years as an image."""
    drawing = line_chart.draw_lines(chart, line_chart.IMAGE)
    return Image("charts/line_image.html", drawing, name)


def flows_image(chart: sankey.FlowChart) -> Image:
    """Return a diagram of origins as an image."""
    return Image("charts/sankey_image.html", sankey.draw_flows(chart, sankey.IMAGE))


def status_image(
    table: StatusTable, title: str, position: str, notes: Sequence[str] = (), name: str = "Chart"
) -> Image:
    """Return a table of statuses as an image, with its moment."""
    moment = (
        f"Unit: days, along the horizontal axis. Line and words: as of {table.short_date}, as recorded at"
        f" position {int(position):,}. Pale: later, by recorded terms."
    )
    layout = layout_image(table, title, (*notes, moment))
    return Image("charts/status_image.html", layout, name)


def world_image(
    map: WorldMap,
    title: str,
    scale: Scale,
    hatched: str,
    moment: Mapping[str, Any],
    name: str = "Chart",
) -> Image:
    """Return a map as an image; `moment` has its date and position."""
    day, position = short_date(moment["validAt"]), int(moment["position"])
    unit = (
        "shares of the world's output"
        if scale is SHARES
        else "number of clauses in force, by issuer"
    )
    notes = (f"Unit: {unit}. As of {day}, as recorded at position {position:,}. {OUTLINES}",)
    layout = layout_world_image(map, title, scale, hatched, notes)
    return Image("charts/world_image.html", layout, name)
