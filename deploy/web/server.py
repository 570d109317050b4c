"""The web server: uvicorn on a socket of ours, stopped by our own signal handling."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from deploy.output.log_format import LogLevel
from deploy.web.connections import Connections, Limits
from deploy.web.protocols import LimitedHttpProtocol, LimitedWebSocketProtocol

SHUTDOWN_TIMEOUT_SECONDS = 3
"""Seconds that open requests get to finish when the server stops."""
PING_INTERVAL_SECONDS = 20
"""Seconds between pings of a WebSocket, and for which it may owe a pong; then it is closed."""
AT_ONCE = 16
"""New connections that are taken in one turn of the loop."""
SEND_TIMEOUT_SECONDS = 60
"""Seconds in which a client has to take some of what waits for it; then the kernel cuts it off.
It also ends those that vanished: nothing else does while there is something to send to them."""

NONSENSE = ("Invalid HTTP request received.", "Unsupported upgrade request.")
LIMITS = Limits()
MAX_MESSAGE_BYTES = 1024 * 1024
"""What a message on a WebSocket may be. Larger ones have to come over HTTP, where writing more than
that takes a token before it is read."""


class PortTaken(Exception):
    """Another program listens on the port."""


def listening_socket(host: str, port: int) -> socket.socket:
    """A listening socket, so that a taken port is known before anything slow begins.

    Port 0 means any free one. Raises PortTaken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; connections have it from the listening socket
        listening.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SEND_TIMEOUT_SECONDS * 1000)
        )
    try:
        listening.bind((host, port))
    except (OSError, UnicodeError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else "it is no name of a host"
        other_port = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
        remedy = (
            "Choose another port with --port"
            if other_port
            else "Name an address of this machine with --host, or 0.0.0.0 for all of them"
        )
        raise PortTaken(f"Can't listen on {host} port {port}: {reason}. {remedy}.") from error
    return listening


class Server(uvicorn.Server):
    """uvicorn, except that it leaves signals to us: it would end the process before PostgreSQL is
    stopped. When it stops, streams of events end where they are, in good form."""

    def __init__(self, app: Starlette, config: uvicorn.Config, limits: Limits):
        super().__init__(config)
        self._app = app
        proxies = ProxyHeadersMiddleware(app, config.forwarded_allow_ips)  # type: ignore[arg-type]
        self.server_state: Connections = Connections(limits, proxies.trusted_hosts.__contains__)

    async def on_tick(self, counter: int) -> bool:
        """What uvicorn does ten times a second; connections that are too slow are ended too."""
        self.server_state.cut_slow(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on each socket several times: a turn of the loop takes one new connection of each,
        and at busy times those of a crowd would be taken one by one before that of anyone else."""
        again = [each.dup() for each in sockets or [] for _ in range(AT_ONCE - 1)]
        await super().serve([*(sockets or []), *again])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell the streams, then wait for what is open."""
        self._app.state.end_streams()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM, and come back to the caller."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def is_worth_logging(record: logging.LogRecord) -> bool:
    """Whether a line of uvicorn's is more than that somebody sent nonsense, which anybody can do as
    fast as they like."""
    return record.getMessage() not in NONSENSE


def create_server(app: Starlette, log_level: LogLevel, limits: Limits = LIMITS) -> Server:
    """A server for the app; `await serve(sockets=[…])` runs it until it is told to stop."""
    logging.getLogger("uvicorn.error").addFilter(is_worth_logging)
    return Server(
        app,
        uvicorn.Config(
            app,
            loop="none",
            http=LimitedHttpProtocol,
            ws=LimitedWebSocketProtocol,
            lifespan="off",
            ws_ping_interval=PING_INTERVAL_SECONDS,
            ws_ping_timeout=PING_INTERVAL_SECONDS,
            ws_max_size=MAX_MESSAGE_BYTES,
            # At its level debug it would log the headers and messages of WebSockets, tokens included.
            log_level=LogLevel.INFO if log_level is LogLevel.DEBUG else log_level,
            log_config=None,
            access_log=log_level is LogLevel.DEBUG,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_SECONDS,
            server_header=False,
            headers=[("X-Content-Type-Options", "nosniff")],
        ),
        limits,
    )
