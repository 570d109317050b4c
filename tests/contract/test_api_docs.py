"""Filters in docs/api.md equal the schema's, and the queries of the API pages have the documented
responses."""

import re
from pathlib import Path

from schema.execution.execute import execute
from schema.execution.schema import CORE_SCHEMA
from schema.services import Access, Services
from tests.support.cases import each_case

DOCS = Path(__file__).parents[2] / "docs"
TEXT = "".join((DOCS / f"{name}.md").read_text("utf-8") for name in ("api", "figures", "writing"))
QUERIES = re.findall(r"```graphql\n(.*?)```", TEXT, re.DOTALL)
ROWS = re.findall(r"^\| (`[a-zA-Z`, ]+) \| (.*) \|$", TEXT, re.MULTILINE)
OF_PAGES = {"first", "after", "last", "before", "orderBy", "minPosition"}
OTHERS = {"from", "to", "days", "scenario"}
"""Arguments that select the range of a list instead of filtering it."""


async def test_queries_of_the_docs_have_answers(read_services: Services) -> None:
    [document] = [of for of in QUERIES if "announced: {from" in of]
    data = (await execute(read_services, document, {}, Access()))["data"]
    assert data["asOf"]["exportControls"]["nodes"]
    assert data["asOf"]["claims"]["nodes"]
    assert len(data["events"]["nodes"]) == 5


async def test_queries_of_the_docs_about_figures_have_answers(read_services: Services) -> None:
    [document] = [of for of in QUERIES if "supplies(" in of]
    data = (await execute(read_services, document, {}, Access()))["data"]["asOf"]
    assert data["supplies"]
    assert {of["year"] for of in data["productions"]} == {2021, 2022, 2023, 2024}
    assert any(of["quad"]["missing"] and of["rest"]["share"] for of in data["productions"])


async def test_the_preview_of_the_docs_is_reported_and_not_recorded(services: Services) -> None:
    [document] = [of for of in QUERIES if "preview(" in of]
    data = (await execute(services, document, {}, Access(open=True)))["data"]["preview"]
    assert [of["type"] for of in data["events"]] == ["Alliance.Founded", "Alliance.MemberJoined"]
    [change] = data["changes"]
    assert (change["change"], len(change["after"]["members"])) == ("APPEARED", 2)
    assert await services.recorder.head() == 0


def filters(name: str) -> set[str]:
    """Return the filter arguments of a list."""
    types = CORE_SCHEMA.type_map
    fields = {**types["AsOf"].fields, **types["Query"].fields}  # type: ignore[attr-defined]
    return set(fields[name].args) - OF_PAGES - OTHERS


@each_case(("names", "told"), ROWS)
def test_the_filters_of_every_list_are_reported(names: str, told: str) -> None:
    lists = re.findall(r"`(\w+)`", names)
    found = set.union(*(filters(name) for name in lists))
    assert set(re.findall(r"`(\w+)`", told)) == found


def test_no_list_is_missing() -> None:
    told = {name for names, _ in ROWS for name in re.findall(r"`(\w+)`", names)}
    types = CORE_SCHEMA.type_map
    fields = {**types["AsOf"].fields, **types["Query"].fields}  # type: ignore[attr-defined]
    assert {name for name, of in fields.items() if {"first", "after"} <= set(of.args)} <= told


def test_every_list_can_be_read_from_both_ends_and_in_an_order() -> None:
    for kind in CORE_SCHEMA.type_map.values():
        for name, of in getattr(kind, "fields", {}).items():
            if str(getattr(of, "type", "")).rstrip("!").endswith("Connection"):
                pages = {"first", "after", "last", "before"}
                fixed = name in ("history", "search")  # by the log, and by rank
                order = set() if fixed else {"orderBy"}
                assert pages | order <= set(of.args), name
