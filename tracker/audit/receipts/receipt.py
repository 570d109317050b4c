"""Receipts: their files, signatures, and the checks that need no log. Pure.

Faults are raised as Rejected. The codes:

    BAD_RECEIPT          the file or its statement cannot be parsed, or contradicts itself
    BAD_SIGNATURE        the signature of a trusted key does not fit the statement
    UNKNOWN_KEY          a key that is not trusted has signed the statement, or no trusted key its checkpoint
    BAD_CHECKPOINT       the checkpoint cannot be parsed
    WRONG_ORIGIN         the checkpoint is of another log
    NOT_WITNESSED        a required witness has not signed the checkpoint
    WRONG_ANSWER_TEXT    the answer in the file is not the signed one
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from tracker.audit.format.signed_note import Note, Signer, Verifier
from tracker.audit.receipts.canonical import canonical_json
from tracker.audit.receipts.statement import Statement, StatementV1, parse_statement
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.errors import InvalidInput, NotProven, Rejected, TooLarge
from tracker.snapshots.digest import sha256_of

MAX_RECEIPT_BYTES = 64 * 1024 * 1024
"""Maximum size of the file of a receipt."""
MAX_STATEMENT_BYTES = 900_000
"""Maximum size of a statement. A note has at most a million bytes (C2SP)."""


class ReceiptFile(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The content of the file of a receipt."""

    receipt: str
    answer: Any
    timestamp: str | None = None

    def __str__(self) -> str:
        """Return the file as canonical JSON with a final newline. Raises InvalidInput."""
        return canonical_json(msgspec.to_builtins(self)).decode() + "\n"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt: its signed note, its statement, the answer, and a timestamp (RFC 3161)."""

    note: Note
    statement: StatementV1
    answer: Any = None
    """The data of the response; None if the statement omits it."""
    timestamp: str | None = None
    """A token of a timestamp authority in base64."""

    def __str__(self) -> str:
        """Return the file."""
        return str(ReceiptFile(str(self.note), self.answer, self.timestamp))

    @staticmethod
    def of(note: str, answer: Any, timestamp: str | None = None) -> Receipt:
        """Return the receipt of a note and the data of its answer. Raises Rejected (BAD_RECEIPT)."""
        try:
            parsed = Note.parse(note.encode())
            statement = parse_statement(parsed.text)
        except (NotProven, InvalidInput) as error:
            raise Rejected("BAD_RECEIPT", f"the receipt: {error.message}") from None
        return Receipt(parsed, statement, None if statement.answer_omitted else answer, timestamp)

    @staticmethod
    def parse(data: bytes) -> Receipt:
        """Parse a file. It must be canonical JSON, so that no byte of it is without meaning.

        Raises Rejected (BAD_RECEIPT).
        """
        if len(data) > MAX_RECEIPT_BYTES:
            raise Rejected("BAD_RECEIPT", f"the file has more than {MAX_RECEIPT_BYTES} bytes")
        try:
            file = msgspec.json.decode(data, type=ReceiptFile)
            canonical = str(file).encode() == data.removesuffix(b"\n") + b"\n"
        except (msgspec.DecodeError, UnicodeDecodeError, InvalidInput, RecursionError) as error:
            raise Rejected("BAD_RECEIPT", f"the file is not a receipt: {error}") from None
        if not canonical:
            raise Rejected(
                "BAD_RECEIPT",
                "the file is not canonical JSON (RFC 8785): expected the file as it was issued",
            )
        receipt = Receipt.of(file.receipt, file.answer, file.timestamp)
        if receipt.statement.answer_omitted and file.answer is not None:
            raise Rejected("BAD_RECEIPT", "the statement omits the answer: expected null")
        return receipt

    def verify(self, trust: TrustPolicy) -> TrustedCheckpoint:
        """Check signatures and the digest of the answer, and return the checkpoint. Raises Rejected."""
        statement = self.statement
        if {key.name for key in signed_by(self.note, trust.keys)} != {statement.origin}:
            raise Rejected("WRONG_ORIGIN", f"no key of {statement.origin!r} signed the receipt")
        checkpoint = trust.verify_head(
            statement.checkpoint.encode(), "the checkpoint of the receipt"
        )
        if checkpoint.checkpoint.origin != statement.origin:
            raise Rejected("WRONG_ORIGIN", f"the receipt is of {statement.origin!r}")
        if checkpoint.size < statement.last_position:
            raise Rejected(
                "BAD_RECEIPT",
                f"the checkpoint has {checkpoint.size} events, the answer needs"
                f" {statement.last_position}",
            )
        if not statement.answer_omitted:
            digest = sha256_of(canonical_json(self.answer))
            if digest != statement.answer_sha256:
                raise Rejected(
                    "WRONG_ANSWER_TEXT",
                    "the answer in the file is not the signed one: expected the SHA-256"
                    f" {statement.answer_sha256}, it has {digest}",
                )
        return checkpoint


def receipt_file(note: Note, answer: bytes, timestamp: str | None = None) -> bytes:
    """Return the file of a receipt whose answer is canonical JSON already; `null` for one that is omitted."""
    text = canonical_json(str(note))
    stamp = b"" if timestamp is None else b',"timestamp":' + canonical_json(timestamp)
    return b'{"answer":%s,"receipt":%s%s}\n' % (answer, text, stamp)


def sign(statement: StatementV1, signers: Iterable[Signer]) -> Note:
    """Return a statement signed by each key of the log, in the order of ids. Raises TooLarge."""
    text = statement.text
    if len(text.encode()) > MAX_STATEMENT_BYTES:
        raise TooLarge(
            f"expected a statement of at most {MAX_STATEMENT_BYTES} bytes: shorten the document or"
            " its variables"
        )
    lines = (signer.for_receipts.sign(text) for signer in signers)
    return Note(text, tuple(sorted(lines, key=lambda line: (line.name, line.id))))


def signed_by(note: Note, keys: Iterable[Verifier]) -> tuple[Verifier, ...]:
    """Return the keys of the log that signed a receipt: one for each line. Raises Rejected."""
    trusted = {(key.name, key.for_receipts.id): key for key in keys}
    lines = [(signature.name, signature.id) for signature in note.signatures]
    for name, id in lines:
        if (name, id) not in trusted:
            known = ", ".join(f"{key.name} ({key.id:08x})" for key in trusted.values())
            raise Rejected(
                "UNKNOWN_KEY",
                f"the receipt is signed by {name} with a key that you do not trust (its id for receipts is"
                f" {id:08x}): expected {known}. Add all keys of the log",
            )
    ordered = sorted({*lines})
    if lines != (ordered if note.text.startswith(Statement.header) else [*dict.fromkeys(lines)]):
        raise Rejected(
            "BAD_RECEIPT",
            "the receipt repeats the signature of a key, or has another order of keys",
        )
    signers = tuple(trusted[line] for line in lines)
    try:
        note.verified_by([key.for_receipts for key in signers])
    except NotProven as error:
        raise Rejected("BAD_SIGNATURE", f"the receipt: {error.message}") from None
    return signers
