"""Reading annexes: the texts that entries commit to, or the events that redacted them.

`log.append` writes them with their events. The log itself empties them when a redaction is recorded: see
migrations/0020_log.sql.
"""

from collections.abc import AsyncIterator, Collection, Iterable
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from tracker.domain.basics.codec import encode
from tracker.domain.entities.commitments import SCHEME, commitments_in
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.redaction import Redacted, RedactedText, redacted_texts
from tracker.log.entries import RecordedEvent, recorded
from tracker.postgres.database import Connection, Pool, named_queries

SQL = named_queries(Path(__file__).with_name("annexes.sql"))
PAGE_ANNEXES = 1000


class StoredAnnex(Struct, frozen=True):
    """A stored annex: the text with its salt, or the redaction that removed them.

    `position` is that of the event, `field` the JSON Pointer to the commitment in its data.
    """

    commitment: str
    """The commitment in the entry: `salted-sha256-v1:` and the SHA-256 of salt and text, in hexadecimal
    digits."""
    position: int
    field: str
    """The field of the event's data with the commitment, as a JSON Pointer: `/note`, `/quotation`,
    `/clauses/0/note`."""
    salt: bytes | None
    text: str | None
    """The text; null if it was redacted."""
    redaction: RecordedEvent | None = None

    @property
    def redacted_text(self) -> RedactedText | None:
        """The redaction of the text; None if the text is not redacted."""
        if self.redaction is None:
            return None
        known = self.redaction.known
        assert isinstance(known.fact, Redacted)
        return next(gone for gone in redacted_texts(known, known.fact) if gone.field == self.field)


class Annexes:
    """The annexes of one log."""

    def __init__(self, pool: Pool):
        self.pool = pool

    async def texts(self, facts: Iterable[Fact]) -> dict[str, str]:
        """Return the texts that facts commit to, by commitment, without redacted ones."""
        async with self.pool.acquire() as connection:
            return await read_texts(connection, facts)

    async def by_commitment(self, commitments: Collection[str]) -> dict[str, StoredAnnex]:
        """Return the annexes of some commitments."""
        rows = await self.pool.fetch(SQL.of, [_digest(commitment) for commitment in commitments])
        return {annex.commitment: annex for annex in map(_stored_annex, rows)}

    async def by_position(self, positions: Collection[int]) -> dict[int, list[StoredAnnex]]:
        """Return the annexes of the events at some positions, by position; an empty list for none."""
        annexes: dict[int, list[StoredAnnex]] = {position: [] for position in positions}
        for row in await self.pool.fetch(SQL.at, list(annexes)):
            annexes[row["position"]].append(_stored_annex(row))
        return annexes

    async def pages(
        self, position: int, until: int, size: int = PAGE_ANNEXES
    ) -> AsyncIterator[list[StoredAnnex]]:
        """Yield the annexes of the events after one position up to another, in order, in pages."""
        place = position, "~"  # sorts after the name of every field
        while rows := await self.pool.fetch(SQL.page, *place, until, size):
            place = rows[-1]["position"], rows[-1]["field"]
            yield [_stored_annex(row) for row in rows]


class AnnexLine(msgspec.Struct, omit_defaults=True):
    """An annex in the export format.

    `position` is that of the event. `redaction` is the position of the redaction that removed salt
    (hexadecimal) and text.
    """

    position: str
    field: str
    commitment: str
    salt: str | None = None
    text: str | None = None
    redaction: str | None = None


def export_line(annex: StoredAnnex) -> bytes:
    """Return the line of an annex, with its line end."""
    return (
        encode(
            AnnexLine(
                str(annex.position),
                annex.field,
                annex.commitment,
                annex.salt.hex() if annex.salt else None,
                annex.text,
                str(annex.redaction.position) if annex.redaction else None,
            )
        )
        + b"\n"
    )


async def read_texts(connection: Connection, facts: Iterable[Fact]) -> dict[str, str]:
    """Return the texts by commitment over a connection."""
    digests = [
        _digest(commitment) for fact in facts for commitment in commitments_in(fact).values()
    ]
    if not digests:
        return {}
    return {
        _commitment(row["commitment"]): row["text"]
        for row in await connection.fetch(SQL.texts, digests)
    }


def _stored_annex(row: asyncpg.Record) -> StoredAnnex:
    return StoredAnnex(
        _commitment(row["commitment"]),
        row["position"],
        row["field"],
        row["salt"],
        row["text"],
        recorded(row["redaction"]) if row["redaction"] else None,
    )


def _digest(commitment: str) -> bytes:
    return bytes.fromhex(commitment.removeprefix(f"{SCHEME}:"))


def _commitment(digest: bytes) -> str:
    return f"{SCHEME}:{digest.hex()}"
