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
    orders = [act.order for act in acts]
    stated = dict(_claims(orders))
    orders += [reading for reading in readings if not stated.keys() & dict(_claims([reading]))]
    return sorted(orders, key=lambda order: order.fact.public_on)


def format_corpus(orders: Iterable[PlannedEvent]) -> bytes:
    """The corpus as it is written."""
    return b"".join(
        format_line(order.event_id, TYPES[type(order.fact)], order.fact, order.stream)
        for order in orders
    )


def readings_in(corpus: Path) -> list[PlannedEvent]:
    """The readings of USGS files that a corpus was made with: a reading's id follows from it."""
    if not corpus.is_file():
        raise NotFound(f"There is no {corpus}: expected it, or --usgs", path=("directory",))
    orders = map(parse_line, corpus.read_bytes().splitlines())
    return [order for order in orders if is_reading(order)]


def is_reading(order: PlannedEvent) -> bool:
    """Whether the reader of the USGS has read it in a file, and no person."""
    return isinstance(order.fact, Claimed) and order.event_id == claim_id(order.fact)


def usgs_readings(directory: Path) -> list[PlannedEvent]:
    """All that the USGS files below a directory state. Raises NotFound where there are none."""
    paths = sorted(directory.rglob("*.csv"))
    files = [file for file in map(File.at, paths) if usgs.READER.recognise(file.head(), file.name)]
    if not files:
        raise NotFound(f"There are no USGS files in {directory}", path=("usgs",))
    return [
        item.order
        for file in files
        for item in usgs.READER.read(file)
        if isinstance(item, ReadFact)
    ]


def contradictions(acts: Sequence[Act], readings: Sequence[PlannedEvent]) -> Iterator[Problem]:
    """Where a file of ours and the publisher's give different figures for one claim."""
    published = dict(_claims(readings))
    for act in acts:
        for claim, ours in _claims([act.order]):
            theirs = published.get(claim, ours)
            if not equal_quantities(ours, theirs):
                message = f"says {ours}, the publisher's file {theirs}"
                yield Problem(act.file, message, act.id, "quantity")


def _claims(orders: Iterable[PlannedEvent]) -> Iterator[tuple[Claim, Quantity]]:
    """The claims among some orders, each with its figure."""
    for order in orders:
        if isinstance(order.fact, Claimed):
            yield (order.stream, edition_key(order.fact)), order.fact.quantity


def summary(orders: Sequence[PlannedEvent]) -> str:
    """What is in a corpus, in a few lines."""
    counts = Counter(TYPES[type(order.fact)] for order in orders)
    lines = [f"{len(orders):,} lines about {len({order.stream for order in orders}):,} entities"]
    return "\n".join(lines + [f"{count:8,} {type_}" for type_, count in sorted(counts.items())])
