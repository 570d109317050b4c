"""Files of receipts: those of pages, tables, shipment checks and responses of assistant tools."""

import csv
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio
from graphql import FieldNode, OperationDefinitionNode, parse

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from schema.assistants.registry import TOOLS
from schema.execution.fixed_moments import are_pinned
from schema.pages.registry import PAGES
from schema.receipts.operations import check_operation, is_paged, page_digest, receipt_operation
from schema.services import Access, Services
from schema.tables.rows import TableMoment, first_page
from schema.tables.table import tables
from tests.conftest import copied
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.loops import IN_SESSION
from tests.support.waiting import all_signed
from tracker.audit.receipts.pages import check_pages, split_receipts
from tracker.audit.receipts.receipt import Receipt
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.verify.trust import TrustPolicy
from tracker.errors import Rejected
from tracker.postgres.database import Target

pytestmark = IN_SESSION
ORIGIN = "example.com/log"
TOKEN = "a-token"
PATHS = {
    "alliance": "/alliances/quad",
    "announcement": "/announcements/none",
    "commodity": "/commodities/gallium",
    "commodity_dependence": "/commodities/gallium/dependence",
    "control": "/controls/cn-mofcom-2024-46",
    "figure": "/figures/gallium/CN/production/primary/2023",
    "place": "/places/CN",
    "place_dependence": "/places/US/dependence",
    "event": "/events/6618",
    "source": "/sources/none",
    "tariff_line": "/tariffs/us/81129210",
    "overview": "/index",
}
"""Paths of pages with a key, and of the overview."""
QUERIES = {
    "check": "?hsCode=284990&origin=CN&destination=DE",
    "search": "?q=gallium",
    "story": "?place=CN&from=2025-10-01",
}


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    """Create the keys of the log."""
    keystore = KeyStore(tmp_path_factory.mktemp("receipts"))
    keystore.load_or_create(ORIGIN)
    return keystore


@pytest.fixture(scope="session")
def trust(keys: KeyStore) -> TrustPolicy:
    """Trust the keys of the log."""
    return TrustPolicy(keys.keys().all)


@pytest.fixture(scope="session")
def signed_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """Create a database with the shipped corpus."""
    with contextmanager(copied)(server, corpus_template) as target:
        yield target


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def signing(signed_target: Target, keys: KeyStore) -> AsyncIterator[Services]:
    """Run a tracker that signs the shipped corpus."""
    async with running_tracker(signed_target, SigningOptions(keys, ORIGIN)) as services:
        await all_signed(services)
        yield services


@pytest.fixture(scope="session")
def api(signing: Services) -> Api:
    """Return a client of the application, where everyone may read."""
    return Api(signing, Access())


def receipt_in(response: httpx2.Response, trust: TrustPolicy) -> Receipt:
    """Return the receipt in a file, verified without the log."""
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-disposition"].endswith('.receipt.json"')
    receipt = Receipt.parse(response.content)
    receipt.verify(trust)
    return receipt


def printed(document: str, name: str | None) -> str:
    """Return a document as receipts state it."""
    return receipt_operation(document, name, {}).document


def pinned(address: str, moment: str = "valid=2025-11-20&position=10755") -> str:
    """Return an address with a date and a position."""
    return f"{address}{'&' if '?' in address else '?'}{moment}"


@each_case("name", [page.name for page in PAGES])
async def test_every_page_has_a_receipt_of_its_answer(
    api: Api, trust: TrustPolicy, name: str
) -> None:
    [page] = [one for one in PAGES if one.name == name]
    path, query = PATHS.get(name, page.path), QUERIES.get(name, "")
    receipt = receipt_in(await api.request("GET", pinned(f"{path}.receipt{query}")), trust)
    answer = await api.request("GET", pinned(f"{path}.json{query}"))
    assert receipt.answer == answer.json()["data"]
    assert receipt.statement.operation.document == printed(page.document, page.operation)
    check_operation(receipt.statement)
    assert ("2025-11-20", "10755") in {
        (str(moment.valid_at), moment.position) for moment in receipt.statement.moments
    }


async def shown_receipt(api: Api, trust: TrustPolicy, address: str) -> tuple[str, Receipt]:
    """Return the link of a page to its receipt, and this receipt: that of the query which the page names."""
    html = (await api.request("GET", address, headers={"accept": "text/html"})).text
    [link] = re.findall('data-receipt="([^"]*)"', html)
    [query] = re.findall('data-query="([^"]*)"', html)
    receipt = receipt_in(await api.request("GET", unescape(link)), trust)
    assert page_digest(receipt.statement.operation) == query
    assert f'href="{link}"' in html, "the receipt is a link without scripts too"
    return query, receipt


