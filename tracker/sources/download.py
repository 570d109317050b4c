"""Files from the web, kept while they are read: a source is read more than once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from tracker.domain.wording import address_without_query, is_address
from tracker.errors import InvalidInput, TooLarge
from tracker.http_client import ResponseTooLarge, open_url, read_chunks
from tracker.sources.reader import File

MAX_DOWNLOAD_BYTES = 2_000_000_000
"""The largest file that is fetched."""
READ_TIMEOUT_SECONDS = 30
"""Seconds without a byte after which a server counts as silent."""


@contextmanager
def downloaded_file(url: str, most: int = MAX_DOWNLOAD_BYTES) -> Iterator[File]:
    """The file at an http or https address, under its last name, until the end of the block.

    Raises InvalidInput where it can't be had, or is cut off, and TooLarge.
    """
    shown = address_without_query(url)
    if not is_address(url):
        raise InvalidInput(
            f"{shown}: expected a file, or an http or https address with a host and"
            " without a name and password",
            code="NO_SUCH_FILE",
        )
    with tempfile.NamedTemporaryFile(prefix="tracker-") as kept:
        try:
            with open_url(
                url, timeout_seconds=READ_TIMEOUT_SECONDS, follow_redirects=True
            ) as response:
                kept.writelines(read_chunks(response, most))
        except ResponseTooLarge as error:
            raise TooLarge(f"{shown}: {error}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise InvalidInput(f"{shown}: {error}", code="NO_SUCH_FILE") from None
        kept.flush()
        yield File(Path(kept.name), file_name_of(url))


def file_name_of(url: str) -> str:
    """The name by which facts and receipts refer to the file at an address."""
    path = urlsplit(url).path
    return unquote(PurePosixPath(path).name)[:200] or urlsplit(url).netloc
