"""Checks of shipments over the API, and files of them."""

import csv
from typing import Any

import pytest

from schema.inputs.shipment import shipment_of_texts
from schema.services import Access, Services
from schema.tables.shipment_file import COLUMNS, MAX_BYTES, MAX_LINES, RESULT_COLUMNS
from tests.support.api import Api
from tests.support.cases import each_case
from tracker.errors import InvalidInput

DAY = "2025-12-01"
SHIPMENTS = [
    {"commodity": "tungsten", "hsCode": "2849.90", "origin": "CN", "destination": "DE"},
    {"hsCode": "850511", "origin": "CN", "destination": "US"},
    {"commodity": "gallium", "form": "METAL", "origin": "CN", "destination": "US"},
    {"commodity": "cobalt", "origin": "CD", "destination": "BR"},
    {"hsCode": "760110", "origin": "RU", "destination": "US"},
    {"commodity": "lithium"},
]
CHECK = """
query ($day: Day!, $input: ShipmentInput!) {
  asOf(validAt: $day) {
    shipment(input: $input) {
      verdicts {
        kind direction place { code } match obligation
        clause {
          reasons exceptions kind control { key } clause { key status } firstDay lastDay
          sources { citation }
        }
        legalBases { control { key } clause { key } }
        completeness { level statement }
        question { id field }
      }
      notInForce { control { key } clause { key status } firstDay }
      exportDuties { ...Duties }
      importDuties { ...Duties }
      openQuestions { id text field clauses { control { key } } }
      upcoming { day entity clause }
      completeness { direction place { code } completeness { level statement } }
      newestActs { issuer newestFactOn }
      assumptions
      disclaimer
    }
  }
}
fragment Duties on DutyTotal { low high steps { text low high } remarks lines { clause { kind } } }
"""
LISTED = """
query ($day: Day!, $commodity: String, $hsCode: String, $form: Form, $origin: String, $to: String) {
  asOf(validAt: $day) {
    exportControls(
      first: 200, commodity: $commodity, hsCode: $hsCode, form: $form, origin: $origin, destination: $to
    ) { totalCount edges { matchingClauses { key status covers territory } node { key direction } } }
  }
}
"""


async def check(api: Api, shipment: dict[str, Any], day: str = DAY) -> dict[str, Any]:
    """Return the check of a shipment."""
    answer = await api.ask(CHECK, day=day, input=shipment)
    return dict(answer["asOf"]["shipment"])


