"""Receipts of the pages of a static site. Pure.

Each run issues receipts with a new time and checkpoint. A receipt of an earlier run remains if it states the
same answer, so that a second run changes no file.
"""

from datetime import UTC, datetime

import msgspec

from tracker.audit.receipts.receipt import Receipt
from tracker.audit.receipts.statement import StatementV1
from tracker.errors import Rejected

ENDING = ".receipt.json"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lasting_receipt(before: bytes | None, issued: bytes) -> bytes:
    """Return the receipt of an earlier run if it states the same, or else the issued one."""
    if before is None:
        return issued
    try:
        earlier, now = Receipt.parse(before), Receipt.parse(issued)
    except Rejected:
        return issued
    same = earlier.answer == now.answer and _timeless(earlier) == _timeless(now)
    return before if same else issued


def _timeless(receipt: Receipt) -> StatementV1:
    """Return a statement without its time and its checkpoint."""
    return msgspec.structs.replace(receipt.statement, issued_at=EPOCH, checkpoint="")
