"""The tools over standard input and output: of a tracker in this process, or of a remote one."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio
import httpx2
import mcp_types as types
from mcp.client.client import Client as ProtocolClient
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from schema.assistants.calls import Calls
from schema.assistants.protocol import NAME, Context, create_protocol, refused
from schema.assistants.tool import CheckableAnswer
from schema.execution.response_cache import ResponseCache
from schema.http.authentication import Client
from schema.services import Access, Services
from schema.telemetry.metrics import Metrics
from schema.telemetry.observer import Observer, request_id
from schema.telemetry.operation import current_operation
from tracker.auth.scopes import Caller, Scope
from tracker.errors import Unavailable

MAX_LINE_BYTES = 64 * 1024
"""Maximum length of a message."""
TIMEOUT_SECONDS = 60
"""Maximum time of a response of a remote tracker."""
READER = Client(Caller("command line", frozenset([Scope.READ])), "command line")
"""Client for local use: access to the database needs no token, and an assistant only reads."""


async def serve(services: Services) -> None:
    """Serve a tracker in this process on standard input and output, until the input ends."""
    access = Access()
    calls = Calls(ResponseCache(services, access))
    observer = Observer(Metrics(services))

    async def call(name: str, arguments: Mapping[str, Any]) -> CheckableAnswer:
        with observer.operation(request_id(""), "stdio", {}):
            current_operation().actor = READER.caller.name
            return await calls.call(name, arguments, READER, "")

    await run(create_protocol(call))


async def serve_remote(url: str, token: str | None) -> None:
    """Serve a remote tracker through its `/mcp` on standard input and output. Raises Unavailable."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS) as http,
        connected(url, http) as remote,
    ):
        await run(create_relay(remote))


@asynccontextmanager
async def connected(url: str, http: httpx2.AsyncClient) -> AsyncIterator[ProtocolClient]:
    """Yield a client of a remote tracker. Raises Unavailable."""
    client = ProtocolClient(streamable_http_client(url, http_client=http))
    try:
        await client.__aenter__()
    except (MCPError, httpx2.HTTPError, ExceptionGroup) as error:
        raise Unavailable(f"{url} does not answer as a tracker: {_first(error)}") from error
    try:
        yield client
    finally:
        await client.__aexit__(None, None, None)


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def create_relay(remote: ProtocolClient) -> Server[Any]:
    """Return a server of the protocol that forwards everything."""

    async def list_tools(
        context: Context, request: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return await remote.list_tools()

    async def call_tool(
        context: Context, request: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            return await remote.call_tool(request.name, request.arguments or {})
        except httpx2.HTTPError as error:
            return refused(Unavailable(f"The tracker does not answer: {error}"))

    about = remote.server_info
    return Server(
        about.name if about else NAME,
        version=about.version if about else "",
        title=about.title if about else None,
        instructions=remote.instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def run(server: Server[Any]) -> None:
    """Serve on standard input and output, until the input ends."""
    async with stdio_server(await input_lines()) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


async def input_lines() -> anyio.AsyncFile[str] | None:
    """Return the lines of standard input, read by the event loop.

    The SDK reads them in a thread, which no signal ends before the input does. None if the event loop
    cannot read it, such as a file, which has an end.
    """
    descriptor = sys.stdin.fileno()
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)):
        return None
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader),
        os.fdopen(os.dup(descriptor), "rb", buffering=0),
    )
    return cast("anyio.AsyncFile[str]", _lines(reader))


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str]:
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # too long: skip its rest too
            continue
        if not line:
            return
        yield line.decode(errors="replace")
