"""Makes `corpus.jsonl`, the data set that ships, from the files that people write and what the
reader of the USGS reads. The same input gives the same bytes.

Lines stand in the order in which what they tell became public. Where a file of ours and the
publisher's state one figure, ours stands, with its remarks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tracker.commands.commands import PlannedEvent
from tracker.corpus.files import Act, Problem
from tracker.domain.entity import TYPES
from tracker.domain.figure_facts import Claimed, edition_key
from tracker.domain.values import Quantity
from tracker.errors import NotFound
from tracker.sources.ids import claim_id
from tracker.sources.importing.reconcile import equal_quantities
from tracker.sources.reader import File, ReadFact
from tracker.sources.readers import usgs
from tracker.sources.readers.corpus_format import format_line, parse_line

CORPUS = "corpus.jsonl"
"""The file that is made, in the directory of the corpus."""

Claim = tuple[str, tuple[str, str, str | None]]
"""A series and one publisher's edition of it."""


def compile_corpus(acts: Sequence[Act], readings: Sequence[PlannedEvent]) -> list[PlannedEvent]:
    """The corpus in order: acts, and the readings of what no act states."""
    events = [act.planned for act in acts]
    stated = dict(_claims(events))
    events += [reading for reading in readings if not stated.keys() & dict(_claims([reading]))]
    return sorted(events, key=lambda planned: planned.fact.public_on)


def format_corpus(events: Iterable[PlannedEvent]) -> bytes:
    """The corpus as it is written."""
    return b"".join(
        format_line(planned.event_id, TYPES[type(planned.fact)], planned.fact, planned.stream)
        for planned in events
    )


def readings_in(corpus: Path) -> list[PlannedEvent]:
    """The readings of USGS files that a corpus was made with: a reading's id follows from it."""
    if not corpus.is_file():
        raise NotFound(f"There is no {corpus}: expected it, or --usgs", path=("directory",))
    events = map(parse_line, corpus.read_bytes().splitlines())
    return [planned for planned in events if is_reading(planned)]


def is_reading(planned: PlannedEvent) -> bool:
    """Whether the reader of the USGS has read it in a file, and no person."""
    return isinstance(planned.fact, Claimed) and planned.event_id == claim_id(planned.fact)


def usgs_readings(directory: Path) -> list[PlannedEvent]:
    """All that the USGS files below a directory state. Raises NotFound where there are none."""
    paths = sorted(directory.rglob("*.csv"))
    files = [file for file in map(File.at, paths) if usgs.READER.recognise(file.head(), file.name)]
    if not files:
        raise NotFound(f"There are no USGS files in {directory}", path=("usgs",))
    return [
        item.planned
        for file in files
        for item in usgs.READER.read(file)
        if isinstance(item, ReadFact)
    ]


def contradictions(acts: Sequence[Act], readings: Sequence[PlannedEvent]) -> Iterator[Problem]:
    """Where a file of ours and the publisher's give different figures for one claim."""
    published = dict(_claims(readings))
    for act in acts:
        for claim, ours in _claims([act.planned]):
            theirs = published.get(claim, ours)
            if not equal_quantities(ours, theirs):
                message = f"says {ours}, the publisher's file {theirs}"
                yield Problem(act.file, message, act.id, "quantity")


def _claims(events: Iterable[PlannedEvent]) -> Iterator[tuple[Claim, Quantity]]:
    """The claims among some events, each with its figure."""
    for planned in events:
        if isinstance(planned.fact, Claimed):
            yield (planned.stream, edition_key(planned.fact)), planned.fact.quantity


def summary(events: Sequence[PlannedEvent]) -> str:
    """What is in a corpus, in a few lines."""
    counts = Counter(TYPES[type(planned.fact)] for planned in events)
    lines = [
        f"{len(events):,} lines about {len({planned.stream for planned in events}):,} entities"
    ]
    return "\n".join(lines + [f"{count:8,} {type_}" for type_, count in sorted(counts.items())])
