"""Numbers of clauses by status, measure and issuer equal those of the lists."""

from collections import Counter, defaultdict
from typing import Any

import pytest

from tests.support.api import Api, clause, control, suspension
from tests.support.cases import each_case

DAY = "2026-02-01"
EVERY = """query ($after: String) { asOf(validAt: "2026-02-01") {
  exportControls(first: 100, after: $after) { pageInfo { hasNextPage endCursor }
    nodes { key issuer { code } clauses { status measure commodities { key } } } } } }"""


async def counts(api: Api, arguments: str, fields: str, day: str = DAY) -> list[dict[str, Any]]:
    """Return the numbers of clauses."""
    document = (
        f'{{ asOf(validAt: "{day}")'
        f" {{ clauseCounts({arguments}) {{ {fields} clauses controls }} }} }}"
    )
    found: list[dict[str, Any]] = (await api.ask(document))["asOf"]["clauseCounts"]
    return found


async def test_a_duty_that_another_one_replaces_covers_a_code_possibly(corpus: Api) -> None:
    lists = """query ($code: String, $match: Match) { asOf(validAt: "2025-12-01") {
      exportControls(
        hsCode: $code, match: $match, issuer: "US", direction: IMPORT, status: IN_FORCE, first: 100
      ) { edges { node { key } matchingClauses { key match } } }
      clauseCounts(
        groupBy: [MATCH], hsCode: $code, match: $match, issuer: "US", direction: IMPORT, status: IN_FORCE
      ) { match clauses } } }"""

    async def matches(code: str, match: str | None = None) -> dict[str, str]:
        found = (await corpus.ask(lists, code=code, match=match))["asOf"]
        of = {
            f"{edge['node']['key']}#{one['key']}": one["match"]
            for edge in found["exportControls"]["edges"]
            for one in edge["matchingClauses"]
        }
        assert {one["match"]: one["clauses"] for one in found["clauseCounts"]} == Counter(
            of.values()
        )
        return of

    copper = await matches("741220")
    assert copper["us-232-copper-2025#1"] == "CERTAIN"
    assert copper["us-ieepa-reciprocal-2025#1"] == "POSSIBLE"
    for match in ("CERTAIN", "POSSIBLE"):
        assert await matches("741220", match) == {k: v for k, v in copper.items() if v == match}
    fasteners = await matches("250410")
    assert "us-232-copper-2025#1" not in fasteners


async def test_the_numbers_are_those_of_the_clauses_in_the_list(corpus: Api) -> None:
    clauses, controls = Counter[Any](), defaultdict[Any, set[str]](set)
    for node in await corpus.nodes(EVERY):
        for one in node["clauses"]:
            group = one["status"], one["measure"], node["issuer"]["code"]
            clauses[group] += 1
            controls[group].add(node["key"])
    found = await counts(
        corpus, "groupBy: [STATUS, MEASURE, ISSUER]", "status measure issuer { code }"
    )
    assert {
        (one["status"], one["measure"], one["issuer"]["code"]): (one["clauses"], one["controls"])
        for one in found
    } == {group: (clauses[group], len(controls[group])) for group in clauses}
    numbers = [one["clauses"] for one in found]
    assert numbers == sorted(numbers, reverse=True)
    [every] = await counts(corpus, "groupBy: []", "status")
    assert (every["clauses"], every["status"]) == (sum(clauses.values()), None)


async def test_a_clause_counts_in_the_group_of_each_commodity_and_each_control_once(
    api: Api,
) -> None:
    both = clause("2", commodities=["gallium", "germanium"])
    await api.do("announceExportControl", control("x", clause("1"), both))
    await api.do("suspendExportControl", suspension("x", "2"))
    found = await counts(api, "groupBy: [COMMODITY, STATUS]", "commodity { key } status")
    assert [
        (one["commodity"]["key"], one["status"], one["clauses"], one["controls"]) for one in found
    ] == [
        ("gallium", "IN_FORCE", 1, 1),
        ("gallium", "SUSPENDED", 1, 1),
        ("germanium", "SUSPENDED", 1, 1),
    ]
    [together] = await counts(api, 'groupBy: [ISSUER] commodity: "gallium"', "issuer { code }")
    assert (together["clauses"], together["controls"]) == (2, 1)
    assert await counts(api, "groupBy: [ISSUER]", "clauses", day="2024-01-01") == []


@pytest.mark.parametrize(
    "filter",
    [
        'commodity: "gallium"',
        'destination: "US" status: IN_FORCE',
        'issuer: "CN" measure: BAN',
        "direction: IMPORT covers: GOODS",
        'inForce: {from: "2026-01-01", to: "2026-12-31"}',
    ],
)
async def test_as_many_controls_are_counted_as_the_list_has(corpus: Api, filter: str) -> None:
    [together] = await counts(corpus, f"groupBy: [] {filter}", "status")
    document = f'{{ asOf(validAt: "{DAY}") {{ exportControls({filter}) {{ totalCount }} }} }}'
    listed = (await corpus.ask(document))["asOf"]["exportControls"]["totalCount"]
    assert together["controls"] == listed > 0


@each_case(
    ("arguments", "code", "path"),
    [
        ("groupBy: [STATUS, STATUS]", "INVALID_INPUT", ["groupBy"]),
        ('groupBy: [] issuer: "XX"', "UNKNOWN_PLACE", ["issuer"]),
        ('groupBy: [] commodity: "gold dust"', "UNKNOWN_COMMODITY", ["commodity"]),
    ],
)
async def test_bad_counts_are_refused(api: Api, arguments: str, code: str, path: list[str]) -> None:
    document = f"{{ asOf {{ clauseCounts({arguments}) {{ clauses }} }} }}"
    assert await api.refused(document) == (code, path)
