"""Receipts of queries without a server."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from schema.execution.execute import QUERIES, refusal
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.receipts.issuer import ReceiptIssuer
from schema.receipts.timestamps import TimestampAuthority
from schema.services import Access, Services
from tracker.auth.scopes import Caller


async def issue_receipt(
    services: Services,
    access: Access,
    caller: Caller,
    document: str,
    variables: Mapping[str, Any],
    operation: str | None = None,
    authority: TimestampAuthority | None = None,
) -> str:
    """Execute a query and return the file of its receipt.

    Raises TrackerError for the first error of the response, and as `ReceiptIssuer.note`.
    """
    request = QueryRequest(document, variables, operation, caller)
    answer = await ResponseCache(services, access).answer(request, QUERIES, nullcontext())
    if not isinstance(answer, Answer):
        raise refusal(answer["errors"][0])
    issued = await ReceiptIssuer(services, access, authority).file(request, answer)
    return issued.content.decode()
