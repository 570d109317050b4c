"""Receipts: signed statements of answers.

The check needs the file and the keys of the log. It confirms that the log signed this answer and its
checkpoint. It does not derive the answer from the events: `tracker verify --receipt` does.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

VERSIONS = ("tracker-receipt/v1", "tracker-receipt/v2")
SIGNATURE = "— "
RECEIPT_TYPE = b"\xfftracker-receipt"
RECEIPT_CONTEXT = b"tracker-receipt-signature/v1\n"
CHECKPOINT_TYPE = b"\x01"


class BadReceipt(Exception):
    """A receipt that was altered, or that none of the keys signed."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """An answer with its signed statement."""

    note: str
    answer: bytes
    """The answer in canonical JSON."""

    @property
    def data(self) -> Any:
        """Return the answer."""
        return json.loads(self.answer)

    def file(self) -> bytes:
        """Return the content of a receipt file, for `tracker verify --receipt`."""
        note = json.dumps(self.note, ensure_ascii=False).encode()
        return b'{"answer":' + self.answer + b',"receipt":' + note + b"}"

    def save(self, path: str | Path) -> None:
        """Write the receipt to a file."""
        Path(path).write_bytes(self.file())


def verify_receipt(file: bytes | Receipt, keys: Iterable[str]) -> dict[str, Any]:
    """Return the statement of a receipt. Raises BadReceipt.

    `keys` are those of the log, in the form of `/log/key`. Get them from a place that you trust.
    """
    receipt = file if isinstance(file, Receipt) else read_receipt(file)
    trusted = [parse_key(key) for key in keys]
    text, signatures = split(receipt.note)
    version, _, rest = text.partition("\n")
    if version not in VERSIONS or not rest.endswith("\n"):
        raise BadReceipt("this is not a receipt of a known version")
    check(text, signatures, trusted, RECEIPT_TYPE, RECEIPT_CONTEXT, every=True)
    statement: dict[str, Any] = json.loads(rest)
    if sha256(receipt.answer).hexdigest() != statement["answerSha256"]:
        raise BadReceipt("the answer is not the signed one")
    head, cosignatures = split(statement["checkpoint"])
    check(head, cosignatures, trusted, CHECKPOINT_TYPE, b"", every=False)
    origins = {name for name, _ in trusted}
    if {statement["origin"], head.partition("\n")[0]} - origins:
        raise BadReceipt("the receipt names another log than the keys")
    return statement


def read_receipt(file: bytes) -> Receipt:
    """Return the receipt in a file. Raises BadReceipt."""
    text = file.decode()
    start = '{"answer":'
    try:
        _, end = json.JSONDecoder().raw_decode(text, len(start))
        note = json.loads(text)["receipt"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadReceipt(f"this is not a receipt file: {error}") from None
    if not text.startswith(start) or not isinstance(note, str):
        raise BadReceipt("this is not a receipt file in canonical JSON")
    return Receipt(note, text[len(start) : end].encode())


def parse_key(line: str) -> tuple[str, bytes]:
    """Return the name and the public key of a line `NAME+ID+KEY`."""
    name, _, rest = line.strip().partition("+")
    content = base64.b64decode(rest.partition("+")[2])
    if len(content) != 33 or content[0] != 1:
        raise BadReceipt(f"this is not the key of a log: {line.strip()[:80]!r}")
    return name, content[1:]


def split(note: str) -> tuple[str, list[str]]:
    """Return the text of a signed note, and its signature lines. Raises BadReceipt."""
    text, separator, lines = note.rpartition("\n\n")
    signatures = lines.splitlines()
    if (
        not separator
        or not signatures
        or not all(line.startswith(SIGNATURE) for line in signatures)
    ):
        raise BadReceipt("this is not a signed note")
    return f"{text}\n", signatures


def check(
    text: str,
    lines: list[str],
    keys: list[tuple[str, bytes]],
    kind: bytes,
    context: bytes,
    *,
    every: bool,
) -> None:
    """Check the signatures by the keys: every line must be one, or at least one. Raises BadReceipt."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    by_id = {
        (name, sha256(name.encode() + b"\n" + kind + key).digest()[:4]): key for name, key in keys
    }
    valid = 0
    for line in lines:
        name, _, encoded = line.removeprefix(SIGNATURE).rpartition(" ")
        try:
            content = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise BadReceipt("a signature is not base64") from None
        key = by_id.get((name, content[:4]))
        if key is None:
            if every:
                raise BadReceipt(f"an unknown key of {name} signed the receipt")
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(content[4:], context + text.encode())
        except InvalidSignature:
            raise BadReceipt(f"a signature of {name} is not valid") from None
        valid += 1
    if not valid:
        raise BadReceipt("none of the keys signed this")
