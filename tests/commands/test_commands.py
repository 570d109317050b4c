"""Commands: a fact is recorded once, as its sender saw the entity, or refused with a reason."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import (
    announced,
    claimed,
    clause,
    fact,
    retracted,
    source,
    suspended,
)
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import NON_ALLIANCE_GROUPS, decide, decide_all, rehydrate
from tracker.commands.handler import Commands
from tracker.domain.actors.alliance import Founded
from tracker.domain.actors.announcement import Made
from tracker.domain.basics.codec import from_builtins
from tracker.domain.entities.entity import Entity, Retracted
from tracker.domain.entities.fact import Fact, Source
from tracker.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    TrackerError,
    VersionConflict,
)
from tracker.log.append import AppendResult
from tracker.log.entries import MAX_DATA_BYTES, new_event
from tracker.log.recorder import Recorder

GALLIUM = "export-control/gallium"
FIGURE = "figure/rare_earths/CN/production/mine/2023"
misread = from_builtins(Source, source())


@pytest.fixture
def commands(recorder: Recorder) -> Commands:
    """Create commands on a separate log."""
    return Commands(recorder)


# --- a command counts once


async def test_the_same_key_again_gives_the_first_position(commands: Commands) -> None:
    first = await commands.record(GALLIUM, announced(), idempotency_key="k")
    await commands.record(GALLIUM, suspended())
    again = await commands.record(GALLIUM, announced(), idempotency_key="k")
    assert (first.positions, first.repeated) == (range(1, 2), False)
    assert (again.positions, again.repeated) == (range(1, 2), True)


async def test_the_same_key_sent_many_times_at_once_counts_once(
    commands: Commands, recorder: Recorder
) -> None:
    sent = await asyncio.gather(
        *(commands.record(GALLIUM, announced(), idempotency_key="k") for _ in range(10))
    )
    assert {appended.positions for appended in sent} == {range(1, 2)}
    assert await recorder.head() == 1


async def test_a_key_can_not_be_used_for_anything_else(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(GALLIUM, announced(), idempotency_key="k")
    for stream, other in (
        (GALLIUM, announced(title="Other")),
        (FIGURE, claimed(1)),
        ("export-control/graphite", announced()),
    ):
        with pytest.raises(IdempotencyConflict) as caught:
            await commands.record(stream, other, idempotency_key="k")
        assert caught.value.path == ("idempotencyKey",)
    assert await recorder.head() == 1


async def test_an_odd_key_is_refused(commands: Commands) -> None:
    for key in ("", "x" * 201, "a\nb", "a\0b", "\ud800"):
        with pytest.raises(InvalidInput, match="printable") as caught:
            await commands.record(GALLIUM, announced(), idempotency_key=key)
        assert caught.value.path == ("idempotencyKey",)


async def test_without_a_key_every_command_counts(commands: Commands, recorder: Recorder) -> None:
    await commands.record(GALLIUM, announced())
    for _ in range(2):
        await commands.record(GALLIUM, suspended())
    assert await recorder.head() == 3


async def test_an_expected_version_is_the_one_before_the_event(commands: Commands) -> None:
    await commands.record(GALLIUM, announced(), expected_version=0)
    await commands.record(GALLIUM, suspended(), expected_version=1)
    with pytest.raises(VersionConflict, match="expected 1, it is at 2"):
        await commands.record(GALLIUM, suspended(), expected_version=1)


async def test_a_repeated_command_is_not_held_to_its_expected_version(commands: Commands) -> None:
    for _ in range(2):
        appended = await commands.record(
            GALLIUM, announced(), idempotency_key="k", expected_version=0
        )
        assert appended.positions == range(1, 2)


async def test_a_command_with_an_expected_version_is_not_retried_after_a_conflict(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(GALLIUM, announced())
    outcomes = await asyncio.gather(
        *(commands.record(GALLIUM, suspended(), expected_version=1) for _ in range(3)),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 2
    assert await recorder.head() == 2


# --- or refused


async def test_a_refused_command_leaves_nothing_and_names_its_field(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(GALLIUM, announced())
    with pytest.raises(InvalidInput) as caught:
        await commands.record(GALLIUM, suspended("9"))
    assert (caught.value.code, caught.value.path) == ("UNKNOWN_CLAUSE", ("clauses", 0))
    assert await recorder.head() == 1


async def test_the_id_of_a_new_entity_has_one_part_unless_its_kind_has_several(
    commands: Commands, recorder: Recorder
) -> None:
    with pytest.raises(InvalidInput, match="without '/'") as caught:
        await commands.record("export-control/a/b", announced())
    assert (caught.value.code, caught.value.path) == ("INVALID_ID", ("id",))
    await commands.record(FIGURE, claimed(1))
    assert await recorder.head() == 1


@pytest.mark.parametrize("stream", ["export-control/a/b", "export-control/index.html"])
async def test_an_entity_that_was_recorded_with_an_id_that_is_refused_now_goes_on(
    commands: Commands, recorder: Recorder, stream: str
) -> None:
    first = Entity.Event(stream, 1, datetime(2026, 3, 1, tzinfo=UTC), "k", announced())
    await recorder.append([new_event(first, None)])
    await commands.record(stream, suspended())
    await commands.correct(
        "k", stream, announced(title="B"), "wrong", from_builtins(Source, source())
    )
    assert await recorder.head() == 4


SNAPSHOT = "ab" * 32


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"source": source() | {"snapshot": SNAPSHOT}}, ("source", "snapshot")),
        ({"source": source() | {"reviewedBy": ["bob"]}}, ("source", "reviewedBy")),
        ({"moreSources": [source() | {"snapshot": SNAPSHOT}]}, ("moreSources", 0, "snapshot")),
    ],
)
async def test_no_client_can_say_which_snapshot_a_fact_was_read_from_or_who_accepted_it(
    commands: Commands, recorder: Recorder, fields: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    with pytest.raises(InvalidInput, match="a review writes down") as caught:
        await commands.record(GALLIUM, announced(**fields))
    assert caught.value.path == path
    await commands.record(GALLIUM, announced(), idempotency_key="k")
    forged = from_builtins(Source, source() | {"snapshot": SNAPSHOT})
    with pytest.raises(InvalidInput, match="a review writes down"):
        await commands.retract("k", "wrong", forged)
    with pytest.raises(InvalidInput, match="a review writes down"):
        await commands.correct(
            "k", GALLIUM, announced(**fields), "wrong", from_builtins(Source, source())
        )
    assert await recorder.head() == 1


def made(*actors: str) -> Made:
    """Return an announcement by some actors."""
    return fact(Made, "2025-07-01", kind="statement", title="A", actors=actors)


async def test_an_alliance_can_act_once_it_has_been_founded(commands: Commands) -> None:
    with pytest.raises(InvalidInput, match="an alliance that has been founded") as caught:
        await commands.record("announcement/a", made("US", "quad"))
    assert (caught.value.code, caught.value.path) == ("UNKNOWN_ACTOR", ("actors", 1))
    await commands.record("alliance/quad", fact(Founded, "2025-07-01", name="Quad"))
    await commands.record("announcement/a", made("US", "quad", *NON_ALLIANCE_GROUPS))


@each_case(
    ("stream", "code", "path"),
    [
        ("gallium", "INVALID_INPUT", ("entity",)),
        ("treaty/a", "INVALID_INPUT", ("entity",)),
        ("export-control", "INVALID_ID", ("id",)),
        ("export-control/", "INVALID_ID", ("id",)),
        ("export-control/a b", "INVALID_ID", ("id",)),
        ("export-control/../x", "INVALID_ID", ("id",)),
        ("export-control/" + "x" * 500, "INVALID_ID", ("id",)),
    ],
)
def test_an_entity_has_a_kind_and_an_id_that_fits_in_an_address(
    stream: str, code: str, path: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        decide(rehydrate(stream, []), PlannedEvent(stream, announced(), "e"), ())
    assert (caught.value.code, caught.value.path) == (code, path)


def test_a_refused_order_leaves_the_entity_as_it_was() -> None:
    entity = rehydrate(GALLIUM, [])
    decide(entity, PlannedEvent(GALLIUM, announced(), "e1"), ())
    big = announced(*(clause(str(n), note="x" * 8000) for n in range(MAX_DATA_BYTES // 8000 + 1)))
    for refused in (suspended("9"), announced(), retracted("e9"), big, made("US")):
        with pytest.raises(TrackerError):
            decide(entity, PlannedEvent(GALLIUM, refused, "e2"), ())
        assert (entity.version, len(entity.known)) == (1, 1)
        assert entity.pending_events == []


def test_an_id_that_the_entity_has_is_not_decided_again() -> None:
    entity = rehydrate(GALLIUM, [])
    decide(entity, PlannedEvent(GALLIUM, announced(), "e1"), ())
    with pytest.raises(IdempotencyConflict):
        decide(entity, PlannedEvent(GALLIUM, suspended(), "e1"), ())
    assert entity.version == 1


def test_orders_decided_together_see_what_those_before_them_did() -> None:
    entities = {stream: rehydrate(stream, []) for stream in ("alliance/quad", "announcement/a")}
    founded = fact(Founded, "2025-07-01", name="Quad")
    events, refused = decide_all(
        entities,
        [
            PlannedEvent("announcement/a", made("quad"), "too-early"),
            PlannedEvent("alliance/quad", founded, "founded"),
            PlannedEvent("announcement/a", made("quad"), "made"),
            PlannedEvent("announcement/a", made("quad"), "made-again"),
        ],
        (),
    )
    assert [event.event_id for event in events] == ["founded", "made"]
    assert [(index, error.code) for index, error in refused] == [
        (0, "UNKNOWN_ACTOR"),
        (3, "ALREADY_EXISTS"),
    ]


# --- retractions


async def test_a_retraction_is_recorded_of_the_entity_of_its_target(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(GALLIUM, announced(), idempotency_key="a")
    await commands.retract("a", "misread", misread, actor="jo")
    [_, event] = await recorder.read()
    assert (event.stream, event.type, event.actor) == (GALLIUM, "ExportControl.Retracted", "jo")
    assert event.data["retracts"] == "a"


async def test_a_retraction_sent_again_counts_once(commands: Commands, recorder: Recorder) -> None:
    await commands.record(GALLIUM, announced(), idempotency_key="a")
    for _ in range(2):
        await commands.retract("a", "misread", misread, idempotency_key="r")
    with pytest.raises(InvalidInput, match="already retracted"):
        await commands.retract("a", "misread", misread, idempotency_key="other")
    assert await recorder.head() == 2


async def test_an_unknown_event_can_not_be_retracted(commands: Commands) -> None:
    with pytest.raises(NotFound, match="There is no event 'a'") as caught:
        await commands.retract("a", "misread", misread)
    assert caught.value.path == ("eventId",)


# --- corrections


async def corrected(
    commands: Commands, event_id: str, content: Fact, stream: str = GALLIUM, **more: Any
) -> AppendResult:
    """Return a correction, after recording it."""
    return await commands.correct(event_id, stream, content, "misread", misread, **more)


async def test_a_correction_retracts_and_replaces_at_once(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(GALLIUM, announced(), idempotency_key="a")
    appended = await corrected(
        commands, "a", announced(title="Right"), idempotency_key="k", actor="jo"
    )
    assert (appended.positions, appended.repeated) == (range(2, 4), False)
    [_, retraction, replacement] = await recorder.read()
    assert retraction.fact == from_builtins(
        Retracted, {"retracts": "a", "reason": "misread", "source": source(), "replacement": "k"}
    )
    assert (replacement.event_id, replacement.fact) == ("k", announced(title="Right"))
    assert {(e.recorded_at, e.stream, e.actor) for e in (retraction, replacement)} == {
        (replacement.recorded_at, GALLIUM, "jo")
    }


async def test_a_correction_counts_once(commands: Commands, recorder: Recorder) -> None:
    await commands.record(GALLIUM, announced(), idempotency_key="a")
    sent = await asyncio.gather(
        *(
            corrected(
                commands, "a", announced(title="Right"), idempotency_key="k", expected_version=1
            )
            for _ in range(4)
        )
    )
    assert {appended.positions for appended in sent} == {range(2, 4)}
    assert sum(appended.repeated for appended in sent) == 3
    for event_id, title in (("a", "Other"), ("k", "Right")):
        with pytest.raises(IdempotencyConflict):
            await corrected(commands, event_id, announced(title=title), idempotency_key="k")
    assert await recorder.head() == 3


async def test_a_key_that_was_used_for_another_command_can_not_be_used_for_a_correction(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(GALLIUM, announced(), idempotency_key="a")
    await commands.record(GALLIUM, suspended(), idempotency_key="k")
    for content in (suspended(), announced()):
        with pytest.raises(IdempotencyConflict):
            await corrected(commands, "a", content, idempotency_key="k")
    assert await recorder.head() == 2


@pytest.mark.parametrize(
    ("event_id", "content", "stream", "code", "path"),
    [
        ("a", suspended(), GALLIUM, "NOT_FOUND", ("replacement", "id")),
        ("s", suspended("9"), GALLIUM, "UNKNOWN_CLAUSE", ("replacement", "clauses", 0)),
        ("s", announced(), GALLIUM, "ALREADY_EXISTS", ("replacement", "id")),
        ("s", suspended(), "export-control/a b", "INVALID_ID", ("replacement", "id")),
        ("s", claimed(1), GALLIUM, "INVALID_INPUT", ("replacement", "id")),
        ("none", suspended(), GALLIUM, "NOT_FOUND", ("eventId",)),
        ("gone", suspended(), GALLIUM, "ALREADY_RETRACTED", ("eventId",)),
    ],
)
async def test_a_correction_that_breaks_a_rule_leaves_nothing(
    commands: Commands,
    recorder: Recorder,
    event_id: str,
    content: Fact,
    stream: str,
    code: str,
    path: tuple[str | int, ...],
) -> None:
    await commands.record(GALLIUM, announced(), idempotency_key="a")
    for key in ("s", "gone"):
        await commands.record(GALLIUM, suspended(), idempotency_key=key)
    await commands.retract("gone", "misread", misread)
    with pytest.raises(TrackerError) as caught:
        await corrected(commands, event_id, content, stream)
    assert (caught.value.code, caught.value.path) == (code, path)
    assert await recorder.head() == 4


async def test_a_correction_is_made_on_the_version_that_its_sender_saw(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(GALLIUM, announced(), idempotency_key="a")
    with pytest.raises(VersionConflict, match="expected 2, it is at 1"):
        await corrected(commands, "a", announced(title="Right"), expected_version=2)
    outcomes = await asyncio.gather(
        *(corrected(commands, "a", announced(title=title), expected_version=1) for title in "BC"),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, VersionConflict) for outcome in outcomes) == 1
    assert await recorder.head() == 3


async def test_a_claim_that_was_filed_under_the_wrong_place_moves_to_the_right_one(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(FIGURE, claimed(43_000), idempotency_key="c")
    await corrected(commands, "c", claimed(43_000, place="US"), FIGURE.replace("CN", "US"))
    assert [(e.stream, e.version) for e in await recorder.read()] == [
        (FIGURE, 1),
        (FIGURE, 2),
        (FIGURE.replace("CN", "US"), 1),
    ]


async def test_a_retraction_is_not_corrected_but_retracted(
    commands: Commands, recorder: Recorder
) -> None:
    await commands.record(GALLIUM, announced(), idempotency_key="a")
    await commands.record(GALLIUM, suspended(), idempotency_key="s")
    await commands.retract("s", "misread", misread, idempotency_key="r")
    with pytest.raises(InvalidInput, match="is a retraction") as caught:
        await corrected(commands, "r", suspended())
    assert caught.value.path == ("eventId",)
    assert await recorder.head() == 3


# --- names that can not be stored


@each_case("stream", ["export-control/a\0b", "export-control/a b", "export-control/"])
async def test_a_name_that_can_not_be_stored_is_refused_before_the_database(
    recorder: Recorder, stream: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await Commands(recorder).record(stream, announced())
    assert refused.value.path == ("id",)


async def test_an_event_id_that_can_not_be_stored_is_refused(recorder: Recorder) -> None:
    origin = announced().source
    with pytest.raises(InvalidInput) as refused:
        await Commands(recorder).retract("a\0b", "a reason", origin)
    assert refused.value.path == ("eventId",)
