"""Endpoints over the API: rights, refusals, and hidden values."""

import base64
from datetime import datetime
from typing import Any

import pytest

from deploy.bootstrap import open_connection
from schema.services import Access, Services
from tests.support.api import Api
from tests.support.callers import ApiOfCallers
from tests.support.fact_builders import announced, suspended
from tests.support.tokens import token
from tracker import clock
from tracker.auth.scopes import Caller, Scope, expand_scopes
from tracker.postgres.database import OWNER, Target

ANN = Caller("ann", expand_scopes([Scope.ENDPOINT]))
BOB = Caller("bob", expand_scopes([Scope.ENDPOINT]))
BOSS = Caller("boss", expand_scopes([Scope.ADMIN]))
WRITER = Caller("writer", expand_scopes([Scope.RECORD]))
URL = "https://example.org/events?key=hush-hush"

ADD = """mutation ($input: AddEndpointInput!) { addEndpoint(input: $input) {
  secret endpoint { ...all } } }"""
ALL = """fragment all on Endpoint {
  name url owner state types commodities places entity format maxBatchEvents withProof withHmac createdAt
  startedAfter position previousPosition lastAcceptedAt parkedEvents requestsPerMinute
  publicKeys { key createdAt retiresAt }
  failure { failures since nextAttemptAt error status }
  lag { head events oldestAt seconds } replay { from to position events requestedAt }
  attempts { at messageId firstPosition lastPosition events attempt accepted durationSeconds status error
             response }
  parked { position parkedAt parkedBy reason retryAt lastError event { eventId } }
  changes { at actor action reason detail } }"""
ONE = "query ($name: String!) { endpoint(name: $name) { ...all } }" + ALL
LIST = """query ($owner: String, $state: EndpointState, $after: String, $first: Int) {
  endpoints(owner: $owner, state: $state, after: $after, first: $first) {
    totalCount nodes { name } pageInfo { endCursor hasNextPage } } }"""
INPUTS = {
    "pauseEndpoint": "EndpointActionInput",
    "resumeEndpoint": "EndpointActionInput",
    "endReplay": "EndpointActionInput",
    "removeEndpoint": "EndpointActionInput",
    "replayEndpoint": "ReplayEndpointInput",
    "parkDelivery": "ParkDeliveryInput",
    "retryDelivery": "RetryDeliveryInput",
    "rotateEndpointKeys": "RotateEndpointKeysInput",
}
"""Inputs of all operations on an endpoint."""


class Endpoints(ApiOfCallers):
    """Endpoints as callers see them over the API."""

    async def answer(
        self, caller: Caller | None, document: str, **variables: Any
    ) -> dict[str, Any]:
        """Return the response to a document, which may use the fragment `all`."""
        if "...all" in document and "fragment" not in document:
            document += ALL
        return await super().answer(caller, document, **variables)

    async def add(self, caller: Caller = ANN, url: str = URL, **more: Any) -> Any:
        """Add an endpoint."""
        return (await self.ask(caller, ADD, input={"url": url, **more}))["addEndpoint"]

    async def refused(self, **input: Any) -> tuple[Any, Any]:
        """Return the refusal of a new endpoint, and check that it was not added."""
        refusal = await self.refusal(ANN, ADD, input={"url": URL, **input})
        assert await self.names(BOSS) == []
        return refusal

    async def one(self, name: str = "n", caller: Caller = ANN) -> Any:
        """Return all visible fields of an endpoint."""
        return (await self.ask(caller, ONE, name=name))["endpoint"]

    async def names(self, caller: Caller, **narrowed: Any) -> list[str]:
        """Return the names of the endpoints visible to a caller."""
        found = (await self.ask(caller, LIST, **narrowed))["endpoints"]
        assert narrowed.get("first") or found["totalCount"] == len(found["nodes"])
        return [node["name"] for node in found["nodes"]]

    async def do(self, mutation: str, caller: Caller = ANN, /, **input: Any) -> Any:
        """Run an operation on the endpoint `n`."""
        found = await self.ask(caller, doing(mutation), input=given(input))
        return found[mutation].get("endpoint")

    async def fails(
        self, mutation: str, caller: Caller | None = ANN, /, **input: Any
    ) -> tuple[Any, Any]:
        """Return the refusal of an operation, and check that nothing was changed."""
        before = await self.shown()
        refusal = await self.refusal(caller, doing(mutation), input=given(input))
        assert await self.shown() == before
        return refusal

    async def shown(self) -> Any:
        """Return the visible fields of `n`, without waiting times."""
        found = await self.one("n", BOSS)
        if found:
            del found["lag"]["seconds"]
        return found


