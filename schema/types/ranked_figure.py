"""Figures beside the orders of publishers that rank their claims."""

from __future__ import annotations

from projections.analysis import claims
from projections.query.figure_claims import UndecodedFigure
from tracker.domain import figure as domain


class RankedFigure:
    """A figure, perhaps not decoded yet, and the orders of publishers that decide which of its claims
    is the preferred one."""

    __slots__ = ("_figure", "_orders", "_preferred", "id")

    def __init__(self, figure: domain.FigureState | UndecodedFigure, orders: claims.Orders):
        self._figure, self._orders = figure, orders
        self._preferred: domain.Claim | None = None
        self.id = figure.id

    @property
    def state(self) -> domain.FigureState:
        """The figure."""
        figure = self._figure
        return figure.state if isinstance(figure, UndecodedFigure) else figure

    @property
    def preferred(self) -> domain.Claim:
        """The preferred claim, found out when somebody asks."""
        if self._preferred is None:
            self._preferred = claims.choose(self.state, self._orders).claim
        return self._preferred
