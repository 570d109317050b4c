"""Update the world map of the pages: `python -m tools.make_world FILE`.

FILE is `countries-110m.json` of the npm package world-atlas (`npm pack world-atlas`), with the public
domain countries of Natural Earth at 1:110 million. The result, `schema/pages/charts/world.jsonl`, has a
line for the frame and one per place: its code, its outline as the `d` of an SVG path, and the position
of its dot. The package is needed only here, not to draw a page.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import Any

from schema.pages.charts.world_map import WORLD
from tracker.domain.catalogue.places import Place, places

Point = tuple[float, float]
Ring = list[Point]
"""Consecutive points; the last one is joined to the first."""

FRAME = "frame"
"""Key of the line with the edge of the map."""

WIDTH_UNITS = 2000
NORTH_DEGREES = 84
SOUTH_DEGREES = -57
"""Southern limit of the map. Only Antarctica, which is omitted, lies beyond it."""

SMALL_SQUARE_UNITS = 60
"""Area below which an outline also has a dot: about 7 square pixels on a map 700 pixels wide."""

ANTARCTICA = "AQ"
WITHOUT_CODE = {"Kosovo": "XK", "N. Cyprus": "x-nc", "Somaliland": "x-sl"}
"""Countries of the package without an ISO 3166-1 number. The `x-` ones are drawn but not coloured,
because the tracker has no such places."""

FRENCH_GUIANA, FRANCE, ATLANTIC_DEGREES = "GF", "FR", -40.0
"""Codes and longitude that separate French Guiana from France: publishers give separate figures for it."""

EQUAL_EARTH = (1.340264, -0.081106, 0.000893, 0.003796)
"""Coefficients of the Equal Earth projection (Šavrič, Patterson and Jenny 2018)."""

CAPITALS: dict[str, Point] = {
    "AD": (42.51, 1.52),
    "AG": (17.12, -61.85),
    "BB": (13.10, -59.62),
    "BH": (26.23, 50.59),
    "CK": (-21.21, -159.78),
    "CV": (14.93, -23.51),
    "DM": (15.30, -61.39),
    "FM": (6.92, 158.16),
    "GD": (12.05, -61.75),
    "HK": (22.28, 114.16),
    "KI": (1.33, 172.98),
    "KM": (-11.70, 43.26),
    "KN": (17.30, -62.72),
    "LC": (14.01, -60.99),
    "LI": (47.14, 9.52),
    "MC": (43.73, 7.42),
    "MH": (7.09, 171.38),
    "MO": (22.20, 113.55),
    "MT": (35.90, 14.51),
    "MU": (-20.16, 57.50),
    "MV": (4.18, 73.51),
    "NR": (-0.55, 166.92),
    "NU": (-19.06, -169.92),
    "PW": (7.50, 134.62),
    "SC": (-4.62, 55.45),
    "SG": (1.29, 103.85),
    "SM": (43.94, 12.45),
    "ST": (0.34, 6.73),
    "TO": (-21.14, -175.20),
    "TV": (-8.52, 179.20),
    "VA": (41.90, 12.45),
    "VC": (13.16, -61.22),
    "WS": (-13.83, -171.77),
}
"""Latitude and longitude of the seats of government of states and named regions without an outline at
this scale."""


def equal_earth(longitude: float, latitude: float) -> Point:
    """Return the Equal Earth coordinates of a place in degrees, on a sphere of radius 1; y is to the
    north."""
    a1, a2, a3, a4 = EQUAL_EARTH
    t = asin(sqrt(3) / 2 * sin(radians(latitude)))
    slope = 9 * a4 * t**8 + 7 * a3 * t**6 + 3 * a2 * t**2 + a1
    x = 2 * sqrt(3) * radians(longitude) * cos(t) / (3 * slope)
    return x, a4 * t**9 + a3 * t**7 + a2 * t**3 + a1 * t


UNITS_PER_RADIUS = WIDTH_UNITS / 2 / equal_earth(180, 0)[0]
TOP = equal_earth(0, NORTH_DEGREES)[1]
HEIGHT_UNITS = round((TOP - equal_earth(0, SOUTH_DEGREES)[1]) * UNITS_PER_RADIUS)


def place_on_map(longitude: float, latitude: float) -> tuple[int, int]:
    """Return the map coordinates of a place in degrees, in whole units from the upper left."""
    x, y = equal_earth(longitude, latitude)
    return round(WIDTH_UNITS / 2 + x * UNITS_PER_RADIUS), round((TOP - y) * UNITS_PER_RADIUS)


def make_world(topology: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the lines of the file: the frame, then every place by code."""
    yield {"code": FRAME, "width": WIDTH_UNITS, "height": HEIGHT_UNITS, "outline": path([frame()])}
    rings = rings_by_code(topology)
    for code in sorted(rings.keys() | CAPITALS.keys()):
        of = [[place_on_map(*point) for point in ring] for ring in rings.get(code, ())]
        line: dict[str, Any] = {"code": code}
        if of:
            line["outline"] = path(of)
        if code in CAPITALS:
            latitude, longitude = CAPITALS[code]
            line["dot"] = place_on_map(longitude, latitude)
        elif sum(map(area, of)) < SMALL_SQUARE_UNITS and not code.startswith("x-"):
            line["dot"] = middle(max(of, key=area))
        yield line


