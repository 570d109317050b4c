"""Small files in the format of a publisher, and the claims in them."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from tracker.domain.entities.fact import Fact
from tracker.sources.reader import File, Reader, ReadFact

F = TypeVar("F", bound=Fact)


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> File:
    """Write rows to a CSV file with these columns, and return it."""
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return File.at(path)


def claims_in(reader: Reader, file: File, kind: type[F]) -> list[F]:
    """Return the facts of a kind that a reader finds in a file."""
    facts = (item.planned.fact for item in reader.read(file) if isinstance(item, ReadFact))
    return [fact for fact in facts if isinstance(fact, kind)]
