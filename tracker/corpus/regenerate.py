"""Makes `corpus.jsonl`, the data set that ships, from researched facts and USGS files.

    python -m tracker.corpus.regenerate --data ../shared/data

The input is not part of the product; the corpus is. The same input gives the same bytes. Lines
stand in the order of publication, and every one is checked against all rules before any is written.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tracker.commands.handler import decide_all
from tracker.domain.figure import Claimed, edition_key
from tracker.domain.registry import kind_of
from tracker.domain.vocabulary import Qualifier
from tracker.errors import InvalidInput, NotFound, TrackerError
from tracker.sources.importing.reconcile import equal_quantities
from tracker.sources.reader import File, ReadFact
from tracker.sources.readers import researched as facts
from tracker.sources.readers import usgs
from tracker.sources.readers.corpus_format import parse_line
from tracker.sources.readers.researched.rows import Entry, note

CORPUS = Path(__file__).with_name("corpus.jsonl")
DATA = Path(__file__).parents[2].parent / "shared" / "data"
"""Where the input lies by custom: beside the checkout."""

USGS_FILES = (
    "raw/usgs_mcs2023",
    "raw/usgs_mcs2024",
    "raw/MCS2025_World_Data.csv",
    "raw/MCS2026_Commodities_Data.csv",
)


@dataclass(frozen=True, slots=True)
class Corpus:
    """The entries that will ship, and what became of readings that state what a fact states.

    `disagreements` tells where the two differ.
    """

    entries: list[Entry]
    stated: int
    disagreements: list[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the corpus and say what is in it. Returns the exit code."""
    options = _options(arguments)
    try:
        corpus = compiled(options.data)
        lines = [entry.line for entry in corpus.entries]
        check(lines)
    except TrackerError as error:
        where = ".".join(map(str, error.path))
        print(f"error: {where}: {error}", file=sys.stderr)
        return 1
    options.output.write_bytes(b"".join(lines))
    print(summary(corpus))
    print(f"written: {options.output}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tracker.corpus.regenerate",
        description="Makes the corpus that ships from researched facts and USGS files.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        help="directory with facts.jsonl and raw/ (default: ../shared/data beside the checkout)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=CORPUS,
        help="file to write (default: the corpus of the package)",
    )
    return parser.parse_args(arguments)


def compiled(data: Path) -> Corpus:
    """The whole corpus from a data directory, in order. Raises NotFound where there is none."""
    path = data / "facts.jsonl"
    if not path.is_file():
        raise NotFound(
            f"There is no {path.name} in {data}: expected the directory with the"
            " researched facts (see --data)",
            path=("data",),
        )
    return merged(facts.entries(facts.researched(File.at(path))), usgs_entries(data))


def usgs_entries(data: Path) -> Iterator[Entry]:
    """Every reading of the USGS files as an entry."""
    for name in USGS_FILES:
        if not (data / name).exists():
            raise NotFound(f"There is no {name} in {data}", path=("data",))
        path = data / name
        for file in sorted(path.glob("*.csv")) if path.is_dir() else (path,):
            for item in usgs.READER.read(File.at(file)):
                if isinstance(item, ReadFact):
                    order = item.order
                    yield Entry(order.event_id, order.stream, order.fact, order.fact.public_on)


def merged(researched: Iterable[Entry], readings: Iterable[Entry]) -> Corpus:
    """Facts and readings in order; where both state one claim, the fact stays."""
    entries = list(researched)
    stated = {claim_key(e): i for i, e in enumerate(entries) if isinstance(e.fact, Claimed)}
    fresh: list[Entry] = []
    stated_again = 0
    differ: list[str] = []
    for reading in readings:
        index = stated.get(claim_key(reading))
        if index is None:
            fresh.append(reading)
        else:
            stated_again += 1
            entries[index] = filled(entries[index], reading)
            differ += disagreement(entries[index], reading)
    return Corpus(ordered(entries + fresh), stated_again, differ)


def claim_key(entry: Entry) -> tuple[str, tuple[str, str, str | None]]:
    """What two entries share when they state one claim."""
    assert isinstance(entry.fact, Claimed)
    return entry.entity, edition_key(entry.fact)


def filled(fact: Entry, reading: Entry) -> Entry:
    """The fact, with what the notes of its table say where it found nothing stated."""
    ours, theirs = fact.fact, reading.fact
    assert isinstance(ours, Claimed)
    assert isinstance(theirs, Claimed)
    if ours.quantity.qualifier is Qualifier.NOT_STATED:
        quantity = theirs.quantity
        told = note(ours.note, "For this cell its notes tell which one is meant")
    elif theirs.quantity.estimated and not ours.quantity.estimated:
        quantity = msgspec.structs.replace(ours.quantity, estimated=True)
        told = note(ours.note, theirs.note)
    else:
        return fact
    return replace(fact, fact=msgspec.structs.replace(ours, quantity=quantity, note=told))


def disagreement(fact: Entry, reading: Entry) -> Iterator[str]:
    """How a fact and the reading of the same claim differ, if they do."""
    assert isinstance(fact.fact, Claimed)
    assert isinstance(reading.fact, Claimed)
    ours, theirs = fact.fact.quantity, reading.fact.quantity
    if not equal_quantities(ours, theirs):
        yield f"{fact.event_id}: the fact says {ours}, the file {theirs}"


def ordered(entries: Sequence[Entry]) -> list[Entry]:
    """By publication, then by the day of what is told; else as they come."""
    return sorted(entries, key=lambda entry: entry.order)


def check(lines: Sequence[bytes]) -> None:
    """Raise InvalidInput unless every line parses, keeps all rules and has an id of its own."""
    orders = [parse_line(line) for line in lines]
    twice = [id for id, count in Counter(order.event_id for order in orders).items() if count > 1]
    if twice:
        raise InvalidInput(f"expected every id once: {', '.join(twice)}")
    entities = {order.stream: kind_of(order.stream).blank(order.stream) for order in orders}
    _, refused = decide_all(entities, orders, ())
    if refused:
        raise InvalidInput("; ".join(f"{orders[i].event_id}: {e}" for i, e in refused))


def summary(corpus: Corpus) -> str:
    """What is in the corpus, in a few lines."""
    counts = Counter(entry.type for entry in corpus.entries)
    total, entities = len(corpus.entries), len({entry.entity for entry in corpus.entries})
    lines = [f"{total:,} lines about {entities:,} entities"]
    lines += [f"{count:8,} {type_}" for type_, count in sorted(counts.items())]
    lines.append(f"{corpus.stated} USGS readings left out: a fact states the same")
    lines += [f"disagreement: {text}" for text in corpus.disagreements]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
