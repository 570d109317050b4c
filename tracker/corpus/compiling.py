"""Compiles `corpus.jsonl`, the corpus of the package, from edited files and readings of publishers' files.

The same input gives the same bytes. Lines are in the order of publication of their facts. If an edited file
and the publisher's file have the same figure, the edited one is used, with its remarks.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from tracker.commands.commands import PlannedEvent
from tracker.corpus.files import Act, Problem
from tracker.domain.basics.values import Quantity
from tracker.domain.basics.vocabulary import Stage, Statistic
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import EU, members_of, unions_of
from tracker.domain.entities.entity import TYPES
from tracker.domain.figures.figure_facts import Claimed, edition_key
from tracker.domain.figures.origins import Origin
from tracker.domain.figures.tariff import LineFact
from tracker.domain.figures.tariff_edition import EditionRead
from tracker.domain.figures.trade_flow import FlowClaimed
from tracker.errors import NotFound
from tracker.sources.ids import claim_id, flow_id, tariff_id
from tracker.sources.importing.reconcile import equal_quantities
from tracker.sources.reader import File, Reader, ReadFact
from tracker.sources.readers import baci, iea, usgs
from tracker.sources.readers.corpus_format import format_line, parse_line

IMPORTERS = frozenset(map(Place, ("CN", "GB", "IN", "JP", "KR", "US"))) | members_of(
    EU, date(2024, 12, 31)
)
"""The importers whose flows ship: the members of the European Union, and six others."""
FROM_YEAR = 2024
"""The first year whose flows ship. Earlier extracts have no weights."""
SMALL = Decimal("0.001")
"""The share below which origins are added up, if their values and weights are both smaller."""
NOTE = "Origins below 0.1 % of value and weight ({count}) are added up as unnamed."


def flow_ships(claim: FlowClaimed) -> bool:
    """Return whether a claim of the publisher's file is part of the corpus."""
    return claim.importer in IMPORTERS and claim.year >= FROM_YEAR


def shipped_flow(reading: PlannedEvent) -> PlannedEvent:
    """Return a claim with its smallest origins added up, if there are several."""
    claim = reading.fact
    assert isinstance(claim, FlowClaimed)
    last_day = date(claim.year, 12, 31)
    inside = {
        at for union in unions_of(claim.importer, last_day) for at in members_of(union, last_day)
    }
    small = [
        part for part in claim.origins.parts if part.place not in inside and _is_small(part, claim)
    ]
    if len(small) < 2:
        return reading
    weights = [part.quantity for part in small]
    origins = replace(
        claim.origins,
        parts=tuple(part for part in claim.origins.parts if part not in small),
        unnamed=None if None in weights else _sum(weights),
        unnamed_value=_sum([part.value for part in small]),
    )
    fact = replace(claim, origins=origins, note=NOTE.format(count=len(small)))
    return PlannedEvent(reading.stream, fact, reading.event_id)


def _is_small(part: Origin, claim: FlowClaimed) -> bool:
    return _is_below(part.value, claim.value) and _is_below(part.quantity, claim.quantity)


def _is_below(part: Quantity | None, whole: Quantity) -> bool:
    """Return whether a part is small; a missing weight does not matter."""
    if part is None or part.value is None or whole.value is None:
        return True
    return part.value < whole.value * SMALL


def _sum(parts: list[Quantity | None]) -> Quantity:
    numbers = [part for part in parts if part is not None and part.value is not None]
    total = sum((part.value for part in numbers if part.value is not None), Decimal(0))
    return Quantity(unit=numbers[0].unit, value=total)


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