def given(input: dict[str, Any]) -> dict[str, Any]:
    """Return an input about the endpoint `n`, with a reason."""
    return {"name": "n", "reason": "because", **input}


def doing(mutation: str) -> str:
    """Return the document of a mutation of an endpoint."""
    what = "name" if mutation == "removeEndpoint" else "endpoint { ...all }"
    secret = "secret" if mutation == "rotateEndpointKeys" else ""
    return f"mutation ($input: {INPUTS[mutation]}!) {{ {mutation}(input: $input) {{ {what} {secret} }} }}"


@pytest.fixture
async def endpoints(services: Services) -> Endpoints:
    """Create the endpoints of a log with three events: of `a`, of `b`, and again of `a`."""
    for entity, fact in (("a", announced()), ("b", announced(issuer="US")), ("a", suspended())):
        await services.commands.record(f"export-control/{entity}", fact)
    return Endpoints(services)


async def reach(target: Target, position: int, previous: int, name: str = "n") -> None:
    """Advance an endpoint like a deliverer."""
    async with open_connection(target, role=OWNER) as connection:
        await connection.execute(
            "UPDATE delivery.endpoints SET position = $1, previous_position = $2 WHERE name = $3",
            *(position, previous, name),
        )


async def test_an_endpoint_begins_at_the_head_and_is_reported_in_full(endpoints: Endpoints) -> None:
    added = await endpoints.add(name="n", reason="for the ministry")
    assert added["secret"] is None
    found = added["endpoint"]
    assert found == await endpoints.one()
    [key], [change] = found.pop("publicKeys"), found.pop("changes")
    assert len(base64.b64decode(key["key"].removeprefix("whpk_"))) == 32
    assert (key["retiresAt"], change["actor"], change["action"]) == (None, "ann", "added")
    assert change["reason"] == "for the ministry"
    created = datetime.fromisoformat(found.pop("createdAt"))
    assert abs((clock.now() - created).total_seconds()) < 60
    assert found == {
        "name": "n",
        "url": "https://example.org/events?…",
        "owner": "ann",
        "state": "ACTIVE",
        **dict.fromkeys(("types", "commodities", "places", "entity")),
        "format": "EVENTS",
        "maxBatchEvents": 1,
        "withProof": False,
        "withHmac": False,
        "startedAfter": "3",
        "position": "3",
        "previousPosition": "3",
        "lastAcceptedAt": None,
        "parkedEvents": 0,
        "requestsPerMinute": None,
        "failure": None,
        "lag": {"head": "3", "events": 0, "oldestAt": None, "seconds": 0.0},
        "replay": None,
        "attempts": [],
        "parked": [],
    }


async def test_a_filter_is_shown_as_it_was_given(endpoints: Endpoints) -> None:
    wanted = {
        "types": ["ExportControl.Announced", "ExportControl.Suspended"],
        "commodities": ["rare_earths", "gallium"],
        "places": ["CN", "quad"],
        "entity": "export-control/to-come",
    }
    added = await endpoints.add(maxBatchEvents=50, withProof=True, withHmac=True, **wanted)
    found = added["endpoint"]
    assert {name: found[name] for name in wanted} == wanted
    assert (found["maxBatchEvents"], found["withProof"], found["withHmac"]) == (50, True, True)
    assert found["name"] == "example.org"


