"""Receipts of pages, tables and tools, verified from a bundle, on a machine without the database."""

from __future__ import annotations

import json
from pathlib import Path

from deploy.bootstrap import running_tracker
from schema.pages.registry import PAGES
from schema.services import Access
from tests.deploy.test_verify_receipts import verify, write_bundle
from tests.schema.test_receipt_files import CALLS, PATHS, QUERIES, pinned
from tests.support.api import Api
from tests.support.waiting import all_signed
from tracker.audit.sign.keystore import KeyStore
from tracker.audit.sign.publisher import SigningOptions
from tracker.postgres.database import Target

ADDRESSES = [
    *(f"{PATHS.get(page.name, page.path)}.receipt{QUERIES.get(page.name, '')}" for page in PAGES),
    "/tables/transitions.receipt?commodity=rare_earths",
    "/tables/changes.receipt?from=2025-11-01",
]


async def test_receipts_of_all_pages_tables_and_tools_follow_from_a_bundle(
    corpus_target: Target, keystore: KeyStore, tmp_path: Path
) -> None:
    addresses = [pinned(address) for address in ADDRESSES] + [
        f"/mcp/{tool}.receipt?arguments={json.dumps({**call, 'day': '2025-11-20', 'position': 9000})}"
        for tool, call in CALLS.items()
    ]
    files = []
    async with running_tracker(corpus_target, SigningOptions(keystore)) as services:
        await all_signed(services)
        api = Api(services, Access())
        for number, address in enumerate(addresses):
            response = await api.request("GET", address)
            assert response.status_code == 200, (address, response.text)
            files.append(tmp_path / f"{number}.receipt.json")
            files[-1].write_bytes(response.content)
        bundle = await write_bundle(corpus_target, keystore, tmp_path / "bundle")
    others = [word for file in files[1:] for word in ("--receipt", file)]
    key = str(keystore.keys().verifiers[0])
    done = await verify(files[0], *others, bundle, "--key", key, "--json")
    results = json.loads(done.stdout)["receipts"]
    faults = [(one["file"], one["code"], one["message"]) for one in results if one["code"]]
    assert not faults
    assert done.returncode == 0, done.stderr
    assert len(results) > len(files)
