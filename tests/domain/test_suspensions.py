"""The suspensions of a clause: which one applies on a day, however many there are."""

from dataclasses import dataclass
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.effort import bytecodes
from tracker.domain.basics.values import DAY, PartialDate
from tracker.domain.controls.suspensions import Suspensions

FIRST = date(2025, 1, 1)
DAYS = [FIRST + DAY * n for n in range(-1, 12)]
NUMBERS = st.integers(0, 9)


@dataclass
class Plain:
    """A suspension as a plain list has it."""

    start: date
    end: date | None
    last: date

    def covers(self, day: date) -> bool:
        """Whether it applies on a day."""
        return self.start <= day <= self.last


def day(number: int) -> date:
    """Return a day by its number."""
    return FIRST + DAY * number


def apply(suspensions: Suspensions, plain: list[Plain], act: tuple[str, int, int]) -> Suspensions:
    """Apply an act to both. An end of 9 means none."""
    name, first, second = act
    end = None if second == 9 else day(second)
    text = PartialDate(end.isoformat()) if end else None
    if name == "add":
        plain.append(Plain(day(first), end, end or date.max))
        return suspensions.add(PartialDate(day(first).isoformat()), text)
    if name == "extend":
        for one in reversed(plain):
            if one.last >= day(first):
                one.end, one.last = end, end or date.max
                break
        return suspensions.extend(text, day(first))
    plain[:] = [one for one in plain if one.start < day(first)]
    for one in plain:
        one.last = min(one.last, day(first) - DAY)
    return suspensions.end_before(day(first))


@given(st.lists(st.tuples(st.sampled_from(["add", "add", "extend", "end"]), NUMBERS, NUMBERS)))
def test_suspensions_answer_as_a_plain_list_of_them_does(acts: list[tuple[str, int, int]]) -> None:
    suspensions, plain = Suspensions(), list[Plain]()
    for act in acts:
        suspensions = apply(suspensions, plain, act)
    for asked in DAYS:
        now = next((one for one in plain if one.covers(asked)), None)
        coming = min(
            (one for one in plain if one.start > asked), key=lambda one: one.start, default=None
        )
        open_last = next((one for one in reversed(plain) if one.last >= asked), None)
        for found, expected in (
            (suspensions.on(asked), now),
            (suspensions.next_after(asked), coming),
            (suspensions.last_ordered(asked), open_last),
        ):
            assert (found and (found.start.first, found.last)) == (
                expected and (expected.start, expected.last)
            )
        free = next((d for d in DAYS if d >= asked and not any(o.covers(d) for o in plain)), None)
        if free:
            assert suspensions.first_day_without(asked) == free
    assert suspensions.last_day == max([one.last for one in plain], default=date.min)


@each_case("apart", [True, False])
def test_a_thousand_suspensions_are_asked_about_a_day_as_fast_as_ten(apart: bool) -> None:
    def asked(count: int) -> int:
        suspensions = Suspensions()
        for number in range(count):
            start = FIRST + DAY * (10 * number if apart else 0)
            end = PartialDate((start + DAY * 3).isoformat())
            suspensions = suspensions.add(PartialDate(start.isoformat()), end)
        middle = FIRST + DAY * 5 * count

        def ask() -> None:
            suspensions.on(middle)
            suspensions.next_after(middle)
            suspensions.first_day_without(middle)
            suspensions.add(PartialDate("2090"), None)

        return bytecodes(ask)

    assert asked(1000) < 2 * asked(10)
