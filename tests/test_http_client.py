"""Other servers cannot make us wait, or fill our memory."""

import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.error import HTTPError

import pytest

from tests.support.time_limits import within
from tracker.http_client import ResponseTooLarge, open_url, read_content


class Server(BaseHTTPRequestHandler):
    """A server with good and bad responses, by address."""

    def do_GET(self) -> None:
        """Send 100 bytes, or the fault of the address."""
        self.send_response(302 if self.path == "/moved" else 200)
        if self.path == "/moved":
            self.send_header("Location", "/good")
        if self.path != "/trickling":
            self.send_header("Content-Length", "200" if self.path == "/cut" else "100")
        self.end_headers()
        with suppress(OSError):  # the client gives up
            for _ in range(50 if self.path == "/trickling" else 1):
                self.wfile.write(b"x" if self.path == "/trickling" else b"x" * 100)
                time.sleep(0.05 if self.path == "/trickling" else 0)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Return the address of a server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def content(url: str, max_bytes: int = 100, seconds: float = 10, **options: bool) -> bytes:
    """Return the content at an address, within limits."""
    deadline = time.monotonic() + seconds
    with open_url(url, timeout_seconds=5, **options) as response:  # type: ignore[arg-type]
        return read_content(response, max_bytes, deadline)


def test_a_response_is_read_up_to_its_largest_size(address: str) -> None:
    assert content(f"{address}/good") == b"x" * 100
    with pytest.raises(ResponseTooLarge, match="at most 99 bytes"):
        content(f"{address}/good", 99)


def test_a_response_that_is_cut_off_is_not_a_response(address: str) -> None:
    with pytest.raises(HTTPException, match="cut off 100 bytes before the end"):
        content(f"{address}/cut")


def test_a_response_that_trickles_is_given_up_at_its_deadline(address: str) -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        content(f"{address}/trickling", seconds=0.3)
    assert time.monotonic() - started < within(2)


def test_a_redirect_is_followed_where_that_is_asked_for_alone(address: str) -> None:
    assert content(f"{address}/moved", follow_redirects=True) == b"x" * 100
    with pytest.raises(HTTPError, match="302"):
        content(f"{address}/moved")
