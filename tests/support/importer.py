"""Short builders of imports."""

from pathlib import Path
from typing import Any

from tests.support.fact_builders import announced, claimed, suspended
from tracker.commands.commands import PlannedEvent
from tracker.domain.entities.fact import Fact
from tracker.domain.evidence.import_receipt import Receipt
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target
from tracker.sources.importing.importer import ImportOutcome, import_file
from tracker.sources.reader import File, Reader, ReadFact, RefusedItem, SourceLocation
from tracker.sources.readers import corpus_format
from tracker.sources.readers.corpus_format import format_line

GALLIUM = "export-control/gallium"
FIGURE = "figure/rare_earths/CN/production/mine/2023"


def line(
    event_id: str = "a",
    content: Fact | None = None,
    entity: str | None = GALLIUM,
    type_: str = "ExportControl.Announced",
) -> bytes:
    """Return a line of the corpus format."""
    return format_line(event_id, type_, content or announced(), entity)


CLAIM = line("c", claimed(1), None, "Figure.Claimed")
SUSPENSION = line("s", suspended(), GALLIUM, "ExportControl.Suspended")


class ImportFixture:
    """An importer into a separate log."""

    def __init__(self, target: Target, recorder: Recorder, directory: Path):
        self.target, self.recorder, self.directory = target, recorder, directory

    async def take(self, *lines: bytes, **options: Any) -> ImportOutcome:
        """Import lines of the corpus format."""
        path = self.directory / "facts.jsonl"
        path.write_bytes(b"".join(lines))
        return await import_file(self.target, corpus_format.READER, File.at(path), **options)

    async def read(
        self, *items: ReadFact | RefusedItem, version: str = "1", content: str = "x", **options: Any
    ) -> ImportOutcome:
        """Import the result of a lenient reader."""
        path = self.directory / "table.csv"
        path.write_text(content)
        reader = Reader(
            name="test",
            title="Test",
            version=version,
            licence="none",
            example="",
            recognise=lambda head, name: False,
            read=lambda file: iter(items),
        )
        return await import_file(self.target, reader, File.at(path), **options)

    async def facts(self) -> dict[str, Fact]:
        """Return the facts in the log by event id, without the receipts."""
        return {
            event.event_id: event.fact
            for event in await self.recorder.read()
            if not isinstance(event.fact, Receipt)
        }


def refusals(outcome: ImportOutcome) -> list[tuple[int, str | None, str]]:
    """Return the line, field and reason of every refusal."""
    return [(remark.line, remark.column, remark.reason) for remark in outcome.receipt.refused]


def counts(outcome: ImportOutcome) -> dict[str, int]:
    """Return the non-zero counts."""
    of = outcome.receipt.counts
    return {name: getattr(of, name) for name in of.__struct_fields__ if getattr(of, name)}


def cell(value: int, line: int = 2, *, id: str = "row", **more: Any) -> ReadFact:
    """Return a claim as from a reader."""
    claim = claimed(value, **more)
    return ReadFact(SourceLocation(line, "value"), PlannedEvent(claim.series.stream, claim, id))
