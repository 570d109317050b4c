"""Stable meaning of a log that an older version wrote.

`old_log/events.jsonl` has entries of the version before the model of 2026: events of every type, with
every field of a clause. `digests.jsonl` has the state digests of that version at some moments, and a
short one of every entity. `states.jsonl` has the whole states that have another form today. These files
are never regenerated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from projections.fold.replay import ReplayState, line
from tracker.domain.events.registry import FACTS
from tracker.log.entries import recorded

OLD_LOG = Path(__file__).with_name("old_log")


def rows(name: str) -> Iterator[Any]:
    """Return the lines of a file of the old log."""
    yield from map(json.loads, (OLD_LOG / name).read_text().splitlines())


MOMENTS = list(rows("digests.jsonl"))
OLD_STATES = {
    (row["entity"], moment): row["state"]
    for row in rows("states.jsonl")
    for moment in row["moments"]
}
RETOLD = {entity for entity, _ in OLD_STATES}
"""Entities whose state has another form today: see `in_words_of_today`."""


@pytest.fixture(scope="module")
def world() -> ReplayState:
    """Return the old log, folded by today's code."""
    world = ReplayState()
    for entry in (OLD_LOG / "events.jsonl").read_bytes().splitlines():
        world.add(recorded(entry))
    return world


def test_every_event_type_of_the_old_log_is_known_today() -> None:
    assert {event["type"] for event in rows("events.jsonl")} <= FACTS.keys()


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda m: f"{m['validAt']} at {m['position']}")
def test_an_old_log_has_the_states_that_it_had(world: ReplayState, moment: dict[str, Any]) -> None:
    then = moment["entities"]
    states = world.states(date.fromisoformat(moment["validAt"]), moment["position"])
    now = {entity: without_acts_of_clauses(state.text) for entity, state in states}
    assert now.keys() == then.keys()
    unlike = {entity for entity in now if short_digest(entity, now[entity]) != then[entity]}
    assert unlike <= RETOLD
    for entity in unlike:
        before = OLD_STATES[entity, f"{moment['validAt']}@{moment['position']}"]
        assert json.loads(now[entity]) == in_words_of_today(before)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda m: f"{m['validAt']} at {m['position']}")
def test_the_digest_differs_only_where_a_state_differs(
    world: ReplayState, moment: dict[str, Any]
) -> None:
    digest = world.digest(date.fromisoformat(moment["validAt"]), moment["position"])
    assert digest == moment["digest"] or RETOLD & moment["entities"].keys()


def short_digest(entity: str, state: str) -> str:
    """Return the start of the digest of one entity's state."""
    return hashlib.sha256(line(entity, state)).hexdigest()[:16]


def without_acts_of_clauses(text: str) -> str:
    """Return a state without the act that words each clause, which states have since format 3."""
    state = json.loads(text)
    for clause in state.get("clauses", ()):
        clause.pop("instrument", None)
    return json.dumps(state, separators=(",", ":"), ensure_ascii=False)


def in_words_of_today(state: dict[str, Any]) -> dict[str, Any]:
    """Return an old state in today's form, in which clauses have origins and a territory.

    The places of an import measure were its origins, but named destinations. A clause on goods abroad
    had a flag with two meanings: with a content share it covers only goods abroad. The retroactive
    effect of a measure is recorded since then.
    """
    clauses = [_clause_of_today(state, clause) for clause in state["clauses"]]
    return {**state, "clauses": clauses}


def _clause_of_today(state: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    clause = dict(told["clause"])
    if state["direction"] == "import" and "destinations" in clause:
        clause["origins"] = clause.pop("destinations")
    if clause.pop("extraterritorial", False):
        only = "deMinimisPercent" in clause
        clause["territory"] = "only_abroad" if only else "also_abroad"
    back = clause.get("inForceFrom", state["announcedOn"]) < state["announcedOn"]
    return {**told, "clause": clause, **({"retroactive": True} if back else {})}