def rings_by_code(topology: dict[str, Any]) -> dict[str, list[Ring]]:
    """Return the rings of every place in degrees, cut at the edge of the map."""
    arcs = decode_arcs(topology)
    codes = {place.numeric: str(place) for place in places() if not place.is_aggregate}
    rings: dict[str, list[Ring]] = defaultdict(list)
    for country in topology["objects"]["countries"]["geometries"]:
        code = codes[country["id"]] if "id" in country else named(country)
        if code == ANTARCTICA:
            continue
        for polygon in country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]]:
            for indexes in polygon:
                for ring in cut_at_antimeridian(join(arcs, indexes)):
                    rings[part_of(code, ring)].append(ring)
    return rings


def named(country: dict[str, Any]) -> str:
    """Return the code of a country without one in the package."""
    return WITHOUT_CODE[country["properties"]["name"]]


def part_of(code: str, ring: Ring) -> str:
    """Return the code of the place of a country's ring."""
    overseas = code == FRANCE and max(longitude for longitude, _ in ring) < ATLANTIC_DEGREES
    return FRENCH_GUIANA if overseas else str(Place(code)) if code.isupper() else code


def decode_arcs(topology: dict[str, Any]) -> list[Ring]:
    """Return the arcs in degrees: the package has integer steps from point to point."""
    (x_scale, y_scale), (x_origin, y_origin) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            arc.append((x * x_scale + x_origin, y * y_scale + y_origin))
        arcs.append(arc)
    return arcs


def join(arcs: Sequence[Ring], indexes: Iterable[int]) -> Ring:
    """Join arcs to a ring; a negative index reverses an arc."""
    ring: Ring = []
    for index in indexes:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        ring.extend(arc[1:] if ring else arc)
    return ring[:-1]


def cut_at_antimeridian(ring: Ring) -> Iterator[Ring]:
    """Yield the parts of a ring between 180° west and 180° east.

    The package joins the parts that Natural Earth cuts there, so Russia and Fiji cross the line.
    Longitudes are unwrapped first. Then the part beyond the line is cut off and shifted by 360°.
    """
    on = [ring[0]]
    for (before, _), (longitude, latitude) in pairwise([*ring, ring[0]]):
        step = (longitude - before + 180) % 360 - 180
        on.append((on[-1][0] + step, latitude))
    on.pop()
    for shift in (-360, 0, 360):
        moved = [(longitude + shift, latitude) for longitude, latitude in on]
        east = clip(moved, lambda longitude: longitude >= -180, -180)
        both = clip(east, lambda longitude: longitude <= 180, 180)
        if both:
            yield both


def clip(ring: Ring, inside: Callable[[float], bool], meridian: float) -> Ring:
    """Return the part of a ring on one side of a meridian (Sutherland and Hodgman)."""
    clipped: Ring = []
    for (x0, y0), (x1, y1) in pairwise([ring[-1], *ring] if ring else []):
        if inside(x0) != inside(x1):
            clipped.append((meridian, y0 + (y1 - y0) * (meridian - x0) / (x1 - x0)))
        if inside(x1):
            clipped.append((x1, y1))
    return clipped


def frame() -> list[tuple[int, int]]:
    """Return the edge of the map: both meridians of 180°, joined by straight lines."""
    degrees = [*range(SOUTH_DEGREES, NORTH_DEGREES, 3), NORTH_DEGREES]
    west = [place_on_map(-180, latitude) for latitude in degrees]
    return west + [place_on_map(180, latitude) for latitude in reversed(degrees)]


def path(rings: Iterable[Sequence[tuple[int, int]]]) -> str:
    """Return the `d` of an SVG path: each ring from its first point in non-zero steps."""
    return "".join(map(ring_path, rings))


def ring_path(ring: Sequence[tuple[int, int]]) -> str:
    """Return the `d` of one ring, or an empty text if it has no area in whole units."""
    steps: list[tuple[int, int]] = []
    for (x0, y0), (x1, y1) in pairwise(ring):
        dx, dy = x1 - x0, y1 - y0
        before = steps[-1] if steps else (0, 0)
        straight_on = before[0] * dy == before[1] * dx and before[0] * dx + before[1] * dy > 0
        if straight_on:
            steps[-1] = (before[0] + dx, before[1] + dy)
        elif (dx, dy) != (0, 0):
            steps.append((dx, dy))
    if len(steps) < 2:
        return ""
    (x, y), numbers = ring[0], [number for step in steps for number in step]
    text = "".join(
        str(number) if number < 0 or first else f" {number}"
        for first, number in zip([True] + [False] * len(numbers), numbers, strict=False)
    )
    return f"M{x} {y}l{text}z" if y >= 0 else f"M{x}{y}l{text}z"


def area(ring: Sequence[Point]) -> float:
    """Return the area of a ring."""
    pairs = pairwise([*ring, ring[0]])
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2


def middle(ring: Sequence[Point]) -> tuple[int, int]:
    """Return the middle of a ring's bounding box, which is good enough for small islands."""
    xs, ys = zip(*ring, strict=True)
    return round((min(xs) + max(xs)) / 2), round((min(ys) + max(ys)) / 2)


def main(topology: Path) -> None:
    """Write the file."""
    lines = make_world(json.loads(topology.read_text(encoding="utf-8")))
    WORLD.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