async def test_a_page_names_the_query_of_its_own_receipt(api: Api, trust: TrustPolicy) -> None:
    pages = (
        "/controls/cn-mofcom-2024-46",
        "/controls/cn-mofcom-2023-23",
        "/controls?issuer=CN&status=IN_FORCE",
        "/changes?from=2025-11-01",
        "/check?hsCode=284990&origin=CN&destination=DE",
        "/places/CN",
    )
    queries = [(await shown_receipt(api, trust, pinned(page)))[0] for page in pages]
    assert len({*queries}) == len(pages)


async def test_the_receipt_of_a_live_page_is_of_the_position_that_the_page_shows(
    api: Api, trust: TrustPolicy
) -> None:
    _, receipt = await shown_receipt(api, trust, "/controls")
    live = receipt_in(await api.request("GET", "/controls.receipt"), trust)
    assert receipt.statement.moments == live.statement.moments
    assert live.statement.operation.variables["position"] == live.answer["asOf"]["position"]


async def test_a_page_without_a_record_has_a_receipt_that_says_so(
    api: Api, trust: TrustPolicy
) -> None:
    response = await api.request("GET", pinned("/controls/nothing.receipt"))
    assert receipt_in(response, trust).answer["asOf"]["exportControl"] is None


async def test_a_receipt_is_refused_like_its_page(api: Api) -> None:
    response = await api.request("GET", "/controls.receipt?nothing=1")
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["path"] == ["nothing"]
    response = await api.request("GET", "/controls.receipt?position=999999")
    assert response.status_code == 400


async def test_answers_that_need_a_token_are_omitted(signing: Services, trust: TrustPolicy) -> None:
    api = Api(signing, Access(token=TOKEN, read_open=False))
    address = pinned("/controls/cn-mofcom-2024-46.receipt")
    assert (await api.request("GET", address)).status_code == 401
    headers = {"Authorization": f"Bearer {TOKEN}"}
    receipt = receipt_in(await api.request("GET", address, headers=headers), trust)
    assert receipt.answer is None
    assert receipt.statement.answer_omitted
    table = await api.request("GET", pinned("/tables/controls.receipt"), headers=headers)
    assert all(Receipt.parse(line).answer is None for line in split_receipts(table.content))


# --- tables


async def receipts_of(api: Api, trust: TrustPolicy, address: str) -> list[Receipt]:
    """Return the receipts of a table, each verified."""
    response = await api.request("GET", address)
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"].endswith('.receipts.jsonl"')
    receipts = [Receipt.parse(line) for line in split_receipts(response.content)]
    for receipt in receipts:
        receipt.verify(trust)
    return receipts


async def test_the_receipts_of_a_table_contain_its_rows(api: Api, trust: TrustPolicy) -> None:
    receipts = await receipts_of(
        api, trust, pinned("/tables/transitions.receipt?commodity=rare_earths")
    )
    check_pages(receipts, is_paged=True)
    shape = tables()["transitions"].shape
    rows = [row for receipt in receipts for row in shape.rows(receipt.answer)]
    table = (
        await api.request("GET", pinned("/tables/transitions.json?commodity=rare_earths"))
    ).json()["rows"]
    assert len(receipts) > 1
    assert [row[0] for row in rows] == [row[shape.columns[0].name] for row in table]


async def test_verification_names_a_missing_page_of_a_table(api: Api, trust: TrustPolicy) -> None:
    receipts = await receipts_of(
        api, trust, pinned("/tables/transitions.receipt?commodity=rare_earths")
    )
    assert len(receipts) >= 3
    [other] = await receipts_of(api, trust, pinned("/tables/alliances.receipt"))
    for changed in (
        receipts[:-1],
        receipts[1:],
        receipts[:1],
        receipts[-1:],
        [*receipts[:1], *receipts[2:]],
        [receipts[0], receipts[2], receipts[1], *receipts[3:]],
        [*receipts, other],
        [other, other],
    ):
        with pytest.raises(Rejected) as error:
            check_pages(changed, is_paged=True)
        assert error.value.code == "MISSING_PAGE"


@pytest.mark.parametrize("name", sorted(tables()))
async def test_receipts_of_every_table_show_whether_pages_are_missing(name: str) -> None:
    document = tables()[name].document
    assert is_paged(document) is ("pageInfo" in document)


CONSTANT = ("commodities", "places")
"""Tables of the vocabulary, which are the same at all moments."""


