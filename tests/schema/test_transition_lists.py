"""Transitions at a moment: past and upcoming changes by day, in one list."""

from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, clause, control, source, suspension
from tests.support.cases import each_case
from tests.support.fact_builders import ordered

TRANSITIONS = """query ($day: Day, $position: Position, $after: String, $first: Int! = 200) {
  asOf(validAt: $day, position: $position) { transitions(ARGUMENTS first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { day entity kind clause member transition announcedOn basis because { eventId }
            confirmedBy { eventId } } } } }"""


async def listed(
    api: Api, arguments: str = "", day: str = "2026-11-26", **more: Any
) -> list[dict[str, Any]]:
    """Return a page of transitions, and check that it is complete or full."""
    document = TRANSITIONS.replace("ARGUMENTS", arguments)
    found = (await api.ask(document, day=day, **more))["asOf"]["transitions"]
    assert found["pageInfo"]["hasNextPage"] == (found["totalCount"] > len(found["nodes"]))
    return list(found["nodes"])


def brief(turns: list[dict[str, Any]]) -> list[tuple[str, str | None, str, str]]:
    """Return day, clause, kind and basis."""
    return [(t["day"], t["clause"], t["transition"], t["basis"]) for t in turns]


async def test_a_suspension_that_is_over_is_still_in_the_list(api: Api) -> None:
    await api.do("announceExportControl", control("x", clause("1"), clause("2")))
    await api.do("suspendExportControl", suspension("x", "2"))
    assert brief(await listed(api, day="2027-01-01")) == [
        ("2024-12-03", None, "APPEARS", "ACT"),
        ("2025-11-09", "2", "SUSPENDED", "ACT"),
        ("2026-11-28", "2", "RETURNS", "TERMS"),
    ]
    reinstated = {
        "id": "x",
        "on": "2026-11-27",
        "clauses": ["2"],
        "reinstatedFrom": "2026-11-28",
        "source": source(published_on="2026-11-27"),
    }
    said = await api.do("reinstateExportControl", reinstated)
    [back] = await listed(api, "transition: RETURNS", day="2027-01-01")
    assert (back["basis"], back["confirmedBy"]) == ("CONFIRMED", {"eventId": said["eventId"]})
    assert back["announcedOn"] == "2025-11-09"
    [before] = await listed(api, "transition: RETURNS", day="2027-01-01", position="2")
    assert (before["basis"], before["confirmedBy"]) == ("TERMS", None)


async def test_facts_that_were_not_public_on_a_day_are_in_no_list_of_that_day(corpus: Api) -> None:
    whole = await listed(corpus, 'entity: "export-control/cn-mofcom-2024-46"')
    assert ("2025-11-09", "2", "SUSPENDED", "ACT") in brief(whole)
    assert ("2026-11-28", "2", "RETURNS", "TERMS") in brief(whole)
    then = await listed(corpus, 'entity: "export-control/cn-mofcom-2024-46"', day="2025-10-01")
    assert "SUSPENDED" not in {turn["transition"] for turn in then}


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('between: {from: "2026-11-27", to: "2026-12-31"}',
         {"cn-mofcom-2024-46", "us-232-polysilicon-2026",
          "eu-2021-aluminium-converter-foil-ad", "eu-2021-aluminium-converter-foil-cvd"}),
        ('commodity: "gallium" transition: [SUSPENDED] between: {from: "2025-11-01"}',
         {"cn-mofcom-2024-46", "us-bis-2025-19001"}),
        ('issuer: "GA" transition: IN_FORCE', {"ga-2025-mn"}),
        ('firm: "no such firm"', set()),
        ('entity: "alliance/nowhere"', set()),
    ],
)  # fmt: skip
async def test_transitions_are_found_by_what_they_are_about(
    corpus: Api, arguments: str, found: set[str]
) -> None:
    turns = await listed(corpus, arguments)
    assert {turn["entity"].partition("/")[2] for turn in turns} == found


