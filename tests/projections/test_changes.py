"""Differences between two moments: the database, in-memory folds and the API agree."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from projections.fold.change import causes_of
from projections.fold.diff import content
from projections.fold.public_facts import facts_public_by
from projections.fold.replay import ReplayState
from projections.fold.transitions import transitions
from projections.query.changes import COUNT, page_statement
from projections.query.list_statements import BY_NAME, Bounds, Ordering, SortKey
from projections.query.lists import KeyRange
from projections.query.moment import Moment
from projections.query.transitions import WITH_TRANSITIONS, TransitionFilter
from schema.services import Services
from tests.projections.test_diff import applied
from tests.projections.test_projections import project_random_history
from tests.support.api import Api, claim, control, source, suspension
from tests.support.cases import each_case
from tests.support.fact_builders import (
    DAYS,
    announced,
    clause,
    decided_facts,
    fact,
    retracted,
    state,
    suspended,
)
from tests.support.random_histories import WINDOW, History, histories, many
from tracker import clock
from tracker.domain.controls.export_control_acts import Amended, Disputed
from tracker.domain.entities.entity import RecordedFact
from tracker.errors import InvalidInput
from tracker.log.entries import RecordedEvent
from tracker.postgres.database import Connection, Target, connect

CONTROL = "export-control/x"


@pytest.fixture
def api(services: Services) -> Api:
    """Run the API on an empty log, open for writing."""
    return Api(services)


@pytest.fixture
def corpus(read_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(read_services)


def pairs(seed: int, head: int, count: int = 40) -> list[tuple[Moment, Moment]]:
    """Return random pairs of moments, often on the same day or position."""
    chance = Random(seed)
    found = []
    for _ in range(count):
        days, positions = chance.choices(WINDOW, k=2), chance.choices(range(head + 1), k=2)
        days, positions = (
            [sorted(pair), pair[:1] * 2][chance.random() < 0.3] for pair in (days, positions)
        )
        found.append((Moment(days[0], positions[0]), Moment(days[1], positions[1])))
    return found


def texts(world: ReplayState, moment: Moment) -> dict[str, str]:
    """Return the states at a moment, folded in memory."""
    return {
        entity: version.text for entity, version in world.states(moment.valid_at, moment.position)
    }


def contents(world: ReplayState, moment: Moment) -> dict[str, Any]:
    """Return the contents of the states at a moment."""
    return {
        entity: content(version.state)
        for entity, version in world.states(moment.valid_at, moment.position)
    }


# --- the database and the fold in memory agree


@pytest.mark.parametrize("seed", range(3))
async def test_reported_changes_turn_the_earlier_state_into_the_later(
    services: Services, seed: int
) -> None:
    world, count = await project_random_history(services, seed), 0
    for start, end in pairs(seed, world.position):
        before, after = texts(world, start), texts(world, end)
        changes = await services.changes.between(start, end)
        expected = {e for e in before.keys() | after.keys() if before.get(e) != after.get(e)}
        assert [change.entity for change in changes] == sorted(expected)
        assert await services.changes.count(start, end) == len(expected)
        rebuilt = contents(world, start)
        for change in changes:
            assert change.because
            rebuilt[change.entity] = applied(rebuilt.get(change.entity), change.fields)
        assert {e: said for e, said in rebuilt.items() if said} == contents(world, end)
        count += len(changes)
    assert count > 50


async def test_pages_put_together_are_all_changes(services: Services) -> None:
    world = await project_random_history(services, 1)
    start, end = Moment(DAYS[0], 0), Moment(DAYS[-1], world.position)
    together = await services.changes.between(start, end)
    pages, after = [], None
    while page := await services.changes.between(start, end, span=KeyRange(after=after, limit=2)):
        pages += page
        after = (page[-1].entity,)
    assert pages == together
    assert len(together) > 4


async def test_changes_are_put_in_the_order_of_the_days_from_which_they_hold(
    services: Services,
) -> None:
    world = await project_random_history(services, 2)
    start, end = Moment(DAYS[0], 0), Moment(DAYS[-1], world.position)
    held_from = {
        entity: version.start.isoformat()
        for entity, version in world.states(end.valid_at, end.position)
    }
    for down in (False, True):
        order = Ordering(SortKey.DATE, down)
        together = await services.changes.between(start, end, order=order)
        keys = [(held_from.get(change.entity, ""), change.entity) for change in together]
        assert keys == sorted(keys, reverse=down)
        assert len({day for day, _ in keys}) > 2
        pages, after = [], None
        while page := await services.changes.between(
            start, end, order=order, span=KeyRange(after=after, limit=2)
        ):
            pages += page
            after = (held_from.get(page[-1].entity, ""), page[-1].entity)
        assert pages == together


async def test_moments_in_the_wrong_order_are_refused(services: Services) -> None:
    one, other = Moment(DAYS[1], 0), Moment(DAYS[0], 0)
    with pytest.raises(InvalidInput, match="2025-01-01 lies before 2025-01-02"):
        await services.changes.between(one, other)
    with pytest.raises(InvalidInput, match="0 lies before 1"):
        await services.changes.count(Moment(DAYS[0], 1), other)


def reasons(known: Sequence[RecordedFact], day: str, later: str, count: int) -> list[str]:
    """Return the causes of a control's differences between a day after some events, and a later day
    after all of them."""
    before, after = state(known[:count], CONTROL, day), state(known, CONTROL, later)
    turned = transitions(CONTROL, known, date.fromisoformat(day), date.fromisoformat(later))
    return [reason.event_id for reason in causes_of(before, after, known, count, turned)]


@many
@given(histories(), st.data())
def test_a_change_always_has_a_reason_that_is_known_by_then(
    history: History, data: st.DataObject
) -> None:
    stream, known = history
    days = sorted(data.draw(st.tuples(*[st.sampled_from(WINDOW)] * 2)))
    count = data.draw(st.integers(0, len(known)))
    before, after = state(known[:count], stream, str(days[0])), state(known, stream, str(days[1]))
    assume(before != after)
    turned = transitions(stream, known, *days)
    found = causes_of(before, after, known, count, turned)
    assert found
    assert {reason.event_id for reason in found} <= {k.event_id for k in known}
    assert [reason.position for reason in found] == sorted({r.position for r in found})


def test_a_fact_counts_once_its_day_has_come() -> None:
    known = decided_facts(CONTROL, announced(), suspended())
    assert reasons(known, "2025-01-01", "2025-12-01", 2) == ["e2"]
    assert reasons(known, "2024-01-01", "2025-12-01", 0) == ["e1", "e2"]


def test_where_only_time_passed_the_event_that_announced_it_is_the_reason() -> None:
    known = decided_facts(
        CONTROL, announced(), suspended(), fact(Disputed, "2025-12-01", account="no")
    )
    assert reasons(known, "2026-01-01", "2026-11-28", 3) == ["e2"]


def test_a_retraction_is_a_reason_where_it_took_an_event_away_or_gave_it_back() -> None:
    known = decided_facts(CONTROL, announced(), suspended(), retracted("e2"), retracted("e3"))
    assert reasons(known[:3], "2025-12-01", "2025-12-01", 2) == ["e3"]
    assert reasons(known, "2025-12-01", "2025-12-01", 3) == ["e2", "e4"]
    gone = decided_facts(CONTROL, announced(), retracted("e1"))
    assert reasons(gone, "2025-12-01", "2025-12-01", 1) == ["e2"]


def test_a_retraction_of_what_neither_state_knew_is_not_a_reason() -> None:
    known = decided_facts(
        CONTROL,
        announced(),
        suspended(on="2025-11-09"),
        retracted("e2"),
        fact(Amended, "2025-10-01", clauses=[clause("2")]),
    )
    assert reasons(known, "2025-12-01", "2025-12-01", 1) == ["e4"]


async def test_changes_that_were_reversed_are_not_listed(api: Api) -> None:
    await api.do("announceExportControl", control())
    suspended = await api.do("suspendExportControl", suspension())
    asked = """query ($from: Position) {
                 changes(from: {position: $from}, to: {validAt: "2025-12-01"}) {
                   totalCount nodes { because { position type } } } }"""
    await api.do(
        "retractEvent", {"eventId": suspended["eventId"], "reason": "misread", "source": source()}
    )
    assert (await api.ask(asked, **{"from": "1"}))["changes"] == {"totalCount": 0, "nodes": []}
    changes = (await api.ask(asked, **{"from": "2"}))["changes"]
    assert changes == {
        "totalCount": 1,
        "nodes": [{"because": [{"position": "3", "type": "ExportControl.Retracted"}]}],
    }


# --- the API


CHANGES = """query ($from: MomentInput!, $to: MomentInput, $commodity: String, $place: String,
                    $kind: EntityKind, $first: Int! = 200, $after: String) {
  changes(from: $from, to: $to, commodity: $commodity, place: $place, kind: $kind, first: $first,
          after: $after) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { entity kind change effectiveDays fields { path before after }
            because { position eventId type source { publisher } }
            before { ...states } after { ...states } } } }
