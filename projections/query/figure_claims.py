"""Claims on a figure for lists of claims.

A page of a list has claims on a hundred figures and mostly shows a few words and a number of each. Only
those columns are decoded; the full state is decoded on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from projections.analysis.claims import Orders
from projections.query.stored_states import decode, decode_all
from tracker.domain.basics.values import FreeText
from tracker.domain.basics.vocabulary import Qualifier
from tracker.domain.figures.figure import Claim, FigureState

T = TypeVar("T")


class _Columns(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Some fields of a state in JSON; other fields are ignored."""


class SourceColumns(_Columns, frozen=True):
    """Publisher and day of a source, as recorded."""

    publisher: str
    published_on: str


class QuantityColumns(_Columns, frozen=True):
    """A complete quantity. It was checked when recorded and is not checked again.

    Its numbers stay texts, because nothing is computed with them.
    """

    unit: str
    value: str | None = None
    upper: str | None = None
    qualifier: Qualifier | None = None
    basis: str | None = None
    estimated: bool = False
    rounded: bool = False


class ClaimColumns(_Columns, frozen=True):
    """A claim with publisher and day of its source, without the other fields of the source."""

    position: int
    event_id: str
    edition: str
    quantity: QuantityColumns
    source: SourceColumns
    latest: bool = True
    edition_version: str | None = None
    as_of: int | None = None
    note: FreeText | None = None
    quotation: FreeText | None = None


class _FigureColumns(_Columns, frozen=True):
    id: str
    claims: tuple[ClaimColumns, ...]


def claim_at(figure: FigureState, position: int) -> Claim:
    """Return the claim that the event at a position recorded."""
    return next(claim for claim in figure.claims if claim.position == position)


class FigureClaims(msgspec.Struct, eq=False):
    """The claims on a figure, with the last view made of them.

    The view lives as long as this object, so it must refer to the fields, not to the object.
    """

    id: str
    claims: tuple[ClaimColumns, ...]
    json: str
    """The full state of the figure as JSON."""
    _state: FigureState | None = None
    _made: Mapping[int, Any] | None = None
    _made_with: Orders | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FigureClaims) and self.json == other.json

    @property
    def state(self) -> FigureState:
        """The figure, decoded on first use."""
        if self._state is None:
            self._state = decode(FigureState, self.json)
        return self._state

    def made(
        self, orders: Orders, make: Callable[[FigureClaims, Orders], Mapping[int, T]]
    ) -> Mapping[int, T]:
        """Return the views that `make` builds from the claims and publisher orders, by position.

        The last result is cached, because the orders rarely change.
        """
        if self._made is None or self._made_with != orders:
            self._made, self._made_with = make(self, orders), orders
        return self._made


def decode_figure_claims(states: Sequence[str]) -> list[FigureClaims]:
    """Decode the claims on figures from their states in JSON."""
    return [
        FigureClaims(of.id, of.claims, state)
        for of, state in zip(decode_all(_FigureColumns, states), states, strict=True)
    ]
