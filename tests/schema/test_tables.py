"""Tables as files: the same rows in every format, and the same as the API's lists."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from python_calamine import CalamineSheet, load_workbook

from schema.services import Access, Services
from schema.tables.openapi import describe_api
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.fact_builders import announced
from tests.support.libraries import jsonschema, openapi_spec_validator, openpyxl

MOMENT = {"valid": "2025-11-20"}
NEEDED = {
    "announcements": {"commodity": "gallium"},
    "clauses": {"issuer": "CN", "commodity": "gallium"},
    "controls": {"commodity": "gallium"},
    "supplies": {"commodity": "gallium"},
    "production": {"commodity": "rare_earths", "year": "2023"},
    "productions": {"commodities": "gallium,copper", "years": "2022..2024"},
    "reserves": {"commodity": "rare_earths"},
    "shares": {"commodities": "gallium", "years": "2022..2024", "group": "alliance:quad"},
    "exposure": {"commodity": "gallium"},
    "exposures": {"commodity": "gallium", "destinations": "US,DE"},
    "reliance": {"importer": "US", "commodity": "gallium"},
    "prices": {"commodity": "gallium", "figures": "MCS 2026"},
    "import-origins": {"importer": "US", "commodity": "gallium", "figures": "MCS 2026"},
    "import-exposure": {"importer": "US", "commodity": "gallium", "figures": "MCS 2026"},
    "changes": {"from": "2025-10-01"},
    "timeline": {"commodity": "gallium"},
    "clause-statuses": {"commodity": "gallium"},
    "transitions": {"commodity": "gallium"},
    "shipment-rules": {"commodity": "gallium", "origin": "CN", "destination": "US"},
    "claims": {"commodity": "gallium"},
    "revisions": {"commodity": "gallium"},
    "events": {"entity": "alliance/quad"},
    "facts": {"entity": "alliance/quad"},
    "search": {"text": "gallium"},
    "trade": {"commodity": "gallium", "valid": "2026-03-01"},
    "tariff-lines": {"commodity": "gallium"},
}
"""Parameters without which a table says nothing, or too much for a test."""
NAMES = """
    alliances announcements changes claims clause-counts clause-statuses clauses commodities
    controls coverages disputes editions events exposure exposures facts horizons import-exposure
    import-origins members memberships obligations places prices production productions reliance
    reserves revisions search shares shipment-rules sources supplies tariff-lines timeline trade
    transitions upcoming
"""
TABLES = NAMES.split()
UNRECORDED = {"sources"}
"""Tables without rows in the corpus: see test_watched_sources.py."""


@pytest.fixture
async def api(read_services: Services) -> AsyncIterator[Api]:
    """Run the API on the shipped corpus."""
    return Api(read_services, Access())


async def get(api: Api, file: str, **parameters: Any) -> Any:
    """Return a file of a table."""
    response = await api.request("GET", f"/tables/{file}", params=MOMENT | parameters)
    assert response.status_code == 200, response.text[:500]
    return response


async def csv_rows(api: Api, name: str, **parameters: Any) -> list[dict[str, str]]:
    """Return the rows of a table's CSV file."""
    response = await get(api, f"{name}.csv", header="false", **parameters)
    return list(csv.DictReader(io.StringIO(response.text)))


def sheets_of(file: bytes) -> list[CalamineSheet]:
    """Return the sheets of a workbook."""
    book = load_workbook(io.BytesIO(file))
    return [book.get_sheet_by_index(number) for number in range(len(book.sheet_names))]


