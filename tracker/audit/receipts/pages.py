"""Files with several receipts: one a line, for the pages of a list in order. Pure.

The list of a table has the alias `rows`. Each page begins after the last cursor of the page before, and the
last page has no further one. So a file proves that it contains the whole list, and a part of it is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tracker.audit.receipts.receipt import Receipt
from tracker.audit.receipts.statement import Operation
from tracker.errors import Rejected

MISSING_PAGE = "MISSING_PAGE"
AFTER = "after"
"""The variable with the cursor of a page."""
ROWS = re.compile(r"\brows\s*:")
"""The alias of a list in a document."""


def split_receipts(data: bytes) -> list[bytes]:
    """Return the receipts in a file. Canonical JSON has no line breaks."""
    return data.removesuffix(b"\n").split(b"\n")


def check_pages(receipts: Sequence[Receipt]) -> bool:
    """Return whether the receipts of a file are of a list. Raises Rejected (MISSING_PAGE) for a part of one.

    Receipts without answers have no cursors, so only their queries are compared.
    """
    first = receipts[0].statement.operation
    if len(receipts) == 1 and not ROWS.search(first.document):
        return False
    if AFTER in first.variables:
        raise Rejected(MISSING_PAGE, "the first receipt is not of the first page of the list")
    for number, (before, after) in enumerate(pairwise(receipts), 1):
        cursor = after.statement.operation.variables.get(AFTER)
        same_list = _without_cursor(before.statement.operation) == _without_cursor(
            after.statement.operation
        )
        continues = before.answer is None or cursor == _next(before)
        if cursor is None or not same_list or not continues:
            raise Rejected(
                MISSING_PAGE, f"receipt {number + 1} does not continue the list of receipt {number}"
            )
    if _next(receipts[-1]) is not None:
        raise Rejected(
            MISSING_PAGE, "the list has further pages after the last receipt: verify the whole file"
        )
    return True


def _without_cursor(operation: Operation) -> tuple[str, str | None, dict[str, Any]]:
    variables = {name: value for name, value in operation.variables.items() if name != AFTER}
    return operation.document, operation.operation_name, variables


def _next(receipt: Receipt) -> Any:
    """Return the cursor of the next page; None for the last one, and without an answer."""
    for rows in _rows(receipt.answer):
        info = rows.get("pageInfo")
        if isinstance(info, Mapping) and info.get("hasNextPage"):
            return info.get("endCursor")
    return None


def _rows(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the connections with the alias `rows`, up to the first one on each path."""
    if not isinstance(value, Mapping):
        return
    for name, part in value.items():
        if name == "rows":
            if isinstance(part, Mapping):
                yield part
        else:
            yield from _rows(part)
