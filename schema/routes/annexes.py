"""`/annexes`: the texts that entries commit to, as JSON lines, with the salts of the commitments."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack

from starlette.requests import Request
from starlette.responses import Response

from schema.base.scalars import Position
from schema.http.authentication import AccessControl
from schema.http.messages import check_parameters, errors_as_json
from schema.http.streaming import StreamedResponse
from schema.inputs.arguments import parse_position
from schema.services import Services
from tracker.log.annexes import StoredAnnex, export_line

JSON_LINES = "application/x-ndjson"
PARAMETERS = ("after", "until")
PAGE_ANNEXES = 25
"""Number of texts per read: at most 800 KB."""
PIECE_BYTES = 64 * 1024


class AnnexRoute:
    """Handler of requests for annexes."""

    def __init__(self, services: Services, access_control: AccessControl):
        self._services = services
        self._access_control = access_control

    @errors_as_json
    async def respond(self, request: Request) -> Response:
        """Return the annexes of the events between two positions, a line each."""
        client = await self._access_control.authenticate_request(request)
        check_parameters(request, PARAMETERS)
        recorder = self._services.recorder
        until = parse_parameter(request, "until")
        head = await recorder.head()
        last = head if until is None else min(until, head)
        after = parse_parameter(request, "after") or 0
        pages = recorder.annexes.pages(after, last, PAGE_ANNEXES)
        held = ExitStack()
        held.enter_context(self._access_control.download_slot(client))
        return StreamedResponse(_encode_lines(pages), held, JSON_LINES, {})


def parse_parameter(request: Request, name: str) -> int | None:
    """Parse a position. Raises InvalidInput."""
    text = request.query_params.get(name)
    return parse_position(None if text is None else Position(text), name)


async def _encode_lines(pages: AsyncIterator[list[StoredAnnex]]) -> AsyncGenerator[bytes, None]:
    piece = b""
    async for page in pages:
        for annex in page:
            piece += export_line(annex)
            if len(piece) >= PIECE_BYTES:
                yield piece
                piece = b""
    yield piece
