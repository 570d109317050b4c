"""Commands appended together have the same outcomes as one by one."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.bootstrap import open_connection
from tests.support.cases import each_case
from tests.support.log_events import event
from tracker.errors import InvalidInput, TooLarge, Unavailable, VersionConflict
from tracker.log.append import AppendResult, Command, append
from tracker.log.entries import MAX_DATA_BYTES, NewEvent
from tracker.log.recorder import Recorder
from tracker.postgres.database import API, Target, create_pool

IDS, STREAMS = st.sampled_from("abcdefgh"), st.sampled_from("xyz")
EVENTS = st.tuples(IDS, STREAMS, st.integers(1, 5), st.sampled_from([b"{}", b'{"a":1}']))
COMMANDS = st.lists(EVENTS, min_size=1, max_size=3, unique_by=lambda e: e[0])
BATCHES = st.lists(st.lists(COMMANDS, min_size=1, max_size=8), min_size=1, max_size=6)


@dataclass
class Model:
    """A log in a few lines, one command at a time."""

    head: int
    versions: dict[str, int] = field(default_factory=dict)
    content: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)

    def append(self, command: Command) -> tuple[Any, ...]:
        """Return the outcome of a command."""
        known = [e for e in command if e.event_id in self.content]
        if known:
            same = all(
                self.content.get(e.event_id, (0,))[1:] == (e.stream, e.data) for e in command
            )
            if not same:
                return ("IDEMPOTENCY_CONFLICT",)
            return ("repeated", min(self.content[e.event_id][0] for e in known))
        next_versions = dict(self.versions)
        for e in command:
            if e.version != next_versions.get(e.stream, 0) + 1:
                return ("VERSION_CONFLICT",)
            next_versions[e.stream] = e.version
        self.versions = next_versions
        first = self.head + 1
        for e in command:
            self.head += 1
            self.content[e.event_id] = (self.head, e.stream, e.data)
        return ("appended", first)


def in_words_of_model(outcome: Any) -> tuple[Any, ...]:
    """Return an outcome in the model's form."""
    if isinstance(outcome, AppendResult):
        return ("repeated" if outcome.repeated else "appended", outcome.positions[0])
    return (outcome.code,)


def test_joined_commands_have_the_results_of_single_ones(target: Target) -> None:
    loop = asyncio.new_event_loop()

    async def check(batches: list[list[list[tuple[str, str, int, bytes]]]]) -> None:
        run = uuid4().hex
        async with open_connection(target, role=API) as connection:
            model = Model(await connection.fetchval("SELECT count(*) FROM log.events"))
            for batch in batches:
                commands = [[new(run, *fields) for fields in command] for command in batch]
                outcomes = await append(connection, commands)
                assert list(map(in_words_of_model, outcomes)) == [model.append(c) for c in commands]
            assert model.head == await connection.fetchval("SELECT max(position) FROM log.events")

    @settings(max_examples=80, deadline=None)
    @given(BATCHES)
    def examples(batches: list[list[list[tuple[str, str, int, bytes]]]]) -> None:
        loop.run_until_complete(check(batches))

    loop.run_until_complete(first_event(target))
    examples()
    loop.close()


async def first_event(target: Target) -> None:
    """Append the first event."""
    async with open_connection(target, role=API) as connection:
        await append(connection, [[event("export-control/before", "before")]])


def new(run: str, id: str, stream: str, version: int, data: bytes) -> NewEvent:
    """Return an event with names of one run."""
    return NewEvent(
        f"{run}{id}",
        f"export-control/{run}{stream}",
        version,
        "ExportControl.Announced",
        f'"id":"{id}"',
        data,
    )


async def test_a_command_sent_twice_at_once_is_recorded_once(recorder: Recorder) -> None:
    command = [event("export-control/a", "a")]
    one, other, third = await asyncio.gather(*(recorder.append(command) for _ in range(3)))
    assert list(one.positions) == list(other.positions) == list(third.positions) == [1]
    assert [one.repeated, other.repeated, third.repeated] == [False, True, True]