async def test_an_alliance_is_asked_for_with_what_it_announces(corpus: Api) -> None:
    turns = await listed(corpus, 'alliance: "quad"')
    document = """{ asOf(validAt: "2026-11-26") { announcements(actor: "quad", first: 200) {
        nodes { entity } } } }"""
    made = {
        node["entity"] for node in (await corpus.ask(document))["asOf"]["announcements"]["nodes"]
    }
    assert made
    assert made | {"alliance/quad"} <= {turn["entity"] for turn in turns}
    for turn in turns:
        assert turn["kind"] in ("ALLIANCE", "ANNOUNCEMENT")


async def test_a_firm_is_found_under_all_of_its_names(corpus: Api) -> None:
    turns = await listed(corpus, 'firm: "mp materials"')
    assert {"firm/mp-materials"} < {turn["entity"] for turn in turns}


async def test_figures_are_in_the_list_only_where_they_are_asked_for(corpus: Api) -> None:
    kinds = {turn["kind"] for turn in await listed(corpus, 'commodity: "rare_earths"')}
    assert kinds == {"ANNOUNCEMENT", "EXPORT_CONTROL"}
    figures = await listed(corpus, 'kind: FIGURE commodity: "rare_earths" place: "CN"')
    assert {turn["kind"] for turn in figures} == {"FIGURE"}
    figure = figures[0]["entity"]
    one = await listed(corpus, f'entity: "{figure}"')
    assert one == [turn for turn in figures if turn["entity"] == figure]


async def test_days_of_transitions_are_those_of_the_list_with_their_numbers(corpus: Api) -> None:
    document = """{ asOf(validAt: "2025-11-30") {
        transitionDays(kind: EXPORT_CONTROL, place: "CD") { day transitions }
        transitions(kind: EXPORT_CONTROL, place: "CD", first: 200) { totalCount nodes { day } } } }"""
    found = (await corpus.ask(document))["asOf"]
    days = [turn["day"] for turn in found["transitions"]["nodes"]]
    assert found["transitions"]["totalCount"] == len(days) > 5
    assert found["transitionDays"] == [
        {"day": day, "transitions": days.count(day)} for day in dict.fromkeys(days)
    ]


async def test_upcoming_are_the_transitions_of_the_days_to_come(corpus: Api) -> None:
    document = """{ asOf(validAt: "2026-11-01") {
        upcoming(days: 60, first: 200) { nodes { day entity clause transition basis } }
        transitions(between: {from: "2026-11-02", to: "2026-12-31"}, first: 200) {
          nodes { day entity clause transition basis } } } }"""
    found = (await corpus.ask(document))["asOf"]
    assert found["upcoming"]["nodes"] == found["transitions"]["nodes"]
    assert len(found["upcoming"]["nodes"]) > 3


async def test_recent_are_the_transitions_of_the_days_up_to_this_one(corpus: Api) -> None:
    document = """{ asOf(validAt: "2025-11-30") {
        recent(days: 20, first: 200) { nodes { day entity clause transition basis } }
        transitions(between: {from: "2025-11-10", to: "2025-11-30"}, orderBy: DAY_DESC, first: 200) {
          nodes { day entity clause transition basis } } } }"""
    found = (await corpus.ask(document))["asOf"]
    assert found["recent"]["nodes"] == found["transitions"]["nodes"]
    assert {"2025-11-10"} < {turn["day"] for turn in found["recent"]["nodes"]}


async def test_recent_without_days_are_those_of_the_day_alone(corpus: Api) -> None:
    document = (
        """{ asOf(validAt: "2025-11-10") { recent(days: 0, first: 200) { nodes { day } } } }"""
    )
    nodes = (await corpus.ask(document))["asOf"]["recent"]["nodes"]
    assert {turn["day"] for turn in nodes} == {"2025-11-10"}


@pytest.mark.parametrize("name", ["recent", "upcoming"])
@pytest.mark.parametrize("days", [-1, 40_000])
async def test_a_window_has_a_limit(corpus: Api, name: str, days: int) -> None:
    answer = await corpus.post(f"{{ asOf {{ {name}(days: {days}) {{ totalCount }} }} }}")
    [error] = answer["errors"]
    assert error["extensions"]["path"] == ["days"]


