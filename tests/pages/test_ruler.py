"""The rulers of the time bar: ordered ticks at changes, none outside."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schema.pages.charts.ruler import MAX_TICK_PX, MAX_TICKS, make_day_ruler, make_position_ruler
from schema.pages.charts.scale import TimeScale

DAY = date(2026, 11, 25)
DAYS = st.dates(date(1999, 1, 1), date(2032, 1, 1))


def test_a_tick_is_higher_where_more_turns_on_a_day() -> None:
    ruler = make_day_ruler([date(2024, 12, 3), date(2025, 11, 9), date(2025, 11, 9)], DAY)
    assert [(tick.day, tick.past) for tick in ruler.ticks] == [
        (date(2024, 12, 3), True),
        (date(2025, 11, 9), True),
    ]
    once, twice = ruler.ticks
    assert twice.height_px > once.height_px


def test_upcoming_and_recent_changes_are_separate() -> None:
    ruler = make_day_ruler([date(2025, 11, 9), date(2026, 11, 28)], DAY)
    assert [tick.past for tick in ruler.ticks] == [True, False]
    assert ruler.ticks[0].x < ruler.hand < ruler.ticks[1].x


def test_the_days_after_the_newest_fact_are_drawn_as_unknown() -> None:
    assert make_day_ruler([], DAY).unknown_from is None
    unknown = make_day_ruler([], DAY, facts_until=date(2026, 7, 31)).unknown_from
    assert unknown is not None
    assert unknown < make_day_ruler([], DAY).hand
    whole = TimeScale(date(2026, 1, 1), date(2026, 12, 31))
    assert make_day_ruler([], DAY, date(2027, 1, 1), whole).unknown_from is None


@given(st.lists(DAYS, max_size=60), DAYS)
def test_ticks_are_in_order_inside_and_as_many_as_can_stand_apart(
    turns: list[date], day: date
) -> None:
    ruler = make_day_ruler(turns, day)
    xs = [tick.x for tick in ruler.ticks]
    assert xs == sorted(xs)
    assert all(0 <= x <= 100 for x in xs)
    assert all(0 < tick.height_px <= MAX_TICK_PX for tick in ruler.ticks)
    assert len(xs) <= 2 * (MAX_TICKS + 1)
    assert bool(turns) == bool(xs)


def test_the_first_entry_stands_left_and_the_last_one_right() -> None:
    ruler = make_position_ruler(1, 10_229, positions=[1, 5_115, 10_229, 10_230, 0])
    assert ruler.hand == 0
    assert ruler.ticks == [0.0, 50.0, 100.0]
    assert make_position_ruler(10_229, 10_229).hand == 100


def test_a_ruler_that_must_not_know_of_later_entries_ends_at_its_position() -> None:
    assert make_position_ruler(9_937).last == 9_937
    assert make_position_ruler(9_937).hand == 100
    assert make_position_ruler(0).hand == 100


def test_a_ruler_has_the_last_day_that_there_is() -> None:
    ruler = make_day_ruler([], date.max - timedelta(days=1))
    assert ruler.scale.last == date.max
    assert 0 <= ruler.hand <= 100
