"""Lines of yearly figures of one publisher, with the breaks between years. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from projections.analysis import quantities
from tracker.domain.basics.vocabulary import Statistic
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Place
from tracker.domain.figures.figure import Claim, FigureState


class LinePoint(Struct, frozen=True):
    """A year of a line with its claim.

    `editions` are all claims of the publisher for the year, the oldest first.
    """

    figure: FigureState
    claim: Claim
    editions: tuple[Claim, ...]
    basis_changed: bool = False
    """Whether the basis differs from that of the previous year of the line. Do not compare numbers across
    such a break."""
    change: Decimal | None = None
    """The number less that of the year before, in the unit of this claim. Null for the first year, across
    a change of basis, and if one of the two has no number."""
    change_unavailable_reason: str | None = None
    """The reason why there is no change, in words; null for the first year."""

    @property
    def year(self) -> int | None:
        """The year."""
        return self.figure.series.period


class YearlyLine(Struct, frozen=True):
    """The yearly figures of one publisher for a product, the oldest first."""

    commodity: Commodity
    """The commodity."""
    place: Place
    """The importer, or the market of a price."""
    statistic: Statistic
    """The statistic."""
    form: str | None
    """The product; null if the publisher does not divide the commodity."""
    publisher: str
    """The publisher's short id, such as `usgs`."""
    points: tuple[LinePoint, ...]
    """The years, the oldest first."""


def yearly_lines(figures: Iterable[FigureState], edition: str | None = None) -> list[YearlyLine]:
    """Return the lines of figures for single years.

    A point is the publisher's latest claim for the year, or the one in a named edition. Averages over
    several years are left out.
    """
    lines: dict[tuple[Commodity, Place, Statistic, str | None, str], list[LinePoint]]
    lines = defaultdict(list)
    for figure in sorted(figures, key=lambda one: one.series.period or 0):
        of = figure.series
        for publisher in dict.fromkeys(claim.publisher for claim in figure.claims):
            editions = tuple(one for one in figure.claims if one.publisher == publisher)
            chosen = [one for one in editions if edition in (None, one.edition)]
            if chosen and of.until is None:
                line = lines[of.commodity, of.place, of.statistic, of.form, publisher]
                line.append(LinePoint(figure, chosen[-1], editions))
    return [YearlyLine(*of, tuple(_with_changes(points))) for of, points in lines.items()]


def _with_changes(points: Sequence[LinePoint]) -> Iterator[LinePoint]:
    yield points[0]
    for before, point in pairwise(points):
        yield _beside(point, before)


def _beside(point: LinePoint, before: LinePoint) -> LinePoint:
    """Return a point compared with the previous one of its line."""
    commodity, now, then = (
        point.figure.series.commodity,
        point.claim.quantity,
        before.claim.quantity,
    )
    changed = not quantities.have_same_basis(now, then, commodity)
    reason = quantities.incomparable_reason(now, then, "that of the year before", commodity)
    if point.year != (before.year or 0) + 1:
        reason = f"no claim for {(point.year or 0) - 1} is recorded"
    change = None
    if reason is None:
        change = quantities.ARITHMETIC.subtract(
            quantities.in_unit_of(now, now), quantities.in_unit_of(then, now)
        )
    return LinePoint(point.figure, point.claim, point.editions, changed, change, reason)
