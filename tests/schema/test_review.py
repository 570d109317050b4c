"""Candidates over the API: rights, pages and filters, and refusals."""

from datetime import date, timedelta
from typing import Any

import pytest

from deploy.bootstrap import open_connection
from schema.execution.schema import CORE_SCHEMA
from schema.root.review import REVIEW_MUTATIONS
from schema.services import Access, Services
from tests.support.api import Api
from tests.support.callers import ApiOfCallers
from tests.support.fact_builders import announced, clause, source
from tests.support.findings import SHA256, figures, lead, proposal
from tests.support.tokens import token
from tracker import clock
from tracker.auth.scopes import Caller, Scope, expand_scopes
from tracker.postgres.database import WATCHER, Target
from tracker.review.finding import Finding
from tracker.review.findings import propose
from tracker.review.review import Reviewer

ANN = Caller("ann", expand_scopes([Scope.REVIEW]))
BOB = Caller("bob", expand_scopes([Scope.REVIEW]))
BOSS = Caller("boss", expand_scopes([Scope.ADMIN]))
WRITER = Caller("writer", expand_scopes([Scope.RECORD]))
ALL = """fragment all on Candidate {
  id kind state revision title language source item place url reason publishedOn number foundAt issuers
  commodities { key } snapshot { sha256 url path mediaType size storedAt redacted }
  proposal { type entity data eventId } file { reader fileName settings } lead
  assignedTo postponedUntil acceptedBy acceptancesNeeded position refusal closedAt supersededBy
  event { eventId actor } matches { kind entity title because } restates { eventId }
  decisions { at actor action reason detail revision } }"""
