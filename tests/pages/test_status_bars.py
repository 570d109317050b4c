"""Bars of statuses over time: nothing outside, in order, no overlap, and a shape and a word for each."""

import re
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.pages.charts.scale import MAX_LABELS, TimeScale, window_around
from schema.pages.charts.status_bars import (
    MAX_LANES,
    Period,
    RowOfPeriods,
    Track,
    draw_status_table,
    periods_of,
)
from schema.pages.charts.status_marks import IMAGE_COLOURS, PAGE_COLOURS, RARE_STYLES
from tests.support.api import Api
from tests.support.cases import each_case
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.basics.word import Hue, Shape

DAY = date(2026, 11, 25)
STATUSES = [status.name for status in ClauseStatus]
DAYS = st.dates(date(1985, 1, 1), date(2040, 1, 1))


@st.composite
def following_periods(draw: st.DrawFn) -> list[Period]:
    """Draw consecutive periods without a gap, the last one open or not."""
    first = draw(DAYS)
    periods = []
    for days in draw(st.lists(st.integers(0, 2_000), min_size=1, max_size=8)):
        last = first + timedelta(days=days)
        periods.append(Period(draw(st.sampled_from(STATUSES)), first, last))
        first = last + timedelta(days=1)
    if draw(st.booleans()):
        periods[-1] = Period(periods[-1].status, periods[-1].first, None)
    return periods


TRUCE = periods_of(
    [
        {"status": "IN_FORCE", "from": "2024-12-03", "until": "2025-11-08"},
        {"status": "SUSPENDED", "from": "2025-11-09", "until": "2026-11-27"},
        {"status": "IN_FORCE", "from": "2026-11-28", "until": None},
    ]
)


def truce(confirmation: str = "CONFIRMED") -> RowOfPeriods:
    """Return China's ban of gallium to the United States: in force, suspended, in force again by its
    terms."""
    return RowOfPeriods("Gallium", [Track("BAN", TRUCE, confirmation)])


def test_every_shape_is_that_of_a_status_and_every_hue_that_of_a_measure_and_has_its_colours() -> (
    None
):
    assert {status.shape for status in ClauseStatus} == set(Shape)
    assert {measure.hue for measure in Measure} == set(Hue)
    assert set(PAGE_COLOURS) == set(IMAGE_COLOURS) >= {hue.value for hue in Hue}


def test_a_suspension_ends_on_its_last_day_and_the_clause_is_back_on_the_next() -> None:
    (row,) = draw_status_table([truce()], DAY).rows
    (lane,) = row.lanes
    assert [bar.style for bar in lane.bars] == [Shape.SOLID, Shape.HATCHED, Shape.SOLID]
    _, rests, back = lane.bars
    assert rests.x + rests.width == pytest.approx(back.x)
    assert back.x + back.width == 100
    (state,) = row.states
    assert (state.word, state.words) == ("suspended", "until 27\u00a0Nov\u00a02026, then back")
    assert state.confirmations == {"CONFIRMED"}


@each_case(
    ("confirmation", "style", "words"),
    [
        ("CONFIRMED", "solid", ""),
        ("AS_RECORDED", "solid", ""),
        ("BY_TERMS", "terms", " (not confirmed)"),
        ("CONTRADICTED", "contradicted", " (contradicted)"),
    ],
)
def test_a_bar_in_force_shows_the_doubt_of_its_day_only(
    confirmation: str, style: str, words: str
) -> None:
    table = draw_status_table([truce(confirmation)], date(2026, 11, 28))
    first, suspended, back = table.rows[0].lanes[0].bars
    assert [first.style, suspended.style] == ["solid", "hatched"]
    assert (back.style, back.words) == (style, f"in force from 28\u00a0Nov\u00a02026 on{words}")
    assert table.rows[0].states[0].style == style
    assert (style in RARE_STYLES) <= (style in table.styles)


def test_a_state_has_the_confirmations_of_its_clauses() -> None:
    row_of_two = RowOfPeriods("Gallium", [*truce("BY_TERMS").tracks, *truce("CONTRADICTED").tracks])
    (row,) = draw_status_table([row_of_two], date(2026, 11, 28)).rows
    (state,) = row.states
    assert (state.status, state.words) == ("IN_FORCE", "since 28\u00a0Nov\u00a02026")
    assert state.confirmations == {"BY_TERMS", "CONTRADICTED"}


@each_case(
    ("day", "words"),
    [
        ("2024-11-01", "announced 2\u00a0Dec\u00a02024"),
        ("2024-12-02", "in force from 1\u00a0Jan\u00a02025"),
        ("2025-06-01", "since 1\u00a0Jan\u00a02025, until 31\u00a0Dec\u00a02025"),
        ("2026-06-01", "since 1\u00a0Jan\u00a02026"),
    ],
)
def test_the_state_says_since_when_and_until_when(day: str, words: str) -> None:
    row = RowOfPeriods(
        "Quota of 2025",
        [
            Track(
                "QUOTA",
                [
                    Period("ANNOUNCED", date(2024, 12, 2), date(2024, 12, 31)),
                    Period("IN_FORCE", date(2025, 1, 1), date(2025, 12, 31)),
                    Period("EXPIRED", date(2026, 1, 1)),
                ],
            )
        ],
    )
    (drawn,) = draw_status_table([row], date.fromisoformat(day)).rows
    assert (
        [drawn.to_come] if not drawn.states else [state.words for state in drawn.states] == [words]
    )


