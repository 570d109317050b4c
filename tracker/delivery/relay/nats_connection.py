"""Connections to NATS: credentials, TLS and errors.

A new connection is opened after each fault, and the client itself resends nothing over it. The relay first
reads the content of the broker. Needs the extra `nats`.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import nats.errors
from nats.aio.client import Client
from nats.js.errors import NotFoundError
from nkeys import NkeysError  # type: ignore[import-untyped]

from tracker.delivery.relay.nats_address import NatsAddress
from tracker.delivery.relay.sink import SinkRefused, SinkUnavailable

CONNECT_TIMEOUT_SECONDS = 5
"""Timeout in seconds of each step of connecting."""
OPEN_TIMEOUT_SECONDS = 20.0
"""Timeout in seconds of connecting as a whole, for any number of servers."""
CLOSE_TIMEOUT_SECONDS = 2.0
PING_INTERVAL_SECONDS = 5
"""Seconds after which a silent broker is pinged; the connection is lost after two pings without a response.
"""
PERMISSION = "permissions violation"
REFUSALS = ("authorization", "authentication", PERMISSION)
"""Words in broker errors that mean denied access."""
ERRORS = (nats.errors.Error, OSError, TimeoutError, ValueError)
"""Errors of the client and of the libraries under it."""
CREDENTIALS_PARTS = (b"BEGIN NATS USER JWT", b"BEGIN USER NKEY SEED")
"""Markers of the parts of a credentials file."""
T = TypeVar("T")

logger = logging.getLogger(__name__)


class TlsOrPlain(Client):
    """A client that sends no password to a server without encryption if TLS is required."""

    def _connect_command(self) -> bytes:
        if not self._server_info.get("tls_required"):
            raise nats.errors.SecureConnWantedError
        return super()._connect_command()


class NatsConnection:
    """One connection. It does not reconnect automatically."""

    def __init__(self, address: NatsAddress, lost: Callable[[Exception], None]):
        """Create the connection; `lost` is called when it breaks or an operation is not permitted."""
        self._address = address
        self._lost = lost
        self._begun = False
        self._ended = asyncio.Event()
        self._error: Exception | None = None
        """The last asynchronous error, such as a missing permission."""
        self.client = TlsOrPlain() if address.with_tls else Client()

    async def open(self) -> None:
        """Connect. Raises SinkUnavailable, and SinkRefused if access is denied."""
        options = {**self._login(), "tls": self._tls()}
        self._begun = True
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
                await self.client.connect(
                    self._address.hosts,
                    name="tracker relay",
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=1,
                    connect_timeout=CONNECT_TIMEOUT_SECONDS,
                    ping_interval=PING_INTERVAL_SECONDS,
                    error_cb=self._note,
                    closed_cb=self._handle_closing,
                    **options,
                )
        except NkeysError as error:
            self._begun = False
            raise SinkRefused(f"{self._address.credentials}: {type(error).__name__}") from error
        except (nats.errors.Error, OSError, TimeoutError) as error:
            await self.close()
            raise self.explain(error) from error

    async def close(self) -> None:
        """Close the connection, even if the broker does not take the pending data."""
        if not self._begun:
            return
        with suppress(nats.errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self.client.close()

    async def request(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Send a request to the broker and return its response.

        The client itself would wait for a response even after the connection is lost. Raises NotFoundError if
        the requested object does not exist.
        """
        pending = asyncio.ensure_future(coroutine)
        ending = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((pending, ending), return_when=asyncio.FIRST_COMPLETED)
            if not pending.done():
                raise nats.errors.ConnectionClosedError
            return pending.result()
        except NotFoundError:
            raise
        except ERRORS as error:
            raise self.explain(error) from error
        finally:
            pending.cancel()
            ending.cancel()

    def explain(self, error: Exception) -> SinkUnavailable | SinkRefused:
        """Convert an error for the relay; a recent asynchronous error has more detail and takes
        precedence."""
        error = self._error or error
        message = str(error) or type(error).__name__
        if isinstance(
            error, ssl.SSLCertVerificationError | nats.errors.SecureConnWantedError
        ) or any(word in message.lower() for word in REFUSALS):
            return SinkRefused(f"{self._address.shown} refuses us: {message}")
        return SinkUnavailable(f"{self._address.shown}: {message}")

    def _tls(self) -> ssl.SSLContext | None:
        """Load the TLS settings for each connection, so that certificates can be renewed."""
        address = self._address
        if not (address.with_tls or address.ca or address.certificate):
            return None
        try:
            context = ssl.create_default_context(cafile=address.ca)
            if address.certificate:
                context.load_cert_chain(address.certificate)
            return context
        except OSError as error:  # includes TLS errors
            files = " or ".join(str(path) for path in (address.ca, address.certificate) if path)
            raise SinkRefused(f"{files} can't be used: {error}") from error

    def _login(self) -> dict[str, Any]:
        """Return the login arguments: from a file, otherwise from the addresses."""
        path = self._address.credentials
        if path is None:
            return dict(self._address.login)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SinkRefused(f"{path} can't be read: {error.strerror}") from error
        if not content.startswith(b"-----BEGIN"):
            return {"nkeys_seed_str": content.decode("ascii", "replace").strip()}
        if not all(
            part in content for part in CREDENTIALS_PARTS
        ):  # the client would search without end
            raise SinkRefused(f"{path}: expected a user's JWT and an nkey seed")
        return {"user_credentials": str(path)}

    async def _note(self, error: Exception) -> None:
        logger.debug("%s: %s", self._address.shown, error)
        self._error = error
        if PERMISSION in str(error).lower():
            self._end()

    async def _handle_closing(self) -> None:
        self._end()

    def _end(self) -> None:
        self._ended.set()
        self._lost(self._error or nats.errors.ConnectionClosedError())
