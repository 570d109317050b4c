"""Alliance memberships and group shares, compared with the oracle."""

from __future__ import annotations

import json
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import settings

from tests.support.api import Api
from tests.truth.conftest import CompareHistory, Log
from tests.truth.oracle.alliance_changes import compare_turns
from tests.truth.oracle.alliances import alliances, expected_alliance
from tests.truth.oracle.claims import figures
from tests.truth.oracle.compare import differences, expect_no
from tests.truth.oracle.declared import countries_of
from tests.truth.oracle.events import CountingEvent, counting_events, first_day
from tests.truth.oracle.expected import distribution_of, production_answer
from tests.truth.oracle.histories import record_all, source
from tests.truth.oracle.law_answers import known_by, moment, pages
from tests.truth.oracle.queries import GROUP, ask_moment, log_of, production_field

ROUNDS = settings().max_examples // 20
HISTORIES = range(ROUNDS)
"""Fixed seeds of histories."""
KEYS = ("a1", "a2")
PLACES = ("US", "JP", "DE", "GB", "HR", "EU")
DAYS = (
    *("2024-01-01", "2024-03", "2024-06-15", "2025", "2025-05-01", "2026-03-31", "2027-01-01"),
    *("2020-01-31", "2013-07-01"),
)
"""Days of the comparison; on the last two the European Union changed."""
ROLES = ("MEMBER", "CHAIR", "OBSERVER", "GUEST")
COMMODITIES = ("rare_earths", "cobalt", "lithium", "gallium", "nickel", "natural_graphite")
ALLIANCE = f"""key name formerNames status foundedOn endedOn membersKnown partOf replaces succeededBy
    members {{ place {{ code }} since role }}
    {" ".join(f'{p}: membership(place: "{p}") {{ kind role union {{ code }} }}' for p in PLACES)}"""
MEMBERSHIP = "nodes { place { code } kind role union { code } from until alliance { key } }"


@pytest.mark.parametrize("seed", HISTORIES)
def test_alliances_are_as_a_second_reading_of_their_facts_has_them(
    compare_history: CompareHistory, seed: int
) -> None:
    async def compare(api: Api, chance: Random) -> list[str]:
        log: Log = []
        for number in range(6):
            await record_all(api, list(commands(chance, log)), f"chunk-{number}")
            log = await log_of(api)
        found = []
        for _ in range(8):
            day = first_day(chance.choice(DAYS)) + timedelta(days=chance.choice((-1, 0, 1, 200)))
            position = chance.choice((len(log), chance.randint(1, len(log))))
            found += await compare_at(api, chance, log, day, position)
            found += await compare_turns(api, counting_events(log, position), day, position)
        return found

    compare_history(seed, compare)


async def test_shipped_alliances_and_their_shares_are_as_a_second_reading_has_them(
    api: Api, shipped_log: Log
) -> None:
    chance, log = Random(7), shipped_log
    known = counting_events(log, len(log))
    turns = [event.day for event in known if event.type.startswith("Alliance.")]
    found: list[str] = []
    for _ in range(ROUNDS):
        day = chance.choice(turns) + timedelta(days=chance.choice((-1, 0, 1, 200, 1000)))
        found += await compare_at(api, chance, log, day, len(log))
        found += await compare_shares(api, chance, known, day, len(log))
    expect_no(found)


async def compare_at(api: Api, chance: Random, log: Log, day: date, position: int) -> list[str]:
    """Return the differences at a moment: all alliances, lists by a member, and membership periods."""
    known, at = counting_events(log, position), moment(day, position)
    where = f"{day}@{position}"
    of = alliances(known, day)
    expected: dict[str, Any] = {"count": len(of)}
    for key, one in of.items():
        belongs = {place: one.membership(place, day) for place in PLACES}
        expected[key] = expected_alliance(one) | belongs | {"members count": len(one.members)}
    listed = await pages(
        api, at, "alliances", "first: 200, after: $after", f"nodes {{ {ALLIANCE} }}"
    )
    answer: dict[str, Any] = {"count": len(listed)}
    for told in listed:
        members = {member["place"]["code"]: member for member in told["members"]}
        belongs = {place: _belongs(told[place]) for place in PLACES}
        answer[told["key"]] = told | belongs | {"members": members, "members count": len(members)}
    found = list(differences(expected, answer, (where,)))
    for place in PLACES:
        asked = f'member: "{place}", first: 200, after: $after'
        keys = {one["key"] for one in await pages(api, at, "alliances", asked, "nodes { key }")}
        if keys != {key for key, one in of.items() if place in one.full_members()}:
            found.append(f"{where} alliances(member: {place}): {sorted(keys)}")
    return found + await compare_times(api, chance, known, day, position)