@pytest.mark.parametrize("order", ["DAY", "DAY_DESC"])
async def test_pages_have_all_transitions_once_and_in_their_order(corpus: Api, order: str) -> None:
    arguments = (
        f'issuer: "CN" commodity: "rare_earths" between: {{from: "2012-01-01"}} orderBy: {order}'
    )
    together = await listed(corpus, arguments)
    document = TRANSITIONS.replace("ARGUMENTS", arguments)
    found = await corpus.nodes(document, day="2026-11-26", first=20)
    assert found == together
    days = [turn["day"] for turn in found]
    assert days == sorted(days, reverse=order == "DAY_DESC")
    assert len(found) > 40


@each_case(
    ("arguments", "code", "path"),
    [
        ('between: {from: "2026-01-01", to: "2025-01-01"}', "END_BEFORE_START", ["between", "to"]),
        ('between: {from: "x"}', "INVALID_DATE", ["between", "from"]),
        ('issuer: "XX"', "UNKNOWN_PLACE", ["issuer"]),
        ('entity: "planet/mars"', "INVALID_INPUT", ["entity"]),
        ('alliance: "a b"', "INVALID_INPUT", ["alliance"]),
        ('after: "?"', "INVALID_CURSOR", ["after"]),
    ],
)
async def test_bad_questions_are_refused(
    api: Api, arguments: str, code: str, path: list[str]
) -> None:
    document = f"{{ asOf {{ transitions({arguments}) {{ nodes {{ day }} }} }} }}"
    assert await api.refused(document) == (code, path)


async def test_entities_of_every_kind_have_changes_and_transitions(services: Services) -> None:
    api, order = Api(services), ordered("usgs", "bgs")
    recorded = await services.commands.record(order.stream, order)
    await services.projector.reach(recorded.positions[-1])
    document = """query ($entity: String) {
        changes(from: {position: "0"}) { nodes { entity kind } }
        asOf { transitions(entity: $entity) { nodes { entity kind transition summary } } } }"""
    found = await api.ask(document, entity=order.stream)
    of = {"entity": order.stream, "kind": "PREFERENCE"}
    assert found["changes"]["nodes"] == [of]
    [turn] = found["asOf"]["transitions"]["nodes"]
    assert turn.pop("summary").startswith("For all commodities publishers are preferred")
    assert turn == {**of, "transition": "APPEARS"}


async def test_an_entity_with_many_acts_is_asked_for_fewer_days_at_a_time(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.query.transitions.MAX_CACHED_FACTS", 3)
    monkeypatch.setattr("projections.query.transitions.MAX_DAYS_OF_MANY_FACTS", 4)
    api = Api(services)
    await api.do("announceExportControl", control("x"))
    for year in (2025, 2026, 2027):
        days = {"on": f"{year}-01-01", "suspendedFrom": f"{year}-01-01"}
        await api.do(
            "suspendExportControl", suspension("x", **days, suspendedUntil=f"{year}-02-01")
        )
    document = TRANSITIONS.replace("ARGUMENTS", "")
    assert await api.refused(document, day="2028-01-01") == ("TOO_LARGE", ["between"])
    some = await listed(api, 'between: {from: "2026-01-01", to: "2027-01-31"}', day="2028-01-01")
    assert brief(some) == [
        ("2026-01-01", "1", "SUSPENDED", "ACT"),
        ("2026-02-02", "1", "RETURNS", "TERMS"),
        ("2027-01-01", "1", "SUSPENDED", "ACT"),
    ]


async def test_the_events_of_a_limited_number_of_entities_are_in_memory_at_once(
    corpus: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = await listed(corpus)
    recorder, read = corpus.services.recorder, list[int]()
    read_streams = recorder.read_streams

    async def counted(streams: Any, until: int | None = None) -> Any:
        read.append(len(streams))
        return await read_streams(streams, until)

    monkeypatch.setattr(type(recorder), "read_streams", lambda _, *given: counted(*given))
    monkeypatch.setattr("projections.query.transitions.MAX_STREAMS_IN_MEMORY", 100)
    fresh = Api(corpus.services)
    assert await listed(fresh) == expected
    assert len(read) > 5
    assert max(read) == 100
