"""Images of pages: each says what it shows, in which unit, from whom, from where and under which licence."""

from xml.etree import ElementTree

import pytest

from schema.pages.charts.credit import with_credit
from schema.pages.charts.world_image import WIDTH_PX
from schema.pages.site.citation import PRODUCT
from tests.support.api import Api

SVG = "{http://www.w3.org/2000/svg}"
DAY = "valid=2026-11-20"
COUNTS = "Unit: number of clauses in force, by issuer."
STATUS_LEGEND = ["announced", "in force", "suspended", "expired", "repealed", "ban", "licence"]
NAMED = "Source: named beside each record"
IMAGES = [
    ("/index", "clauses recorded as in force", COUNTS, ["1", "32 and more"], NAMED),
    (
        "/index.svg?map=share&commodity=cobalt",
        "of the world’s mine production of cobalt",
        "Unit: shares of the world's output.",
        ["under 1\u00a0%"],
        NAMED,
    ),
    ("/places", "clauses recorded as in force", COUNTS, ["1", "32 and more"], NAMED),
    ("/controls", "instruments that control trade", "Unit: days", STATUS_LEGEND, NAMED),
    ("/controls/cn-mofcom-2024-46", "China", "Unit: days", STATUS_LEGEND, "Source: "),
    (
        "/commodities/gallium",
        "World primary production of gallium rose from 434,000 kg in 2021",
        "thousand kg gallium",
        ["claim in use", "earlier edition", "China"],
        "Source: US Geological Survey",
    ),
    (
        "/commodities/gallium/dependence",
        "Gallium, metal: 28\u00a0% of the imports of the United States came from Canada",
        "28\u00a0%, no control recorded",
        ["covered", "no control recorded", "not named", "China", "United States"],
        "Source: US Geological Survey",
    ),
    (
        "/figures/rare_earths/CN/production/mine/2023",
        "Rare earths: mine production of China, 2023",
        "t REO",
        ["in use", "restated since"],
        "Source: British Geological Survey",
    ),
]
"""Pages with the title, the unit, words of the legend and the source of their images."""


def address(path: str, ending: str) -> str:
    """Return the address of the image of a page."""
    path = path.replace(".svg", f".{ending}") if ".svg" in path else f"{path}.{ending}"
    return f"{path}{'&' if '?' in path else '?'}{DAY}"


@pytest.mark.parametrize(("path", "title", "unit", "legend", "source"), IMAGES)
async def test_an_image_has_title_unit_legend_source_address_and_licence(
    corpus: Api, path: str, title: str, unit: str, legend: list[str], source: str
) -> None:
    answer = await corpus.request("GET", address(path, "svg"))
    image = ElementTree.fromstring(answer.text)
    texts = [str(one.text) for one in image.iter(f"{SVG}text")]
    assert title in str(image.findtext(f"{SVG}title"))
    assert any(title in one for one in texts)
    assert any(unit in one for one in texts)
    assert set(legend) <= set(texts)
    assert any(one.startswith(source) for one in texts)
    page = path.partition(".svg")[0].replace("/index", "/")
    assert f"http://localhost{page}?" in "".join(texts[-6:])
    assert f"{DAY}&position=" in "".join(texts[-6:])
    assert f"{PRODUCT}, http" in " ".join(texts)
    assert any(one.startswith("Licence: CC BY 4.0") for one in texts)


async def test_the_texts_of_an_image_stand_inside_it(corpus: Api) -> None:
    for path, *_ in IMAGES:
        answer = await corpus.request("GET", address(path, "svg"))
        image = ElementTree.fromstring(answer.text)
        foot = list(image.iter(f"{SVG}text"))[-3:]
        assert all(float(one.get("y", "")) < float(image.get("height", "")) for one in foot), path


async def test_the_map_with_its_foot_has_the_size_of_a_link_preview(corpus: Api) -> None:
    answer = await corpus.request("GET", address("/index", "svg"))
    image = ElementTree.fromstring(answer.text)
    assert (image.get("width"), image.get("height")) == (str(WIDTH_PX), "630")


async def test_the_image_of_a_link_preview_has_the_foot_too(corpus: Api) -> None:
    plain = await corpus.request("GET", address("/places", "png"))
    assert plain.content.startswith(b"\x89PNG")
    height = int.from_bytes(plain.content[20:24], "big")
    assert height == 2 * 630


async def test_hostile_sources_stay_text_in_an_image() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="100">'
        '<title>a</title><text x="9">b</text></svg>'
    )
    image = ElementTree.fromstring(with_credit(svg, ["<script>&\x00"], "http://localhost/?a=1&b=2"))
    texts = [one.text for one in image.iter(f"{SVG}text")]
    assert texts[1:3] == ["Source: <script>&.", "http://localhost/?a=1&b=2"]
    with pytest.raises(ValueError, match="expected an image"):
        with_credit("<svg/>", [], "")
