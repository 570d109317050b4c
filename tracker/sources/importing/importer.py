"""Imports: read a file, check each fact, and record all or nothing.

A run stages its events (`staging`), then appends them and its receipt in one transaction. If a file is
invalid, changes during the import, or breaks a rule of a strict format, nothing is recorded.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Protocol

from msgspec import Struct

from tracker import clock
from tracker.auth.scopes import IMPORT_ACTOR
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, referenced_alliances
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import Checked
from tracker.domain.entities.entity import Entity, Retracted
from tracker.domain.entities.fact import Fact, Source
from tracker.domain.evidence.import_receipt import Import, Receipt
from tracker.errors import InvalidInput, TrackerError
from tracker.log.entries import NewEvent
from tracker.postgres.database import Target
from tracker.sources.importing.receipt_builder import ReceiptBuilder, RemarkListener, printable
from tracker.sources.importing.reconcile import (
    RETRACTION_SUFFIX,
    ItemOutcome,
    Resolution,
    reconcile,
)
from tracker.sources.importing.staging import Staging, staging
from tracker.sources.reader import (
    ZIP_MAGIC,
    File,
    Item,
    Reader,
    ReadFact,
    RefusedItem,
    SourceLocation,
    dotted_path,
)
from tracker.sources.text_files import encoding

ACTOR = IMPORT_ACTOR
"""The actor of imported facts."""
BATCH_FACTS = 1000
MAX_DIFFERENCES = 20


class Progress(Protocol):
    """Callback for the progress of a run: its step, and the number of newly completed items."""

    def __call__(self, doing: str, more: int, of: int | None = None) -> None:
        """Report completed items, and the total if it is known."""


def no_progress(doing: str, more: int, of: int | None = None) -> None:
    """Ignore progress."""


class EntityDifference(Struct, frozen=True):
    """Effect of an import on one entity: a new fact, and the fact that it replaces."""

    came: str
    at: SourceLocation | None
    stream: str
    fact: Fact
    before: Fact | None = None


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """Outcome of an import, or of a dry run: its receipt, and its first differences.

    `position` is that of the receipt. It is None if nothing was recorded: on a dry run, and if the file was
    `refused`, because a strict format has invalid items.
    """

    receipt: Receipt
    differences: list[EntityDifference]
    refused: bool
    position: int | None = None


@dataclass(slots=True)
class ImportRun:
    """One run of a reader over one file."""

    reader: Reader
    file: File
    sha256: str
    on: date
    staging: Staging
    receipt_builder: ReceiptBuilder
    actor: str
    differences: list[EntityDifference] = field(default_factory=list)
    founded: set[str] = field(default_factory=set)
    before: str = "an earlier import"
    """The previous import of the file, in words for the reasons of corrections."""


async def import_file(
    target: Target,
    reader: Reader,
    file: File,
    *,
    skip_refused: bool = False,
    dry_run: bool = False,
    actor: str = ACTOR,
    progress: Progress = no_progress,
    listen: RemarkListener | None = None,
) -> ImportOutcome:
    """Import a file and return its outcome once it is durable.

    `skip_refused` imports the valid items of a strict format; `dry_run` records nothing. `listen` is called
    for every refused and suspect item. Raises InvalidInput or TooLarge for an invalid file, and
    VersionConflict if the same entities were changed meanwhile.
    """
    tally = ReceiptBuilder(listen) if listen else ReceiptBuilder()
    async with staging(target) as stage:
        if not file.beginning().startswith(ZIP_MAGIC):
            file = replace(file, encoding=encoding(file, reader.encoding))
        run = ImportRun(reader, file, file.sha256(), clock.today(), stage, tally, actor)
        earlier = [item async for item in stage.receipts(reader.name)] if reader.corrects else []
        same = [
            (position, receipt)
            for position, receipt in earlier
            if receipt.sha256 == run.sha256 and receipt.reader_version != reader.version
        ]
        run.before = _previous_reader(run, [receipt for _, receipt in earlier])
        for batch in _batches(reader.read(file)):
            await _process_batch(run, batch)
            progress("reading", len(batch))
        for position, receipt in same:
            await _retract_unread(run, position - receipt.events, position)
        outcome = _finish(run, strict=reader.strict and not skip_refused)
        if outcome.refused or dry_run:
            return outcome
        position = await stage.append(
            _receipt_event(outcome.receipt, actor),
            lambda more: progress("recording", more, stage.count),
        )
        return replace(outcome, position=position)


def _finish(run: ImportRun, *, strict: bool) -> ImportOutcome:
    """Finish an import and return its outcome. Raises InvalidInput if the file changed meanwhile."""
    if run.file.sha256() != run.sha256:
        raise InvalidInput(
            f"{run.file.name} changed while it was read: import it again", code="FILE_CHANGED"
        )
    receipt = run.receipt_builder.receipt(
        run.reader, run.file, run.sha256, run.staging.count, run.on
    )
    return ImportOutcome(receipt, run.differences, refused=strict and receipt.counts.refused > 0)


def _receipt_event(receipt: Receipt, actor: str) -> NewEvent:
    """Return the event of a receipt, under an id that sorts by time."""
    moment = clock.now().strftime("%Y%m%dT%H%M%S%f")
    id = f"{moment}-{receipt.sha256[:12]}"
    stream = f"import/{id}"
    return decide(Import.empty(stream), PlannedEvent(stream, receipt, f"import-{id}"), (), actor)


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, BATCH_FACTS)):
        yield batch


async def _process_batch(run: ImportRun, batch: Iterable[Item]) -> None:
    """Check some items and stage their events."""
    facts = [item for item in batch if isinstance(item, ReadFact)]
    ids = [item.planned.event_id for item in facts]
    entities = dict(await run.staging.entities(item.planned.stream for item in facts))
    in_log = await run.staging.streams_of(ids)
    moved = [
        item.planned.event_id
        for item in facts
        if in_log.get(item.planned.event_id, item.planned.stream) != item.planned.stream
    ]
    taken = run.staging.not_imported | await run.staging.find_not_imported(moved)
    seen = await run.staging.lines_seen(ids)
    run.founded |= await run.staging.existing_streams(
        sorted(referenced_alliances(item.planned.fact for item in facts) - run.founded)
    )
    events: list[NewEvent] = []
    for item in batch:
        if isinstance(item, RefusedItem):
            run.receipt_builder.refuse(item)
            continue
        planned = item.planned
        of_other_entity = in_log.get(planned.event_id, planned.stream) != planned.stream
        verdict = reconcile(
            item,
            entities[planned.stream],
            seen.get(planned.event_id),
            of_other_entity,
            _retraction_maker(run, item.at),
            taken=planned.event_id in taken,
        )
        made = _decide_events(run, item, verdict, entities)
        if made is not None:
            events += made
            seen.setdefault(planned.event_id, item.at.line)
    await run.staging.stage(events)
    await run.staging.mark_seen(seen)


def _decide_events(
    run: ImportRun, item: ReadFact, verdict: Resolution, entities: dict[str, Entity]
) -> list[NewEvent] | None:
    """Return the events of a resolution; None if it, or a rule, refuses the fact."""
    stream = item.planned.stream
    if verdict.outcome is ItemOutcome.REFUSED:
        run.receipt_builder.refuse(
            RefusedItem(item.at, verdict.reason, item.planned.event_id, verdict.code)
        )
        return None
    entity = entities[stream]
    version = entity.version
    try:
        events = [decide(entity, planned, run.founded, run.actor) for planned in verdict.plan]
    except TrackerError as error:
        entity.forget_after(version)
        at = SourceLocation(item.at.line, item.at.column or dotted_path(error))
        run.receipt_builder.refuse(RefusedItem.because(at, error, item.planned.event_id))
        return None
    if stream.startswith("alliance/"):
        run.founded.add(stream)
    _count(run, item, verdict)
    return events


def _count(run: ImportRun, item: ReadFact, verdict: Resolution) -> None:
    run.receipt_builder.outcomes[verdict.outcome] += 1
    if verdict.warning:
        run.receipt_builder.suspect_of(item.at, verdict.warning, item.planned.event_id)
    if verdict.plan and len(run.differences) < MAX_DIFFERENCES:
        run.differences.append(
            EntityDifference(
                verdict.outcome, item.at, item.planned.stream, item.planned.fact, verdict.before
            )
        )


# --- corrections


def _retraction_maker(run: ImportRun, at: SourceLocation) -> Callable[[str], Retracted] | None:
    """Return a function that retracts the earlier fact of a place; None if ids are set by the author."""
    if not run.reader.corrects:
        return None
    place = f"line {at.line}" + (f", {at.column}" if at.column else "")
    return lambda event_id: _retraction_event(run, event_id, f"reads {place} otherwise")


def _retraction_event(run: ImportRun, event_id: str, target: str) -> Retracted:
    reader, day = run.reader, PartialDate(run.on.isoformat())
    return Retracted(
        retracts=event_id,
        reason=printable(
            f"Reader {reader.name} {reader.version} {target} in {run.file.name} than {run.before}",
            500,
        ),
        source=Source(
            publisher="tracker",
            name=printable(f"Import of {run.file.name}"),
            published_on=day,
            checked=Checked.DATA_FILE,
        ),
    )


def _previous_reader(run: ImportRun, earlier: list[Receipt]) -> str:
    """Return the last import of this file, or of another one of its name."""
    same = [r for r in earlier if run.sha256 == r.sha256]
    named = [r for r in earlier if run.file.name == r.file]
    if same:
        return f"reader {same[-1].reader} {same[-1].reader_version}"
    if named:
        return f"reader {named[-1].reader} {named[-1].reader_version} in the file of {named[-1].on}"
    return "an earlier import"


async def _retract_unread(run: ImportRun, first: int, end: int) -> None:
    """Retract facts that an earlier version of the reader read in this file and this one does not."""
    for event_id, stream in await run.staging.not_seen(first, end):
        entity = (await run.staging.entities([stream]))[stream]
        fact = _retraction_event(run, event_id, "reads nothing any more where it stood")
        try:
            event = decide(
                entity, PlannedEvent(stream, fact, f"{event_id}{RETRACTION_SUFFIX}"), (), run.actor
            )
        except TrackerError:  # already retracted, by an import or a person
            continue
        await run.staging.stage([event])
        run.receipt_builder.withdrawn += 1
        if len(run.differences) < MAX_DIFFERENCES:
            run.differences.append(EntityDifference("withdrawn", None, stream, fact))
