"""Readings of the published files by the product, and the claims that it ships."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from tracker.domain.entities.fact import Fact
from tracker.sources.reader import File, Item, ReadFact
from tracker.sources.readers.corpus_format import SHIPPED_CORPUS
from tracker.sources.registry import reader_for

RAW = Path(__file__).parents[2].parent / "shared" / "data" / "raw"
F = TypeVar("F", bound=Fact)


@cache
def items(path: Path) -> tuple[Item, ...]:
    """Return everything that the product's reader finds in a file."""
    file = File.at(path)
    reader = reader_for(file)
    assert reader is not None, f"no reader recognises {path.name}"
    return tuple(reader.read(file))


def facts(path: Path, kind: type[F]) -> Iterator[tuple[int, F]]:
    """Yield the line and the fact of every item, none of which is refused."""
    for item in items(path):
        assert isinstance(item, ReadFact), item
        assert isinstance(item.planned.fact, kind)
        yield item.at.line, item.planned.fact


def shipped(type_: str) -> Iterator[dict[str, Any]]:
    """Yield the facts of a type in the shipped corpus."""
    for line in SHIPPED_CORPUS.path.read_text().splitlines():
        event = json.loads(line)
        if event["type"] == type_:
            yield event["data"]