async def test_an_id_that_comes_twice_in_one_transaction_fails_for_nobody_else(
    target: Target,
) -> None:
    one, same, else_, other = (
        [event("export-control/a", "a")],
        [event("export-control/a", "a")],
        [event("export-control/c", "a")],
        [event("export-control/b", "b")],
    )
    async with open_connection(target, role=API) as connection:
        for twice in (same, else_):
            run = f"{len(twice[0].stream)}{twice is same}"
            commands = [
                [replace(e, event_id=e.event_id + run, stream=e.stream + run) for e in c]
                for c in (one, twice, other)
            ]
            outcomes = await append(connection, commands)
            assert [in_words_of_model(outcome)[0] for outcome in outcomes] == [
                "appended",
                "repeated" if twice is same else "IDEMPOTENCY_CONFLICT",
                "appended",
            ]


async def test_of_writers_on_one_stream_one_wins_each_round(recorder: Recorder) -> None:
    for version in range(1, 6):
        outcomes = await asyncio.gather(
            *(
                recorder.append([event("export-control/a", f"{version}-{i}", version)])
                for i in range(16)
            ),
            return_exceptions=True,
        )
        assert [type(o) for o in outcomes].count(AppendResult) == 1
        assert [type(o) for o in outcomes].count(VersionConflict) == 15
    assert await recorder.head() == 5


async def test_a_command_with_a_gap_or_one_id_twice_is_refused(recorder: Recorder) -> None:
    with pytest.raises(VersionConflict, match="expected 1, it is at 0"):
        await recorder.append([event("export-control/a", "a"), event("export-control/a", "b", 3)])
    with pytest.raises(InvalidInput, match="an id of its own"):
        await recorder.append([event("export-control/a", "a"), event("export-control/a", "a", 2)])
    assert await recorder.head() == 0


@each_case(
    ("wrong", "error", "path"),
    [
        ({"type": "ExportControl.Unheard"}, InvalidInput, ("type",)),
        ({"data": b"x" * (MAX_DATA_BYTES + 1)}, TooLarge, ()),
        ({"data": b"\xff"}, InvalidInput, ("data",)),
        ({"data": b"\x00"}, InvalidInput, ("data",)),
        ({"event_id": "\ud800"}, InvalidInput, ("event_id",)),
        ({"event_id": "a\x00"}, InvalidInput, ("event_id",)),
        ({"stream": "alliance/\x00"}, InvalidInput, ("stream",)),
        ({"attributes": "\udfff"}, InvalidInput, ("attributes",)),
        ({"version": 0}, InvalidInput, ("version",)),
        ({"version": 2**31}, InvalidInput, ("version",)),
    ],
)
def test_an_event_that_the_log_can_not_take_can_not_be_made(
    wrong: dict[str, Any], error: type[Exception], path: tuple[str, ...]
) -> None:
    good = {
        "event_id": "a",
        "stream": "alliance/a",
        "version": 1,
        "type": "Alliance.Founded",
        "attributes": "",
        "data": b"{}",
    }
    NewEvent(**good)  # type: ignore[arg-type]
    with pytest.raises(error) as caught:
        NewEvent(**good | wrong)  # type: ignore[arg-type]
    assert caught.value.path == path  # type: ignore[attr-defined]


async def test_a_counter_of_appends_gets_the_failed_ones(target: Target) -> None:
    pool = await create_pool(target)
    recorder, counted = Recorder(pool), list[tuple[int, bool]]()
    recorder.observe = lambda events, _, went: counted.append((events, went))
    await recorder.append([event("x", "a")])
    await pool.close()
    with pytest.raises(Unavailable):
        await recorder.append([event("x", "b", 2)])
    assert counted == [(1, True), (0, False)]
