"""The shipped tariff lines, as the reader reads them from their compressed file."""

from functools import cache
from pathlib import Path

import tracker.corpus
from tracker.commands.commands import PlannedEvent
from tracker.corpus.tariffs import TARIFFS, tariff_readings
from tracker.domain.figures.tariff import PrintedLine

OLD, NEW = "2025-rev-15", "2026-rev-10"
SHIPPED = Path(tracker.corpus.__file__).parent / TARIFFS


@cache
def readings() -> tuple[PlannedEvent, ...]:
    """Return all shipped facts about tariffs."""
    return tuple(tariff_readings(SHIPPED))


@cache
def prints(edition: str) -> dict[str, PrintedLine]:
    """Return the print of every line in an edition, by code."""
    facts = [one.fact for one in readings()]
    lines = [fact for fact in facts if isinstance(fact, PrintedLine)]
    return {line.code: line for line in lines if edition in (NEW, line.edition)}


def line(code: str, edition: str = NEW) -> PrintedLine:
    """Return the print of a line, by its code with dots."""
    return prints(edition)[code.replace(".", "")]


def suffix_texts(code: str, edition: str = NEW) -> dict[str, tuple[str, ...]]:
    """Return the texts of the suffixes of a line."""
    return {one.suffix: one.texts for one in line(code, edition).suffixes}
