"""Lists of shipped figures, claims and announcements, compared with the oracle."""

from __future__ import annotations

import json
from datetime import date, timedelta
from random import Random
from typing import Any

from hypothesis import settings

from tests.support.api import Api
from tests.truth.conftest import Log
from tests.truth.oracle.claims import Claim, Figure, figures
from tests.truth.oracle.compare import expect_no
from tests.truth.oracle.declared import above, is_below
from tests.truth.oracle.edition_answers import compare_editions, compare_revisions
from tests.truth.oracle.events import CountingEvent, counting_events, first_day, last_day
from tests.truth.oracle.law_answers import moment, pages

ROUNDS = settings().max_examples // 20
LISTS = 3
"""Number of lists of each kind per moment."""
WORDS = {"statistic", "stage", "kind"}
PLACES = ("CN", "US", "WORLD", "OTHER", "EU", "AU", "CD", "US_CA")
STATISTICS = ("production", "capacity", "reserves", "production_share", "reserves_share")
STAGES = ("mine", "mine", "refinery", "smelter", "primary", "plant")
YEARS = ({"from": 2020}, {"to": 2015}, {"from": 2018, "to": 2021})
DAYS = ({"from": "2024-01-01", "to": "2024-12-31"}, {"to": "2020-01-01"}, {"from": "2025-02-01"})
KINDS = ("statement", "commitment", "project", "dispute", "response", "assessment")


async def test_lists_of_figures_and_claims_name_those_that_answer_page_by_page(
    api: Api, shipped_log: Log
) -> None:
    chance, log = Random(7), shipped_log
    known = counting_events(log, len(log))
    claimed = [event for event in known if event.type == "Figure.Claimed"]
    found: list[str] = []
    for _ in range(ROUNDS):
        day, position = any_moment(chance, claimed, len(log))
        public = figures(counting_events(log, position), day)
        for _ in range(LISTS):
            asked = any_question(chance, claimed)
            size = chance.choice((200, 200, 37))
            for field, name in (("figures", "key"), ("claims", "position")):
                answer = await ask(api, day, position, field, asked, size, name)
                expected = figure_keys(public, asked) if name == "key" else claims_of(public, asked)
                if sorted(answer) != sorted(expected):
                    wrong = sorted({*answer} ^ {*expected})[:5]
                    found.append(f"{day}@{position} {field} {asked}: {wrong}")
    assert found == []


async def test_editions_and_what_they_restate_are_as_a_second_reading_has_them(
    api: Api, shipped_log: Log
) -> None:
    chance, log = Random(7), shipped_log
    known = counting_events(log, len(log))
    claimed = [event for event in known if event.type == "Figure.Claimed"]
    at = any_moment(chance, claimed, len(log))
    public = figures(counting_events(log, at[1]), at[0])
    commodity = chance.choice(claimed).data["series"]["commodity"]
    found = await compare_revisions(api, public, at, commodity)
    for asked in ({}, {"publisher": "usgs"}, {"commodity": commodity}):
        found += await compare_editions(api, public, at, asked)
    expect_no(found)


async def test_lists_of_announcements_name_those_that_answer(api: Api, shipped_log: Log) -> None:
    chance, log = Random(7), shipped_log
    known = counting_events(log, len(log))
    made = [event for event in known if event.type == "Announcement.Made"]
    actors = sorted({actor for event in made for actor in event.data.get("actors", [])})
    commodities = named_with_those_above(c for e in made for c in e.data.get("commodities", []))
    found: list[str] = []
    for _ in range(4 * ROUNDS):
        day, position = any_moment(chance, made, len(log))
        asked: dict[str, Any] = {"kind": chance.choice(KINDS)} if chance.random() < 0.5 else {}
        if chance.random() < 0.5:
            asked["actor"] = chance.choice(actors)
        if chance.random() < 0.5:
            asked["commodity"] = chance.choice(commodities)
        if chance.random() < 0.3:
            asked["date"] = chance.choice(DAYS)
        answer = await ask(api, day, position, "announcements", asked, 200, "key")
        expected = {
            event.entity.removeprefix("announcement/")
            for event in counting_events(log, position)
            if event.type == "Announcement.Made" and event.day <= day
            if is_announced(event.data, asked)
        }
        if sorted(answer) != sorted(expected):
            found.append(f"{day}@{position} {asked}: {sorted({*answer} ^ expected)[:5]}")
    assert found == []


