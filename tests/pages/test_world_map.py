"""The map of the world: how it is projected and cut, and that no place with a value is lost."""

import json
import re
from decimal import Decimal
from itertools import pairwise
from math import cos, radians
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from schema.pages.charts import world_map
from schema.pages.charts.world_map import COUNTS, SHARES, PlaceValue, WorldMap, draw_world
from tests.support.cases import each_case
from tools import make_world
from tools.make_world import cut_at_antimeridian, equal_earth, place_on_map, ring_path
from tracker.domain.catalogue.places import Place, places

MAX_INLINE_BYTES = 50_000
AUTHALIC_RADIUS_M = 6_371_007.181
"""Of the WGS 84 ellipsoid. Bounds of EPSG:8857, which is this projection, are published for it."""
STEP = re.compile(r"-?\d+")


def outlines() -> dict[str, str]:
    """Return the outlines of the file, by code."""
    lines = map(json.loads, world_map.WORLD.read_text(encoding="utf-8").splitlines())
    return {line["code"]: line["outline"] for line in lines if "outline" in line}


def rings(outline: str) -> list[list[tuple[int, int]]]:
    """Return the rings of a path's `d`, in units of the box."""
    found = []
    for ring in outline.split("z")[:-1]:
        numbers = [int(number) for number in STEP.findall(ring)]
        x, y = numbers[:2]
        points = [(x, y)]
        for dx, dy in zip(numbers[2::2], numbers[3::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
        found.append(points)
    return found


def value(step: int | None = 3, href: str | None = None, title: str = "A title") -> PlaceValue:
    """Return a value of a place."""
    return PlaceValue(name="A name", title=title, step=step, href=href)


def html(drawn: WorldMap) -> str:
    """Return a map as a part of a page."""
    charts = Path(world_map.__file__).parent
    templates = Environment(
        loader=FileSystemLoader(charts), autoescape=True, undefined=StrictUndefined
    )
    return str(templates.get_template("world_map.html").module.world_map(drawn, "Clauses"))  # type: ignore[attr-defined]


@each_case(
    ("degrees", "metres"),
    [
        ((180, 0), (17_243_959.06, 0.0)),
        ((0, 90), (0.0, 8_392_927.60)),
        ((-180, -90), (-10_216_474.79, -8_392_927.60)),
    ],
)
def test_places_stand_where_the_published_bounds_of_the_projection_are(
    degrees: tuple[float, float], metres: tuple[float, float]
) -> None:
    x, y = equal_earth(*degrees)
    assert (x * AUTHALIC_RADIUS_M, y * AUTHALIC_RADIUS_M) == pytest.approx(metres, abs=0.05)


@each_case("latitude", [-50, -20, 0, 35, 60, 80])
def test_equal_areas_of_the_earth_are_equal_on_the_map(latitude: float) -> None:
    d = 0.01
    (x0, y0), (x1, _), (_, y1) = (
        equal_earth(10, latitude),
        equal_earth(10 + d, latitude),
        equal_earth(10, latitude + d),
    )
    on_earth = radians(d) ** 2 * cos(radians(latitude + d / 2))
    assert (x1 - x0) * (y1 - y0) == pytest.approx(on_earth, rel=1e-3)


def test_the_box_is_as_large_as_it_says() -> None:
    assert place_on_map(-180, 0)[0] == 0
    assert place_on_map(180, 0)[0] == make_world.WIDTH_UNITS
    assert place_on_map(0, make_world.NORTH_DEGREES)[1] == 0
    assert place_on_map(0, make_world.SOUTH_DEGREES)[1] == make_world.HEIGHT_UNITS == 870


def test_a_ring_across_the_antimeridian_is_cut_in_two_that_lie_on_its_sides() -> None:
    island = [(170.0, 60.0), (-170.0, 60.0), (-170.0, 70.0), (170.0, 70.0)]
    west, east = sorted(cut_at_antimeridian(island), key=lambda ring: min(ring))
    assert {x for x, _ in west} == {-180.0, -170.0}
    assert {x for x, _ in east} == {170.0, 180.0}
    assert {y for ring in (west, east) for _, y in ring} == {60.0, 70.0}


def test_a_ring_that_does_not_reach_it_stays_whole() -> None:
    ring = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)]
    (only,) = cut_at_antimeridian(ring)
    assert sorted(only) == sorted(ring)


