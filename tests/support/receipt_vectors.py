"""The receipt of the test vectors in `tests/audit/receipt_vectors`, made by the tracker.

`python -m tests.support.receipt_vectors` writes the files. Their bytes are part of the format: a change
breaks every receipt that was issued.
"""

import json
from datetime import UTC, date, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.checkout import ROOT
from tests.support.tampered_logs import grown
from tracker.audit.format.checkpoint import Checkpoint
from tracker.audit.format.signed_note import Note, Signer
from tracker.audit.receipts.canonical import canonical_json
from tracker.audit.receipts.receipt import Receipt, sign
from tracker.audit.receipts.statement import MomentRecord, Operation, Statement
from tracker.snapshots.digest import sha256_of

DIRECTORY = ROOT / "tests" / "audit" / "receipt_vectors"
SEED = sha256(b"the key of the test vectors of receipts").digest()
LOG = Signer("example.com/log", Ed25519PrivateKey.from_private_bytes(SEED))
WITNESS = Signer(
    "witness.example.com", Ed25519PrivateKey.from_private_bytes(sha256(SEED).digest()), 4
)
ENTRIES = tuple(b'{"position":"%d","type":"Example"}' % position for position in range(1, 6))
ANSWER = {
    "asOf": {
        "exportControls": {"totalCount": 0, "nodes": []},
        "note": 'gallium – 镓, "quoted", a tab\tand 𝔊',
        "share": 0.25,
        "large": 1e21,
        "none": None,
        "ok": True,
    }
}
DOCUMENT = """\
query Q($c: String, $f: Filter) {
  asOf(validAt: "2025-11-20", position: "4") {
    exportControls(commodity: $c, filter: $f) {
      totalCount
      nodes {
        key
      }
    }
  }
}"""
VARIABLES = {"c": "gallium", "f": {"é": 1.5, "b": [1, -0.0, 1e-7]}}
TIME = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def checkpoint() -> Note:
    """Return the cosigned checkpoint of the log."""
    text = str(Checkpoint(LOG.name, len(ENTRIES), grown(ENTRIES).root()))
    return Note(text, (LOG.sign(text), WITNESS.sign(text, int(TIME.timestamp()))))


def receipt() -> Receipt:
    """Return the receipt."""
    statement = Statement(
        operation=Operation(DOCUMENT, "Q", VARIABLES),
        moments=(
            MomentRecord(date(2025, 11, 20), "4", "ab" * 32, 2, "No list of any issuer was read."),
        ),
        answer_sha256=sha256_of(canonical_json(ANSWER)),
        answer_omitted=False,
        schema_sha256="cd" * 32,
        derivation=1,
        software="critical-minerals-policy-tracker 0.1.0",
        checkpoint=str(checkpoint()),
        issued_at=TIME,
        origin=LOG.name,
    )
    return Receipt(sign(statement, [LOG]), statement, ANSWER)


def files() -> dict[str, bytes]:
    """Return the files by name."""
    made = receipt()
    text = made.note.text.encode()
    vectors = {
        "logKey": str(LOG.verifier),
        "witnessKey": str(WITNESS.verifier),
        "privateSeedHex": SEED.hex(),
        "receiptKeyIdHex": f"{LOG.verifier.for_receipts.id:08x}",
        "entries": [entry.decode() for entry in ENTRIES],
        "rootHex": grown(ENTRIES).root().hex(),
        "canonicalAnswer": canonical_json(ANSWER).decode(),
        "answerSha256": sha256_of(canonical_json(ANSWER)),
        "noteTextSha256": sha256_of(text),
        "signedMessageSha256": sha256_of(b"tracker-receipt-signature/v1\n" + text),
    }
    return {
        "example.receipt.json": str(made).encode(),
        "statement.txt": text,
        "vectors.json": json.dumps(vectors, indent=2, ensure_ascii=False).encode() + b"\n",
    }


if __name__ == "__main__":
    for name, content in files().items():
        (DIRECTORY / name).write_bytes(content)
