"""Up to when policy is known, by issuer."""

from __future__ import annotations

from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, claim, control, source, suspension


@pytest.fixture
def api(services: Services) -> Api:
    """The API on an empty log, open for writing."""
    return Api(services)


async def horizon(api: Api, asked: str = "", moment: str = 'validAt: "2025-01-01"') -> Any:
    """The newest fact of each issuer, and when its source was published."""
    data = await api.ask(
        f"{{ asOf({moment}) {{ horizon{asked} {{ issuer newestFactOn newestPublishedOn"
        " newestPosition recordedAt } } }"
    )
    return data["asOf"]["horizon"]


async def days(api: Api, asked: str = "", moment: str = 'validAt: "2025-01-01"') -> dict[str, str]:
    """From which day the newest fact of each issuer counts."""
    return {one["issuer"]: one["newestFactOn"] for one in await horizon(api, asked, moment)}


async def test_nothing_is_known_of_an_empty_log(api: Api) -> None:
    assert await horizon(api) == []


async def test_the_newest_fact_of_an_issuer_is_told_with_its_source(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    await api.do("suspendExportControl", suspension("x", source=source("mofcom", "2025-11-09")))
    await api.do("announceExportControl", control("y", on="2024-01-05"))
    (found,) = await horizon(api)
    assert found.pop("recordedAt")
    assert found == {
        "issuer": "CN",
        "newestFactOn": "2025-11-09",
        "newestPublishedOn": "2025-11-09",
        "newestPosition": "2",
    }


async def test_it_follows_from_the_position_and_not_from_the_day(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    await api.do("suspendExportControl", suspension("x"))
    assert await days(api, moment='validAt: "2020-01-01"') == {"CN": "2025-11-09"}
    assert await days(api, moment='position: "1"') == {"CN": "2024-12-03"}


async def test_what_was_retracted_is_not_known(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    told = await api.do("suspendExportControl", suspension("x"))
    await api.do("retractEvent", {"eventId": told["eventId"], "reason": "r", "source": source()})
    assert await days(api) == {"CN": "2024-12-03"}


async def test_announcements_count_for_their_actors_and_alliances_for_themselves(api: Api) -> None:
    await api.do(
        "foundAlliance",
        {"id": "msp", "on": "2022-06-14", "name": "MSP", "members": ["US"], "source": source()},
    )
    await api.do(
        "recordAnnouncement",
        {"id": "a", "on": "2025-07-01", "kind": "STATEMENT", "actors": ["JP", "msp"]}
        | {"title": "They say so", "source": source()},
    )
    await api.do("recordFigure", claim())
    assert await days(api) == {"JP": "2025-07-01", "msp": "2025-07-01"}
    assert await days(api, '(issuer: "msp")') == {"msp": "2025-07-01"}
    assert await days(api, '(issuer: "US")') == {}


async def test_who_can_issue_nothing_is_refused(api: Api) -> None:
    code, _ = await api.refused('{ asOf { horizon(issuer: "China") { issuer } } }')
    assert code == "UNKNOWN_PLACE"
