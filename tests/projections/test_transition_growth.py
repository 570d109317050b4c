"""Transitions of entities with many facts: the work grows with the facts, not with their square."""

import sys
import tracemalloc
from collections.abc import Callable
from datetime import date
from types import FrameType
from typing import Any

from projections.fold.transitions import EntityTransitions, Transition
from tests.support.cases import each_case
from tests.support.fact_builders import announced, claimed, clause, decided_facts, fact
from tracker.domain.basics.values import DAY
from tracker.domain.controls.export_control_acts import Disputed, Suspended, SuspensionExtended
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.entities.fact import Fact

FIRST_DAY = date(2010, 1, 1)


def claim(number: int, on: str) -> Fact:
    publisher = ("usgs", "bgs", "iea")[number % 3]
    return claimed(number, publisher=publisher, edition=f"no {number}", published_on=on)


def act(number: int, on: str) -> Fact:
    """Return an announcement, and then acts that repeat earlier ones: the first of them are the causes."""
    if number == 0:
        return announced(clause("1"), clause("2"), on=on)
    return (
        fact(Disputed, on, account=f"account {number}"),
        fact(Suspended, on, clauses=["1"], suspendedFrom="2030-01-01", suspendedUntil="2030-12-31"),
        fact(SuspensionExtended, on, clauses=["1"], suspendedUntil="2031-12-31"),
    )[number % 3]


def figure(size: int) -> EntityTransitions:
    """Return the transitions of a figure with claims on separate days."""
    claims = (claim(number, str(FIRST_DAY + number * DAY)) for number in range(size))
    stream = "figure/rare_earths/CN/production/mine/2023"
    return EntityTransitions(stream, decided_facts(stream, *claims))


def control(size: int) -> EntityTransitions:
    """Return the transitions of a control with all facts on one day."""
    known: list[RecordedFact] = decided_facts(
        "export-control/gallium", *(act(number, str(FIRST_DAY)) for number in range(size))
    )
    return EntityTransitions("export-control/gallium", known)


def made(of: EntityTransitions, days: int | None = None) -> list[Transition]:
    """Return the transitions of the last days on which an entity may change."""
    after = date.min if days is None else of.days(date.min, date.max)[-days - 1]
    return list(of.between(after, date.max))


def calls(work: Callable[[], Any]) -> int:
    """Return the number of calls of Python functions in a piece of work."""
    count = 0

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_a_transition_of_a_figure_takes_the_same_calls_with_any_number_of_claims() -> None:
    def calls_of_eighty_days(size: int) -> int:
        return calls(lambda: made(figure(size), 100)) - calls(lambda: made(figure(size), 20))

    few, many = calls_of_eighty_days(150), calls_of_eighty_days(1200)
    assert many < 1.5 * few


@each_case("times", [4, 16])
def test_causes_of_a_control_take_calls_in_proportion_to_its_facts(times: int) -> None:
    few, many = control(90), control(90 * times)
    assert [one.kind for one in made(few)] == [one.kind for one in made(many)]
    assert calls(lambda: made(control(90 * times))) < 1.3 * times * calls(lambda: made(control(90)))


def test_the_memory_for_causes_grows_less_than_twice_as_fast_as_the_facts() -> None:
    def peak(size: int) -> int:
        of = control(size)
        tracemalloc.start()
        try:
            made(of)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(1600) < 16 * peak(200)
