"""A log that an older version wrote means today what it meant then.

`old_log/events.jsonl` has entries as the version before the model of 2026 wrote them: events of every
type, with every field that a clause had. `old_log/digests.jsonl` has the digests of the state at some
moments, and a short one of every entity, as that version computed them. Neither is ever made anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from projections.fold.replay import World, line
from tracker.domain.registry import FACTS
from tracker.log.entries import recorded

OLD_LOG = Path(__file__).with_name("old_log")
MOMENTS: list[dict[str, Any]] = [
    json.loads(row) for row in (OLD_LOG / "digests.jsonl").read_text().splitlines()
]
CHANGED: dict[str, str] = {}
"""Entities whose state is told in other words today than then, and why that is right."""


@pytest.fixture(scope="module")
def world() -> World:
    """The old log, folded by the code of today."""
    world = World()
    for entry in entries():
        world.add(recorded(entry))
    return world


def entries() -> Iterator[bytes]:
    """The entries of the old log in order."""
    yield from (OLD_LOG / "events.jsonl").read_bytes().splitlines()


def test_every_event_type_of_the_old_log_is_known_today() -> None:
    types = {json.loads(entry)["type"] for entry in entries()}
    assert types <= FACTS.keys()


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda m: f"{m['validAt']} at {m['position']}")
def test_an_old_log_has_the_states_that_it_had(world: World, moment: dict[str, Any]) -> None:
    day, position = date.fromisoformat(moment["validAt"]), moment["position"]
    states = {
        entity: hashlib.sha256(line(entity, version.text)).hexdigest()[:16]
        for entity, version in world.states(day, position)
    }
    unlike = {
        entity
        for entity in states.keys() | moment["entities"].keys()
        if states.get(entity) != moment["entities"].get(entity)
    }
    assert unlike <= CHANGED.keys()
    if not unlike:
        assert world.digest(day, position) == moment["digest"]
