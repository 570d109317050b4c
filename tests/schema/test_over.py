"""Many moments in one query: `over` days, and `overKnown` positions."""

import asyncio
import gc
import itertools
import warnings
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from graphql import parse
from hypothesis import given
from hypothesis import strategies as st

from projections.query.moment import Moment, MomentSeries
from projections.query.steps import MAX_MOMENTS, Step, days_by_step
from schema.execution.document_cost import cost
from schema.execution.schema import CORE_SCHEMA
from schema.root.as_of import export_controls
from schema.root.over import MAX_FIELDS_AT_WORK
from schema.services import Services
from tests.support.api import Api, claim, clause, control
from tracker import clock

SELECTIONS = (
    "position validAt digest counts { exportControls }",
    'exportControls(commodity: "gallium") { totalCount edges { cursor matchingClauses { key }'
    " node { id key clauses { key status assumed } because { position } } } }",
    'exportControls(commodity: "gallium", first: 3) { edges { cursor matchingClauses { key status }'
    " node { key } } nodes { key title clauses { key status measure commodities { key } } } }",
    'exportControls(commodity: "gallium", status: IN_FORCE, last: 2, orderBy: TITLE) { nodes { key'
    " clauses(status: IN_FORCE) { key } } pageInfo { hasPreviousPage startCursor } totalCount }",
    'exportControls(firm: "MP Materials") { nodes { key } }',
    'exportControls(issuer: "CN", destination: "US", first: 3, orderBy: ANNOUNCED_ON_DESC)'
    " { nodes { title } pageInfo { hasNextPage endCursor } }",
    'exportControls(first: 2) { totalCount nodes { key clauses(commodity: "graphite") { key } } }',
    'announcements(actor: "quad", last: 2) { totalCount nodes { id title } }',
    'alliance(id: "msp") { id members { place { code } } membership(place: "FR") { kind }'
    " announcements { totalCount } }",
    'alliances(member: "JP") { nodes { key status } }',
    'figures(commodity: "rare_earths", place: "CN", first: 4) { totalCount nodes { id preferred'
    " { value publisher } } }",
    'claims(commodity: "rare_earths", place: "CN", first: 3) { nodes { value preferred } }',
    'production(commodity: "rare_earths", year: 2023) { world { value } figures { value share } }',
    'productions(commodities: ["gallium", "tin"], years: {from: 2021, to: 2023}) { stage year'
    ' available { years } total { difference } share(of: {alliance: "msp"}) { share shareAtMost'
    " missing { place { code } } } }",
    'supplies(commodity: "gallium") { stage years claims } revisions(commodity: "gallium", first: 5)'
    ' { nodes { change before { edition } } } exposures(commodity: "gallium", destinations: ["US",'
    ' "JP"]) { supplies { controlledShare } }',
    'exposure(commodity: "gallium") { controlledShare places { place { code } } }',
    'importExposure(importer: "US", commodity: "gallium", figures: "MCS 2026") { lists { lower upper'
    ' origins { place { code } controls { status } } } } reliance(importer: "US", commodity: "gallium")'
    " { lines { points { year claim { value } } } }",
    'node(id: "YWxsaWFuY2UvcXVhZA") { id ... on Alliance { name } }',
    "preferences { nodes { id key } } firms(first: 2) { nodes { name clauses { clause { key } } } }",
)


@pytest.mark.parametrize("selection", SELECTIONS)
async def test_each_day_has_the_answer_that_it_has_alone(corpus: Api, selection: str) -> None:
    asked = await corpus.ask(
        'query { over(from: "2022-11-30", to: "2025-11-30", step: QUARTER, position: "10755")'
        f" {{ day: validAt {selection} }} }}"
    )
    days = [one["day"] for one in asked["over"]]
    assert days[:3] == ["2022-11-30", "2023-02-28", "2023-05-30"]
    assert days[-1] == "2025-11-30"
    for day, together in zip(days, asked["over"], strict=True):
        alone = await corpus.ask(
            f'query {{ asOf(validAt: "{day}", position: "10755") {{ day: validAt {selection} }} }}'
        )
        assert together == alone["asOf"]


async def test_the_days_of_transitions_are_those_on_which_the_answer_changes(corpus: Api) -> None:
    told = (
        'exportControls(commodity: "gallium", issuer: "CN")'
        ' { nodes { key clauses(commodity: "gallium") { key status } } }'
    )
    asked = await corpus.ask(
        'query { over(from: "2023-01-01", to: "2025-12-31", atTransitions: {commodity: "gallium",'
        f' issuer: "CN"}}) {{ day: validAt {told} }} daily: over(from: "2025-10-01", to: "2025-12-31",'
        f" step: DAY) {{ day: validAt {told} }} }}"
    )
    stops = [one["day"] for one in asked["over"]]
    assert stops[0] == "2023-01-01"
    assert "2023-08-01" in stops
    assert len(stops) < 40
    daily = asked["daily"]
    assert len(daily) == 92
    turned = [
        today["day"]
        for before, today in itertools.pairwise(daily)
        if before["exportControls"] != today["exportControls"]
    ]
    assert turned
    assert set(turned) <= set(stops)


