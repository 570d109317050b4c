"""Colours of measures: told apart by every kind of colour vision, and visible on every ground."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import schema.pages
from schema.pages.charts.line_chart import LIGHT
from schema.pages.charts.status_marks import IMAGE_COLOURS
from tests.support.cases import each_case
from tests.support.libraries import coloraide

STYLE = (Path(schema.pages.__file__).parent / "site" / "static" / "style.css").read_text("utf-8")
TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", STYLE
    )
}
MEASURES = ("ban", "licence", "quota", "tariff")
GROUNDS = ("paper", "raise", "sunk")
THEMES = ("light", "dark")
METHODS = ("machado", "brettel")
"""Simulations: Machado (2009) and Brettel (1997)."""
VISIONS = [
    "full",
    *(f"{method} {kind}" for method in METHODS for kind in ("protan", "deutan", "tritan")),
]
"""Kinds of colour vision."""
MIN_DIFFERENCE = 30
"""Minimum ΔE (CIEDE2000) of two measures in one chart."""
MIN_CONTRAST = 3
"""WCAG 1.4.11, for parts of drawings."""


def colour(name: str, theme: str) -> coloraide.Color:
    """Return a token of the style sheet."""
    return coloraide.Color(TOKENS[name][THEMES.index(theme)])


def simulated(one: coloraide.Color, vision: str) -> coloraide.Color:
    """Return a colour as seen with a kind of colour vision."""
    method, _, kind = vision.partition(" ")
    return one.filter(kind, method=method).clip("srgb") if kind else one


@each_case("theme", THEMES)
@each_case("vision", VISIONS)
@each_case(("one", "other"), [*combinations(MEASURES, 2)])
def test_two_measures_differ_for_every_colour_vision(
    one: str, other: str, vision: str, theme: str
) -> None:
    pair = [simulated(colour(name, theme), vision) for name in (one, other)]
    assert pair[0].delta_e(pair[1], method="2000") >= MIN_DIFFERENCE


@each_case("theme", THEMES)
@each_case("ground", GROUNDS)
@each_case("measure", MEASURES)
def test_a_measure_is_visible_on_every_ground(measure: str, ground: str, theme: str) -> None:
    assert colour(measure, theme).contrast(colour(ground, theme)) >= MIN_CONTRAST


def test_images_have_the_colours_of_the_light_theme() -> None:
    of_images = {**LIGHT, **IMAGE_COLOURS}
    assert {
        name: TOKENS["ink-2" if name == "other" else name][0] for name in of_images
    } == of_images
