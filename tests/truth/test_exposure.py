"""World supply under controls, compared with the oracle's result from clauses and figures.

The clauses and their statuses come from the tracker, at the same moment. The oracle computes their
coverage of a supply by itself (`tests/truth/oracle/exposure.py`).
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import settings

from tests.support.api import Api
from tests.truth.conftest import Log
from tests.truth.oracle.claims import figures
from tests.truth.oracle.compare import differences, expect_no
from tests.truth.oracle.events import counting_events
from tests.truth.oracle.exposure import (
    EXPOSURE,
    Question,
    ask_controls,
    expected_exposure,
    exposure_answer,
)
from tests.truth.oracle.goods import are_related
from tests.truth.oracle.queries import ask_moment

MOMENTS = settings().max_examples // 20
QUESTIONS = 5
"""Number of queries per moment."""
OVERLAPPING = ("nickel", "ferroalloys", "niobium")
"""Goods that clauses on other goods cover in part."""
FIRST_DAY = date(1995, 1, 1)


async def test_exposure_is_as_a_second_reading_of_clauses_and_figures_has_it(
    api: Api, shipped_log: Log
) -> None:
    chance, log = Random(7), shipped_log
    found = []
    for _ in range(MOMENTS):
        position = chance.choice((len(log), len(log), chance.randint(5000, len(log))))
        known = counting_events(log, position)
        turns = [e.day for e in known if e.type.startswith("ExportControl.")]
        day = max(FIRST_DAY, chance.choice(turns)) + timedelta(days=chance.choice((0, 0, 1, 40)))
        controls, public = await ask_controls(api, day, position), figures(known, day)
        for _ in range(QUESTIONS):
            question = any_question(chance, day, controls)
            asked = arguments(question)
            answer = await ask_moment(api, day, position, f"exposure({asked}) {{ {EXPOSURE} }}")
            expected = expected_exposure(question, controls, public)
            got = exposure_answer(answer["exposure"])
            found += list(differences(expected, got, (f"{day} at {position}", asked)))
    expect_no(found)


async def test_accounts_that_differ_are_those_that_are_public_and_about_the_goods(
    api: Api, shipped_log: Log
) -> None:
    log = shipped_log
    for day in (date(2019, 1, 1), date(2020, 5, 25), date(2025, 6, 1), date(2026, 3, 1)):
        disputes = [
            event
            for event in counting_events(log, len(log))
            if event.type == "ExportControl.Disputed" and event.day <= day
        ]
        named = {one for event in disputes for one in event.data["commodities"]}
        for commodity in (None, "gallium", "rare_earths", "critical_minerals", *sorted(named)):
            narrowed = f', commodity: "{commodity}"' if commodity else ""
            answer = await ask_moment(
                api,
                day,
                len(log),
                f"disputes(first: 200{narrowed}) {{ nodes {{ dispute {{ position }} }} }}",
            )
            expected = {
                event.position
                for event in disputes
                if commodity is None
                or any(are_related(commodity, one) for one in event.data["commodities"])
            }
            got = {int(node["dispute"]["position"]) for node in answer["disputes"]["nodes"]}
            assert got == expected, (day, commodity)


def any_question(chance: Random, day: date, controls: list[dict[str, Any]]) -> Question:
    """Return a random query for a commodity that clauses name, an issuer or a destination."""
    named = sorted({one for of in controls for c in of["clauses"] for one in c["commodities"]})
    question = Question(
        day,
        commodity=chance.choice((None, *OVERLAPPING, *chance.sample(named, min(4, len(named))))),
        issuer=chance.choice((None, None, "CN", "ID")),
        destination=chance.choice(("US", "DE", "JP", "GB", None)),
        stage=chance.choice((None, None, "mine", "refinery")),
        year=chance.choice((None, None, 2023, day.year - 1, 1990, 2030)),
    )
    known = question.commodity or question.issuer or question.destination
    return question if known else Question(day, issuer="CN")


def arguments(question: Question) -> str:
    """Return a query in GraphQL syntax."""
    given = {
        "commodity": json.dumps(question.commodity),
        "issuer": json.dumps(question.issuer),
        "destination": json.dumps(question.destination),
        "stage": question.stage.upper() if question.stage else "null",
        "year": json.dumps(question.year),
    }
    return ", ".join(f"{name}: {value}" for name, value in given.items() if value != "null")
