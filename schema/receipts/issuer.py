"""The issuer of receipts: signs the answer to a query that fixes every moment."""

import asyncio
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import TypeVar

from msgspec import Struct

from schema.execution.documents import parsed_document
from schema.execution.fixed_moments import is_pinned, with_defaults
from schema.execution.response_cache import Answer, QueryRequest
from schema.execution.schema import CORE_SCHEMA
from schema.receipts.derivation import DERIVATION
from schema.receipts.moment_records import moment_record
from schema.receipts.operations import receipt_operation
from schema.receipts.timestamps import TimestampAuthority
from schema.services import Access, Services
from tracker import clock
from tracker.audit.format.signed_note import Note
from tracker.audit.receipts.canonical import canonical_answer
from tracker.audit.receipts.receipt import receipt_file, sign
from tracker.audit.receipts.statement import MAX_MOMENTS, Statement
from tracker.audit.serve.proofs import StoredCheckpoint
from tracker.audit.sign.keystore import LogKeys
from tracker.auth.scopes import Scope
from tracker.errors import InvalidInput, NotFound, Unavailable
from tracker.snapshots.digest import sha256_of

PRODUCT = "critical-minerals-policy-tracker"
SIGNATURE_TIMEOUT_SECONDS = 2.0
"""Maximum time in seconds that a receipt waits for a checkpoint that covers its answer."""
POLL_SECONDS = 0.1
HEAD_SECONDS = 1.0
"""Time in seconds for which keys and checkpoint are reused."""
MAX_LOOP_BYTES = 64 * 1024
"""Maximum size of an answer that is hashed in the event loop."""
NO_TIMESTAMP = "no timestamp: the authority returned no valid one in time"

T = TypeVar("T")


class SigningHead(Struct, frozen=True):
    """The keys of the log and its newest checkpoint, with the time when they were read."""

    keys: LogKeys
    checkpoint: StoredCheckpoint
    read_at: float


class IssuedFile(Struct, frozen=True):
    """The file of a receipt, with a remark if it lacks its timestamp."""

    content: bytes
    remark: str | None = None


