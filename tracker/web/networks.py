"""Permitted addresses of connections. Pure.

Without this check, a user could make this server connect to any host that it can reach. Examples are a
database without a password, a router, or the credentials service of a cloud.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from tracker.errors import InvalidInput, Path

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

MAX_URL_CHARACTERS = 2_000
PATH: Path = ("url",)

IPV6_UNICAST = IPv6Network("2000::/3")
"""Globally reachable unicast addresses. Addresses outside that contain an IPv4 address (mapped,
compatible, NAT64) could lead to an unchecked address."""
NOT_FOR_EVERYBODY: tuple[Network, ...] = (
    IPv4Network("168.63.129.16/32"),  # globally numbered, but the host's own service inside Azure
    IPv4Network("192.0.0.0/24"),  # protocol assignments; the metadata service inside Oracle's cloud
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4: contains an IPv4 address
    IPv6Network("3fff::/20"),  # documentation; known only to newer versions of `ipaddress`
)
"""Networks besides those that `ipaddress` calls not global, which differ between versions of Python."""

URL_CHARACTERS = re.compile(r"[!-~]+")
NOT_IN_URLS = re.compile(r'["<>\\^`{|}]')
HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)\.?")
"""A last label that makes a host an IPv4 address in an old notation, such as 127.1 or 0x7f000001."""


@dataclass(frozen=True, slots=True)
class Networks:
    """Permitted addresses: the whole internet, and the networks in `allowed`.

    Without TLS only the latter, unless `without_tls` is set for public data that are only read.
    """

    allowed: tuple[Network, ...] = ()
    without_tls: bool = False

    @classmethod
    def parse(cls, networks: Sequence[str]) -> Networks:
        """Parse networks such as 10.1.0.0/16. Raises InvalidInput."""
        try:
            return cls(tuple(ip_network(network) for network in networks))
        except ValueError as error:
            raise InvalidInput(f"{error}: expected networks such as 10.1.0.0/16") from None

    def permit(self, address: Address, encrypted: bool = True) -> bool:
        """Return whether connections to an address are permitted.

        It must be global, with TLS if required, or in `allowed`.
        """
        return self.names(address) or ((encrypted or self.without_tls) and _is_global(address))

    def names(self, address: Address) -> bool:
        """Return whether an address is in one of the allowed networks."""
        return any(address in network for network in self.allowed)

    def check_url(self, url: str) -> None:
        """Reject an address that is not permitted, without a name lookup.

        Raises InvalidInput, with the code ADDRESS_REFUSED for an unreachable address.
        """
        if len(url) > MAX_URL_CHARACTERS:
            raise _invalid(f"expected at most {MAX_URL_CHARACTERS:,} characters")
        if not URL_CHARACTERS.fullmatch(url) or NOT_IN_URLS.search(url):
            raise _invalid(
                "expected the characters of a URL: others are written with percent signs"
            )
        parts = _split(url)
        if parts.scheme not in ("https", "http"):
            raise _invalid("expected an address that begins with https://")
        if "@" in parts.netloc:
            raise _invalid("expected no user name or password")
        if "#" in url:
            raise _invalid("expected no part after `#`: it is not sent")
        address = _literal(parts)
        encrypted = parts.scheme == "https"
        if not encrypted and not self.allowed and not self.without_tls:
            raise _refused("expected https: http only leads to networks that the operator named")
        if address is not None and not self.permit(address, encrypted):
            raise _refused(f"{address}: expected an address that can be reached from everywhere")


def _is_global(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in IPV6_UNICAST:
        return False
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in network for network in NOT_FOR_EVERYBODY)


def _split(url: str) -> SplitResult:
    """Return the parts of a URL with a valid host and port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("expected an address such as https://example.com/events") from None
    if not parts.hostname or port == 0 or parts.netloc.endswith(":"):
        raise _invalid("expected an address such as https://example.com/events")
    return parts


def _literal(parts: SplitResult) -> Address | None:
    """Return the IP address of a literal host; None for a name."""
    host = parts.hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if address is not None:
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            raise _invalid("expected an address without a zone")
        return address
    if not HOST_NAME.fullmatch(host) or "[" in parts.netloc:
        raise _invalid(
            "expected a host of letters, digits, hyphens and dots (other names: Punycode)"
        )
    try:
        host.encode("idna")  # as resolvers do
    except UnicodeError:
        raise _invalid("expected a host with at most 63 characters between its dots") from None
    if NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        raise _invalid("expected a name, or an address of four decimal numbers")
    return None


def _invalid(message: str) -> InvalidInput:
    return InvalidInput(message, path=PATH)


def _refused(message: str) -> InvalidInput:
    return InvalidInput(message, code="ADDRESS_REFUSED", path=PATH)