async def compare_times(
    api: Api, chance: Random, known: list[CountingEvent], day: date, position: int
) -> list[str]:
    """Return membership periods that contradict the states of their days."""
    first = day + timedelta(days=chance.randint(-600, 100))
    last = first + timedelta(days=chance.choice((0, 100, 900)))
    asked = f'places: {json.dumps(PLACES[:4])}, between: {{from: "{first}", to: "{last}"}}'
    arguments = f"{asked}, first: 200, after: $after"
    told = await pages(api, moment(day, position), "memberships", arguments, MEMBERSHIP)
    by_then, found = known_by(known, day), list[str]()
    for on in {first, last, first + (last - first) / 2, first + (last - first) / 3}:
        expected = {
            (key, place): one.membership(place, on)
            for key, one in alliances(by_then, on).items()
            for place in PLACES[:4]
            if key in alliances(known, day) and one.status == "ACTIVE"
        }
        holding = [
            one
            for one in told
            if one["from"] <= str(on) and (one["until"] is None or one["until"] >= str(on))
        ]
        answer = {(one["alliance"]["key"], one["place"]["code"]): _belongs(one) for one in holding}
        if answer != expected or len(holding) != len(answer):
            found.append(
                f"{day}@{position} {asked} on {on}: {set(answer.items()) ^ set(expected.items())}"
            )
    return found


def _belongs(told: dict[str, Any]) -> tuple[str, str | None, str | None]:
    role, union = told["role"], told["union"]
    return told["kind"], role and role.lower(), union and union["code"]


async def compare_shares(
    api: Api, chance: Random, known: list[CountingEvent], day: date, position: int
) -> list[str]:
    """Return shares of alliances in world production that are not those of their members on the day."""
    of, public = alliances(known, day), figures(known, day)
    found: list[str] = []
    for commodity in chance.sample(COMMODITIES, 2):
        if not of:
            break
        key = chance.choice(sorted(of))
        field = f"group: share(of: {{alliance: {json.dumps(key)}}}) {{ {GROUP} }}"
        asked = production_field(commodity, None, None, None, field)
        answer = production_answer((await ask_moment(api, day, position, asked))["production"])
        countries = set[str]().union(*(countries_of(p, day) for p in of[key].full_members()))
        expected = distribution_of(public, day, commodity, None, None, None).group(countries)
        if not of[key].members_known:  # it may include others
            expected["shareAtMost"] = None
        found += differences(expected, answer["group"], (str(day), key, commodity))
    return found


def commands(chance: Random, log: Log) -> list[dict[str, Any]]:
    """Return random facts about alliances, which the rules may refuse."""
    there = {event["subject"] for event in log}
    told = [founding(chance, key) for key in KEYS if f"alliance/{key}" not in there]
    return told + [any_fact(chance, log) for _ in range(8)]


def founding(chance: Random, key: str) -> dict[str, Any]:
    """Return the founding of an alliance, most often with a list of its members."""
    members = {"members": chance.sample(PLACES, 2), "membersKnown": chance.random() < 0.6}
    on = {"on": chance.choice(DAYS[:2] + DAYS[-2:]), "source": source("quad", "2024-01-01")}
    return {"foundAlliance": {"id": key, "name": "Some states", **members, **on}}


def any_fact(chance: Random, log: Log) -> dict[str, Any]:
    """Return a random fact about an alliance, or a retraction of any event."""
    told: dict[str, Any] = {"id": chance.choice(KEYS), "on": chance.choice(DAYS)}
    told["source"] = source("quad", "2024-01-01")
    member = {"member": chance.choice(PLACES)}
    match chance.randrange(14):
        case 0 | 1 | 2 | 3 | 4:
            role = {"role": chance.choice(ROLES)} if chance.random() < 0.5 else {}
            since = {"since": chance.choice(DAYS)} if chance.random() < 0.3 else {}
            joined = {"change": "JOINED", **member, **role, **since}
            return {"recordMembership": {**told, **joined}}
        case 5 | 6:
            return {"recordMembership": {**told, **member, "change": "LEFT"}}
        case 7:
            return {
                "listMembers": {**told, "members": chance.sample(PLACES, chance.choice((0, 3)))}
            }
        case 8 | 9:
            return {"changeRole": {**told, **member, "role": chance.choice(ROLES)}}
        case 10:
            return {"renameAlliance": {**told, "name": f"Name {chance.randint(1, 9)}"}}
        case 11 if log:
            why = {"reason": "misread", "source": told["source"]}
            return {"retractEvent": {"eventId": chance.choice(log)["id"], **why}}
        case 12:
            return {"dissolveAlliance": told}
    return {"succeedAlliance": {**told, "by": chance.choice(KEYS)}}
