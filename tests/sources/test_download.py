"""Files from the web are taken whole, or not at all."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.importer import line
from tests.support.processes import command
from tracker.errors import InvalidInput, TooLarge
from tracker.sources.download import downloaded_file, file_name_of

FILE = line()


class Site(BaseHTTPRequestHandler):
    """A site with one file and its faults."""

    def do_GET(self) -> None:
        """Send the response for the address."""
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/facts.jsonl")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(FILE) * (2 if self.path == "/cut" else 1)))
        self.end_headers()
        self.wfile.write(FILE)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """Run a site and return its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["/facts.jsonl", "/moved"])
def test_a_file_is_kept_until_it_has_been_read(site: str, path: str) -> None:
    with downloaded_file(site + path) as file:
        assert (file.path.read_bytes(), file.name) == (FILE, path[1:])
    assert not file.path.exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "404"),
        ("/cut", "cut off .* bytes before the end"),
        ("x:y", "expected a file, or an http or https address with a host"),
    ],
)
def test_an_incomplete_file_is_refused(site: str, path: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason), downloaded_file(site + path):
        pass


def test_other_addresses_are_refused() -> None:
    for url in ("file:///etc/passwd", "ftp://example.org/x", "gopher://x"):
        with (
            pytest.raises(InvalidInput, match="expected a file, or an http or https address"),
            downloaded_file(url),
        ):
            pass


def test_a_file_over_the_limit_is_refused(site: str) -> None:
    with (
        pytest.raises(TooLarge, match="at most 10 bytes"),
        downloaded_file(f"{site}/facts.jsonl", most=10),
    ):
        pass


def test_a_file_is_called_by_its_last_name() -> None:
    assert file_name_of("https://example.org/a/MCS%202026.csv?download=1") == "MCS 2026.csv"
    assert file_name_of("https://example.org/") == "example.org"


def test_a_file_from_the_web_is_imported(site: str, data_dir: Path) -> None:
    result = command("import", "--dry-run", f"{site}/facts.jsonl", data_dir=data_dir)
    assert (result.returncode, "facts.jsonl: corpus: would be 1 recorded" in result.stderr) == (
        0,
        True,
    ), result.stderr
