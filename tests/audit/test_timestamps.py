"""Timestamps of receipts (RFC 3161), by an authority on this machine, and files with several receipts."""

import base64
import dataclasses
import json
import shutil
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, print_ast
from msgspec import structs
from typer.testing import CliRunner, Result

from deploy.cli.main import app
from deploy.cli.process import Exit
from deploy.config.table import WrongSetting
from deploy.config.timestamps import timestamp_authority
from schema.receipts.timestamps import TIMEOUT_SECONDS, TimestampAuthority
from tests.support.altered_receipts import LIST
from tests.support.documents import block
from tests.support.receipt_vectors import LOG, receipt
from tests.support.timestamp_authority import create_authority, reply, serving_authority
from tracker.audit.receipts.canonical import canonical_json
from tracker.audit.receipts.receipt import Receipt, receipt_file, sign
from tracker.audit.receipts.statement import Operation
from tracker.audit.receipts.timestamp import AuthorityCertificates, timestamp_request
from tracker.errors import InvalidInput, Rejected
from tracker.snapshots.digest import sha256_of

NOTE = str(receipt().note)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an authority, and return its root certificate."""
    return create_authority(tmp_path_factory.mktemp("authorities") / "one", "An authority")


@pytest.fixture(scope="session")
def timestamp(root: Path) -> str:
    """Return a timestamp of the receipt of the test vectors."""
    return stamped(root, NOTE)


def stamped(root: Path, note: str) -> str:
    """Return a timestamp of a note."""
    answer = reply(root.parent, timestamp_request(note).as_bytes())
    return base64.b64encode(answer).decode()


def certificates(root: Path) -> AuthorityCertificates:
    """Return the certificates of an authority."""
    return AuthorityCertificates.parse(root.read_bytes())


def verify(*arguments: object) -> Result:
    """Return the result of `tracker verify --json`."""
    words = ["verify", "--json", "--key", str(LOG.verifier), *map(str, arguments)]
    return CliRunner().invoke(app, words, env={"COLUMNS": "300"})


def result_of(result: Result, code: Exit) -> dict[str, Any]:
    """Return the result of the only receipt."""
    assert result.exit_code == code, result.output
    [only] = json.loads(result.stdout)["receipts"]
    assert isinstance(only, dict)
    return only


async def test_a_receipt_has_a_timestamp_of_the_authority(root: Path) -> None:
    with serving_authority(root.parent) as url:
        timestamp = await TimestampAuthority(url, certificates(root)).timestamp(NOTE)
    assert timestamp is not None
    issued = Receipt.parse(
        receipt_file(receipt().note, canonical_json(receipt().answer), timestamp)
    )
    assert issued == dataclasses.replace(receipt(), timestamp=timestamp)
    stamped_at = certificates(root).check(NOTE, timestamp)
    assert abs(datetime.now(UTC) - stamped_at) < timedelta(hours=1)  # noqa: TID251 - that of OpenSSL


async def test_a_dead_or_slow_authority_does_not_block(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        nobody = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        began = time.monotonic()
        assert await TimestampAuthority(nobody, certificates(root)).timestamp(NOTE) is None
        assert time.monotonic() - began < TIMEOUT_SECONDS + 2
    assert await TimestampAuthority(nobody, certificates(root)).timestamp(NOTE) is None


async def test_a_timestamp_of_another_authority_is_not_accepted(root: Path, tmp_path: Path) -> None:
    other = create_authority(tmp_path / "other", "Another authority")
    with serving_authority(other.parent) as url:
        assert await TimestampAuthority(url, certificates(root)).timestamp(NOTE) is None


def test_verify_names_the_time_of_the_authority(root: Path, timestamp: str, tmp_path: Path) -> None:
    file, report = tmp_path / "a.receipt.json", tmp_path / "report.md"
    file.write_text(str(dataclasses.replace(receipt(), timestamp=timestamp)), encoding="utf-8")
    done = verify("--receipt", file, "--timestamp-authority", root, "--report", report)
    result = result_of(done, Exit.OK)
    assert datetime.fromisoformat(result["timestamp"]) == certificates(root).check(NOTE, timestamp)
    assert any("timestamp authority" in check for check in result["checks"])
    text = report.read_text(encoding="utf-8")
    assert "Issued before (timestamp authority)" in text
    assert "the time of issue" not in text
    unchecked = result_of(verify("--receipt", file), Exit.OK)
    assert unchecked["timestamp"] is None
    assert any("timestamp was not checked" in remark for remark in unchecked["remarks"])


def test_a_wrong_timestamp_is_named(root: Path, timestamp: str, tmp_path: Path) -> None:
    other = create_authority(tmp_path / "other", "Another authority")
    middle = len(timestamp) // 2
    letter = "A" if timestamp[middle] != "A" else "B"
    for number, (stamp, authority) in enumerate(
        [
            (None, root),
            (timestamp, other),
            (stamped(root, "another note"), root),
            (stamped(other, NOTE), root),
            (timestamp[:middle] + letter + timestamp[middle + 1 :], root),
            (timestamp[:400], root),
            ("no base64", root),
            ("", root),
        ]
    ):
        file = tmp_path / f"{number}.receipt.json"
        file.write_text(str(dataclasses.replace(receipt(), timestamp=stamp)), encoding="utf-8")
        done = verify("--receipt", file, "--timestamp-authority", authority)
        assert result_of(done, Exit.REFUSED)["code"] == "WRONG_TIMESTAMP", number


def test_openssl_checks_the_timestamp_as_the_page_says(
    root: Path, timestamp: str, tmp_path: Path
) -> None:
    if shutil.which("jq") is None:
        pytest.skip("this needs jq, which this machine does not have")
    stamped = str(dataclasses.replace(receipt(), timestamp=timestamp))
    (tmp_path / "china.receipt.json").write_text(stamped, encoding="utf-8")
    shutil.copy(root, tmp_path / "authority.pem")
    script = block("docs/receipts.md", "sh", "openssl ts")
    done = subprocess.run(["bash", "-ec", script], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert b"Verification: OK" in done.stdout + done.stderr


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    file, receipts = tmp_path / "cert.pem", tmp_path / "a.receipt.json"
    file.write_text("no certificate", encoding="utf-8")
    receipts.write_text(str(receipt()), encoding="utf-8")
    with pytest.raises(InvalidInput) as error:
        AuthorityCertificates.parse(file.read_bytes())
    assert error.value.code == "INVALID_CERTIFICATE"
    assert verify("--receipt", receipts, "--timestamp-authority", file).exit_code == Exit.REFUSED


def test_the_settings_name_an_authority_with_its_certificate(root: Path, tmp_path: Path) -> None:
    url = "https://timestamps.example.com"
    variables = {"TRACKER_TIMESTAMP_AUTHORITY": url, "TRACKER_TIMESTAMP_CERTIFICATE": str(root)}
    authority = timestamp_authority(variables)
    assert authority is not None
    assert authority.url == url
    assert timestamp_authority({}) is None
    for name, value in (
        ("TRACKER_TIMESTAMP_AUTHORITY", "ftp://example.com"),
        ("TRACKER_TIMESTAMP_CERTIFICATE", ""),
        ("TRACKER_TIMESTAMP_CERTIFICATE", str(tmp_path / "missing.pem")),
        ("TRACKER_TIMESTAMP_CERTIFICATE", str(root.parent / "serial")),
    ):
        with pytest.raises(WrongSetting, match=name):
            timestamp_authority({**variables, name: value})


# --- several receipts in a file


def page(after: str | None, cursor: str | None) -> Receipt:
    """Return the receipt of a page of a table."""
    info = {"hasNextPage": cursor is not None, "endCursor": cursor}
    answer = {"asOf": {"rows": {"pageInfo": info, "nodes": []}}}
    statement = receipt().statement
    variables = {} if after is None else {"after": after}
    operation = Operation(print_ast(parse(LIST)), "Q", variables)
    digest = sha256_of(canonical_json(answer))
    changed = structs.replace(statement, operation=operation, answer_sha256=digest)
    return Receipt(sign(changed, [LOG]), changed, answer)


def test_all_pages_of_a_list_are_verified_in_one_file(tmp_path: Path) -> None:
    pages = [page(None, "a"), page("a", "b"), page("b", None)]
    file = tmp_path / "table.receipts.jsonl"
    file.write_text("".join(map(str, pages)), encoding="utf-8")
    done = verify("--receipt", file)
    assert done.exit_code == Exit.OK, done.output
    results = json.loads(done.stdout)["receipts"]
    assert [one["file"] for one in results] == [f"{file}, line {number}" for number in (1, 2, 3)]
    assert "the file has all pages of the list" in results[0]["checks"]


def test_a_file_without_all_pages_is_rejected(tmp_path: Path) -> None:
    first, second, last = page(None, "a"), page("a", "b"), page("b", None)
    file = tmp_path / "table.receipts.jsonl"
    for pages in (
        [first],
        [last],
        [first, second],
        [first, last],
        [second, last],
        [first, last, second],
    ):
        file.write_text("".join(map(str, pages)), encoding="utf-8")
        done = verify("--receipt", file)
        assert done.exit_code == Exit.REFUSED
        codes = {one["code"] for one in json.loads(done.stdout)["receipts"]}
        assert codes == {"MISSING_PAGE"}
    file.write_text(f"{first}\n{last}", encoding="utf-8")
    codes = [one["code"] for one in json.loads(verify("--receipt", file).stdout)["receipts"]]
    assert codes == [None, "BAD_RECEIPT", None]


def test_the_certificate_of_an_authority_needs_the_library(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.audit.receipts.timestamp.LIBRARY", "a_missing_library")
    with pytest.raises(InvalidInput, match="timestamps"):
        certificates(root)


def test_a_timestamp_answers_its_own_request(root: Path, timestamp: str) -> None:
    request = timestamp_request(NOTE)
    with pytest.raises(Rejected, match="Nonce"):
        certificates(root).check(NOTE, timestamp, request.nonce)
