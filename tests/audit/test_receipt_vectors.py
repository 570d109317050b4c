"""The test vectors of receipts, checked by a second implementation of docs/receipts.md.

It uses `json`, `hashlib` and `cryptography` only, so that no code under test can agree with itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DIRECTORY = Path(__file__).with_name("receipt_vectors")
VECTORS = json.loads((DIRECTORY / "vectors.json").read_text(encoding="utf-8"))
FILE = (DIRECTORY / "example.receipt.json").read_bytes()
EXPONENT_FORM = {"1e21": "1e+21", "1e+21": "1e+21", "1e-07": "1e-7"}


def canonical(value: Any) -> str:
    """Return canonical JSON (RFC 8785) of the values in the vectors."""
    match value:
        case dict():
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return (
                "{"
                + ",".join(f"{canonical(name)}:{canonical(value[name])}" for name in names)
                + "}"
            )
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case float():
            text = repr(value)
            whole = text.removesuffix(".0").replace("-0", "0") if text.endswith(".0") else text
            return EXPONENT_FORM.get(whole, whole)
    return json.dumps(value, ensure_ascii=False)


def parse_note(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Return the text of a note, and its signatures: name, key id, bytes."""
    text, _, lines = note.rpartition("\n\n")
    signatures = []
    for line in lines.splitlines():
        dash, name, encoded = line.split(" ")
        assert dash == "—"
        data = base64.b64decode(encoded, validate=True)
        signatures.append((name, data[:4], data[4:]))
    return text + "\n", signatures


def key_of(verifier: str) -> tuple[str, bytes, bytes]:
    """Return the name, the id and the public key of a verifier key."""
    name, id, encoded = verifier.split("+", 2)
    return name, bytes.fromhex(id), base64.b64decode(encoded)[1:]


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether an Ed25519 signature is valid."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def root(entries: list[bytes]) -> bytes:
    """Return the root of the tree over entries (RFC 6962)."""
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    split = 1 << (len(entries) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(entries[:split]) + root(entries[split:])).digest()


CONTENT = json.loads(FILE)
TEXT, SIGNATURES = parse_note(CONTENT["receipt"])
STATEMENT = json.loads(TEXT.split("\n")[1])


def test_the_file_and_its_statement_are_canonical_json() -> None:
    assert (canonical(CONTENT) + "\n").encode() == FILE
    assert sorted(CONTENT) == ["answer", "receipt"]
    assert TEXT.encode() == (DIRECTORY / "statement.txt").read_bytes()
    header, line, rest = TEXT.split("\n")
    assert (header, rest) == ("tracker-receipt/v2", "")
    assert canonical(STATEMENT) == line


def test_the_signature_has_its_own_key_id_and_prefix() -> None:
    [(name, id, signature)] = SIGNATURES
    log, _, public = key_of(VECTORS["logKey"])
    derived = hashlib.sha256(log.encode() + b"\n\xfftracker-receipt" + public).digest()[:4]
    assert (name, id) == (log, derived) == (log, bytes.fromhex(VECTORS["receiptKeyIdHex"]))
    message = b"tracker-receipt-signature/v1\n" + TEXT.encode()
    assert hashlib.sha256(message).hexdigest() == VECTORS["signedMessageSha256"]
    assert verify(public, signature, message)
    assert not verify(public, signature, TEXT.encode())


def test_the_digest_is_that_of_the_canonical_answer() -> None:
    answer = canonical(CONTENT["answer"])
    assert answer == VECTORS["canonicalAnswer"]
    digest = hashlib.sha256(answer.encode()).hexdigest()
    assert digest == STATEMENT["answerSha256"] == VECTORS["answerSha256"]


def test_the_checkpoint_is_signed_cosigned_and_that_of_the_log() -> None:
    text, signatures = parse_note(STATEMENT["checkpoint"])
    origin, size, encoded_root = text.splitlines()
    entries = [entry.encode() for entry in VECTORS["entries"]]
    assert (origin, int(size)) == (STATEMENT["origin"], len(entries))
    assert base64.b64decode(encoded_root) == root(entries) == bytes.fromhex(VECTORS["rootHex"])
    assert all(int(moment["position"]) <= int(size) for moment in STATEMENT["moments"])
    (_, id, by_log), (_, witness_id, by_witness) = signatures
    _, log_id, public = key_of(VECTORS["logKey"])
    assert id == log_id
    assert verify(public, by_log, text.encode())
    _, expected, witness = key_of(VECTORS["witnessKey"])
    assert witness_id == expected
    [time] = struct.unpack(">Q", by_witness[:8])
    cosigned = f"cosignature/v1\ntime {time}\n{text}".encode()
    assert verify(witness, by_witness[8:], cosigned)


@pytest.mark.parametrize("value", [0.5, 1e21, 1e-7, -0.0, 100.0, 'é\t"', {"é": 1, "a": []}])
def test_the_second_implementation_writes_the_numbers_of_rfc_8785(value: Any) -> None:
    expected = {0.5: "0.5", 1e21: "1e+21", 1e-7: "1e-7", -0.0: "0", 100.0: "100"}
    shown = (
        expected[value]
        if isinstance(value, float)
        else json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    )
    assert canonical(value) == shown
