"""A real web server in the test's process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from deploy.output.log_format import LogLevel
from deploy.web.connections import Limits
from deploy.web.server import LIMITS, Server, create_server, listening_socket
from schema.app import create_app
from schema.execution.persisted_documents import TrustedDocuments
from schema.services import Access, Services


@asynccontextmanager
async def serving(
    services: Services,
    access: Access,
    limits: Limits = LIMITS,
    trusted: TrustedDocuments | None = None,
    port: int = 0,
) -> AsyncIterator[tuple[str, Server, asyncio.Task[None]]]:
    """Run a server and yield its address, the server, and its task; it is stopped at once."""
    listening = listening_socket("127.0.0.1", port)
    server = create_server(create_app(services, access, trusted=trusted), LogLevel.WARNING, limits)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    work = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}", server, work
    finally:
        server.should_exit = server.force_exit = True
        await work


@asynccontextmanager
async def serving_websockets(services: Services, access: Access) -> AsyncIterator[str]:
    """Run a real server for WebSockets and yield its address."""
    async with serving(services, access) as (address, *_):
        yield f"ws://{address}/graphql"
