"""`/log`: the log as a transparency log, by C2SP tlog-tiles; docs/audit.md has every path.

Tiles, entries and proofs of one size never change, so caches may store them permanently; if reading needs a
token, only the client's own cache.
"""

import asyncio
import gzip

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.base.scalars import Position
from schema.http.authentication import FOR_EVER, AccessControl
from schema.http.messages import check_parameters, errors_as_json, takes_gzip
from schema.http.streaming import Ends
from schema.inputs.arguments import parse_required_position, parse_wait
from schema.services import Services
from tracker.audit.format.merkle import parse_tile
from tracker.errors import InvalidInput, NotFound

BYTES = "application/octet-stream"
CHECKPOINT_POLL_SECONDS = 0.1
"""Seconds between two reads of the newest checkpoint while a new event is not signed yet."""
TEXT = "text/plain; charset=utf-8"
CLOUD_EVENT = "application/cloudevents+json"


class TransparencyLogRoute:
    """Handler of requests of auditors."""

    def __init__(self, services: Services, access_control: AccessControl, ends: Ends):
        self._services = services
        self._publications = services.proofs
        self._access_control = access_control
        self._ends = ends

    @property
    def routes(self) -> list[Route]:
        """Return the routes below `/log`."""
        return [
            Route("/log/checkpoint", self.checkpoint),
            Route("/log/checkpoint/{size}", self.checkpoint_of),
            Route("/log/key", self.key),
            Route("/log/entries/{position}", self.entry),
            Route("/log/tile/{tile:path}", self.tile),
            Route("/log/proof/{position}", self.inclusion),
            Route("/log/consistency/{old}", self.consistency),
        ]

    @errors_as_json
    async def checkpoint(self, request: Request) -> Response:
        """Return the newest checkpoint. With `?after=` and `?wait=`, wait up to some seconds for a larger
        one than that of a size."""
        client = await self._access_control.authenticate_request(request)
        check_parameters(request, ("after", "wait"))
        after = _size(request, "after") or 0
        if seconds := parse_wait(request.query_params.get("wait")):
            await self._ends.wait(self._checkpoint_above(after), seconds, client)
        return self._text((await self._publications.last()).note)

    async def _checkpoint_above(self, size: int) -> None:
        """Wait until a checkpoint is above a size."""
        await self._services.follower.grown(size)
        while (await self._publications.size() or 0) <= size:
            await asyncio.sleep(CHECKPOINT_POLL_SECONDS)

    @errors_as_json
    async def checkpoint_of(self, request: Request) -> Response:
        """Return the checkpoint of a size; signatures of witnesses may still be added."""
        await self._enter(request)
        size = parse_required_position(Position(request.path_params["size"]), "size")
        return self._text((await self._publications.checkpoint(size)).note)

    @errors_as_json
    async def key(self, request: Request) -> Response:
        """Return the public keys of the log, one a line, the oldest first, in the format of `tracker verify
        --key`."""
        await self._enter(request)
        keys = await self._services.public_keys()
        return self._text("".join(f"{key.verifier}\n" for key in keys))

    @errors_as_json
    async def entry(self, request: Request) -> Response:
        """Return the entry at a position, byte for byte as it is stored, hashed and delivered."""
        await self._enter(request)
        at = parse_required_position(Position(request.path_params["position"]), "position")
        event = (await self._services.recorder.lookup.by_position([at])).get(at)
        if event is None:
            raise NotFound(f"there is no event at position {at}", path=("position",))
        headers = self._access_control.cached(FOR_EVER)
        return Response(event.entry, headers=headers, media_type=CLOUD_EVENT)

    @errors_as_json
    async def tile(self, request: Request) -> Response:
        """Return a tile of hashes, or the entries of one."""
        await self._enter(request)
        try:
            tile, entries = parse_tile(request.path_params["tile"])
        except InvalidInput as error:
            raise NotFound(error.message, path=error.path) from None
        headers = {**self._access_control.cached(FOR_EVER), "Vary": "Accept-Encoding"}
        if not entries:
            return Response(await self._publications.tile(tile), headers=headers, media_type=BYTES)
        body = await self._publications.bundle(tile)
        if takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, 5, mtime=0)
        return Response(body, headers=headers, media_type=BYTES)

    @errors_as_json
    async def inclusion(self, request: Request) -> Response:
        """Return a tlog-proof for one event: in the newest checkpoint, or in that of `?size=`."""
        await self._enter(request)
        at = parse_required_position(Position(request.path_params["position"]), "position")
        check_parameters(request, ("size",))
        size = _size(request)
        return self._text(str((await self._publications.inclusion(at, size)).proof))

    @errors_as_json
    async def consistency(self, request: Request) -> Response:
        """Return a proof that the newest checkpoint, or that of `?size=`, continues an older size.

        It is the body of a request `add-checkpoint` to a witness.
        """
        await self._enter(request)
        check_parameters(request, ("size",))
        old, size = (
            parse_required_position(Position(request.path_params["old"]), "from"),
            _size(request),
        )
        proof, _ = await self._publications.consistency(old, size)
        return self._text(str(proof))

    async def _enter(self, request: Request) -> None:
        await self._access_control.authenticate_request(request)

    def _text(self, text: str) -> Response:
        """Return a text that may change: newer, or with more signatures."""
        return Response(text, headers={"Cache-Control": "no-cache"}, media_type=TEXT)


def _size(request: Request, name: str = "size") -> int | None:
    text = request.query_params.get(name)
    return None if text is None else parse_required_position(Position(text), name)
