"""Record the answers of the present derivation: `python -m tests.contract.derivation.record`.

With `--freeze` it first replaces the log by the present shipped corpus, which needs no new number.
"""

import asyncio
import json
import sys
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785

from deploy.bootstrap import prepare, running_tracker
from deploy.cli.temporary_database import temporary_database, temporary_directory
from schema.execution.execute import execute
from schema.receipts.derivation import DERIVATION
from schema.services import Access, Services
from tests.support.clocks import fix_day
from tests.support.frozen_log import ARCHIVE, DIRECTORY, frozen_keystore, restore_frozen, unpack
from tests.support.waiting import all_signed
from tracker.audit.bundle.annexes import annex_lines, export_annexes
from tracker.audit.bundle.export import export
from tracker.audit.sign.publisher import SigningOptions
from tracker.audit.verify.database_source import DatabaseSource
from tracker.audit.verify.trust import TrustedCheckpoint, TrustPolicy
from tracker.log.annexes import Annexes
from tracker.postgres.database import Target, create_pool
from tracker.sources.importing.importer import import_file
from tracker.sources.readers import corpus_format

QUERIES: dict[str, str] = json.loads((DIRECTORY / "queries.json").read_text(encoding="utf-8"))
"""Documents that fix every moment, by name."""
RECORDED = DIRECTORY / "answers.json"
DERIVED = ("tile/0", "tile/1", "README.md", "schemas")
"""Parts of a bundle that are not archived: they follow from its entries, or are not signed."""


async def answers_of(services: Services) -> dict[str, str]:
    """Return the SHA-256 of the answers to all queries, by name."""
    digests = {}
    for name, query in QUERIES.items():
        answer = await execute(services, query, {}, Access())
        assert "errors" not in answer, (name, answer["errors"])
        digests[name] = sha256(rfc8785.dumps(answer["data"])).hexdigest()
    return digests


def recorded() -> dict[str, Any]:
    """Return the recorded number and digests."""
    content: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return content


def problem(before: dict[str, Any], number: int, answers: dict[str, str]) -> str | None:
    """Return the reason for which recorded answers and the present ones do not fit; None if they do."""
    same = {name: answers.get(name) for name in before["answers"]} == before["answers"]
    changed = [name for name, digest in before["answers"].items() if answers.get(name) != digest]
    if number == before["derivation"]:
        if same:
            return None
        return (
            f"the answers to {', '.join(changed)} changed: add a version to"
            " schema/receipts/derivation.toml, then run python -m tests.contract.derivation.record"
        )
    if same:
        return (
            f"derivation.toml has number {number}, and all recorded answers are those of"
            f" {before['derivation']}: remove the version, or add a query that shows the change"
        )
    return "the answers of the new number are not recorded: run python -m tests.contract.derivation.record"


async def freeze(target: Target, directory: Path) -> None:
    """Record the shipped corpus in an empty database, and archive its signed log."""
    keystore = frozen_keystore(directory / "keys")
    async with running_tracker(target, SigningOptions(keystore)) as services:
        outcome = await import_file(target, corpus_format.READER, corpus_format.SHIPPED_CORPUS)
        assert not outcome.refused
        await all_signed(services)
    pool = await create_pool(target)
    try:

        async def texts(head: TrustedCheckpoint) -> None:
            lines = annex_lines(Annexes(pool), head.size, lambda _: None)
            await export_annexes(lines, directory / "bundle")

        trust = TrustPolicy(keystore.keys().all)
        await export(DatabaseSource(pool), trust, directory / "bundle", {}, beside=texts)
    finally:
        await pool.close()
    with tarfile.open(ARCHIVE, "w:xz", preset=9) as archive:
        for path in sorted((directory / "bundle").rglob("*")):
            name = str(path.relative_to(directory / "bundle"))
            if path.is_file() and not name.startswith(DERIVED):
                info = archive.gettarinfo(path, name)
                info.uid = info.gid = info.mtime = 0
                info.uname = info.gname = ""
                with path.open("rb") as content:
                    archive.addfile(info, content)


async def record(target: Target, directory: Path) -> None:
    """Write the digests of the present answers, if the number fits them."""
    await prepare(target)
    await restore_frozen(target, unpack(directory / "unpacked"))
    async with running_tracker(target) as services:
        await services.as_of.searches.reach(await services.recorder.head())
        answers = await answers_of(services)
    before = recorded() if RECORDED.exists() and "--freeze" not in sys.argv else None
    if (
        before
        and before["derivation"] == DERIVATION
        and (why := problem(before, DERIVATION, answers))
    ):
        sys.exit(why)
    content = {"derivation": DERIVATION, "answers": answers}
    RECORDED.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Record the answers."""
    fix_day()
    if "--freeze" in sys.argv:
        with temporary_directory() as directory, temporary_database(directory) as database:
            asyncio.run(prepare(database.target))
            asyncio.run(freeze(database.target, directory))
    with temporary_directory() as directory, temporary_database(directory) as database:
        asyncio.run(record(database.target, directory))


if __name__ == "__main__":
    main()
