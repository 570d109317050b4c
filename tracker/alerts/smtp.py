"""Sending of messages to the mail server, over a connection."""

from enum import Enum
from typing import NamedTuple

import aiosmtplib

from tracker.alerts.options import MailServer, Tls

MAX_MESSAGES_A_CONNECTION = 50


class Result(Enum):
    """The result of an attempt."""

    SENT = "sent"
    TEMPORARY = "temporary"
    """The mail server refused the recipient or the message for now."""
    TIMEOUT = "timeout"
    """The mail server did not answer to the recipient or the message; it may have accepted it."""
    UNAVAILABLE = "unavailable"
    """The mail server does not answer at all, or refuses the login or the sender."""
    PERMANENT = "permanent"
    """The mail server refused the recipient or the message for good."""


class Attempt(NamedTuple):
    """An attempt to send a message. The error is a code: texts of mail servers may name the address."""

    result: Result
    error: str | None = None


class Connection:
    """A connection to the mail server, opened with the first message."""

    def __init__(self, server: MailServer):
        self._server = server
        self._client: aiosmtplib.SMTP | None = None
        self._sent = 0

    async def send(self, sender: str, recipient: str, content: bytes) -> Attempt:
        """Send a message. Errors are part of the result."""
        command = ""
        try:
            client = await self._connected()
            await client.mail(sender)
            command = "RCPT"
            await client.rcpt(recipient)
            command = "DATA"
            await client.data(content)
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            await self.aclose()
            return _failed(error, command)
        self._sent += 1
        return Attempt(Result.SENT)

    async def problem(self) -> str | None:
        """Return why the server does not accept a connection and the login, or None if it does."""
        try:
            await self._connected()
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            return _failed(error, "").error
        finally:
            await self.aclose()
        return None

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._sent >= MAX_MESSAGES_A_CONNECTION:
            await self.aclose()
        if self._client is None:
            server = self._server
            client = aiosmtplib.SMTP(
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                use_tls=server.tls is Tls.IMPLICIT,
                start_tls=server.tls is Tls.STARTTLS,
                timeout=server.timeout_seconds,
            )
            self._client, self._sent = client, 0
            await client.connect()
        return self._client

    async def aclose(self) -> None:
        """Close the connection, if it is open."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if client.is_connected:
                await client.quit(timeout=min(self._server.timeout_seconds, 5))
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            pass
        finally:
            client.close()


def _failed(error: Exception, command: str) -> Attempt:
    """Return the result of an error; `command` is about the message, or empty before."""
    code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
    if not command:
        kind = type(error).__name__
        return Attempt(Result.UNAVAILABLE, kind if code is None else f"{code} {kind}")
    if code is None and isinstance(error, OSError):  # timeouts and lost connections
        return Attempt(Result.TIMEOUT, f"no answer at {command}")
    result = Result.PERMANENT if code and 500 <= code < 600 else Result.TEMPORARY
    return Attempt(result, f"{code or type(error).__name__} at {command}")
