"""Scenarios: responses equal those of a fresh log with the same events, and nothing is recorded."""

import json
import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import graphql
import pytest

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from schema.base.context import Context
from schema.execution.execute import execute
from schema.execution.scenarios import as_hypothetical
from schema.execution.schema import SCHEMA
from schema.pages.registry import page_at
from schema.pages.site.page_request import address_of
from schema.root.scenarios import use_branch
from schema.services import OPEN_CALLER, Access, Services
from tests.browser.addresses import PAGES
from tests.conftest import copied
from tests.contract.derivation.record import QUERIES
from tests.schema.test_preview import EVERY_FACT, RECORD, random_command
from tests.support.api import Api, control, source, suspension
from tests.support.documents import blocks
from tests.support.tokens import token
from tests.support.waiting import all_projected
from tracker.auth.scopes import Scope
from tracker.domain.entities import commitments
from tracker.errors import InvalidInput, NotFound
from tracker.postgres.database import Target, connect

CREATE = """mutation ($input: ScenarioInput!) { createScenario(input: $input) {
  key title base owner private revision commands } }"""
ROOT = "query ($scenario: String) { asOf(scenario: $scenario) { logRoot digest } }"
LICENCE = (
    "the exporter needs a dual-use licence from the Ministry of Commerce of China (MOFCOM)"
    " before export"
)
DAYS = ("2025-12-01", "2026-12-02", "2027-03-01")
ANSWERS = {
    "announcement": '(id: "a")',
    "alliance": '(id: "msp")',
    "exportControl": '(id: "x")',
    "figure": '(id: "rare_earths/CN/production/mine/2023")',
    "tradeFlow": '(id: "HS17/811292/DE/2024")',
    "firm": '(id: "f")',
    "coverage": '(id: "cn-list")',
    "tariffLine": '(codeOf: "US", code: "81129210")',
    "watchedSource": '(id: "us-federal-register")',
    "exposure": '(commodity: "gallium", issuer: "CN", destination: "US")',
    "exposures": '(commodity: "gallium", issuer: "CN", destinations: ["US", "DE"])',
    "importExposure": '(commodity: "gallium", importer: "US")',
    "importOrigins": '(commodity: "gallium", importer: "US")',
    "importRanks": '(importer: "US")',
    "shipment": '(input: {commodity: "gallium", origin: "CN", destination: "US"})',
    "search": '(text: "gallium")',
    "timeline": '(commodity: "gallium", between: {from: "2024-01-01", to: "2027-01-31"})',
    "upcoming": "(days: 400)",
    "recent": "(days: 400)",
    "scheduled": "(days: 400)",
    "transitions": '(between: {from: "2024-01-01", to: "2027-01-31"})',
    "transitionDays": '(commodity: "gallium")',
    "production": '(commodity: "rare_earths", year: 2023)',
    "productions": '(commodities: ["rare_earths"], years: {from: 2022, to: 2024})',
    "latestProductions": '(commodity: "rare_earths")',
    "supplies": '(commodity: "rare_earths")',
    "reliance": '(commodity: "rare_earths", importer: "US")',
    "reserves": '(commodity: "rare_earths")',
    "prices": '(commodity: "rare_earths")',
    "trade": '(hsCode: "811292", importer: "DE")',
    "productsOf": '(place: "CN")',
    "horizons": "(groupBy: [ISSUER])",
    "obligation": '(id: "eu-2024-1252-24-1")',
    "text": '(id: "eu-2021-821")',
    "textChanges": '(id: "eu-2021-821", from: "2024-01-01", to: "2025-01-01")',
    "history": '(entity: "export-control/x")',
    "event": '(position: "20360")',
    "node": '(id: "YWxsaWFuY2UvcXVhZA")',
    "nodes": '(ids: ["YWxsaWFuY2UvcXVhZA"])',
    "checkStatement": '(text: "China bans exports of gallium to the United States.")',
    "clauseCounts": "(groupBy: [ISSUER])",
}
"""Arguments of fields of `asOf`, by name."""
ROOTS = {
    "event": '(position: "20360") { entity type eventId }',
    "over": '(from: "2024-01-01", to: "2027-01-31", step: MONTH) { digest }',
    "overKnown": '(entity: "export-control/x") { digest position }',
    "shipmentChanges": '(input: {commodity: "gallium", origin: "CN", destination: "US"},'
    ' from: {validAt: "2025-01-01"}, to: {validAt: "2026-12-31"})'
    " { before { summary } after { summary } changes { __typename } }",
    "changes": '(from: {validAt: "2025-01-01"}, to: {validAt: "2027-01-31"}, first: 300)'
    " { totalCount nodes { __typename entity before { __typename } after { __typename } } }",
    "head": "",
    "node": '(id: "YWxsaWFuY2UvcXVhZA") { __typename id }',
    "nodes": '(ids: ["YWxsaWFuY2UvcXVhZA"]) { __typename id }',
    "history": '(entity: "export-control/x") { nodes { __typename } }',
    "events": "(last: 50) { totalCount nodes { position eventId entity type } }",
}
"""Root fields of the record beside `asOf`, with arguments and selections, by name."""
BESIDE_THE_RECORD = {
    "logKeys",
    "checkpoint",
    "inclusionProof",
    "consistencyProof",
    "preview",
    "redactions",
} | {
    *(
        "commodities",
        "places",
        "scenario",
        "scenarios",
        "import",
        "imports",
        "endpoint",
        "endpoints",
    ),
    *("candidate", "candidates", "candidateCounts", "candidateSources"),
}
"""Root fields whose answers do not depend on the facts of a log."""


