"""Obligations in GraphQL and as a table: who must do what by when, as known on any day."""

import csv
import io
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, clause, control, source

RISK = {
    "id": "eu-2024-1252-24-1",
    "issuer": "EU",
    "act": "Regulation (EU) 2024/1252",
    "unit": "Article 24(1)",
    "roles": ["MANUFACTURER"],
    "who": "large companies that use strategic raw materials",
    "threshold": "more than 500 employees and EUR 150 million turnover",
    "verb": "carry out",
    "object": "a risk assessment of their supply chain",
    "commodities": ["gallium"],
    "due": [{"on": "2025-05-24"}],
    "every": "P3Y",
    "quotation": "shall, by 24 May 2025 and at least every three years thereafter",
}
DECLARE = {
    "id": "eu-2023-1542-8-1",
    "issuer": "EU",
    "act": "Regulation (EU) 2023/1542",
    "unit": "Article 8(1)",
    "roles": ["MANUFACTURER", "IMPORTER"],
    "who": "makers of batteries",
    "verb": "document",
    "object": "the share of recovered cobalt",
    "commodities": ["cobalt"],
    "due": [{"on": "2028-08-18"}, {"event": "the delegated act", "within": "P24M"}],
}
EXPORT = {
    "id": "cn-61-2025-notice",
    "issuer": "CN",
    "act": "Announcement No. 61 of 2025",
    "unit": "point 4",
    "roles": ["FIRM"],
    "who": "exporters",
    "verb": "hand over",
    "object": "a notice of compliance",
    "occasion": "each delivery",
}
QUERY = """query ($day: Day, $role: ObligationRole, $place: String, $commodity: String, $before: Day,
    $status: DueStatus, $order: ObligationOrder! = DUE) {
  asOf(validAt: $day) { obligations(
    role: $role, place: $place, commodity: $commodity, dueBefore: $before, status: $status,
    orderBy: $order
  ) { totalCount nodes { key nextDue { status day notBefore events phrase } } } } }"""
KEYS = {"risk": RISK["id"], "declare": DECLARE["id"], "export": EXPORT["id"]}


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API on three obligations, one of them postponed."""
    api = Api(services)
    for on, of in (("2024-05-03", RISK), ("2023-07-12", DECLARE), ("2025-10-09", EXPORT)):
        await record(api, "stateObligation", {**of, "on": on, "source": source("eu", on)})
    later = {"id": RISK["id"], "on": "2025-04-01", "act": "Regulation X"}
    await record(
        api,
        "postponeObligation",
        {**later, "due": [{"on": "2026-05-24"}], "source": source("eu", "2025-04-01")},
    )
    return api


async def with_three_obligations(services: Services) -> Api:
    """Record three obligations, and return their API; the act of one is suspended."""
    api = Api(services)
    await api.do("announceExportControl", control("cn-61", clause(inForceFrom="2025-10-09")))
    suspension = {"id": "cn-61", "on": "2025-10-20", "suspendedFrom": "2025-10-25"}
    await api.do("suspendExportControl", {**suspension, "source": source("mofcom", "2025-10-20")})
    suspended = {**EXPORT, "instrument": "export-control/cn-61"}
    for on, of in (("2024-05-03", RISK), ("2023-07-12", DECLARE), ("2025-10-09", suspended)):
        await record(api, "stateObligation", {**of, "on": on, "source": source("eu", on)})
    return api


async def record(api: Api, mutation: str, fact: dict[str, Any]) -> None:
    """Record a fact, and wait until it can be queried."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
    await api.ask(
        f"mutation ($fact: {kind}) {{ {mutation}(input: $fact) {{ position }} }}", fact=fact
    )


async def listed(api: Api, day: str = "2025-12-01", **filters: str) -> list[str]:
    """Return the keys of the obligations on a day, in order."""
    data = await api.ask(QUERY, day=day, **filters)
    return [one["key"] for one in data["asOf"]["obligations"]["nodes"]]


async def test_obligations_are_listed_by_their_next_due_day_and_those_without_one_follow(
    api: Api,
) -> None:
    data = await api.ask(QUERY, day="2025-12-01")
    found = data["asOf"]["obligations"]
    assert found["totalCount"] == 3
    assert [one["nextDue"] for one in found["nodes"]] == [
        {
            "status": "DATED",
            "day": "2026-05-24",
            "notBefore": None,
            "events": [],
            "phrase": "due by 24 May 2026",
        },
        {
            "status": "EACH_TIME",
            "day": None,
            "notBefore": None,
            "events": ["each delivery"],
            "phrase": "due at each delivery",
        },
        {
            "status": "OPEN",
            "day": None,
            "notBefore": "2028-08-18",
            "events": ["the delegated act"],
            "phrase": "due after the delegated act, whose day is not recorded, not before 18 August"
            " 2028",
        },
    ]
    assert await listed(api, order="DUE_DESC") == [*reversed(await listed(api))]


