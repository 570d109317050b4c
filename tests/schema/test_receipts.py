"""Receipts over HTTP: issued for answers that never change, and for nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec
import pytest
from graphql import parse, print_ast

import schema.receipts.issuer
from deploy.bootstrap import running_tracker
from deploy.cli.query import CLI_CALLER
from schema.app import sdl
from schema.receipts.check import AnswerCheck
from schema.receipts.derivation import DERIVATION
from schema.receipts.issuer import schema_digest
from schema.receipts.operations import check_operation, receipt_operation
from schema.services import Access, Services
from tests.support.api import Api, clause, control, suspension
from tests.support.fact_builders import source as fact_source
from tests.support.waiting import all_signed
from tracker.audit.receipts.canonical import canonical_json
from tracker.audit.receipts.receipt import Receipt, sign
from tracker.audit.receipts.report import ReceiptFindings
from tracker.audit.receipts.statement import Operation, Statement
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.verify.trust import TrustPolicy
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source
from tracker.errors import Rejected, TooLarge
from tracker.postgres.database import Target

PREFER = {"Prefer": "receipt"}
STATUS = 'exportControl(id: "x") { clauses { key status note } }'
FIXED = f'{{ asOf(validAt: "2025-11-20", position: "1") {{ {STATUS} }} }}'
TEXTS = FIXED.replace("note", "note redactions { reason }")
SEARCH = '{ asOf(validAt: "2025-11-20", position: "1") { search(text: "Doe") { totalCount } } }'
EMPTY = (
    '{ asOf(validAt: "2025-11-20", position: "2") { exportControls(issuer: "US") { totalCount } } }'
)


@pytest.fixture
async def signing(target: Target, keystore: KeyStore) -> AsyncIterator[Services]:
    """Run a tracker that signs a log of two events."""
    async with running_tracker(target, SigningOptions(keystore)) as services:
        api = Api(services)
        await api.do("announceExportControl", control("x", clause(note="Ms Doe said so")))
        await api.do("suspendExportControl", suspension())
        await all_signed(services)
        yield services


@pytest.fixture
def trust(keystore: KeyStore) -> TrustPolicy:
    """Trust the keys of the log."""
    return TrustPolicy(keystore.keys().all)


async def post(api: Api, query: str, headers: dict[str, str] = PREFER, **variables: Any) -> Any:
    """Send a query that prefers a receipt."""
    body = {"query": query, "variables": variables}
    return await api.request("POST", "/graphql", json=body, headers=headers)


def receipt_of(response: httpx2.Response, trust: TrustPolicy) -> Receipt:
    """Return the receipt beside an answer, verified without the log."""
    assert response.status_code == 200, response.text
    assert response.headers["preference-applied"] == "receipt"
    assert response.headers["cache-control"] == "no-store"
    made = Receipt.of(response.json()["extensions"]["receipt"], response.json()["data"])
    made.verify(trust)
    assert Receipt.parse(str(made).encode()) == made
    return made


async def test_a_receipt_states_query_moment_and_answer(
    signing: Services, trust: TrustPolicy
) -> None:
    response = await post(Api(signing), FIXED)
    made = receipt_of(response, trust)
    statement = made.statement
    assert made.answer["asOf"]["exportControl"]["clauses"] == [
        {"key": "1", "status": "IN_FORCE", "note": "Ms Doe said so"}
    ]
    assert statement.operation.document == print_ast(parse(FIXED))
    assert (statement.origin, statement.derivation) == ("example.com/log", DERIVATION)
    [moment] = statement.moments
    assert (str(moment.valid_at), moment.position) == ("2025-11-20", "1")
    data = await Api(signing).ask(
        '{ asOf(validAt: "2025-11-20", position: "1") { digest completeness { statement } } }'
    )
    assert moment.state_digest == data["asOf"]["digest"]
    assert moment.completeness == data["asOf"]["completeness"]["statement"]
    assert statement.checkpoint.startswith("example.com/log\n2\n")
    assert response.json()["extensions"]["moments"]["asOf"]["position"] == "1"


async def test_get_and_post_give_receipts_of_one_answer_and_caches_tell_them_apart(
    signing: Services, trust: TrustPolicy
) -> None:
    api, path = Api(signing), f"/graphql?query={quote(EMPTY)}"
    plain = await api.request("GET", path)
    assert "preference-applied" not in plain.headers
    assert "receipt" not in plain.json()["extensions"]
    assert "Prefer" in plain.headers["vary"]
    headers = {"Prefer": "respond-async, Receipt; x=1", "If-None-Match": plain.headers["etag"]}
    got = receipt_of(await api.request("GET", path, headers=headers), trust)
    posted = receipt_of(await post(api, EMPTY), trust)
    assert got.statement.answer_sha256 == posted.statement.answer_sha256
    assert got.answer == {"asOf": {"exportControls": {"totalCount": 0}}}
    for other in ("receipts", "receipt=1", "return=minimal"):
        response = await api.request("GET", path, headers={"Prefer": other})
        assert "preference-applied" not in response.headers


async def test_variables_and_the_operation_are_in_the_statement(
    signing: Services, trust: TrustPolicy
) -> None:
    query = (
        'query A($at: Position!) { asOf(validAt: "2025-11-20", position: $at) { position } }'
        " query B { places { code } }"
    )
    body = {"query": query, "operationName": "A", "variables": {"at": "2"}}
    response = await Api(signing).request("POST", "/graphql", json=body, headers=PREFER)
    operation = receipt_of(response, trust).statement.operation
    assert (operation.operation_name, operation.variables) == ("A", {"at": "2"})


async def test_a_receipt_signs_the_printed_query_alone(
    signing: Services, trust: TrustPolicy
) -> None:
    query = (
        '# Mr Doe is a thief\n"About Mr Doe" query A($at: Position!) { ...Now }'
        ' fragment Now on Query { asOf(validAt: "2025-11-20", position: $at) { position } }'
        " query DoeIsAThief { places { code } }"
    )
    body = {"query": query, "operationName": "A", "variables": {"at": "2", "Doe": "x" * 300_000}}
    response = await Api(signing).request("POST", "/graphql", json=body, headers=PREFER)
    made = receipt_of(response, trust)
    assert "Doe" not in str(made)
    assert len(str(made)) < 3000
    assert made.statement.operation == Operation(
        "query A($at: Position!) {\n  ...Now\n}\n\nfragment Now on Query {\n"
        '  asOf(validAt: "2025-11-20", position: $at) {\n    position\n  }\n}',
        "A",
        {"at": "2"},
    )
    check_operation(made.statement)
    assert await code(signing, made) is None


async def test_a_large_query_gets_no_receipt(signing: Services) -> None:
    name = "x" * 21_000
    long = EMPTY.replace("totalCount", f"{name}: totalCount")
    assert (await refused(Api(signing), long))[1] == "TOO_LARGE"
    with pytest.raises(TooLarge, match="variables"):
        receipt_operation("query($a: X) { f(a: $a) }", None, {"a": "x" * 20_000})
    assert receipt_operation("{ f }", None, {"a": "x" * 20_000}).variables == {}


async def test_every_moment_of_an_answer_is_in_the_statement(
    signing: Services, trust: TrustPolicy
) -> None:
    over = (
        '{ over(from: "2025-11-07", to: "2025-11-10", step: DAY, position: "2")'
        f" {{ validAt {STATUS} }} }}"
    )
    moments = receipt_of(await post(Api(signing), over), trust).statement.moments
    assert [str(moment.valid_at) for moment in moments] == [
        f"2025-11-{day:02}" for day in (7, 8, 9, 10)
    ]
    for field, selection in (
        ("changes(", "totalCount"),
        ('shipmentChanges(input: {commodity: "gallium"}, ', "changes { __typename }"),
    ):
        changes = (
            f'{{ {field}from: {{validAt: "2025-11-08", position: "1"}},'
            f' to: {{validAt: "2025-11-20", position: "2"}}) {{ {selection} }} }}'
        )
        moments = receipt_of(await post(Api(signing), changes), trust).statement.moments
        assert [(str(moment.valid_at), moment.position) for moment in moments] == [
            ("2025-11-08", "1"),
            ("2025-11-20", "2"),
        ]
    twice = FIXED.replace("{ asOf", "{ a: asOf", 1)[:-1] + FIXED[1:]
    assert len(receipt_of(await post(Api(signing), twice), trust).statement.moments) == 1


async def refused(api: Api, query: str) -> tuple[int, str, list[str] | None]:
    """Return the status, the code and the path of a refused receipt."""
    response = await post(api, query)
    assert "preference-applied" not in response.headers
    [error] = response.json()["errors"]
    return response.status_code, error["extensions"]["code"], error["extensions"].get("path")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ('{ asOf(validAt: "2025-11-20") { position } }', "asOf"),
        ('{ asOf(position: "1") { position } }', "asOf"),
        (f"{FIXED[:-1]} head }}", "head"),
        ('{ changes(from: {validAt: "2025-11-08", position: "1"}) { totalCount } }', "changes"),
        ("{ places { code } }", "asOf"),
    ],
)
async def test_an_answer_that_can_change_gets_none(
    signing: Services, query: str, field: str
) -> None:
    assert await refused(Api(signing), query) == (400, "NOT_FIXED", [field])


async def test_more_than_ten_moments_are_refused(signing: Services) -> None:
    over = '{ over(from: "2025-11-01", to: "2025-11-11", step: DAY, position: "2") { validAt } }'
    assert await refused(Api(signing), over) == (400, "TOO_MANY_MOMENTS", None)


async def test_an_error_and_a_mutation_have_no_receipt(signing: Services) -> None:
    response = await post(Api(signing), "{ nonsense }")
    assert "preference-applied" not in response.headers
    assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_server_without_keys_refuses(services: Services) -> None:
    api = Api(services)
    await api.do("announceExportControl", control("x"))
    assert await refused(api, FIXED) == (400, "NO_KEY", None)


async def test_a_position_that_is_not_signed_yet_is_waited_for_and_then_refused(
    signing: Services, trust: TrustPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, proofs = Api(signing), signing.proofs
    newest = await proofs.checkpoint(2)

    async def older() -> Any:
        return type(newest)(1, newest.root, newest.note, newest.signed_at)

    monkeypatch.setattr(schema.receipts.issuer, "SIGNATURE_TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(proofs, "last", older)
    assert await refused(api, EMPTY) == (503, "NOT_SIGNED_YET", None)
    asyncio.get_running_loop().call_later(0.15, monkeypatch.undo)
    receipt_of(await post(api, EMPTY), trust)


async def test_an_answer_that_needed_a_token_is_omitted_from_its_receipt(
    signing: Services, trust: TrustPolicy
) -> None:
    api = Api(signing, Access(token="secret", read_open=False))
    assert (await post(api, FIXED)).status_code == 401
    headers = {**PREFER, "Authorization": "Bearer secret"}
    response = await post(api, FIXED, headers)
    note = response.json()["extensions"]["receipt"]
    assert "IN_FORCE" not in note
    made = Receipt.of(note, response.json()["data"])
    assert (made.answer, made.statement.answer_omitted) == (None, True)
    made.verify(trust)
    assert "secret" not in str(made)
    assert await code(signing, made) is None


async def code(services: Services, receipt: Receipt) -> str | None:
    """Return the code of the fault of a receipt against the present log."""
    try:
        check = AnswerCheck(services, CLI_CALLER)
        await check.check(receipt, ReceiptFindings("x", receipt))
    except Rejected as error:
        return error.code
    return None


async def test_a_text_that_was_redacted_since_is_named(
    signing: Services, trust: TrustPolicy
) -> None:
    api = Api(signing)
    before = receipt_of(await post(api, FIXED), trust)
    status = receipt_of(await post(api, FIXED.replace(" note", "")), trust)
    assert "Ms Doe" in str(before)
    assert await code(signing, before) is None
    search = receipt_of(await post(api, SEARCH), trust)
    redacted = receipt_of(await post(api, TEXTS), trust)
    law = from_builtins(Source, fact_source("court", "2026-03-01"))
    [event] = await signing.recorder.read(0, limit=1)
    done = await signing.commands.redact(
        event.event_id, "A court forbids it", PartialDate("2026-03-01"), law
    )
    await signing.projector.reach(done.positions[-1])
    assert await code(signing, before) == "REDACTED"
    assert await code(signing, status) is None
    assert await code(signing, search) == "REDACTED"  # the redacted text had the word
    assert await code(signing, redacted) == "REDACTED"
    after = receipt_of(await post(api, FIXED), trust)
    assert "Ms Doe" not in str(after)
    assert await code(signing, after) is None


def answering(
    receipt: Receipt, keystore: KeyStore, answer: Any, *, omitted: bool = False
) -> Receipt:
    """Return a receipt of another answer, signed by the log: an operator who lies."""
    digest = sha256(canonical_json(answer)).hexdigest()
    statement = msgspec.structs.replace(
        receipt.statement, answer_sha256=digest, answer_omitted=omitted
    )
    return Receipt(sign(statement, keystore.keys().signers), statement, answer)


async def test_a_redaction_is_not_an_alibi_for_another_answer(
    signing: Services, trust: TrustPolicy, keystore: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(signing)
    count = receipt_of(await post(api, EMPTY.replace('"2"', '"1"')), trust)
    texts = receipt_of(await post(api, TEXTS), trust)
    law = from_builtins(Source, fact_source("court", "2026-03-01"))
    [event] = await signing.recorder.read(0, limit=1)
    day = PartialDate("2026-03-01")
    done = await signing.commands.redact(event.event_id, "A court forbids it", day, law)
    await signing.projector.reach(done.positions[-1])

    many = {"asOf": {"exportControls": {"totalCount": 7}}}
    for omitted in (False, True):
        lie = answering(count, keystore, many, omitted=omitted)
        assert await code(signing, lie) == "WRONG_ANSWER"
    assert await code(signing, texts) == "REDACTED"
    for change in (
        {"status": "SUSPENDED"},
        {"key": "2"},
        {"note": "Ms Doe", "status": None},
        {"more": 1},
    ):
        answer = json.loads(json.dumps(texts.answer))
        answer["asOf"]["exportControl"]["clauses"][0].update(change)
        assert await code(signing, answering(texts, keystore, answer)) == "WRONG_ANSWER"
    answer = json.loads(json.dumps(texts.answer))
    answer["asOf"]["exportControl"]["clauses"] = []
    assert await code(signing, answering(texts, keystore, answer)) == "WRONG_ANSWER"
    # A redaction before the receipt explains nothing, although another one follows.
    monkeypatch.setattr(schema.receipts.issuer, "HEAD_SECONDS", 0)
    await all_signed(signing)
    after = receipt_of(await post(api, TEXTS), trust)
    await api.do("announceExportControl", control("y", clause(note="Mr Roe said so")))
    events = await signing.recorder.read(done.positions[-1], limit=1)
    done = await signing.commands.redact(events[0].event_id, "A court forbids it", day, law)
    await signing.projector.reach(done.positions[-1])
    answer = json.loads(json.dumps(after.answer))
    answer["asOf"]["exportControl"]["clauses"][0]["note"] = "Ms Doe confessed"
    assert await code(signing, answering(after, keystore, answer)) == "WRONG_ANSWER"
    # Without its answer, a receipt of a redacted text can be neither confirmed nor refuted.
    assert await code(signing, answering(texts, keystore, many, omitted=True)) == "REDACTED"


def test_the_digest_of_the_schema_is_that_of_the_printed_schema() -> None:
    assert schema_digest() == sha256(sdl().encode()).hexdigest()


def test_a_statement_has_no_name_of_a_caller() -> None:
    fields = set(Statement.__struct_fields__)
    assert fields == {
        *("operation", "moments", "answer_sha256", "answer_omitted", "schema_sha256"),
        *("derivation", "software", "checkpoint", "issued_at", "origin"),
    }
