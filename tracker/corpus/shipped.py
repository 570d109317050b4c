"""The shipped log, and the part of a database that is its beginning."""

from pathlib import Path

from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.merkle import covering_subtrees
from tracker.audit.format.signed_note import Note
from tracker.audit.serve.proofs import read_hashes
from tracker.domain.evidence.import_receipt import Receipt
from tracker.errors import NotProven
from tracker.log.recorder import Recorder
from tracker.postgres.database import Connection

SHIPPED_LOG = Path(__file__).with_name("log")
"""The directory of the shipped log, a packed bundle."""


def releases(log: Path) -> list[Checkpoint]:
    """Return the heads of the releases of a shipped log, oldest first. Raises NotProven."""
    notes = [path.read_bytes() for path in log.glob("checkpoints/*")]
    heads = [Checkpoint.parse(Note.parse(note).text) for note in notes]
    return sorted(heads, key=lambda head: head.size)


async def shipped_size(connection: Connection, log: Path = SHIPPED_LOG) -> int:
    """Return the number of events at the start of a database that are a release of the shipped log; 0 if it
    begins otherwise."""
    for release in reversed(releases(log)):
        try:
            nodes = covering_subtrees(0, release.size)
            if (await read_hashes(connection, nodes, release.size)).root() == release.root:
                return release.size
        except NotProven:  # the database has fewer events, or none of their tiles
            continue
    return 0


async def was_imported(recorder: Recorder, sha256: str) -> bool:
    """Return whether the log has a receipt for a file of this content."""
    after = 0
    while events := await recorder.read(after, types=["Import.Recorded"]):
        if any(isinstance(e.fact, Receipt) and e.fact.sha256 == sha256 for e in events):
            return True
        after = events[-1].position
    return False
