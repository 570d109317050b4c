"""Watched sources: state after polls, and records of each fetch."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.fold.timeline import EntityFold, timeline
from tests.support.cases import each_case
from tests.support.fact_builders import decided_facts, refused, retracted, state
from tests.support.watched_sources import (
    ONE,
    OTHER,
    fact_of_source,
    failed,
    fetched,
    looked,
    unchanged,
    watched,
)
from tracker.domain.basics.codec import decode, encode
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.entities.fact import Fact
from tracker.domain.events.registry import FACTS, STATES
from tracker.domain.evidence.watched_source import WatchedSource, WatchedSourceState
from tracker.domain.evidence.watched_source_facts import (
    Fetched,
    Looked,
    SnapshotRedacted,
    Unwatched,
)
from tracker.errors import InvalidInput, NotFound

STREAM = "source/us-federal-register"
refusal = partial(refused, STREAM)


def on(day: str, *facts: Fact) -> WatchedSourceState | None:
    """Return the source on a day, from these facts."""
    found: WatchedSourceState | None = state(decided_facts(STREAM, *facts), STREAM, day)
    return found


def now(*facts: Fact) -> WatchedSourceState:
    """Return the final state of the source."""
    found = on("2030-01-01", *facts)
    assert found
    return found


def test_a_source_is_watched_from_its_day_on_and_was_never_read_before_its_first_look() -> None:
    assert on("2026-10-31", watched()) is None
    found = now(watched())
    assert (found.name, found.publisher, found.issuers) == ("Federal Register", "gvw", ("US",))
    assert (found.watched_since, found.is_watched) == ("2026-11-01", True)
    assert (found.looks, found.last_looked_at, found.next_look_expected_at) == (0, None, None)


def test_a_look_that_read_everything_says_when_and_how_far() -> None:
    found = now(watched(), fetched(), looked(coversUntil="2026-10-31", snapshots=1, candidates=2))
    assert found.last_looked_at == datetime(2026, 11, 1, 12, 0, 0, 1, UTC)
    assert found.covers_until == date(2026, 10, 31)
    assert (found.looks, found.requests, found.snapshots, found.candidates) == (1, 1, 1, 2)
    assert found.last_fetched_at == found.last_changed_at == found.last_looked_at
    assert found.next_look_expected_at == datetime(2026, 11, 2, 0, 0, 0, 1, UTC)


def test_a_look_that_found_nothing_is_on_record_too() -> None:
    later = "2026-11-02T00:00:00Z"
    found = now(
        watched(),
        *(fetched(), looked(coversUntil="2026-10-31")),
        *(unchanged(later, look=2), looked(later, look=2, coversUntil="2026-11-01")),
    )
    assert found.covers_until == date(2026, 11, 1)
    assert found.last_changed_at == datetime(2026, 11, 1, 12, 0, 0, 1, UTC)
    assert found.last_fetched_at == found.last_looked_at == datetime(2026, 11, 2, tzinfo=UTC)


def test_a_look_that_failed_leaves_what_is_known_as_old_as_it_was() -> None:
    days = ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z", "2026-11-04T00:00:00Z")
    facts = [watched(), looked(coversUntil="2026-10-31")]
    for look, day in enumerate(days[:2], 2):
        facts += [failed(day, look=look), looked(day, look=look, complete=False)]
    found = now(*facts)
    assert found.last_looked_at == datetime(2026, 11, 1, 12, 0, 0, 1, UTC)
    assert found.covers_until == date(2026, 10, 31)
    assert found.failing_since == datetime(2026, 11, 2, tzinfo=UTC)
    assert found.last_ended_at == datetime(2026, 11, 3, tzinfo=UTC)
    failure = found.last_failure
    assert failure
    assert (failure.look, failure.code, failure.reason) == (3, "TIMEOUT", "no answer in 30 seconds")
    assert now(*facts, looked(days[2], look=4)).failing_since is None


def test_results_of_a_poll_count_once_it_has_ended() -> None:
    begun = [watched(), looked(), fetched(look=2, sha256=OTHER), failed(look=2)]
    found = now(*begun)
    assert (found.last_changed_at, found.last_failure) == (None, None)
    ended = now(*begun, looked(look=2))
    assert ended.last_changed_at
    assert ended.last_failure
    assert ended.failing_since is None  # it read everything all the same


def test_a_state_cites_no_more_facts_however_many_looks_there_were() -> None:
    looks: list[Fact] = []
    for number in range(2, 300):
        at = (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=number)).isoformat()
        looks += [unchanged(at, look=number), looked(at, look=number)]
    found = now(watched(), fetched(), looked(), *looks)
    assert found.looks == 299
    assert [one.event_id for one in found.because] == ["e1", "e599"]
    assert len(encode(found)) < 1500


def test_settings_may_change_and_the_days_before_keep_theirs() -> None:
    facts = [watched(), looked(), watched("2026-11-05", everyHours=6, name="The Register")]
    before, after = on("2026-11-04", *facts), now(*facts)
    assert before
    assert (before.name, before.every_hours) == ("Federal Register", 12)
    assert (after.name, after.every_hours, after.looks) == ("The Register", 6, 1)
    assert after.watched_since == "2026-11-01"


def test_a_source_is_no_longer_watched_and_watched_again_on_the_same_day() -> None:
    gone = fact_of_source(Unwatched, "2026-11-05", reason="it was closed")
    facts = [watched(), looked(), gone]
    found = now(*facts)
    assert (found.unwatched_on, found.unwatched_because) == ("2026-11-05", "it was closed")
    assert found.next_look_expected_at is None
    again = now(*facts, watched("2026-11-05"))
    assert (again.is_watched, again.watched_since) == (True, "2026-11-01")
    assert refusal(*facts, gone).code == "NOT_WATCHED"
    known = recorded([*facts, watched("2026-11-05"), gone])
    assert not state(known, STREAM, "2026-11-05").is_watched


@each_case(
    ("wrong", "code", "path"),
    [
        (lambda: fetched("2026-11-01T12:00:00+08:00"), "INVALID_TIME", ("at",)),
        (lambda: fetched(on="2026-11-02"), "INVALID_DATE", ("on",)),
        (lambda: fetched(sha256="A" * 64), "INVALID_INPUT", ("sha256",)),
        (lambda: fetched(status=99), "INVALID_INPUT", ("status",)),
        (lambda: fetched(size=-1), "INVALID_INPUT", ("size",)),
        (lambda: fetched(look=0), "INVALID_INPUT", ("look",)),
        (lambda: fetched(address="x" * 2001), "TOO_LARGE", ("address",)),
        (lambda: failed(code="TIRED"), "INVALID_INPUT", ("code",)),
        (lambda: looked(startedAt="2026-11-01T12:00:01Z"), "END_BEFORE_START", ("at",)),
        (lambda: looked(warnings=["odd"] * 21), "TOO_LARGE", ("warnings",)),
        (lambda: watched(everyHours=0), "INVALID_INPUT", ("everyHours",)),
        (lambda: fact_of_source(Unwatched, "2026-11-01", reason=" "), "INVALID_INPUT", ("reason",)),
    ],
)
def test_a_fact_that_cannot_be_is_refused(wrong: Any, code: str, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as caught:
        wrong()
    assert (caught.value.code, caught.value.path) == (code, path)


def test_a_source_is_watched_before_it_is_looked_at_and_its_key_is_plain() -> None:
    assert isinstance(refusal(looked()), NotFound)
    with pytest.raises(InvalidInput) as caught:
        decided_facts("source/US_Register", watched())
    assert (caught.value.code, caught.value.path) == ("INVALID_ID", ("id",))


def test_a_look_ends_once_and_in_its_turn() -> None:
    facts = [watched(), looked(look=2)]
    assert refusal(*facts, looked(look=2)).code == "LOOK_ENDED"
    assert refusal(*facts, looked(look=1)).path == ("look",)
    assert now(*facts, looked(look=7)).last_look == 7


def test_fetches_cannot_be_retracted() -> None:
    assert refusal(watched(), fetched(), retracted("e2")).code == "FETCH_STAYS"


def test_a_snapshot_is_redacted_once() -> None:
    facts = [watched(), fetched(), failed(sha256=OTHER), looked()]
    gone = [
        fact_of_source(SnapshotRedacted, "2026-11-03", sha256=of, reason="order")
        for of in (ONE, OTHER)
    ]
    assert now(*facts, *gone) == now(*facts)
    assert refusal(*facts, gone[0], gone[0]).code == "ALREADY_REDACTED"


def test_a_time_is_kept_to_the_microsecond() -> None:
    fact = fetched("2026-11-01T12:00:00.000001Z")
    assert b'"at":"2026-11-01T12:00:00.000001Z"' in encode(fact)
    assert decode(Fetched, encode(fact)) == fact


def test_every_fact_and_the_state_can_be_written_and_read() -> None:
    facts = [watched(), fetched(), unchanged(), failed(), looked(coversUntil="2026-10-31")]
    for fact in facts:
        assert decode(FACTS[WatchedSource.type_of(fact)], encode(fact)) == fact
    assert decode(STATES["source"], encode(now(*facts))) == now(*facts)


HOURS = st.integers(0, 24 * 40)


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Draw facts of consecutive polls, whose times may be out of order."""
    facts: list[Fact] = [watched("2026-11-01")]
    for look in range(1, draw(st.integers(1, 12))):
        at = (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=draw(HOURS))).isoformat()
        for make in draw(st.lists(st.sampled_from((fetched, unchanged, failed)), max_size=3)):
            facts.append(make(at, look=look))
        if draw(st.booleans()):
            facts.append(looked(at, look=look, complete=draw(st.booleans())))
        if draw(st.integers(0, 5)) == 0:
            facts.append(watched(at[:10], everyHours=draw(st.integers(1, 48))))
    return facts


