"""Queries for firms, and the expected results."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.around import Entry, firms, spelled, spellings
from tests.truth.oracle.events import CountingEvent
from tests.truth.oracle.law import KIND, instruments
from tests.truth.oracle.law_answers import ask_matching, moment, pages
from tests.truth.oracle.queries import ask_moment


def clauses_naming(known: list[CountingEvent], day: date, names: set[str]) -> set[str]:
    """Return the clauses that name a firm: as limited to it, as exporter, or as suspended for it."""
    found = set[str]()
    law = [event for event in known if event.type.startswith(KIND)]
    for key, of in instruments(law, day).items():
        for name, clause in of.clauses.items():
            said = clause.wording(day).data
            own = [*(said.get("entities") or []), *(said.get("exporters") or [])]
            own += [firm for one, those in clause.partial if one.last >= day for firm in those]
            if not names.isdisjoint(map(spelled, own)):
                found.add(f"{key}/{name}")
    return found


def announcements_naming(entries: list[Entry], day: date, names: set[str]) -> list[str]:
    """Return the announcements that name a firm, by day."""
    made = [one for one in entries if one.is_made and one.day <= day]
    named = [one for one in made if not names.isdisjoint(one.firms)]
    return [one.entity.partition("/")[2] for one in sorted(named, key=lambda one: one.day)]


async def compare_firm(
    api: Api, known: list[CountingEvent], entries: list[Entry], at: tuple[date, int], asked: str
) -> list[str]:
    """Return the differences in references to a firm, given by a name or its key."""
    day, position = at
    names = spellings(known, day, asked)
    clauses = clauses_naming(known, day, names)
    expected: dict[str, Any] = {
        "clauses": clauses,
        "statuses": clauses,
        "announcements": sorted(announcements_naming(entries, day, names)),
    }
    given = f"firm: {json.dumps(asked)}, first: 200, after: $after"
    periods = await pages(
        api, moment(*at), "clauseStatuses", given, "nodes { exportControl { key } clause { key } }"
    )
    made = await pages(api, moment(*at), "announcements", given, "nodes { key }")
    answer = {
        "clauses": await ask_matching(api, day, position, {"firm": asked}),
        "statuses": {f"{one['exportControl']['key']}/{one['clause']['key']}" for one in periods},
        "announcements": sorted(one["key"] for one in made),
    }
    if asked in (of := firms(known, day)):
        own = {spelled(name) for name in of[asked]}
        field = f"""firm(id: {json.dumps(asked)}) {{ name
            clauses {{ exportControl {{ key }} clause {{ key }} }} announcements {{ key }} }}"""
        found = (await ask_moment(api, day, position, field))["firm"]
        expected["firm"] = of[asked][-1], clauses_naming(known, day, own)
        expected["made"] = sorted(announcements_naming(entries, day, own))
        of_firm = {f"{c['exportControl']['key']}/{c['clause']['key']}" for c in found["clauses"]}
        answer["firm"] = found["name"], of_firm
        answer["made"] = sorted(one["key"] for one in found["announcements"])
    return [
        f"{at} firm {asked!r} {name}: expected {expected[name]}, answered {answer[name]}"
        for name in expected
        if expected[name] != answer[name]
    ]