WAITING: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3]),
    ({"types": ["ExportControl.Suspended"]}, [3]),
    ({"places": ["US"]}, [2]),
    ({"places": ["CN"], "commodities": ["gallium"]}, [1, 3]),
    ({"entity": "export-control/a"}, [1, 3]),
    ({"entity": "export-control/a", "types": ["ExportControl.Suspended"]}, [3]),
    ({"entity": "export-control/a", "places": ["US"]}, []),
    ({"commodities": ["lithium"]}, []),
]
"""Which of the three events wait, by the filter."""


async def test_the_lag_is_what_waits_of_the_filter(endpoints: Endpoints, target: Target) -> None:
    events = await endpoints.services.recorder.read()
    recorded = {event.position: event.recorded_at for event in events}
    for number, (wanted, waiting) in enumerate(WAITING):
        added = await endpoints.add(name=f"n{number}", after="0", **wanted)
        found = added["endpoint"]["lag"]
        assert (found["head"], found["events"]) == ("3", len(waiting)), wanted
        if waiting:
            assert datetime.fromisoformat(found["oldestAt"]) == recorded[waiting[0]]
            assert 0 < found["seconds"] < 60
        else:
            assert (found["oldestAt"], found["seconds"]) == (None, 0)
    await reach(target, 2, 1, "n3")
    assert (await endpoints.one("n3"))["lag"]["events"] == 1
    await reach(target, 3, 3, "n3")
    assert (await endpoints.one("n3"))["lag"]["events"] == 0


async def test_results_of_deliveries_are_shown(endpoints: Endpoints, target: Target) -> None:
    await endpoints.add(name="n", after="0")
    async with open_connection(target, role=OWNER) as connection:
        await connection.execute(
            "UPDATE delivery.endpoints SET failures = 2, failing_since = now(), last_status = 500,"
            " next_attempt_at = now() + interval '5 minutes', last_error = 'HTTP 500'"
        )
        for attempt, error in enumerate((None, "HTTP 500", "HTTP 500"), start=1):
            await connection.execute(
                "INSERT INTO delivery.attempts (endpoint, attempted_at, message_id, first_position,"
                " last_position, events, attempt, duration_seconds, status, error, response)"
                " SELECT id, now(), 'e', 1, 1, 1, $1, 0.25, 500, $2, 'no' FROM delivery.endpoints",
                attempt,
                error,
            )
    found = await endpoints.one()
    failure = found["failure"]
    assert (failure["failures"], failure["status"], failure["error"]) == (2, 500, "HTTP 500")
    assert failure["since"] < failure["nextAttemptAt"]
    assert [of["attempt"] for of in found["attempts"]] == [3, 2, 1]
    assert [of["accepted"] for of in found["attempts"]] == [False, False, True]
    document = (
        'query ($n: Int!) { endpoint(name: "n") { attempts(failed: true, first: $n) { attempt } } }'
    )
    failed = await endpoints.ask(ANN, document, n=1)
    assert failed["endpoint"]["attempts"] == [{"attempt": 3}]
    for size in (-1, 201):
        assert await endpoints.refusal(ANN, document, n=size) == ("INVALID_PAGE_SIZE", ["first"])


async def test_without_the_scope_nobody_learns_anything(endpoints: Endpoints) -> None:
    await endpoints.add(name="n")
    for caller, code in ((None, "UNAUTHENTICATED"), (WRITER, "FORBIDDEN")):
        assert (await endpoints.refusal(caller, ONE, name="n"))[0] == code
        assert (await endpoints.refusal(caller, LIST))[0] == code
        assert (await endpoints.refusal(caller, ADD, input={"url": URL}))[0] == code
        for mutation in INPUTS:
            more = {"from": "1"} if mutation == "replayEndpoint" else {}
            more |= {"position": "1"} if mutation == "parkDelivery" else {}
            assert (await endpoints.fails(mutation, caller, **more))[0] == code


