"""The fold equals a plain reading of the rules, for any history, day and position.

`law.py` shares no code with the fold. Its state of an entity is compared with the fold's, field by
field.
"""

import json
from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.fold.timeline import timeline
from tests.domain import law
from tests.support.fact_builders import (
    DAYS,
    STREAMS,
    announced,
    clause,
    corrected,
    decided_facts,
    fact,
    history,
    state,
    suspended,
)
from tracker.domain.actors.alliance import Founded, Renamed
from tracker.domain.basics.codec import encode
from tracker.domain.basics.values import DAY
from tracker.domain.controls.export_control_acts import SuspensionExtended
from tracker.domain.entities.entity import RecordedFact

WINDOW = [DAYS[0] + DAY * n for n in (*range(-1, 17), 60)]
KINDS = sorted({stream.partition("/")[0] for stream in STREAMS})


def plain(known: Sequence[RecordedFact]) -> list[law.Event]:
    """Return facts as plain data."""
    return [law.Event(k.position, k.event_id, k.type, json.loads(encode(k.fact))) for k in known]


def picked(said: Any, like: Any) -> Any:
    """Return the part of a state that a reading has too."""
    if isinstance(like, dict):
        return {field: picked(said.get(field), value) for field, value in like.items()}
    if isinstance(like, list) and said is not None and len(said) == len(like):
        return [picked(*pair) for pair in zip(said, like, strict=True)]
    return [] if said is None and like == [] else said


def shaped(said: dict[str, Any]) -> dict[str, Any]:
    """Return a state in the form of a reading: reasons by id, and defaults filled in."""
    shape = {
        **said,
        "because": [reason["eventId"] for reason in said.get("because", [])],
        "judged": [reason["eventId"] for reason in said.get("judged", [])],
        "disputes": [dispute["account"] for dispute in said.get("disputes", [])],
        "prefers": said.get("judgement", {}).get("prefers"),
    }
    if "claims" in said:
        shape["claims"] = [
            {**claim, "value": claim["quantity"]["value"], "latest": claim.get("latest", True)}
            for claim in said["claims"]
        ]
    return shape


def check(stream: str, known: list[RecordedFact], position: int, days: Sequence[date]) -> None:
    """Compare the fold with the plain reading at a position, on some days."""
    kind, events = stream.partition("/")[0], plain(known)
    versions = timeline(stream, known[:position])
    for day in days:
        reading = law.read(kind, events, day, position)
        text = next((v.text for v in versions if v.holds(day)), None)
        if reading is None or text is None:
            assert (reading, text) == (None, None), day
        else:
            assert picked(shaped(json.loads(text)), reading) == reading, day


@pytest.mark.parametrize("kind", KINDS)
def test_any_history_is_folded_as_a_plain_reading_of_the_law_says(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.fact_builders.any_day", any_near_day)
    monkeypatch.setattr("tracker.domain.entities.elements.MAX_INLINE_FACTS", 4)
    stream = next(stream for stream in STREAMS if stream.startswith(kind))

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 2**32), st.integers(1, 60), st.floats(0, 1))
    def holds(seed: int, length: int, part: float) -> None:
        orders = history(Random(seed), length, [stream])
        known = decided_facts(stream, *(order.fact for order in orders))
        for position in {len(known), int(len(known) * part)}:
            check(stream, known, position, WINDOW)

    holds()


def any_near_day(chance: Random, *, late: bool) -> str:
    """Return one of a few days, so that acts interact."""
    near = [DAYS[0] + DAY * n for n in range(14)]
    return chance.choice(near[4:] if late else near[:10]).isoformat()


def test_a_corrected_act_does_not_override_a_later_one_of_the_same_day() -> None:
    names = [
        fact(Founded, "2024-01-01", name="A"),
        *(fact(Renamed, "2025-01-01", name=name) for name in ("B", "C", "D")),
    ]
    known = decided_facts(
        "alliance/quad",
        *names,
        corrected("e3", "e6"),
        fact(Renamed, "2025-01-01", name="corrected"),
    )
    assert state(known, "alliance/quad", "2025-01-01").former_names == ("A", "B", "corrected")
    assert state(known, "alliance/quad", "2025-01-01").name == "D"
    check("alliance/quad", known, 6, WINDOW)


def test_an_extension_moves_the_suspension_that_was_told_last() -> None:
    """Two suspensions are open when it is announced: a current and an upcoming one."""
    stream = "export-control/gallium"
    known = decided_facts(
        stream,
        announced(clause(inForceFrom="2024-12-03")),
        suspended(start="2025-01-05", end="2025-01-20"),
        suspended(start="2025-02-10", end="2025-02-20", on="2025-01-06"),
        fact(SuspensionExtended, "2025-01-07", suspendedUntil="2025-02-25"),
    )
    status = {
        day: state(known, stream, day).clauses[0].status
        for day in ("2025-01-20", "2025-01-21", "2025-02-09", "2025-02-25", "2025-02-26")
    }
    assert list(status.values()) == ["suspended", "in_force", "in_force", "suspended", "in_force"]
    check(stream, known, 4, WINDOW)
