"""The web server: uvicorn on our own socket, stopped by our own signal handling."""

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
"""Seconds for open requests to finish when the server stops."""
PING_INTERVAL_SECONDS = 20
"""Seconds between pings of a WebSocket, and the timeout of a pong."""
AT_ONCE = 16
"""Maximum of new connections per loop iteration."""
SEND_TIMEOUT_SECONDS = 60
"""Seconds after which the kernel closes a connection whose client receives nothing. This also closes
vanished clients with pending data."""

NONSENSE = ("Invalid HTTP request received.", "Unsupported upgrade request.")
LIMITS = Limits()
MAX_MESSAGE_BYTES = 1024 * 1024
"""Maximum size of a WebSocket message. Larger ones must use HTTP, where a token is required before the
body is read."""


class PortTaken(Exception):
    """Another program listens on the port."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket, so that a taken port is detected before slow steps.

    Port 0 selects any free one. Raises PortTaken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(
        socket, "TCP_USER_TIMEOUT"
    ):  # Linux; connections inherit it from the listening socket
        listening.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SEND_TIMEOUT_SECONDS * 1000)
        )
    try:
        listening.bind((host, port))
    except (OSError, UnicodeError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else "it is not a name of a host"
        other_port = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
        remedy = (
            "Choose another port with --port"
            if other_port
            else "Name an address of this machine with --host, or 0.0.0.0 for all of them"
        )
        raise PortTaken(f"Can't listen on {host} port {port}: {reason}. {remedy}.") from error
    return listening


class Server(uvicorn.Server):
    """A uvicorn server that leaves signals to us.

    uvicorn would end the process before PostgreSQL is stopped. On shutdown, event streams end cleanly.
    """

    def __init__(self, app: Starlette, config: uvicorn.Config, limits: Limits):
        super().__init__(config)
        self._app = app
        proxies = ProxyHeadersMiddleware(app, config.forwarded_allow_ips)  # type: ignore[arg-type]
        self.server_state: Connections = Connections(limits, proxies.trusted_hosts.__contains__)

    async def on_tick(self, counter: int) -> bool:
        """Run uvicorn's periodic check, and close slow connections."""
        self.server_state.cut_slow(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on each socket several times.

        A loop iteration accepts one connection per listener, so a queue of connections is accepted
        faster.
        """
        again = [each.dup() for each in sockets or [] for _ in range(AT_ONCE - 1)]
        await super().serve([*(sockets or []), *again])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Notify the streams, then wait for open requests."""
        self._app.state.end_streams()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM, and return to the caller."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def is_worth_logging(record: logging.LogRecord) -> bool:
    """Whether a log line of uvicorn is more than a report of a malformed request.

    Any client can cause those at any rate.
    """
    return record.getMessage() not in NONSENSE


def create_server(app: Starlette, log_level: LogLevel, limits: Limits = LIMITS) -> Server:
    """Return a server for the app; `await serve(sockets=[…])` runs it until a stop signal."""
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
            # At log level debug it would log the headers and messages of WebSockets, including tokens.
            log_level=LogLevel.INFO if log_level is LogLevel.DEBUG else log_level,
            log_config=None,
            access_log=log_level is LogLevel.DEBUG,
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_SECONDS,
            server_header=False,
            headers=[("X-Content-Type-Options", "nosniff")],
        ),
        limits,
    )