async def test_every_table_has_the_same_rows_and_says_whence_in_every_format(api: Api) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    index = (await api.request("GET", "/tables")).json()["tables"]
    assert [one["name"] for one in index] == TABLES
    ask = "query ($day: Day!) { asOf(validAt: $day) { position validAt digest knownAt } }"
    days = {MOMENT["valid"], *(one["valid"] for one in NEEDED.values() if "valid" in one)}
    moments = {day: (await api.ask(ask, day=day))["asOf"] for day in days}
    for name in sorted({*TABLES} - UNRECORDED):
        narrowed = NEEDED.get(name, {})
        whole = (await get(api, f"{name}.json", **narrowed)).json()
        rows, about = whole["rows"], whole["about"]
        assert rows, name
        headers = [{key.replace("_", " "): text for key, text in about.items()}]
        text = (await get(api, f"{name}.csv", **narrowed)).text.splitlines()
        lines = [line.removeprefix("# ") for line in text if line.startswith("# ")]
        headers.append(dict(line.split(": ", 1) for line in lines))
        assert len([*csv.DictReader(text[len(lines) :])]) == len(rows)
        file = (await get(api, f"{name}.xlsx", **narrowed)).content
        sheet, header = (part.to_python() for part in sheets_of(file))
        assert sheet[0] == list(rows[0])
        assert len(sheet) == 1 + len(rows)
        headers.append({str(key): str(text) for key, text in header})
        file = (await get(api, f"{name}.parquet", **narrowed)).content
        typed = parquet.read_table(io.BytesIO(file))
        assert typed.column_names == list(rows[0])
        assert typed.num_rows == len(rows)
        metadata = typed.schema.metadata
        headers.append({key.decode(): text.decode() for key, text in metadata.items()})
        for said in headers:
            check_header(said, name, moments[(MOMENT | narrowed)["valid"]])


def check_header(said: dict[str, str], name: str, moment: dict[str, str]) -> None:
    """Check that the header of a file has its table, moment, digest, licence, and citation."""
    assert said["table"].startswith(f"{name}: ")
    assert (said["valid at"], said["position"]) == (moment["validAt"], moment["position"])
    assert (said["known at"], said["digest"]) == (moment["knownAt"], f"sha256 {moment['digest']}")
    assert said["licence"] == "CC-BY-4.0 (https://creativecommons.org/licenses/by/4.0/)"
    for part in (name, moment["validAt"], moment["position"], moment["digest"][:16]):
        assert part in said["cite"]
    assert f"<{said['address']}>" in said["cite"]
    query = parse_qs(urlsplit(said["address"]).query)
    assert query["valid"] == [moment["validAt"]]
    assert query["position"] == [moment["position"]]


async def test_a_table_goes_on_over_all_pages_of_its_list(api: Api) -> None:
    document = """query ($after: String) { asOf(validAt: "2025-11-20") {
        claims(commodity: "rare_earths", publisher: "usgs", first: 200, after: $after) {
          pageInfo { hasNextPage endCursor } nodes { figure edition value unit } } } }"""
    expected = await api.nodes(document)
    assert len(expected) > 100
    rows = await csv_rows(api, "claims", commodity="rare_earths", publisher="usgs")
    assert [
        {"figure": row["figure"], "edition": row["edition"], "value": row["value"] or None}
        | {"unit": row["unit"]}
        for row in rows
    ] == expected


async def test_only_clauses_that_match_are_rows(api: Api) -> None:
    """An act about graphite and gallium has only its graphite clauses in a table about graphite."""
    narrowed = {
        "valid": "2025-03-01",
        "issuer": "CN",
        "destination": "US",
        "commodity": "natural_graphite",
        "covers": "GOODS",
        "status": "IN_FORCE",
    }
    rows = await csv_rows(api, "clauses", **narrowed)
    edges = (
        await api.ask(
            """{ asOf(validAt: "2025-03-01") { exportControls(issuer: "CN", destination: "US",
            commodity: "natural_graphite", covers: GOODS, status: IN_FORCE) {
            edges { node { key } matchingClauses { key } } } } }"""
        )
    )["asOf"]["exportControls"]["edges"]
    expected = [
        (edge["node"]["key"], clause["key"]) for edge in edges for clause in edge["matchingClauses"]
    ]
    assert [(row["control"], row["clause"]) for row in rows] == expected
    assert ("cn-mofcom-2024-46", "2-graphite") in expected
    assert ("cn-mofcom-2024-46", "2") not in expected


async def test_lists_by_form_place_and_firm_are_tables_too(api: Api) -> None:
    for narrowed in (
        {"origin": "CL", "commodity": "copper", "status": "RECOMMENDED"},
        {"form": "METAL", "commodity": "indium", "issuer": "CN"},
        {"firm": "mitsubishi-materials", "valid": "2026-03-01"},
    ):
        rows = await csv_rows(api, "clauses", **narrowed)
        controls = await csv_rows(api, "controls", **narrowed)
        assert {row["control"] for row in rows} == {row["key"] for row in controls}
        assert 0 < len(rows) < 30