def test_no_line_runs_through_the_map() -> None:
    longest = {
        code: max(
            abs(x1 - x0)
            for ring in rings(outline)
            for (x0, _), (x1, _) in pairwise([*ring, ring[0]])
        )
        for code, outline in outlines().items()
        if code != "frame"
    }
    assert max(longest.values()) < 150, max(longest, key=lambda code: longest[code])
    edges = {side for ring in rings(outlines()["RU"]) for side in (ring[0][0] < 1000,)}
    assert edges == {True, False}, "Chukotka lies on both sides of the map"


def test_steps_of_no_length_and_points_on_a_straight_line_are_left_out() -> None:
    assert ring_path([(0, 0), (0, 0), (1, 0), (3, 0), (3, -2)]) == "M0 0l3 0 0-2z"
    assert ring_path([(5, 5), (6, 5), (5, 5)]) == "M5 5l1 0-1 0z"
    assert ring_path([(5, 5), (5, 5), (5, 5)]) == ""


def test_outlines_lie_in_the_box_and_where_their_countries_are() -> None:
    for code, outline in outlines().items():
        for ring in rings(outline):
            assert all(0 <= x <= 2000 and 0 <= y <= 870 for x, y in ring), code
    for code, (longitude, latitude) in {
        "CN": (104, 35),
        "CD": (24, -3),
        "AU": (134, -25),
        "GF": (-53, 4),
    }.items():
        x, y = place_on_map(longitude, latitude)
        xs, ys = zip(*max(rings(outlines()[code]), key=len), strict=True)
        assert min(xs) <= x <= max(xs), code
        assert min(ys) <= y <= max(ys), code


def test_every_place_with_a_value_is_drawn_or_dotted_or_reported() -> None:
    values = {
        str(place): PlaceValue(place.name, place.name, 1)
        for place in places()
        if not place.is_aggregate
    }
    drawn = draw_world(values)
    shown = {shape.value.name for shape in drawn.shapes}
    assert shown | set(drawn.not_drawn) == {each.name for each in values.values()}
    assert not shown & set(drawn.not_drawn)
    assert Place("FO").name in drawn.not_drawn
    assert {"Soviet Union", "Antarctica"} <= set(drawn.not_drawn)
    assert {"China", "Bahrain", "Singapore", "Cook Islands", "Hong Kong", "Kosovo"} <= shown
    assert len(shown) == 208


def test_each_value_is_shown_once() -> None:
    drawn = draw_world({str(place): value() for place in places()})
    codes = [shape.code for shape in drawn.shapes]
    assert len(codes) == len(set(codes))


def test_a_small_country_has_a_dot_only_where_it_has_a_value() -> None:
    outline = outlines()["KW"]
    without, having = draw_world({}), draw_world({"KW": value()})
    assert not without.shapes
    assert outline in without.land
    assert [(shape.code, shape.dot is not None) for shape in having.shapes] == [("KW", True)]
    assert outline in having.land, "the dot lies on its land"


def test_a_state_without_outline_has_a_small_dot_and_a_large_one_for_its_value() -> None:
    without, having = draw_world({}), draw_world({"SG": value()})
    (shape,) = having.shapes
    assert shape.dot in without.dots
    assert shape.dot not in having.dots
    assert html(having).count('r="9"') == 1


def test_land_without_a_value_is_all_there_and_land_with_one_is_drawn_once() -> None:
    without, having = draw_world({}), draw_world({"BR": value()})
    brazil = outlines()["BR"]
    assert without.land.replace(brazil, "") == having.land
    assert html(having).count(brazil) == 1


