"""Croissant and CSVW: programs that know these read the tables with their types."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shlex
import subprocess
import sys
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.request import urlopen

import httpx2
import pytest

from tests.support.documents import block
from tests.support.libraries import csvw, mlcroissant

DOCUMENTED = "http://127.0.0.1:8000"


async def described(client: httpx2.AsyncClient) -> Any:
    """Return the dataset as the library reads it."""
    data = (await client.get("/croissant.json")).json()
    return mlcroissant.Dataset(jsonld=data)


async def test_the_description_has_no_errors_and_no_warnings(client: httpx2.AsyncClient) -> None:
    issues = (await described(client)).metadata.ctx.issues
    assert (issues.errors, issues.warnings) == (set(), set())


async def test_the_library_refuses_a_broken_description(client: httpx2.AsyncClient) -> None:
    data = (await client.get("/croissant.json")).json()
    data["recordSet"][0]["field"][0]["source"]["fileObject"]["@id"] = "nothing.csv"
    with pytest.raises(mlcroissant.ValidationError):
        mlcroissant.Dataset(jsonld=data)


async def test_the_records_are_the_rows_of_the_file_with_their_types(
    client: httpx2.AsyncClient,
) -> None:
    text = (await client.get("/tables/memberships.csv?header=none")).text
    rows = [*islice(csv.DictReader(io.StringIO(text)), 40)]
    dataset = await described(client)

    def first() -> list[dict[str, Any]]:
        return [*islice(dataset.records("memberships"), 40)]

    records = await asyncio.to_thread(first)
    assert [*records[0]] == [f"memberships/{name}" for name in rows[0]]
    for record, row in zip(records, rows, strict=True):
        assert record["memberships/allianceKey"].decode() == row["allianceKey"]
        assert record["memberships/placeCode"].decode() == row["placeCode"]
        assert record["memberships/from"].date().isoformat() == row["from"]


async def test_the_commands_of_the_documentation_work(client: httpx2.AsyncClient) -> None:
    text = block("docs/metadata.md", "sh", "catalog").replace(
        DOCUMENTED, str(client.base_url).rstrip("/")
    )
    await client.get("/tables/memberships.csv?header=none")  # its first answer takes longest

    def run(command: str) -> str:
        words = [sys.executable if one == "python" else one for one in shlex.split(command)]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    catalogue, record = [await asyncio.to_thread(run, one) for one in text.strip().split("\n")]
    assert json.loads(catalogue)["@type"] == "dcat:Catalog"
    assert "memberships/allianceKey" in record


async def test_columns_are_those_of_each_file(client: httpx2.AsyncClient) -> None:
    data = (await client.get("/croissant.json")).json()
    listed = {one["name"]: one for one in (await client.get("/tables")).json()["tables"]}
    files = {one["@id"]: one["contentUrl"] for one in data["distribution"]}
    assert len(data["recordSet"]) == len(files) > 15
    for records in data["recordSet"]:
        names = [field["source"]["extract"]["column"] for field in records["field"]]
        assert names == [column["name"] for column in listed[records["name"]]["columns"]]
        assert f"/tables/{records['name']}.csv" in files[f"{records['name']}.csv"]


@pytest.mark.parametrize("table", ["alliances", "memberships", "announcements"])
async def test_the_metadata_beside_a_csv_file_type_its_rows(
    client: httpx2.AsyncClient, table: str
) -> None:
    url = f"{client.base_url}/tables/{table}.csv-metadata.json?valid=2026-11-20"

    def read() -> list[dict[str, Any]]:
        assert json.load(urlopen(url))["tableSchema"]
        return [dict(row) for row in csvw.CSVW(url, validate=True).tables[0]]

    rows = await asyncio.to_thread(read)
    answer = (await client.get(f"/tables/{table}.json?valid=2026-11-20")).json()["rows"]
    assert len(rows) == len(answer) > 5
    for typed, row in zip(rows, answer, strict=True):
        assert [*typed] == [*row]
        for name, value in row.items():
            if isinstance(value, bool | int):
                assert typed[name] == value
            elif isinstance(typed[name], Decimal):
                assert typed[name] == Decimal(value)
