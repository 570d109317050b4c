"""Line charts over years: their content, and escaping of foreign texts."""

import asyncio
import threading
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.pages.charts.amounts import amount_words, apart, ticks
from schema.pages.charts.line_chart import (
    WIDE,
    Line,
    LineChart,
    YearMark,
    draw_lines,
    page_drawings,
    unbroken,
)
from schema.pages.charts.picture_process import PictureProcess
from schema.pages.charts.renderer import MAX_WAITING, ChartRenderer
from schema.pages.site.images import line_image
from schema.pages.site.templates import environment
from tracker.errors import TrackerError, Unavailable

HOSTILE = "</svg><script>alert(1)</script>\x0b & \"'><a href=javascript:alert(2)>"
SHOWN = HOSTILE.replace("\x0b", "")
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {
    *("p", "svg", "g", "a", "title", "desc"),
    *("polyline", "circle", "line", "text", "rect"),
}


def mark(year: int, value: int, *, in_use: bool = True, words: str = "said") -> YearMark:
    """Return a claim of a year, with its own address."""
    return YearMark(year, Decimal(value), words, f"/figures/{year}?a=1&b=2", in_use)


def chart(*marks: YearMark, name: str = "China", **texts: str) -> LineChart:
    """Return a chart with one line."""
    shown = {"title": "Output", "description": "It grew.", "source": "USGS", "unit": "t"} | texts
    return LineChart(lines=[Line(name, marks, "c1")], **shown)


RISING = chart(mark(2020, 10), mark(2021, 20), mark(2021, 15, in_use=False))


HOSTILE_CHART = chart(
    mark(2020, 10, words=HOSTILE),
    name=HOSTILE,
    title=HOSTILE,
    description=HOSTILE,
    source=HOSTILE,
    unit=HOSTILE,
)


@pytest.fixture(scope="module")
def renderer() -> ChartRenderer:
    """Create one renderer for all tests here."""
    return ChartRenderer()


def inline(shown: LineChart) -> str:
    """Return a chart as a part of a page, in its two widths."""
    macro = environment().get_template("charts/line_chart.html").module.line_chart  # type: ignore[attr-defined]
    return "".join(macro(drawing, size) for size, drawing in page_drawings(shown))


def test_text_of_others_is_escaped_in_a_chart() -> None:
    image = ElementTree.fromstring(line_image(HOSTILE_CHART).svg())
    page = ElementTree.fromstring(f"<p>{inline(HOSTILE_CHART)}</p>")
    for root in (page, image):
        names = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert names <= ELEMENTS
        attributes = {name for element in root.iter() for name in element.attrib}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert [text.text for text in page.iter("title")].count(SHOWN) == 4, (
        "two widths, a mark in each"
    )
    assert [text.text for text in image.iter(f"{SVG}desc")] == [SHOWN]


def test_marks_lead_to_their_own_addresses_and_nothing_else_does() -> None:
    page = ElementTree.fromstring(f"<p>{inline(RISING)}</p>")
    addresses = [link.get("href") for link in page.iter("a")]
    assert sorted(set(map(str, addresses))) == ["/figures/2020?a=1&b=2", "/figures/2021?a=1&b=2"]
    assert len(addresses) == 6, "three marks in two widths"
    assert "href" not in line_image(RISING).svg()


def test_a_chart_says_what_it_is_and_takes_its_colours_from_the_page() -> None:
    for svg in ElementTree.fromstring(f"<p>{inline(RISING)}</p>"):
        assert svg.get("role") == "group"
        assert [(child.tag, child.text) for child in svg][:2] == [
            ("title", "Output"),
            ("desc", "It grew."),
        ]
        assert svg.get("class") in ("marks wide", "marks narrow")
    assert "var(--c1)" in inline(RISING)
    assert "var(" not in line_image(RISING).svg()


async def test_images_are_of_the_kinds_that_they_say(renderer: ChartRenderer) -> None:
    drawn = line_image(RISING).svg()
    assert await renderer.image(drawn, "svg") == drawn.encode()
    assert (await renderer.image(drawn, "png")).startswith(b"\x89PNG")
    assert (await renderer.image(drawn, "pdf")).startswith(b"%PDF")


async def test_a_picture_that_was_made_is_not_made_again(renderer: ChartRenderer) -> None:
    await renderer.image(line_image(RISING).svg(), "png")
    misses = renderer.pictures.misses
    await renderer.image(line_image(RISING).svg(), "png")
    assert renderer.pictures.misses == misses
    await renderer.image(line_image(chart(mark(2020, 11), mark(2021, 20))).svg(), "png")
    assert renderer.pictures.misses > misses


