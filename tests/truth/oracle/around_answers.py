"""Queries for all events around a subject, and the expected results."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.around import Entry, is_about, publications, spellings
from tests.truth.oracle.events import CountingEvent
from tests.truth.oracle.law_answers import moment, pages

ENTRY = """nodes { day kind entity transition { day entity clause member transition }
    publication { publisher edition editionVersion name claims } }"""
TRANSITION = "nodes { day entity clause member transition }"


async def compare_around(
    api: Api, known: list[CountingEvent], all_of_them: list[Entry], at: tuple[date, int], asked: Any
) -> list[str]:
    """Return the differences in events around a subject: day by day, and figures by publication."""
    names = spellings(known, at[0], asked["firm"]) if "firm" in asked else set()
    about = [entry for entry in all_of_them if is_about(entry, asked, names)]
    written = ", ".join(f"{name}: {json.dumps(value)}" for name, value in asked.items())
    arguments = f"{written}, first: 200, after: $after"
    listed = await pages(api, moment(*at), "timeline", arguments, ENTRY)
    moved = [_happening(one["transition"]) for one in listed if one["transition"]]
    expected = {
        "timeline": Counter(entry.expected for entry in about),
        "transitions": Counter(entry.expected for entry in about),
        "made": Counter(entry.entity for entry in about if entry.is_made),
        "publications": publications(known, at[0], asked),
        "in order": True,
    }
    days = [(one["day"], one["entity"] or f"publication/{_publisher(one)}") for one in listed]
    answer = {
        "timeline": Counter(moved),
        "transitions": await _transitions(api, at, arguments),
        "made": Counter(one["entity"] for one in listed if one["kind"] == "ANNOUNCEMENT"),
        "publications": {
            _name(one): one["publication"]["claims"] for one in listed if one["publication"]
        },
        "in order": days == sorted(days),
    }
    return [
        f"{at} {asked} {name}: expected {_left(expected[name], answer[name])},"
        f" answered {_left(answer[name], expected[name])}"
        for name in expected
        if expected[name] != answer[name]
    ]


def _left(one: Any, other: Any) -> Any:
    return sorted(one.items() - other.items()) if isinstance(one, dict) else one


async def _transitions(api: Api, at: tuple[date, int], arguments: str) -> Counter[Any]:
    found = await pages(api, moment(*at), "transitions", arguments, TRANSITION)
    return Counter(_happening(one) for one in found)


def _happening(one: dict[str, Any]) -> tuple[str, ...]:
    return one["day"], one["entity"], one["clause"] or one["member"], one["transition"]


def _publisher(one: dict[str, Any]) -> str:
    return str(one["publication"]["publisher"])


def _name(one: dict[str, Any]) -> str:
    of = one["publication"]
    words = (of["publisher"], of["edition"], of["editionVersion"] or "", of["name"])
    return f"{one['day']} {'/'.join(words)}"
