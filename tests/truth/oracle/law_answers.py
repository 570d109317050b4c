"""Queries for instruments, and the expected results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.causes import TURNS
from tests.truth.oracle.events import DAY, CountingEvent
from tests.truth.oracle.exposure import plain
from tests.truth.oracle.law import KIND, Instrument, instruments, state_of

CLAUSE = """key measure status commodities { key } destinations { code } origins { code } forms
    inForceFrom inForceUntil period carryOverUntil decisionDue ratePercent rateUpToPercent rateText
    exemptions endUse entityCount entities endCondition end legalStage covers territory quotaPart
    quota { value upper unit basis qualifier }
    suspendedFrom suspendedUntil suspendedFor
    partialSuspensions { entities suspendedFrom suspendedUntil suspendedFor }
    returnsOn repealedFrom discontinuedFrom continuedIn firstInForce retroactive"""
WORDS = {"measure", "covers", "status", "direction", "form"}
"""Arguments that are enumeration values."""
FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2100, 1, 1)
EXPORT_CONTROL = "kind: EXPORT_CONTROL, first: 200, after: $after"


async def pages(api: Api, root: str, field: str, arguments: str, fields: str) -> list[Any]:
    """Return all items of a list, page by page; `root` opens the moment, if there is one."""
    found: list[Any] = []
    after = None
    while True:
        answer = await api.ask(
            f"query ($after: String) {{ {root} {field}({arguments}) {{ {fields}"
            f" pageInfo {{ hasNextPage endCursor }} }} {'}' if root else ''} }}",
            after=after,
        )
        page = next(iter(answer.values())) if root else answer
        page = page[field]
        found += page.get("nodes") or page.get("edges") or []
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def moment(day: date, position: int) -> str:
    """Return the start of a query at a moment."""
    return f'asOf(validAt: "{day}", position: "{position}") {{'


def of_law(known: list[CountingEvent]) -> list[CountingEvent]:
    """Return the events about instruments."""
    return [event for event in known if event.type.startswith(KIND)]


async def ask_instruments(api: Api, day: date, position: int) -> dict[str, Any]:
    """Query all instruments of a moment with their clauses."""
    fields = f"nodes {{ key because {{ position }} clauses {{ {CLAUSE} }} }}"
    arguments = "first: 200, after: $after"
    found = await pages(api, moment(day, position), "exportControls", arguments, fields)
    return {
        one["key"]: {
            "because": sorted(int(of["position"]) for of in one["because"]),
            "order": [clause["key"] for clause in one["clauses"]],
            "clauses": {clause["key"]: _sorted(clause) for clause in plain(one["clauses"])},
        }
        for one in found
    } | {"count": len(found)}


def _sorted(clause: dict[str, Any]) -> dict[str, Any]:
    for name in ("commodities", "destinations", "origins", "forms"):
        clause[name].sort()
    return clause


def expected_instruments(known: list[CountingEvent], day: date) -> dict[str, Any]:
    """Return the expected instruments."""
    found = instruments(known, day)
    return {key: snapshot(one, day) for key, one in found.items()} | {"count": len(found)}


def snapshot(one: Instrument, day: date) -> dict[str, Any]:
    """Return an instrument on a day."""
    return {
        "because": sorted(event.position for event in one.events),
        "order": list(one.clauses),
        "clauses": {key: state_of(clause, day) for key, clause in one.clauses.items()},
    }


async def ask_matching(api: Api, day: date, position: int, asked: dict[str, Any]) -> set[str]:
    """Query the clauses in a list."""
    given = [f"{n}: {_written(n, v)}" for n, v in asked.items()]
    arguments = ", ".join([*given, "first: 50, after: $after"])
    fields = "edges { node { key } matchingClauses { key } }"
    found = await pages(api, moment(day, position), "exportControls", arguments, fields)
    return {
        f"{edge['node']['key']}/{clause['key']}"
        for edge in found
        for clause in edge["matchingClauses"]
    }


def _written(name: str, value: Any) -> str:
    if name == "inForce":
        return f'{{from: "{value["first"]}", to: "{value["last"]}"}}'
    return str(value) if name in WORDS else json.dumps(value)


async def ask_changes(
    api: Api, before: tuple[date, int], after: tuple[date, int]
) -> dict[str, Any]:
    """Query the differences of instruments between two moments, with clauses of changed status."""
    (first, since), (last, until) = before, after
    arguments = (
        f'from: {{validAt: "{first}", position: "{since}"}},'
        f' to: {{validAt: "{last}", position: "{until}"}}, {EXPORT_CONTROL}'
    )
    found = await pages(api, "", "changes", arguments, "nodes { entity change fields { path } }")
    return {
        one["entity"].partition("/")[2]: {
            "change": one["change"],
            "statuses": sorted(
                path[1]
                for path in (field["path"] for field in one["fields"])
                if len(path) == 3 and path[0] == "clauses" and path[2] == "status"
            ),
        }
        for one in found
    } | {"count": len(found)}


def expected_changes_of_law(
    before: dict[str, Instrument], first: date, after: dict[str, Instrument], last: date
) -> dict[str, Any]:
    """Return the expected differences."""
    found: dict[str, Any] = {}
    for key in before.keys() | after.keys():
        if key not in before or key not in after:
            change = "APPEARED" if key in after else "DISAPPEARED"
            found[key] = {"change": change, "statuses": []}
            continue
        one, other = snapshot(before[key], first), snapshot(after[key], last)
        if one != other:
            old, new = one["clauses"], other["clauses"]
            both = old.keys() & new.keys()
            statuses = sorted(of for of in both if old[of]["status"] != new[of]["status"])
            found[key] = {"change": "CHANGED", "statuses": statuses}
    return found | {"count": len(found)}


def known_by(known: list[CountingEvent], day: date) -> list[CountingEvent]:
    """Return the facts that are public or recorded by a day."""
    return [event for event in known if event.day <= day or event.recorded <= day]


async def ask_turns(api: Api, day: date, position: int, days: int) -> set[str]:
    """Query the status changes of clauses on the coming days, without other transitions."""
    arguments = f"days: {days}, {EXPORT_CONTROL}"
    fields = "nodes { day entity clause transition }"
    found = await pages(api, moment(day, position), "upcoming", arguments, fields)
    return {
        f"{one['day']} {one['entity'].partition('/')[2]} {one['clause']} {one['transition']}"
        for one in found
        if one["transition"] not in ("AMENDED", "CHANGES", "APPEARS")
    }


def expected_turns(known: list[CountingEvent], day: date, days: int) -> set[str]:
    """Return the expected changes, from the states of consecutive days."""
    last = day + timedelta(days=days)
    return {
        f"{on} {key} {name} {'RETURNS' if (was, now) == ('suspended', 'in_force') else TURNS[now]}"
        for on, key, name, was, now in turns(known_by(known, day), day, last)
        if now in TURNS
    }


def turns(
    known: list[CountingEvent], after: date, until: date
) -> Iterator[tuple[date, str, str, str, str]]:
    """Yield the status changes of clauses in a range of days: day, instrument, clause, both statuses."""
    for events in by_instrument(known):
        for on in days_of(events, after, until):
            eve, now = instruments(events, on - DAY), instruments(events, on)
            for key in eve.keys() & now.keys():
                for name, clause in now[key].clauses.items():
                    before = eve[key].clauses.get(name)
                    if before and before.status(on - DAY) != clause.status(on):
                        yield on, key, name, before.status(on - DAY), clause.status(on)


def by_instrument(known: list[CountingEvent]) -> list[list[CountingEvent]]:
    """Group events by instrument."""
    found: dict[str, list[CountingEvent]] = {}
    for event in known:
        found.setdefault(event.entity, []).append(event)
    return list(found.values())


def days_of(known: list[CountingEvent], after: date, until: date) -> list[date]:
    """Return the days in a range on which a status may change."""
    found = set()
    for public in sorted({event.day for event in known if event.day <= until} | {after}):
        found.add(public)
        for one in instruments(known, public).values():
            found |= {turn for clause in one.clauses.values() for turn in clause.turns()}
    return sorted(turn for turn in found if after < turn <= until)


async def ask_statuses(api: Api, day: date, position: int) -> dict[str, list[tuple[str, str]]]:
    """Query all status periods of clauses, each with its first day."""
    arguments = "first: 200, after: $after"
    fields = "nodes { exportControl { key } clause { key } period { status from until } }"
    found: dict[str, list[tuple[str, str]]] = {}
    ends: dict[str, Any] = {}
    for one in await pages(api, moment(day, position), "clauseStatuses", arguments, fields):
        name, period = f"{one['exportControl']['key']}/{one['clause']['key']}", one["period"]
        assert name not in ends or ends[name] == str(date.fromisoformat(period["from"]) - DAY)
        ends[name] = period["until"]
        found.setdefault(name, []).append((period["status"].lower(), period["from"]))
    assert not any(ends.values())
    return found


def expected_statuses(known: list[CountingEvent], day: date) -> dict[str, list[tuple[str, str]]]:
    """Return the expected status periods: each day as known then, or as announced."""
    by_then, public = known_by(known, day), instruments(known, day)
    found: dict[str, list[tuple[str, str]]] = {}
    for events in by_instrument(by_then):
        for on in days_of(events, FIRST_DAY, LAST_DAY):
            for name, status in _statuses(instruments(events, on), on):
                periods = found.setdefault(name, [])
                if not periods or periods[-1][0] != status:
                    periods.append((status, str(on)))
    return {
        name: periods
        for name, periods in found.items()
        if (key := name.partition("/"))[0] in public and key[2] in public[key[0]].clauses
    }


def _statuses(of: dict[str, Instrument], day: date) -> Iterator[tuple[str, str]]:
    for key, one in of.items():
        for name, clause in one.clauses.items():
            yield f"{key}/{name}", clause.status(day)
