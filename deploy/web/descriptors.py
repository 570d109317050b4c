"""How many descriptors (files, sockets) this process may have, and how many clients get of them.

Without one left the database can't be reached, the log can't be signed and nobody can ask how the
server is. So clients never get the last ones.
"""

from __future__ import annotations

import contextlib
import logging
import resource
from dataclasses import replace

from deploy.web.connections import SPARE_CONNECTIONS, Limits

RESERVED_DESCRIPTORS = 96 + SPARE_CONNECTIONS
"""For the database (26 connections), signing, helpers, logs, listening, and connections that are
being closed while others come."""
MIN_CONNECTIONS = 16
MAX_DESCRIPTORS = 65_536

logger = logging.getLogger(__name__)


def raise_limit() -> int:
    """Let this process have as many descriptors as its system allows; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # macOS: the kernel may allow fewer
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft


def within_descriptors(limits: Limits) -> Limits:
    """The limits, with no more connections than leave enough descriptors over."""
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
