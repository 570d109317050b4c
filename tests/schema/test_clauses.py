"""Clause filters of lists and controls, with the same rule as exposure."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.api import Api, clause, control, source, suspension


async def matching(api: Api, filters: str, day: str = "2025-06-01") -> list[tuple[str, list[str]]]:
    """Return the controls of a list, each with its matching clauses."""
    answer = await api.ask(
        f'{{ asOf(validAt: "{day}") {{ exportControls({filters}) {{'
        " totalCount edges { matchingClauses { key } node { key } } } } }"
    )
    found = answer["asOf"]["exportControls"]
    assert found["totalCount"] == len(found["edges"])
    return [(e["node"]["key"], [c["key"] for c in e["matchingClauses"]]) for e in found["edges"]]


async def test_a_list_says_which_clauses_answer_to_all_that_is_asked(api: Api) -> None:
    await api.do(
        "announceExportControl",
        control(
            "cn",
            clause("1", commodities=["graphite"], measure="BAN", destinations=["EU"]),
            clause("2", commodities=["gallium"], measure="REVIEW"),
            clause("3", measure="LICENCE", covers="TECHNOLOGY", inForceFrom="2026-01-01"),
        ),
    )
    assert await matching(api, 'commodity: "natural_graphite"') == [("cn", ["1"])]
    assert await matching(api, 'commodity: "gallium"') == [("cn", ["2", "3"])]
    assert await matching(api, 'commodity: "gallium", status: IN_FORCE') == [("cn", ["2"])]
    assert await matching(api, 'commodity: "gallium", measure: BAN') == []
    assert await matching(api, 'destination: "DE", measure: BAN') == [("cn", ["1"])]
    assert await matching(api, 'destination: "GB", measure: BAN') == []
    assert await matching(api, "covers: TECHNOLOGY") == [("cn", ["3"])]
    assert await matching(api, "measure: REVIEW") == [("cn", ["2"])]
    assert await matching(api, 'issuer: "CN"') == [("cn", ["1", "2", "3"])]
    assert await matching(api, 'hsCode: "250410"') == [("cn", ["1"])]


async def test_the_clauses_of_a_control_take_the_arguments_of_the_list(api: Api) -> None:
    await api.do(
        "announceExportControl",
        control(
            "cn",
            clause("1", commodities=["graphite"], measure="BAN"),
            clause("2", commodities=["gallium"], forms=["METAL"]),
        ),
    )
    answer = await api.ask("""{ asOf(validAt: "2025-06-01") { exportControl(id: "cn") {
        all: clauses { key }
        gallium: clauses(commodity: "gallium", status: IN_FORCE) { key }
        oxide: clauses(commodity: "gallium", form: OXIDE) { key } } } }""")
    assert answer["asOf"]["exportControl"] == {
        "all": [{"key": "1"}, {"key": "2"}],
        "gallium": [{"key": "2"}],
        "oxide": [],
    }


async def test_a_list_that_the_rule_decides_has_pages_like_others(api: Api) -> None:
    for key in "abcd":
        await api.do("announceExportControl", control(key, clause(commodities=["gallium"])))
    await api.do("announceExportControl", control("e", clause(commodities=["cobalt"])))
    page = """exportControls(commodity: "gallium", %s) { totalCount nodes { key }
        pageInfo { hasNextPage hasPreviousPage endCursor } }"""

    async def ask(arguments: str) -> dict[str, Any]:
        answer = await api.ask("{ asOf { " + page % arguments + " } }")
        found: dict[str, Any] = answer["asOf"]["exportControls"]
        return found

    first = await ask("first: 2")
    assert [n["key"] for n in first["nodes"]] == ["a", "b"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (4, True)
    second = await ask(f'first: 2, after: "{first["pageInfo"]["endCursor"]}"')
    assert [n["key"] for n in second["nodes"]] == ["c", "d"]
    assert second["pageInfo"]["hasPreviousPage"]
    assert [n["key"] for n in (await ask("last: 1, orderBy: KEY_DESC"))["nodes"]] == ["a"]


async def test_a_place_is_told_what_it_pays(api: Api) -> None:
    exceptions = [
        {"places": ["GB"], "ratePercent": "25"},
        {"places": ["EU"], "exempt": True, "inForceFrom": "2025-07-01"},
    ]
    await api.do(
        "announceExportControl",
        {
            **control(
                "us-232",
                clause(measure="TARIFF", ratePercent="50", exceptions=exceptions),
                clause("2", measure="TARIFF", ratePercent="10", origins=["CN"]),
            ),
            "issuer": "US",
            "direction": "IMPORT",
        },
    )
    answer = await api.ask("""{ asOf(validAt: "2025-07-01") { exportControl(id: "us-232") {
        clauses { gb: rateFor(place: "GB") de: rateFor(place: "DE") jp: rateFor(place: "JP") }
        from: clauses(origin: "DE") { key } } } }""")
    assert answer["asOf"]["exportControl"] == {
        "clauses": [{"gb": "25", "de": "0", "jp": "50"}, {"gb": None, "de": None, "jp": None}],
        "from": [],
    }
    refused = await api.refused(
        '{ asOf { exportControl(id: "us-232") { clauses(origin: "JP") { rateFor(place: "XX") } } } }'
    )
    assert refused[0] == "UNKNOWN_PLACE"


async def test_a_status_that_rests_on_a_return_after_the_newest_fact_says_so(api: Api) -> None:
    await api.do("announceExportControl", control("cn", clause("1"), clause("2", end="UNKNOWN")))
    await api.do("suspendExportControl", suspension("cn", "1"))
    ask = """{ asOf(validAt: "%s") { exportControl(id: "cn") { clauses { status assumed } } } }"""

    async def assumed(day: str) -> list[tuple[str, str | None]]:
        answer = await api.ask(ask % day)
        clauses = answer["asOf"]["exportControl"]["clauses"]
        return [(c["status"], c["assumed"]) for c in clauses]

    unknown = ("IN_FORCE", "END_UNKNOWN")
    assert await assumed("2026-11-27") == [("SUSPENDED", None), unknown]
    assert await assumed("2026-11-28") == [("IN_FORCE", "AUTOMATIC_RETURN"), unknown]
    await api.do("announceExportControl", control("newer", on="2026-12-05"))
    assert await assumed("2026-12-10") == [("IN_FORCE", "AUTOMATIC_RETURN"), unknown]


async def test_a_return_is_assumed_until_a_record_of_that_day_or_later_confirms_it(
    api: Api,
) -> None:
    keys = ("1", "2", "3")
    await api.do("announceExportControl", control("cn", *map(clause, keys)))
    await api.do("suspendExportControl", suspension("cn"))
    for key, first in (("1", "2026-11-10"), ("2", "2026-11-28")):
        on = {"id": "cn", "on": "2026-11-01", "source": source()}
        back = {**on, "clauses": [key], "reinstatedFrom": first}
        await api.do("reinstateExportControl", back)
    answer = await api.ask("""{ asOf(validAt: "2026-12-01") { exportControl(id: "cn") {
        clauses { key status assumed } } } }""")
    assert answer["asOf"]["exportControl"]["clauses"] == [
        {"key": key, "status": "IN_FORCE", "assumed": f"{by}_RETURN"}
        for key, by in zip(keys, ("ORDERED", "ORDERED", "AUTOMATIC"), strict=True)
    ]


@pytest.mark.parametrize("day", ["2025-11-20", "2026-06-01", "2026-11-20"])
async def test_a_suspension_that_ends_by_a_known_return_has_its_last_day(
    corpus: Api, day: str
) -> None:
    data = await corpus.ask(
        f'{{ asOf(validAt: "{day}") {{ exportControls(status: SUSPENDED, first: 100) {{ nodes {{'
        " key clauses { status suspendedUntil returnsOn } } } } }"
    )
    suspended = [
        clause
        for control in data["asOf"]["exportControls"]["nodes"]
        for clause in control["clauses"]
        if clause["status"] == "SUSPENDED"
    ]
    assert any(one["returnsOn"] for one in suspended)
    for one in suspended:
        if one["returnsOn"]:
            last = date.fromisoformat(one["returnsOn"]) - timedelta(days=1)
            assert one["suspendedUntil"] == last.isoformat(), one