def selection(kind: Any, depth: int = 2) -> str:
    """Return a selection of the fields of a type without required arguments, to a depth."""
    kind = graphql.get_named_type(kind)
    if graphql.is_leaf_type(kind):
        return ""
    if not graphql.is_object_type(kind):
        return " { __typename }"
    names = [
        name + selection(field.type, depth - 1)
        for name, field in kind.fields.items()
        if not any(graphql.is_required_argument(of) for of in field.args.values())
        and (depth > 0 or graphql.is_leaf_type(graphql.get_named_type(field.type)))
        and name not in ("resumeToken", "recordedAt", "proof")
    ]
    return f" {{ __typename {' '.join(names)} }}"


def questions() -> Iterator[tuple[str, str, dict[str, Any], str | None]]:
    """Yield documents with variables: those of pages and tables, of the handbook, and for each field."""
    for name, address in PAGES.items():
        path, _, query = address.partition("?")
        with suppress(NotFound, InvalidInput):
            page, in_path = page_at(path)
            pairs = [tuple(pair.split("=")) for pair in query.split("&") if pair]
            pairs = [pair for pair in pairs if pair[0] != "position"]
            variables = page.variables(address_of(page, path, in_path, pairs))  # type: ignore[arg-type]
            yield name, page.document, dict(variables), page.operation
    for name, document in QUERIES.items():
        yield name, re.sub(r',? position: "\d+"', "", document), {}, None
    query: Any = SCHEMA._schema.query_type
    assert query.fields.keys() == {"asOf"} | ROOTS.keys() | BESIDE_THE_RECORD
    for name, rest in ROOTS.items():
        yield f"root field {name}", f"{{ {name}{rest} }}", {}, None
    for name, field in SCHEMA._schema.type_map["AsOf"].fields.items():  # type: ignore[attr-defined]
        arguments = ANSWERS.get(name, "")
        required = [of for of in field.args.values() if graphql.is_required_argument(of)]
        assert arguments or not required, name
        for day in DAYS:
            head = f'{{ asOf(validAt: "{day}") {{ {name}{arguments}'
            for depth in (2, 1):
                yield f"{name} on {day}", f"{head}{selection(field.type, depth)} }} }}", {}, None