async def test_an_endpoint_of_somebody_else_is_as_one_that_is_not_there(
    endpoints: Endpoints,
) -> None:
    await endpoints.add(name="n", after="0")
    assert await endpoints.one("n", BOB) is None
    assert await endpoints.names(BOB) == []
    for mutation in INPUTS:
        more: dict[str, Any] = {"from": "1"} if mutation == "replayEndpoint" else {}
        more |= {"position": "1"} if mutation == "parkDelivery" else {}
        messages = []
        for name in ("n", "m"):
            document, input = doing(mutation), given({**more, "name": name})
            [error] = (await endpoints.answer(BOB, document, input=input))["errors"]
            assert error["extensions"] == {"code": "NOT_FOUND", "path": ["input", "name"]}
            messages.append(error["message"].replace(repr(name), "?"))
        assert messages[0] == messages[1], mutation
    assert (await endpoints.one())["changes"][0]["action"] == "added"


async def test_an_administrator_manages_the_endpoints_of_all(endpoints: Endpoints) -> None:
    await endpoints.add(ANN, name="a")
    await endpoints.add(BOB, name="b")
    added = await endpoints.add(BOSS, name="n", owner="ann")
    assert added["endpoint"]["owner"] == "ann"
    assert await endpoints.names(BOSS) == ["a", "b", "n"]
    assert await endpoints.names(BOSS, owner="bob") == ["b"]
    assert await endpoints.names(ANN) == ["a", "n"]
    for owner in ("", "x" * 501, "\x1b"):
        input = {"url": URL, "owner": owner}
        assert (await endpoints.refusal(BOSS, ADD, input=input))[1] == ["input", "owner"]
    paused = await endpoints.do("pauseEndpoint", BOSS)
    assert paused["changes"][0]["actor"] == "boss"
    assert await endpoints.names(ANN, state="PAUSED") == ["n"]
    assert await endpoints.refusal(ANN, ADD, input={"url": URL, "owner": "bob"}) == (
        "FORBIDDEN",
        ["input", "owner"],
    )


async def test_a_token_of_the_scope_is_enough_over_http(services: Services, target: Target) -> None:
    api, headers = Api(services, Access()), {}
    headers = {"Authorization": f"Bearer {await token(target, Scope.ENDPOINT, name='ann')}"}
    answer = await api.post(ADD + ALL, headers, input={"url": URL, "name": "n"})
    assert answer["data"]["addEndpoint"]["endpoint"]["owner"] == "ann"
    answers = [await api.post(LIST, headers) for _ in range(2)]
    await Endpoints(services).do("removeEndpoint", ANN)
    answers.append(await api.post(LIST, headers))
    assert [of["data"]["endpoints"]["totalCount"] for of in answers] == [1, 1, 0]


async def test_the_list_is_read_in_pages(endpoints: Endpoints) -> None:
    for name in ("c", "a", "b"):
        await endpoints.add(name=name)
    found, after = [], None
    while True:
        page = (await endpoints.ask(ANN, LIST, first=2, after=after))["endpoints"]
        found += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == ["a", "b", "c"]
    assert await endpoints.refusal(ANN, LIST, after="x") == ("INVALID_CURSOR", ["after"])


