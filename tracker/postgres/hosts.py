"""Connecting to the first of several hosts that does what is asked for.

A host may take connections and say nothing, as a frozen one does. So the next one is asked as well
when a host has not answered for a moment, and the first that does is taken. While one is silent those
that were not as wanted are asked again and again: one of them may be promoted at any time. What was
taken last is asked first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

import asyncpg

from tracker.postgres.timelines import admit

PREFER_STANDBY = "prefer-standby"
DEFAULT_PORT = 5432
HEAD_START_SECONDS = 0.3
"""Seconds after which the next host is asked too, while one has not answered."""

Address: TypeAlias = "tuple[str | None, int | None]"
Addresses: TypeAlias = "tuple[Address, ...]"

PASSED_OVER = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InternalClientError,
)
"""Errors after which another host may do better: that of a login that is refused is none."""

logger = logging.getLogger(__name__)

_last_taken: dict[tuple[Addresses, str | None], Address] = {}
"""The host that was taken last of a list, by what was wanted of it."""


async def connect_to_first(
    *,
    host: str | Sequence[str] | None = None,
    port: int | Sequence[int] | None = None,
    timeout: float,
    target_session_attrs: str | None = None,
    beside: Mapping[str, Any] | None = None,
    **options: Any,
) -> Any:
    """A connection to a host that is as wanted, each tried for `timeout` seconds at most.

    `beside` has the hosts of the servers themselves, where those given are of poolers before them.
    With `prefer-standby` any host will do where no standby answers. Raises what a host said last,
    with a note of the address.
    """
    addresses = _addresses(host, port)
    servers = _addresses(beside.get("host"), beside.get("port")) if beside else addresses

    async def connect(address: Address, wanted: str | None) -> Any:
        async with asyncio.timeout(timeout):
            connection = await asyncpg.connect(
                host=address[0],
                port=address[1],
                timeout=timeout,
                target_session_attrs=wanted,  # type: ignore[arg-type]  # text will do
                **options,
            )
            try:
                await admit(servers, connection)
            except BaseException:
                connection.terminate()
                raise
        return connection

    failure: Exception | None = None
    try:
        for wanted in _attributes(target_session_attrs):
            try:
                return await _race(addresses, wanted, connect, timeout)
            except PASSED_OVER as error:
                failure = error
        assert failure is not None
        raise failure
    except Exception as error:
        error.add_note(address(host, port, options.get("database")))
        raise


def address(
    host: str | Sequence[str] | None, port: int | Sequence[int] | None, database: str | None = None
) -> str:
    """Return an address for people: hosts, ports and database, without login and password."""
    hosts = ",".join(
        f"{f'[{name}]' if ':' in name else name}:{number or DEFAULT_PORT}" if name else "localhost"
        for name, number in _addresses(host, port)
    )
    return f"{hosts}/{database}" if database else hosts


async def _race(
    addresses: Addresses,
    wanted: str | None,
    connect: Callable[[Address, str | None], Awaitable[Any]],
    seconds: float,
) -> Any:
    """What the first host gives to which a connection can be made; each is asked for so many seconds,
    and nobody again after as many."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    last = _last_taken.get((addresses, wanted))
    waiting = deque(sorted(addresses, key=lambda address: address != last))
    asked: dict[asyncio.Future[Any], Address] = {}
    refused: list[Address] = []
    failure: Exception | None = None
    try:
        while waiting or asked:
            if waiting:
                address = waiting.popleft()
                asked[asyncio.ensure_future(connect(address, wanted))] = address
            done, _ = await asyncio.wait(
                asked, timeout=HEAD_START_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            while answered := next((task for task in asked if task.done()), None):
                address = asked.pop(answered)
                try:
                    connection = answered.result()
                except PASSED_OVER as error:
                    failure = error
                    refused.append(address)
                    logger.info("%s:%s is passed over: %s", *address, type(error).__name__)
                else:
                    _last_taken[addresses, wanted] = address
                    return connection
            if not done and not waiting and loop.time() < deadline:
                waiting.extend(refused)
                refused.clear()
    finally:
        for task in asked:
            task.cancel()
            task.add_done_callback(_discard)
    assert failure is not None
    raise failure


def _discard(late: asyncio.Future[Any]) -> None:
    """Drop a connection that came too late."""
    if not late.cancelled() and not late.exception():
        late.result().terminate()


def _attributes(wanted: str | None) -> Sequence[str | None]:
    """What is asked of all hosts, in the order in which it is."""
    return ("standby", "any") if wanted == PREFER_STANDBY else (wanted,)


def _addresses(host: str | Sequence[str] | None, port: int | Sequence[int] | None) -> Addresses:
    """Each host with its port; one port may be that of all."""
    hosts = [host] if host is None or isinstance(host, str) else list(host)
    ports = [port] if port is None or isinstance(port, int) else list(port)
    return tuple(zip(hosts, ports if len(ports) == len(hosts) else ports * len(hosts), strict=True))