def plain(response: dict[str, Any]) -> Any:
    """Return data and errors without times of recording, roots of recorded events, and marks."""
    text = as_hypothetical(json.dumps([response.get("data"), response.get("errors")]))
    text = text.replace('"In the scenario: ', '"')
    text = re.sub(r'"logRoot": "[^"]*"', '"logRoot": ""', text)
    text = re.sub(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"', '"time"', text)
    return json.loads(text)


@pytest.fixture
def twin_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """Create a second database with the shipped corpus."""
    yield from copied(server, corpus_template)


@pytest.fixture
async def twin(twin_target: Target) -> AsyncIterator[Services]:
    """Run a second tracker with the shipped corpus."""
    async with running_tracker(twin_target) as services:
        yield services


async def allowed(api: Api, commands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the commands that the log would record, each after those before it."""
    chosen: list[dict[str, Any]] = []
    check = "query ($commands: [CommandInput!]!) { preview(commands: $commands) { position } }"
    for command in commands:
        if "errors" not in await api.post(check, commands=[*chosen, command]):
            chosen.append(command)
    return chosen


async def some_commands(api: Api, seed: int) -> list[dict[str, Any]]:
    """Return random commands about entities of the corpus and new ones."""
    dice = random.Random(seed)
    found = await api.ask(
        '{ events(first: 200, types: ["ExportControl.Suspended", "ExportControl.Announced",'
        ' "Figure.Claimed", "Alliance.MemberJoined"]) { nodes { eventId } } }'
    )
    wrong = [
        {"retractEvent": {"eventId": of["eventId"], "reason": "Misread", "source": source()}}
        for of in dice.sample(found["events"]["nodes"], 6)
    ]
    keys = [f"{number}" for number in range(3)]
    acts = [random_command(dice, keys) for _ in range(8)]
    facts = EVERY_FACT if seed == 0 else dice.sample(EVERY_FACT, 12)
    return await allowed(api, [*EVERY_FACT[:2], *wrong[:3], *facts, *acts, *wrong[3:]])


@pytest.fixture(autouse=True)
def equal_salts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the salts of texts equal in both logs."""
    defaults = commitments.commit.__defaults__
    assert defaults is not None
    monkeypatch.setattr(commitments.commit, "__defaults__", (lambda size: b"s" * size,))


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.nightly)])
async def test_a_scenario_answers_like_a_log_with_the_same_events(
    corpus_services: Services, twin: Services, seed: int
) -> None:
    api, other = Api(corpus_services), Api(twin)
    commands = await some_commands(api, seed)
    assert len(commands) > 10
    before = await api.ask(ROOT)
    made = await api.ask(CREATE, input={"title": "What if", "commands": commands})
    scenario = made["createScenario"]
    context = Context(corpus_services, Access(open=True), OPEN_CALLER)
    async with use_branch(context, scenario["key"]) as (_, branch):
        known = branch.recorded
    new = [command for index, command in enumerate(commands) if index not in known]
    await other.ask(RECORD, commands=new, key=f"scenario-{scenario['key']}")
    await all_projected(twin)
    differing, asked = [], set()
    for name, document, variables, operation in questions():
        if name in asked:
            continue
        expected, told = [
            await execute(
                services,
                document,
                variables,
                Access(open=True),
                caller=OPEN_CALLER,
                operation_name=operation,
                scenario=key,
            )
            for services, key in ((twin, None), (corpus_services, scenario["key"]))
        ]
        if "data" not in expected:  # the next one has fewer fields
            assert expected["errors"][0]["extensions"]["code"] == "TOO_COSTLY", (name, expected)
            continue
        asked.add(name)
        assert not re.search(r"\b[Aa]s recorded\b", json.dumps(told.get("data"))), name
        if plain(told) != plain(expected):
            differing.append(f"{name}: {difference(plain(told), plain(expected))}")
    assert not differing, "\n".join(differing)
    assert len(asked) > 200
    assert asked == {name for name, *_ in questions()}
    inside = await api.ask(ROOT, scenario=scenario["key"])
    assert inside["asOf"]["logRoot"] == before["asOf"]["logRoot"]
    assert await api.ask(ROOT) == before


async def test_the_example_of_the_handbook_is_answered_by_the_same_rules(
    corpus_services: Services,
) -> None:
    api = Api(corpus_services)
    creation, query = [
        block.text for block in blocks("docs/scenarios.md") if block.language == "graphql"
    ]
    key = (await api.ask(creation))["createScenario"]["key"]
    recorded, hypothetical = await api.ask(query), await api.ask(query, scenario=key)
    rules = [
        [of["obligation"] for of in data["asOf"]["shipment"]["verdicts"]]
        for data in (recorded, hypothetical)
    ]
    act = "(MOFCOM & GAC Announcement 2025 No. 57, clause magnets)"
    before, after = [[rule for rule in of if act in rule] for of in rules]
    assert before == [f"By its text, not confirmed: {LICENCE} {act}."]
    assert after == [f"In the scenario on 10 January 2027: {LICENCE} {act}."]
    assert hypothetical["asOf"]["exposure"] == recorded["asOf"]["exposure"]


async def create(api: Api, commands: list[dict[str, Any]], **more: Any) -> str:
    """Create a scenario, and return its key."""
    made = await api.ask(CREATE, input={"title": "What if", "commands": commands, **more})
    return str(made["createScenario"]["key"])