WRONG: list[tuple[dict[str, Any], str, Any]] = [
    ({"url": "http://example.org/"}, "ADDRESS_REFUSED", "url"),
    ({"url": "ftp://example.org/"}, "INVALID_INPUT", "url"),
    ({"url": "example.org"}, "INVALID_INPUT", "url"),
    ({"url": ""}, "INVALID_INPUT", "url"),
    ({"url": "https://a:b@example.org/"}, "INVALID_INPUT", "url"),
    ({"url": "https://example.org/#part"}, "INVALID_INPUT", "url"),
    ({"url": "https://example.org/" + "x" * 2000}, "INVALID_INPUT", "url"),
    ({"url": "https://example.org/" + "x" * 20_000}, "TOO_LARGE", "url"),
    ({"url": "https://example.org/\0"}, "INVALID_INPUT", "url"),
    ({"url": "https://127.0.0.1/"}, "ADDRESS_REFUSED", "url"),
    ({"url": "https://10.0.0.1/"}, "ADDRESS_REFUSED", "url"),
    ({"url": "https://169.254.169.254/latest/meta-data"}, "ADDRESS_REFUSED", "url"),
    ({"url": "https://[::1]/"}, "ADDRESS_REFUSED", "url"),
    ({"url": "https://[::ffff:10.0.0.1]/"}, "ADDRESS_REFUSED", "url"),
    ({"url": "https://[fd00::1]/"}, "ADDRESS_REFUSED", "url"),
    ({"name": ""}, "INVALID_INPUT", "name"),
    ({"name": "Ann"}, "INVALID_INPUT", "name"),
    ({"name": "a/b"}, "INVALID_INPUT", "name"),
    ({"name": "x" * 61}, "INVALID_INPUT", "name"),
    ({"after": "4"}, "INVALID_INPUT", "after"),
    ({"after": str(2**63 - 1)}, "INVALID_INPUT", "after"),
    ({"after": str(2**63)}, "INVALID_POSITION", "after"),
    ({"after": "-1"}, "INVALID_POSITION", "after"),
    ({"after": "soon"}, "INVALID_POSITION", "after"),
    ({"types": []}, "INVALID_INPUT", "types"),
    ({"types": ["ExportControl.Suspended"] * 201}, "TOO_LARGE", "types"),
    ({"types": ["ExportControl.Announced", "No.Such"]}, "UNKNOWN_TYPE", ("types", 1)),
    ({"commodities": ["gallium", "galium"]}, "UNKNOWN_COMMODITY", ("commodities", 1)),
    ({"commodities": []}, "INVALID_INPUT", "commodities"),
    ({"places": ["CN", "ZZ"]}, "UNKNOWN_PLACE", ("places", 1)),
    ({"places": []}, "INVALID_INPUT", "places"),
    ({"entity": "nothing/a"}, "INVALID_INPUT", "entity"),
    ({"entity": "quad"}, "INVALID_ID", "entity"),
    ({"entity": ""}, "INVALID_ID", "entity"),
    ({"entity": "alliance/" + "x" * 600}, "TOO_LARGE", "entity"),
    ({"maxBatchEvents": 0}, "INVALID_INPUT", "maxBatchEvents"),
    ({"maxBatchEvents": 1001}, "INVALID_INPUT", "maxBatchEvents"),
    ({"maxBatchEvents": 51, "format": "SLACK"}, "INVALID_INPUT", "maxBatchEvents"),
    ({"maxBatchEvents": 21, "format": "TEAMS"}, "INVALID_INPUT", "maxBatchEvents"),
    ({"withProof": True, "format": "SLACK"}, "INVALID_INPUT", "withProof"),
    ({"owner": "bob"}, "FORBIDDEN", "owner"),
    ({"reason": "x" * 501}, "INVALID_INPUT", "reason"),
    ({"reason": "\x1b[2J"}, "INVALID_INPUT", "reason"),
]
"""Endpoints that are refused, with code and path."""


async def test_an_endpoint_of_a_chat_has_its_format_and_hides_its_address(
    endpoints: Endpoints,
) -> None:
    plain = (await endpoints.add(name="plain"))["endpoint"]
    assert plain["format"] == "EVENTS"
    for format, events in (("SLACK", 50), ("TEAMS", 20)):
        made = await endpoints.add(name=format.lower(), format=format, maxBatchEvents=events)
        of = made["endpoint"]
        assert (of["format"], of["maxBatchEvents"]) == (format, events)
        assert of["url"] == "https://example.org/…"
        assert "hush" not in str(of)


async def test_errors_of_an_endpoint_are_reported(endpoints: Endpoints) -> None:
    for input, code, path in WRONG:
        steps = [path] if isinstance(path, str) else list(path)
        assert await endpoints.refused(**input) == (code, ["input", *steps]), input


async def test_a_name_is_taken_whose_ever_it_is(endpoints: Endpoints) -> None:
    await endpoints.add(BOB, name="n")
    assert await endpoints.refusal(ANN, ADD, input={"url": URL, "name": "n"}) == (
        "NAME_TAKEN",
        ["input", "name"],
    )
    await endpoints.do("removeEndpoint", BOB)
    assert (await endpoints.add(ANN, name="n"))["endpoint"]["owner"] == "ann"
    assert [of["action"] for of in (await endpoints.one())["changes"]] == ["added"]


