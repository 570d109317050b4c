"""Lengths of time are counted with their first day."""

from datetime import date

import pytest

from tests.support.cases import each_case
from tracker.domain.basics.duration import Duration
from tracker.errors import InvalidInput


@each_case(
    ("length", "start", "last"),
    [
        ("P1D", "2025-05-14", "2025-05-14"),
        ("P90D", "2025-05-14", "2025-08-11"),
        ("P90D", "2025-08-12", "2025-11-09"),
        ("P2W", "2025-01-01", "2025-01-14"),
        ("P1M", "2025-01-01", "2025-01-31"),
        ("P6M", "2025-06-15", "2025-12-14"),
        ("P1Y", "2025-11-10", "2026-11-09"),
        ("P1Y6M", "2024-07-01", "2025-12-31"),
        ("P1M10D", "2025-03-01", "2025-04-10"),
        ("P1M", "2025-01-31", "2025-02-28"),
        ("P1M", "2024-01-31", "2024-02-29"),
        ("P1Y", "2024-02-29", "2025-02-28"),
        ("P4Y", "2024-02-29", "2028-02-28"),
        ("P999Y", "9001-01-01", "9999-12-31"),
    ],
)
def test_a_length_of_time_ends_on_the_day_before_the_same_day(
    length: str, start: str, last: str
) -> None:
    assert str(Duration(length).last_day(date.fromisoformat(start))) == last


@each_case("text", ["", "P", "90D", "P0D", "P1H", "PT5H", "P1D1Y", "P-1D", "P1.5Y"])
def test_a_value_that_is_not_a_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="P90D, P6M or P1Y") as caught:
        Duration(text)
    assert caught.value.code == "INVALID_DURATION"


@each_case(
    ("length", "event", "last"),
    [
        ("P90D", "2025-01-01", "2025-04-01"),
        ("P12M", "2024-05-23", "2025-05-23"),
        ("P1M", "2025-01-31", "2025-02-28"),
        ("P1M", "2025-02-28", "2025-03-28"),
        ("P1Y", "2024-02-29", "2025-02-28"),
        ("P1M1D", "2025-01-31", "2025-03-01"),
        ("P999Y", "9001-01-01", "9999-12-31"),
    ],
)
def test_a_time_limit_after_an_event_does_not_count_the_day_of_the_event(
    length: str, event: str, last: str
) -> None:
    assert str(Duration(length).after(date.fromisoformat(event))) == last


def test_a_time_that_recurs_keeps_the_day_of_the_month() -> None:
    days = [Duration("P1M").after(date(2024, 1, 31), times) for times in range(4)]
    assert [*map(str, days)] == ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]