class ReceiptIssuer:
    """Issues receipts with the keys of the log, if this process signs it."""

    def __init__(
        self, services: Services, access: Access, authority: TimestampAuthority | None = None
    ):
        self._services = services
        self._access = access
        self._authority = authority
        self._head: SigningHead | None = None

    async def file(
        self, request: QueryRequest, answer: Answer, *, with_timestamp: bool = True
    ) -> IssuedFile:
        """Return the receipt of an answer as a file. Raises as `note`.

        With a timestamp authority, the file has a timestamp, unless the authority does not answer.
        """
        note = await self.note(request, answer)
        data = b"null" if self._omits_answers else await _of_data(answer, canonical_answer)
        if not with_timestamp or self._authority is None:
            return IssuedFile(receipt_file(note, data))
        timestamp = await self._authority.timestamp(str(note))
        remark = None if timestamp else NO_TIMESTAMP
        return IssuedFile(receipt_file(note, data, timestamp), remark)

    @property
    def _omits_answers(self) -> bool:
        """Return whether reading needs a token, so that receipts do not contain the answers."""
        return Scope.READ not in self._access.anyone().scopes

    async def note(self, request: QueryRequest, answer: Answer) -> Note:
        """Return the signed statement of an answer.

        Raises InvalidInput (NOT_FIXED, NO_KEY, TOO_MANY_MOMENTS, NOT_CANONICAL), TooLarge, and Unavailable
        (NOT_SIGNED_YET).
        """
        await self._check_fixed(request, answer)
        operation = await asyncio.to_thread(
            receipt_operation, request.document, request.operation, request.variables
        )
        head = await self._signing_head(max(moment.position for moment in answer.moments))
        statement = Statement(
            operation=operation,
            moments=tuple(
                [await moment_record(self._services.as_of, moment) for moment in answer.moments]
            ),
            answer_sha256=await answer_digest(answer),
            answer_omitted=self._omits_answers,
            schema_sha256=schema_digest(),
            derivation=DERIVATION,
            software=software(),
            checkpoint=head.checkpoint.note,
            issued_at=clock.now().replace(microsecond=0),
            origin=head.keys.origin,
        )
        return sign(statement, head.keys.signers)

    async def _check_fixed(self, request: QueryRequest, answer: Answer) -> None:
        """Check that an answer fixes from one to ten moments. Raises InvalidInput."""
        if not answer.immutable or not answer.moments:
            fields = await self._open_fields(request)
            raise InvalidInput(
                f"the answer of {', '.join(fields)} can change: fix validAt and position of asOf and of"
                " `to` in changes and shipmentChanges, and from, to and position of over; remove other"
                " fields",
                code="NOT_FIXED",
                path=fields[:1],
            )
        if len(answer.moments) > MAX_MOMENTS:
            raise InvalidInput(
                f"the answer has {len(answer.moments)} moments: expected at most {MAX_MOMENTS} for a"
                " receipt",
                code="TOO_MANY_MOMENTS",
            )

    async def _open_fields(self, request: QueryRequest) -> Sequence[str]:
        """Return the root fields of a query that do not fix every moment."""
        parsed = await parsed_document(CORE_SCHEMA, request.document, self._access.introspection)
        fields, operation = parsed.query(request.operation), parsed.operation(request.operation)
        variables = with_defaults(operation, request.variables) if operation else {}
        names = [each.name.value for each in fields or () if not is_pinned(each, variables)]
        return [*dict.fromkeys(names)] or ["asOf"]

    async def _signing_head(self, position: int) -> SigningHead:
        """Return the keys, and a checkpoint that covers a position.

        Waits for the publisher. Raises InvalidInput (NO_KEY) and Unavailable (NOT_SIGNED_YET).
        """
        head, now = self._head, monotonic()
        if head and head.checkpoint.size >= position and now - head.read_at < HEAD_SECONDS:
            return head
        if self._services.publisher is None:
            raise InvalidInput(
                "this server does not sign the log, so it cannot sign receipts: query one that does"
                + (f", {mirror.address}" if (mirror := self._services.mirror) else ""),
                code="NO_KEY",
            )
        keys = await self._services.publisher.signing_keys()
        while (checkpoint := await self._checkpoint(position)) is None:
            if monotonic() - now > SIGNATURE_TIMEOUT_SECONDS:
                raise Unavailable(
                    f"no checkpoint covers position {position} yet: try again in a few seconds, or"
                    " use an earlier position",
                    code="NOT_SIGNED_YET",
                )
            await asyncio.sleep(POLL_SECONDS)
        self._head = SigningHead(keys, checkpoint, monotonic())
        return self._head

    async def _checkpoint(self, position: int) -> StoredCheckpoint | None:
        """Return the newest checkpoint if it covers a position."""
        try:
            newest = await self._services.proofs.last()
        except NotFound:
            return None
        return newest if newest.size >= position else None


async def answer_digest(answer: Answer) -> str:
    """Return the SHA-256 of the canonical data of an answer."""
    return await _of_data(answer, lambda data: sha256_of(canonical_answer(data)))


async def _of_data(answer: Answer, derive: Callable[[bytes], T]) -> T:
    """Return a value of the data of an answer; that of large ones from a thread."""
    if len(answer.data) <= MAX_LOOP_BYTES:
        return derive(answer.data)
    return await asyncio.to_thread(derive, answer.data)


@cache
def software() -> str:
    """Return the name and the version of this program; reading them takes two milliseconds."""
    return f"{PRODUCT} {version(PRODUCT)}"


@cache
def schema_digest() -> str:
    """Return the SHA-256 of the GraphQL schema, as `/schema.graphql` has it."""
    return sha256_of((Path(__file__).parents[1] / "schema.graphql").read_bytes())
