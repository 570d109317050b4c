"""`/snapshots`: responses of publishers, byte for byte, as downloads.

The bytes are untrusted: no browser shows them as a page of this server. Caches may store them for an hour
only, because a redaction deletes them.
"""

import mimetypes
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.http.authentication import AccessControl
from schema.http.messages import errors_as_json, has_tag
from schema.http.streaming import StreamedResponse
from schema.services import Services
from tracker.errors import InvalidInput, NotFound
from tracker.snapshots.store import SnapshotInfo

CACHE_CONTROL = "max-age=3600, immutable"
CONTENT_POLICY = "sandbox; default-src 'none'"
BYTES = "application/octet-stream"
MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,80}/[\w!#$&^.+-]{1,80}", re.ASCII)
KNOWN_TYPES = mimetypes.MimeTypes()  # the types of Python, not those of the system


class SnapshotRoute:
    """Handler of requests for snapshots."""

    def __init__(self, services: Services, access_control: AccessControl):
        self._snapshots = services.snapshots
        self._access_control = access_control

    @property
    def routes(self) -> list[Route]:
        """Return the route below `/snapshots`."""
        return [Route("/snapshots/{sha256}", self.respond)]

    @errors_as_json
    async def respond(self, request: Request) -> Response:
        """Return the bytes of a snapshot; 410 `REDACTED` with the reason if they were deleted."""
        client = await self._access_control.authenticate_request(request)
        info = await self._find(request.path_params["sha256"])
        headers = self._headers(info)
        if has_tag(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        media_type = _media_type(info)
        headers |= {
            "Content-Type": media_type,  # as declared, without a charset
            "X-Accel-Buffering": "yes",
            "Content-Length": str(info.size),
            "Content-Disposition": f'attachment; filename="{info.sha256}{_suffix(media_type)}"',
            "Content-Security-Policy": CONTENT_POLICY,
        }
        if request.method == "HEAD":
            return Response(headers=headers)
        with ExitStack() as held:
            held.enter_context(self._access_control.download_slot(client))
            chunks = self._snapshots.chunks(info)
            # An error of the first chunk can still be reported in the response.
            whole = _all(await anext(chunks, b""), chunks)
            return StreamedResponse(whole, held.pop_all(), media_type, headers)

    async def _find(self, sha256: str) -> SnapshotInfo:
        try:
            info = await self._snapshots.describe(sha256)
        except InvalidInput as error:
            raise NotFound(error.message, path=error.path) from None
        if info is None:
            raise NotFound("there is no such snapshot", path=("sha256",))
        if info.redaction:
            raise NotFound(
                f"these bytes were redacted, by the event at position {info.redaction.position}:"
                f" {info.redaction.reason}",
                code="REDACTED",
                path=("sha256",),
            )
        return info

    def _headers(self, info: SnapshotInfo) -> dict[str, str]:
        visibility = "public" if self._access_control.access.read_open else "private"
        return {"ETag": f'"{info.sha256}"', "Cache-Control": f"{visibility}, {CACHE_CONTROL}"}


async def _all(first: bytes, others: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield the first chunk, which was already read, and the others; none if it is empty."""
    if first:
        yield first
        del first
        async for chunk in others:
            yield chunk


def _media_type(info: SnapshotInfo) -> str:
    """Return the media type that a publisher declared, if it is well formed."""
    media_type = info.media_type or ""
    return media_type if MEDIA_TYPE.fullmatch(media_type) else BYTES


def _suffix(media_type: str) -> str:
    """Return the usual file ending of a media type."""
    return "" if media_type == BYTES else KNOWN_TYPES.guess_extension(media_type) or ""
