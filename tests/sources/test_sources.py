"""The sources together: each file has one reader, and the real ones add nothing to the corpus."""

import json
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.sources.test_bgs import written as bgs_file
from tests.sources.test_federal_register import RULE
from tests.sources.test_spreadsheet import GALLIUM, POLICIES
from tests.support.cases import each_case
from tests.support.corpus_lines import shipped_lines
from tests.support.importer import CLAIM, SUSPENSION
from tests.support.libraries import jsonschema
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.reader import File, SourceLocation, read_fact
from tracker.sources.readers import corpus_format, usgs
from tracker.sources.readers.corpus_schema import corpus_schema
from tracker.sources.registry import READERS, reader_for, reader_named

SCHEMA = Path(__file__).parents[2] / "docs" / "corpus.schema.json"


@cache
def accepts() -> Any:
    """Return the check of a line by the published schema."""
    return jsonschema.Draft202012Validator(json.loads(corpus_schema())).is_valid


def name_of(path: Path) -> str | None:
    """Return the name of the reader that recognises a file."""
    reader = reader_for(File.at(path))
    return reader.name if reader else None


def test_every_source_has_a_name_of_its_own_and_says_what_it_is() -> None:
    assert len({reader.name for reader in READERS}) == len(READERS) == 8
    assert all(reader.title and reader.licence and reader.example for reader in READERS)
    assert reader_named("usgs") is usgs.READER
    with pytest.raises(InvalidInput, match="'x' is not a source: expected one of corpus, usgs"):
        reader_named("x")


def test_a_file_is_recognised_by_its_content(tmp_path: Path) -> None:
    files = {
        "corpus": CLAIM,
        "federal-register": json.dumps({"results": [RULE]}).encode(),
        "sheet": (POLICIES + GALLIUM).encode(),
    }
    for name, content in files.items():
        path = tmp_path / "some file"
        path.write_bytes(content)
        assert name_of(path) == name
    assert name_of(bgs_file(tmp_path, {})) == "bgs"
    path.write_bytes(b"")
    assert name_of(path) is None
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0")
    assert name_of(path) is None


def test_real_files_are_recognised(shared_data: Path) -> None:
    found = Counter(
        (path.parent.name, name_of(path))
        for path in shared_data.rglob("*")
        if path.is_file() and path.suffix in (".csv", ".json", ".jsonl")
    )
    expected = {
        ("data", None): 1,
        ("policy", "corpus"): 1,
        ("raw", "usgs"): 2,
        ("usgs_mcs2023", "usgs"): 35,
        ("usgs_mcs2024", "usgs"): 36,
        ("hs", None): 2,
        ("iea", "iea"): 1,
        ("baci", "baci"): 2,
    }
    assert {key: found[key] for key in expected} == expected
    assert name_of(corpus_format.SHIPPED_CORPUS.path) == "corpus"


def test_a_fact_that_the_log_can_not_hold_is_refused_before_it_comes_near() -> None:
    planned = corpus_format.parse_line(CLAIM)
    held = read_fact(SourceLocation(1), planned.stream, planned.fact, "a")
    assert held.planned.fact == planned.fact
    with pytest.raises(InvalidInput, match="expected an id of at most"):
        read_fact(SourceLocation(1), planned.stream, planned.fact, "a" * 181)


# --- the real files on the corpus that ships


async def test_the_real_editions_add_nothing_to_the_corpus(
    corpus_target: Target, shared_data: Path
) -> None:
    raw = shared_data / "raw"
    paths = [*sorted(raw.glob("usgs_*/*.csv")), *sorted(raw.glob("MCS*.csv"))]
    total: Counter[str] = Counter()
    for path in paths:
        receipt = (await import_file(corpus_target, usgs.READER, File.at(path))).receipt
        assert receipt.counts.items == sum(1 for _ in usgs.READER.read(File.at(path)))
        assert sum(reason.count for reason in receipt.reasons) == receipt.counts.refused
        total.update(
            {name: getattr(receipt.counts, name) for name in receipt.counts.__struct_fields__}
        )
    assert {name: count for name, count in total.items() if count} == {
        "unchanged": 13425,
        "refused": 1331,
    }


async def test_the_real_editions_restate_each_other(target: Target, shared_data: Path) -> None:
    raw = shared_data / "raw"
    first = await import_file(target, usgs.READER, File.at(raw / "MCS2025_World_Data.csv"))
    assert (first.receipt.counts.new, first.receipt.counts.restated) == (3114, 0)
    after = await import_file(target, usgs.READER, File.at(raw / "MCS2026_Commodities_Data.csv"))
    counts = after.receipt.counts
    assert (counts.new + counts.restated, counts.suspect) == (7234, 0)
    assert counts.restated > 1500
    assert after.receipt.reasons[0].count == counts.refused - sum(
        reason.count for reason in after.receipt.reasons[1:]
    )


async def test_a_lying_header_of_a_next_edition_is_suspect_not_fixed(
    target: Target, tmp_path: Path
) -> None:
    header = "Source,Country,Type,Prod_{}_2029,Prod_{}_est_2030\n"
    rows = "MCS{},China,Primary production,600000,700000\nMCS{},Japan,Primary production,3000,3000"
    for year, unit in ((2030, "kg"), (2031, "t")):
        path = tmp_path / f"mcs{year}-galli_world.csv"
        path.write_text(header.format(unit, unit) + rows.format(year, year))
        outcome = await import_file(target, usgs.READER, File.at(path))
    counts = outcome.receipt.counts
    assert (counts.restated, counts.suspect) == (4, 4)
    assert outcome.receipt.suspects[0].reason == "1,000 times the figure of MCS 2030, 600000 kg"


# --- the published schema of the corpus format


def test_the_schema_in_the_documentation_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == corpus_schema() + "\n", (
        "print it anew: tracker schema corpus > docs/corpus.schema.json"
    )


@each_case("kind", ["figures.figure", "evidence.watched_source"])
def test_the_schema_does_not_depend_on_what_a_program_imports_first(kind: str) -> None:
    program = f"import tracker.domain.{kind}; from {corpus_schema.__module__} import corpus_schema"
    told = subprocess.run(
        [sys.executable, "-c", f"{program}; print(corpus_schema())"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert told.stdout == SCHEMA.read_text(encoding="utf-8")


def test_the_schema_accepts_the_corpus() -> None:
    for line in list(shipped_lines())[::13]:
        assert accepts()(json.loads(line)), line


@each_case(
    ("old", "new"),
    [
        (b'"id":"c"', b'"id":""'),
        (b'"unit":"t",', b""),
        (b'"CN"', b'"ZZ"'),
        (b'"Figure.Claimed"', b'"Figure.Guessed"'),
        (b'"edition"', b'"version"'),
        (b'"2024-01-31"', b'"January"'),
        (b'"data"', b'"facts"'),
        (b'"rare_earths"', b'"rare earths"'),
    ],
)
def test_the_schema_refuses_what_the_format_refuses(old: bytes, new: bytes) -> None:
    assert accepts()(json.loads(CLAIM))
    assert accepts()(json.loads(SUSPENSION))
    bad = CLAIM.replace(old, new)
    assert bad != CLAIM
    assert not accepts()(json.loads(bad))
    with pytest.raises(InvalidInput):
        corpus_format.parse_line(bad)


def test_facts_have_their_type() -> None:
    assert isinstance(corpus_format.parse_line(CLAIM).fact, Fact)
