"""Claims on a line, and bars of shares: where they lie."""

from decimal import Decimal

from schema.pages.charts.claims_line import ClaimState, DrawnClaim, claims_line
from schema.pages.charts.share_bars import bar_widths


def claimed(state: ClaimState, *numbers: int | None) -> DrawnClaim:
    """Return a claim with its value, the upper end of its range, and the previous value."""
    return DrawnClaim(state, *(None if number is None else Decimal(number) for number in numbers))


def percent(x: str | None) -> float:
    """Return a difference as a number."""
    assert x is not None
    return float(x.removesuffix("%"))


def test_claims_lie_on_one_scale_and_an_arrow_leads_from_an_edition_to_the_next() -> None:
    line = claims_line(
        [
            claimed(ClaimState.RESTATED, 240_000),
            claimed(ClaimState.IN_USE, 255_000, None, 240_000),
            claimed(ClaimState.NOT_COMPARABLE, 210_000),
            claimed(ClaimState.BESIDE, 255_000),
        ]
    )
    assert [tick.words for tick in line.ticks] == ["200,000", "220,000", "240,000", "260,000"]
    earlier, in_use, apart, beside = line.marks
    assert line.in_use_x == in_use.x == beside.x
    assert in_use.earlier_x == earlier.x == line.ticks[2].x
    assert not in_use.leftward
    assert percent(apart.x) < percent(earlier.x) < percent(in_use.x)
    assert percent(line.ticks[0].x) > 0
    assert percent(line.ticks[-1].x) < 100


def test_a_number_that_became_smaller_points_to_the_left_and_one_that_did_not_change_nowhere() -> (
    None
):
    line = claims_line(
        [claimed(ClaimState.IN_USE, 80, None, 90), claimed(ClaimState.BESIDE, 85, 95, 85)]
    )
    assert line.marks[0].leftward
    assert line.marks[1].earlier_x is None
    assert percent(line.marks[1].upper_x) > percent(line.marks[1].x)


def test_a_claim_without_a_number_has_no_place() -> None:
    line = claims_line([claimed(ClaimState.IN_USE, None), claimed(ClaimState.BESIDE, None)])
    assert line.ticks == ()
    assert line.in_use_x is None
    assert [mark.x for mark in line.marks] == [None, None]
    line = claims_line([claimed(ClaimState.IN_USE, None), claimed(ClaimState.BESIDE, 0)])
    assert line.marks[0].x is None
    assert percent(line.marks[1].x) > 0, "nothing is a number"


def test_the_largest_share_takes_the_whole_width_and_an_unknown_one_none() -> None:
    shares = [Decimal("0.692"), Decimal("0.0001"), None, Decimal(0)]
    assert bar_widths(shares) == ["100.00%", "0.40%", None, None]
    assert bar_widths([None]) == [None]
