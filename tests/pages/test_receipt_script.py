"""The check of receipts in the browser: as strict as the program, and bound to its page."""

import base64
from collections.abc import Mapping
from typing import Any

from schema.receipts.operations import page_digest
from tests.audit.test_receipts import OLD
from tests.pages.test_proof_script import run_program
from tests.support.altered_receipts import TRUE_MOMENTS, altered_receipts, lie
from tests.support.receipt_vectors import LOG, checkpoint, receipt
from tracker.audit.receipts.receipt import Receipt


def page_of(file: bytes) -> dict[str, str]:
    """Return the page of a receipt: its first moment, and its query."""
    statement = Receipt.parse(file).statement
    first = statement.moments[0]
    return {
        "validAt": str(first.valid_at),
        "position": first.position,
        "query": page_digest(statement.operation),
    }


async def checked(files: Mapping[str, bytes], pages: Mapping[str, Any] | None = None) -> Any:
    """Return the failing checks of files, on the page of the vectors or another one."""
    own = str(receipt()).encode()
    return await run_program(
        "receipts.js",
        {
            "page": page_of(own),
            "files": {
                name: {"file": base64.b64encode(file).decode(), "page": (pages or {}).get(name)}
                for name, file in files.items()
            },
            "served": {"/log/key": f"{LOG.verifier}\n", "/log/checkpoint": str(checkpoint())},
        },
    )


async def test_the_page_refuses_what_the_program_refuses() -> None:
    altered = [one for one in altered_receipts() if not one.name.startswith("list:")]
    found = await checked({one.name: one.file for one in altered})
    wrong = {
        one.name: (found[one.name]["failed"], one.page.split())
        for one in altered
        if found[one.name]["failed"] != one.page.split()
    }
    assert not wrong
    # The page trusts its server for states and witnesses; only the program compares these.
    assert sum(bool(one.page) for one in altered) >= len(altered) - 1


async def test_the_page_accepts_its_own_receipt_and_names_the_published_key() -> None:
    files = {"own": str(receipt()).encode(), "old": OLD.read_bytes()} | {
        name: lie(change)
        for name, change in TRUE_MOMENTS.items()
        if name != "days of transitions"  # no page has such a query
    }
    found = await checked(files, {name: page_of(file) for name, file in files.items()})
    assert {name: one["failed"] for name, one in found.items()} == {name: [] for name in files}
    assert found["own"]["key"] == f"key {LOG.verifier.id:08x}"


async def test_the_page_refuses_the_receipt_of_another_page_of_the_same_moment() -> None:
    def other(tree: Any) -> None:
        tree["operation"]["variables"]["c"] = "germanium"

    found = await checked({"other": lie(other)})
    assert found["other"]["failed"] == ["page"]
