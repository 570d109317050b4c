"""The lines of the shipped corpus."""

from functools import cache

from tracker.commands.commands import PlannedEvent
from tracker.sources.readers.corpus_format import SHIPPED_CORPUS, parse_line


def shipped_lines() -> list[bytes]:
    """Return the lines, with their line ends."""
    return SHIPPED_CORPUS.path.read_bytes().splitlines(keepends=True)


@cache
def shipped_events() -> dict[str, PlannedEvent]:
    """Return the parsed lines in their order, by event id."""
    return {planned.event_id: planned for planned in map(parse_line, shipped_lines())}
