"""Lines over years: what they show, and that what others wrote stays text."""

from __future__ import annotations

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
from schema.pages.charts.line_chart import WIDE, Line, LineChart, YearMark, unbroken, vega_lite
from schema.pages.charts.picture_process import PictureProcess
from schema.pages.charts.renderer import MAX_WAITING, ChartRenderer
from tracker.errors import TrackerError, Unavailable

HOSTILE = "</svg><script>alert(1)</script>\x0b & \"'><a href=javascript:alert(2)>"
SHOWN = HOSTILE.replace("\x0b", "")
SVG = "{http://www.w3.org/2000/svg}"


def mark(year: int, value: int, *, in_use: bool = True, words: str = "said") -> YearMark:
    """A claim of a year, with an address of its own."""
    return YearMark(year, Decimal(value), words, f"/figures/{year}?a=1&b=2", in_use)


def chart(*marks: YearMark, name: str = "China", **texts: str) -> LineChart:
    """A chart with one line."""
    shown = {"title": "Output", "description": "It grew.", "source": "USGS", "unit": "t"} | texts
    return LineChart(lines=[Line(name, marks, "c1")], **shown)


RISING = chart(mark(2020, 10), mark(2021, 20), mark(2021, 15, in_use=False))


@pytest.fixture(scope="module")
def renderer() -> ChartRenderer:
    """One for all tests here."""
    return ChartRenderer()


async def test_what_others_wrote_is_text_in_a_chart(renderer: ChartRenderer) -> None:
    hostile = chart(
        mark(2020, 10, words=HOSTILE),
        name=HOSTILE,
        title=HOSTILE,
        description=HOSTILE,
        source=HOSTILE,
        unit=HOSTILE,
    )
    inline = await renderer.inline(hostile)
    image = ElementTree.fromstring(await renderer.image(hostile, "svg"))
    page = ElementTree.fromstring(f"<p>{inline}</p>")
    for root in (page, image):
        names = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert names <= {"p", "svg", "g", "path", "line", "text", "rect", "a", "title", "desc"}
        attributes = {name for element in root.iter() for name in element.attrib}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert [text.text for text in page.iter("title")].count(SHOWN) == 4, (
        "two widths, a mark in each"
    )
    assert [text.text for text in image.iter(f"{SVG}desc")] == [SHOWN]


async def test_marks_lead_to_their_own_addresses_and_nothing_else_does(
    renderer: ChartRenderer,
) -> None:
    page = ElementTree.fromstring(f"<p>{await renderer.inline(RISING)}</p>")
    addresses = [link.get("href") for link in page.iter("a")]
    assert sorted(set(map(str, addresses))) == ["/figures/2020?a=1&b=2", "/figures/2021?a=1&b=2"]
    assert len(addresses) == 6, "three marks in two widths"
    image = (await renderer.image(RISING, "svg")).decode()
    assert "href" not in image
    assert "link.invalid" not in image


async def test_a_chart_says_what_it_is_and_takes_its_colours_from_the_page(
    renderer: ChartRenderer,
) -> None:
    inline = await renderer.inline(RISING)
    for svg in ElementTree.fromstring(f"<p>{inline}</p>"):
        assert svg.get("role") == "group"
        assert [(child.tag, child.text) for child in svg][:2] == [
            ("title", "Output"),
            ("desc", "It grew."),
        ]
        assert svg.get("class") in ("marks wide", "marks narrow")
    assert "var(--c1)" in str(inline)
    assert b"var(" not in await renderer.image(RISING, "svg")


async def test_images_are_of_the_kinds_that_they_say(renderer: ChartRenderer) -> None:
    assert (await renderer.image(RISING, "png")).startswith(b"\x89PNG")
    assert (await renderer.image(RISING, "pdf")).startswith(b"%PDF")
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    assert await renderer.image(drawn, "svg") == drawn.encode()
    assert (await renderer.image(drawn, "png")).startswith(b"\x89PNG")


async def test_what_was_drawn_is_not_drawn_again(renderer: ChartRenderer) -> None:
    await renderer.inline(RISING)
    misses = renderer.pictures.misses
    await renderer.inline(RISING)
    assert renderer.pictures.misses == misses
    await renderer.inline(chart(mark(2020, 11), mark(2021, 20)))
    assert renderer.pictures.misses > misses


async def test_too_many_charts_at_once_are_refused_and_those_that_wait_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on = threading.Event()

    def make(self: PictureProcess, what: str, text: str) -> bytes:
        go_on.wait()
        return text.encode()

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


async def test_without_the_library_a_page_has_no_chart_and_images_say_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, renderer: ChartRenderer
) -> None:
    monkeypatch.setattr("schema.pages.charts.picture_process.find_spec", lambda name: None)
    assert await renderer.inline(RISING) is None
    with pytest.raises(TrackerError) as refused:
        await renderer.image(RISING, "png")
    assert refused.value.code == "FORMAT_NOT_INSTALLED"
    assert await renderer.image("<svg/>", "svg") == b"<svg/>"


def test_a_year_without_a_number_breaks_its_line() -> None:
    marks = [mark(2020, 1), mark(2021, 2), mark(2022, 9, in_use=False), mark(2023, 3)]
    assert [[part.year for part in parts] for parts in unbroken(marks)] == [[2020, 2021], [2023]]
    lines, earlier, in_use, names = vega_lite(chart(*marks), WIDE)["layer"]
    assert [row["part"] for row in lines["data"]["values"]] == ["0/0", "0/0", "0/1"]
    assert [row["year"] for row in earlier["data"]["values"]] == [2022]
    assert [row["year"] for row in in_use["data"]["values"]] == [2020, 2021, 2023]
    assert [row["name"] for row in names["data"]["values"]] == ["China"]


def test_a_line_joins_the_claims_of_one_publisher_only() -> None:
    first, second = mark(2020, 1), mark(2021, 2)
    others = [replace(mark(year, 3), publisher="bgs") for year in (2022, 2023)]
    parts = unbroken([first, second, *others])
    assert [[one.year for one in part] for part in parts] == [[2020, 2021], [2022, 2023]]


def test_a_chart_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected marks"):
        vega_lite(chart(), WIDE)


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
