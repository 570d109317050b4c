"""Pages of endpoints: their state, and forms for managers."""

import re
from html import unescape
from typing import Any

import httpx2
import pytest

from deploy.bootstrap import open_connection
from schema.pages.endpoints.view import duration, filter_text, lag_text
from schema.services import Access, Services
from tests.support.api import Api
from tests.support.fact_builders import announced, suspended
from tests.support.tokens import token
from tracker.auth.scopes import Scope
from tracker.postgres.database import OWNER, Target

URL = "https://example.org/events?key=hush-hush"
ADD = {"do": "add", "url": URL, "name": "n", "after": "0", "reason": "for the ministry"}
OWN = {"Sec-Fetch-Site": "same-origin"}


class Manager:
    """A manager with a browser and a token."""

    def __init__(self, services: Services, secret: str):
        self.api = Api(services, Access())
        self.headers = {"Authorization": f"Bearer {secret}", "Accept": "text/html", **OWN}

    async def get(self, path: str = "/endpoints/n", status: int = 200) -> str:
        """Return a page as text."""
        answer = await self.api.request("GET", path, headers=self.headers)
        assert answer.status_code == status, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return text(answer)

    async def send(self, path: str = "/endpoints/n", **fields: str) -> httpx2.Response:
        """Return the response to a form."""
        return await self.api.request("POST", path, data=fields, headers=self.headers)

    async def do(self, do: str, **fields: str) -> str:
        """Return the page after an action on `n`."""
        answer = await self.send(do=do, **{"reason": "because", **fields})
        assert answer.status_code == 303, text(answer)
        return await self.get(answer.headers["location"])

    async def refused(self, do: str, **fields: str) -> str:
        """Return the page with the reason for a refusal."""
        answer = await self.send(do=do, **{"reason": "because", **fields})
        assert answer.status_code == 422, text(answer)
        assert "Nothing was done" in text(answer)
        return answer.text