fragment states on State { __typename
  ... on ExportControl { clauses { status } }
  ... on Alliance { name announcements { totalCount } }
  ... on Announcement { title } ... on Figure { claims { value because { eventId } } } }"""


async def changes(
    api: Api, start: dict[str, Any], end: dict[str, Any], **about: Any
) -> dict[str, dict[str, Any]]:
    """Return the changes between two moments by entity, and check that they are complete."""
    found = (await api.ask(CHANGES, **{"from": start, "to": end, **about}))["changes"]
    assert found["totalCount"] == len(found["nodes"])
    return {node["entity"]: node for node in found["nodes"]}


async def test_a_change_says_what_was_what_is_and_because_of_what(api: Api) -> None:
    await api.do("announceExportControl", control())
    recorded = await api.do("suspendExportControl", suspension(suspendedFrom="2025-11-10"))
    change = (await changes(api, {"validAt": "2025-11-01"}, {"validAt": "2025-11-20"}))[CONTROL]
    assert (change["kind"], change["change"]) == ("EXPORT_CONTROL", "CHANGED")
    assert change["effectiveDays"] == ["2025-11-09", "2025-11-10"]
    assert change["before"] == {"__typename": "ExportControl", "clauses": [{"status": "IN_FORCE"}]}
    assert change["after"]["clauses"] == [{"status": "SUSPENDED"}]
    assert {
        "path": ["clauses", "1", "status"],
        "before": "in_force",
        "after": "suspended",
    } in change["fields"]
    assert change["because"] == [
        {
            "position": "2",
            "eventId": recorded["eventId"],
            "type": "ExportControl.Suspended",
            "source": {"publisher": "mofcom"},
        }
    ]


async def test_missing_parts_of_a_moment_are_those_of_the_other_or_now(api: Api) -> None:
    await api.do("announceExportControl", control())
    moment = clock.now().isoformat()
    await api.do("suspendExportControl", suspension(on="2025-11-09"))
    assert list(await changes(api, {"validAt": "2024-12-02"}, {})) == [CONTROL]
    assert await changes(api, {"validAt": "2025-01-01"}, {"validAt": "2025-02-01"}) == {}
    restated = await changes(api, {"knownAt": moment}, {"validAt": "2025-11-20"})
    assert restated[CONTROL]["change"] == "CHANGED"
    assert restated[CONTROL]["effectiveDays"] == []
    assert (
        await changes(api, {"knownAt": moment}, {"validAt": "2025-11-20", "knownAt": moment}) == {}
    )
    assert await changes(api, {}, {}) == {}


async def test_changes_are_narrowed_by_commodity_place_and_kind(corpus: Api) -> None:
    days = {"validAt": "2025-10-01"}, {"validAt": "2025-11-20"}
    everything = await changes(corpus, *days)
    gallium = await changes(corpus, *days, commodity="gallium")
    assert {key for key in gallium if key.startswith("announcement/")} == {
        "announcement/cn-us-2025-11-01-factsheet",
        "announcement/proj-alcoa-sojitz-gallium-2025",
    }
    on_dual_use_items = "export-control/cn-mofcom-2025-21"
    assert {"export-control/cn-mofcom-2024-46", on_dual_use_items} <= gallium.keys()
    assert not any(key.startswith("export-control/cn-mofcom-2025-5") for key in gallium)
    below = await changes(corpus, *days, commodity="rare_earths", kind="EXPORT_CONTROL")
    chinese = {key for key in below if "/cn-" in key}
    assert chinese >= {f"export-control/cn-mofcom-2025-{n}" for n in (56, 57, 61, 62)}
    assert "export-control/mw-2025-raw" in below
    american = await changes(corpus, *days, place="US", kind="EXPORT_CONTROL")
    tariffs = ("us-232-aluminium", "us-232-steel", "us-ieepa-china-2025")
    assert american.keys() == {f"export-control/{id}" for id in ("us-bis-2025-19001", *tariffs)}
    kinds = [
        await changes(corpus, *days, kind=kind)
        for kind in (
            "ALLIANCE",
            "ANNOUNCEMENT",
            "EXPORT_CONTROL",
            "FIGURE",
            "FIRM",
            "OBLIGATION",
            "TARIFF_EDITION",
        )
    ]
    assert sum(map(len, kinds)) == len(everything)


async def test_states_of_a_change_are_of_its_two_moments(api: Api) -> None:
    quad = {"id": "quad", "on": "2021-01-01", "source": source()}
    await api.do("foundAlliance", {**quad, "name": "Quad", "members": ["US"]})
    await api.do(
        "recordAnnouncement",
        {
            "id": "a",
            "on": "2025-07-01",
            "kind": "STATEMENT",
            "title": "A",
            "actors": ["quad"],
            "source": source(),
        },
    )
    await api.do("renameAlliance", {**quad, "on": "2025-08-01", "name": "The Quad"})
    found = await changes(api, {"validAt": "2025-01-01"}, {"validAt": "2025-12-01"})
    renamed, made = found["alliance/quad"], found["announcement/a"]
    assert (renamed["before"], renamed["after"]) == tuple(
        {"__typename": "Alliance", "name": name, "announcements": {"totalCount": count}}
        for name, count in (("Quad", 0), ("The Quad", 1))
    )
    assert (made["before"], made["after"]) == (None, {"__typename": "Announcement", "title": "A"})
    assert [f["path"] for f in made["fields"]] == [[]]


async def test_a_claim_says_because_of_which_event_it_stands(corpus: Api) -> None:
    output = (
        await changes(
            corpus,
            {"validAt": "2025-01-01"},
            {"validAt": "2025-02-28"},
            commodity="rare_earths",
            kind="FIGURE",
        )
    )["figure/rare_earths/CN/production/mine/2023"]
    claims = output["after"]["claims"]
    assert [claim["value"] for claim in claims] == ["240000", "255000"]
    assert claims[1]["because"] == [{"eventId": reason["eventId"]} for reason in output["because"]]


async def test_pages_go_on_after_their_cursor(corpus: Api) -> None:
    asked: dict[str, Any] = {"from": {"validAt": "2025-10-01"}, "to": {"validAt": "2025-11-20"}}
    together = list(await changes(corpus, asked["from"], asked["to"]))
    found, after, more = [], None, True
    while more:
        page = (await corpus.ask(CHANGES, **asked, first=6, after=after))["changes"]
        assert page["totalCount"] == len(together)
        found += [node["entity"] for node in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert found == together


@each_case(
    ("arguments", "code", "path"),
    [
        ('from: {validAt: "2025-13-01"}', "INVALID_DATE", ["from", "validAt"]),
        ('from: {} to: {knownAt: "then"}', "INVALID_DATE", ["to", "knownAt"]),
        ('from: {position: "1"}', "POSITION_AHEAD", ["from", "position"]),
        (
            'from: {} to: {position: "0" knownAt: "2025-01-01T00:00:00Z"}',
            "AMBIGUOUS_TIME",
            ["to", "knownAt"],
        ),
        (
            'from: {validAt: "2025-02-01"} to: {validAt: "2025-01-01"}',
            "END_BEFORE_START",
            ["to", "validAt"],
        ),
        ('from: {} commodity: "unobtainium"', "UNKNOWN_COMMODITY", ["commodity"]),
        ('from: {} place: "XX"', "UNKNOWN_PLACE", ["place"]),
        ("from: {} first: 201", "INVALID_PAGE_SIZE", ["first"]),
        ('from: {} after: "?"', "INVALID_CURSOR", ["after"]),
        ('from: {} after: "cGxhbmV0L21hcnM"', "INVALID_CURSOR", ["after"]),  # planet/mars
        ("", "GRAPHQL_VALIDATION_FAILED", None),
    ],
)
async def test_bad_comparisons_are_refused(
    api: Api, arguments: str, code: str, path: list[str] | None
) -> None:
    brackets = f"({arguments})" if arguments else ""
    assert await api.refused(f"{{ changes{brackets} {{ nodes {{ entity }} }} }}") == (code, path)


async def test_each_field_has_the_day_on_which_it_changed(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    await api.do("suspendExportControl", suspension("x", on="2025-11-05"))
    document = """{ changes(from: {validAt: "2025-11-01"}, to: {validAt: "2025-11-20"}
        orderBy: DAY) { nodes { heldFrom fields { path changedOn } } } }"""
    [change] = (await api.ask(document))["changes"]["nodes"]
    assert change["heldFrom"] == "2025-11-09"
    days = {one["path"][-1]: one["changedOn"] for one in change["fields"]}
    assert days == {
        "suspendedFrom": "2025-11-05",
        "suspendedUntil": "2025-11-05",
        "status": "2025-11-09",
        "returnsOn": "2025-11-09",
    }
    restated = """{ changes(from: {validAt: "2026-01-01", position: "1"},
        to: {validAt: "2026-01-01"}) { nodes { heldFrom fields { path changedOn } } } }"""
    [change] = (await api.ask(restated))["changes"]["nodes"]
    assert {one["changedOn"] for one in change["fields"]} == {None}
    paged = """query ($after: String) {
        changes(from: {validAt: "2024-01-01"}, to: {validAt: "2025-11-20"}, orderBy: DAY_DESC,
                first: 1, after: $after) {
            pageInfo { hasNextPage endCursor } nodes { entity heldFrom } } }"""
    await api.do("announceExportControl", control("y", on="2025-01-01"))
    page = (await api.ask(paged))["changes"]
    rest = (await api.ask(paged, after=page["pageInfo"]["endCursor"]))["changes"]
    assert [one["heldFrom"] for one in (*page["nodes"], *rest["nodes"])] == [
        "2025-11-09",
        "2025-01-01",
    ]
    assert await api.refused(paged, after="eA") == ("INVALID_CURSOR", ["after"])


UPCOMING = """query ($day: Day, $position: Position, $days: Int! = 90, $commodity: String,
                     $place: String, $kind: EntityKind, $first: Int! = 200, $after: String) {
  asOf(validAt: $day, position: $position) { upcoming(
    days: $days, commodity: $commodity, place: $place, kind: $kind, first: $first, after: $after) {
      totalCount pageInfo { endCursor hasNextPage }
      nodes { day entity kind transition clause member fields { path } because { eventId }
              before { __typename ... on ExportControl { clauses { status } } }
              after { __typename ... on ExportControl { clauses { status } } } } } } }"""


async def upcoming(api: Api, day: str | None, days: int = 90, **more: Any) -> list[dict[str, Any]]:
    """Return the upcoming changes after a day, and check that they are complete."""
    found = (await api.ask(UPCOMING, day=day, days=days, **more))["asOf"]["upcoming"]
    assert found["totalCount"] == len(found["nodes"])
    return list(found["nodes"])


def brief(transitions: list[dict[str, Any]]) -> list[tuple[str, str, str, str | None]]:
    """Return day, entity, kind of change and clause."""
    return [
        (t["day"], t["entity"].partition("/")[2], t["transition"], t["clause"]) for t in transitions
    ]


async def test_a_suspended_clause_returns_and_an_announced_ban_begins(corpus: Api) -> None:
    coming = brief(await upcoming(corpus, "2026-11-24", 7))
    assert {turn[:3] for turn in coming} == {("2026-11-28", "cn-mofcom-2024-46", "RETURNS")}
    assert "2" in {clause for *_, clause in coming}
    assert await upcoming(corpus, "2026-11-24", 3) == []
    later = brief(await upcoming(corpus, "2026-11-28", 30))
    assert {turn[:3] for turn in later} == {
        ("2026-12-04", "us-232-polysilicon-2026", "IN_FORCE"),
        ("2026-12-10", "eu-2021-aluminium-converter-foil-ad", "EXPIRES"),
        ("2026-12-24", "eu-2021-aluminium-converter-foil-cvd", "EXPIRES"),
    }
    own = await upcoming(corpus, "2026-11-24", 1000, place="GA")
    [ban] = [turn for turn in own if turn["entity"] == "export-control/ga-2025-mn"]
    assert (ban["day"], ban["transition"], ban["kind"]) == (
        "2029-01-01",
        "IN_FORCE",
        "EXPORT_CONTROL",
    )
    assert ban["because"] == {"eventId": "ga-2025-mn"}
    assert ban["before"]["clauses"] == [{"status": "ANNOUNCED"}]
    assert ban["after"]["clauses"] == [{"status": "IN_FORCE"}]


async def test_nobody_knew_on_20_october_2025_what_would_be_suspended_in_november(
    corpus: Api,
) -> None:
    coming = await upcoming(corpus, "2025-10-20", 60)
    chinese = [
        turn for turn in coming if "/cn-mofcom-2025-5" in turn["entity"] or "-61" in turn["entity"]
    ]
    assert {turn[:3] for turn in brief(chinese)} == {
        *(("2025-11-08", f"cn-mofcom-2025-{n}", "IN_FORCE") for n in (55, 56, 57, 58)),
        ("2025-12-01", "cn-mofcom-2025-61", "IN_FORCE"),
    }
    # A correction has the id of the event that it corrects, and `~2`.
    uncorrected = ("cn-mofcom-2025-57", "cn-mofcom-2025-61")
    ids = [turn["entity"].partition("/")[2] for turn in chinese]
    assert [turn["because"]["eventId"] for turn in chinese] == [
        id if id in uncorrected else f"{id}~2" for id in ids
    ]
    assert "cn-mofcom-2025-57" not in {
        turn[1] for turn in brief(await upcoming(corpus, "2025-11-20", 20))
    }


async def test_facts_recorded_for_a_later_day_are_upcoming(
    services: Services, real_clock: None
) -> None:
    api, today = Api(services), clock.today()
    soon, yesterday = str(today + timedelta(days=10)), str(today - timedelta(days=1))
    await api.do(
        "foundAlliance",
        {"id": "quad", "on": "2021-01-01", "name": "Quad", "members": ["US"], "source": source()},
    )
    await api.do(
        "recordMembership",
        {"id": "quad", "on": soon, "member": "JP", "change": "JOINED", "source": source()},
    )
    [turn] = await upcoming(api, None)
    assert (turn["day"], turn["transition"], turn["member"]) == (soon, "MEMBER_JOINS", "JP")
    assert turn["before"]["__typename"] == turn["after"]["__typename"] == "Alliance"
    assert await upcoming(api, None, position="1") == []
    assert await upcoming(api, yesterday) == []
    await api.do("recordFigure", claim(published_on=soon))
    assert [turn["transition"] for turn in await upcoming(api, None)] == ["MEMBER_JOINS", "APPEARS"]
    assert [turn["transition"] for turn in await upcoming(api, None, kind="FIGURE")] == ["APPEARS"]


async def test_a_clause_is_asked_for_by_its_own_commodities(api: Api) -> None:
    later = {"inForceFrom": "2025-06-01"}
    both = control(
        "x",
        {**control()["clauses"][0], **later},
        {**control()["clauses"][0], **later, "id": "2", "commodities": ["graphite"]},
    )
    await api.do("announceExportControl", both)
    assert [t["clause"] for t in await upcoming(api, "2025-05-01")] == ["1", "2"]
    assert [t["clause"] for t in await upcoming(api, "2025-05-01", commodity="graphite")] == ["2"]
    assert await upcoming(api, "2025-05-01", commodity="lithium") == []
    assert await upcoming(api, "2025-05-01", place="US") == []


async def test_pages_of_what_is_to_come_go_on_after_their_cursor(corpus: Api) -> None:
    together = await upcoming(corpus, "2026-11-01", 60)
    assert await corpus.nodes(UPCOMING, day="2026-11-01", days=60, first=2) == together
    assert len(together) > 4


@each_case(
    ("arguments", "code", "path"),
    [
        ("days: -1", "INVALID_INPUT", ["days"]),
        ("days: 36526", "INVALID_INPUT", ["days"]),
        ('after: "?"', "INVALID_CURSOR", ["after"]),
        ('after: "cXVhZA"', "INVALID_CURSOR", ["after"]),  # quad
        ('place: "XX"', "UNKNOWN_PLACE", ["place"]),
    ],
)
async def test_bad_looks_ahead_are_refused(
    api: Api, arguments: str, code: str, path: list[str]
) -> None:
    document = f"{{ asOf {{ upcoming({arguments}) {{ nodes {{ day }} }} }} }}"
    assert await api.refused(document) == (code, path)


async def test_the_end_of_the_calendar_can_be_looked_at(api: Api) -> None:
    await api.do("announceExportControl", control())
    assert await upcoming(api, "9999-12-30", 36525) == []


@pytest.mark.parametrize("seed", range(2))
async def test_candidates_from_the_database_miss_nothing_past_or_to_come(
    services: Services, seed: int
) -> None:
    world = await project_random_history(services, seed)
    events: dict[str, list[RecordedEvent]] = {}
    async for event in services.recorder.read_all(world.position):
        events.setdefault(event.stream, []).append(event)
    chance, count = Random(seed), {"past": 0, "to come": 0}
    for _ in range(200):
        moment = Moment(chance.choice(WINDOW), chance.randint(0, world.position))
        first = moment.valid_at + timedelta(days=chance.choice((-400, -30, 1, 1, 1, 1, 20)))
        last = first + timedelta(days=chance.choice((5, 30, 400)))
        known = {
            entity: facts_public_by(
                [e for e in all if e.position <= moment.position], moment.valid_at
            )
            for entity, all in events.items()
        }
        expected = [
            turn
            for entity in sorted(known)
            for turn in transitions(entity, known[entity], first - timedelta(days=1), last)
        ]
        found = await services.as_of.transitions.between(moment, first, last, TransitionFilter())
        for turn in found:
            count["past" if turn.day <= moment.valid_at else "to come"] += 1
        assert found == sorted(expected, key=lambda turn: (turn.day, turn.entity, turn.part))
    assert min(count.values()) > 10


GROW = """
WITH told AS (
    SELECT 'figure/' || n AS entity, e * 2000 + n AS position, (e + 1) * 2000 + n AS next,
           date '2020-01-01' + e * 30 + n % 28 AS day, date '2020-01-31' + e * 30 + n % 28 AS last
    FROM generate_series(1, 2000) n, generate_series($1::integer, $2::integer - 1) e
), event AS (
    INSERT INTO log.events (position, event_id, stream, version, type, recorded_at, entry)
    SELECT position, position, entity, position / 2000 + 1, 'Figure.Claimed', now(), '{}' FROM told
)
INSERT INTO versions (entity, kind, commodities, places, sources, clauses, first_day, last_day,
                      since, until, generation, state)
