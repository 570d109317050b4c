"""Queries for transitions and causes, and the expected results."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.causes import Period, periods_of, turns_of
from tests.truth.oracle.events import DAY, CountingEvent, first_day, last_day
from tests.truth.oracle.law import KIND, Instrument, instruments
from tests.truth.oracle.law_answers import by_instrument, days_of, known_by, moment, pages

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2150, 1, 1)
CAUSE = "because { position } announcedOn basis confirmedBy { position }"
CLAUSE = f"""key because {{ position }} statusSince statusBecause {{ position }} assumed
    statuses {{ status from until {CAUSE} }}"""


def _cause(told: dict[str, Any]) -> dict[str, Any]:
    confirmed_by = told["confirmedBy"]
    return {
        "because": int(told["because"]["position"]),
        "announcedOn": told["announcedOn"],
        "basis": told["basis"],
        "confirmedBy": confirmed_by and int(confirmed_by["position"]),
    }


async def ask_transitions(api: Api, day: date, position: int) -> dict[str, Any]:
    """Query the transitions of instruments and clauses, without other statements on instruments."""
    arguments = "kind: EXPORT_CONTROL, first: 200, after: $after"
    fields = f"nodes {{ day entity clause transition {CAUSE} }}"
    found: dict[str, Any] = {}
    for one in await pages(api, moment(day, position), "transitions", arguments, fields):
        name = f"{one['day']} {one['entity'].partition('/')[2]} {one['clause']}"
        assert name not in found
        if one["clause"] or one["transition"] != "CHANGES":
            found[name] = {"transition": one["transition"], **_cause(one)}
    return found


def expected_transitions(known: list[CountingEvent], day: date) -> dict[str, Any]:
    """Return the expected transitions."""
    return {
        f"{turn.day} {_key(events)} {turn.clause}": turn.expected
        for events in by_instrument(known_by(known, day))
        for turn in turns_of(events, days_of(events, FIRST_DAY, LAST_DAY))
    }


async def ask_reasons(api: Api, day: date, position: int) -> dict[str, Any]:
    """Query the reasons for the status of each clause: its events, and all status periods."""
    fields = f"nodes {{ key clauses {{ {CLAUSE} }} }}"
    arguments = "first: 200, after: $after"
    controls = await pages(api, moment(day, position), "exportControls", arguments, fields)
    return {
        f"{one['key']}/{clause['key']}": {
            "because": [int(event["position"]) for event in clause["because"]],
            "since": clause["statusSince"],
            "statusBecause": int(clause["statusBecause"]["position"]),
            "assumed": clause["assumed"],
            "statuses": [
                {"status": of["status"], "from": of["from"], "until": of["until"], **_cause(of)}
                for of in clause["statuses"]
            ],
        }
        for one in controls
        for clause in one["clauses"]
    }


def expected_reasons(all_known: list[CountingEvent], day: date) -> dict[str, Any]:
    """Return the expected reasons. Later events may confirm a status."""
    known = [event for event in all_known if event.type.startswith(KIND)]
    whole = {events[0].entity: events for events in by_instrument(known)}
    found = dict[str, Any]()
    for events in by_instrument(known_by(known, day)):
        public = instruments([event for event in events if event.day <= day], day)
        for of in public.values():
            periods = periods_of(events, days_of(events, FIRST_DAY, LAST_DAY))
            for name in of.clauses:
                found[f"{of.key}/{name}"] = _reasons(
                    of, name, periods[name], day, whole[events[0].entity]
                )
    return found


def _reasons(
    of: Instrument, name: str, periods: list[Period], day: date, everything: list[CountingEvent]
) -> dict[str, Any]:
    ends = [str(period.turn.day - DAY) for period in periods[1:]]
    current = [period for period in periods if period.turn.day <= day][-1]
    return {
        "because": sorted(of.clauses[name].acts),
        "since": str(current.turn.day),
        "statusBecause": current.turn.because.position,
        "assumed": _assumed(of, name, day, periods, current, everything),
        "statuses": [
            {**period.expected, "until": end}
            for period, end in zip(periods, [*ends, None], strict=True)
        ],
    }


def _assumed(
    of: Instrument,
    name: str,
    day: date,
    periods: list[Period],
    current: Period,
    everything: list[CountingEvent],
) -> str | None:
    """Return the assumption behind a status in force: no record names the clause from its return on."""
    if current.status != "in_force":
        return None
    before = [period.status for period in periods if period.turn.day < current.turn.day][-1:]
    stated = of.clauses[name].stated
    is_contradicted = stated is not None and last_day(stated["suspendedUntil"]) >= day
    if before == ["suspended"]:
        named = _days_that_name(name, everything)
        if is_contradicted or max(named) < current.turn.day:
            return (
                "ORDERED_RETURN"
                if _orders_return(name, current, everything)
                else "AUTOMATIC_RETURN"
            )
    is_open = of.clauses[name].wording(day).data.get("end") == "unknown"
    return "END_UNKNOWN" if is_open else None


def _orders_return(name: str, current: Period, events: list[CountingEvent]) -> bool:
    """Return whether an act ordered in advance that a clause is in force again from the day of a period."""
    return any(
        event.type == f"{KIND}Reinstated"
        and name in (event.data.get("clauses") or [name])
        and event.day <= current.turn.day == first_day(event.data["reinstatedFrom"])
        for event in events
    )


def _days_that_name(name: str, events: list[CountingEvent]) -> list[date]:
    """Return the days of all acts on a clause, and the publication days of their texts that were read."""
    whole = instruments(events, LAST_DAY)[_key(events)]
    days = list[date]()
    for event in events:
        relation = event.data.get("relation", {}).get("clauses")
        is_related = event.type == f"{KIND}Related" and (not relation or name in relation)
        is_statement = event.type == f"{KIND}SuspensionStated"
        if is_related or (event.position in whole.clauses[name].acts and not is_statement):
            sources = [event.data["source"], *event.data.get("moreSources", [])]
            read = [one for one in sources if one.get("checked") in ("page", "data_file")]
            days += [event.day, *(first_day(one["publishedOn"]) for one in read)]
    return days


def _key(events: list[CountingEvent]) -> str:
    return events[0].entity.partition("/")[2]
