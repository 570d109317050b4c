"""Drawing of the claims on one figure as marks on a scale, a row each. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum

from msgspec import Struct

from schema.pages.charts.amounts import amount_words, ticks

MARGIN_PERCENT = 6
"""Margin left and right of the scale, for half a number."""
MAX_TICKS = 5


class ClaimState(Enum):
    """The state of a claim among those on its figure, with its words."""

    IN_USE = "in use"
    RESTATED = "restated since"
    BESIDE = "beside it, comparable"
    NOT_COMPARABLE = "not comparable"
    NO_NUMBER = "no number"


class DrawnClaim(Struct, frozen=True):
    """A claim to draw; `value` is None without a number in the common unit."""

    state: ClaimState
    value: Decimal | None
    upper: Decimal | None = None
    """Upper end of a range."""
    earlier: Decimal | None = None
    """Number of the previous edition of the same publisher, in the same unit."""


class Tick(Struct, frozen=True):
    """A number of the scale, with its distance from the left."""

    x: str
    words: str


class ClaimMark(Struct, frozen=True):
    """A row of the drawing. Distances from the left are in percent of its width, such as `40%`."""

    state: ClaimState
    x: str | None
    upper_x: str | None = None
    earlier_x: str | None = None
    """Start of its arrow; None if the number did not change, or if there is no previous one."""
    leftward: bool = False
    """Whether the number became smaller."""

    @property
    def code(self) -> str:
        """Return the name of the state, for templates."""
        return self.state.name


class ClaimsLine(Struct, frozen=True):
    """The drawing: its scale, the line of the preferred claim, and a mark for each claim in the given
    order."""

    ticks: Sequence[Tick]
    in_use_x: str | None
    marks: Sequence[ClaimMark]


def claims_line(claims: Sequence[DrawnClaim]) -> ClaimsLine:
    """Draw claims on one scale that includes all of their numbers; without numbers it has no scale."""
    numbers = [
        number
        for claim in claims
        for number in (claim.value, claim.upper, claim.earlier)
        if number is not None
    ]
    if not numbers:
        return ClaimsLine((), None, [ClaimMark(claim.state, None) for claim in claims])
    scale = ticks(min(numbers), max(numbers), MAX_TICKS)

    def x(number: Decimal) -> str:
        part = float((number - scale[0]) / (scale[-1] - scale[0]))
        return f"{MARGIN_PERCENT + part * (100 - 2 * MARGIN_PERCENT):.2f}%"

    in_use = [claim.value for claim in claims if claim.state is ClaimState.IN_USE]
    return ClaimsLine(
        [Tick(x(number), amount_words(number)) for number in scale],
        next((x(value) for value in in_use if value is not None), None),
        [
            ClaimMark(
                claim.state,
                None if claim.value is None else x(claim.value),
                None if claim.upper is None else x(claim.upper),
                None if _unmoved(claim) or claim.earlier is None else x(claim.earlier),
                leftward=not _unmoved(claim) and (claim.earlier or 0) > (claim.value or 0),
            )
            for claim in claims
        ],
    )


def _unmoved(claim: DrawnClaim) -> bool:
    """Return whether there is no arrow from the previous claim to this one."""
    return claim.value is None or claim.earlier is None or claim.value == claim.earlier
