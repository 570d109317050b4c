"""The map of the world as a separate image, with its moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.pages.charts.world_image import layout_world_image
from schema.pages.charts.world_map import SHARES, Scale, WorldMap
from schema.pages.site.templates import environment
from schema.pages.site.words import written_day

OUTLINES = "Outlines: Natural Earth, public domain; de facto borders."


def world_image(
    map: WorldMap, title: str, scale: Scale, hatched: str, moment: Mapping[str, Any]
) -> str:
    """Return a map as SVG; `moment` has its date and position."""
    day, position = written_day(moment["validAt"]), int(moment["position"])
    unit = (
        "shares of the world's output"
        if scale is SHARES
        else "number of clauses in force, by issuer"
    )
    notes = (f"Unit: {unit}. As of {day}, as recorded at position {position:,}. {OUTLINES}",)
    image = layout_world_image(map, title, scale, hatched, notes)
    return environment().get_template("charts/world_image.html").render(image=image)
