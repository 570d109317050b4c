"""Follow, cite and download at the top of pages; names in their fields."""

import csv
import io
import json
import re
from html import unescape

from schema.pages.site.name_fields import code_of, name_of
from tests.support.api import Api
from tests.support.cases import each_case
from tracker.corpus.shipped import SHIPPED_LOG, releases

HTML = {"accept": "text/html"}


async def test_the_clauses_of_a_list_can_be_downloaded_with_the_filters_of_the_list(
    corpus: Api,
) -> None:
    html = (await corpus.request("GET", "/controls?hsCode=8112&valid=2026-11-29")).text
    [link] = re.findall(r'href="(/tables/clauses\.csv\?[^"]*header=none)"', html)
    rows = list(
        csv.DictReader(io.StringIO((await corpus.request("GET", link.replace("&amp;", "&"))).text))
    )
    asked = await corpus.ask(
        '{ asOf(validAt: "2026-11-29") { exportControls(hsCode: "8112", first: 200)'
        " { edges { matchingClauses { key } } } } }"
    )
    edges = asked["asOf"]["exportControls"]["edges"]
    assert len(rows) == sum(len(edge["matchingClauses"]) for edge in edges) > 0
    assert {"status", "measure", "inForceFrom", "suspendedUntil"} <= rows[0].keys()


async def test_metadata_beside_a_csv_file_name_its_columns_date_and_licence(corpus: Api) -> None:
    given = "issuer=MW&valid=2026-11-29&position=10755"
    metadata = json.loads(
        (await corpus.request("GET", f"/tables/clauses.csv-metadata.json?{given}")).text
    )
    header = (await corpus.request("GET", f"/tables/clauses.csv?{given}&header=none")).text.split(
        "\r\n"
    )[0]
    assert [column["name"] for column in metadata["tableSchema"]["columns"]] == header.split(",")
    notes = {note["name"]: note["value"] for note in metadata["notes"]}
    assert notes["valid at"] == "2026-11-29"
    assert notes["position"] == "10755"
    assert "/tables/clauses.csv?" in notes["address"]
    assert metadata["dc:license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}
    assert "header=none" in metadata["url"]


async def test_a_citation_names_one_author_and_the_publishers_as_sources(corpus: Api) -> None:
    page = (await corpus.request("GET", "/controls/cn-mofcom-2024-46?valid=2026-11-29")).text
    html = unescape(page)
    product = "Critical-minerals policy tracker"
    assert f"author = {{{{{product}}}}}" in html
    assert f"AU  - {product}\n" in html
    assert html.count("AU  - ") == 1
    assert f'"author": [\n      {{\n        "literal": "{product}"' in html
    assert f"{product}: “" in html
    sources = re.findall(r"Sources: ([^\n]*?)\. As of 2026-11-29", html)
    assert len(sources) == 4
    assert all("Pakistan Today" in names for names in sources)
    assert all("China suspends part of control measures" not in names for names in sources)


async def test_compare_on_a_page_of_today_looks_back_a_month(corpus: Api) -> None:
    html = (await corpus.request("GET", "/controls")).text
    [compare] = re.findall(r'href="([^"]*)">Compare…', html)
    assert compare == "/changes"
    pinned = (await corpus.request("GET", "/controls?valid=2025-11-20&position=10755")).text
    [compare] = re.findall(r'href="([^"]*)">Compare…', pinned)
    assert compare == "/changes?valid=2025-11-20&amp;position=10755"  # without the present day


@each_case(
    ("parameter", "text", "code"),
    [
        ("place", "Japan", "JP"),
        ("place", "jp", "JP"),
        ("issuer", "United States", "US"),
        ("issuer", "quad", "quad"),
        ("commodity", "Rare earths", "rare_earths"),
        ("commodity", "rare_earths", "rare_earths"),
        ("toward", "Japan,US", "JP,US"),
        ("search", "Japan", "Japan"),
        ("place", "Atlantis", "Atlantis"),
        ("form", "Metal", "METAL"),
        ("form", "liquid", "liquid"),
    ],
)
def test_names_and_codes_mean_the_same(parameter: str, text: str, code: str) -> None:
    assert code_of(parameter, text) == code
    assert code_of(parameter, name_of(code)) == code


async def test_a_day_alone_means_all_of_it_in_a_range_of_recording(corpus: Api) -> None:
    last = "query Q($at: Position!) { asOf(position: $at) { events(last: 1) { nodes { recordedAt } } } }"
    counts: dict[str, int] = {}
    for release in releases(SHIPPED_LOG):
        [event] = (await corpus.ask(last, at=str(release.size)))["asOf"]["events"]["nodes"]
        day = event["recordedAt"][:10]
        html = (await corpus.request("GET", f"/events?recorded={day}", headers=HTML)).text
        [count] = re.findall(r'value="(\d+)" data-path="asOf.events.totalCount"', html)
        counts[day] = int(count)
    assert sum(counts.values()) == releases(SHIPPED_LOG)[-1].size


async def test_a_list_says_which_part_of_it_is_shown(corpus: Api) -> None:
    first = (await corpus.request("GET", "/controls?valid=2026-11-29")).text
    total = int(re.search(r'data-path="asOf.exportControls.totalCount">([\d,]+)', first)[1])  # type: ignore[index]
    assert f"<span>1–20 of {total} instruments</span>" in first
    [link] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = (await corpus.request("GET", link.replace("&amp;", "&"))).text
    assert f"<span>21–40 of {total} instruments</span>" in second
    assert "start=21" not in re.search(r'href="(/tables/controls.csv[^"]*)"', second)[1]  # type: ignore[index]
