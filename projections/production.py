"""Who produces, or holds, how much of the world's total: shares and concentration. Pure.

Everything is computed from preferred claims that can be compared, and nothing is coerced: a figure
without a number gets no share, and neither does one whose basis is not that of the world's figure.
Both are listed, so that what is left out can be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from tracker.domain.figure import FigureState
from tracker.domain.values import Place, Quantity
from tracker.domain.vocabulary import Qualifier, Stage, Statistic

WORLD = Place("WORLD")
NOT_COUNTRIES = frozenset({WORLD, Place("OTHER"), Place("EU")})
"""Left out of the concentration: the total, the residual, and a union whose members are counted."""

APPROXIMATE = frozenset({None, Qualifier.ABOUT, Qualifier.NEARLY, Qualifier.NIL})
"""Qualifiers whose number stands for the value; the others give a bound of it."""

ARITHMETIC = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[])
"""Of its own, so that no setting of the process changes an answer, and without exceptions."""

TOP = 3


@dataclass(frozen=True, slots=True)
class Share:
    """A place's figure, and its part of the world's as a fraction of 1.

    `obstacle` says in words why there is no share.
    """

    figure: FigureState
    share: Decimal | None
    obstacle: str | None = None

    @property
    def place(self) -> Place:
        """Whose figure it is."""
        return self.figure.series.place

    @property
    def has_number(self) -> bool:
        """Whether the preferred claim carries a number."""
        return self.figure.preferred.quantity.value is not None


@dataclass(frozen=True, slots=True)
class Concentration:
    """How far output or reserves lie in few hands; see `concentration`.

    It is computed from the preferred claims of `computed_from`.
    """

    hhi: Decimal
    top_three_share: Decimal
    top_three: tuple[Place, ...]
    covered_share: Decimal
    computed_from: tuple[FigureState, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """How one commodity's world total is spread over places.

    `without_number` are the places whose preferred claim has no number, `not_comparable` the
    figures that have one which can't be set against the world's.
    """

    world: FigureState | None
    shares: tuple[Share, ...]
    without_number: tuple[Place, ...]
    not_comparable: tuple[Share, ...]
    concentration: Concentration | None


def selected(
    figures: Iterable[FigureState], statistic: Statistic, stage: Stage | None, form: str | None
) -> list[FigureState]:
    """The figures of one statistic, stage and form."""
    wanted = (statistic, stage, form)
    return [figure for figure in figures
            if (figure.series.statistic, figure.series.stage, figure.series.form) == wanted]


def distribution(figures: Sequence[FigureState]) -> Distribution:
    """Shares and concentration from the figures of one commodity, statistic, stage, form and year.

    The share of a place is the number of its preferred claim, in the unit of the world's preferred
    claim, divided by the number of that. It is rounded to 4 places and exists only if

    - both claims have a number that stands for the value: exact, about, nearly or nil, not a bound;
    - both say the same basis (or neither says one);
    - the units are the same, or a factor between them is declared.

    The greatest shares come first, then the figures without one by place.
    """
    world = next((figure for figure in figures if figure.series.place == WORLD), None)
    shares = sorted(
        (_share(figure, world) for figure in figures if figure is not world),
        key=lambda s: (s.share is None, -(s.share or 0), s.place),
    )
    return Distribution(
        world=world,
        shares=tuple(shares),
        without_number=tuple(s.place for s in shares if not s.has_number),
        not_comparable=tuple(s for s in shares if s.has_number and s.share is None),
        concentration=concentration(world, shares) if world else None,
    )


def concentration(world: FigureState, shares: Iterable[Share]) -> Concentration | None:
    """The Herfindahl-Hirschman index and the part of the three largest; None without any share.

    The index is the sum of the squares of the shares in percent: 10,000 for a single producer. It
    goes over places except the world, other countries and the EU; a declared group such as
    US_CA counts as one place. Where places have no share the true index is higher: `covered_share`
    says how much of the world the places in it make up. Computed from unrounded shares and rounded
    in the end, the index to one place and shares to four.
    """
    counted = [s for s in shares if s.share is not None and s.place not in NOT_COUNTRIES]
    if not counted:
        return None
    exact = {s.place: _ratio(s.figure.preferred.quantity, world.preferred.quantity) or Decimal(0)
             for s in counted}
    top = sorted(exact, key=lambda place: (-exact[place], place))[:TOP]
    squares = (ARITHMETIC.multiply(part, part) * 10_000 for part in exact.values())
    return Concentration(
        hhi=_rounded(_total(squares), "0.1"),
        top_three_share=_rounded(_total(exact[place] for place in top), "0.0001"),
        top_three=tuple(top),
        covered_share=_rounded(_total(exact.values()), "0.0001"),
        computed_from=(world, *(s.figure for s in counted)),
    )


def _share(figure: FigureState, world: FigureState | None) -> Share:
    if world is None:
        return Share(figure, None, "there is no figure for the world")
    quantity, whole = figure.preferred.quantity, world.preferred.quantity
    obstacle = _obstacle(quantity, whole)
    if obstacle:
        return Share(figure, None, obstacle)
    ratio = _ratio(quantity, whole)
    assert ratio is not None
    return Share(figure, _rounded(ratio, "0.0001"))


def _obstacle(quantity: Quantity, whole: Quantity) -> str | None:
    """Why two quantities can't be divided, or None."""
    for whose, one in (("its", quantity), ("the world's", whole)):
        if one.value is None:
            return f"{whose} figure has no number"
        if one.qualifier not in APPROXIMATE:
            return f"{whose} figure is a bound or a range ({one.qualifier})"
    if quantity.basis != whole.basis:
        return f"its basis is {quantity.basis or 'not stated'}, the world's is" \
               f" {whole.basis or 'not stated'}"
    if quantity.unit.convert(Decimal(1), whole.unit) is None:
        return f"no factor from {quantity.unit} to {whole.unit} is declared"
    if _ratio(quantity, whole) is None:
        return "the world's figure is nil, or far too small"
    return None


def _ratio(quantity: Quantity, whole: Quantity) -> Decimal | None:
    """`quantity` over `whole`, unrounded; None where there is no sensible one."""
    factor = quantity.unit.convert(Decimal(1), whole.unit)
    if quantity.value is None or not whole.value or factor is None:
        return None
    ratio = ARITHMETIC.divide(ARITHMETIC.multiply(quantity.value, factor), whole.value)
    return ratio if ratio.is_finite() and abs(ratio) < 1000 else None


def _total(values: Iterable[Decimal]) -> Decimal:
    total = Decimal(0)
    for value in values:
        total = ARITHMETIC.add(total, value)
    return total


def _rounded(value: Decimal, place: str) -> Decimal:
    return ARITHMETIC.quantize(value, Decimal(place))
