"""GraphQL over HTTP in parts, as `@defer` has it: for clients that ask for it by their Accept header.

The protocol is https://specs.apollo.dev/incremental/v0.2/: `multipart/mixed;incrementalSpec=v0.2`, whose
parts are those of graphql-core. Everybody else gets the answer in one piece.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, aclosing
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from schema.base.context import Context
from schema.execution.execute import QUERIES, QUERIES_AND_MUTATIONS, parts
from schema.http.authentication import AccessControl, Client
from schema.http.streaming import StreamedResponse
from schema.services import Services

MULTIPART = "multipart/mixed"
SPEC = "incrementalspec=v0.2"
MEDIA_TYPE = f'{MULTIPART};boundary="graphql";incrementalSpec=v0.2'
BOUNDARY = b"\r\n--graphql"
MAX_UNSENT_BYTES = 32 * 1024 * 1024
"""Of parts that wait for their clients, from which on answers are given whole."""
HEAD = b"\r\nContent-Type: application/json\r\n\r\n"


def takes_parts(accept: str) -> bool:
    """Whether a client asks for parts: the first type of its Accept header decides."""
    name, *options = accept.partition(",")[0].lower().replace(" ", "").replace('"', "").split(";")
    return name == MULTIPART and SPEC in options


class AnswersInParts:
    """Answers operations in parts."""

    def __init__(self, services: Services, access_control: AccessControl):
        self._services = services
        self._access_control = access_control
        self._unsent_bytes = 0

    @property
    def has_room(self) -> bool:
        """Whether another answer may be made in parts, which wait in memory for their client; else it
        is given whole."""
        return self._unsent_bytes < MAX_UNSENT_BYTES

    def respond(
        self,
        request: Request,
        client: Client,
        document: str,
        variables: dict[str, Any] | None,
        operation: str | None,
    ) -> Response:
        """The parts of an answer as they are made. Raises TooLarge for one operation too many."""
        context = Context(
            self._services,
            self._access_control.access,
            client.caller,
            work_slot=partial(self._access_control.work_slot, client),
        )
        allowed = QUERIES_AND_MUTATIONS if request.method == "POST" else QUERIES
        held = ExitStack()
        held.enter_context(self._access_control.operation_slot(client))
        make = partial(parts, context, document, variables, operation, allowed)
        return StreamedResponse(self._chunks(make), held, MEDIA_TYPE, {"Vary": "Accept"})

    async def _chunks(
        self, make: Callable[[Callable[[dict[str, Any]], bytes]], AsyncGenerator[bytes, None]]
    ) -> AsyncGenerator[bytes, None]:
        """Parts as they are sent. What follows a part is sent with it: clients wait for that."""
        unsent_bytes = 0

        def note(more: int) -> None:
            nonlocal unsent_bytes
            unsent_bytes += more
            self._unsent_bytes += more

        def encode(part: dict[str, Any]) -> bytes:
            chunk = b"".join([HEAD, orjson.dumps(part), BOUNDARY])
            note(len(chunk))
            return chunk

        try:
            yield BOUNDARY
            async with aclosing(make(encode)) as found:
                async for chunk in found:
                    yield chunk
                    note(-len(chunk))
            yield b"--\r\n"
        finally:
            note(-unsent_bytes)
