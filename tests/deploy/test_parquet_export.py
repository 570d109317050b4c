"""A snapshot as Parquet: every version on both axes, read with DuckDB.

The command and the documented line for DuckDB are run by `tests/test_readme.py`.
"""

import hashlib
import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import pytest_asyncio
from pyarrow import parquet  # type: ignore[import-untyped]
from rich.console import Console

from deploy.cli.process import Exit
from deploy.export.parquet_export import FILES, SnapshotMoment, export_parquet
from projections.query.moment import Moment
from schema.services import Services
from tests.support.api import Api
from tests.support.fact_builders import announced, fact
from tests.support.processes import command
from tracker.domain.actors.alliance import Founded, Renamed
from tracker.domain.events.registry import STATES
from tracker.errors import InvalidInput

QUIET = Console(quiet=True)
AT = """known_from <= {position} AND coalesce(known_until, {position}) >= {position}
    AND DATE '{day}' BETWEEN valid_from AND coalesce(valid_until, 'infinity')"""
DIGEST = """SELECT sha256(string_agg(
    '{"entity":"' || entity || '","state":' || state || '}' || chr(10), '' ORDER BY entity))
    FROM read_parquet('%s/*.parquet', union_by_name = true) WHERE """


def ask(query: str) -> list[Any]:
    """Return the rows of a DuckDB result."""
    return duckdb.sql(query).fetchall()


def microseconds(time: datetime | None) -> int | None:
    """Return a time in DuckDB's unit."""
    return None if time is None else round(time.timestamp() * 1_000_000)


def at(day: date | str, position: int) -> str:
    """Return the condition for the versions at a moment."""
    return AT.format(day=day, position=position)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def whole(
    read_services: Services, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, SnapshotMoment]:
    """Export the whole corpus, for tests that only read its files."""
    directory = tmp_path_factory.mktemp("whole")
    return directory, await export_parquet(read_services, None, directory, QUIET)


async def test_any_moment_can_be_asked_of_the_files_and_has_the_digest_of_the_api(
    corpus_services: Services, tmp_path: Path
) -> None:
    await corpus_services.commands.record("export-control/late", announced(on="2025-01-01"))
    head = await corpus_services.recorder.head()
    await corpus_services.projector.reach(head)
    snapshot = await export_parquet(corpus_services, None, tmp_path, QUIET)
    assert snapshot.position == head
    for day, position in (
        ("2025-11-20", head),
        ("2024-06-01", head),
        ("2026-11-28", head - 600),
        ("2025-11-20", 1500),
        ("1990-01-01", head),
    ):
        expected = await corpus_services.as_of.digest(Moment(date.fromisoformat(day), position))
        empty = hashlib.sha256().hexdigest()
        [(found,)] = ask(DIGEST % tmp_path + at(day, position))
        assert (found or empty) == expected, (day, position)


async def test_the_columns_say_what_the_api_says(
    read_services: Services, whole: tuple[Path, SnapshotMoment]
) -> None:
    directory, position = whole[0], whole[1].position
    data = await Api(read_services).ask(
        """{ asOf(validAt: "2025-11-20") {
        clauses: exportControl(id: "cn-mofcom-2024-46") {
            title because { position }
            clauses { key measure status suspendedUntil commodities { key } } }
        alliance(id: "quad") { name foundedOn members { place { code } role } }
        figure(id: "rare_earths/CN/production/mine/2023") {
            claims { publisher edition value unit basis position } } } }"""
    )
    control, alliance, figure = (data["asOf"][key] for key in ("clauses", "alliance", "figure"))
    holds = at("2025-11-20", position)
    [(title, because, clauses)] = ask(
        f"SELECT title, because, clauses FROM '{directory}/export_controls.parquet'"
        f" WHERE key = 'cn-mofcom-2024-46' AND {holds}"
    )
    assert title == control["title"]
    assert because == [int(fact["position"]) for fact in control["because"]]
    assert [
        {"key": of["id"], "measure": of["measure"], "status": of["status"]}
        | {"suspendedUntil": of["suspended_until"]}
        | {"commodities": [{"key": key} for key in of["commodities"]]}
        for of in clauses
    ] == control["clauses"]
    [(name, founded, members)] = ask(
        f"SELECT name, founded_on, members FROM '{directory}/alliances.parquet'"
        f" WHERE key = 'quad' AND {holds}"
    )
    assert (name, founded) == (alliance["name"], alliance["foundedOn"])
    assert [{"place": {"code": of["place"]}, "role": of["role"]} for of in members] == alliance[
        "members"
    ]
    [(commodity, period, claims)] = ask(
        f"SELECT commodity, period, claims FROM '{directory}/figures.parquet'"
        f" WHERE key = 'rare_earths/CN/production/mine/2023' AND {holds}"
    )
    assert (commodity, period) == ("rare_earths", 2023)
    assert [
        (of["source"]["publisher"], of["edition"], of["value"], of["unit"], of["basis"])
        for of in claims
    ] == [
        (of["publisher"], of["edition"], float(of["value"]), of["unit"], of["basis"])
        for of in figure["claims"]
    ]
    assert [str(of["position"]) for of in claims] == [of["position"] for of in figure["claims"]]


