"""Acts of the last release: they keep their ids, and a demo that has recorded them is corrected.

`released.txt` has the id, the type and the entity of each, in the order of that corpus.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from rich.console import Console

from deploy.bootstrap import running_tracker
from deploy.cli.import_progress import load_corpus
from schema.services import Services
from tests.support.api import Api
from tests.support.corpus_lines import shipped_events
from tracker.commands.commands import PlannedEvent
from tracker.domain.entities.entity import TYPES
from tracker.domain.evidence.import_receipt import Receipt
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.reader import File
from tracker.sources.readers import corpus_format
from tracker.sources.readers.corpus_format import format_line

RELEASED = Path(__file__).with_name("released.txt").read_text("utf-8").splitlines()

CONTROLS = """query ($day: Day!) { asOf(validAt: $day) {
    exports: exportControls(direction: EXPORT, first: 200) { ...Controls }
    imports: exportControls(direction: IMPORT, first: 200) { ...Controls }
    alliances(first: 200) { nodes { key members { place { code } } } }
    announcements(first: 1) { totalCount }
} }
fragment Controls on ExportControlConnection { totalCount pageInfo { hasNextPage } nodes {
    key title instrument because { type }
    clauses { key status assumed inForceFrom inForceUntil ratePercent }
    disputes { account }
} }"""


def content(planned: PlannedEvent) -> str:
    """Return a line of `released.txt`."""
    return f"{planned.event_id} {TYPES[type(planned.fact)]} {planned.stream}"


def test_a_released_act_keeps_its_id_its_type_and_its_entity() -> None:
    missing = set(RELEASED) - set(map(content, shipped_events().values()))
    assert not missing, "a demo could not correct these: keep them, and add acts beside them"


@pytest.mark.nightly
async def test_a_demo_with_the_released_acts_shows_the_shipped_ones_after_its_next_start(
    target: Target, read_services: Services, tmp_path: Path
) -> None:
    released = tmp_path / "corpus.jsonl"
    released.write_bytes(b"".join(earlier(line.split()[0]) for line in RELEASED))
    reader = replace(corpus_format.READER, corrects=True)
    first = await import_file(target, reader, File.at(released), skip_refused=True)
    assert (first.receipt.counts.new, first.receipt.counts.refused) == (len(RELEASED), 0)
    async with running_tracker(target) as services:
        await load_corpus(target, services, Console(quiet=True))
        [last] = await services.recorder.read(await services.recorder.head() - 1)
        receipt = last.fact
        assert isinstance(receipt, Receipt)
        changed = sum(" ExportControl." in line for line in RELEASED)
        assert (receipt.counts.corrected, receipt.refused) == (changed, ())
        for day in ("2010-01-01", "2023-06-01", "2025-02-01", "2026-02-01", "2026-12-05"):
            assert await answers(services, day) == await answers(read_services, day)


def earlier(id: str) -> bytes:
    """Return a shipped act as a line; an act on controls has an earlier note."""
    planned = shipped_events()[id]
    fact, type_ = planned.fact, TYPES[type(planned.fact)]
    if type_.startswith("ExportControl."):
        fact = structs.replace(fact, note="An earlier account.")
    return format_line(id, type_, fact, planned.stream)


async def answers(services: Services, day: str) -> Any:
    """Return the controls, alliances and announcements on a day."""
    found = await Api(services).ask(CONTROLS, day=day)
    for direction in ("exports", "imports"):
        assert not found["asOf"][direction]["pageInfo"]["hasNextPage"]
        for node in found["asOf"][direction]["nodes"]:
            # A corrected act comes later in one log than in the other.
            node["because"].sort(key=str)
    return found
