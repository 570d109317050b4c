"""The derivation of answers: its number changes exactly when an answer does, and receipts outlive it."""

import asyncio
import json
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

import schema.receipts.check
from deploy.bootstrap import running_tracker
from deploy.cli.query import CLI_CALLER
from deploy.postgres import Postgres
from projections.query.moment import Moment
from schema.execution.execute import QUERIES as ONLY_QUERIES
from schema.execution.response_cache import Answer, QueryRequest, ResponseCache
from schema.receipts.check import AnswerCheck
from schema.receipts.derivation import DERIVATION, VERSIONS
from schema.receipts.issuer import ReceiptIssuer
from schema.receipts.moment_records import moment_record
from schema.receipts.operations import check_operation, is_paged
from schema.services import Access, Services
from tests.conftest import database, run_sql
from tests.contract.derivation.record import QUERIES, answers_of, problem, recorded
from tests.support.frozen_log import DIRECTORY, frozen_keystore, restore_frozen, signer, unpack
from tests.support.processes import run
from tests.support.waiting import all_projected
from tracker.audit.receipts.pages import check_pages, split_receipts
from tracker.audit.receipts.receipt import Receipt, sign
from tracker.audit.receipts.report import ReceiptFindings
from tracker.audit.receipts.statement import StatementV1
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.verify.trust import TrustPolicy
from tracker.domain.basics.values import DAY
from tracker.errors import Rejected
from tracker.postgres.database import Target

TRUST = TrustPolicy((signer().verifier,))


@dataclass(frozen=True)
class Frozen:
    """The frozen log: its bundle, a database with it, and its keys."""

    bundle: Path
    target: Target
    keys: Path


@pytest.fixture(scope="module")
def frozen(server: Postgres, empty_template: str) -> Iterator[Frozen]:
    """Restore the frozen log into a database."""
    directory = Path(tempfile.mkdtemp(prefix="tracker-frozen-"))
    name = f"frozen_{uuid.uuid4().hex}"
    run_sql(server, f"CREATE DATABASE {name} TEMPLATE {empty_template}")
    target = database(server, name)
    bundle = unpack(directory / "bundle")
    asyncio.run(restore_frozen(target, bundle))
    frozen_keystore(directory / "keys")
    yield Frozen(bundle, target, directory / "keys")
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")
    shutil.rmtree(directory)


@pytest.fixture
async def frozen_services(frozen: Frozen) -> AsyncIterator[Services]:
    """Run a tracker on the frozen log, with its keys."""
    signing = SigningOptions(frozen_keystore(frozen.keys))
    async with running_tracker(frozen.target, signing) as services:
        await all_projected(services)
        yield services


async def issued(services: Services, document: str) -> Receipt:
    """Return the receipt of a query."""
    request = QueryRequest(document, {}, None, CLI_CALLER)
    answer = await ResponseCache(services, Access()).answer(request, ONLY_QUERIES, nullcontext())
    assert isinstance(answer, Answer), answer
    return Receipt.parse((await ReceiptIssuer(services, Access()).file(request, answer)).content)


async def code(check: AnswerCheck, receipt: Receipt) -> tuple[str | None, ReceiptFindings]:
    """Return the code of the fault of a receipt, or None, with the findings."""
    receipt.verify(TRUST)
    findings = ReceiptFindings("a.receipt.json", receipt)
    try:
        await check.check(receipt, findings)
    except Rejected as error:
        findings.error = error
    return findings.error and findings.error.code, findings


def altered(receipt: Receipt, **changes: Any) -> Receipt:
    """Return a receipt with another statement, signed by the log: an operator who lies."""
    statement: StatementV1 = msgspec.structs.replace(receipt.statement, **changes)
    return Receipt(sign(statement, [signer()]), statement, receipt.answer)


async def test_recorded_answers_are_those_of_the_released_number(frozen_services: Services) -> None:
    why = problem(recorded(), DERIVATION, await answers_of(frozen_services))
    assert why is None, why


def test_the_number_changes_exactly_when_an_answer_does() -> None:
    before = {"derivation": 1, "answers": {"a": "0", "b": "1"}}
    assert problem(before, 1, {"a": "0", "b": "1", "new": "2"}) is None
    assert "answers to b changed: add a version" in str(problem(before, 1, {"a": "0", "b": "2"}))
    assert "remove the version" in str(problem(before, 2, before["answers"]))  # type: ignore[arg-type]
    assert "not recorded: run" in str(problem(before, 2, {"a": "0", "b": "2"}))
    assert "answers to b changed" in str(problem(before, 1, {"a": "0"}))


def test_versions_are_numbered_without_gaps_and_only_the_last_is_open() -> None:
    assert [version.number for version in VERSIONS] == list(range(1, len(VERSIONS) + 1))
    assert [version.last_release is None for version in VERSIONS] == [
        *[False] * (len(VERSIONS) - 1),
        True,
    ]
    assert all(version.reason.endswith(".") for version in VERSIONS)


def test_there_are_answers_checks_and_empty_lists() -> None:
    kinds = [name.partition(" ")[0].rstrip(":") for name in QUERIES]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "cookbook": 25,
        "shipment": 10,
        "empty": 10,
    }


@pytest.mark.nightly
async def test_all_receipts_are_verified_from_a_bundle_in_one_pass(
    frozen: Frozen, frozen_services: Services, tmp_path: Path
) -> None:
    options = []
    for number, document in enumerate(QUERIES.values()):
        file = tmp_path / f"{number}.receipt.json"
        file.write_text(str(await issued(frozen_services, document)), encoding="utf-8")
        options += ["--receipt", str(file)]
    command = ("verify", str(frozen.bundle), *options, "--key", str(signer().verifier), "--json")
    done = await asyncio.to_thread(run, *command)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["result"], made["logSize"]) == ("verified", "17301")
    assert [one["result"] for one in made["receipts"]] == ["verified"] * 45
    assert {len(one["checks"]) for one in made["receipts"]} >= {5}
    assert not any(one["remarks"] for one in made["receipts"])


