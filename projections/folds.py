"""Folds of entities, kept between the pages of an import."""

from __future__ import annotations

from projections.kept import Kept
from projections.timeline import Folded

MOST_BYTES = 64 * 1024 * 1024
"""How much memory the folds of a projector may take, about."""
SIZE = 6
"""Bytes in memory for one of the JSON of states: these, and the facts behind them."""


class Folds:
    """The last entities that were folded, so that those with more events need not be read again.

    What it gives is the fold of all events up to a version, whoever projected them, and it gives it
    once: a fold that has learned more is another.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: Kept[str, Folded] = Kept(most_bytes)

    def take(self, stream: str, version: int) -> Folded | None:
        """The fold of an entity at a version; None where it has to be made."""
        return self._kept.take(stream, version) if version else Folded(stream)

    def keep(self, stream: str, version: int, fold: Folded) -> None:
        """Keep the fold of an entity, which is now at a version."""
        self._kept.keep(stream, fold, SIZE * sum([len(row.version.text) for row in fold.rows]),
                        version)
