"""Figures at any moment, compared with the oracle.

The oracle (`tests/truth/oracle`) uses the documentation and the events as JSON, and nothing of the
product. To test more histories:

    pytest tests/truth/test_figures.py --hypothesis-profile long --timeout 0
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import settings

from tests.support.api import Api
from tests.truth.conftest import CompareHistory
from tests.truth.oracle.claims import figures
from tests.truth.oracle.compare import differences
from tests.truth.oracle.edition_answers import compare_editions, compare_revisions
from tests.truth.oracle.events import CountingEvent, counting_events
from tests.truth.oracle.expected import (
    distribution_of,
    expected_changes,
    expected_figure,
    expected_group,
    expected_production,
    expected_supplies,
    expected_upcoming,
    figure_answer,
    production_answer,
    supplies_answer,
)
from tests.truth.oracle.histories import COMMODITIES, record
from tests.truth.oracle.queries import GROUP, ask_moment, figure_field, production_field
from tests.truth.oracle.sources import compare_sources, of_figures

HISTORIES = range(settings().max_examples // 20)
"""Fixed seeds of histories."""
MOMENTS = 5
"""Number of moments per history."""
EVENTS = 75
GROUPS = ("CN", "US", "CA", "US_CA", "EU", "DE", "JP")
DAY_RANGE = (date(2023, 1, 1), 900)
Log = list[dict[str, Any]]


@pytest.mark.parametrize("seed", HISTORIES)
def test_figures_are_as_a_second_reading_of_the_log_has_them(
    compare_history: CompareHistory, seed: int
) -> None:
    async def compare(api: Api, chance: Random) -> list[str]:
        log = await record(api, chance, EVENTS)
        at = any_day(chance), len(log)
        public = figures(counting_events(log, at[1]), at[0])
        found = await compare_sources(api, at, of_figures(public))
        for _ in range(MOMENTS):
            found += await compare_at_a_moment(api, chance, log)
        return found

    compare_history(seed, compare)


async def compare_at_a_moment(api: Api, chance: Random, log: Log) -> list[str]:
    """Return the differences at a random moment, each with its query."""
    day, position = any_day(chance), chance.randint(1, len(log))
    known = counting_events(log, position)
    public = figures(known, day)
    where = f"{day} at {position}"
    found = []
    for key in chance.sample(sorted(public), min(4, len(public))):
        answer = await ask_moment(api, day, position, figure_field(key))
        expected, got = expected_figure(public[key]), figure_answer(answer["figure"])
        found += list(differences(expected, got, (where, key)))
    for commodity in COMMODITIES:
        kind = chance.choice(("places", "allBut"))
        places = chance.sample(GROUPS, chance.randint(1, 4))
        asked = (
            commodity,
            chance.choice((2021, 2022, None)),
            chance.choice((None, "mine", "refinery")),
            None,
        )
        group = f"group: share(of: {{{kind}: {json.dumps(places)}}}) {{ {GROUP} }}"
        answer = await ask_moment(api, day, position, production_field(*asked, group))
        expected = expected_production(public, day, *asked)
        expected["group"] = expected_group(distribution_of(public, day, *asked), kind, places)
        got = production_answer(answer["production"])
        found += list(differences(expected, got, (where, *map(str, asked), kind, *places)))
    found += await compare_many_days(api, chance, known, day, position)
    asked = chance.choice(({}, {"publisher": "bgs"}, {"commodity": chance.choice(COMMODITIES)}))
    found += await compare_editions(api, public, (day, position), asked)
    found += await compare_revisions(api, public, (day, position), chance.choice(COMMODITIES))
    return found + await compare_lists(api, chance, log, day, position)


async def compare_many_days(
    api: Api, chance: Random, known: list[CountingEvent], day: date, position: int
) -> list[str]:
    """Return the differences on days a month apart in one query."""
    commodity = chance.choice(COMMODITIES)
    answer = await api.ask(
        f"""{{ over(from: "{day}", to: "{day + timedelta(days=100)}", step: MONTH,
            position: "{position}") {{ validAt {production_field(commodity, None)} }} }}"""
    )
    found = []
    for moment in answer["over"]:
        on = date.fromisoformat(moment["validAt"])
        expected = expected_production(figures(known, on), on, commodity, None, None, None)
        got = production_answer(moment["production"])
        found += list(differences(expected, got, (f"over {on} at {position}", commodity)))
    return found if len(answer["over"]) == 4 else [*found, f"over {day}: not 4 moments"]


async def compare_lists(api: Api, chance: Random, log: Log, day: date, position: int) -> list[str]:
    """Return the differences in supplies, in upcoming changes, and between two moments."""
    days, later = chance.choice((30, 400)), any_day(chance)
    answer = await ask_moment(
        api,
        day,
        position,
        f"""supplies {{ commodity {{ key }} stage form years places hasWorldTotal figures claims
                publishers unit basis units {{ unit basis claims }} }}
            upcoming(days: {days}, kind: FIGURE, first: 200) {{
                nodes {{ day entity transition because {{ position }} }} }}""",
    )
    where = f"{day} at {position}"
    known = counting_events(log, position)
    found = list(
        differences(
            expected_supplies(figures(known, day)),
            supplies_answer(answer["supplies"]),
            (where, "supplies"),
        )
    )
    upcoming = {
        f"{node['day']} {node['entity']}": node["transition"]
        for node in answer["upcoming"]["nodes"]
    }
    coming = expected_upcoming(known, day, days)
    found += list(
        differences(
            coming | {"count": len(coming)},
            upcoming | {"count": len(upcoming)},
            (where, "upcoming"),
        )
    )
    first, last = sorted((day, later))
    earlier, head = sorted((position, chance.randint(1, len(log))))
    changes = await api.ask(
        f"""{{ changes(from: {{validAt: "{first}", position: "{earlier}"}},
            to: {{validAt: "{last}", position: "{head}"}}, kind: FIGURE, first: 200) {{
            nodes {{ entity change }} }} }}"""
    )
    got = {node["entity"]: node["change"] for node in changes["changes"]["nodes"]}
    expected = expected_changes(
        figures(counting_events(log, earlier), first), figures(counting_events(log, head), last)
    )
    return found + list(
        differences(expected, got | {"count": len(got)}, (f"{first}@{earlier} to {last}@{head}",))
    )


def any_day(chance: Random) -> date:
    """Return a random day while editions are published, often one with an event."""
    days = ("2024-01-30", "2024-01-31", "2024-02-01", "2025-01-31")
    if chance.random() < 0.2:
        return date(2098, 12, 31) + timedelta(days=chance.randrange(100))
    if chance.random() < 0.4:
        return date.fromisoformat(chance.choice(days))
    start, length = DAY_RANGE
    return start + timedelta(days=chance.randrange(length))