async def test_a_file_says_on_what_a_status_rests_and_for_whom_it_is_otherwise(api: Api) -> None:
    """A clause in force again by its terms is not shown as reinstated by an act."""
    [row] = await csv_rows(
        api,
        "clauses",
        search="57/2025",
        issuer="CN",
        commodity="europium",
        form="METAL",
        valid="2026-11-26",
    )
    assert (row["status"], row["assumed"]) == ("IN_FORCE", "AUTOMATIC_RETURN")
    assert (row["statusSince"], row["end"]) == ("2026-11-11", "")
    suspension = {"entity": "export-control/cn-mofcom-2025-57", "types": "ExportControl.Suspended"}
    [event] = await csv_rows(api, "events", **suspension)
    assert row["statusPosition"] == event["position"]
    metal = {"search": "232 aluminium", "form": "METAL", "valid": "2026-11-26"}
    [tariff] = await csv_rows(api, "clauses", status="IN_FORCE", **metal)
    assert (tariff["ratePercent"], tariff["exceptionPlaces"]) == ("50", "RU; GB")


async def test_upcoming_changes_have_the_columns_of_transitions(api: Api) -> None:
    """It includes the basis: changes by terms alone may have been postponed."""
    narrowed = {"commodity": "gallium", "valid": "2026-11-01"}
    coming = await csv_rows(api, "upcoming", days="60", **narrowed)
    between = "2026-11-02..2026-12-31"
    assert coming == await csv_rows(api, "transitions", between=between, **narrowed)
    assert {row["basis"] for row in coming} == {"TERMS"}


async def test_clauses_over_a_supply_stand_beside_their_controls(api: Api) -> None:
    """A clause alone is named "1", which has no meaning without its control."""
    [row] = await csv_rows(api, "exposure", commodity="gallium", issuer="CN", destination="US")
    controls, clauses, full = (
        row[name].split("; ") for name in ("inForceControl", "inForce", "inForceFull")
    )
    found = {(key, id): reach for key, id, reach in zip(controls, clauses, full, strict=True)}
    assert found[("cn-mofcom-2024-51", "gallium")] == "true"
    assert found[("cn-mofcom-2024-46", "1")] == "false"
    suspended = zip(row["suspendedControl"].split("; "), row["suspended"].split("; "), strict=True)
    assert ("cn-mofcom-2024-46", "2") in suspended


async def test_a_clause_is_a_row_with_the_words_of_its_control(api: Api) -> None:
    rows = await csv_rows(api, "clauses", search="46/2024", issuer="CN")
    [instrument] = (
        await api.ask(
            """{ asOf(validAt: "2025-11-20") { exportControls(search: "46/2024", issuer: "CN") {
            nodes { key title clauses { key status commodities { key } } } } } }"""
        )
    )["asOf"]["exportControls"]["nodes"]
    assert [
        (row["control"], row["title"], row["clause"], row["status"], row["commodities"])
        for row in rows
    ] == [
        (
            instrument["key"],
            instrument["title"],
            clause["key"],
            clause["status"],
            "; ".join(one["key"] for one in clause["commodities"]),
        )
        for clause in instrument["clauses"]
    ]


async def test_a_file_names_its_moment_and_gives_itself_again(api: Api) -> None:
    first = await get(api, "controls.csv", commodity="gallium")
    lines = [line for line in first.text.splitlines() if line.startswith("# ")]
    said = dict(line.removeprefix("# ").split(": ", 1) for line in lines)
    about = (await api.ask('{ asOf(validAt: "2025-11-20") { position validAt digest knownAt } }'))[
        "asOf"
    ]
    check_header(said, "controls", about)
    assert '<https://creativecommons.org/licenses/by/4.0/>; rel="license"' in first.headers["link"]
    again = await api.request("GET", said["address"])
    assert again.text == first.text
    assert "immutable" in again.headers["cache-control"]
    assert "immutable" not in first.headers["cache-control"]


