"""Status periods of clauses: on every day they equal the state of that day."""

from typing import Any

import pytest

from tests.support.api import Api, clause, control, suspension

STATUSES = """query ($day: Day, $position: Position, $after: String, $first: Int! = 200) {
  asOf(validAt: $day, position: $position) { clauseStatuses(ARGUMENTS first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { exportControl { key } clause { key status }
            period { status from until basis announcedOn because { position } } } } } }"""


async def listed(
    api: Api, arguments: str, day: str = "2026-11-26", **more: Any
) -> list[dict[str, Any]]:
    """Return the whole list, page by page."""
    document = STATUSES.replace("ARGUMENTS", arguments)
    return [*await api.nodes(document, day=day, **more)]


def brief(found: list[dict[str, Any]]) -> list[tuple[str, str, str, str | None]]:
    """Return clause, status, first and last day."""
    return [
        (
            one["clause"]["key"],
            one["period"]["status"],
            one["period"]["from"],
            one["period"]["until"],
        )
        for one in found
    ]


@pytest.mark.parametrize(
    "day", ["2023-08-15", "2025-10-20", "2025-11-20", "2026-06-01", "2027-06-01"]
)
async def test_a_clause_has_on_a_day_the_status_of_the_period_of_that_day(
    corpus: Api, day: str
) -> None:
    periods: dict[tuple[str, str], list[str]] = {}
    for one in await listed(corpus, 'commodity: "rare_earths"', day=max(day, "2026-11-26")):
        of = periods.setdefault((one["exportControl"]["key"], one["clause"]["key"]), [])
        if one["period"]["from"] <= day <= (one["period"]["until"] or "9999-12-31"):
            of.append(one["period"]["status"])
    document = """query ($day: Day) { asOf(validAt: $day) { exportControls(
        commodity: "rare_earths", first: 200) { nodes { key clauses { key status } } } } }"""
    nodes = (await corpus.ask(document, day=day))["asOf"]["exportControls"]["nodes"]
    states = {
        (node["key"], one["key"]): [one["status"]] for node in nodes for one in node["clauses"]
    }
    known = periods.keys() & states.keys()
    assert {key: periods[key] for key in known} == {key: states[key] for key in known}
    assert len(known) > 3


async def test_times_are_found_by_their_days_and_statuses(api: Api) -> None:
    await api.do("announceExportControl", control("x", clause("1"), clause("2")))
    await api.do("suspendExportControl", suspension("x", "2"))
    assert brief(await listed(api, "")) == [
        ("1", "IN_FORCE", "2024-12-03", None),
        ("2", "IN_FORCE", "2024-12-03", "2025-11-08"),
        ("2", "SUSPENDED", "2025-11-09", "2026-11-27"),
        ("2", "IN_FORCE", "2026-11-28", None),
    ]
    assert brief(await listed(api, "statuses: [SUSPENDED]")) == [
        ("2", "SUSPENDED", "2025-11-09", "2026-11-27")
    ]
    later = 'between: {from: "2026-12-01"} orderBy: FROM_DESC'
    assert brief(await listed(api, later)) == [
        ("2", "IN_FORCE", "2026-11-28", None),
        ("1", "IN_FORCE", "2024-12-03", None),
    ]
    assert brief(await listed(api, "", position="1")) == [
        ("1", "IN_FORCE", "2024-12-03", None),
        ("2", "IN_FORCE", "2024-12-03", None),
    ]
    assert await listed(api, 'issuer: "US"') == await listed(api, 'commodity: "lithium"') == []


async def test_bad_questions_are_refused(api: Api) -> None:
    document = '{ asOf { clauseStatuses(issuer: "XX") { totalCount } } }'
    assert await api.refused(document) == ("UNKNOWN_PLACE", ["issuer"])
