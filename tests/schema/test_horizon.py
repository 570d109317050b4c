"""Up to when policy is known, by issuer."""

from typing import Any

from schema.services import Services
from tests.support.api import Api, claim, control, source, suspension
from tests.support.corpus_lines import shipped_events
from tests.support.watched_sources import fact_of_source, failed, looked, record, watched
from tracker.domain.controls.export_control_acts import Announced, Disputed, SuspensionStated
from tracker.domain.entities.entity import TYPES
from tracker.domain.evidence.watched_source_facts import Unwatched


async def horizon(api: Api, asked: str = "", moment: str = 'validAt: "2025-01-01"') -> Any:
    """Return the newest fact of each issuer, and the publication day of its source."""
    data = await api.ask(
        f"{{ asOf({moment}) {{ horizon{asked} {{ issuer newestFactOn newestPublishedOn"
        " newestPosition recordedAt } } }"
    )
    return data["asOf"]["horizon"]


async def days(api: Api, asked: str = "", moment: str = 'validAt: "2025-01-01"') -> dict[str, str]:
    """Return the effective day of each issuer's newest fact."""
    return {one["issuer"]: one["newestFactOn"] for one in await horizon(api, asked, moment)}


async def test_nothing_is_known_of_an_empty_log(api: Api) -> None:
    assert await horizon(api) == []


async def test_the_newest_fact_of_an_issuer_is_reported_with_its_source(api: Api) -> None:
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


async def test_retracted_facts_are_not_listed(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    told = await api.do("suspendExportControl", suspension("x"))
    await api.do("retractEvent", {"eventId": told["eventId"], "reason": "r", "source": source()})
    assert await days(api) == {"CN": "2024-12-03"}


async def test_only_acts_count_for_their_issuer_and_for_the_alliance_itself(api: Api) -> None:
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
    await api.do("announceExportControl", control("x"))
    await api.do("suspendExportControl", suspension("x"))
    stated = {"id": "x", "on": "2026-09-28", "suspendedUntil": "2027-01-10", "statedBy": "MOFCOM"}
    await api.do("stateSuspension", {**stated, "source": source("mofcom", "2026-09-28")})
    assert await days(api) == {"CN": "2025-11-09", "msp": "2022-06-14"}
    assert await days(api, '(issuer: "msp")') == {"msp": "2022-06-14"}
    assert await days(api, '(issuer: "US")') == {}


async def test_the_newest_act_of_each_shipped_issuer_is_its_own_and_not_a_statement(
    read_services: Services,
) -> None:
    issuers = {
        planned.stream: planned.fact.issuer
        for planned in shipped_events().values()
        if isinstance(planned.fact, Announced)
    }
    statements = {TYPES[kind] for kind in (Disputed, SuspensionStated)}
    newest = {one["issuer"]: one for one in await horizon(Api(read_services))}
    acts = [(issuer, one["newestPosition"]) for issuer, one in newest.items()]
    of_places = [(issuer, position) for issuer, position in acts if position and issuer.isupper()]
    assert {issuer for issuer, _ in of_places} == set(issuers.values())
    for issuer, position in of_places:
        [event] = await read_services.recorder.read(int(position) - 1, limit=1)
        assert issuers[event.stream] == issuer, "an act of another issuer"
        assert event.type not in statements, f"the newest act of {issuer} is a statement"


async def test_an_actor_that_cannot_issue_acts_is_refused(api: Api) -> None:
    code, _ = await api.refused('{ asOf { horizon(issuer: "China") { issuer } } }')
    assert code == "UNKNOWN_PLACE"


WATCH = (
    "issuer newestFactOn sourceCount lookedAt coversUntil nextLookExpectedAt"
    " notRead { key since code reason lookedAt }"
)


async def watch(api: Api, issuer: str, position: str | None = None) -> Any:
    """Return the horizon and watched sources of an issuer, at a position."""
    at = f', position: "{position}"' if position else ""
    data = await api.ask(
        f'{{ asOf(validAt: "2025-01-01"{at}) {{ horizon(issuer: "{issuer}") {{ {WATCH} }} }} }}'
    )
    return data["asOf"]["horizon"]


async def test_nobody_looks_where_no_source_is_watched(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    (found,) = await watch(api, "CN")
    assert (found["sourceCount"], found["lookedAt"], found["notRead"]) == (0, None, [])


async def test_checks_without_results_are_listed_also_for_issuers_without_facts(
    api: Api, services: Services
) -> None:
    await record(services, watched(issuers=["ID", "msp"]))
    (found,) = await watch(api, "ID")
    assert (found["newestFactOn"], found["sourceCount"], found["lookedAt"]) == (None, 1, None)
    assert found["notRead"] == [
        {
            "key": "us-federal-register",
            "since": None,
            "code": None,
            "reason": None,
            "lookedAt": None,
        }
    ]
    await record(services, looked(coversUntil="2026-10-31"))
    (found,) = await watch(api, "msp")
    assert found == {
        "issuer": "msp",
        "newestFactOn": None,
        "sourceCount": 1,
        "lookedAt": "2026-11-01T12:00:00.000001Z",
        "coversUntil": "2026-10-31",
        "nextLookExpectedAt": "2026-11-02T00:00:00.000001Z",
        "notRead": [],
    }
    (before,) = await watch(api, "ID", "1")
    assert (before["lookedAt"], before["coversUntil"]) == (None, None)


async def test_an_issuer_is_known_as_far_as_the_source_that_was_read_first(
    api: Api, services: Services
) -> None:
    later = "2026-11-03T00:00:00Z"
    await record(services, watched(), looked(coversUntil="2026-10-31"), key="a")
    await record(services, watched(), looked(later, coversUntil="2026-11-02"), key="b")
    await record(services, failed(later, look=2), looked(later, look=2, complete=False), key="a")
    (found,) = await watch(api, "US")
    assert (found["sourceCount"], found["coversUntil"]) == (2, "2026-10-31")
    assert found["lookedAt"] == "2026-11-01T12:00:00.000001Z"
    assert found["notRead"] == [
        {
            "key": "a",
            "since": later,
            "code": "TIMEOUT",
            "reason": "no answer in 30 seconds",
            "lookedAt": "2026-11-01T12:00:00.000001Z",
        }
    ]
    gone = fact_of_source(Unwatched, "2026-11-04", reason="it was closed")
    await record(services, gone, key="a")
    (found,) = await watch(api, "US")
    assert (found["sourceCount"], found["coversUntil"], found["notRead"]) == (1, "2026-11-02", [])
    (before,) = await watch(api, "US", "4")
    assert (before["sourceCount"], before["notRead"]) == (2, [])
