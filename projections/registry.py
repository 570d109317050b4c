"""The projections of this program."""

from collections.abc import Callable
from typing import Any

from projections.runner.projection import Projection
from projections.search_index.projection import SearchIndex
from projections.streams.handover import Handover
from projections.versions.projection import Versions

PROJECTIONS: dict[str, Callable[[], Projection[Any]]] = {
    factory.name: factory for factory in (Versions, SearchIndex)
}
"""Projections by name. A projection may have a cache, so callers create their own."""


def linked_projections() -> list[Projection[Any]]:
    """Return the projections of a process, which fold each event once."""
    handover = Handover()
    return [Versions(handover), SearchIndex(handover)]
