"""`tracker receipt` and `tracker verify --receipt`, as programs."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from deploy.bootstrap import running_tracker
from deploy.cli.export import export_database
from deploy.cli.query import CLI_CALLER
from deploy.postgres import Postgres
from schema.receipts.query import issue_receipt
from schema.services import Access, Services
from tests.conftest import copied
from tests.support.api import Api, clause, control, suspension
from tests.support.checkout import ROOT
from tests.support.database_urls import database_url
from tests.support.processes import command, run
from tests.support.time_limits import within
from tests.support.waiting import all_signed
from tests.support.web_server import serving
from tracker.audit.format.signed_note import Signer
from tracker.audit.receipts.receipt import Receipt
from tracker.audit.sign.keystore import KeyStore, LogKeys
from tracker.audit.sign.publisher import SigningOptions
from tracker.postgres.database import Target

QUERY = (
    '{ asOf(validAt: "2025-11-20", position: "2")'
    ' { exportControl(id: "x") { clauses { key status note } } } }'
)


@dataclass(frozen=True)
class Signed:
    """A running tracker, its keys, a bundle of its log, and the receipt of a query."""

    services: Services
    keystore: KeyStore
    bundle: Path
    receipt: Path

    @property
    def key(self) -> str:
        """The verifier key of the log."""
        return str(self.keystore.keys().verifiers[0])


async def write_bundle(target: Target, keystore: KeyStore, directory: Path) -> Path:
    """Write the log of a database as a bundle."""
    keys = [str(key) for key in keystore.keys().all]
    await export_database(target, directory, keys, None, with_snapshots=False)
    return directory


@pytest.fixture
async def signed(target: Target, keystore: KeyStore, tmp_path: Path) -> AsyncIterator[Signed]:
    """Run a tracker with a signed log of two events."""
    async with running_tracker(target, SigningOptions(keystore)) as services:
        api = Api(services)
        await api.do("announceExportControl", control("x", clause(note="Ms Doe said so")))
        await api.do("suspendExportControl", suspension("x"))
        await all_signed(services)
        bundle = await write_bundle(target, keystore, tmp_path / "bundle")
        file = tmp_path / "a.receipt.json"
        content = await issue_receipt(services, Access(), CLI_CALLER, QUERY, {})
        file.write_text(content, encoding="utf-8")
        yield Signed(services, keystore, bundle, file)


@pytest.fixture
def fork_target(server: Postgres, empty_template: str) -> Iterator[Target]:
    """Create another empty database."""
    yield from copied(server, empty_template)


async def verify(*arguments: str | Path) -> CompletedProcess[str]:
    """Run `tracker verify --receipt`."""
    return await asyncio.to_thread(run, "verify", "--receipt", *map(str, arguments))


async def verified(*arguments: str | Path) -> dict[str, Any]:
    """Return the JSON of a verification that succeeds."""
    done = await verify(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


async def fault(*arguments: str | Path, code: int = 1) -> str | None:
    """Return the code of the only fault of a verification."""
    done = await verify(*arguments, "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    [one] = json.loads(done.stdout)["receipts"]
    assert one["code"] in done.stderr
    result: str | None = one["code"]
    return result


async def test_a_receipt_is_verified_from_a_bundle_with_a_report_of_a_page(
    signed: Signed, tmp_path: Path
) -> None:
    report = tmp_path / "report.md"
    made = await verified(signed.receipt, signed.bundle, "--key", signed.key, "--report", report)
    [one] = made["receipts"]
    assert (made["result"], one["result"], made["logSize"]) == ("verified", "verified", "2")
    assert one["answerSha256"] == one["derivedAnswerSha256"]
    assert one["sentence"] == (
        "example.com/log signed this answer as of 2025-11-20 as recorded at position 2. The first 2"
        " events of the log give the same answer."
    )
    page = report.read_text(encoding="utf-8")
    for text in (
        "# Verification of an answer",
        "| Effective date | `2025-11-20` |",
        "| Recorded up to position | `2` |",
        '    {\n      asOf(validAt: "2025-11-20", position: "2") {\n',
        "- the query, executed on these events, gives the signed answer.",
        "Not proven:",
    ):
        assert text in page, text
    assert len(page.splitlines()) < 90


async def test_the_log_of_an_address_is_copied_with_its_texts(signed: Signed) -> None:
    async with serving(signed.services, Access()) as (address, _, _):
        url = f"http://{address}/log"
        made = await verified(signed.receipt, "--log", url, "--key", signed.key)
    assert made["receipts"][0]["result"] == "verified"
    assert made["log"] == url


async def test_without_a_log_only_signature_and_text_are_checked(signed: Signed) -> None:
    made = await verified(signed.receipt, "--key", signed.key)
    [one] = made["receipts"]
    assert (one["result"], len(one["checks"])) == ("consistent", 2)
    assert made["notProven"][0].startswith("the answer: no log was given")
    assert (await verify(signed.receipt)).returncode == 1  # without a key
    bundle_key = await verified(signed.receipt, signed.bundle, "--trust-bundle-key")
    assert bundle_key["result"] == "consistent"


def tampered(signed: Signed, tmp_path: Path, file: str, before: bytes, after: bytes) -> Path:
    """Copy the bundle with one text of one file replaced."""
    copy = Path(shutil.copytree(signed.bundle, tmp_path / "copy", dirs_exist_ok=True))
    content = (copy / file).read_bytes()
    assert content.count(before) >= 1
    (copy / file).write_bytes(content.replace(before, after, 1))
    return copy


async def test_faults_of_receipt_and_log_have_their_names(signed: Signed, tmp_path: Path) -> None:
    key, bundle = ("--key", signed.key), signed.bundle
    stranger = str(Signer.new("example.com/log").verifier)
    assert await fault(signed.receipt, bundle, "--key", stranger) == "UNKNOWN_KEY"
    witness = str(Signer.new("witness.example", 4).verifier)
    assert (
        await fault(signed.receipt, bundle, *key, "--require-witness", witness) == "NOT_WITNESSED"
    )

    text = signed.receipt.read_text(encoding="utf-8")
    lie = tmp_path / "lie.receipt.json"
    for changed, expected in (
        (text.replace('"SUSPENDED"', '"IN_FORCE"', 1), "WRONG_ANSWER_TEXT"),
        (text.replace("2025-11-20", "2025-11-21"), "BAD_SIGNATURE"),
        (text[:-10], "BAD_RECEIPT"),
    ):
        lie.write_text(changed, encoding="utf-8")
        assert await fault(lie, bundle, *key) == expected

    entries = "tile/entries/000.p/2"
    copy = tampered(signed, tmp_path, entries, b"2024-12-03", b"2024-12-04")
    assert await fault(signed.receipt, copy, *key) == "ALTERED_ENTRY"
    os.remove(copy / entries)
    assert await fault(signed.receipt, copy, *key) == "MISSING"


async def test_a_log_that_is_short_or_forked_is_named(
    signed: Signed, target: Target, fork_target: Target, tmp_path: Path
) -> None:
    await Api(signed.services).do("announceExportControl", control("y"))
    await all_signed(signed.services)
    later = tmp_path / "later.receipt.json"
    query = QUERY.replace('"2"', '"3"')
    content = await issue_receipt(signed.services, Access(), CLI_CALLER, query, {})
    later.write_text(content, encoding="utf-8")
    key = ("--key", signed.key)
    assert await fault(later, signed.bundle, *key) == "SHRUNK"

    longer = await write_bundle(target, signed.keystore, tmp_path / "longer")
    made = await verified(signed.receipt, "--receipt", later, longer, *key)
    assert [one["result"] for one in made["receipts"]] == ["verified"] * 2

    keystore = KeyStore(tmp_path / "same-key")
    keystore.directory.mkdir()
    keys = LogKeys(signed.keystore.keys().signers)
    (keystore.directory / "keys").write_text(str(keys), encoding="utf-8")
    async with running_tracker(fork_target, SigningOptions(keystore)) as services:
        for id in ("x", "other", "z"):
            await Api(services).do("announceExportControl", control(id))
        await all_signed(services)
        fork = await write_bundle(fork_target, keystore, tmp_path / "fork")
    done = await verify(signed.receipt, "--receipt", later, fork, *key, "--json")
    results = json.loads(done.stdout)["receipts"]
    assert [one["code"] for one in results] == ["FORKED", "FORKED"]
    assert done.returncode == 1


async def test_usage_errors_are_found_before_anything_is_read(signed: Signed) -> None:
    for arguments in (
        ("--database",),
        (signed.bundle, "--log", signed.bundle),
        (signed.bundle, "--only-new"),
        (signed.bundle.with_name("missing"),),
        (signed.bundle, "--report", "/missing/report.md"),
    ):
        done = await verify(signed.receipt, *arguments, "--key", signed.key)
        assert done.returncode == 2, (arguments, done.stderr)


@pytest.mark.skipif(
    not (shutil.which("jq") and shutil.which("curl")), reason="this machine has no jq or no curl"
)
async def test_the_commands_of_the_page_do_what_they_say(
    signed: Signed, target: Target, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "receipts.md").read_text(encoding="utf-8")
    scripts = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    own, over_http, verifying = scripts[:3]
    (tmp_path / "log.key").write_text(signed.key, encoding="utf-8")
    shutil.copytree(signed.bundle, tmp_path / "minerals")
    environment = {
        **os.environ,
        "TRACKER_DATABASE_URL": database_url(target),
        "TRACKER_AUDIT_DIR": str(signed.keystore.directory),
    }
    async with serving(signed.services, Access()) as (address, _, _):
        for script in (own, verifying, over_http, verifying):
            text = script.replace('"9000"', '"2"').replace("127.0.0.1:8000", address)
            program = f'tracker() {{ {sys.executable} -m deploy.cli.main "$@"; }}'
            process = await asyncio.create_subprocess_exec(
                *("bash", "-ec", f"{program}\n{text}"),
                cwd=tmp_path,
                env={**environment, "PYTHONPATH": str(ROOT)},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await asyncio.wait_for(process.communicate(), within(120))
            assert process.returncode == 0, (script, output.decode())
            assert ("verified: china.receipt.json" in output.decode()) == (script == verifying)
            assert (tmp_path / "report.md").exists() or script == own


def test_a_receipt_is_issued_without_a_server(data_dir: Path, tmp_path: Path) -> None:
    assert command("migrate", data_dir=data_dir).returncode == 0
    out = str(tmp_path / "a.receipt.json")
    query = '{ asOf(validAt: "2025-11-20", position: "0") { exportControls { totalCount } } }'
    refused = command("receipt", query, "--out", out, data_dir=data_dir)
    assert refused.returncode == 1
    assert "NO_KEY" in refused.stderr
    KeyStore(data_dir / "audit").load_or_create("example.com/log")
    open_query = "{ asOf { exportControls { totalCount } } }"
    refused = command("receipt", open_query, "--out", out, data_dir=data_dir)
    assert (refused.returncode, "NOT_FIXED" in refused.stderr) == (1, True)

    done = command("receipt", query, "--out", out, data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    bundle = str(tmp_path / "bundle")
    assert command("export", bundle, data_dir=data_dir).returncode == 0
    done = run("verify", "--receipt", out, bundle, "--trust-bundle-key")
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "consistent"), done.stderr
    printed = command("receipt", query, data_dir=data_dir)
    assert Receipt.parse(printed.stdout.encode()).answer == {
        "asOf": {"exportControls": {"totalCount": 0}}
    }
