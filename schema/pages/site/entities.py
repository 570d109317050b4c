"""What entities are called on pages, from the fragment NodeName. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def state_name(state: Mapping[str, Any] | None) -> str | None:
    """The name of an entity by its state; None where it has none."""
    if state is None:
        return None
    kind = state["__typename"]
    if kind == "ExportControl":
        return str(state["controlTitle"])
    if kind == "Figure":
        return series_name(state["series"])
    name = state.get("title") or state.get("name")
    return str(name) if name else None


def series_name(series: Mapping[str, Any]) -> str:
    """What a figure is of, in words: `Gallium, China: production, refinery, 2023`."""
    parts = [series["statistic"], series["stage"], series["form"], series["period"]]
    told = ", ".join(str(part).lower().replace("_", " ") for part in parts if part)
    return f"{series['commodity']['name']}, {series['place']['name']}: {told}"