async def test_versions_are_those_of_the_history_each_once(
    corpus_services: Services, tmp_path: Path
) -> None:
    for number in range(40):  # enough for a new generation of rows
        day = date(2025, 1, 1) + timedelta(number)
        await corpus_services.commands.record(
            "alliance/busy",
            fact(Renamed if number else Founded, day.isoformat(), name=f"Name {number}"),
        )
    head = await corpus_services.recorder.head()
    await corpus_services.projector.reach(head)
    await export_parquet(corpus_services, None, tmp_path, QUIET)
    for entity, file in (
        ("alliance/busy", "alliances"),
        ("export-control/cn-mofcom-2024-46", "export_controls"),
        ("figure/rare_earths/CN/production/mine/2023", "figures"),
    ):
        expected = await corpus_services.as_of.histories.page(entity)
        found = ask(
            "SELECT valid_from, valid_until, known_from, known_until,"
            f" epoch_us(recorded_at), epoch_us(replaced_at) FROM '{tmp_path}/{file}.parquet'"
            f" WHERE entity = '{entity}' ORDER BY known_from, valid_from"
        )
        assert found == [
            (
                *(row.valid_from, row.valid_until, row.known_from, row.known_until),
                *(microseconds(row.recorded_at), microseconds(row.replaced_at)),
            )
            for row in sorted(expected, key=lambda row: (row.known_from, row.valid_from))
        ]


async def test_files_of_an_earlier_position_say_nothing_of_what_came_later(
    read_services: Services, whole: tuple[Path, SnapshotMoment], tmp_path: Path
) -> None:
    head, directory = await read_services.recorder.head(), whole[0]
    await export_parquet(read_services, 1500, tmp_path, QUIET)
    for name in FILES.values():
        columns = "entity, valid_from, valid_until, known_from, state, known_until, replaced_at"
        later = (
            "entity, valid_from, valid_until, known_from, state,"
            " CASE WHEN known_until < 1500 THEN known_until END,"
            " CASE WHEN known_until < 1500 THEN replaced_at END"
        )
        assert ask(f"SELECT {columns} FROM '{tmp_path}/{name}.parquet' ORDER BY ALL") == ask(
            f"SELECT {later} FROM '{directory}/{name}.parquet' WHERE known_from <= 1500 ORDER BY ALL"
        )
    [(last,)] = ask(f"SELECT max(known_from) FROM '{tmp_path}/*.parquet'")
    assert last == 1500 < head


async def test_every_file_and_the_manifest_name_position_digest_licence_and_how_to_cite(
    read_services: Services, whole: tuple[Path, SnapshotMoment]
) -> None:
    directory, snapshot = whole
    manifest = json.loads((directory / "manifest.json").read_text())
    digest = await read_services.as_of.digest(snapshot.moment)
    assert (manifest["position"], manifest["digest"]) == (
        str(snapshot.position),
        f"sha256 {digest}",
    )
    assert [file["name"] for file in manifest["files"]] == [
        f"{FILES[kind]}.parquet" for kind in STATES
    ]
    for file in manifest["files"]:
        path = directory / file["name"]
        assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        written = parquet.ParquetFile(path)
        assert (file["rows"], file["bytes"]) == (written.metadata.num_rows, path.stat().st_size)
        assert list(file["columns"]) == written.schema_arrow.names
        said = {
            key.decode(): value.decode() for key, value in written.schema_arrow.metadata.items()
        }
        for name in ("position", "known_at", "digest", "digest_valid_at", "licence", "cite"):
            assert said[name] == manifest[name]
        assert digest[:16] in said["cite"]
        assert "creativecommons.org" in said["licence"]
    readme = (directory / "README.md").read_text()
    queries = re.findall(r"(?m)^    SELECT .*(?:\n    .*)*", readme)
    clauses, digests = (query.replace("'*.", f"'{directory}/*.") for query in queries)
    assert ask(digests) == [(digest,)]
    assert len(ask(clauses.replace("'export_", f"'{directory}/export_"))) > 100


