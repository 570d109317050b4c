"""Descriptors (files, sockets) of this process, and the share for clients.

Without a free descriptor the database is unreachable, the log cannot be signed, and health checks fail.
So clients never get the last ones.
"""

import contextlib
import logging
import resource
from dataclasses import replace

from deploy.web.connections import SPARE_CONNECTIONS, Limits

RESERVED_DESCRIPTORS = 96 + SPARE_CONNECTIONS
"""Descriptors for the database (26 connections), signing, helper processes, logs, listening, and
closing connections."""
MIN_CONNECTIONS = 16
MAX_DESCRIPTORS = 65_536

logger = logging.getLogger(__name__)


def raise_limit() -> int:
    """Raise the descriptor limit to the system's maximum, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < limit:
        with contextlib.suppress(OSError, ValueError):  # macOS: the kernel may allow fewer
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            soft = limit
    return MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def within_descriptors(limits: Limits) -> Limits:
    """Return the limits, with connections reduced to the available descriptors."""
    descriptors = raise_limit()
    possible = max(MIN_CONNECTIONS, descriptors - RESERVED_DESCRIPTORS)
    if possible >= limits.connections:
        return limits
    logger.warning(
        "%d descriptors allow %d connections of the %d that are set: raise the limit (ulimit -n)",
        descriptors,
        possible,
        limits.connections,
    )
    return replace(limits, connections=possible)
