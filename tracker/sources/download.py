"""Downloads, kept during an import, because a source is read more than once."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from tracker.domain.basics.text_rules import address_without_query, is_address
from tracker.errors import InvalidInput, TooLarge
from tracker.http_client import ResponseTooLarge, open_url, read_chunks
from tracker.sources.reader import File

MAX_DOWNLOAD_BYTES = 2_000_000_000
"""Maximum size of a download."""
READ_TIMEOUT_SECONDS = 30
"""Timeout in seconds without a byte."""


@contextmanager
def downloaded_file(url: str, most: int = MAX_DOWNLOAD_BYTES) -> Iterator[File]:
    """Download the file at an http or https address, and keep it under its last name until the end of the
    block.

    Raises InvalidInput if it is unavailable or cut off, and TooLarge.
    """
    shown = address_without_query(url)
    if not is_address(url):
        raise InvalidInput(
            f"{shown}: expected a file, or an http or https address with a host and"
            " without a name and password",
            code="NO_SUCH_FILE",
        )
    with tempfile.NamedTemporaryFile(prefix="tracker-") as file:
        try:
            with open_url(
                url, timeout_seconds=READ_TIMEOUT_SECONDS, follow_redirects=True
            ) as response:
                file.writelines(read_chunks(response, most))
        except ResponseTooLarge as error:
            raise TooLarge(f"{shown}: {error}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise InvalidInput(f"{shown}: {error}", code="NO_SUCH_FILE") from None
        file.flush()
        yield File(Path(file.name), file_name_of(url))


def file_name_of(url: str) -> str:
    """Return the name of the file at an address for facts and receipts."""
    path = urlsplit(url).path
    return unquote(PurePosixPath(path).name)[:200] or urlsplit(url).netloc
