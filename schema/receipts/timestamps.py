"""Timestamps of receipts, requested from an authority (RFC 3161 over HTTP)."""

import asyncio
import base64
import logging
import time
from http.client import HTTPException

from msgspec import Struct

from tracker.audit.receipts.timestamp import AuthorityCertificates, timestamp_request
from tracker.errors import TrackerError
from tracker.http_client import open_url, read_content

TIMEOUT_SECONDS = 2.0
"""Maximum time in seconds that a receipt waits for its timestamp."""
MAX_ANSWER_BYTES = 100_000
HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}

logger = logging.getLogger(__name__)


class TimestampAuthority(Struct, frozen=True):
    """An authority: its address, and its certificates."""

    url: str
    certificates: AuthorityCertificates

    async def timestamp(self, note: str) -> str | None:
        """Return a checked timestamp of a note in base64, or None if the authority gives none in time."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await asyncio.to_thread(self._request, note)
        except (OSError, HTTPException, TrackerError) as error:
            reason = error.message if isinstance(error, TrackerError) else type(error).__name__
            logger.warning(
                "a receipt has no timestamp: the authority returned no valid one: %s", reason
            )
            return None

    def _request(self, note: str) -> str:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        request = timestamp_request(note)
        with open_url(
            self.url, timeout_seconds=TIMEOUT_SECONDS, body=request.as_bytes(), headers=HEADERS
        ) as response:
            answer = read_content(response, MAX_ANSWER_BYTES, deadline)
        timestamp = base64.b64encode(answer).decode()
        self.certificates.check(note, timestamp, request.nonce)
        return timestamp