def keys(clauses: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return the keys of clauses with their controls."""
    return {(one["control"]["key"], one["clause"]["key"]) for one in clauses}


async def test_the_clauses_are_those_of_the_list_for_the_same_filters(
    read_services: Services,
) -> None:
    api = Api(read_services)
    for shipment in SHIPMENTS[:5]:
        found = await check(api, {**shipment, "contents": []})
        filters = {name: shipment.get(name) for name in ("commodity", "hsCode", "form", "origin")}
        answer = await api.ask(LISTED, day=DAY, to=shipment["destination"], **filters)
        listed = answer["asOf"]["exportControls"]
        assert listed["totalCount"] <= 200
        expected = {
            (edge["node"]["key"], clause["key"])
            for edge in listed["edges"]
            for clause in edge["matchingClauses"]
            if edge["node"]["direction"] != "PRODUCTION"
            if clause["status"] in ("IN_FORCE", "SUSPENDED", "ANNOUNCED")
            if clause["covers"] not in ("TECHNOLOGY", "SERVICES")
            if clause["territory"] != "ONLY_ABROAD"
        }
        verdicts = [one["clause"] for one in found["verdicts"] if one["clause"]]
        bases = [basis for one in found["verdicts"] for basis in one["legalBases"]]
        later = [one for one in found["notInForce"] if one["clause"]["status"] != "EXPIRED"]
        assert keys([*verdicts, *bases, *later]) == expected


async def test_every_answer_says_how_far_it_can_be_trusted(read_services: Services) -> None:
    api = Api(read_services)
    for shipment in SHIPMENTS:
        found = await check(api, shipment)
        assert "not legal advice" in found["disclaimer"]
        legs = {(one["direction"], one["place"]["code"]): one for one in found["completeness"]}
        for place, direction in (("origin", "EXPORT"), ("destination", "IMPORT")):
            assert ((direction, shipment.get(place)) in legs) == (place in shipment)
        assert {one["issuer"] for one in found["newestActs"]} >= {
            shipment[place] for place in ("origin", "destination") if place in shipment
        }
        for one in found["verdicts"]:
            if one["clause"]:
                assert one["clause"]["sources"]
                assert one["clause"]["clause"]["status"] == "IN_FORCE"
            elif one["kind"] == "NOTHING_RECORDED":
                assert one["completeness"]["statement"]
                assert one["completeness"]["level"] in ("PARTIAL", "COMPLETE")
            elif one["place"]:
                assert (one["kind"], one["completeness"]["level"]) == ("UNKNOWN", "NONE")
            else:
                assert one["question"]["field"] in ("origin", "destination")
        for duties in (found["exportDuties"], found["importDuties"]):
            assert duties["low"] is None or duties["steps"][-1]["high"] == duties["high"]


async def test_places_that_are_not_stated_are_asked_for_first(read_services: Services) -> None:
    found = await check(Api(read_services), {"commodity": "lithium"})
    unknown = [one for one in found["verdicts"] if one["kind"] == "UNKNOWN"]
    assert [one["direction"] for one in unknown] == ["EXPORT", "IMPORT"]
    first = found["openQuestions"][:2]
    assert [one["id"] for one in first] == [one["question"]["id"] for one in unknown]
    assert [one["field"] for one in first] == ["origin", "destination"]
    assert first[0]["clauses"]  # those of all issuers wait for it


async def test_suspended_rules_have_their_day_and_are_upcoming(read_services: Services) -> None:
    found = await check(Api(read_services), SHIPMENTS[2])
    suspended = {one["clause"]["key"]: one for one in found["notInForce"]}
    assert suspended["2"]["firstDay"] == "2026-11-28"
    changes = [(one["day"], one["entity"], one["clause"]) for one in found["upcoming"]]
    assert ("2026-11-28", "export-control/cn-mofcom-2024-46", "2") in changes
    assert changes == sorted(changes, key=lambda one: one[0])
    assert all(DAY < day <= "2026-12-01" for day, _, _ in changes)


CHANGES = """
query ($input: ShipmentInput!) {
  shipmentChanges(input: $input, from: {validAt: "2025-10-01"}, to: {validAt: "2025-12-01"}) {
    before { verdicts { kind } }
    after { verdicts { kind } }
    changes {
      before { kind clause { control { key } clause { key } } }
      after { kind clause { control { key } clause { key } } }
    }
  }
}
"""


async def test_a_comparison_has_the_rules_that_ended_and_began(read_services: Services) -> None:
    api = Api(read_services)
    found = (await api.ask(CHANGES, input=SHIPMENTS[2]))["shipmentChanges"]
    ended = keys([one["before"]["clause"] for one in found["changes"] if one["after"] is None])
    assert ("cn-mofcom-2024-46", "2") in ended
    began = [one for one in found["changes"] if one["before"] is None]
    counts = [len(found[side]["verdicts"]) for side in ("before", "after")]
    assert counts[1] == counts[0] - len(ended) + len(began)


async def test_months_below_over_equal_single_days(read_services: Services) -> None:
    api = Api(read_services)
    selected = (
        "verdicts { kind match clause { control { key } clause { key } } } upcoming { day entity }"
    )
    over = await api.ask(
        'query ($input: ShipmentInput!) { over(from: "2025-01-15", to: "2025-12-15", step: MONTH)'
        f" {{ validAt shipment(input: $input) {{ {selected} }} }} }}",
        input=SHIPMENTS[0] | {"endUser": "Lockheed Martin Corporation"},
    )
    assert len(over["over"]) == 12
    for month in over["over"]:
        single = await api.ask(
            "query ($input: ShipmentInput!, $day: Day!) { asOf(validAt: $day)"
            f" {{ validAt shipment(input: $input) {{ {selected} }} }} }}",
            day=month["validAt"],
            input=SHIPMENTS[0] | {"endUser": "Lockheed Martin Corporation"},
        )
        assert single["asOf"] == month


@each_case(
    ("shipment", "code", "path"),
    [
        ({"origin": "CN"}, "GOODS_REQUIRED", ["input", "commodity"]),
        ({"hsCode": "28"}, "INVALID_HS_CODE", ["input", "hsCode"]),
        ({"hsCode": "9999.99"}, "UNKNOWN_HS_CODE", ["input", "hsCode"]),
        ({"commodity": "galium"}, "UNKNOWN_COMMODITY", ["input", "commodity"]),
        ({"commodity": "gallium", "origin": "XX"}, "UNKNOWN_PLACE", ["input", "origin"]),
        ({"commodity": "gallium", "route": ["US"] * 11}, "TOO_MANY", ["input", "route"]),
        (
            {
                "commodity": "gallium",
                "contents": [{"commodity": "nickel", "origin": "CN", "percent": 101}],
            },
            "OUT_OF_RANGE",
            ["input", "contents", 0, "percent"],
        ),
        (
            {
                "commodity": "gallium",
                "contents": [{"commodity": "nickel", "origin": "CN", "percent": 60}] * 2,
            },
            "OVER_100_PERCENT",
            ["input", "contents"],
        ),
        ({"commodity": "all_goods"}, "NOT_GOODS", ["input", "commodity"]),
        (
            {
                "commodity": "gallium",
                "answers": [
                    {"question": "CN/dual-use-items", "yes": True},
                    {"question": "CN/dual-use-items", "yes": False},
                ],
            },
            "CONTRADICTION",
            ["input", "answers", 1, "question"],
        ),
    ],
)
async def test_wrong_input_is_refused_at_its_field(
    services: Services, shipment: dict[str, Any], code: str, path: list[str | int]
) -> None:
    refused = await Api(services).refused(CHECK, day=DAY, input=shipment)
    assert refused == (code, path)


# --- files

FILE = """\
commodity,hsCode,form,origin,route,destination,contents,answers
tungsten,2849.90,,CN,,DE,,
gallium,,metal,CN,HK;SG,US,none,
permanent_magnets,,,JP,,US,dysprosium:CN:0.2;neodymium:CN,
tungsten,284990,,CN,,DE,,cn-mofcom-2025-10/tungsten/item/2:yes
galium,,,CN,,US,,
gallium,,,CN,,US,dysprosium,
gallium
"""


async def lines_of(api: Api, content: str | bytes, address: str = "") -> list[dict[str, str]]:
    """Return the lines of the results of a file by column."""
    response = await api.request("POST", f"/shipments.csv{address}", content=content)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/csv")
    comment, *rows = response.text.splitlines()
    assert comment.startswith("# ")
    assert "not legal advice" in comment
    return [*csv.DictReader(rows)]


async def test_every_line_of_a_file_has_its_result_or_its_error(read_services: Services) -> None:
    api = Api(read_services)
    rows = await lines_of(api, FILE, f"?valid={DAY}")
    assert [*rows[0]] == [*FILE.split("\n")[0].split(","), *RESULT_COLUMNS]
    assert [row["errorCode"] for row in rows] == [
        *[""] * 4,
        *("UNKNOWN_COMMODITY", "INVALID_CONTENT", "WRONG_CELLS"),
    ]
    assert [row["errorField"] for row in rows[4:]] == ["commodity", "contents.0", ""]
    assert {row["validAt"] for row in rows} == {DAY}
    for row, shipment in ((rows[0], SHIPMENTS[0]), (rows[1], {**SHIPMENTS[2], "contents": []})):
        route = {"route": ["HK", "SG"]} if row["route"] else {}
        found = await check(api, shipment | route)
        assert row["verdicts"].split("; ") == [one["kind"] for one in found["verdicts"]]
        for one in found["verdicts"]:
            clause, sentence = one["clause"] or {}, one["obligation"].removesuffix(".")
            limits = [f", but {reason}" for reason in clause.get("reasons", [])[:1]]
            doubt = ", unless an exception applies: "
            limits = limits or [f"{doubt}{text[:9]}" for text in clause.get("exceptions", [])[:1]]
            assert f"{sentence}{''.join(limits)}" in row["obligations"]
        assert row["questionIds"].split("; ") == [one["id"] for one in found["openQuestions"]]
        for leg in found["completeness"]:
            assert leg["completeness"]["statement"] in row["completeness"]
    position = rows[0]["clauses"].split("; ").index("cn-mofcom-2025-10/tungsten")
    matches = [row["matches"].split("; ")[position] for row in (rows[0],)]
    assert matches == ["POSSIBLE"]
    answered = dict(
        zip(rows[3]["clauses"].split("; "), rows[3]["matches"].split("; "), strict=True)
    )
    assert answered["cn-mofcom-2025-10/tungsten"] == "CERTAIN"


@each_case(
    ("content", "code", "status"),
    [
        ("", "INVALID_CSV", 400),
        (b"\xff\xfe", "INVALID_CSV", 400),
        ('commodity\n"gallium', "INVALID_CSV", 400),
        ("goods\ngallium\n", "UNKNOWN_COLUMN", 400),
        ("origin,origin\nCN,CN\n", "UNKNOWN_COLUMN", 400),
        ("commodity\n" + "gallium\n" * (MAX_LINES + 1), "TOO_LARGE", 413),
        ("commodity\n" + "g" * MAX_BYTES, "TOO_LARGE", 413),
    ],
)
async def test_a_value_that_is_not_a_file_of_shipments_is_refused(
    services: Services, content: str | bytes, code: str, status: int
) -> None:
    response = await Api(services).request("POST", "/shipments.csv", content=content)
    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"] == code


@each_case(
    ("column", "closest"),
    [
        ("hscode", "hsCode"),
        ("hs", "hsCode"),
        ("hs_code", "hsCode"),
        ("HS code", "hsCode"),
        ("to", "destination"),
        ("destinatoin", "destination"),
        ("end_user", "endUser"),
        ("Origin", "origin"),
    ],
)
async def test_an_unknown_column_names_the_closest_one(
    services: Services, column: str, closest: str
) -> None:
    response = await Api(services).request("POST", "/shipments.csv", content=f"{column}\nx\n")
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "UNKNOWN_COLUMN"
    assert error["message"].endswith(f"; did you mean {closest!r}?")


async def test_a_column_like_no_other_gets_no_suggestion(services: Services) -> None:
    response = await Api(services).request("POST", "/shipments.csv", content="xyzzy\nx\n")
    assert "did you mean" not in response.json()["errors"][0]["message"]


@each_case(
    ("field", "place", "path"),
    [
        ("destination", "WORLD", ["destination"]),
        ("origin", "OTHER", ["origin"]),
        ("exportCountry", "US_CA", ["exportCountry"]),
        ("route", ["HK", "WORLD"], ["route", 1]),
    ],
)
async def test_a_place_that_is_not_a_country_is_refused(
    services: Services, field: str, place: Any, path: list[Any]
) -> None:
    shipment = {"commodity": "gallium", field: place}
    code, of = await Api(services).refused(CHECK, day=DAY, input=shipment)
    assert (code, of) == ("NOT_A_COUNTRY", ["input", *path])


async def test_names_and_codes_are_read_in_any_case_with_spaces_and_dots(
    read_services: Services,
) -> None:
    api = Api(read_services)
    keyed = {"commodity": "gallium", "hsCode": "811292", "origin": "CN", "destination": "US"}
    named = {"commodity": " GALLIUM", "hsCode": "8112 92", "origin": "china", "destination": "us"}
    content = {"contents": [{"commodity": "gallium", "origin": "CN"}], "route": ["JP"]}
    named_content = {"contents": [{"commodity": "Gallium", "origin": "China"}], "route": ["Japan"]}
    assert await check(api, named | named_content) == await check(api, keyed | content)
    header = "commodity,hsCode,origin,destination"
    lines = [header, "gallium,811292,CN,US", "GALLIUM,8112.92,China,usa"]
    first, second = await lines_of(api, "\n".join(lines))
    assert first["clauses"] == second["clauses"] != ""


async def test_a_file_has_the_assumptions_and_the_layers_that_its_sums_do_not_cover(
    read_services: Services,
) -> None:
    lines = ["commodity,hsCode,origin,destination", "gallium,811229,CN,US"]
    [line] = await lines_of(Api(read_services), "\n".join(lines))
    assert "811229 is not recorded as a code of gallium." in line["assumptions"]
    assert "not covered: anti-dumping" in line["dutiesNotCovered"]
    assert "Ordinary duty: 3 % (general rate of 8112.29.00)." in line["dutySteps"]
    assert "no later edition was read" in line["dutyRemarks"]
    assert "PROHIBITED" in line["verdicts"]
    assert "CERTAIN" not in line["matches"]


async def test_technology_is_asked_alike_by_api_file_and_page(read_services: Services) -> None:
    api = Api(read_services)
    stated = {"commodity": "rare_earths", "origin": "CN", "destination": "DE"}
    of = await check(api, stated | {"covers": "TECHNOLOGY"})
    rules = {f"{one['clause']['control']['key']}" for one in of["verdicts"] if one["clause"]}
    assert "cn-technology-catalogue" in rules
    assert "cn-mofcom-2025-18" not in rules
    header = "commodity,origin,destination,covers"
    lines = [
        header,
        "rare_earths,CN,DE,technology",
        "rare_earths,CN,DE,",
        "rare_earths,CN,DE,ideas",
    ]
    technology, goods, wrong = await lines_of(api, "\n".join(lines))
    assert "cn-technology-catalogue" in technology["clauses"]
    assert "cn-technology-catalogue" not in goods["clauses"]
    assert "Goods are shipped, not technology" in goods["assumptions"]
    assert (wrong["errorCode"], wrong["errorField"]) == ("UNKNOWN_COVERS", "covers")
    page = await api.request("GET", f"{technology['receipt'].replace('/check.receipt', '/check')}")
    assert "Catalogue of Technologies Prohibited or Restricted from Export" in page.text
    code, at = await api.refused(
        CHECK, day=DAY, input={**stated, "covers": "SERVICES", "form": "METAL"}
    )
    assert (code, at) == ("CONTRADICTION", ["input", "form"])


async def test_an_answer_needs_the_id_of_a_question(services: Services) -> None:
    answers = [{"question": "item 2", "yes": True}]
    shipment = {"commodity": "gallium", "answers": answers}
    code, of = await Api(services).refused(CHECK, day=DAY, input=shipment)
    assert (code, of) == ("INVALID_QUESTION", ["input", "answers", 0, "question"])


async def test_a_file_needs_the_right_to_read_and_only_known_parameters(services: Services) -> None:
    closed = Api(services, Access(read_open=False))
    assert (await closed.request("POST", "/shipments.csv", content=FILE)).status_code == 401
    api = Api(services)
    for address, code in (("?at=1", "BAD_REQUEST"), ("?valid=yesterday", "INVALID_DATE")):
        response = await api.request("POST", f"/shipments.csv{address}", content=FILE)
        assert response.status_code == 400
        assert response.json()["errors"][0]["extensions"]["code"] == code


async def test_cells_are_not_formulas(services: Services) -> None:
    [row] = await lines_of(Api(services), "commodity,exporter\ngallium,=1+1\n")
    assert row["exporter"] == "'=1+1"


def test_the_columns_are_the_fields_of_the_input() -> None:
    assert COLUMNS[:3] == ("commodity", "hsCode", "codeOf")
    assert {"origin", "exportCountry", "destination", "endUser", "contents"} <= set(COLUMNS)


def test_an_unknown_form_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as refused:
        shipment_of_texts({"commodity": "tin", "form": "liquid"})
    assert (refused.value.code, refused.value.path) == ("UNKNOWN_FORM", ("form",))
    assert "metal" in refused.value.message


async def test_two_names_of_one_field_are_refused(services: Services) -> None:
    page = await Api(services).request("GET", "/check.json?commodity=tin&from=CN&exportCountry=JP")
    assert page.status_code == 400
    assert "exportCountry" in page.text