async def keys_in(api: Api, scenario: str | None = None) -> list[str]:
    """Return the keys of all export controls, in a scenario or as recorded."""
    data = await api.ask(KEYS, scenario=scenario)
    return [node["key"] for node in data["asOf"]["exportControls"]["nodes"]]


KEYS = """query ($scenario: String) { asOf(validAt: "2025-06-01", scenario: $scenario) {
  exportControls(first: 100) { nodes { key } } } }"""
X, Y, Z = ({"announceExportControl": control(key)} for key in "xyz")


async def test_scenarios_do_not_see_each_other_and_follow_the_log(services: Services) -> None:
    api = Api(services)
    await api.do("announceExportControl", control("x"))
    follows, fixed = await create(api, [Y]), await create(api, [Z], position="1")
    for number in range(20):
        await api.do("announceExportControl", control(f"later-{number}"))
        recorded = await keys_in(api)
        assert len(recorded) == number + 2
        assert await keys_in(api, follows) == sorted([*recorded, "y"])
    assert await keys_in(api, fixed) == ["x", "z"]
    await api.do("announceExportControl", control("y"))
    assert await keys_in(api, follows) == await keys_in(api)
    query = "query ($key: String!) { scenario(key: $key) { recorded { position } } }"
    found = await api.ask(query, key=follows)
    assert found["scenario"]["recorded"] == [{"position": "22"}]


@pytest.mark.nightly
async def test_a_scenario_follows_a_thousand_arriving_events(services: Services) -> None:
    api = Api(services)
    key = await create(api, [Y])
    count = """query ($scenario: String) { asOf(validAt: "2025-06-01", scenario: $scenario) {
      position exportControls { totalCount } } }"""
    for number in range(1, 1001):
        await api.do("announceExportControl", control(f"later-{number}"))
        state = (await api.ask(count, scenario=key))["asOf"]
        assert state["position"] == str(number + 1)
        assert state["exportControls"]["totalCount"] == number + 1


async def test_a_response_in_a_scenario_is_marked_and_not_cached(services: Services) -> None:
    api = Api(services)
    key = await create(api, [X])
    marked = await api.post(KEYS, scenario=key)
    assert marked["extensions"]["scenario"] == {
        "key": key,
        "title": "What if",
        "base": "0",
        "position": "1",
        "note": "Scenario: What if. Not recorded.",
    }
    assert "scenario" not in (await api.post(KEYS))["extensions"]
    assert await keys_in(api) == []
    pinned = f'{{ asOf(validAt: "2025-06-01", position: "1", scenario: "{key}") {{ digest }} }}'
    got = await api.request("GET", "/graphql", params={"query": pinned})
    assert got.status_code == 200
    assert "immutable" not in got.headers.get("cache-control", "")
    receipt = await api.request(
        "POST", "/graphql", json={"query": pinned}, headers={"Prefer": "receipt"}
    )
    [error] = receipt.json()["errors"]
    assert error["extensions"]["code"] == "NOT_IN_SCENARIOS"


async def test_each_sentence_of_a_scenario_says_so_also_under_another_name(
    services: Services,
) -> None:
    api = Api(services)
    key = await create(api, [X])
    query = """query ($scenario: String) { asOf(validAt: "2025-06-01", scenario: $scenario) {
      exportControl(id: "x") { clauses { statusStatement told: statusStatement } } } }"""
    data = await api.ask(query, scenario=key)
    [clause] = data["asOf"]["exportControl"]["clauses"]
    assert clause["statusStatement"].startswith("In the scenario: ")
    assert clause["told"] == clause["statusStatement"]


async def test_a_text_that_a_scenario_quotes_is_not_changed(services: Services) -> None:
    api, title = Api(services), "Gallium, as recorded by the port"
    key = await create(api, [{"announceExportControl": control("quoted", title=title)}])
    query = """query ($scenario: String) { asOf(validAt: "2025-06-01", scenario: $scenario) {
      exportControl(id: "quoted") { title } } }"""
    data = await api.ask(query, scenario=key)
    assert data["asOf"]["exportControl"]["title"] == title


REFUSED = {
    *(address for address in PAGES.values() if re.search("hostile|nothing|galium", address)),
    "/sources/us-federal-register",
}
"""Addresses of pages about entities that the shipped corpus does not have, and of mistakes."""