async def test_the_share_of_a_group_is_a_row_for_each_commodity_and_year(api: Api) -> None:
    document = """query ($of: GroupInput!) { asOf(validAt: "2025-11-20") {
        productions(commodities: ["rare_earths", "gallium"], years: {from: 2022, to: 2023}) {
          commodity { key } year share(of: $of) { share shareAtMost missing { place { code } } } } } }"""
    asked = {"commodities": "rare_earths,gallium", "years": "2022..2023"}
    for group, given in (
        ("alliance:quad", {"alliance": "quad"}),
        ("places:EU,JP", {"places": ["EU", "JP"]}),
        ("allBut:CN,US", {"allBut": ["CN", "US"]}),
    ):
        rows = await csv_rows(api, "shares", group=group, **asked)
        told = (await api.ask(document, of=given))["asOf"]["productions"]
        assert [
            (row["commodity"], row["year"], row["groupShare"], row["groupMissing"]) for row in rows
        ] == [
            (
                of["commodity"]["key"],
                str(of["year"]),
                of["share"]["share"] or "",
                "; ".join(one["place"]["code"] for one in of["share"]["missing"]),
            )
            for of in told
        ]


async def test_text_of_others_is_not_a_formula_in_a_spreadsheet(services: Services) -> None:
    wicked = '=HYPERLINK("http://example.org")'
    recorded = await services.commands.record("export-control/a", announced(title=wicked))
    await services.projector.reach(recorded.positions[-1])
    api = Api(services, Access())
    [row] = await csv_rows(api, "controls", valid="2030-01-01")
    assert row["title"] == "'" + wicked
    file = await get(api, "controls.xlsx", valid="2030-01-01")
    sheet = openpyxl.load_workbook(io.BytesIO(file.content)).worksheets[0]
    column = [cell.value for cell in sheet[1]].index("title") + 1
    assert sheet.cell(2, column).value == "'" + wicked
    assert sheet.cell(2, column).data_type == "s"


async def test_a_sheet_keeps_its_header_in_sight_and_its_columns_fit_their_texts(api: Api) -> None:
    file = await get(api, "controls.xlsx", commodity="gallium", valid="2026-11-29")
    sheet = openpyxl.load_workbook(io.BytesIO(file.content)).worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.max_row > 1
    spans = [(one.min, one.max, one.width) for one in sheet.column_dimensions.values()]
    for column in sheet.iter_cols():
        longest = max(len(str(one.value)) for one in column if one.value is not None)
        [width] = [width for first, last, width in spans if first <= column[0].column <= last]
        assert min(longest, 60) <= width <= min(longest, 60) + 3, column[0].value


@pytest.mark.parametrize("title", ["Rule #5 of MOFCOM", "#5", 'Rule "#5", of MOFCOM', "Rule 5"])
async def test_programs_that_skip_comments_read_whole_rows(
    services: Services, tmp_path: Path, title: str
) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    recorded = await services.commands.record("export-control/a", announced(title=title))
    await services.projector.reach(recorded.positions[-1])
    api = Api(services, Access())
    path = tmp_path / "clauses.csv"
    path.write_bytes((await get(api, "clauses.csv", valid="2030-01-01")).content)
    found = duckdb.sql(f"SELECT * FROM read_csv('{path}', comment = '#', all_varchar = true)")
    [values] = found.fetchall()
    row = dict(zip(found.columns, values, strict=True))
    [expected] = (await get(api, "clauses.json", valid="2030-01-01")).json()["rows"]
    assert row.keys() == expected.keys()
    for name in ("title", "status", "statusPosition"):
        assert row[name] == expected[name]
    assert expected["title"] == title


SHARES = "/tables/shares.csv?commodities=tin&years=2023&group="


