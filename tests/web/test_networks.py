"""Deliveries go to addresses of the whole internet, and to others only where an operator named them."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tracker.errors import InvalidInput
from tracker.web.networks import Address, Network, Networks

SPECIAL_NETWORKS = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24
    224.0.0.0/4 240.0.0.0/4 168.63.129.16/32
    ::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001:db8::/32
    2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
    """
"""Networks in the IANA registries of special-purpose and multicast addresses, and the address of
Azure's machine service."""
SPECIAL = [ip_network(network) for network in SPECIAL_NETWORKS.split()]
UNICAST = IPv6Network("2000::/3")
METADATA = """
    169.254.169.254 169.254.170.2 169.254.170.23 100.100.100.200 192.0.0.192 168.63.129.16
    fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fe80::a9fe:a9fe ::ffff:169.254.169.254
    ::ffff:a9fe:a9fe 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1 ::169.254.169.254
    fec0::1 4000::1
"""
EVERYWHERE = "1.1.1.1 8.8.8.8 93.184.215.14 2606:4700:4700::1111 2a00:1450:4001:80b::200e"


def is_special(address: Address) -> bool:
    """Whether an address is not one of the whole internet."""
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return True
    return any(address in network for network in SPECIAL)


def addresses_in(network: Network) -> st.SearchStrategy[Address]:
    """Draw addresses of a network, with a bias to its ends."""
    first, last = int(network[0]), int(network[-1])
    kind = type(network[0])
    numbers = st.one_of(st.sampled_from([first, last]), st.integers(first, last))
    return numbers.map(kind)


addresses = st.one_of(st.ip_addresses(), st.sampled_from(SPECIAL).flatmap(addresses_in))
networks = st.one_of(
    st.sampled_from(SPECIAL),
    st.builds(
        lambda address, length: ip_network((address, min(length, address.max_prefixlen)), False),
        addresses,
        st.integers(8, 128),
    ),
)


@given(addresses, st.booleans())
def test_nothing_is_permitted_that_is_not_global(address: Address, encrypted: bool) -> None:
    if Networks().permit(address, encrypted):
        assert not is_special(address)


@given(addresses, st.lists(networks, max_size=3), st.booleans())
def test_named_networks_are_permitted_and_no_others(
    address: Address, allowed: list[Network], encrypted: bool
) -> None:
    named = any(address in network for network in allowed)
    permitted = Networks(tuple(allowed)).permit(address, encrypted)
    assert permitted == (named or (encrypted and Networks().permit(address)))


@each_case("address", METADATA.split())
def test_no_service_with_the_secrets_of_a_machine_is_reached(address: str) -> None:
    assert not Networks().permit(ip_address(address))


@each_case("address", EVERYWHERE.split())
def test_addresses_of_the_internet_are_reached_by_tls_only(address: str) -> None:
    assert Networks().permit(ip_address(address))
    assert not Networks().permit(ip_address(address), encrypted=False)


def test_a_named_network_does_not_name_the_ipv6_forms_of_its_addresses() -> None:
    named = Networks.parse(["127.0.0.0/8"])
    assert named.permit(IPv4Address("127.0.0.1"), encrypted=False)
    assert not named.permit(ip_address("::ffff:127.0.0.1"))
    assert not named.permit(ip_address("::1"))


@each_case("network", ["10.0.0.1/8", "10.0.0.0/33", "intranet", ""])
def test_a_network_that_is_none_is_refused(network: str) -> None:
    with pytest.raises(InvalidInput, match=r"expected networks such as 10\.1\.0\.0/16"):
        Networks.parse([network])


@each_case(
    "url",
    [
        "https://example.com",
        "https://example.com:8443/hooks?key=a%20b",
        "https://xn--bcher-kva.example./",
        "https://a_b.example.com/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]:443/",
        "HTTPS://EXAMPLE.COM/",
        f"https://{'a' * 63}.example.com/",
    ],
)
def test_an_address_on_the_internet_is_taken(url: str) -> None:
    Networks().check_url(url)


@each_case(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:///hooks",
        "https://",
        "https://example.com:0/",
        "https://example.com:/",
        "https://example.com:65536/",
        "https://example.com:x/",
        "https://me:secret@example.com/",
        "https://@example.com/",
        "https://example.com/#part",
        "https://example.com/#",
        "https://example.com/a b",
        "https://example.com/\r\nx-header: 1",
        "https://exämple.com/",
        "https://example.com\\@127.0.0.1/",
        "https://-example.com/",
        "https://example..com/",
        "https://exa%6dple.com/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://1.2.3.4.5/",
        "https://example.7/",
        f"https://{'a' * 64}.example.com/",
        "https://127.0.0.1./",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.a]/",
        "https://::1/",
        "https://example.com/" + "a" * 1981,
    ],
)
def test_an_address_that_is_none_is_refused_and_named(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Networks(ip_networks("0.0.0.0/0", "::/0")).check_url(url)
    assert (refused.value.code, refused.value.path) == ("INVALID_INPUT", ("url",))


def ip_networks(*networks: str) -> tuple[Network, ...]:
    """Return networks from texts."""
    return tuple(ip_network(network) for network in networks)


@each_case(
    "url",
    [
        "https://127.0.0.1/",
        "https://10.1.2.3:8443/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "http://example.com/",
        "http://8.8.8.8/",
    ],
)
def test_an_address_that_may_not_be_reached_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Networks().check_url(url)
    assert (refused.value.code, refused.value.path) == ("ADDRESS_REFUSED", ("url",))


def test_a_named_network_is_reached_without_tls_and_nothing_else_is() -> None:
    named = Networks.parse(["10.0.0.0/8"])
    named.check_url("http://10.1.2.3:8080/")
    named.check_url("http://receiver:8080/")  # its address is checked on connection
    for url in ("http://8.8.8.8/", "http://127.0.0.1/", "https://127.0.0.1/"):
        with pytest.raises(InvalidInput):
            named.check_url(url)
