"""Transitions of alliances and their members, with their facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.alliances import FULL, Alliance, alliances
from tests.truth.oracle.around import of_itself
from tests.truth.oracle.causes import last_without_which
from tests.truth.oracle.compare import differences
from tests.truth.oracle.events import DAY, CountingEvent
from tests.truth.oracle.law_answers import by_instrument, known_by, moment, pages

FIELDS = "nodes { day entity member transition because { position } }"
Happening = Callable[[Alliance, Alliance], Any]


async def compare_turns(
    api: Api, known: list[CountingEvent], day: date, position: int
) -> list[str]:
    """Return the differences in transitions of alliances, as known on a day, and in their causes."""
    arguments = "kind: ALLIANCE, first: 200, after: $after"
    answer = {
        f"{one['day']} {one['entity']} {one['member']}": (
            one["transition"],
            int(one["because"]["position"]),
        )
        for one in await pages(api, moment(day, position), "transitions", arguments, FIELDS)
    }
    expected: dict[str, Any] = {}
    for events in by_instrument(known_by(known, day)):
        if events[0].entity.startswith("alliance/"):
            for on in sorted({event.day for event in events}):
                expected |= _on_day([event for event in events if event.day <= on], on)
    names = {"of": sorted(expected)}, {"of": sorted(answer)}
    return [*differences(expected | names[0], answer | names[1], (f"turns {day}@{position}",))]


def _on_day(public: list[CountingEvent], on: date) -> dict[str, Any]:
    eve, now = _states(public, on)
    name = f"{on} {public[0].entity}"
    if now is None:
        return {}
    if eve is None:
        opening = next(event for event in public if event.type == "Alliance.Founded")
        return {f"{name} None": ("APPEARS", opening.position)}
    asked: dict[str | None, Happening] = {None: _itself}
    asked |= {place: partial(_member, place) for place in {*eve.members, *now.members}}
    found = {}
    for part, happening in asked.items():
        if happened := happening(eve, now):
            cause = last_without_which(public, partial(_of_fewer, happening, on))
            found[f"{name} {part}"] = happened[0], cause.position
    return found


def _of_fewer(happening: Happening, on: date, public: list[CountingEvent]) -> Any:
    eve, now = _states(public, on)
    return happening(eve, now) if eve and now else None


def _states(public: list[CountingEvent], on: date) -> list[Alliance | None]:
    """Return the states of an alliance on the previous day and on the day."""
    return [next(iter(alliances(public, day).values()), None) for day in (on - DAY, on)]


def _itself(eve: Alliance, now: Alliance) -> Any:
    before, after = of_itself(eve), of_itself(now)
    return ("CHANGES", before, after) if before != after else None


def _member(place: str, eve: Alliance, now: Alliance) -> Any:
    was, becomes = eve.members.get(place), now.members.get(place)
    left, joined = (bool(one and one[1] in FULL) for one in (was, becomes))
    if left != joined:
        return ("MEMBER_JOINS" if joined else "MEMBER_LEAVES",)
    return ("CHANGES", was, becomes) if was != becomes else None