@each_case(
    ("path", "status", "code", "field"),
    [
        ("/tables/nothing.csv", 404, "NOT_FOUND", None),
        ("/tables/controls.doc", 404, "NOT_FOUND", None),
        ("/tables/controls.csv?colour=red", 400, "BAD_REQUEST", ["colour"]),
        ("/tables/controls.csv?status=FORBIDDEN", 400, "INVALID_INPUT", ["status"]),
        ("/tables/controls.csv?commodity=unobtainium", 400, "UNKNOWN_COMMODITY", ["commodity"]),
        ("/tables/controls.csv?valid=yesterday", 400, "INVALID_DATE", ["validAt"]),
        ("/tables/controls.csv?position=99", 400, "POSITION_AHEAD", ["position"]),
        ("/tables/controls.csv?issuer=CN&issuer=US", 400, "BAD_REQUEST", ["issuer"]),
        ("/tables/productions.csv?commodities=gallium", 400, "BAD_REQUEST", ["years"]),
        ("/tables/production.csv?commodity=gallium&year=x", 400, "INVALID_INPUT", ["year"]),
        ("/tables/claims.csv?years=2020..x", 400, "INVALID_INPUT", ["years"]),
        (SHARES + "quad", 400, "INVALID_INPUT", ["group"]),
        (SHARES + "union:EU", 400, "INVALID_INPUT", ["group"]),
        ("/tables/claims.csv?verified=maybe", 400, "INVALID_INPUT", ["verified"]),
    ],
)
async def test_a_bad_address_is_told_what_was_expected(
    services: Services, path: str, status: int, code: str, field: list[str] | None
) -> None:
    response = await Api(services, Access()).request("GET", path)
    assert response.status_code == status, response.text
    [error] = response.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"].get("path")) == (code, field)


async def test_tables_take_a_token_where_reading_does(services: Services) -> None:
    closed = Api(services, Access(read_open=False))
    for path in ("/tables", "/tables/controls.csv", "/openapi.json"):
        assert (await closed.request("GET", path)).status_code == 401


async def test_the_openapi_description_is_valid_and_its_rows_are_so(api: Api) -> None:
    described = (await api.request("GET", "/openapi.json")).json()
    # The files of a table differ by their content type alone: one table in all formats, the others as JSON.
    paths = {
        path: routes
        for path, routes in described["paths"].items()
        if path.endswith(".json") or "/controls." in path or "." not in path
    }
    assert len(TABLES) < len(paths) < len(described["paths"])
    openapi_spec_validator.validate(described | {"paths": paths})
    for name in ("clauses", "announcements", "production"):
        rows = (await get(api, f"{name}.json", **NEEDED.get(name, {}))).json()["rows"]
        jsonschema.validate(rows[0], described["components"]["schemas"][name])


@pytest.mark.parametrize(
    ("access", "path", "status"),
    [
        (Access(), "/tables/controls.csv?status=FORBIDDEN", 400),
        (Access(), "/tables/controls.csv?colour=red", 400),
        (Access(read_open=False), "/tables/controls.csv", 401),
        (Access(rate=0.001), "/tables/controls.csv", 429),
    ],
)
async def test_refusals_of_tables_are_described(
    services: Services, access: Access, path: str, status: int
) -> None:
    described = describe_api()
    operation = described["paths"][path.partition("?")[0]]["get"]
    reference = operation["responses"][str(status)]["$ref"]
    response = described["components"]["responses"][reference.rpartition("/")[2]]
    assert response["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Error"
    }
    api = Api(services, access)
    for _ in range(20):
        answer = await api.request("GET", path)
        if answer.status_code != 200:
            break
    assert answer.status_code == status
    jsonschema.validate(answer.json(), described["components"]["schemas"]["Error"])


async def test_the_openapi_description_names_its_server_and_each_kind_of_refusal(api: Api) -> None:
    described = (await api.request("GET", "/openapi.json")).json()
    [server] = described["servers"]
    assert urljoin("http://example.org/openapi.json", server["url"]) == "http://example.org/"
    for path in described["paths"].values():
        assert {"400", "401", "429", "503"} <= path["get"]["responses"].keys()


async def test_an_empty_table_still_has_its_columns(services: Services) -> None:
    api = Api(services, Access())
    text = (await get(api, "clauses.csv", header="false")).text
    assert text.startswith("control,issuer,direction,title")
    assert len(text.splitlines()) == 1
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    file = (await get(api, "clauses.parquet")).content
    assert parquet.read_table(io.BytesIO(file)).num_rows == 0