def recorded(facts: Sequence[Fact]) -> list[RecordedFact]:
    """Return facts as recorded, without those that the rules refuse."""
    return [
        RecordedFact(position, f"e{position}", WatchedSource.type_of(fact), fact)
        for position, fact in enumerate(facts, 1)
    ]


@given(histories())
def test_facts_one_by_one_make_the_rows_that_all_at_once_make(facts: list[Fact]) -> None:
    known = recorded(facts)
    fold = EntityFold(STREAM)
    for item in known:
        fold.apply([item])
    assert fold.versions() == timeline(STREAM, known)


@given(histories())
def test_a_state_follows_from_the_looks_that_have_ended_by_its_day(facts: list[Fact]) -> None:
    known = recorded(facts)
    for version in timeline(STREAM, known):
        found = version.state
        assert isinstance(found, WatchedSourceState)
        ended = [
            fact
            for fact in sorted(facts, key=lambda fact: fact.public_on)
            if isinstance(fact, Looked) and fact.public_on <= version.start
        ]
        whole = [fact for fact in ended if fact.complete]
        assert found.looks == len(ended)
        assert found.last_looked_at == (whole[-1].at if whole else None)
        behind = ended[ended.index(whole[-1]) + 1 :] if whole else ended
        assert found.failing_since == (behind[0].at if behind else None)
        assert len(found.because) <= 7