def test_a_change_without_a_day_is_marked() -> None:
    for status, words in (("ANNOUNCED", "no day is given"), ("SUSPENDED", "until further notice")):
        row = RowOfPeriods("Ban", [Track("BAN", [Period(status, date(2023, 9, 11))])])
        assert [state.words for state in draw_status_table([row], DAY).rows[0].states] == [words]


def test_an_instrument_has_a_thin_bar_for_each_clause_and_counts_its_states() -> None:
    free = Track("REVIEW", [Period("IN_FORCE", date(2024, 12, 3))])
    row = RowOfPeriods("46/2024", [free, *[Track("BAN", TRUCE)] * 7, *[free] * 2])
    (drawn,) = draw_status_table([row], DAY).rows
    assert len(drawn.lanes) == 10
    assert [(state.clauses, state.word, state.hue) for state in drawn.states] == [
        (3, "in force", Hue.LICENCE),
        (7, "suspended", Hue.BAN),
    ]
    assert "7 of 10 clauses: in force" in drawn.words
    tops = [drawn.top_px(index) for index in range(10)]
    assert all(after - before > drawn.lane_px for before, after in pairwise(tops))
    assert tops[0] > 0
    assert tops[-1] + drawn.lane_px < drawn.height_px


def test_an_instrument_of_very_many_clauses_is_drawn_in_part_and_counted_whole() -> None:
    row = RowOfPeriods("Catalogue", [Track("LICENCE", [Period("IN_FORCE", DAY)])] * 300)
    (drawn,) = draw_status_table([row], DAY).rows
    assert len(drawn.lanes) == MAX_LANES
    assert [state.clauses for state in drawn.states] == [300]


@given(following_periods(), DAYS)
def test_bars_are_inside_in_order_and_do_not_overlap(periods: list[Period], day: date) -> None:
    table = draw_status_table([RowOfPeriods("A clause", [Track("BAN", periods)])], day)
    (row,) = table.rows
    (lane,) = row.lanes
    assert len(lane.bars) == len(periods)
    end = 0.0
    for bar, period in zip(lane.bars, periods, strict=True):
        assert bar.style is ClauseStatus[period.status].shape
        assert bar.width > 0
        assert bar.x >= end - 1e-6
        assert str(period) in row.words
        end = bar.x + bar.width
        assert end <= 100 + 1e-6
    assert 0 <= table.today < table.veil < 100
    assert bool(row.states) == any(period.covers(day) for period in periods)


@given(following_periods(), DAYS, DAYS, st.integers(30, 5_000))
def test_bars_are_cut_at_the_window(
    periods: list[Period], day: date, first: date, days: int
) -> None:
    scale = TimeScale(first, first + timedelta(days=days))
    table = draw_status_table([RowOfPeriods("A clause", [Track("TARIFF", periods)])], day, scale)
    end = 0.0
    for bar in table.rows[0].lanes[0].bars:
        assert bar.x >= end - 1e-6
        end = bar.x + bar.width
        assert bar.width > 0
        assert end <= 100 + 1e-6


@given(st.lists(DAYS, max_size=20), st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_a_window_has_all_its_days_and_labels_that_stand_apart(
    turns: list[date], day: date
) -> None:
    scale = window_around(turns, day)
    assert all(scale.first <= each <= scale.last for each in (*turns, day))
    xs = [tick.x for tick in scale.ticks()]
    assert xs == sorted(set(xs))
    labelled = [tick for tick in scale.ticks() if tick.label]
    assert 1 <= len(labelled) <= MAX_LABELS + 1
    assert all(after.x - before.x > 5 for before, after in pairwise(labelled))


@each_case("day", [date.min, date.max])
def test_a_window_around_the_first_and_the_last_day_there_is(day: date) -> None:
    scale = window_around([], day)
    assert scale.first <= day <= scale.last
    assert 0 <= scale.start(day) < scale.end(day) <= 100


def test_days_of_a_scale_are_equally_wide_and_begin_at_its_edges() -> None:
    scale = TimeScale(date(2025, 1, 1), date(2025, 12, 31))
    assert scale.start(date(2025, 1, 1)) == 0
    assert scale.end(date(2025, 12, 31)) == 100
    assert scale.start(date(2024, 1, 1)) == 0
    assert scale.end(None) == 100
    assert scale.end(date(2025, 6, 1)) == scale.start(date(2025, 6, 2))


@each_case(
    ("path", "label"),
    [
        ("/controls/cn-mofcom-2024-46", "Status: ban in force"),
        ("/commodities/gallium", "Status: dual-use licence in force"),
        ("/places/CN", "Status: "),
        ("/places/CH", "Status: not recorded"),
        (
            "/check?commodity=gallium&form=METAL&origin=CN&destination=US",
            "Status: ban in force, not confirmed",
        ),
        (
            "/check?hsCode=850511&origin=CN&destination=DE",
            "Status: dual-use licence in force, possibly",
        ),
    ],
    ids=str,
)
async def test_the_first_line_after_the_title_begins_with_the_mark_of_its_status(
    corpus: Api, path: str, label: str
) -> None:
    html = (
        await corpus.request("GET", f"{path}{'&' if '?' in path else '?'}valid=2026-11-29")
    ).text
    after_title = html.partition("</h1>")[2].lstrip()
    line = re.match(
        r'<section class="answer"[^>]*>\s*<p>\s*(<svg .*?</svg>) (.*?)</p>', after_title, re.S
    )
    assert line, after_title[:300]
    mark, text = line.groups()
    assert 'role="img"' in mark
    assert f'aria-label="{label}' in mark
    assert ("?</text>" in mark) == bool(re.search("not confirmed|not recorded|possibly", label))
    assert text
