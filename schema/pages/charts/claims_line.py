"""The claims on one figure as marks on a line, a row each: where each lies, and what it came from. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from schema.pages.charts.amounts import amount_words, ticks

MARGIN_PERCENT = 6
"""Room left and right of the first and last number of the scale, for half a number."""
MAX_TICKS = 5


class ClaimState(Enum):
    """What a claim is among those on its figure, with the words for it."""

    IN_USE = "in use"
    RESTATED = "restated since"
    BESIDE = "beside it, comparable"
    NOT_COMPARABLE = "not comparable"
    NO_NUMBER = "no number"


@dataclass(frozen=True, slots=True)
class DrawnClaim:
    """A claim as far as it is drawn; `value` is None without a number in the unit of the others."""

    state: ClaimState
    value: Decimal | None
    upper: Decimal | None = None
    """The upper end of a range."""
    earlier: Decimal | None = None
    """What the edition before of the same publisher said, in the same unit."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A number of the scale, and how far from the left it stands."""

    x: str
    words: str


@dataclass(frozen=True, slots=True)
class ClaimMark:
    """A row of the drawing. Distances from the left are in percent of its width, such as `40%`."""

    state: ClaimState
    x: str | None
    upper_x: str | None = None
    earlier_x: str | None = None
    """Where its arrow begins; None where the number did not change, or there was none before."""
    leftward: bool = False
    """Whether the number became smaller."""

    @property
    def code(self) -> str:
        """The name of the state, for templates."""
        return self.state.name


@dataclass(frozen=True, slots=True)
class ClaimsLine:
    """The drawing: its scale, the line of the claim in use, and a mark a claim in the given order."""

    ticks: Sequence[Tick]
    in_use_x: str | None
    marks: Sequence[ClaimMark]


def claims_line(claims: Sequence[DrawnClaim]) -> ClaimsLine:
    """The drawing of claims on one scale that has all of their numbers; without any it has no scale."""
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
    """Whether there is no way from the claim before to this one that could be drawn."""
    return claim.value is None or claim.earlier is None or claim.value == claim.earlier
