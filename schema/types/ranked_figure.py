"""Figures with the orders of publishers that rank their claims."""

import msgspec

from projections.analysis import claims
from projections.query.stored_states import decode
from tracker.domain.figures import figure as domain


class RankedFigure(msgspec.Struct):
    """A figure, decoded on first access, with the orders of publishers that select its preferred claim."""

    id: str
    orders: claims.Orders
    figure: domain.FigureState | str
    """Its state, or the state as JSON."""
    chosen: domain.Claim | None = None

    @property
    def state(self) -> domain.FigureState:
        """Return the figure, decoded on first access."""
        if isinstance(self.figure, str):
            self.figure = decode(domain.FigureState, self.figure)
        return self.figure

    @property
    def preferred(self) -> domain.Claim:
        """Return the preferred claim, computed on first access."""
        if self.chosen is None:
            self.chosen = claims.choose(self.state, self.orders).claim
        return self.chosen