async def test_a_figure_has_a_state_at_each_position(services: Services) -> None:
    api = Api(services)
    await api.do("recordFigure", claim("240000"))
    await api.do("recordFigure", claim("255000", edition="MCS 2025"))
    await api.do("announceExportControl", control("x", clause("1")))
    figure = "rare_earths/CN/production/mine/2023"
    asked = await api.ask(
        f'{{ overKnown(entity: "figure/{figure}", validAt: "2025-06-01") {{ position figure(id:'
        f' "{figure}") {{ preferred {{ value }} }} }} }}'
    )
    assert asked["overKnown"] == [
        {"position": "1", "figure": {"preferred": {"value": "240000"}}},
        {"position": "2", "figure": {"preferred": {"value": "255000"}}},
    ]
    start = (clock.now() - timedelta(days=2)).isoformat()
    by_day = await api.ask(
        "query ($from: DateTime!) { overKnown(from: $from, step: DAY) { position } }",
        **{"from": start},
    )
    assert by_day["overKnown"] == [{"position": "0"}, {"position": "3"}]


async def test_an_answer_has_the_first_and_the_last_moment(corpus: Api) -> None:
    answer = await corpus.post(
        '{ over(from: "2025-01-01", to: "2025-03-01", step: MONTH, position: "10") { validAt } }'
    )
    assert answer["extensions"]["moments"] == {
        "over": {
            "from": {"position": "10", "validAt": "2025-01-01"},
            "to": {"position": "10", "validAt": "2025-03-01"},
        }
    }


@pytest.mark.parametrize(
    ("arguments", "code", "path"),
    [
        ('from: "2025-01-01"', "AMBIGUOUS_MOMENTS", ["step"]),
        ('from: "2025-01-01", step: DAY, atTransitions: {}', "AMBIGUOUS_MOMENTS", ["step"]),
        ('from: "2025-02-01", to: "2025-01-01", step: DAY', "END_BEFORE_START", ["to"]),
        ('from: "2025-02-01", to: "2025-01-01", atTransitions: {}', "END_BEFORE_START", ["to"]),
        ('from: "2025-02-31", step: DAY', "INVALID_DATE", ["from"]),
        ('from: "1900-01-01", step: DAY', "TOO_MANY_MOMENTS", ["first"]),
        (
            'from: "2024-01-01", to: "2025-01-01", step: MONTH, first: 12',
            "TOO_MANY_MOMENTS",
            ["first"],
        ),
        ('from: "2024-01-01", atTransitions: {}, first: 3', "TOO_MANY_MOMENTS", ["first"]),
        ('from: "2024-01-01", step: YEAR, first: 0', "INVALID_INPUT", ["first"]),
        ('from: "2024-01-01", step: YEAR, first: 401', "INVALID_INPUT", ["first"]),
        ('from: "2024-01-01", step: YEAR, position: "99999999"', "POSITION_AHEAD", ["position"]),
        (
            'from: "2024-01-01", atTransitions: {commodity: "unobtainium"}',
            "UNKNOWN_COMMODITY",
            ["atTransitions", "commodity"],
        ),
    ],
)
async def test_a_receipt_without_moments_is_refused(
    corpus: Api, arguments: str, code: str, path: list[str]
) -> None:
    assert await corpus.refused(f"{{ over({arguments}) {{ validAt }} }}") == (code, path)


async def test_known_moments_that_cannot_be_are_refused(corpus: Api) -> None:
    for arguments, expected in (
        ("step: DAY", ("REQUIRED", ["from"])),
        ("", ("AMBIGUOUS_MOMENTS", ["step"])),
        (
            'from: "2024-01-01T00:00:00Z", to: "2023-01-01T00:00:00Z", step: DAY',
            ("END_BEFORE_START", ["to"]),
        ),
    ):
        call = f"overKnown({arguments})" if arguments else "overKnown"
        assert await corpus.refused(f"{{ {call} {{ validAt }} }}") == expected


@given(st.dates(), st.integers(0, 800), st.sampled_from(Step))
def test_days_are_a_step_apart(first: date, length: int, step: Step) -> None:
    last = min(date.max, first + timedelta(min(length, (date.max - first).days)))
    days = days_by_step(first, last, step)
    assert days[0] == first
    assert days == sorted(set(days))
    assert days[-1] <= last
    apart = {Step.DAY: (1, 1), Step.WEEK: (7, 7), Step.MONTH: (28, 31), Step.QUARTER: (89, 92)}
    least, most = apart.get(step, (365, 366))
    pairs = list(itertools.pairwise(days))
    assert all(least <= (later - day).days <= most for day, later in pairs)
    if len(days) <= MAX_MOMENTS and days[-1] < date.max - timedelta(366):
        assert (last - days[-1]).days < most


def of(arguments: str, **variables: Any) -> int:
    text = f"query {{ over({arguments}) {{ exportControls(first: 10) {{ nodes {{ key }} }} }} }}"
    return cost(CORE_SCHEMA, parse(text), variables)