async def test_filters_select_the_duties_of_a_role_in_a_place_on_a_commodity(api: Api) -> None:
    assert await listed(api, role="IMPORTER") == [KEYS["export"], KEYS["declare"]]
    assert await listed(api, role="STATE") == []
    assert await listed(api, place="DE") == [KEYS["risk"], KEYS["declare"]]
    assert await listed(api, place="CN") == [KEYS["export"]]
    assert await listed(api, place="US") == []
    assert await listed(api, commodity="gallium") == [KEYS["risk"], KEYS["export"]]
    assert await listed(api, status="OPEN") == [KEYS["declare"]]


async def test_an_empty_list_does_not_claim_that_nobody_is_obliged(api: Api) -> None:
    query = """{ asOf(validAt: "2025-12-01") { obligations(place: "US", commodity: "gallium") {
      totalCount completeness { level statement } } } }"""
    found = (await api.ask(query))["asOf"]["obligations"]
    assert found == {
        "totalCount": 0,
        "completeness": {
            "level": "NONE",
            "statement": "No list of obligations of the United States was read, so obligations may be"
            " missing.",
        },
    }


async def test_the_statement_of_a_member_names_its_union(api: Api) -> None:
    await record(
        api,
        "declareCoverage",
        {
            "id": "eu-obligations",
            "on": "2025-11-01",
            "issuer": "EU",
            "acts": "OBLIGATION",
            "name": "Regulation (EU) 2024/1252",
            "last": "2025-11-01",
            "leftOut": ["Other acts were not read."],
            "checkedBy": "an analyst",
            "source": source("eu", "2025-11-01"),
        },
    )
    query = """{ asOf(validAt: "2025-11-01") { obligations(place: "DE") {
      completeness { level statement } } } }"""
    found = (await api.ask(query))["asOf"]["obligations"]["completeness"]
    assert found == {
        "level": "PARTIAL",
        "statement": "No list of obligations of Germany was read, so obligations may be missing."
        " Obligations of the European Union were read in part to 1 November 2025.",
    }


async def test_an_open_due_date_is_never_due_before_a_day(api: Api) -> None:
    assert await listed(api, before="2026-05-24") == []
    assert await listed(api, before="2026-05-25") == [KEYS["risk"]]
    assert await listed(api, before="2999-01-01") == [KEYS["risk"]]


async def test_a_postponement_counts_from_its_own_day(api: Api) -> None:
    first = await api.ask(QUERY, day="2025-03-31")
    assert first["asOf"]["obligations"]["nodes"][0]["nextDue"]["day"] == "2025-05-24"
    assert await listed(api, day="2024-05-02") == [KEYS["declare"]]


async def test_each_query_has_the_due_day_of_its_own_day(api: Api) -> None:
    for day, due in (
        ("2025-12-01", "2026-05-24"),
        ("2026-05-25", "2029-05-24"),
        ("2025-12-01", "2026-05-24"),
    ):
        found = await api.ask(QUERY, day=day)
        assert found["asOf"]["obligations"]["nodes"][0]["nextDue"]["day"] == due


async def test_one_obligation_has_its_sentence_quotation_and_evidence(api: Api) -> None:
    data = await api.ask(
        """{ asOf(validAt: "2025-12-01") { obligation(id: "eu-2024-1252-24-1") {
          sentence quotation threshold postponedBy issuer { code } due { on } every
          because { type } history: nextDue { day } } } }"""
    )
    found = data["asOf"]["obligation"]
    assert found["sentence"] == (
        "Large companies that use strategic raw materials must carry out a risk assessment of their"
        " supply chain (Article 24(1), Regulation (EU) 2024/1252)."
    )
    assert found["quotation"] == RISK["quotation"]
    assert (found["postponedBy"], found["due"], found["every"]) == (
        "Regulation X",
        [{"on": "2026-05-24"}],
        "P3Y",
    )
    assert [one["type"] for one in found["because"]] == [
        "Obligation.Stated",
        "Obligation.Postponed",
    ]


async def test_the_table_has_a_row_for_each_obligation(api: Api) -> None:
    response = await api.request(
        "GET", "/tables/obligations.csv", params={"valid": "2025-12-01", "place": "DE"}
    )
    lines = [line for line in response.text.splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(io.StringIO("\n".join(lines))))
    assert [(row["key"], row["nextDueDay"]) for row in rows] == [
        (KEYS["risk"], "2026-05-24"),
        (KEYS["declare"], ""),
    ]
