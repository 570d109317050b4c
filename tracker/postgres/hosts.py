"""Connecting to the first of several hosts that does what is asked for.

asyncpg goes through a list of hosts itself, with one limit of time for all of them: a first host that
takes connections and is silent, as a frozen one, would eat it up, and the others would never be tried.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import asyncpg

PREFER_STANDBY = "prefer-standby"

logger = logging.getLogger(__name__)


async def connect_to_first(
    *,
    host: str | Sequence[str] | None = None,
    port: int | Sequence[int] | None = None,
    timeout: float,
    target_session_attrs: str | None = None,
    **options: Any,
) -> Any:
    """A connection to the first host that is as wanted, each tried for `timeout` seconds at most.

    With `prefer-standby` any host will do where no standby answers. Raises what the last host said.
    """
    failure: Exception | None = None
    for wanted in _attributes(target_session_attrs):
        for name, number in _addresses(host, port):
            try:
                return await asyncpg.connect(
                    host=name,
                    port=number,
                    timeout=timeout,
                    target_session_attrs=wanted,  # type: ignore[arg-type]  # text will do
                    **options,
                )
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.InternalClientError) as error:
                failure = error
                logger.info("%s:%s is passed over: %s", name, number, type(error).__name__)
    assert failure is not None
    raise failure


def _attributes(wanted: str | None) -> Sequence[str | None]:
    """What is asked of all hosts, in the order in which it is."""
    return ("standby", "any") if wanted == PREFER_STANDBY else (wanted,)


def _addresses(
    host: str | Sequence[str] | None, port: int | Sequence[int] | None
) -> Sequence[tuple[str | None, int | None]]:
    """Each host with its port; one port may be that of all."""
    hosts = [host] if host is None or isinstance(host, str) else list(host)
    ports = [port] if port is None or isinstance(port, int) else list(port)
    return list(zip(hosts, ports if len(ports) == len(hosts) else ports * len(hosts), strict=True))
