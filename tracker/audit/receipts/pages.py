"""Files with several receipts: one a line, for the pages of a list in order. Pure.

The list of a table has the alias `rows`. Each page begins after the last cursor of the page before, and the
last page has no further one. So a file proves that it contains the whole list, and a part of it is rejected.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tracker.audit.receipts.receipt import Receipt
from tracker.audit.receipts.statement import Operation
from tracker.errors import Rejected

MISSING_PAGE = "MISSING_PAGE"
ROWS = "rows"
"""The alias of a list in a document."""
AFTER = "after"
"""The variable with the cursor of a page."""


def split_receipts(data: bytes) -> list[bytes]:
    """Return the receipts in a file. Canonical JSON has no line breaks."""
    return data.removesuffix(b"\n").split(b"\n")


def check_pages(receipts: Sequence[Receipt], is_paged: bool) -> None:
    """Check that the receipts of a file are all pages of a list. Raises Rejected (MISSING_PAGE).

    A list that is not paged has one receipt. Receipts without answers have no cursors, so only their queries
    are compared.
    """
    if AFTER in receipts[0].statement.operation.variables:
        raise Rejected(MISSING_PAGE, "the first receipt is not of the first page of the list")
    further = [_further_page(one) if is_paged else {} for one in receipts]
    for number, (before, after) in enumerate(pairwise(receipts), 1):
        cursor = after.statement.operation.variables.get(AFTER)
        same_list = _without_cursor(before.statement.operation) == _without_cursor(
            after.statement.operation
        )
        continues = before.answer is None or cursor == further[number - 1].get("endCursor")
        if cursor is None or not same_list or not continues:
            raise Rejected(
                MISSING_PAGE, f"receipt {number + 1} does not continue the list of receipt {number}"
            )
    if further[-1]:
        raise Rejected(
            MISSING_PAGE, "the list has further pages after the last receipt: verify the whole file"
        )


def _without_cursor(operation: Operation) -> tuple[str, str | None, dict[str, Any]]:
    variables = {name: value for name, value in operation.variables.items() if name != AFTER}
    return operation.document, operation.operation_name, variables


def _further_page(receipt: Receipt) -> Mapping[str, Any]:
    """Return the page information of a page with a further one; empty for the last page, and without an
    answer. Raises Rejected for an answer that does not show it."""
    match [rows.get("pageInfo") for rows in _rows(receipt.answer)]:
        case [] | [{"hasNextPage": False}]:
            return {}
        case [{"hasNextPage": True} as info]:
            return info or {}
    raise Rejected(MISSING_PAGE, "the answer does not show whether its list has further pages")


def _rows(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the connections with the alias `rows`, up to the first one on each path."""
    if isinstance(value, list):
        for part in value:
            yield from _rows(part)
    elif isinstance(value, Mapping):
        for name, part in value.items():
            if name != ROWS:
                yield from _rows(part)
            elif isinstance(part, Mapping):
                yield part
