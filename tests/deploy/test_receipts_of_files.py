"""Receipts of pages, tables and tools, verified from a bundle, on a machine without the database."""

import json
from pathlib import Path

from deploy.bootstrap import running_tracker
from schema.pages.registry import PAGES
from schema.services import Access
from tests.deploy.test_verify_receipts import verify, write_bundle
from tests.schema.test_receipt_files import CALLS, PATHS, QUERIES, pinned
from tests.support.api import Api
from tests.support.independent_verifier import check_bundle, check_receipt, faults
from tests.support.waiting import all_signed
from tracker.audit.receipts.receipt import Receipt
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.postgres.database import Target

ADDRESSES = [
    *(f"{PATHS.get(page.name, page.path)}.receipt{QUERIES.get(page.name, '')}" for page in PAGES),
    "/tables/transitions.receipt?commodity=rare_earths",
    "/tables/changes.receipt?from=2025-11-01",
]


QUERY = """
query Count($day: Day!) { # of the API
  asOf(validAt: $day, position: "10755") { exportControls(issuer: "CN") { totalCount } }
}"""


async def test_receipts_of_all_pages_tables_and_tools_follow_from_a_bundle(
    corpus_target: Target, keystore: KeyStore, tmp_path: Path
) -> None:
    addresses = [pinned(address) for address in ADDRESSES] + [
        f"/mcp/{tool}.receipt?arguments={json.dumps({**call, 'day': '2025-11-20', 'position': 10755})}"
        for tool, call in CALLS.items()
    ]
    files = []
    key = str(keystore.keys().verifiers[0])
    async with running_tracker(corpus_target, SigningOptions(keystore)) as services:
        await all_signed(services)
        api = Api(services, Access())
        for number, address in enumerate(addresses):
            response = await api.request("GET", address)
            assert response.status_code == 200, (address, response.text)
            files.append(tmp_path / f"{number}.receipt.json")
            files[-1].write_bytes(response.content)
        body = {"query": QUERY, "variables": {"day": "2025-11-20"}}
        answer = await api.request("POST", "/graphql", json=body, headers={"Prefer": "receipt"})
        note = answer.json()["extensions"]["receipt"]
        files.append(tmp_path / "api.receipt.json")
        files[-1].write_text(str(Receipt.of(note, answer.json()["data"])), encoding="utf-8")
        closed = Api(services, Access(token="a-token", read_open=False))
        headers = {"Authorization": "Bearer a-token"}
        address = pinned("/tables/transitions.receipt?commodity=rare_earths")
        omitted = (await closed.request("GET", address, headers=headers)).content
        files.append(tmp_path / "omitted.receipts.jsonl")
        files[-1].write_bytes(omitted)
        bundle = await write_bundle(corpus_target, keystore, tmp_path / "bundle")
    receipts = []
    for file in files:
        assert {*faults(file.read_bytes(), [key])} == {None}, file
        receipts += [check_receipt(line, [key], ()) for line in file.read_bytes().splitlines()]
    check_bundle(bundle, [key], receipts)

    lines = omitted.splitlines(keepends=True)
    cut = tmp_path / "cut.receipts.jsonl"  # without answers only the log shows it
    cut.write_bytes(b"".join(lines[:-1]))
    assert {*faults(cut.read_bytes(), [key])} == {None}
    files.append(cut)
    others = [word for file in files[1:] for word in ("--receipt", file)]
    done = await verify(files[0], *others, bundle, "--key", key, "--json")
    results = json.loads(done.stdout)["receipts"]
    found = [(one["file"], one["code"], one["message"]) for one in results if one["code"]]
    assert {code for _, code, _ in found} == {"MISSING_PAGE"}, found
    assert [file for file, _, _ in found] == [
        f"{cut}, line {number}" for number in range(1, len(lines))
    ]
    assert done.returncode == 1, done.stderr
    assert len(results) > len(files)
