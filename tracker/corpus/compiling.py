"""Compiles `corpus.jsonl`, the corpus of the package, from edited files and readings of publishers' files.

The same input gives the same bytes. Lines are in the order of publication of their facts. If an edited file
and the publisher's file have the same figure, the edited one is used, with its remarks.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tracker.commands.commands import PlannedEvent
from tracker.corpus.files import Act, Problem
from tracker.corpus.flows import flow_ships, shipped_flow
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.places import Place
from tracker.domain.entities.entity import TYPES
from tracker.domain.figures.figure_facts import Claimed, edition_key
from tracker.domain.figures.tariff import LineFact
from tracker.domain.figures.tariff_edition import EditionRead
from tracker.domain.figures.trade_flow import FlowClaimed
from tracker.errors import NotFound
from tracker.sources.ids import claim_id, flow_id, tariff_id
from tracker.sources.importing.reconcile import equal_quantities
from tracker.sources.reader import File, Reader, ReadFact
from tracker.sources.readers import baci, iea, usgs
from tracker.sources.readers.corpus_format import format_line, parse_line

CORPUS = "corpus.jsonl"
"""Name of the compiled file in the directory of the corpus."""

OTHER = Place("OTHER")

Claim = tuple[str, tuple[str, str, str | None]]
"""A series and one publisher's edition of it."""


def compile_corpus(acts: Sequence[Act], readings: Sequence[PlannedEvent]) -> list[PlannedEvent]:
    """Return the corpus in order: acts, and the readings that no act repeats."""
    events = [act.planned for act in acts]
    stated = dict(_claims(events))
    events += [reading for reading in readings if not stated.keys() & dict(_claims([reading]))]
    return sorted(events, key=lambda planned: planned.fact.public_on)


def format_corpus(events: Iterable[PlannedEvent]) -> bytes:
    """Return the text of the corpus."""
    return b"".join(
        format_line(planned.event_id, TYPES[type(planned.fact)], planned.fact, planned.stream)
        for planned in events
    )


def readings_in(corpus: Path) -> list[PlannedEvent]:
    """Return the readings of publishers' files in a corpus, which are identified by their ids."""
    if not corpus.is_file():
        raise NotFound(f"There is no {corpus}: expected it, or --usgs", path=("directory",))
    events = map(parse_line, corpus.read_bytes().splitlines())
    return [planned for planned in events if is_reading(planned)]


def is_reading(planned: PlannedEvent) -> bool:
    """Return whether a reader produced a fact from a file."""
    match planned.fact:
        case Claimed() as claim:
            return planned.event_id == claim_id(claim)
        case FlowClaimed() as claim:
            return planned.event_id == flow_id(claim)
        case EditionRead() | LineFact() as fact:
            return planned.event_id == tariff_id(fact)
    return False


def usgs_readings(directory: Path) -> list[PlannedEvent]:
    """Return the readings of the USGS files below a directory that ship. Raises NotFound if none does."""
    paths = sorted(directory.rglob("*.csv"))
    files = [file for file in map(File.at, paths) if usgs.READER.recognise(file.head(), file.name)]
    if not files:
        raise NotFound(f"There are no USGS files in {directory}", path=("usgs",))
    readings = (
        item.planned
        for file in files
        for item in usgs.READER.read(file)
        if isinstance(item, ReadFact)
    )
    return [reading for reading in readings if reading_ships(reading)]


def reading_ships(reading: PlannedEvent) -> bool:
    """Return whether a reading of a USGS file is part of the corpus.

    It has all tables by country, all net import reliance and all import sources. Imports, exports,
    consumption, stocks and prices are those of MCS 2026; `tracker import` reads the salient files of earlier
    editions.
    """
    claim = reading.fact
    assert isinstance(claim, Claimed)
    earlier = "_salient." in (claim.source.reference or "")
    return not earlier or claim.series.statistic is Statistic.NET_IMPORT_RELIANCE


def iea_readings(directory: Path) -> list[PlannedEvent]:
    """Return the readings of the IEA files below a directory that ship. Raises NotFound if there are no
    files."""
    return [one for one in _readings_of(iea.READER, directory) if not _is_residual_of_mines(one)]


def _is_residual_of_mines(reading: PlannedEvent) -> bool:
    """Return whether a reading is the output of other countries at the mine.

    The USGS has its own for the same years, with other members, so the two must not take each other's place.
    """
    claim = reading.fact
    assert isinstance(claim, Claimed)
    series = claim.series
    is_residual = (series.place, series.stage) == (OTHER, Stage.MINE)
    return is_residual and series.statistic is Statistic.PRODUCTION and series.form is None


def baci_readings(directory: Path) -> list[PlannedEvent]:
    """Return the readings of the BACI files below a directory that ship. Raises NotFound if there are
    no files."""
    return [
        shipped_flow(reading)
        for reading in _readings_of(baci.READER, directory)
        if isinstance(reading.fact, FlowClaimed) and flow_ships(reading.fact)
    ]


def _readings_of(reader: Reader, directory: Path) -> list[PlannedEvent]:
    files = map(File.at, sorted(directory.rglob("*.csv")))
    recognised = [file for file in files if reader.recognise(file.head(), file.name)]
    if not recognised:
        raise NotFound(f"There are no files of {reader.title} in {directory}", path=(reader.name,))
    items = (item for file in recognised for item in reader.read(file))
    return [item.planned for item in items if isinstance(item, ReadFact)]


def replace_readings(
    readings: Sequence[PlannedEvent], new: Sequence[PlannedEvent]
) -> list[PlannedEvent]:
    """Return readings by publisher; new readings replace all earlier ones of their publishers."""
    publishers = {reading.fact.source.publisher for reading in new}
    others = [one for one in readings if one.fact.source.publisher not in publishers]
    return sorted([*others, *new], key=lambda one: one.fact.source.publisher)


def contradictions(acts: Sequence[Act], readings: Sequence[PlannedEvent]) -> Iterator[Problem]:
    """Yield the claims for which an edited file and the publisher's file have different figures."""
    published = dict(_claims(readings))
    for act in acts:
        for claim, own in _claims([act.planned]):
            other = published.get(claim, own)
            if not equal_quantities(own, other):
                message = f"says {own}, the publisher's file {other}"
                yield Problem(act.file, message, act.id, "quantity")


def _claims(events: Iterable[PlannedEvent]) -> Iterator[tuple[Claim, Quantity]]:
    """Return the claims among some events, each with its figure."""
    for planned in events:
        if isinstance(planned.fact, Claimed):
            yield (planned.stream, edition_key(planned.fact)), planned.fact.quantity


def summary(events: Sequence[PlannedEvent]) -> str:
    """Return a summary of a corpus in a few lines."""
    counts = Counter(TYPES[type(planned.fact)] for planned in events)
    lines = [
        f"{len(events):,} lines about {len({planned.stream for planned in events}):,} entities"
    ]
    return "\n".join(lines + [f"{count:8,} {type_}" for type_, count in sorted(counts.items())])
