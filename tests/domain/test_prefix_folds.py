"""Folds of the first facts: for any order of requests and any intervals those of a new fold."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.fact_builders import announced, clause, decided_facts, fact
from tracker.domain.controls.export_control import ExportControlFold
from tracker.domain.controls.export_control_acts import Amended, Disputed
from tracker.domain.entities.fold import PrefixFolds

FACTS = decided_facts(
    "export-control/gallium",
    announced(clause("1")),
    *(
        fact(Disputed, "2026-01-01", account=f"account {number}")
        if number % 2
        else fact(Amended, "2026-01-01", clauses=[clause(str(1 + number))])
        for number in range(40)
    ),
)


def counted(fold: ExportControlFold) -> tuple[int, int]:
    """Return the numbers of facts and of differing accounts in a fold."""
    return len(fold.because), len(fold.disputes)


@given(
    st.lists(st.integers(0, len(FACTS)), max_size=30),
    st.sampled_from([(16,), (16, 4), (16, 4, 1), (8, 1), (1,), ()]),
    st.integers(0, len(FACTS)),
)
def test_any_number_of_first_facts_gives_their_fold(
    counts: Sequence[int], intervals: Sequence[int], end: int
) -> None:
    folds: PrefixFolds[Any] = PrefixFolds(ExportControlFold, intervals)
    for count in counts:
        fold = folds.of_first(FACTS, count)
        assert counted(fold) == (count, max(0, count - 1) // 2)
        assert [one.event_id for one in fold.because] == [one.event_id for one in FACTS[:count]]
    folds.truncate(end)
    others = [*FACTS[:end], *FACTS[end:][::-1]]
    for count in counts:
        cited = folds.of_first(others, count).because
        assert {one.event_id for one in cited} == {one.event_id for one in others[:count]}


def test_folds_from_the_last_fact_back_are_few_at_a_time() -> None:
    folds: PrefixFolds[Any] = PrefixFolds(ExportControlFold, (16, 4, 1))
    for count in range(len(FACTS), -1, -1):
        folds.of_first(FACTS, count)
        assert len(folds._saved[1]) <= 3
        assert len(folds._saved[2]) <= 3
