"""Fair shares of the requests for alerts, by networks. Pure.

The requests of a day are limited, because each one makes the tracker write to an address that anybody may
enter. A fixed limit per client would let a hundred clients use up the day of everybody. So a network may use
a share of the requests that are left: the more are used, the fewer each network gets. Networks are counted
at three widths, because one attacker can have all addresses of a network. When the requests of the day are
used up, networks with few of them share some in each hour.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import NamedTuple

MAX_REQUESTS = 2_000
"""Requests per day that networks share."""
MAX_REQUESTS_OF_HOUR = 60
"""Requests per hour below which a network with few requests is served after those of the day are used up."""


class Width(NamedTuple):
    """A width of networks, and the limit of each of them."""

    prefixes: Mapping[int, int]
    """Length of the prefix by IP version."""
    share: float
    """Share of the requests of the day that are left."""
    least: int
    """Requests per day that a network has in any case."""


WIDTHS = (
    Width({4: 32, 6: 64}, 0.01, 1),
    Width({4: 24, 6: 48}, 0.02, 2),
    Width({4: 16, 6: 32}, 0.1, 10),
)
"""A customer, a site, and a provider."""


class Usage(NamedTuple):
    """Requests of the last 24 hours, in all and by the networks of a client, narrowest first."""

    of_day: int
    of_hour: int
    hour_seconds: float
    """Seconds until the oldest request of the last hour no longer counts."""
    of_networks: Sequence[int]
    network_seconds: Sequence[float]
    """Seconds until the oldest request of each network no longer counts."""


def networks(client: str) -> list[str]:
    """Return the networks of a client, narrowest first; a client without an IP address is its own network."""
    try:
        address = ipaddress.ip_network(client).network_address
    except ValueError:
        return [client] * len(WIDTHS)
    lengths = [width.prefixes[address.version] for width in WIDTHS]
    return [str(ipaddress.ip_network((address, each), strict=False)) for each in lengths]


def seconds_to_wait(usage: Usage) -> float | None:
    """Return the seconds until a client may try again; None if its request is admitted."""
    left = MAX_REQUESTS - usage.of_day
    for number, width in enumerate(WIDTHS):
        if usage.of_networks[number] >= max(width.least, round(width.share * left)):
            return usage.network_seconds[number]
    return usage.hour_seconds if left <= 0 and usage.of_hour >= MAX_REQUESTS_OF_HOUR else None
