"""The lines of the shipped corpus."""

from __future__ import annotations

from tracker.sources.readers.corpus_format import SHIPPED_CORPUS


def shipped_lines() -> list[bytes]:
    """Return the lines, with their line ends."""
    return SHIPPED_CORPUS.path.read_bytes().splitlines(keepends=True)
