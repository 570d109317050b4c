"""The claims on a figure as lists of claims show them.

A page of a list has claims on a hundred figures, and mostly shows some words and a number of each. So
only these are decoded of a figure's state; the whole of it, with all that its sources say, is decoded
where somebody asks for more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from projections.analysis.claims import Orders
from projections.query.stored_states import decode, decode_all
from tracker.domain.figure import Claim, FigureState
from tracker.domain.values import FreeText
from tracker.domain.vocabulary import Qualifier

T = TypeVar("T")


class _Columns(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Some fields of what a state has as JSON; the others are passed over."""


class SourceColumns(_Columns, frozen=True):
    """Of a source: who published it, and when, as it is written."""

    publisher: str
    published_on: str


class QuantityColumns(_Columns, frozen=True):
    """A quantity, all of it. It was checked when it was recorded, and is not checked again; its numbers
    are texts, as they were written, since nobody counts with them."""

    unit: str
    value: str | None = None
    upper: str | None = None
    qualifier: Qualifier | None = None
    basis: str | None = None
    estimated: bool = False
    rounded: bool = False


class ClaimColumns(_Columns, frozen=True):
    """A claim, without what its sources say beside publisher and day."""

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
    """The claim of a figure that the event at a position recorded."""
    return next(claim for claim in figure.claims if claim.position == position)


class FigureClaims(msgspec.Struct, eq=False):
    """The claims on a figure, and what was last made of them to be shown.

    What is made lives as long as this does; so it must not refer to this, but to what this has.
    """

    id: str
    claims: tuple[ClaimColumns, ...]
    json: str
    """The whole state of the figure."""
    _state: FigureState | None = None
    _made: Mapping[int, Any] | None = None
    _made_with: Orders | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FigureClaims) and self.json == other.json

    @property
    def state(self) -> FigureState:
        """The figure, decoded when somebody asks for it."""
        if self._state is None:
            self._state = decode(FigureState, self.json)
        return self._state

    def made(
        self, orders: Orders, make: Callable[[FigureClaims, Orders], Mapping[int, T]]
    ) -> Mapping[int, T]:
        """What `make` makes of the claims by their positions with the orders of publishers: these are
        few, and mostly the very same objects."""
        if self._made is None or self._made_with != orders:
            self._made, self._made_with = make(self, orders), orders
        return self._made


def decode_figure_claims(states: Sequence[str]) -> list[FigureClaims]:
    """The claims on figures, from their states as JSON."""
    return [
        FigureClaims(of.id, of.claims, state)
        for of, state in zip(decode_all(_FigureColumns, states), states, strict=True)
    ]