ONE = "query ($id: ID!) { candidate(id: $id) { ...all } }" + ALL
LIST = """query ($state: CandidateState, $source: String, $kind: CandidateKind, $commodity: String,
  $issuer: String, $assignedTo: String, $search: String, $orderBy: CandidateOrder!, $first: Int,
  $after: String, $last: Int, $before: String) {
  candidates(state: $state, source: $source, kind: $kind, commodity: $commodity, issuer: $issuer,
    assignedTo: $assignedTo, search: $search, orderBy: $orderBy, first: $first, after: $after,
    last: $last, before: $before) {
    totalCount nodes { item } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
COUNTS = "{ candidateCounts { pending postponed accepting accepted rejected superseded } }"
INPUTS = {
    "acceptCandidate": "CandidateActionInput",
    "acceptCandidates": "AcceptCandidatesInput",
    "rejectCandidate": "RejectCandidateInput",
    "rejectCandidates": "RejectCandidatesInput",
    "postponeCandidate": "PostponeCandidateInput",
    "assignCandidate": "AssignCandidateInput",
    "editCandidate": "EditCandidateInput",
    "reopenCandidate": "CandidateActionInput",
}
BULK = "outcomes { id candidate { state } error { code path } }"
CONTROL = {
    "id": "cn-better",
    "issuer": "CN",
    "direction": "EXPORT",
    "title": "As edited",
    "on": "2024-12-03",
    "clauses": [{"id": "1", "measure": "BAN", "commodities": ["tin"], "inForceFrom": "2024-12-03"}],
    "source": {**source(), "checked": "PAGE"},
}


class Queue(ApiOfCallers):
    """The queue as callers see it over the API."""

    def __init__(self, services: Services, target: Target):
        super().__init__(services)
        self.target = target

    async def found(self, *findings: Finding, source: str = "cn-mofcom") -> None:
        """Put findings into the queue, like the watcher."""
        async with open_connection(self.target, role=WATCHER) as connection:
            await propose(connection, source, findings, ["CN"])

    async def one(self, id: int = 1) -> Any:
        """Return all visible fields of a candidate."""
        return (await self.ask(ANN, ONE, id=str(id)))["candidate"]

    async def do(self, mutation: str, caller: Caller = ANN, /, **input: Any) -> Any:
        """Run an operation on a candidate, by default the first."""
        return (await self.ask(caller, doing(mutation), input={"id": "1", **input}))[mutation]

    async def fails(self, mutation: str, caller: Caller | None = ANN, /, **input: Any) -> Any:
        """Return the refusal of an operation."""
        return await self.refusal(caller, doing(mutation), input={"id": "1", **input})

    async def items(self, **narrowed: Any) -> list[str]:
        """Return the items of a list."""
        narrowed.setdefault("orderBy", "FOUND_AT")
        found = (await self.ask(ANN, LIST, **narrowed))["candidates"]
        if "first" not in narrowed:
            assert found["totalCount"] == len(found["nodes"])
        return [node["item"] for node in found["nodes"]]


def doing(mutation: str) -> str:
    """Return the document of a mutation of a candidate."""
    result = BULK if mutation.endswith("s") else "candidate { ...all }"
    return (
        f"mutation ($input: {INPUTS[mutation]}!) {{ {mutation}(input: $input) {{ {result} }} }}"
        + (ALL if "...all" in result else "")
    )


@pytest.fixture
def queue(services: Services, target: Target) -> Queue:
    return Queue(services, target)


async def test_a_candidate_shows_what_was_found_and_what_is_proposed(queue: Queue) -> None:
    await queue.found(proposal(), figures(), lead())
    fact, file, hint = [await queue.one(id) for id in (1, 2, 3)]
    assert (fact["kind"], fact["state"], fact["revision"]) == ("FACT", "PENDING", 1)
    assert fact["proposal"]["type"] == "ExportControl.Announced"
    assert fact["proposal"]["entity"] == "export-control/cn-2024-1"
    assert fact["proposal"]["data"]["title"] == "Gallium to the US"
    assert fact["proposal"]["eventId"] == "cn-mofcom-2024-1"
    assert (fact["commodities"], fact["issuers"]) == ([{"key": "gallium"}], ["CN"])
    assert fact["snapshot"] == {
        "sha256": SHA256,
        "url": "https://www.mofcom.gov.cn/2024-1",
        "path": f"/snapshots/{SHA256}",
        "mediaType": None,
        "size": None,
        "storedAt": None,
        "redacted": False,
    }
    assert (fact["publishedOn"], fact["language"]) == ("2024-12-03", "zh")
    assert (fact["acceptedBy"], fact["acceptancesNeeded"], fact["decisions"]) == ([], 1, [])
    assert file["file"] == {"reader": "usgs", "fileName": "mcs2025.csv", "settings": {}}
    assert (file["kind"], file["proposal"]) == ("IMPORT", None)
    assert (hint["kind"], hint["lead"], hint["issuers"]) == ("LEAD", "GAP", ["CN"])


async def test_an_accepted_candidate_is_recorded_and_readable_at_once(
    queue: Queue, services: Services
) -> None:
    await queue.found(proposal())
    accepted = (await queue.do("acceptCandidate", reason="It is so"))["candidate"]
    assert (accepted["state"], accepted["position"]) == ("ACCEPTED", "1")
    assert accepted["event"] == {"eventId": "candidate-1", "actor": "ann"}
    assert [done["action"] for done in accepted["decisions"]] == ["RECORDED", "ACCEPTED"]
    assert accepted["decisions"][1]["reason"] == "It is so"
    told = await queue.ask(ANN, '{ asOf { exportControl(id: "cn-2024-1") { title } } }')
    assert told["asOf"]["exportControl"]["title"] == "Gallium to the US"


async def test_two_persons_where_the_settings_say_so(
    queue: Queue, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.review, "reviewers", 2)
    await queue.found(proposal())
    first = (await queue.do("acceptCandidate"))["candidate"]
    assert (first["state"], first["acceptedBy"], first["acceptancesNeeded"]) == (
        "PENDING",
        ["ann"],
        1,
    )
    assert await queue.fails("acceptCandidate") == ("SAME_REVIEWER", ["input", "id"])
    assert (await queue.do("acceptCandidate", BOB))["candidate"]["state"] == "ACCEPTED"


async def test_an_edit_takes_the_input_of_a_mutation(queue: Queue) -> None:
    await queue.found(lead())
    edited = await queue.do("editCandidate", fact={"announceExportControl": CONTROL})
    found = edited["candidate"]
    assert (found["kind"], found["lead"]) == ("FACT", "GAP")
    assert found["proposal"]["entity"] == "export-control/cn-better"
    assert found["commodities"] == [{"key": "tin"}]
    accepted = (await queue.do("acceptCandidate", revision=2))["candidate"]
    assert accepted["position"] == "1"


async def test_errors_of_an_edit_name_the_field(queue: Queue) -> None:
    await queue.found(proposal())

    async def refused(**wrong: Any) -> Any:
        fact = {"announceExportControl": {**CONTROL, **wrong}}
        return await queue.fails("editCandidate", fact=fact)

    within = ["input", "fact", "announceExportControl"]
    assert await refused(issuer="Atlantis") == ("UNKNOWN_PLACE", [*within, "issuer"])
    assert await refused(title="Tin\x07") == ("INVALID_TEXT", [*within, "title"])
    assert (await refused(id="tin tin"))[1] == [*within, "id"]
    assert await queue.fails(
        "editCandidate", fact={"announceExportControl": CONTROL}, revision=9
    ) == ("VERSION_CONFLICT", ["input", "revision"])


async def test_many_are_decided_on_at_once_and_each_says_what_became_of_it(queue: Queue) -> None:
    await queue.found(proposal("1"), lead("2"), proposal("3"))
    document = doing("acceptCandidates")
    done = await queue.ask(ANN, document, input={"ids": ["1", "2", "9"]})
    assert done["acceptCandidates"]["outcomes"] == [
        {"id": "1", "candidate": {"state": "ACCEPTED"}, "error": None},
        {
            "id": "2",
            "candidate": {"state": "PENDING"},
            "error": {"code": "NO_FACT", "path": ["id"]},
        },
        {"id": "9", "candidate": None, "error": {"code": "NOT_FOUND", "path": ["id"]}},
    ]
    given = {"ids": ["2", "3"], "reason": "About tin"}
    done = await queue.ask(ANN, doing("rejectCandidates"), input=given)
    states = [one["candidate"]["state"] for one in done["rejectCandidates"]["outcomes"]]
    assert states == ["REJECTED", "REJECTED"]
    counts = (await queue.ask(ANN, COUNTS))["candidateCounts"]
    assert counts["accepted"] == 1
    assert counts["rejected"] == 2
    many = [str(id) for id in range(1, 52)]
    for ids in ([], ["1", "1"], many):
        assert await queue.refusal(ANN, document, input={"ids": ids}) == (
            "INVALID_BULK",
            ["input", "ids"],
        )
    assert await queue.refusal(ANN, document, input={"ids": ["1", "x"]}) == (
        "INVALID_ID",
        ["input", "ids", 1],
    )


async def test_postponing_assigning_rejecting_and_reopening(queue: Queue) -> None:
    await queue.found(proposal())
    until = (clock.today() + timedelta(days=3)).isoformat()
    assert (await queue.do("assignCandidate", to="bob"))["candidate"]["assignedTo"] == "bob"
    postponed = (await queue.do("postponeCandidate", until=until))["candidate"]
    assert (postponed["state"], postponed["postponedUntil"]) == ("POSTPONED", until)
    assert (await queue.do("reopenCandidate"))["candidate"]["state"] == "PENDING"
    rejected = (await queue.do("rejectCandidate", reason="About tin"))["candidate"]
    assert (rejected["state"], rejected["decisions"][0]["reason"]) == ("REJECTED", "About tin")
    assert await queue.fails("acceptCandidate") == ("NOT_OPEN", ["input", "id"])


@pytest.mark.parametrize(
    ("mutation", "input", "refusal"),
    [
        ("acceptCandidate", {"id": "x"}, ("INVALID_ID", ["input", "id"])),
        ("acceptCandidate", {"id": "9" * 19}, ("NOT_FOUND", ["input", "id"])),
        ("acceptCandidate", {"id": "7"}, ("NOT_FOUND", ["input", "id"])),
        ("acceptCandidate", {"reason": "\0"}, ("INVALID_INPUT", ["input", "reason"])),
        ("acceptCandidate", {"revision": 7}, ("VERSION_CONFLICT", ["input", "revision"])),
        ("rejectCandidate", {"reason": " "}, ("INVALID_INPUT", ["input", "reason"])),
        ("rejectCandidate", {"reason": "x" * 501}, ("INVALID_INPUT", ["input", "reason"])),
        ("postponeCandidate", {"until": "soon"}, ("INVALID_DATE", ["input", "until"])),
        ("postponeCandidate", {"until": "2020-01-01"}, ("INVALID_INPUT", ["input", "until"])),
        ("assignCandidate", {"to": ""}, ("INVALID_INPUT", ["input", "to"])),
        ("assignCandidate", {"to": "x" * 501}, ("INVALID_INPUT", ["input", "to"])),
        ("reopenCandidate", {}, ("NOT_CLOSED", ["input", "id"])),
    ],
)
async def test_errors_have_a_code_and_the_field(
    queue: Queue, mutation: str, input: dict[str, Any], refusal: Any
) -> None:
    await queue.found(proposal())
    assert await queue.fails(mutation, **input) == refusal
    assert (await queue.one())["revision"] == 1


async def test_lists_are_narrowed_by_what_was_found(queue: Queue) -> None:
    await queue.found(
        proposal("a", title="关于对镓相关物项实施出口管制的公告"),
        proposal("b", announced(clause(commodities=["dysprosium"]), issuer="US")),
    )
    await queue.found(lead("c", title="Counter-measures on Tin"), figures("d"), source="us-x")
    await queue.do("assignCandidate", id="2", to="bob")
    await queue.do("rejectCandidate", id="3", reason="no")
    assert await queue.items() == ["a", "b", "c", "d"]
    assert await queue.items(orderBy="FOUND_AT_DESC") == ["d", "c", "b", "a"]
    for narrowed, items in (
        ({"state": "PENDING"}, ["a", "b", "d"]),
        ({"source": "us-x"}, ["c", "d"]),
        ({"kind": "IMPORT"}, ["d"]),
        ({"commodity": "rare_earths"}, ["b"]),
        ({"issuer": "US"}, ["b"]),
        ({"assignedTo": "bob"}, ["b"]),
        ({"assignedTo": ""}, ["a", "c", "d"]),
        ({"search": "出口管制"}, ["a"]),
        ({"search": "gallium notice"}, ["a"]),
        ({"search": "counter tin"}, ["c"]),
        ({"search": "chi", "kind": "FACT"}, ["a"]),
        ({"search": "nothing"}, []),
        ({"state": "PENDING", "source": "us-x", "kind": "IMPORT"}, ["d"]),
    ):
        assert await queue.items(**narrowed) == items, narrowed
    assert (await queue.ask(ANN, "{ candidateSources }"))["candidateSources"] == [
        "cn-mofcom",
        "us-x",
    ]


@pytest.mark.parametrize(
    "order", ["FOUND_AT", "FOUND_AT_DESC", "PUBLISHED_ON", "PUBLISHED_ON_DESC"]
)
async def test_pages_repeat_and_miss_nothing_in_either_direction(queue: Queue, order: str) -> None:
    days = [None, "2025-01-02", "2024-05-06", "2025-01-02", None, "2023-01-01", "2024-05-06"]
    await queue.found(
        *(
            lead(f"i{number}", published_on=day and date.fromisoformat(day))
            for number, day in enumerate(days)
        )
    )
    whole = await queue.items(orderBy=order)
    assert len(whole) == len(days)

    async def pages(size: str, cursor: str, from_page: str, more: str) -> list[str]:
        found: list[str] = []
        given: dict[str, Any] = {size: 3, "orderBy": order}
        while True:
            page = (await queue.ask(ANN, LIST, **given))["candidates"]
            items = [node["item"] for node in page["nodes"]]
            found = found + items if size == "first" else items + found
            assert page["totalCount"] == len(days)
            if not page["pageInfo"][more]:
                return found
            given[cursor] = page["pageInfo"][from_page]

    assert await pages("first", "after", "endCursor", "hasNextPage") == whole
    assert await pages("last", "before", "startCursor", "hasPreviousPage") == whole


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"after": "x"}, ("INVALID_CURSOR", ["after"])),
        ({"first": 201}, ("INVALID_PAGE_SIZE", ["first"])),
        ({"commodity": "unobtainium"}, ("UNKNOWN_COMMODITY", ["commodity"])),
        ({"issuer": "Atlantis"}, ("UNKNOWN_PLACE", ["issuer"])),
        ({"search": "!"}, ("INVALID_INPUT", ["search"])),
        ({"source": "x" * 1000}, ("TOO_LARGE", ["source"])),
        ({"assignedTo": "\0"}, ("INVALID_INPUT", ["assignedTo"])),
    ],
)
async def test_wrong_filters_are_said_with_their_argument(
    queue: Queue, given: dict[str, Any], refusal: Any
) -> None:
    assert await queue.refusal(ANN, LIST, orderBy="FOUND_AT", **given) == refusal


async def test_cursors_of_another_order_are_refused(queue: Queue) -> None:
    await queue.found(lead("a"), lead("b"))
    page = (await queue.ask(ANN, LIST, orderBy="FOUND_AT", first=1))["candidates"]
    cursor = page["pageInfo"]["endCursor"]
    refused = await queue.refusal(ANN, LIST, orderBy="PUBLISHED_ON", after=cursor)
    assert refused == ("INVALID_CURSOR", ["after"])


QUERIES = [
    "{ candidates { totalCount } }",
    '{ candidate(id: "1") { id } }',
    "{ candidateCounts { pending } }",
    "{ candidateSources }",
]


@pytest.mark.parametrize("document", QUERIES)
async def test_only_reviewers_see_candidates(queue: Queue, document: str) -> None:
    await queue.ask(BOSS, document)
    assert (await queue.refusal(WRITER, document))[0] == "FORBIDDEN"
    assert (await queue.refusal(None, document))[0] == "UNAUTHENTICATED"


@pytest.mark.parametrize("mutation", REVIEW_MUTATIONS)
async def test_only_reviewers_decide_on_candidates(queue: Queue, mutation: str) -> None:
    await queue.found(proposal())
    input: dict[str, Any] = {"ids": ["1"]} if mutation.endswith("s") else {"id": "1"}
    if mutation.startswith("reject"):
        input["reason"] = "no"
    if mutation == "postponeCandidate":
        input["until"] = "2099-01-01"
    if mutation == "editCandidate":
        input["fact"] = {"announceExportControl": CONTROL}
    for caller, code in ((WRITER, "FORBIDDEN"), (None, "UNAUTHENTICATED")):
        assert (await queue.refusal(caller, doing(mutation), input=input))[0] == code
    assert (await queue.one())["revision"] == 1


async def test_a_token_of_the_scope_decides_over_http(
    queue: Queue, services: Services, target: Target
) -> None:
    await queue.found(proposal())
    api = Api(services, Access())
    headers = {"Authorization": f"Bearer {await token(target, Scope.REVIEW, name='ann')}"}
    document = doing("acceptCandidate")
    answer = await api.post(document, headers=headers, input={"id": "1"})
    assert answer["data"]["acceptCandidate"]["candidate"]["event"]["actor"] == "ann"
    refused = await api.post(
        'mutation { retractEvent(input: {eventId: "candidate-1", reason: "x",'
        ' source: {publisher: "a", name: "a", publishedOn: "2024"}}) { position } }',
        headers=headers,
    )
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_answers_about_candidates_are_never_kept(
    queue: Queue, services: Services, target: Target
) -> None:
    api = Api(services, Access())
    headers = {"Authorization": f"Bearer {await token(target, Scope.REVIEW, name='ann')}"}
    for expected in (0, 1):
        answer = await api.post("{ candidates { totalCount } }", headers=headers)
        assert answer["data"]["candidates"]["totalCount"] == expected
        await queue.found(lead(str(expected)))


async def test_candidates_whose_recording_was_cut_off_are_settled_before_they_are_shown(
    queue: Queue, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await queue.found(proposal())

    async def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(services.review), "finish", crash)
        with pytest.raises(KeyboardInterrupt):
            await services.review.accept(1, Reviewer("ann"))
    assert (await queue.one())["state"] == "ACCEPTED"


def test_no_field_of_a_candidate_is_missing_here() -> None:
    kind = CORE_SCHEMA.type_map["Candidate"]
    missing = {name for name in kind.fields if name not in ALL}  # type: ignore[attr-defined]
    assert missing == set()
