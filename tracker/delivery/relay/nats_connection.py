"""A connection to NATS: credentials, TLS, and what can be wrong with them.

It is made anew after each fault, and nothing is sent again over a new one by the client itself: the
relay looks first at what the broker has. Needs the extra `nats`.
"""

from __future__ import annotations

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
"""Seconds that each step of connecting may take."""
OPEN_TIMEOUT_SECONDS = 20.0
"""Seconds that it may take as a whole, whatever the number of servers."""
CLOSE_TIMEOUT_SECONDS = 2.0
PING_INTERVAL_SECONDS = 5
"""Seconds after which a silent broker is asked whether it is there; after two without an answer the
connection is lost."""
PERMISSION = "permissions violation"
REFUSALS = ("authorization", "authentication", PERMISSION)
"""Words of a broker that does not let us in, or do something."""
ERRORS = (nats.errors.Error, OSError, TimeoutError, ValueError)
"""Errors of the client and of what it calls."""
CREDENTIALS_PARTS = (b"BEGIN NATS USER JWT", b"BEGIN USER NKEY SEED")
"""What stands in a file of credentials."""
T = TypeVar("T")

logger = logging.getLogger(__name__)


class TlsOrNothing(Client):
    """A client that sends no password where the server does not encrypt, though TLS was asked for."""

    def _connect_command(self) -> bytes:
        if not self._server_info.get("tls_required"):
            raise nats.errors.SecureConnWantedError
        return super()._connect_command()


class NatsConnection:
    """One connection. It is not made again by itself."""

    def __init__(self, address: NatsAddress, lost: Callable[[Exception], None]):
        """`lost` is called when it breaks, or when something is not permitted over it."""
        self._address = address
        self._lost = lost
        self._begun = False
        self._ended = asyncio.Event()
        self._error: Exception | None = None
        """The last one that came without being asked for, such as that something is not permitted."""
        self.client = TlsOrNothing() if address.with_tls else Client()

    async def open(self) -> None:
        """Connect. Raises SinkUnavailable, and SinkRefused where we are not let in."""
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
        """Let it go, also where the broker does not take what waits."""
        if not self._begun:
            return
        with suppress(nats.errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self.client.close()

    async def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """What a question to the broker is answered; the client itself would wait for an answer also
        where the connection is lost. Raises NotFoundError where there is nothing of the kind."""
        asking = asyncio.ensure_future(question)
        ending = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait((asking, ending), return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise nats.errors.ConnectionClosedError
            return asking.result()
        except NotFoundError:
            raise
        except ERRORS as error:
            raise self.explain(error) from error
        finally:
            asking.cancel()
            ending.cancel()

    def explain(self, error: Exception) -> SinkUnavailable | SinkRefused:
        """What an error means for the relay; one that came unasked, just before, says more."""
        error = self._error or error
        message = str(error) or type(error).__name__
        if isinstance(
            error, ssl.SSLCertVerificationError | nats.errors.SecureConnWantedError
        ) or any(word in message.lower() for word in REFUSALS):
            return SinkRefused(f"{self._address.shown} refuses us: {message}")
        return SinkUnavailable(f"{self._address.shown}: {message}")

    def _tls(self) -> ssl.SSLContext | None:
        """What is read anew for each connection, so that certificates can be renewed."""
        address = self._address
        if not (address.with_tls or address.ca or address.certificate):
            return None
        try:
            context = ssl.create_default_context(cafile=address.ca)
            if address.certificate:
                context.load_cert_chain(address.certificate)
            return context
        except OSError as error:  # of TLS too
            files = " or ".join(str(path) for path in (address.ca, address.certificate) if path)
            raise SinkRefused(f"{files} can't be used: {error}") from error

    def _login(self) -> dict[str, Any]:
        """How we log in: by a file, else by what the addresses say."""
        path = self._address.credentials
        if path is None:
            return dict(self._address.login)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SinkRefused(f"{path} can't be read: {error.strerror}") from error
        if not content.startswith(b"-----BEGIN"):
            return {"nkeys_seed_str": content.decode("ascii", "replace").strip()}
        if not all(part in content for part in CREDENTIALS_PARTS):  # the client would look for ever
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