async def ask(
    api: Api, day: date, position: int, field: str, asked: dict[str, Any], size: int, name: str
) -> list[str]:
    """Return the names of the items in a whole list."""
    given = [f"{key}: {written(key, value)}" for key, value in asked.items()]
    arguments = ", ".join([*given, f"first: {size}, after: $after"])
    nodes = await pages(api, moment(day, position), field, arguments, f"nodes {{ {name} }}")
    return [node[name] for node in nodes]


def written(name: str, value: Any) -> str:
    """Return an argument in GraphQL syntax."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{end}: {json.dumps(one)}' for end, one in value.items())}}}"
    return value.upper() if name in WORDS else json.dumps(value)


def any_moment(chance: Random, events: list[CountingEvent], head: int) -> tuple[date, int]:
    """Return a day of a publication or beside one, and a position."""
    day = chance.choice(events).day + timedelta(days=chance.choice((-1, 0, 1, 100)))
    return day, chance.choice((head, chance.choice(events).position))


def named_with_those_above(commodities: Any) -> list[str]:
    """Return commodities with their groups."""
    return sorted({one for commodity in commodities for one in above(commodity)})


def any_question(chance: Random, claimed: list[CountingEvent]) -> dict[str, Any]:
    """Return random filters for figures and claims: at least two."""
    event = chance.choice(claimed)
    every = {
        "commodity": chance.choice(above(event.data["series"]["commodity"])),
        "place": chance.choice(PLACES),
        "statistic": chance.choice(STATISTICS),
        "stage": chance.choice(STAGES),
        "years": chance.choice(YEARS),
        "publisher": chance.choice(claimed).data["source"]["publisher"],
        "published": chance.choice(DAYS),
    }
    names = chance.sample(sorted(every), chance.choice((2, 2, 3)))
    return {name: every[name] for name in names}


def figure_keys(public: dict[str, Figure], asked: dict[str, Any]) -> list[str]:
    """Return the figures of matching series, with a matching source among their claims."""
    found: list[str] = []
    for key, figure in public.items():
        events = [*(claim.event for claim in figure.claims), *figure.judgements]
        sources = [s for e in events for s in (e.data["source"], *e.data.get("moreSources", []))]
        has_all = all(
            any(is_from(source, {name: asked[name]}) for source in sources)
            for name in ("publisher", "published")
            if name in asked
        )
        if has_all and is_of(figure.claims[0], asked):
            found.append(key)
    return found


def claims_of(public: dict[str, Figure], asked: dict[str, Any]) -> list[str]:
    """Return the positions of matching claims, with a matching own source."""
    return [
        str(claim.position)
        for figure in public.values()
        for claim in figure.claims
        if is_of(claim, asked) and is_from(claim.event.data["source"], asked)
    ]


def is_of(claim: Claim, asked: dict[str, Any]) -> bool:
    """Whether a claim is of a matching series."""
    series, years = claim.series, asked.get("years")
    period = series.get("period")
    return (
        all(asked.get(n) in (None, series.get(n)) for n in ("place", "statistic", "stage"))
        and ("commodity" not in asked or is_below(series["commodity"], asked["commodity"]))
        and (not years or bool(period and years.get("from", 0) <= period <= years.get("to", 9999)))
    )


def is_from(source: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a source has a publisher and a publication day in a range."""
    if asked.get("publisher") not in (None, source["publisher"]):
        return False
    return is_in(source["publishedOn"], asked.get("published"))


def is_in(told: str, days: dict[str, str] | None) -> bool:
    """Whether a date may be one of some days."""
    start, end = (days or {}).get("from", "0001-01-01"), (days or {}).get("to", "9999-12-31")
    return str(first_day(told)) <= end and str(last_day(told)) >= start


def is_announced(data: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether an announcement matches."""
    return (
        asked.get("kind") in (None, data["kind"])
        and ("actor" not in asked or asked["actor"] in data.get("actors", []))
        and (
            "commodity" not in asked
            or any(is_below(one, asked["commodity"]) for one in data.get("commodities", []))
        )
        and is_in(data["on"], asked.get("date"))
    )
