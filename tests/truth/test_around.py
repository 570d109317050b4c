"""Events around a subject, and references to firms, compared with the oracle.

pytest tests/truth/test_around.py --hypothesis-profile long --timeout 0
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import settings

from tests.support.api import Api
from tests.truth.conftest import CompareHistory, Log
from tests.truth.oracle.around import Entry, entries
from tests.truth.oracle.around_answers import compare_around
from tests.truth.oracle.compare import expect_no
from tests.truth.oracle.events import CountingEvent, counting_events
from tests.truth.oracle.firm_answers import compare_firm
from tests.truth.oracle.firm_histories import ASKED, any_firm_command
from tests.truth.oracle.histories import record_all
from tests.truth.oracle.law_histories import record_law
from tests.truth.oracle.queries import log_of
from tests.truth.test_law import day_of_history

ROUNDS = settings().max_examples // 20
HISTORIES = range(ROUNDS // 2)
"""Fixed seeds of histories."""
NAMES = 2 * ROUNDS
"""Number of tested firm names in the shipped data."""
AROUND: tuple[dict[str, Any], ...] = (
    *({"commodity": one} for one in ("rare_earths", "nickel", "critical_minerals")),
    *({"place": one} for one in ("US", "EU")),
    *({"alliance": "quad"}, {"place": "CN", "commodity": "gallium"}),
)


@pytest.mark.parametrize("seed", HISTORIES)
def test_events_of_firms_equal_a_second_reading(compare_history: CompareHistory, seed: int) -> None:
    async def compare(api: Api, chance: Random) -> list[str]:
        log = await record_law(api, chance, 4)
        for number in range(0, 40, 10):
            wanted = [any_firm_command(chance, log, number + n) for n in range(10)]
            await record_all(api, wanted, f"firms-{number}")
            log = await log_of(api)
        found = []
        for _ in range(2):
            at = day_of_history(chance), chance.choice((len(log), chance.randint(1, len(log))))
            known = counting_events(log, at[1])
            found += await compare_firms(api, known, entries(known, at[0]), at, ASKED)
        return found

    compare_history(seed, compare)


async def test_events_of_goods_places_and_firms_equal_a_second_reading(
    api: Api, shipped_log: Log
) -> None:
    chance, log = Random(7), shipped_log
    known, at = counting_events(log, len(log)), (date(2026, 6, 1), len(log))
    every = entries(known, at[0])
    found = []
    for asked in AROUND:
        found += await compare_around(api, known, every, at, asked)
    named = sorted({firm for entry in every for firm in entry.firms})
    expect_no(found + await compare_firms(api, known, every, at, chance.sample(named, NAMES)))


async def compare_firms(
    api: Api, known: list[CountingEvent], every: list[Entry], at: tuple[date, int], names: Any
) -> list[str]:
    """Return the differences in references to firms, and in events around them."""
    found = []
    for name in names:
        found += await compare_firm(api, known, every, at, name)
        found += await compare_around(api, known, every, at, {"firm": name})
    return found
