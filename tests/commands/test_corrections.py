"""Late and corrected facts on the corpus: they change current knowledge of the past, not earlier
knowledge."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest

from projections.query.moment import Moment
from schema.services import Services
from tests.support.api import Api, source

BAN = "cn-mofcom-2024-46"


@pytest.fixture
def api(corpus_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(corpus_services)


class Past:
    """Responses before a new fact, for comparison afterwards."""

    def __init__(self, services: Services, answers: dict[Moment, str]):
        self._services = services
        self._answers = answers

    @classmethod
    async def of(cls, services: Services) -> Past:
        """Return the digests of the whole state at moments across both axes."""
        head, chance = await services.recorder.head(), Random(46)
        moments = [
            Moment(
                date(chance.randint(2010, 2027), chance.randint(1, 12), 1),
                chance.choice((head, chance.randint(0, head))),
            )
            for _ in range(12)
        ]
        return cls(services, {m: await services.as_of.digest(m) for m in moments})

    async def is_unchanged(self) -> bool:
        """Check whether the same queries have equal responses."""
        return all(
            [
                await self._services.as_of.digest(moment) == digest
                for moment, digest in self._answers.items()
            ]
        )


async def ban(api: Api, day: str, position: str | None = None) -> Any:
    """Return the ban of exports to the United States, with the status of its second clause."""
    data = await api.ask(
        """query ($day: Day, $position: Position, $id: String!) {
             asOf(validAt: $day, position: $position) { exportControl(id: $id) {
               title clauses { key status } because { eventId } } } }""",
        day=day,
        position=position,
        id=BAN,
    )
    return data["asOf"]["exportControl"]


async def second(api: Api, day: str, position: str | None = None) -> str | None:
    """Return the status of its second clause."""
    found = await ban(api, day, position)
    return found and next(c["status"] for c in found["clauses"] if c["key"] == "2")


ANEW = {
    "id": BAN,
    "on": "2024-12-03",
    "issuer": "CN",
    "direction": "EXPORT",
    "title": "Told anew",
    "source": source(),
    "clauses": [
        {
            "id": id,
            "measure": "BAN",
            "commodities": ["gallium"],
            "destinations": ["US"],
            "inForceFrom": "2024-12-03",
        }
        for id in "12"
    ],
}
"""The ban, recorded again."""


async def test_a_suspension_that_was_not_recorded_in_time_starts_in_the_past(api: Api) -> None:
    past, head = await Past.of(api.services), str(await api.services.recorder.head())
    assert await second(api, "2025-03-01") == "IN_FORCE"
    await api.do(
        "suspendExportControl",
        {
            "id": BAN,
            "on": "2025-02-01",
            "clauses": ["2"],
            "suspendedFrom": "2025-02-10",
            "suspendedUntil": "2025-04-30",
            "source": source(published_on="2025-02-01"),
        },
    )
    told = [await second(api, day) for day in ("2025-02-09", "2025-03-01", "2025-05-01")]
    assert told == ["IN_FORCE", "SUSPENDED", "IN_FORCE"]
    assert await second(api, "2025-11-20") == "SUSPENDED"
    assert await second(api, "2025-03-01", head) == "IN_FORCE"
    assert await past.is_unchanged()


async def test_a_corrected_suspension_is_wrong_only_in_what_was_known(api: Api) -> None:
    past, head = await Past.of(api.services), str(await api.services.recorder.head())
    corrected = await api.do(
        "correctEvent",
        {
            "eventId": "cn-mofcom-2025-72",
            "reason": "a test",
            "source": source(),
            "replacement": {
                "suspendExportControl": {
                    "id": BAN,
                    "on": "2025-11-09",
                    "clauses": ["2"],
                    "suspendedFrom": "2025-11-09",
                    "suspendedUntil": "2025-12-31",
                    "source": source(published_on="2025-11-09"),
                }
            },
        },
    )
    assert await second(api, "2026-01-01") == "IN_FORCE"
    assert await second(api, "2026-01-01", head) == "SUSPENDED"
    found = await ban(api, "2025-11-20")
    assert found["because"][-1] == {"eventId": corrected["eventId"]}
    assert await past.is_unchanged()


async def test_an_instrument_whose_announcement_is_retracted_is_gone_until_it_is_told_anew(
    api: Api,
) -> None:
    past = await Past.of(api.services)
    opening = (await ban(api, "2025-11-20"))["because"][0]["eventId"]
    wrong = {"reason": "a test", "source": source()}
    gone = await api.do("retractEvent", {**wrong, "eventId": opening})
    assert await ban(api, "2025-11-20") is None
    back = await api.do("retractEvent", {**wrong, "eventId": gone["eventId"]})
    assert await second(api, "2025-11-20") == "SUSPENDED"
    await api.do("retractEvent", {**wrong, "eventId": back["eventId"]})
    assert await ban(api, "2025-11-20") is None
    refused = await api.fails(
        "suspendExportControl",
        {"id": BAN, "on": "2025-11-09", "suspendedFrom": "2025-11-09", "source": source()},
    )
    assert refused == ("NOT_FOUND", ["input", "id"])
    await api.do("announceExportControl", ANEW)
    found = await ban(api, "2025-11-20")
    assert (found["title"], await second(api, "2025-11-20")) == ("Told anew", "SUSPENDED")
    assert await api.fails("retractEvent", {**wrong, "eventId": gone["eventId"]}) == (
        "ALREADY_EXISTS",
        ["input", "eventId"],
    )
    assert await past.is_unchanged()


async def test_a_founding_can_be_moved_to_an_earlier_day_and_members_told_from_then_on(
    api: Api,
) -> None:
    past = await Past.of(api.services)
    early = {
        "id": "msp",
        "on": "2022-03-01",
        "member": "IN",
        "change": "JOINED",
        "source": source(),
    }
    assert await api.fails("recordMembership", early) == ("NOT_FOUNDED", ["input", "on"])
    await api.do(
        "correctEvent",
        {
            "eventId": "msp-2022-06-14-formation",
            "reason": "a test",
            "source": source(),
            "replacement": {
                "foundAlliance": {
                    "id": "msp",
                    "on": "2022-02-01",
                    "name": "MSP",
                    "members": ["US"],
                    "source": source(),
                }
            },
        },
    )
    await api.do("recordMembership", early)
    data = await api.ask("""query { asOf(validAt: "2023-07-01") { alliance(id: "msp") {
        name foundedOn members { place { code } since } } } }""")
    members = {m["place"]["code"]: m["since"] for m in data["asOf"]["alliance"]["members"]}
    assert (data["asOf"]["alliance"]["foundedOn"], members["IN"], members["IT"]) == (
        "2022-02-01",
        "2022-03-01",
        "2023-06-22",
    )
    assert await past.is_unchanged()