SELECT entity, 'figure', '[]', '[]', '[]', '[]', day, last_day, since, until, since, 'of ' || day
FROM told, LATERAL (VALUES ('infinity', position, next),
                           (last - 1, next, 9223372036854775807)) AS row (last_day, since, until)"""
"""Editions of 2000 figures; each claim has an event and two rows, one closed by the next claim."""

FIGURES = "{figure}"
QUESTIONS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "page": (
        page_statement(BY_NAME, Bounds()),
        (date(2020, 2, 1), 4000, date(2020, 2, 3), 4020, FIGURES, None, None, None, None, 21),
    ),
    "count": (
        COUNT,
        (date(2020, 2, 1), 4000, date(2020, 2, 3), 4020, FIGURES, None, None, None, None),
    ),
    "turning": (WITH_TRANSITIONS, (date(2020, 2, 1), date(2020, 2, 3), 4020, FIGURES)),
}


def scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the nodes of a plan that read a table."""
    inner = [node for part in plan.get("Plans", ()) for node in scans(part)]
    return [plan, *inner] if "Relation Name" in plan else inner


async def plan(connection: Connection, question: str) -> dict[str, Any]:
    """Return the plan of a query on a pooled connection, after its execution."""
    query, arguments = QUESTIONS[question]
    literals = ", ".join("NULL" if value is None else f"'{value}'" for value in arguments)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE question AS {query.rstrip(';')}")
    plan = await connection.fetchval(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE question({literals})"
    )
    await connection.execute("DEALLOCATE question")
    found: dict[str, Any] = json.loads(plan)[0]["Plan"]
    return found


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_question_reads_no_more_however_long_history_grows(
    target: Target, question: str
) -> None:
    connection = await connect(target)
    blocks = []
    for first, last in ((0, 3), (3, 30)):
        await connection.execute(GROW, first, last)
        await connection.execute("VACUUM ANALYZE versions, log.events")
        found = await plan(connection, question)
        names = {node.get("Index Name") for node in scans(found)}
        assert names <= {"elements_key", "events_pkey", "versions_begin", "versions_as_of"}, names
        for node in scans(found):
            keyed = {
                "versions_as_of": "entity =",
                "elements_key": "entity =",
                "events_pkey": "position >",
                "versions_begin": "first_day >",
            }[node["Index Name"]]
            assert keyed in node["Index Cond"].replace('"', ""), node["Index Cond"]
        blocks.append(found["Shared Hit Blocks"] + found["Shared Read Blocks"])
    assert 0 < blocks[1] < blocks[0] * 1.5, blocks
    await connection.close()
