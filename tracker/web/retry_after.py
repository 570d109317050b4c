"""The header `Retry-After` (RFC 9110, 10.2.3). Pure, except for the clock."""

import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime

MAY_WAIT = (429, 503)
"""Statuses whose `Retry-After` is obeyed."""
MAX_RETRY_AFTER_SECONDS = 24 * 3600


def read_retry_after(status: int | None, header: str | None) -> float | None:
    """Return the delay that a server requests in seconds, a day at most; None if there is none."""
    text = (header or "").strip()
    if status not in MAY_WAIT or not text:
        return None
    seconds = _seconds(text)
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _seconds(retry_after: str) -> float | None:
    """Return the seconds of a `Retry-After`, which is a number or a date."""
    if re.fullmatch(r"\d{1,18}", retry_after, re.ASCII):
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    # The oldest of the three date formats (asctime) has no zone; all are in GMT.
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - time.time()