def text(answer: httpx2.Response) -> str:
    """Return the text of a page."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).replace("\xa0", " ").split())


@pytest.fixture
async def ann(services: Services, target: Target) -> Manager:
    """Create a manager who may have endpoints, on a log with two events."""
    for fact in (announced(), suspended()):
        await services.commands.record("export-control/a", fact)
    return Manager(services, await token(target, Scope.ENDPOINT, name="ann"))


async def set_columns(target: Target, columns: str, *values: Any) -> None:
    """Write the columns of `n` like a deliverer."""
    async with open_connection(target, role=OWNER) as connection:
        await connection.execute(f"UPDATE delivery.endpoints SET {columns}", *values)


async def test_an_endpoint_is_added_looked_at_and_removed(ann: Manager) -> None:
    assert "There is no endpoint yet" in await ann.get("/endpoints")
    added = await ann.send("/endpoints", **ADD, types="ExportControl.Suspended", places="CN, US")
    assert (added.status_code, added.headers["location"]) == (303, "/endpoints/n?do=add")
    page = await ann.get(added.headers["location"])
    assert "The endpoint was added" in page
    assert "1 event, the oldest for" in page
    assert "of the types ExportControl.Suspended, of CN and US" in page
    assert "Added by ann (https://example.org/events?… after 0): for the ministry" in page
    assert "whpk_" in page
    assert "hush-hush" not in page
    listed = await ann.get("/endpoints?state=ACTIVE")
    assert "delivering" in listed
    assert "No endpoint is in this state" in await ann.get("/endpoints?state=PAUSED")

    assert "expected 'n'" in unescape(await ann.refused("remove", confirmed="m"))
    assert "There is no endpoint yet" in await ann.do("remove", confirmed="n")
    await ann.get("/endpoints/n", 404)


async def test_an_endpoint_of_a_chat_is_added_with_the_choice_of_its_format(ann: Manager) -> None:
    page = (await ann.api.request("GET", "/endpoints", headers=ann.headers)).text
    choice = page[page.index('name="format"') :]
    options = re.findall(r'<option value="(\w+)"( selected)?>', choice[: choice.index("</select>")])
    assert options == [("EVENTS", " selected"), ("SLACK", ""), ("TEAMS", "")]
    refused = await ann.send("/endpoints", **ADD, format="TEAMS", maxBatchEvents="21")
    assert (refused.status_code, "from 1 to 20" in refused.text) == (422, True)
    await ann.send("/endpoints", **ADD, format="TEAMS", maxBatchEvents="20")
    page = await ann.get()
    assert "messages for Microsoft Teams" in page
    assert "https://example.org/…" in page
    assert "hush-hush" not in page
    assert "example.org/events" not in page


async def test_actions_are_recorded_with_actor_and_reason(ann: Manager, target: Target) -> None:
    await ann.send("/endpoints", **ADD)
    page = await ann.do("pause", reason="maintenance")
    assert "The endpoint is paused" in page
    assert "Paused by ann: maintenance" in page
    page = await ann.do("resume")
    assert "Deliveries are resumed" in page
    page = await ann.do("park", position="2")
    assert "The event is parked" in page
    assert "Send event 2" in page
    assert "By ann" in page
    assert "The delivery is being retried" in await ann.do("retry", position="2")
    await set_columns(target, "position = 2, previous_position = 1")
    page = await ann.do("replay", **{"from": "1"})
    assert "A replay of positions 1 to 2 (2 events) is in progress" in page
    assert "The replay was ended" in await ann.do("end-replay")
    page = await ann.do("rotate", overlapHours="3")
    assert page.count("whpk_") == 2
    for done in ("Resumed", "Parked", "Retried", "Replayed", "Rotated"):
        assert f"{done} by ann" in page


async def test_a_failure_is_reported_in_words_and_can_be_tried_again(
    ann: Manager, target: Target
) -> None:
    await ann.send("/endpoints", **ADD)
    await set_columns(
        target,
        "failures = 3, failing_since = now(), next_attempt_at = now() + interval '1 hour',"
        " last_error = $1, last_status = 500",
        "the receiver answered 500 <b>",
    )
    page = await ann.get()
    assert "The next delivery has failed 3 times" in page
    assert "Last error: the receiver answered 500 <b> (status 500). The next retry is at" in page
    assert "the receiver answered 500 <b>" in await ann.get("/endpoints")
    assert "Last failures None." in page
    async with open_connection(target, role=OWNER) as connection:
        for events, error in ((0, "nobody answers"), (1, "no entry <i>")):
            await connection.execute(
                "INSERT INTO delivery.attempts (endpoint, attempted_at, message_id, first_position,"
                " last_position, events, attempt, duration_seconds, status, error, response)"
                " SELECT id, now(), '', 1, 1, $1, 2, 0.1, NULL, $2, '<script>' FROM delivery.endpoints",
                events,
                error,
            )
    page = await ann.get()
    assert "none (probe) 2 nobody answers <script>" in page
    assert "1 2 no entry <i> <script>" in page
    assert "The delivery is being retried" in await ann.do("retry")


async def test_a_secret_is_shown_once(ann: Manager) -> None:
    added = await ann.send("/endpoints", **ADD, withHmac="true")
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", added.text)
    assert (added.status_code, added.headers["cache-control"]) == (200, "no-store")
    for path in ("/endpoints", "/endpoints/n"):
        assert "whsec_" not in await ann.get(path)
    rotated = await ann.send(do="rotate", overlapHours="0", reason="stolen")
    [other] = re.findall(r"whsec_[A-Za-z0-9+/=]+", rotated.text)
    assert other != secret


async def test_errors_are_shown_at_their_field(ann: Manager) -> None:
    for field, given, says in (
        ("url", "http://example.org/", "https"),
        ("url", "https://10.0.0.1/", "10.0.0.1"),
        ("url", "", "expected a value"),
        ("name", "N!", "expected"),
        ("after", "9", "expected a position from 0 to 2"),
        ("after", "x", "expected a whole number"),
        ("types", "Nothing.Happened", "Nothing.Happened"),
        ("commodities", "unobtainium", "unobtainium"),
        ("maxBatchEvents", "0", "expected"),
    ):
        answer = await ann.send("/endpoints", **{**ADD, field: given})
        assert answer.status_code == 422
        [control] = re.findall(rf'<input id="add-{field}"[^>]*>', answer.text)
        assert 'aria-invalid="true"' in control
        assert f'value="{given}"' in control, "what was filled in stays"
        [error] = re.findall(rf'id="add-{field}-error">([^<]*)<', answer.text)
        assert says in unescape(error)
    assert "There is no endpoint yet" in await ann.get("/endpoints")


async def test_an_error_of_an_action_leaves_its_form_open(ann: Manager) -> None:
    await ann.send("/endpoints", **ADD)
    for do, fields, field in (
        ("replay", {"from": "1"}, "from"),
        ("park", {"position": "7"}, "position"),
        ("pause", {"reason": " "}, "reason"),
        ("rotate", {"overlapHours": "9999"}, "overlapHours"),
    ):
        page = await ann.refused(do, **fields)
        assert f'id="{do}-{field}-error"' in page
        assert len(re.findall(r"<details open>", page)) == 1
    assert "no event 2 parked" in unescape(await ann.refused("retry", position="2"))
    assert (await ann.send(do="destroy")).status_code == 400


async def test_nobody_sees_those_of_others(
    ann: Manager, services: Services, target: Target
) -> None:
    await ann.send("/endpoints", **ADD)
    bob = Manager(services, await token(target, Scope.ENDPOINT, name="bob"))
    assert "There is no endpoint yet" in await bob.get("/endpoints")
    await bob.get("/endpoints/n", 404)
    assert (await bob.send(do="pause", reason="mine")).status_code == 404
    boss = Manager(services, await token(target, Scope.ADMIN, name="boss"))
    assert "ann" in await boss.get("/endpoints")
    assert "Paused by boss" in await boss.do("pause")


async def test_only_whoever_may_is_let_in_and_only_our_own_forms_count(
    ann: Manager, services: Services, target: Target
) -> None:
    await ann.send("/endpoints", **ADD)
    anybody = Api(services, Access())
    for path in ("/endpoints", "/endpoints/n"):
        answer = await anybody.request("GET", path)
        assert answer.headers["location"].startswith("/sign-in?next=/endpoints")
    editor = Manager(services, await token(target, Scope.RECORD, name="editor"))
    assert "Expected a token of scope endpoint" in await editor.get("/endpoints", 403)
    assert "/endpoints" not in (await anybody.request("GET", "/about")).text
    assert 'href="/endpoints"' in (await ann.api.request("GET", "/about", headers=ann.headers)).text

    cookie = {"Cookie": f"tracker_token={ann.headers['Authorization'].removeprefix('Bearer ')}"}
    forged = await anybody.request(
        "POST",
        "/endpoints/n",
        data={"do": "remove", "confirmed": "n", "reason": "forged"},
        headers={**cookie, "Sec-Fetch-Site": "cross-site"},
    )
    assert forged.status_code in (401, 403)
    assert "1 event" in await ann.get() or "2 events" in await ann.get()


def test_times_and_filters_in_words() -> None:
    assert [duration(each).replace("\xa0", " ") for each in (0, 61, 7300, 200_000)] == [
        "0 seconds",
        "1 minute",
        "2 hours",
        "2 days",
    ]
    assert lag_text({"events": 0, "seconds": 0}) == "no event"
    none = dict.fromkeys(("types", "commodities", "places", "entity"))
    assert filter_text(none) == "all events"
    assert filter_text({**none, "entity": "alliance/quad"}) == "of the entity alliance/quad"
