"""Names of entities on pages, from the fragment NodeName. Pure."""

from collections.abc import Mapping
from typing import Any

from schema.pages.site.naming import series_title


def state_name(state: Mapping[str, Any] | None) -> str | None:
    """Return the name of an entity from its state; None if it has none."""
    if state is None:
        return None
    kind = state["__typename"]
    if kind == "ExportControl":
        return str(state["controlTitle"])
    if kind == "Figure":
        return series_title(state["series"])
    name = state.get("title") or state.get("name")
    return str(name) if name else None