@each_case("name", sorted(tables().keys() - set(CONSTANT)))
async def test_every_table_about_the_log_fixes_its_moment(name: str) -> None:
    table = tables()[name]
    moment = TableMoment("2025-11-20", "10755", None, "")
    variables = first_page(table, moment, {"from": "2025-11-01", "to": "2025-11-20"})
    [operation] = parse(table.document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    fields = [one for one in operation.selection_set.selections if isinstance(one, FieldNode)]
    assert are_pinned(fields, variables)
    assert [one for one in fields if one.name.value in ("asOf", "changes", "over")]


@pytest.mark.parametrize("table", ["clause-counts", "changes?from=2025-11-01"])
async def test_a_list_without_pages_has_one_receipt(
    api: Api, trust: TrustPolicy, table: str
) -> None:
    name, _, query = table.partition("?")
    address = f"/tables/{name}.receipt?{query}"
    [receipt] = await receipts_of(api, trust, pinned(address).replace("?&", "?"))
    table_document = tables()[name].document
    assert receipt.statement.operation.document == printed(table_document, None)
    check_pages([receipt], is_paged(table_document) is True)


@pytest.mark.parametrize("name", CONSTANT)
async def test_a_table_of_the_vocabulary_has_no_receipt(api: Api, name: str) -> None:
    response = await api.request("GET", pinned(f"/tables/{name}.receipt"))
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FIXED"


# --- checks of shipments

SHIPMENTS = """commodity,hsCode,form,origin,destination,route,endUser,contents,answers
tungsten,2849.90,,CN,DE,HK; SG,Müller & Söhne,,
permanent_magnets,,magnet,JP,US,,,dysprosium:CN:0.2;neodymium:CN,
nothing,,,CN,DE,,,,
"""


async def test_each_line_of_checked_shipments_names_its_receipt(
    api: Api, trust: TrustPolicy
) -> None:
    response = await api.request(
        "POST", "/shipments.csv?valid=2025-12-01&position=10755", content=SHIPMENTS.encode()
    )
    lines = [*csv.DictReader(response.text.splitlines()[1:])]
    for line in lines[:2]:
        receipt = receipt_in(await api.request("GET", line["receipt"]), trust)
        shipment = receipt.answer["asOf"]["shipment"]
        kinds = [one["kind"] for one in shipment["verdicts"]]
        assert line["verdicts"].split("; ") == kinds
        questions = [one["id"] for one in shipment["openQuestions"]]
        assert [one for one in line["questionIds"].split("; ") if one] == questions
        variables = receipt.statement.operation.variables
        assert variables["validAt"] == "2025-12-01"
        assert variables["destination"] == line["destination"]
    assert variables["contents"] == [
        {"commodity": "dysprosium", "origin": "CN", "percent": "0.2"},
        {"commodity": "neodymium", "origin": "CN"},
    ]
    assert lines[2]["errorCode"] == "UNKNOWN_COMMODITY"
    assert lines[2]["receipt"] == ""


# --- assistants


CALLS: dict[str, dict[str, Any]] = {
    "controls": {"commodity": "gallium", "day": "2025-11-20"},
    "changes": {"fromDay": "2025-11-01", "day": "2025-11-20"},
    "upcoming": {"days": 30},
    "check_shipment": {"commodity": "gallium", "destination": "US"},
    "search": {"text": "gallium"},
    "production": {"commodity": "gallium"},
}


@each_case("tool", [*CALLS])
async def test_the_response_of_a_tool_names_the_address_of_its_receipt(
    api: Api, trust: TrustPolicy, tool: str
) -> None:
    call = {"name": tool, "arguments": CALLS[tool]}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    headers = {"Accept": "application/json, text/event-stream"}
    response = await api.request("POST", "/mcp", json=message, headers=headers)
    result = response.json()["result"]
    answer = result["structuredContent"]
    assert f"Receipt: {answer['receipt']}" in result["content"][0]["text"]
    address = urlsplit(answer["receipt"])
    assert address.path == f"/mcp/{tool}.receipt"
    receipt = receipt_in(await api.request("GET", answer["receipt"]), trust)
    own = printed(TOOLS[tool].document, receipt.statement.operation.operation_name)
    assert receipt.statement.operation.document == own
    check_operation(receipt.statement)
    assert receipt.answer["asOf"]["logRoot"] == answer["logRoot"]
    arguments = json.loads(parse_qs(address.query)["arguments"][0])
    assert arguments["position"] == answer["position"]


@each_case(
    ("address", "path"),
    [
        ("/mcp/nothing.receipt", ["tool"]),
        ("/mcp/controls.receipt?arguments=[]", ["arguments"]),
        ("/mcp/controls.receipt?arguments={", ["arguments"]),
        ('/mcp/controls.receipt?arguments={"nothing":1}', ["nothing"]),
        ("/mcp/controls.receipt?other=1", ["other"]),
    ],
)
async def test_a_wrong_receipt_of_a_tool_is_refused_at_its_place(
    api: Api, address: str, path: list[str]
) -> None:
    response = await api.request("GET", address)
    assert response.status_code in (400, 404)
    assert response.json()["errors"][0]["extensions"]["path"] == path


async def test_a_server_without_keys_issues_no_receipt(read_services: Services) -> None:
    response = await Api(read_services, Access()).request("GET", pinned("/controls.receipt"))
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "NO_KEY"
