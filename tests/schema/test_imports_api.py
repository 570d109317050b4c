"""Imports as clients of the API see them."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from deploy.cli.import_progress import load_corpus
from schema.services import Services
from tests.support.api import Api
from tests.support.corpus_lines import shipped_lines
from tests.support.importer import CLAIM, ImportFixture, cell, line
from tracker.postgres.database import Target
from tracker.sources.reader import File, RefusedItem, SourceLocation

RECEIPT = """key entity on reader readerVersion file sha256 encoding size items events position
    counts { new restated corrected withdrawn unchanged repeated refused suspect }
    reasons { code reason count } refused { line column text code reason }
    suspects { line column text code reason }"""


@pytest.fixture
async def api(services: Services, target: Target, tmp_path: Path) -> Api:
    """Run an API on a log with three imports."""
    importer = ImportFixture(target, services.recorder, tmp_path)
    await importer.take(line(), CLAIM)
    outcome = await importer.read(
        RefusedItem(SourceLocation(3, "value"), "blank", "?", "BLANK"),
        cell(240_000, edition="MCS 2025", published_on="2025-01-31"),
    )
    assert outcome.position is not None
    last = await importer.take(line())
    assert last.position is not None
    await services.projector.reach(last.position)
    return Api(services)


async def test_imports_are_listed_with_all_that_their_receipts_say(api: Api) -> None:
    data = await api.ask("{ imports { totalCount nodes { " + RECEIPT + " } } }")
    assert data["imports"]["totalCount"] == 3
    first, second, third = data["imports"]["nodes"]
    assert (first["reader"], first["readerVersion"], first["file"]) == (
        "corpus",
        "1",
        "facts.jsonl",
    )
    assert (first["position"], first["events"], first["items"]) == ("3", 2, 2)
    assert first["entity"] == f"import/{first['key']}"
    assert (first["encoding"], len(first["sha256"])) == ("utf-8", 64)
    assert first["size"] == (len(line()) + len(CLAIM))
    assert second["counts"] == {
        "new": 0,
        "restated": 1,
        "corrected": 0,
        "withdrawn": 0,
        "unchanged": 0,
        "repeated": 0,
        "refused": 1,
        "suspect": 1,
    }
    assert second["reasons"] == [{"code": "BLANK", "reason": "blank", "count": 1}]
    assert second["refused"] == [
        {"line": 3, "column": "value", "text": "?", "code": "BLANK", "reason": "blank"}
    ]
    assert second["suspects"] == [
        {
            "line": 2,
            "column": "value",
            "text": "row",
            "code": "FAR_OFF",
            "reason": "240,000 times the figure of MCS 2024, 1 t",
        }
    ]
    assert (third["counts"]["unchanged"], third["events"]) == (1, 0)


async def test_imports_are_narrowed_paged_and_found_by_id(api: Api) -> None:
    data = await api.ask(
        '{ imports(source: "corpus", first: 1) { totalCount'
        " nodes { key on } pageInfo { hasNextPage endCursor } } }"
    )
    page = data["imports"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    data = await api.ask(
        'query ($after: String) { imports(source: "corpus", after: $after) { nodes { key } } }',
        after=page["pageInfo"]["endCursor"],
    )
    [last] = data["imports"]["nodes"]
    assert last["key"] > page["nodes"][0]["key"]
    data = await api.ask("query ($id: String!) { import(id: $id) { key } }", id=last["key"])
    assert data["import"] == last
    for unknown in ("none", "a b", ""):
        data = await api.ask("query ($id: String!) { import(id: $id) { key } }", id=unknown)
        assert data["import"] is None
    assert await api.refused('{ imports(after: "x") { nodes { key } } }') == (
        "INVALID_CURSOR",
        ["after"],
    )


async def test_the_history_of_an_import_is_its_receipt(api: Api) -> None:
    entity = (await api.ask("{ imports { nodes { entity } } }"))["imports"]["nodes"][0]["entity"]
    data = await api.ask(
        "query ($entity: String!) { history(entity: $entity) { nodes { knownFrom"
        " state { ... on Import { file } } } } }",
        entity=entity,
    )
    assert data["history"]["nodes"] == [{"knownFrom": "3", "state": {"file": "facts.jsonl"}}]


async def test_a_receipt_stays(api: Api) -> None:
    data = await api.ask('{ events(types: ["Import.Recorded"]) { nodes { eventId } } }')
    event = data["events"]["nodes"][0]["eventId"]
    source = {"publisher": "x", "name": "x", "publishedOn": "2025-01-01"}
    code, path = await api.fails(
        "retractEvent", {"eventId": event, "reason": "no", "source": source}
    )
    assert (code, path[-1]) == ("RECEIPT_STAYS", "eventId")  # type: ignore[index]


async def test_the_corpus_is_loaded_once(
    services: Services, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, lines = Console(file=StringIO()), 300  # `corpus/test_released.py` loads the whole
    begin = tmp_path / "corpus.jsonl"
    begin.write_bytes(b"".join(shipped_lines()[:lines]))
    monkeypatch.setattr("deploy.cli.import_progress.SHIPPED_CORPUS", File.at(begin))
    assert await load_corpus(target, services, silent) == lines
    head = await services.recorder.head()
    assert await load_corpus(target, services, silent) == 0
    assert await services.recorder.head() == head == lines + 1
