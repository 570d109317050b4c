"""The square of both axes: its rows, the cell of the page, and the limits of a pinned page."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schema.pages.charts.scale import TimeScale
from schema.pages.charts.square import (
    MAX_STEPS,
    Act,
    ClauseStatus,
    Moment,
    Square,
    Version,
    draw_square,
)
from tracker.domain.basics.word import Hue, Shape

SCALE = TimeScale(date(2024, 7, 1), date(2027, 12, 31))
START, TRUCE, BACK = date(2024, 12, 3), date(2025, 11, 9), date(2026, 11, 28)
BANNED = [ClauseStatus("1", "BAN", "IN_FORCE"), ClauseStatus("2", "BAN", "IN_FORCE")]
RESTS = [ClauseStatus("1", "BAN", "IN_FORCE"), ClauseStatus("2", "BAN", "SUSPENDED")]
DAY_BEFORE = timedelta(days=1)

VERSIONS = [
    Version(START, None, 70, 133, BANNED),
    Version(START, TRUCE - DAY_BEFORE, 134, 9937, BANNED),
    Version(TRUCE, BACK - DAY_BEFORE, 134, 9937, RESTS),
    Version(BACK, None, 134, 9937, BANNED),
    Version(START, None, 9939, None, [*BANNED, ClauseStatus("3", "REVIEW", "IN_FORCE")]),
]
"""Announced, suspended, retracted at 9938, and announced again with a third clause."""
ACTS = [Act(70, "Announced"), Act(134, "Suspended"), Act(9938, "Retracted"), Act(9939, "Announced")]


def link(day: date, position: int) -> str:
    return f"?valid={day}&position={position}"


def drawn(day: date, position: int, pinned: bool) -> Square:
    return draw_square(VERSIONS, ACTS, Moment(day, position, pinned), SCALE, link)


def test_a_row_is_what_the_log_told_at_some_positions() -> None:
    steps = drawn(date(2026, 11, 25), 10229, pinned=False).steps
    assert [step.positions for step in steps] == [
        "70 to 133",
        "134 to 9,937",
        "9,938",
        "9,939 to now",
    ]
    assert [step.act.word if step.act else None for step in steps] == [act.word for act in ACTS]
    assert [len(step.lanes) for step in steps] == [2, 2, 0, 3]
    assert [step.here for step in steps] == [False, False, False, True]
    assert [len(step.cells) for step in steps] == [1, 3, 0, 1]


def test_a_clause_is_one_bar_as_long_as_its_status_lasts() -> None:
    first, second = drawn(date(2026, 11, 25), 10229, pinned=False).steps[1].lanes
    assert [bar.style for bar in first.bars] == [Shape.SOLID]
    assert [bar.style for bar in second.bars] == [Shape.SOLID, Shape.HATCHED, Shape.SOLID]
    assert second.hue is Hue.BAN


def test_the_framed_cell_is_the_moment_of_the_page_and_others_lead_to_theirs() -> None:
    square = drawn(date(2025, 11, 20), 9937, pinned=False)
    framed = [cell for step in square.steps for cell in step.cells if cell.here]
    assert [cell.href for cell in framed] == ["?valid=2025-11-20&position=9937"]
    others = [cell.href for step in square.steps for cell in step.cells if not cell.here]
    assert others == [
        "?valid=2025-11-20&position=133",
        "?valid=2024-12-03&position=9937",
        "?valid=2026-11-28&position=9937",
        "?valid=2025-11-20&position=9939",
    ]


def test_later_knowledge_is_distinguished_where_the_page_is_not_pinned() -> None:
    steps = drawn(date(2025, 11, 20), 9000, pinned=False).steps
    assert [step.later for step in steps] == [False, False, True, True]


def test_the_last_row_of_a_pinned_page_ends_at_its_position() -> None:
    moment = Moment(date(2025, 11, 20), 9000, pinned=True)
    known = [
        Version(each.valid_first, each.valid_last, each.known_first, None, each.clauses)
        for each in VERSIONS[1:4]
    ]
    square = draw_square([VERSIONS[0], *known], ACTS[:2], moment, SCALE, link)
    assert [step.positions for step in square.steps] == ["70 to 133", "134 to 9,000"]


def test_a_page_before_the_first_entry_has_only_later_rows() -> None:
    assert all(step.later for step in drawn(START, 60, pinned=False).steps)


def test_a_day_without_a_state_has_no_frame() -> None:
    square = drawn(date(2024, 8, 1), 10229, pinned=False)
    assert not any(cell.here for step in square.steps for cell in step.cells)


@st.composite
def told_versions(draw: st.DrawFn) -> list[Version]:
    """Draw steps of the log, each with consecutive states or none."""
    versions, position = [], draw(st.integers(1, 50))
    steps = draw(st.lists(st.integers(0, 4), min_size=1, max_size=60))
    for index, count in enumerate(steps):
        until = position + draw(st.integers(0, 30))
        known_last = None if index == len(steps) - 1 else until
        first = draw(st.dates(date(2024, 1, 1), date(2025, 1, 1)))
        for number in range(count):
            last = first + timedelta(days=draw(st.integers(0, 400)))
            status = draw(st.sampled_from(["ANNOUNCED", "IN_FORCE", "SUSPENDED", "REPEALED"]))
            versions.append(
                Version(first, None if number == count - 1 else last, position, known_last,
                        [ClauseStatus("1", "QUOTA", status)])
            )  # fmt: skip
            first = last + timedelta(days=1)
        position = until + 1
    return versions


@given(told_versions(), st.dates(date(2023, 1, 1), date(2027, 1, 1)), st.integers(1, 2000))
def test_rows_follow_each_other_and_bars_stay_inside(
    versions: list[Version], day: date, position: int
) -> None:
    for pinned in (False, True):
        square = draw_square(versions, [], Moment(day, position, pinned), SCALE, link)
        assert len(square.steps) <= MAX_STEPS
        assert sum(step.here for step in square.steps) <= 1
        for before, after in zip(square.steps, square.steps[1:], strict=False):
            assert before.last is not None
            assert before.last + 1 == after.first
        for step in square.steps:
            assert step.later == (step.first > position)
            for lane in step.lanes:
                end = 0.0
                for bar in lane.bars:
                    assert bar.x >= end - 1e-6
                    end = bar.x + bar.width
                    assert end <= 100 + 1e-6
                assert len(step.lanes) * (step.lane_px + 2) < step.height_px