async def test_too_many_charts_at_once_are_refused_and_those_that_wait_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()

    def make(self: PictureProcess, format: str, svg: str) -> bytes:
        go_on.wait()
        return svg.encode()

    monkeypatch.setattr(PictureProcess, "make", make)
    renderer = ChartRenderer()
    waiting = [
        asyncio.create_task(renderer.image(f"<svg id='{number}'/>", "png"))
        for number in range(MAX_WAITING)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await renderer.image("<svg/>", "png")
    same = asyncio.create_task(renderer.image("<svg id='0'/>", "png"))
    await asyncio.sleep(0)
    go_on.set()
    assert await same == (await asyncio.gather(*waiting))[0] == b"<svg id='0'/>"


def test_a_process_that_died_is_started_again() -> None:
    process = PictureProcess()
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    first = process.make("png", drawn)
    process.kill()
    assert process.make("png", drawn) == first
    with pytest.raises(ValueError, match="unknown token"):
        process.make("png", "no picture")
    assert process.make("png", drawn) == first
    process.close()


async def test_without_the_library_images_say_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, renderer: ChartRenderer
) -> None:
    monkeypatch.setattr("schema.pages.charts.picture_process.find_spec", lambda name: None)
    with pytest.raises(TrackerError) as refused:
        await renderer.image("<svg/>", "png")
    assert refused.value.code == "FORMAT_NOT_INSTALLED"
    assert await renderer.image("<svg/>", "svg") == b"<svg/>"


def test_a_year_without_a_number_breaks_its_line() -> None:
    marks = [mark(2020, 1), mark(2021, 2), mark(2022, 9, in_use=False), mark(2023, 3)]
    assert [[part.year for part in parts] for parts in unbroken(marks)] == [[2020, 2021], [2023]]
    drawing = draw_lines(chart(*marks), WIDE)
    assert [points.count(",") for points, _ in drawing.paths] == [2, 1]
    assert [drawn.mark.year for drawn in drawing.marks] == [2022, 2020, 2021, 2023]
    assert [name.text for name in drawing.names] == ["China"]


def test_places_and_labels_follow_the_numbers() -> None:
    drawing = draw_lines(chart(mark(2020, 0), mark(2024, 4_000_000), name="N" * 90), WIDE)
    assert drawing.unit == "million t"
    assert [number.text for number in drawing.numbers] == ["0", "1", "2", "3", "4"]
    assert [number.y for number in drawing.numbers] == [300, 225, 150, 75, 0]
    assert [(drawn.x, drawn.y) for drawn in drawing.marks] == [(0, 300), (640, 0)]
    assert [(year.text, year.x, year.anchor) for year in drawing.years] == [
        ("2024", 640, "end"),
        ("2020", 0, "start"),
    ]
    [name] = drawing.names
    assert name.text == "N" * 21 + "…"


def test_a_line_joins_the_claims_of_one_publisher_only() -> None:
    first, second = mark(2020, 1), mark(2021, 2)
    others = [replace(mark(year, 3), publisher="bgs") for year in (2022, 2023)]
    parts = unbroken([first, second, *others])
    assert [[one.year for one in part] for part in parts] == [[2020, 2021], [2022, 2023]]


def test_a_chart_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected marks"):
        draw_lines(chart(), WIDE)


amounts = st.decimals(-(10**9), 10**9, places=3) | st.decimals(0, 10**30, places=30)


@given(amounts, amounts, st.integers(3, 12))
def test_an_axis_has_few_round_numbers_and_none_of_the_amounts_is_outside(
    one: Decimal, other: Decimal, most: int
) -> None:
    low, high = min(one, other), max(one, other)
    numbers = ticks(low, high, most)
    assert 2 <= len(numbers) <= most
    assert numbers[0] <= low
    assert numbers[-1] >= high
    step = numbers[1] - numbers[0]
    assert step.normalize().as_tuple().digits in ((1,), (2,), (5,))
    assert all(after - before == step for before, after in pairwise(numbers))


@given(st.lists(st.floats(0, 300), max_size=8))
def test_labels_do_not_cover_each_other_and_keep_their_order(wanted: list[float]) -> None:
    places = apart(wanted, 14, 0, 300)
    assert all(-0.01 <= place <= 300.01 for place in places)
    pairs = sorted(zip(wanted, places, strict=True))
    assert all(one[1] - other[1] <= -13.99 or one[0] == other[0] for one, other in pairwise(pairs))
    ordered = sorted(places)
    assert all(after - before >= 13.99 for before, after in pairwise(ordered))


def test_amounts_have_commas_and_no_needless_zeros() -> None:
    written = [amount_words(Decimal(text)) for text in ("255000", "0.50", "1E+3", "-1234.5", "0")]
    assert written == ["255,000", "0.5", "1,000", "-1,234.5", "0"]
