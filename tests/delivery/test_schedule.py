"""Retry times of failed deliveries."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tracker.delivery.schedule import Schedule

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_tries_come_after_5_seconds_5_and_30_minutes_and_2_5_and_10_hours() -> None:
    waits = [Schedule().next_try(failures, NOW, random=0.9) - NOW for failures in range(1, 7)]
    assert waits == [
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        2 * HOUR,
        5 * HOUR,
        10 * HOUR,
    ]
    *_, in_all = accumulate(waits)
    assert in_all < timedelta(days=1)


@given(st.integers(7, 10_000), st.floats(0, 1))
def test_then_every_12_hours_a_tenth_more_or_less_for_ever(failures: int, random: float) -> None:
    wait = Schedule().next_try(failures, NOW, random) - NOW
    assert 10.8 * HOUR <= wait <= 13.2 * HOUR


def test_endpoints_that_failed_together_are_retried_at_different_times() -> None:
    times = {Schedule().next_try(7, NOW, random / 10) for random in range(10)}
    assert len(times) == 10


@each_case("failures", [1, 5, 20])
def test_a_receiver_that_says_when_it_can_be_asked_again_is_asked_then(failures: int) -> None:
    assert Schedule().next_try(failures, NOW, 0.5, 77.5) == NOW + timedelta(seconds=77.5)
    assert Schedule().next_try(failures, NOW, 0.5, 1e9) == NOW + timedelta(days=1)


@each_case("asked_for", [-5, 0, 0.5])
def test_a_receiver_that_can_be_asked_at_once_and_fails_all_the_same_is_not_asked_without_end(
    asked_for: float,
) -> None:
    assert Schedule().next_try(9, NOW, 0.5, asked_for) == NOW + timedelta(seconds=5)