async def test_every_page_of_a_scenario_says_that_it_is_hypothetical(
    corpus_services: Services,
) -> None:
    api = Api(corpus_services)
    key = await create(api, [X])
    wrong = []
    for address in ["/controls/x", *PAGES.values()]:
        path, _, query = address.partition("?")
        with suppress(NotFound):
            page_at(path)
            pairs = [of for of in query.split("&") if of and not of.startswith("position=")]
            query = "&".join([*pairs, f"scenario={key}"])
            response = await api.request("GET", f"{path}?{query}", headers={"Accept": "text/html"})
            if address in REFUSED:
                assert response.status_code in (400, 404)
                continue
            text = response.text
            marks = {
                "status": response.status_code == 200,
                "banner": "Nothing here is recorded law." in text,
                "title": "<title>In the scenario: " in text,
                "sentences": not re.search(r"\b[Aa]s recorded\b", text),
                "cache": response.headers["cache-control"] == "no-store",
                "citation": "cite-as" not in text,
            }
            path = "/index" if path == "/" else path
            data = (await api.request("GET", f"{path}.json?{query}")).json()
            marks["data"] = data.get("extensions", {}).get("scenario", {}).get("key") == key
            wrong += [(address, name) for name, is_there in marks.items() if not is_there]
    assert not wrong, "\n".join(map(str, wrong))


async def test_outlets_without_a_mark_refuse_scenarios(services: Services) -> None:
    api = Api(services)
    key = await create(api, [X])
    for address in (
        "/controls.csv",
        "/controls.xlsx",
        "/controls/x.receipt",
        "/controls.atom",
        "/upcoming.ics",
        "/tables/controls.csv",
        "/tables/controls.receipt",
        "/embed/answer/controls/x",
    ):
        response = await api.request("GET", f"{address}?scenario={key}")
        assert response.status_code == 400, address
        assert "NOT_IN_SCENARIOS" in response.text or "recorded facts only" in response.text


async def test_a_request_has_one_scenario(services: Services) -> None:
    api = Api(services)
    one, two = await create(api, [X]), await create(api, [Y])
    several = (
        f'{{ a: asOf(scenario: "{one}") {{ digest }} b: asOf(scenario: "{two}") {{ digest }} }}'
    )
    mixed = f'{{ a: asOf(scenario: "{one}") {{ digest }} asOf {{ digest }} }}'
    for document in (several, mixed):
        [error] = (await api.post(document))["errors"]
        assert error["extensions"]["code"] == "SEVERAL_SCENARIOS"


async def test_scenarios_change_no_table_but_their_own(services: Services, target: Target) -> None:
    api = Api(services)
    await api.do("announceExportControl", control("x"))
    await all_projected(services)
    before = await contents(target)
    commands = [Y, {"suspendExportControl": suspension("x", "1", note="Hypothetical")}]
    key = await create(api, commands)
    for document in QUERIES.values():
        text = re.sub(r',? position: "\d+"', "", document)
        await execute(services, text, {}, Access(open=True), scenario=key)
    await keys_in(api, key)
    remove = "mutation ($key: String!) { deleteScenario(key: $key) { key } }"
    assert (await contents(target)).items() - before.items()  # the scenario itself
    await api.ask(remove, key=key)
    assert await contents(target) == before
    [error] = (await api.post(KEYS, scenario=key))["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"


EVENTS = "{ events(first: 200) { nodes { eventId stream type } } }"
SEARCH = '{ asOf(validAt: "2025-06-01") { search(text: "phlogiston") { nodes { __typename } } } }'
OUTLETS = (
    f"/graphql?query={EVENTS}",
    "/graphql?query={ head asOf { digest } }",
    f"/graphql?query={SEARCH}",
    "/events.atom",
    "/controls.atom",
    "/controls.json",
    "/controls",
    "/index.csv",
    "/search.json?q=phlogiston",
    "/changes.atom",
    "/upcoming.ics?days=400&valid=2025-06-01",
    "/sitemap.xml",
    "/sitemaps/controls-1.xml",
    "/tables/controls.csv",
    "/tables/clauses.json",
    "/log/tile/entries/000.p/2",
    "/log/entries/2",
    "/catalog.jsonld",
    "/datapackage.json",
)
"""Addresses with content of the record."""


async def outlets(api: Api) -> dict[str, str]:
    """Return the responses of the outlets, without times, by address."""
    found = {}
    for address in OUTLETS:
        response = await api.request("GET", address)
        found[address] = re.sub(
            r"\d{4}-\d\d-\d\dT[\d:.]+Z|\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT|[?&;]at=\d+",
            "",
            response.text,
        )
    return found


async def test_no_outlet_has_a_fact_of_a_scenario(services: Services) -> None:
    api = Api(services)
    await api.do("announceExportControl", control("x"))
    hypothetical = {"announceExportControl": {**control("phlogiston"), "title": "Phlogiston ban"}}
    before = await outlets(api)
    key = await create(api, [hypothetical])
    for document in (KEYS, SEARCH.replace("asOf(", f'asOf(scenario: "{key}", ')):
        assert "errors" not in await api.post(document, scenario=key)
    assert "phlogiston" in await keys_in(api, key)
    assert await outlets(api) == before
    assert not [address for address, text in before.items() if "phlogiston ban" in text.lower()]
    await api.do("announceExportControl", hypothetical["announceExportControl"])
    after = await outlets(api)
    assert len([address for address in OUTLETS if after[address] != before[address]]) >= 12


async def contents(target: Target) -> dict[str, str]:
    """Return a digest of each stored table, except leases, by name."""
    connection = await connect(target)
    names = await connection.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        " AND schemaname NOT LIKE 'pg_temp%' AND tablename <> 'leases'"
    )
    digests = {
        name: await connection.fetchval(
            f"SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) FROM {name} t"
        )
        for (name,) in names
    }
    await connection.close()
    return digests


