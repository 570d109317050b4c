"""Releases of the shipped data: each appends its new facts to the shipped log.

A release imports the corpus into an empty database that has the log of the release before. Every
installation copies the new entries, so that positions, ids and hashes are the same everywhere. Equal input
gives equal entries:

- All events of a release have one recording time, the beginning of its day (UTC).
- The salts of texts follow from their events. In other logs they are random, so that nobody can guess a
  redacted text. The texts of a release are public anyway.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from tracker.audit.bundle.packed import PackedLog, append_packed
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.frontier import root_of_leaves
from tracker.audit.sign.keystore import LogKeys
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.clock import FixedDay, use_clock
from tracker.corpus.copying import copy_shipped_log
from tracker.domain.entities.commitments import Annex
from tracker.domain.evidence.import_receipt import Receipt
from tracker.errors import InvalidInput
from tracker.log.annexes import StoredAnnex, export_line
from tracker.log.entries import RecordedEvent, recorded
from tracker.log.entry_hash import leaf_hash
from tracker.log.recorder import Recorder
from tracker.postgres.database import Target, connect, create_pool
from tracker.sources.importing.importer import import_file
from tracker.sources.reader import File
from tracker.sources.readers.corpus_format import SHIPPED_READER

ORIGIN = "critical-minerals-policy-tracker/shipped"
"""The name of the shipped log, and of its keys."""
TIME = re.compile(rb'(?<="time":")[^"]+')
"""The recording time in an entry; a later match is in its data."""


@dataclass(frozen=True)
class ReleaseClock(FixedDay):
    """The clock of a release: every instant is that of its events."""

    instant: datetime

    def now(self) -> datetime:
        """Return the recording time of the release."""
        return self.instant


class Release(Struct, frozen=True):
    """The head of the shipped log after a release, and the number of events before it."""

    head: TrustedCheckpoint
    before: int


async def append_release(
    target: Target, directory: Path, corpus: File, keys: LogKeys, day: date
) -> Release | None:
    """Append the new facts of a corpus to the shipped log in a directory; None if the log has this corpus.

    `target` is an empty database with tables, which serves as a scratch pad. `day` is the day of the release
    (UTC). Raises InvalidInput (REFUSED_FACT) if a rule refuses a line, and Rejected for an altered log; then
    nothing is written.
    """
    log = PackedLog(directory)
    if await has_corpus(log, corpus):
        return None
    entries = await log.all_entries()
    older = (await log.trust()).keys if entries else ()
    pool, connection = await create_pool(target), await connect(target)
    try:
        await copy_shipped_log(connection, pool, log)
        recorder = Recorder(pool)
        at = datetime.combine(day, time(), UTC)
        if entries:
            [last] = await recorder.read(len(entries) - 1)
            at = max(at, last.recorded_at + timedelta(microseconds=1))
        with use_clock(ReleaseClock(day, at)):
            outcome = await import_file(target, SHIPPED_READER, corpus)
        if outcome.refused:
            first = outcome.receipt.refused[0]
            raise InvalidInput(
                f"{corpus.name}, line {first.line}: {first.reason}; expected facts that the rules accept",
                code="REFUSED_FACT",
            )
        events = list[RecordedEvent]()
        while page := await recorder.read(len(entries) + len(events)):
            events += page
        annexes = await recorder.annexes.by_position([event.position for event in events])
    finally:
        await connection.close()
        await pool.close()
    made = [released(event, annexes[event.position], at) for event in events]
    new = [entry for entry, _ in made]
    root = root_of_leaves([leaf_hash(entry) for entry in (*entries, *new)])
    note = keys.sign(checkpoint := Checkpoint(keys.origin, len(entries) + len(new), root))
    head = TrustedCheckpoint(str(note).encode(), checkpoint, keys.verifiers)
    signers = tuple(dict.fromkeys((*older, *keys.all)))
    TrustPolicy(signers).verify_head(head.note, "the checkpoint")
    append_packed(log, new, [line for _, lines in made for line in lines], head, signers)
    return Release(head, len(entries))


async def has_corpus(log: PackedLog, corpus: File) -> bool:
    """Return whether the newest release of a shipped log is of this corpus. Raises Rejected (BAD_LENGTH)."""
    entries = await log.all_entries()
    receipt = recorded(entries[-1]).fact if entries else None
    return isinstance(receipt, Receipt) and receipt.sha256 == corpus.sha256()


def released(
    event: RecordedEvent, annexes: list[StoredAnnex], at: datetime
) -> tuple[bytes, list[bytes]]:
    """Return the entry of an event with the time of a release and derived salts, and the lines of its
    texts."""
    entry, lines = TIME.sub(at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode(), event.entry, count=1), []
    for annex in sorted(annexes, key=lambda one: one.field):
        seed = f"tracker-shipped-salt/v1\n{event.event_id}\n{annex.field}\n"
        salt, text = sha256(seed.encode()).digest(), annex.text or ""
        commitment = Annex(annex.field, salt, text).commitment
        entry = entry.replace(annex.commitment.encode(), commitment.encode())
        lines.append(export_line(StoredAnnex(commitment, event.position, annex.field, salt, text)))
    return entry, lines
