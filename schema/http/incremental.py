"""GraphQL over HTTP in parts, as `@defer` has it: for clients that ask for it by their Accept header.

The protocol is https://specs.apollo.dev/incremental/v0.2/: `multipart/mixed;incrementalSpec=v0.2`, whose
parts are those of graphql-core. Everybody else gets the answer in one piece.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
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
HEAD = b"\r\nContent-Type: application/json\r\n\r\n"


def takes_parts(accept: str) -> bool:
    """Whether a client asks for parts: the first type of its Accept header decides."""
    name, *options = accept.partition(",")[0].lower().replace(" ", "").replace('"', "").split(";")
    return name == MULTIPART and SPEC in options


@dataclass(frozen=True, slots=True)
class AnswersInParts:
    """Answers operations in parts."""

    services: Services
    access_control: AccessControl

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
            self.services,
            self.access_control.access,
            client.caller,
            work_slot=partial(self.access_control.work_slot, client),
        )
        allowed = QUERIES_AND_MUTATIONS if request.method == "POST" else QUERIES
        held = ExitStack()
        held.enter_context(self.access_control.operation_slot(client))
        chunks = encode_parts(parts(context, document, variables, operation, allowed))
        return StreamedResponse(chunks, held, MEDIA_TYPE, {"Vary": "Accept"})


async def encode_parts(found: AsyncGenerator[dict[str, Any], None]) -> AsyncGenerator[bytes, None]:
    """Parts as they are sent. What follows a part is sent with it: clients wait for that."""
    yield BOUNDARY
    async with aclosing(found):
        async for part in found:
            yield b"".join([HEAD, orjson.dumps(part), BOUNDARY])
    yield b"--\r\n"