async def test_an_owner_has_a_hundred_endpoints_at_most(
    endpoints: Endpoints, target: Target
) -> None:
    async with open_connection(target, role=OWNER) as connection:
        await connection.execute(
            "INSERT INTO delivery.endpoints (name, url, owner, started_after, position,"
            " previous_position) SELECT 'n' || i, 'https://example.org', 'ann', 0, 0, 0"
            " FROM generate_series(1, 99) i"
        )
    await endpoints.add(ANN, name="last")
    for caller, more in ((ANN, {}), (BOSS, {"owner": "ann"})):
        code, _ = await endpoints.refusal(
            caller, ADD, input={"url": URL, "name": "one-more", **more}
        )
        assert code == "TOO_LARGE"
    await endpoints.add(BOB, name="n")


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("pauseEndpoint", {"reason": " "}, "INVALID_INPUT", "reason"),
    ("pauseEndpoint", {"reason": "x" * 501}, "INVALID_INPUT", "reason"),
    ("pauseEndpoint", {"reason": "\0"}, "INVALID_INPUT", "reason"),
    ("pauseEndpoint", {"name": "m"}, "NOT_FOUND", "name"),
    ("pauseEndpoint", {"name": "\0"}, "NOT_FOUND", "name"),
    ("pauseEndpoint", {"name": "x" * 20_000}, "NOT_FOUND", "name"),
    ("replayEndpoint", {"from": "0"}, "INVALID_INPUT", "from"),
    ("replayEndpoint", {"from": "3"}, "INVALID_INPUT", "from"),
    ("replayEndpoint", {"from": "x"}, "INVALID_POSITION", "from"),
    ("replayEndpoint", {"from": "2", "to": "1"}, "INVALID_INPUT", "to"),
    ("replayEndpoint", {"from": "1", "to": "3"}, "INVALID_INPUT", "to"),
    ("replayEndpoint", {"from": "1", "to": str(2**63)}, "INVALID_POSITION", "to"),
    ("endReplay", {}, "NOT_FOUND", "name"),
    ("parkDelivery", {"position": "1"}, "INVALID_INPUT", "position"),
    ("parkDelivery", {"position": "2"}, "INVALID_INPUT", "position"),
    ("parkDelivery", {"position": "4"}, "INVALID_INPUT", "position"),
    ("parkDelivery", {"position": "0"}, "INVALID_INPUT", "position"),
    ("parkDelivery", {"position": str(2**63 - 1)}, "INVALID_INPUT", "position"),
    ("parkDelivery", {"position": "3", "reason": ""}, "INVALID_INPUT", "reason"),
    ("retryDelivery", {"position": "3"}, "NOT_FOUND", "position"),
    ("rotateEndpointKeys", {"overlapHours": -1}, "INVALID_INPUT", "overlapHours"),
    ("rotateEndpointKeys", {"overlapHours": 721}, "INVALID_INPUT", "overlapHours"),
]
"""Refused operations on an endpoint at position 2, with a filter for China."""


async def test_impossible_actions_on_an_endpoint_are_refused(
    endpoints: Endpoints, target: Target
) -> None:
    await endpoints.add(name="n", after="0", places=["CN"])
    await reach(target, 2, 1)
    for mutation, input, code, path in REFUSED:
        assert await endpoints.fails(mutation, **input) == (code, ["input", path]), (
            mutation,
            input,
        )


async def test_actions_are_recorded_with_actor_and_reason(endpoints: Endpoints) -> None:
    await endpoints.add(name="n", after="0")
    assert (await endpoints.do("pauseEndpoint", reason="they move"))["state"] == "PAUSED"
    assert (await endpoints.fails("pauseEndpoint"))[0] == "NOT_ACTIVE"
    assert (await endpoints.fails("retryDelivery"))[0] == "NOT_ACTIVE"
    assert (await endpoints.do("resumeEndpoint", BOSS, reason="moved"))["state"] == "ACTIVE"
    await endpoints.do("retryDelivery", reason="mended")
    changes = (await endpoints.one())["changes"]
    assert [(of["action"], of["actor"], of["reason"]) for of in changes] == [
        ("retried", "ann", "mended"),
        ("resumed", "boss", "moved"),
        ("paused", "ann", "they move"),
        ("added", "ann", None),
    ]