def test_dots_lie_over_the_countries_around_them() -> None:
    kinds = [
        shape.dot is not None
        for shape in draw_world({"SM": value(), "IT": value(), "ZW": value()}).shapes
    ]
    assert kinds == sorted(kinds)


def test_a_place_without_a_number_is_hatched_and_one_with_none_of_it_is_not() -> None:
    drawn = draw_world({"IN": value(step=None), "BR": value(step=0), "CN": value(step=6)})
    classes = {shape.code: shape.classes for shape in drawn.shapes}
    assert (classes["IN"], classes["BR"], classes["CN"]) == ("IN hatch", "BR q0", "CN q6")
    page = html(drawn)
    assert page.count('fill="url(#world-hatch)"') == 1


def test_two_maps_on_a_page_have_their_own_patterns() -> None:
    ids = re.compile(r'id="([^"]*)"')
    first, second = (html(draw_world({}, name)) for name in ("now", "then"))
    assert not set(ids.findall(first)) & set(ids.findall(second))


def test_a_place_leads_where_its_value_says_and_says_what_it_is() -> None:
    page = html(draw_world({"CN": value(href="/places/CN?valid=2025-01-01&x=1", title="A <b>")}))
    assert 'href="/places/CN?valid=2025-01-01&amp;x=1"' in page
    assert "<title>A &lt;b&gt;</title>" in page
    assert "<b>" not in page
    assert " style=" not in page


def test_parts_that_are_not_drawn_are_reported() -> None:
    page = html(draw_world({"FO": PlaceValue("Faroe Islands", "t", 1)}))
    assert "Not drawn: Faroe Islands." in page
    assert "Not drawn" not in html(draw_world({"CN": value()}))


def test_a_map_of_forty_places_is_light() -> None:
    codes = [str(place) for place in places() if not place.is_aggregate][:200:5]
    title = "A country with a name: 12 clauses in force"
    drawn = draw_world({code: value(href=f"/places/{code}", title=title) for code in codes})
    assert len(html(drawn).encode()) <= MAX_INLINE_BYTES


@each_case(
    ("number", "step"), [(0, 0), (1, 1), (3, 2), (4, 3), (15, 4), (16, 5), (31, 5), (400, 6)]
)
def test_a_count_has_a_step(number: int, step: int) -> None:
    assert COUNTS.step(number) == step


def test_a_share_has_a_step_and_nothing_has_none() -> None:
    shares = ["0", "0.0001", "0.01", "0.0999", "0.1", "0.5", "1"]
    assert [SHARES.step(Decimal(share)) for share in shares] == [0, 1, 2, 3, 4, 6, 6]
    assert len(SHARES.legend) == len(COUNTS.legend) == 6


def test_the_maker_makes_what_is_in_the_file() -> None:
    """Without the package a country of it is made by hand: a square, in its steps."""
    topology: dict[str, Any] = {
        "transform": {"scale": [0.1, 0.1], "translate": [0, 0]},
        "arcs": [[[100, 100], [100, 0], [0, 100]], [[100, 100], [0, 100], [100, 0]]],
        "objects": {
            "countries": {
                "geometries": [
                    {"type": "Polygon", "arcs": [[0, -2]], "id": "156", "properties": {"name": "C"}}
                ]
            }
        },
    }
    made = {line["code"]: line for line in make_world.make_world(topology)}
    (ring,) = rings(made["CN"]["outline"])
    corners = {place_on_map(x, y) for x in (10, 20) for y in (10, 20)}
    assert corners == set(ring)
    assert made["SG"] == {"code": "SG", "dot": place_on_map(103.85, 1.29)}
    frame = json.loads(world_map.WORLD.read_text(encoding="utf-8").splitlines()[0])
    assert made["frame"] == frame
