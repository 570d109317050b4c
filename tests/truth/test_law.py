"""Instruments at any moment, compared with the oracle.

The oracle (`tests/truth/oracle`) uses the documentation, the events as JSON and the declared data, and
nothing of the product. It checks the shipped data and random histories. To test more of both:

    pytest tests/truth/test_law.py --hypothesis-profile long --timeout 0
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import settings

from tests.support.api import Api
from tests.truth.conftest import CompareHistory, Log
from tests.truth.oracle.cause_answers import (
    ask_reasons,
    ask_transitions,
    expected_reasons,
    expected_transitions,
)
from tests.truth.oracle.compare import differences, expect_no
from tests.truth.oracle.events import CountingEvent, counting_events, first_day
from tests.truth.oracle.law import instruments
from tests.truth.oracle.law_answers import (
    ask_changes,
    ask_instruments,
    ask_matching,
    ask_statuses,
    ask_turns,
    expected_changes_of_law,
    expected_instruments,
    expected_statuses,
    expected_turns,
    of_law,
    turns,
)
from tests.truth.oracle.law_histories import COMMODITIES, DAYS, record_law
from tests.truth.oracle.matching import listed, worded
from tests.truth.oracle.sources import compare_sources, of_instruments

ROUNDS = settings().max_examples // 20
HISTORIES = range(2 * ROUNDS)
"""Fixed seeds of histories."""
CHUNKS = 6
MOMENTS = 5
"""Number of moments per history."""
LISTS = 12
"""Number of lists at each moment of the shipped data."""
FIRST_DAY, LAST_DAY = date(1995, 1, 1), date(2100, 1, 1)
Moment = tuple[date, int]


@pytest.mark.parametrize("seed", HISTORIES)
def test_clauses_are_as_a_second_reading_of_their_acts_has_them(
    compare_history: CompareHistory, seed: int
) -> None:
    async def compare(api: Api, chance: Random) -> list[str]:
        log = await record_law(api, chance, CHUNKS)
        found = []
        for _ in range(MOMENTS):
            one, other = ((day_of_history(chance), chance.randint(1, len(log))) for _ in range(2))
            found += await compare_at(api, log, one, other, chance.choice((30, 400)))
            found += await compare_lists(api, chance, log, one, COMMODITIES, 2)
        of = instruments(of_law(counting_events(log, one[1])), one[0])
        found += await compare_sources(api, one, of_instruments(of))
        return found + await compare_reasons(api, log, one)

    compare_history(seed, compare)


async def test_shipped_clauses_are_as_a_second_reading_of_their_acts_has_them(
    api: Api, shipped_log: Log
) -> None:
    chance, log = Random(7), shipped_log
    law = of_law(counting_events(log, len(log)))
    named = [one for event in law for clause in _clauses(event) for one in clause["commodities"]]
    found = []
    for _ in range(ROUNDS):
        one, other = (shipped_moment(chance, law, len(log)) for _ in range(2))
        found += await compare_at(api, log, one, other, chance.choice((5, 40)))
        found += await compare_lists(api, chance, log, one, sorted({*named}), LISTS)
    expect_no(found + await compare_reasons(api, log, shipped_moment(chance, law, len(log))))


async def test_no_shipped_clause_is_in_force_on_days_of_its_suspensions(
    api: Api, shipped_log: Log
) -> None:
    log = shipped_log
    day = LAST_DAY.replace(year=2026)
    of = instruments(of_law(counting_events(log, len(log))), day)
    clauses = worded(of, day)
    for suspension in (s for c in clauses for s in c.of.suspensions if s.first <= s.last):
        asked = {"inForce": {"first": suspension.first, "last": min(suspension.last, LAST_DAY)}}
        must, may = listed(clauses, asked, day)
        assert must == may == await ask_matching(api, day, len(log), asked), asked


async def test_no_shipped_amendment_leaves_days_on_which_a_clause_says_nothing(
    api: Api, shipped_log: Log
) -> None:
    """An amended clause in force stays in force until the new wording applies, if that has an
    `effectiveFrom`."""
    law = of_law(counting_events(log := shipped_log, len(log)))
    found = [
        f"{day} {key}/{name}"
        for day, key, name, *statuses in turns(law, FIRST_DAY, LAST_DAY)
        if statuses == ["in_force", "announced"]
    ]
    assert found == []


async def compare_at(api: Api, log: Log, one: Moment, other: Moment, days: int) -> list[str]:
    """Return the differences at a moment, between it and another, and in its upcoming changes."""
    day, position = one
    law = of_law(counting_events(log, position))
    found = differences(
        expected_instruments(law, day), await ask_instruments(api, *one), (f"{day}@{position}",)
    )
    wrong = list(found)
    expected, coming = expected_turns(law, day, days), await ask_turns(api, *one, days)
    wrong += [f"{day}@{position} in {days} days: {turn}" for turn in sorted(expected ^ coming)]
    wrong += differences(
        expected_statuses(law, day), await ask_statuses(api, *one), (f"statuses {day}@{position}",)
    )
    (first, last), (since, until) = sorted((day, other[0])), sorted((position, other[1]))
    earlier, later = (of_law(counting_events(log, end)) for end in (since, until))
    differing = expected_changes_of_law(
        instruments(earlier, first), first, instruments(later, last), last
    )
    changes = await ask_changes(api, (first, since), (last, until))
    return wrong + list(differences(differing, changes, (f"{first}@{since} to {last}@{until}",)))


async def compare_reasons(api: Api, log: Log, at: Moment) -> list[str]:
    """Return the differences in causes of transitions and of clause statuses."""
    known, day = counting_events(log, at[1]), at[0]
    compared = (
        (expected_transitions(of_law(known), day), await ask_transitions(api, *at)),
        (expected_reasons(known, day), await ask_reasons(api, *at)),
    )
    return [
        one
        for expected, answer in compared
        for one in differences(
            expected | {"of": sorted(expected)}, answer | {"of": sorted(answer)}, (f"why {at}",)
        )
    ]


async def compare_lists(
    api: Api, chance: Random, log: Log, at: Moment, commodities: Any, count: int
) -> list[str]:
    """Return the clauses in lists that differ from the oracle's."""
    day, position = at
    clauses = worded(instruments(of_law(counting_events(log, position)), day), day)
    wrong = []
    for _ in range(count):
        asked = any_filter(chance, commodities, day)
        must, may = listed(clauses, asked, day)
        answer = await ask_matching(api, day, position, asked)
        if missing := must - answer:
            wrong.append(f"{day}@{position} {asked}: lacks {sorted(missing)}")
        if extra := answer - may:
            wrong.append(f"{day}@{position} {asked}: has {sorted(extra)}")
    return wrong