async def test_receipts_are_verified_after_an_upgrade_of_the_derivation(
    frozen_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipts = [await issued(frozen_services, document) for document in QUERIES.values()]
    monkeypatch.setattr(schema.receipts.check, "DERIVATION", DERIVATION + 1)
    check = AnswerCheck(frozen_services, CLI_CALLER)
    for receipt in receipts:
        wrong, findings = await code(check, receipt)
        assert wrong is None
        assert f"The receipt has derivation version {DERIVATION}" in findings.remarks[0]

    other = altered(receipts[0], answer_sha256="0" * 64)
    wrong, findings = await code(check, omitted(other))
    assert wrong == "OTHER_DERIVATION"
    assert "Verify it with critical-minerals-policy-tracker " in str(findings.error)

    moved = [msgspec.structs.replace(receipts[0].statement.moments[0], state_digest="0" * 64)]
    wrong, findings = await code(check, altered(receipts[0], moments=tuple(moved)))
    assert wrong is None  # the answer still agrees
    assert "The answer is the same. The state differs" in findings.remarks[-1]


def omitted(receipt: Receipt) -> Receipt:
    """Return a receipt without the text of its answer, signed by the log."""
    return altered(replace(receipt, answer=None), answer_omitted=True)


async def test_a_lie_of_the_key_holder_about_state_answer_or_completeness_is_named(
    frozen_services: Services,
) -> None:
    receipt = await issued(frozen_services, QUERIES["shipment: germanium to Japan"])
    check = AnswerCheck(frozen_services, CLI_CALLER)
    assert (await code(check, receipt))[0] is None
    assert (await code(check, omitted(receipt)))[0] is None
    [moment] = receipt.statement.moments

    lies: list[tuple[str, Receipt]] = [
        ("WRONG_ANSWER", omitted(altered(receipt, answer_sha256="0" * 64))),
        ("WRONG_STATE", moved(receipt, state_digest="0" * 64)),
        ("WRONG_STATE", moved(receipt, completeness="All lists were read.")),
        ("WRONG_MOMENT", moved(receipt, position=str(moment.at - 5000))),
        ("WRONG_MOMENT", moved(receipt, valid_at=moment.valid_at - DAY)),
    ]
    for expected, lie in lies:
        wrong, findings = await code(check, lie)
        assert wrong == expected, findings.error


async def test_a_true_answer_under_another_date_and_position_is_refused_without_remark(
    frozen: Frozen, frozen_services: Services, tmp_path: Path
) -> None:
    query = '{ asOf(validAt: "2026-12-01", position: "17301") { exportControls { totalCount } } }'
    receipt = await issued(frozen_services, query)
    other = await moment_record(frozen_services.as_of, Moment(date(2020, 1, 1), 9000))
    own = receipt.statement.moments
    check = AnswerCheck(frozen_services, CLI_CALLER)
    for moments in ((other,), (other, *own)):  # each with its true state
        assert (await code(check, altered(receipt, moments=moments)))[0] == "WRONG_MOMENT"
    file = tmp_path / "lie.receipt.json"
    file.write_text(str(altered(receipt, moments=(other,))), encoding="utf-8")
    for log in ((str(frozen.bundle),), ()):
        command = ("verify", *log, "--receipt", str(file), "--key", str(signer().verifier))
        done = await asyncio.to_thread(run, *command)
        assert (done.returncode, done.stdout) == (1, "")
        assert "WRONG_MOMENT" in done.stderr


async def test_days_that_only_the_log_has_are_compared_with_it(frozen_services: Services) -> None:
    query = (
        '{ over(from: "2024-01-01", to: "2026-01-01", position: "17301",'
        ' atTransitions: {entity: "export-control/cn-mofcom-2024-46"}) { validAt } }'
    )
    receipt = await issued(frozen_services, query)
    assert len(receipt.statement.moments) > 1
    remark = check_operation(receipt.statement)
    assert remark is not None
    assert remark.startswith("The log decides the dates")
    check = AnswerCheck(frozen_services, CLI_CALLER)
    assert (await code(check, receipt))[0] is None
    for moments in (receipt.statement.moments[1:], receipt.statement.moments[:-1]):
        assert (await code(check, altered(receipt, moments=moments)))[0] == "WRONG_MOMENT"


OLD = {path.name: path for path in sorted((DIRECTORY / "v1").iterdir())}
"""Receipts that the release before version 2 of the format issued about the frozen log."""


@pytest.mark.parametrize("name", OLD)
async def test_receipts_of_version_1_are_still_verified(
    frozen_services: Services, name: str
) -> None:
    receipts = [Receipt.parse(line) for line in split_receipts(OLD[name].read_bytes())]
    paged = is_paged(receipts[0].statement.operation.document)
    check_pages(receipts, bool(paged))
    check = AnswerCheck(frozen_services, CLI_CALLER)
    for receipt in receipts:
        assert type(receipt.statement) is StatementV1
        check_operation(receipt.statement)
        # A later derivation may give another answer; its receipt then names the release.
        later = set() if receipt.statement.derivation == DERIVATION else {"OTHER_DERIVATION"}
        assert (await code(check, receipt))[0] in {None, *later}


def moved(receipt: Receipt, **changes: Any) -> Receipt:
    """Return a receipt whose only moment has other values, signed by the log."""
    [moment] = receipt.statement.moments
    return altered(receipt, moments=(msgspec.structs.replace(moment, **changes),))
