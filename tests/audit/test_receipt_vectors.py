"""Receipts checked by a second implementation of docs/receipt-format.md, which agrees with the program."""

import ast
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.test_altered_receipts import ALTERED, TRUE
from tests.support import independent_verifier
from tests.support.altered_receipts import content, statement
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tests.support.independent_verifier import (
    Refused,
    canonical,
    check_bundle,
    check_receipt,
    faults,
    key_of,
    receipt_id,
    root_of,
    tile_path,
)

DIRECTORY = Path(__file__).with_name("receipt_vectors")
VECTORS = json.loads((DIRECTORY / "vectors.json").read_text(encoding="utf-8"))
FILE = (DIRECTORY / "example.receipt.json").read_bytes()
KEYS, WITNESSES = [VECTORS["logKey"]], [VECTORS["witnessKey"]]
ONLY_THE_PROGRAM = {"a query that is not printed"}


def test_the_verifier_uses_no_code_of_the_tracker() -> None:
    tree = ast.parse(Path(independent_verifier.__file__).read_text(encoding="utf-8"))
    imported = {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    } | {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= sys.stdlib_module_names | {"cryptography"}


def test_the_verifier_agrees_with_the_program_on_all_altered_receipts() -> None:
    found = {one.name: faults(one.file, KEYS, WITNESSES) for one in ALTERED}
    wrong = {
        one.name: (found[one.name], one.code)
        for one in ALTERED
        if {*found[one.name]} - {None} != {one.code}
    }
    assert wrong.keys() == ONLY_THE_PROGRAM


@each_case("name", TRUE)
def test_the_verifier_accepts_true_receipts(name: str) -> None:
    assert {*faults(TRUE[name], KEYS, WITNESSES)} == {None}


@each_case("version", ["example.receipt.json", "v1/example.receipt.json"])
def test_the_verifier_accepts_the_vectors_of_all_versions(version: str) -> None:
    receipt = check_receipt((DIRECTORY / version).read_bytes(), KEYS, WITNESSES)
    entries = [entry.encode() for entry in VECTORS["entries"]]
    root = root_of([hashlib.sha256(b"\0" + entry).digest() for entry in entries])
    assert root == receipt["root"] == bytes.fromhex(VECTORS["rootHex"])


def test_the_vectors_state_the_intermediate_values() -> None:
    text = content()["receipt"].split("\n\n")[0] + "\n"
    assert text.encode() == (DIRECTORY / "statement.txt").read_bytes()
    assert hashlib.sha256(text.encode()).hexdigest() == VECTORS["noteTextSha256"]
    message = f"tracker-receipt-signature/v1\n{text}".encode()
    assert hashlib.sha256(message).hexdigest() == VECTORS["signedMessageSha256"]
    name, _, public = key_of(VECTORS["logKey"])
    assert receipt_id(name, public).hex() == VECTORS["receiptKeyIdHex"]
    answer = canonical(content()["answer"])
    assert answer == VECTORS["canonicalAnswer"]
    assert hashlib.sha256(answer.encode()).hexdigest() == statement()["answerSha256"]


@given(st.floats(allow_nan=False, allow_infinity=False) | st.text())
def test_the_verifier_writes_canonical_json_as_the_library_does(value: Any) -> None:
    assert canonical({"a": [value]}).encode() == rfc8785.dumps({"a": [value]})


def bundle_of(directory: Path, entries: list[bytes], checkpoint: str) -> Path:
    """Write a bundle as the format describes it."""
    path = directory / "tile" / "entries" / f"000.p/{len(entries)}"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries))
    (directory / "checkpoint").write_text(checkpoint, encoding="utf-8")
    return directory


def test_the_verifier_compares_a_receipt_with_a_bundle(tmp_path: Path) -> None:
    receipt = check_receipt(FILE, KEYS, WITNESSES)
    entries = [entry.encode() for entry in VECTORS["entries"]]
    own = receipt["statement"]["checkpoint"]
    check_bundle(bundle_of(tmp_path / "own", entries, own), KEYS, [receipt])
    other = [*entries[:-1], b"{}"]
    with pytest.raises(Refused, match="WRONG_ROOT"):
        check_bundle(bundle_of(tmp_path / "other", other, own), KEYS, [receipt])
    with pytest.raises(Refused, match="FORKED"):
        check_bundle(tmp_path / "own", KEYS, [{**receipt, "root": bytes(32)}])
    with pytest.raises(Refused, match="SHRUNK"):
        check_bundle(tmp_path / "own", KEYS, [{**receipt, "size": 6}])
    assert tile_path(1234067) == "x001/x234/067"


def test_the_format_names_the_number_of_altered_receipts_and_each_code() -> None:
    page = (ROOT / "docs" / "receipt-format.md").read_text(encoding="utf-8")
    assert f"on {len(ALTERED)} altered receipts" in page
    assert all(f"`{one.code}`" in page for one in ALTERED if one.code != "NOT_WITNESSED")
    assert base64.b64decode(VECTORS["logKey"].split("+", 2)[2])[0] == 1