FILTERS = {
    "form": (0.3, ("ORE", "CONCENTRATE", "METAL", "OXIDE", "ALLOY", "MAGNET", "SCRAP")),
    "hsCode": (0.2, ("2604", "280530", "2825", "720241", "8112", "7404", "850511", "81129210")),
    "issuer": (0.3, ("CN", "US", "ID", "CD", "EU", "RU")),
    "status": (0.3, ("IN_FORCE", "SUSPENDED", "ANNOUNCED", "EXPIRED", "REPEALED")),
    "measure": (0.2, ("BAN", "DUAL_USE_LICENCE", "QUOTA", "TARIFF", "LICENCE")),
    "covers": (0.2, ("GOODS", "TECHNOLOGY", "EQUIPMENT")),
    "direction": (0.2, ("EXPORT", "IMPORT", "PRODUCTION")),
    "destination": (0.3, ("US", "DE", "GB", "EU", "JP", "CN")),
    "origin": (0.2, ("CN", "DE", "GB", "EU", "ID", "US")),
}
"""Frequencies of filters, with their values."""


def any_filter(chance: Random, commodities: Any, day: date) -> dict[str, Any]:
    """Return random arguments of a list."""
    asked: dict[str, Any] = {
        name: chance.choice(words)
        for name, (often, words) in FILTERS.items()
        if chance.random() < often
    }
    if chance.random() < 0.3:
        first = day + timedelta(days=chance.choice((-4000, -900, -300, -30, 0, 40, 300)))
        asked["inForce"] = {"first": first, "last": first + timedelta(days=chance.choice((0, 60)))}
    if not asked or chance.random() < 0.6:
        asked["commodity"] = chance.choice(commodities)
    return asked


def day_of_history(chance: Random) -> date:
    """Return a day of an event or beside one, or any other."""
    if chance.random() < 0.5:
        return date(2023, 12, 31) + timedelta(days=chance.randrange(1400))
    return first_day(chance.choice(DAYS)) + timedelta(days=chance.choice((-1, 0, 1)))


def shipped_moment(chance: Random, law: list[CountingEvent], head: int) -> Moment:
    """Return a day soon after an act, and a position."""
    day = max(FIRST_DAY, chance.choice(law).day)
    position = chance.choice((head, head, chance.choice(law).position))
    return day + timedelta(days=chance.choice((-1, 0, 1, 10, 100, 400))), position


def _clauses(event: CountingEvent) -> list[dict[str, Any]]:
    return [one for one in event.data.get("clauses", []) if isinstance(one, dict)]
