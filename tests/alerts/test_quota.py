"""Requests for alerts: a flood leaves room for others, and links are outside of the quota."""

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from deploy.bootstrap import open_connection
from schema.pages.alerts.route import TargetCheck
from tests.alerts.conftest import ADDRESS, Reader
from tests.support.cases import each_case
from tests.support.mail_server import quiet
from tracker.alerts import store
from tracker.alerts.store import MAX_REQUESTS, WIDTHS, Usage, networks, seconds_to_wait
from tracker.errors import RateLimited
from tracker.postgres.database import Target


class Day:
    """The admitted requests of a day, by hour and by network."""

    def __init__(self) -> None:
        self.by_hour = Counter[int]()
        self.by_network = Counter[tuple[int, str]]()

    def request(self, client: str, hour: int = 0) -> bool:
        """Request once, and return whether the request was admitted."""
        mine = [*enumerate(networks(client))]
        of_networks = [self.by_network[network] for network in mine]
        of_day, of_hour = self.by_hour.total(), self.by_hour[hour]
        usage = Usage(of_day, of_hour, 1.0, of_networks, [2.0] * len(WIDTHS))
        if admitted := seconds_to_wait(usage) is None:
            self.by_hour[hour] += 1
            self.by_network.update(mine)
        return admitted

    def flood(self, clients: Iterable[str], each: int = 20) -> Counter[str]:
        """Request from each client some times, in turns, and return the admitted requests by client."""
        clients = list(clients)
        return Counter(client for _ in range(each) for client in clients if self.request(client))


def far_apart(count: int) -> Iterator[str]:
    """Yield addresses in different providers' networks, and in some of each of them after 60,000."""
    for number in range(count):
        yield f"{1 + number % 200}.{number // 200}.7.9"


FLOODS = {
    "one address": ["203.0.113.5"],
    "one network": [f"203.0.113.{number}" for number in range(100)],
    "one provider": [f"203.0.{number}.5" for number in range(100)],
    "an IPv6 site": [f"2001:db8:1:{number:x}::" for number in range(100)],
    "an IPv6 provider": [f"2001:db8:{number:x}::" for number in range(100)],
    "100 providers": list(far_apart(100)),
    "1,000 providers": list(far_apart(1000)),
}


@each_case("flood", FLOODS)
def test_a_flood_leaves_an_honest_visitor_served(flood: str) -> None:
    day = Day()
    admitted = day.flood(FLOODS[flood])
    assert max(admitted.values()) <= 20
    for honest in ("198.51.100.1", "2a00:1450::1"):
        assert day.request(honest), f"{admitted.total()} of {MAX_REQUESTS} are used"


def test_an_address_in_a_quiet_day_has_twenty_requests() -> None:
    assert Day().flood(["198.51.100.1"], 30).total() == 20


def test_networks_get_fewer_requests_the_more_are_used() -> None:
    day = Day()
    first = day.flood(["198.51.100.1"])
    day.flood(far_apart(300))
    later = day.flood(["192.0.2.1"])
    assert 0 < later.total() < first.total() / 2


def test_after_the_day_is_used_up_networks_with_few_requests_are_served_in_the_next_hour() -> None:
    day = Day()
    clients = list(far_apart(MAX_REQUESTS + 100))
    day.flood(clients, 2)
    assert day.by_hour.total() == MAX_REQUESTS
    assert not day.request("198.51.100.1")
    assert not day.request(clients[0], hour=1), "it had its share"
    assert day.request("198.51.100.1", hour=1)


def test_a_client_without_an_ip_address_is_a_network_of_its_own() -> None:
    assert networks("testclient") == ["testclient"] * 3
    assert networks("203.0.113.5/32") == ["203.0.113.5/32", "203.0.113.0/24", "203.0.0.0/16"]
    assert networks("2001:db8:1:2::/64") == [
        "2001:db8:1:2::/64",
        "2001:db8:1::/48",
        "2001:db8::/32",
    ]


async def test_requests_are_counted_by_networks_in_the_database(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_REQUESTS", 200)
    admitted, refusals = 0, list[float]()
    for number in range(30):
        client = str(ipaddress.ip_address("203.0.113.0") + number)
        for _ in range(3):
            try:
                await reader.alerts.admit(f"{number}@example.org", client)
                admitted += 1
            except RateLimited as error:
                refusals.append(error.seconds)
    assert (admitted, len(refusals)) == (4, 86), "2 % of 200 are of the network"
    assert all(86_000 < seconds <= 86_400 for seconds in refusals)
    assert await reader.alerts.admit(ADDRESS, "203.0.114.1")
    assert await reader.alerts.admit(ADDRESS, "2001:db8::1")


async def test_the_last_requests_of_a_day_are_spread_over_its_hours(
    reader: Reader, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_REQUESTS", 20)
    monkeypatch.setattr(store, "MAX_REQUESTS_OF_HOUR", 5)
    for client in far_apart(20):
        await reader.alerts.admit(ADDRESS, client)
    with pytest.raises(RateLimited) as refused:
        await reader.alerts.admit(ADDRESS, "198.51.100.1")
    assert 3_500 < refused.value.seconds <= 3_600
    async with open_connection(target) as connection:
        await connection.execute(
            "UPDATE alerts.requests SET requested_at = requested_at - interval '61 minutes'"
        )
    await reader.alerts.admit(ADDRESS, "198.51.100.1")


async def test_links_are_mailed_when_the_quota_is_used_up_and_do_not_count(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reader.subscribe()
    for _ in range(10):
        for address in (ADDRESS, "stranger@example.org"):
            response = await reader.post("/alerts/links", address=address)
            assert response.status_code == 303
    await reader.box.wait_for(6)
    await quiet()
    assert len(reader.box.contents) == 6, "a confirmation, and 5 mails to the subscriber"
    monkeypatch.setattr(store, "WIDTHS", [each._replace(share=0, least=2) for each in WIDTHS])
    assert (await reader.request()).status_code == 303, "1 of 2 requests is used"


async def test_a_refused_request_is_not_checked(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = 0
    require_answer = TargetCheck.require_answer

    async def count(*arguments: object) -> None:
        nonlocal checked
        checked += 1
        await require_answer(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(TargetCheck, "require_answer", count)
    monkeypatch.setattr(store, "WIDTHS", [each._replace(share=0, least=2) for each in WIDTHS])
    statuses = [(await reader.request()).status_code for _ in range(5)]
    assert statuses == [303, 303, 429, 429, 429]
    assert checked == 2
