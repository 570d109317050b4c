"""Gaps in numbers: all missing ones are named, and no existing one."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tracker.watch.adapters.mofcom.journal import MAX_GAPS, find_gaps

UNTIL = date(2025, 6, 30)
DAYS = st.integers(0, 364).map(lambda n: date(2025, 1, 1) + timedelta(days=n))
SEEN = st.dictionaries(st.integers(1, 150), DAYS, max_size=60)


@given(SEEN, st.integers(1, 20))
def test_seen_numbers_and_gaps_are_all_numbers_up_to_the_highest_settled_one(
    seen: dict[int, date], first: int
) -> None:
    gaps = find_gaps(seen, first, UNTIL)
    settled = [number for number, day in seen.items() if day <= UNTIL]
    assert sorted(gaps) == gaps
    assert not set(gaps) & set(seen)
    expected = set(range(first, max(settled, default=0) + 1))
    assert set(gaps) | (set(seen) & expected) == expected


@given(SEEN, st.integers(1, 150), DAYS)
def test_a_number_that_appears_is_no_longer_a_gap_and_makes_none_below_the_highest(
    seen: dict[int, date], number: int, day: date
) -> None:
    before = set(find_gaps(seen, 1, UNTIL))
    after = set(find_gaps({**seen, number: day}, 1, UNTIL))
    assert number not in after
    highest = max((n for n, on in seen.items() if on <= UNTIL and n != number), default=0)
    assert {gap for gap in after - before if gap < highest} == set()


def test_a_mistake_in_a_number_does_not_make_thousands_of_gaps() -> None:
    gaps = find_gaps({1: UNTIL, 9999: UNTIL}, 1, UNTIL)
    assert gaps == list(range(2, 2 + MAX_GAPS))
