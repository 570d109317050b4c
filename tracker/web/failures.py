"""Reasons of failed fetches: a stable code, and one line for people."""

import logging
import os
import ssl

import aiohttp

from tracker.errors import TrackerError
from tracker.web.connector import AddressRefused

MAX_REASON_CHARACTERS = 300

logger = logging.getLogger(__name__)


class FetchError(TrackerError):
    """A failed fetch.

    `code` is one of the codes of `Source.Failed`. `status` is None without a response. `content` is the
    received data, `retry_after_seconds` the delay requested by the server, `requests` the number of requests.
    """

    code = "UNREACHABLE"

    def __init__(
        self,
        message: str,
        *,
        code: str,
        url: str,
        status: int | None = None,
        content: bytes = b"",
        media_type: str | None = None,
        retry_after_seconds: float | None = None,
    ):
        super().__init__(message, code=code)
        self.url = url
        self.status = status
        self.content = content
        self.media_type = media_type
        self.retry_after_seconds = retry_after_seconds
        self.requests = 0


def one_line(text: str) -> str:
    """Return untrusted text as one line that can be stored and shown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:MAX_REASON_CHARACTERS]


def failure_of(error: Exception, url: str) -> FetchError:
    """Return the failure for an error of a request."""
    code, reason = _explain(error)
    return FetchError(one_line(reason), code=code, url=url)


def _explain(error: Exception) -> tuple[str, str]:
    match error:
        case TimeoutError():
            return "TIMEOUT", "it did not answer in time"
        case aiohttp.ClientConnectorCertificateError(certificate_error=ssl.SSLError() as cause):
            return "TLS", f"{getattr(cause, 'verify_message', None) or cause.reason}"
        case aiohttp.ClientConnectorError(os_error=AddressRefused() as refused):
            return "REFUSED_ADDRESS", f"{refused}: expected an address of the whole internet"
        case aiohttp.ClientConnectorDNSError(os_error=cause):
            return "UNREACHABLE", f"the name has no address: {cause.strerror or cause}"
        case aiohttp.ClientProxyConnectionError(os_error=cause):
            return "UNREACHABLE", f"no connection to the proxy: {_cause(cause)}"
        case aiohttp.ClientSSLError(os_error=cause):
            return "TLS", f"{getattr(cause, 'reason', None) or cause.strerror or cause}"
        case aiohttp.ClientConnectorError(os_error=cause):
            return "UNREACHABLE", f"no connection: {_cause(cause)}"
        case aiohttp.ClientHttpProxyError(status=status):
            return "UNREACHABLE", f"the proxy answered {status}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return "UNREACHABLE", "the connection was closed before an answer"
        case aiohttp.ClientPayloadError():
            return "CUT_OFF", "the connection was closed before the end of the document"
        case aiohttp.ClientResponseError(message=message):
            return "UNREACHABLE", f"not an answer in HTTP: {message}"
        case aiohttp.InvalidURL() | UnicodeError():
            return "REFUSED_ADDRESS", "not an address that can be asked"
    logger.exception("a fetch failed for an unknown reason", exc_info=error)
    return "UNREACHABLE", f"it could not be asked: {type(error).__name__}"


def _cause(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
