"""Lines of tariffs in GraphQL, as a table and as a page: by code and commodity, retired and unknown codes."""

import csv
import io
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.tariff_lines import readings
from tracker.domain.figures.tariff import LineFact, LineWithdrawn
from tracker.domain.figures.tariff_edition import EditionRead

CODES = ("81129210", "81129260", "81129910", "85076000", "28469020")
AFTER = "2026-09-04"


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API on some lines of the shipped editions."""
    count = 0
    for one in readings():
        fact = one.fact
        if isinstance(fact, EditionRead) or (isinstance(fact, LineFact) and fact.code in CODES):
            assert one.stream
            await services.commands.record(one.stream, fact)
            count += 1
    await services.projector.reach(count)
    return Api(services)


async def line(api: Api, code: str, day: str = AFTER, of: str = "US") -> Any:
    """Return the response to a query for a line."""
    return await api.post(
        """query ($code: String!, $of: String!, $day: Day!) { asOf(validAt: $day) {
          tariffLine(code: $code, codeOf: $of) {
            edition text statement
            general { text percent amounts { dollars unit content } words }
            special { rate { text } programmes }
            column2 { text percent }
            printedProvisions { code column } retiredSuffixes suffixes { suffix }
          } } }""",
        code=code,
        of=of,
        day=day,
    )


async def test_a_line_is_found_by_8_and_10_digits(api: Api) -> None:
    for code in ("8112.92.10", "81129210", "8112.92.10.00"):
        found = (await line(api, code))["data"]["asOf"]["tariffLine"]
        assert found["general"] == {"text": "3%", "percent": "3", "amounts": [], "words": None}
        assert found["column2"] == {"text": "25%", "percent": "25"}
        assert found["text"].endswith("› Gallium")
        assert found["special"][0]["programmes"][:3] == ["A", "AU", "BH"]
        assert found["statement"] == "As printed on 8 June 2026; no later edition was read."
        assert found["printedProvisions"] == [
            {"code": "9903.88.03", "column": "general"},
            {"code": "9903.90.09", "column": "other"},
        ]


async def test_the_statement_of_a_line_tells_equal_prints_from_equal_rates(api: Api) -> None:
    gallium = (await line(api, "81129210", "2025-12-01"))["data"]["asOf"]["tariffLine"]
    assert gallium["statement"] == "As printed on 14 May 2025 and, unchanged, on 8 June 2026."
    battery = (await line(api, "85076000", "2025-12-01"))["data"]["asOf"]["tariffLine"]
    assert battery["edition"] == "2025-rev-15"
    assert battery["statement"].endswith("the edition of 8 June 2026 prints the same rates.")


@each_case(
    ("code", "day", "of", "error", "words"),
    [
        (
            "8507.60.00.20",
            AFTER,
            "US",
            "RETIRED_CODE",
            "8507.60.00.10, 8507.60.00.30 and 8507.60.00.90",
        ),
        ("8507.60.00.99", AFTER, "US", "NOT_FOUND", "the nearest codes are 8507.60.00.10"),
        ("8112.92.15", AFTER, "US", "NOT_FOUND", "the nearest codes are 8112.92.10"),
        ("8112.92", AFTER, "US", "LINE_REQUIRED", "8112.92 has 2 lines"),
        ("1001.10.00", AFTER, "US", "NOT_FOUND", "was read for this heading"),
        (
            "8112.92.10",
            "2025-01-01",
            "US",
            "NOT_FOUND",
            "the oldest edition that was read is of 14 May 2025",
        ),
        ("8112.92.10", AFTER, "CN", "NOT_FOUND", "no edition was read"),
        ("81x", AFTER, "US", "INVALID_HS_CODE", "4, 6, 8 or 10 digits"),
    ],
)
async def test_a_code_without_a_line_is_an_error_that_says_what_to_do(
    api: Api, code: str, day: str, of: str, error: str, words: str
) -> None:
    [refused] = (await line(api, code, day, of))["errors"]
    assert refused["extensions"]["code"] == error
    assert words in refused["message"]
    assert refused["path"] == ["asOf", "tariffLine"]


async def test_a_withdrawn_line_names_its_successors(api: Api, services: Services) -> None:
    of = next(one.fact for one in readings() if one.stream == "tariff-line/us/81129910")
    assert isinstance(of, LineFact)
    gone = LineWithdrawn(
        source=of.source,
        place=of.place,
        code=of.code,
        edition="2027-basic",
        successors=("81129915",),
    )
    await services.commands.record("tariff-line/us/81129910", gone)
    await services.projector.reach(await services.recorder.head())
    [refused] = (await line(api, "8112.99.10"))["errors"]
    assert refused["extensions"]["code"] == "RETIRED_CODE"
    assert "is not printed since the edition 2027-basic" in refused["message"]
    assert "8112.99.15" in refused["message"]


async def keys(api: Api, arguments: str, day: str = AFTER) -> list[str]:
    """Return the codes of a list of lines."""
    return [key.removeprefix("us/") for key in await api.keys("tariffLines", arguments, day)]


async def test_lines_are_listed_by_code_and_commodity(api: Api) -> None:
    assert await keys(api, 'code: "8112"') == ["81129210", "81129260", "81129910"]
    assert await keys(api, 'code: "8112.92"') == ["81129210", "81129260"]
    assert await keys(api, 'commodity: "rare_earths"') == ["28469020"]
    assert await keys(api, 'commodity: "gallium", code: "8112.92.10"') == ["81129210"]
    assert await keys(api, 'commodity: "rare_earths", code: "8112"') == []
    assert await keys(api, 'code: "8112"', "2025-01-01") == []


async def test_editions_say_which_chapters_were_read(api: Api) -> None:
    query = """query ($day: Day!) { asOf(validAt: $day) {
      tariffEditions { edition printedOn chapters sha256 } } }"""
    [old] = (await api.ask(query, day="2025-12-01"))["asOf"]["tariffEditions"]
    assert (old["edition"], old["printedOn"]) == ("2025-rev-15", "2025-05-14")
    assert "81" in old["chapters"]
    assert "8507" in old["chapters"]
    assert old["sha256"].startswith("83e5fc46")
    assert len((await api.ask(query, day=AFTER))["asOf"]["tariffEditions"]) == 2


async def test_changes_between_editions_are_changes_of_lines(api: Api) -> None:
    query = """query ($kind: EntityKind) {
      changes(from: {validAt: "2025-06-01"}, to: {validAt: "2026-07-01"}, kind: $kind) {
        nodes { entity fields { path before after } } } }"""
    found = (await api.ask(query, kind="TARIFF_LINE"))["changes"]["nodes"]
    assert [one["entity"] for one in found] == ["tariff-line/us/85076000"]
    paths = {one["path"][0] for one in found[0]["fields"]}
    assert {"suffixes", "footnotes", "retiredSuffixes"} <= paths
    assert not {"generalText", "specialText", "column2Text"} & paths
    default = (await api.ask(query))["changes"]["nodes"]
    assert {one["entity"] for one in default} == {"tariff-edition/us/2026-rev-10"}


async def test_the_table_has_a_row_per_line(api: Api) -> None:
    response = await api.request(
        "GET",
        "/tables/tariff-lines.csv",
        params={"valid": AFTER, "header": "false", "code": "8112"},
    )
    rows = [*csv.DictReader(io.StringIO(response.text))]
    assert next((row["code"], row["generalText"]) for row in rows) == ("81129210", "3%")
    assert rows[0]["provisions"] == "9903.88.03; 9903.90.09"


async def test_a_page_shows_the_rates_as_printed(api: Api) -> None:
    page = await api.request("GET", f"/tariffs/us/81129210?valid={AFTER}")
    assert page.status_code == 200
    for text in ("8112.92.10: Gallium", "As printed on 8 June 2026", "9903.88.03", "25%"):
        assert text in page.text
    unknown = await api.request("GET", "/tariffs/us/81129215", headers={"accept": "text/html"})
    assert unknown.status_code == 404
    assert "8112.92.10" in unknown.text


async def test_a_check_says_the_ordinary_duty_and_names_what_is_not_recorded(api: Api) -> None:
    query = """query ($shipment: ShipmentInput!) { asOf(validAt: "2026-09-04") { shipment(input: $shipment) {
      ordinaryDuty { low high text statement questions lines { code } } } } }"""

    async def duty(**fields: Any) -> Any:
        found = await api.ask(query, shipment={"origin": "CN", "destination": "US"} | fields)
        return found["asOf"]["shipment"]["ordinaryDuty"]

    gallium = await duty(hsCode="81129210", codeOf="US")
    assert (gallium["low"], gallium["high"]) == ("3", "3")
    assert gallium["text"] == "Ordinary duty: 3 % (general rate of 8112.92.10)."
    assert gallium["statement"] == "As printed on 8 June 2026; no later edition was read."
    [question] = gallium["questions"]
    assert "9903.88.03" in question
    six = await duty(hsCode="811292")
    assert [one["code"] for one in six["lines"]] == ["81129210", "81129260"]
    assert await duty(hsCode="811292", destination="DE") is None
    assert await duty(commodity="gallium") is None
    assert await duty(hsCode="10011900") is None


async def test_the_page_of_a_check_shows_the_ordinary_duty(api: Api) -> None:
    parameters = "hsCode=81129210&codeOf=US&origin=CN&destination=US"
    page = await api.request("GET", f"/check?{parameters}&valid={AFTER}")
    assert "Ordinary duty: 3 % (general rate of 8112.92.10)." in page.text
    assert "/tariffs/us/81129210" in page.text