async def test_the_same_position_gives_the_same_files_and_takes_the_place_of_older_ones(
    read_services: Services, whole: tuple[Path, SnapshotMoment], tmp_path: Path
) -> None:
    directory, position = whole[0], await read_services.recorder.head()
    await export_parquet(read_services, 1500, tmp_path, QUIET)
    await export_parquet(read_services, position, tmp_path, QUIET)
    names = {path.name for path in directory.iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (directory / name).read_bytes(), name


async def test_an_empty_log_makes_empty_files_with_all_columns(
    services: Services, tmp_path: Path
) -> None:
    await export_parquet(services, None, tmp_path, QUIET)
    for name in FILES.values():
        file = parquet.read_table(tmp_path / f"{name}.parquet")
        assert file.num_rows == 0
        assert {"entity", "valid_from", "known_until", "state"} <= set(file.column_names)


async def test_the_document_names_every_file(services: Services, tmp_path: Path) -> None:
    await export_parquet(services, None, tmp_path, QUIET)
    page = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")
    listed = page.partition("**A file a kind**: ")[2].partition(". ")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == {file.stem for file in tmp_path.glob("*.parquet")}


async def test_a_file_is_written_a_group_of_rows_at_a_time(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        await services.commands.record(f"export-control/{number}", announced(on="2025-01-01"))
    await services.projector.reach(10)
    for limit in ({"ROWS_PER_GROUP": 3}, {"BYTES_PER_GROUP": 1}):
        for name, value in limit.items():
            monkeypatch.setattr(f"deploy.export.parquet_export.{name}", value)
        await export_parquet(services, None, tmp_path, QUIET)
        file = parquet.ParquetFile(tmp_path / "export_controls.parquet")
        groups = range(file.metadata.num_row_groups)
        sizes = [file.metadata.row_group(number).num_rows for number in groups]
        assert sizes == ([3, 3, 3, 1] if "ROWS_PER_GROUP" in limit else [1] * 10)
        assert file.read()["key"].to_pylist() == [str(number) for number in range(10)]


async def test_a_directory_with_something_else_in_it_is_left_alone(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "checkpoint").write_text("a bundle")
    with pytest.raises(InvalidInput) as caught:
        await export_parquet(services, None, tmp_path, QUIET)
    assert caught.value.code == "NOT_EMPTY"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    (tmp_path / "checkpoint").rename(tmp_path / "README.md")
    for manifest in ('{"name": "a web app"}', "[]", "{"):
        (tmp_path / "manifest.json").write_text(manifest)
        with pytest.raises(InvalidInput):
            await export_parquet(services, None, tmp_path, QUIET)
        assert (tmp_path / "README.md").read_text() == "a bundle"
    with pytest.raises(InvalidInput) as caught:
        await export_parquet(services, 5, tmp_path / "new", QUIET)
    assert caught.value.code == "POSITION_AHEAD"
    assert not (tmp_path / "new").exists()


async def test_a_failure_midway_leaves_the_older_files(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await export_parquet(services, None, tmp_path, QUIET)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    await services.commands.record("export-control/a", announced())
    await services.projector.reach(1)
    monkeypatch.setattr("deploy.export.parquet_export.snapshot_readme", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await export_parquet(services, None, tmp_path, QUIET)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


# --- as a command


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--parquet", "--from", "x"), "no option of bundles"),
        (("--position", "5"), "expected --parquet"),
    ],
)
def test_options_of_bundles_and_of_snapshots_do_not_mix(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    result = command("export", str(tmp_path / "x"), *options, data_dir=tmp_path / "data")
    assert (result.returncode, said in result.stderr) == (Exit.USAGE, True), result.stderr