async def test_only_the_owner_sees_a_private_scenario_and_changes_one(
    services: Services, target: Target
) -> None:
    api = Api(services, Access())
    callers = (("ann", Scope.SCENARIO), ("bob", Scope.SCENARIO), ("eve", Scope.READ))
    ann, bob, reader = [
        {"Authorization": f"Bearer {await token(target, scope, name=name)}"}
        for name, scope in callers
    ]
    content = {"title": "Mine", "commands": [X], "private": True}
    for headers, code in ((None, "UNAUTHENTICATED"), (reader, "FORBIDDEN")):
        [error] = (await api.post(CREATE, headers, input=content))["errors"]
        assert error["extensions"]["code"] == code
    made = await api.post(CREATE, ann, input=content)
    key = made["data"]["createScenario"]["key"]
    assert "errors" not in await api.post(KEYS, ann, scenario=key)
    edit = (
        "mutation ($key: String!, $input: ScenarioInput!)"
        " { editScenario(key: $key, input: $input) { key } }"
    )
    for headers in (None, reader, bob):
        [error] = (await api.post(KEYS, headers, scenario=key))["errors"]
        assert error["extensions"]["code"] == "NOT_FOUND"
        listed = await api.post("{ scenarios { key } }", headers)
        assert listed["data"]["scenarios"] == []
    [error] = (await api.post(edit, bob, input=content, key=key))["errors"]
    assert error["extensions"]["code"] == "NOT_FOUND"
    await api.post(edit, ann, input={**content, "private": False}, key=key)
    assert "errors" not in await api.post(KEYS, reader, scenario=key)
    [error] = (await api.post(edit, bob, input=content, key=key))["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_scenarios_are_limited(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(services)
    many = [{"announceExportControl": control(f"x{number}")} for number in range(101)]
    for commands, code in (([], "INVALID_BATCH_SIZE"), (many, "INVALID_BATCH_SIZE")):
        assert (await api.refused(CREATE, input={"title": "a", "commands": commands}))[0] == code
    twice = {"title": "a", "commands": [X, {"suspendExportControl": suspension("none")}]}
    code, path = await api.refused(CREATE, input=twice)
    assert path
    assert path[:3] == ["input", "commands", 1]
    monkeypatch.setattr("tracker.scenarios.scenarios.MAX_OWNED_SCENARIOS", 1)
    await create(api, [X])
    found = await api.refused(CREATE, input={"title": "a", "commands": [X]})
    assert found[0] == "TOO_MANY_SCENARIOS"


def difference(told: Any, expected: Any, path: str = "") -> str:
    """Return the first difference."""
    if isinstance(told, dict) and isinstance(expected, dict):
        for name in expected:
            if told.get(name) != expected[name]:
                return difference(told.get(name), expected[name], f"{path}.{name}")
    if isinstance(told, list) and isinstance(expected, list) and len(told) == len(expected):
        for number, (one, another) in enumerate(zip(told, expected, strict=True)):
            if one != another:
                return difference(one, another, f"{path}[{number}]")
    return f"{path}: {str(told)[:300]} instead of {str(expected)[:300]}"