async def test_a_replay_goes_up_to_the_cursor_and_can_be_given_up(
    endpoints: Endpoints, target: Target
) -> None:
    await endpoints.add(name="n", after="0", places=["CN"])
    await reach(target, 3, 3)
    replay = (await endpoints.do("replayEndpoint", **{"from": "2"}))["replay"]
    assert (replay["from"], replay["to"], replay["events"]) == ("2", "3", 1)
    replay = (await endpoints.do("replayEndpoint", **{"from": 1, "to": "1"}))["replay"]
    assert (replay["from"], replay["to"], replay["events"]) == ("1", "1", 1)
    await endpoints.add(name="m", after="0", places=["US"], entity="export-control/a")
    await endpoints.add(name="l", after="0", places=["US"])
    for name, events in (("m", 0), ("l", 1)):
        await reach(target, 3, 0, name)
        done = await endpoints.do("replayEndpoint", **{"name": name, "from": "1"})
        assert done["replay"]["events"] == events
    found = await endpoints.do("endReplay")
    assert (found["replay"], found["position"]) == (None, "3")


async def test_an_event_is_parked_by_a_person_and_tried_again(
    endpoints: Endpoints, target: Target
) -> None:
    await endpoints.add(name="n", after="0", places=["CN"])
    found = await endpoints.do("parkDelivery", position="1", reason="it breaks them")
    [parked] = found["parked"]
    assert (parked["parkedBy"], parked["reason"], parked["retryAt"]) == (
        "ann",
        "it breaks them",
        None,
    )
    [event] = await endpoints.services.recorder.read(0, limit=1)
    assert parked["event"] == {"eventId": event.event_id}
    assert found["parkedEvents"] == 1
    [retried] = (await endpoints.do("retryDelivery", position="1"))["parked"]
    assert retried["retryAt"] is not None


# --- secrets


async def test_a_secret_is_shown_once_and_never_again(endpoints: Endpoints, target: Target) -> None:
    shown = [(await endpoints.add(name="n", withHmac=True))["secret"]]
    rotated = await endpoints.ask(
        ANN, doing("rotateEndpointKeys"), input=given({"overlapHours": 1})
    )
    shown.append(rotated["rotateEndpointKeys"]["secret"])
    assert len(set(shown)) == 2
    for secret in shown:
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    old, new = rotated["rotateEndpointKeys"]["endpoint"]["publicKeys"]
    assert (old["retiresAt"] is None, new["retiresAt"] is None) == (False, True)
    async with open_connection(target, role=OWNER) as connection:
        secrets = [
            row["secret"] for row in await connection.fetch("SELECT secret FROM delivery.keys")
        ]
    assert len(secrets) == 4
    told = [await endpoints.answer(caller, ONE, name="n") for caller in (ANN, BOSS)]
    told += [await endpoints.answer(ANN, doing("resumeEndpoint"), input=given({}))]
    for answer in told:
        text = str(answer)
        assert "whsec_" not in text
        assert "hush-hush" not in text
        for secret in secrets:
            assert base64.b64encode(secret).decode() not in text


async def test_a_rotation_without_hmac_has_no_secret_and_none_begins_before_the_last_is_done(
    endpoints: Endpoints,
) -> None:
    await endpoints.add(name="n")
    document = doing("rotateEndpointKeys")
    rotated = await endpoints.ask(ANN, document, input=given({}))
    assert rotated["rotateEndpointKeys"]["secret"] is None
    refusal = await endpoints.fails("rotateEndpointKeys", overlapHours=24)
    assert refusal == ("ROTATION_NOT_DONE", ["input", "overlapHours"])
    ended = await endpoints.ask(ANN, document, input=given({"overlapHours": 0}))
    assert len(ended["rotateEndpointKeys"]["endpoint"]["publicKeys"]) == 1