def test_four_moments_cost_what_one_does() -> None:
    inside = of('from: "2025-01-01", to: "2025-01-01", step: DAY') - 1
    assert inside == 1 + 10 * (1 + 1)
    assert of('from: "2021-01-01", to: "2025-12-01", step: MONTH') == 1 + 15 * inside
    assert of('from: "2021-01-01", to: "2025-12-01", step: MONTH, first: 7') == 1 + 2 * inside
    assert of('from: "2021-01-01", atTransitions: {}') == 1 + 25 * inside
    assert of('from: "2021-01-01", atTransitions: {}, first: 50') == 1 + 13 * inside
    assert of('from: "soon", step: DAY, first: 400') == 1 + 100 * inside
    given = 'from: $from, to: "2025-12-01", step: $step, first: $n'
    assert of(given, **{"from": "2021-01-01", "step": "MONTH", "n": 300}) == 1 + 15 * inside


async def test_too_many_moments_of_too_much_are_refused(corpus: Api) -> None:
    document = (
        "query ($from: Day!) { over(from: $from, step: MONTH, first: 400)"
        " { exportControls(first: 200) { nodes { key title direction } } } }"
    )
    answer = await corpus.post(document, **{"from": "2000-01-01"})
    assert answer["errors"][0]["extensions"]["code"] == "TOO_COSTLY"
    assert orjson.dumps(answer).count(b"TOO_COSTLY") == 1


async def test_nothing_that_is_kept_longer_than_a_question_keeps_what_its_moments_read(
    corpus: Api, read_services: Services
) -> None:
    for selection in (
        *SELECTIONS,
        'search(text: "gallium") { totalCount }',
        'supplies(commodity: "gallium") { years }',
        "horizons(groupBy: [ISSUER]) { totalCount }",
        "editions { totalCount }",
    ):
        await corpus.ask(
            f'{{ over(from: "2025-01-01", to: "2025-03-01", step: MONTH) {{ {selection} }} }}'
        )
    gc.collect()
    assert not [kept for kept in gc.get_objects() if isinstance(kept, MomentSeries)]


@pytest.mark.parametrize(
    ("named", "variables"),
    [('"gallium"', {}), ("$of", {"of": "gallium"})],
    ids=("said", "variable"),
)
async def test_parts_that_are_equal_for_all_days_are_resolved_once(
    corpus: Api, monkeypatch: pytest.MonkeyPatch, named: str, variables: dict[str, str]
) -> None:
    asked: list[date] = []

    def clause_query(info: Any, filters: Any, moment: Moment) -> Any:
        asked.append(moment.valid_at)
        return plain(info, filters, moment)

    plain = export_controls.clause_query
    monkeypatch.setattr(export_controls, "clause_query", clause_query)
    given = "($of: String)" if variables else ""
    answer = await corpus.ask(
        f'query {given} {{ over(from: "2021-01-01", to: "2025-12-01", step: MONTH, position: "10755")'
        f" {{ validAt exportControls(commodity: {named}) {{ nodes {{ id key }} }} }} }}",
        **variables,
    )
    assert asked == [date(2021, 1, 1)]
    assert len(answer["over"]) == 60
    assert (
        len({tuple(of["key"] for of in one["exportControls"]["nodes"]) for one in answer["over"]})
        > 5
    )
    ids = [of["id"] for one in answer["over"] for of in one["exportControls"]["nodes"]]
    assert len(ids) == len(set(ids))


async def test_an_error_of_every_day_is_reported_once(corpus: Api) -> None:
    answer = await corpus.post(
        '{ over(from: "2025-01-01", to: "2025-03-01", step: MONTH)'
        ' { validAt exportControls(commodity: "gallium", first: 999) { nodes { key } } } }'
    )
    [error] = answer["errors"]
    assert error["path"] == ["over", 0, "exportControls"]
    assert error["extensions"]["code"] == "INVALID_PAGE_SIZE"
    assert answer["data"] is None


async def test_few_moments_are_worked_on_at_a_time(
    corpus: Api, read_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work = most = 0

    async def digest(_: Moment) -> str:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        return "digest"

    monkeypatch.setattr(read_services.as_of, "digest", digest)
    for many in ('over(from: "2021-01-01", step: MONTH)', 'overKnown(entity: "alliance/quad")'):
        answer = await corpus.ask(f"{{ many: {many} {{ first: digest second: digest }} }}")
        assert {"first": "digest", "second": "digest"} in answer["many"]
    assert 1 < most <= MAX_FIELDS_AT_WORK


async def test_queued_work_is_abandoned_with_the_query(
    corpus: Api, read_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = asyncio.Event()

    async def digest(_: Moment) -> str:
        began.set()
        await asyncio.Event().wait()
        return "never"

    monkeypatch.setattr(read_services.as_of, "digest", digest)
    document = '{ over(from: "2021-01-01", step: MONTH) { digest } }'
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asking = asyncio.create_task(corpus.post(document))
        await began.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        gc.collect()
