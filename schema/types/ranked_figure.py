"""Figures beside the orders of publishers that rank their claims."""

from __future__ import annotations

import msgspec

from projections.analysis import claims
from projections.query.stored_states import decode
from tracker.domain import figure as domain


class RankedFigure(msgspec.Struct):
    """A figure, perhaps not decoded yet, and the orders of publishers that decide which of its claims
    is the preferred one."""

    id: str
    orders: claims.Orders
    figure: domain.FigureState | str
    """Its state, or that as JSON."""
    chosen: domain.Claim | None = None

    @property
    def state(self) -> domain.FigureState:
        """The figure, decoded when somebody asks for it."""
        if isinstance(self.figure, str):
            self.figure = decode(domain.FigureState, self.figure)
        return self.figure

    @property
    def preferred(self) -> domain.Claim:
        """The preferred claim, found out when somebody asks."""
        if self.chosen is None:
            self.chosen = claims.choose(self.state, self.orders).claim
        return self.chosen
