"""The map of the world: places coloured by a number, each with a title and a link. Pure.

`world.jsonl` beside this file has the outlines; `tools/make_world.py` makes it. `world_map.html` renders
the result of `draw_world`.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

WORLD = Path(__file__).with_name("world.jsonl")


class PlaceValue(Struct, frozen=True):
    """The value of a place on the map: a step of lightness, 0 (none) to 6. A place with a record but
    without a number is hatched (`step` is None)."""

    name: str
    title: str
    step: int | None
    href: str | None = None


class Shape(Struct, frozen=True):
    """A place with a value on the map: an outline, or a dot if it is too small."""

    code: str
    value: PlaceValue
    outline: str | None = None
    dot: tuple[int, int] | None = None

    @property
    def classes(self) -> str:
        """Return the CSS classes of its code and colour."""
        return f"{self.code} {'hatch' if self.value.step is None else f'q{self.value.step}'}"


class WorldMap(Struct, frozen=True):
    """A drawn map.

    It has a box, an edge, the land and dots of places without a value in one piece, and the places with
    one. It also has the names of places with a value that it cannot show. Two maps on one page have
    different names.
    """

    name: str
    width: int
    height: int
    frame: str
    land: str
    dots: tuple[tuple[int, int], ...]
    shapes: tuple[Shape, ...]
    not_drawn: tuple[str, ...]


class Scale(Struct, frozen=True):
    """Steps of lightness: the smallest number of each step from 1 on, and its label."""

    bounds: tuple[Decimal, ...]
    labels: tuple[str, ...]

    def step(self, number: Decimal | int) -> int:
        """Return the step of a number; 0 if it is smaller than all."""
        return bisect_right(self.bounds, Decimal(number))

    @property
    def legend(self) -> list[tuple[int, str]]:
        """Return each step with its label."""
        return list(enumerate(self.labels, start=1))


COUNTS = Scale(
    tuple(map(Decimal, (1, 2, 4, 8, 16, 32))),
    ("1", "2\u20133", "4\u20137", "8\u201315", "16\u201331", "32 and more"),
)
"""Steps of counts; each lower bound is twice the previous one."""

SHARES = Scale(
    tuple(map(Decimal, ("0.000001", "0.01", "0.05", "0.1", "0.25", "0.5"))),
    (
        "under 1\u00a0%",
        "1\u20135\u00a0%",
        "5\u201310\u00a0%",
        "10\u201325\u00a0%",
        "25\u201350\u00a0%",
        "50\u00a0% and more",
    ),
)
"""Steps of shares of a whole, 0 to 1."""


def draw_world(values: Mapping[str, PlaceValue], name: str = "world") -> WorldMap:
    """Draw the map with the values of places, by their codes."""
    frame, places = _world()
    shapes = [_shape(place, values[place.code]) for place in places if place.code in values]
    return WorldMap(
        name,
        frame["width"],
        frame["height"],
        frame["outline"],
        "".join(place.outline or "" for place in places if _is_land(place, values)),
        tuple(
            place.dot
            for place in places
            if place.dot and not place.outline and place.code not in values
        ),
        # Draw dots last, above the countries around them.
        tuple(sorted(shapes, key=lambda shape: shape.dot is not None)),
        tuple(
            sorted(values[code].name for code in values.keys() - {place.code for place in places})
        ),
    )


def _is_land(place: _Place, values: Mapping[str, PlaceValue]) -> bool:
    """Return whether the outline of a place is plain land.

    It is if the place has no value, or if a dot shows its value.
    """
    return place.code not in values or place.dot is not None


def _shape(place: _Place, value: PlaceValue) -> Shape:
    """Return a place with its value, as a dot if it has one."""
    if place.dot:
        return Shape(place.code, value, dot=place.dot)
    return Shape(place.code, value, outline=place.outline)


class _Place(Struct, frozen=True):
    """A line of the file."""

    code: str
    outline: str | None
    dot: tuple[int, int] | None


@cache
def _world() -> tuple[dict[str, Any], tuple[_Place, ...]]:
    """Return the frame and the data of each place."""
    frame, *lines = map(json.loads, WORLD.read_text(encoding="utf-8").splitlines())
    return frame, tuple(
        _Place(
            line["code"],
            line.get("outline"),
            (line["dot"][0], line["dot"][1]) if "dot" in line else None,
        )
        for line in lines
    )
