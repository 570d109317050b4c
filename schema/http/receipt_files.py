"""Files of receipts, as responses."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, aclosing
from typing import Any

from starlette.responses import Response

from schema.execution.response_cache import Answer, QueryRequest
from schema.http.authentication import AccessControl, Client
from schema.http.streaming import StreamedResponse
from schema.receipts.issuer import ReceiptIssuer
from tracker.errors import InvalidInput

RECEIPT = "receipt"
"""The ending of the address of a receipt."""
RECEIPT_TYPE = "application/json"
RECEIPTS_TYPE = "application/jsonl"
"""The media type of a file with several receipts, one a line."""
REMARK = "Receipt-Remark"
"""The header with a remark about a receipt, such as a missing timestamp."""


class ReceiptFiles:
    """Responses with the receipts of answers, issued in the query slots of clients."""

    def __init__(self, access_control: AccessControl, issuer: ReceiptIssuer):
        self._access_control = access_control
        self.issuer = issuer

    async def respond(
        self, client: Client, query: QueryRequest, answer: Answer | Mapping[str, Any], name: str
    ) -> Response:
        """Return the receipt of an answer as `NAME.receipt.json`. Raises as `ReceiptIssuer.note`."""
        if not isinstance(answer, Answer):
            raise InvalidInput("expected a query: a mutation has no receipt", code="NOT_FIXED")
        async with self._access_control.work_slot(client):
            issued = await self.issuer.file(query, answer)
        remark = {REMARK: issued.remark} if issued.remark else {}
        headers = {**file_headers(f"{name}.receipt.json"), **remark}
        return Response(issued.content, headers=headers, media_type=RECEIPT_TYPE)

    async def respond_pages(
        self, client: Client, pages: AsyncGenerator[tuple[QueryRequest, Answer], None], name: str
    ) -> Response:
        """Return the receipts of all pages of a list as `NAME.receipts.jsonl`, one a line.

        They have no timestamps, so that an authority does not get a request per page. Raises as
        `ReceiptIssuer.note` for the first page.
        """
        lines = self._lines(client, pages)
        first = await anext(lines)

        async def chunks() -> AsyncGenerator[bytes, None]:
            async with aclosing(lines):
                yield first
                async for line in lines:
                    yield line

        held = ExitStack()
        held.enter_context(self._access_control.operation_slot(client))
        headers = file_headers(f"{name}.receipts.jsonl")
        return StreamedResponse(chunks(), held, RECEIPTS_TYPE, headers)

    async def _lines(
        self, client: Client, pages: AsyncGenerator[tuple[QueryRequest, Answer], None]
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(pages):
            async for query, answer in pages:
                async with self._access_control.work_slot(client):
                    issued = await self.issuer.file(query, answer, with_timestamp=False)
                yield issued.content


def file_headers(name: str) -> dict[str, str]:
    """Return the headers of a file of receipts. Each issue differs, so it is not stored."""
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
