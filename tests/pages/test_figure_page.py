"""`/figures/{key}`: compared claims. The numbers are those of the corpus, written here independently."""

import re
from xml.etree import ElementTree

from tests.pages.test_reading_pages import without_bar
from tests.support.api import Api

CHINA_2023 = "/figures/rare_earths/CN/production/mine/2023"
"""USGS gave 240,000 t REO in MCS 2024 and 255,000 in MCS 2025; an article 210,000 without a basis;
BGS 255,000 in its export of 2026."""
LATE = "?valid=2026-11-20"


async def text_of(corpus: Api, path: str) -> str:
    """Return the text of a page's content with single spaces."""
    response = await corpus.request("GET", path)
    assert response.status_code == 200, response.text
    html = response.text
    main = html[html.index("<main") : html.index("</main>")].replace("\N{NO-BREAK SPACE}", " ")
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


async def test_a_figure_shows_every_claim_and_says_why_one_is_in_use(corpus: Api) -> None:
    text = await text_of(corpus, CHINA_2023 + LATE)
    assert "Rare earths: mine production of China, 2023" in text
    assert "In use because US Geological Survey was the first to publish on this figure" in text
    assert "no judgement is recorded" in text
    assert "Its previous edition, MCS 2024, stated 240,000 t REO." in text
    assert "British Geological Survey says the same." in text
    assert "Sohu says 210,000 t: not comparable." in text
    rows = re.findall(r"event [\d,]+ ([\d,]+)", text)
    assert rows == ["240,000", "255,000", "210,000", "255,000"]
    assert "none: all say 255,000 t REO" in text
    assert "its basis is not stated, that of usgs is REO" in text
    assert "MCS 2025: +15,000 (+6.25 %)" in text
    assert "not from its own publisher's text" in text
    assert "the seed figure is probably the 2022 one" in text


async def test_on_a_day_before_the_next_edition_the_claim_in_use_is_the_one_of_then(
    corpus: Api,
) -> None:
    text = await text_of(corpus, f"{CHINA_2023}?valid=2024-06-01")
    assert "240,000 e t REO US Geological Survey, MCS 2024. In use because no claim" in text
    assert "255,000" not in text
    before = await corpus.request("GET", f"{CHINA_2023}?valid=2024-01-30")
    assert before.status_code == 404
    assert "No figure" in before.text


IN_WORDS = (
    ("antimony/US/production/mine/2025", "withheld"),
    ("antimony/CA/production/mine/2024", "0"),
    ("antimony/GT/reserves", "not available"),
    ("antimony/WORLD/reserves", "MCS 2026: no change"),
    ("antimony/WORLD/reserves", "more than 2,000,000 t contained antimony"),
    ("caesium/AU_CA_CN_NA/reserves", "less than "),
    ("iron_slag/WORLD/production/plant/2025", "330 to 390 e Mt"),
    ("asbestos/KZ/reserves", "“large”"),
    ("alumina/AE/reserves", "not applicable"),
    ("graphite/AT/reserves", "counted elsewhere"),
    ("rare_earths/CN/production_share/mine/2023", "nearly 70 %"),
    ("titanium/CN/production/plant/sponge/2023", "Titanium, sponge: plant production of China"),
    ("rare_earths/WORLD/production/mine/2025", "mine production of the world, 2025"),
)
"""Figures of the corpus, and the texts of their pages."""


async def test_values_that_are_not_plain_numbers_are_worded(corpus: Api) -> None:
    for key, says in IN_WORDS:
        text = await text_of(corpus, f"/figures/{key}{LATE}")
        assert says in text
        if says in ("withheld", "not available", "not applicable", "counted elsewhere"):
            assert re.search(rf"{says} US Geological Survey, MCS \d+\.", text), "no 0 before it"


async def test_a_value_that_is_not_a_figure_is_not_found(corpus: Api) -> None:
    for key in ("rare_earths/CN", "rare_earths/CN/production/mine/1999", "rare_earths//x"):
        assert (await corpus.request("GET", f"/figures/{key}{LATE}")).status_code == 404
    refused = await corpus.request("GET", f"/figures/unobtainium/CN/reserves{LATE}")
    assert refused.status_code == 400
    assert "commodity" in refused.text


async def test_a_figure_leads_to_its_events_its_sources_and_other_years(corpus: Api) -> None:
    html = without_bar((await corpus.request("GET", CHINA_2023 + LATE)).text)
    main = html[html.index("<main") : html.index("</main>")]
    assert len(re.findall(r'href="/events/\d+\?valid=2026-11-20"', main)) == 4
    assert 'href="https://doi.org/10.5066/P13XCP3R"' in main
    years = re.findall(r'href="/figures/rare_earths/CN/production/mine/(\d+)\?valid', main)
    assert years == [str(year) for year in (2010, 2019, 2020, 2021, 2022, 2023, 2024, 2025)]


async def test_a_figure_is_an_image_too(corpus: Api) -> None:
    svg = await corpus.request("GET", f"{CHINA_2023}.svg{LATE}")
    assert svg.headers["content-type"] == "image/svg+xml"
    image = ElementTree.fromstring(svg.content)
    texts = [element.text for element in image.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text and text.endswith(("000", "(e)"))][-4:] == [
        "240,000 (e)",
        "255,000",
        "210,000",
        "255,000 (e)",
    ]
    assert re.search(r"position \d\d,\d\d\d", svg.text)
    png = await corpus.request("GET", f"{CHINA_2023}.png{LATE}&position=11884")
    assert png.content.startswith(b"\x89PNG")
    assert png.headers["cache-control"] == "public, max-age=3600, immutable"
    html = (await corpus.request("GET", CHINA_2023 + LATE)).text
    [shown] = re.findall(r'<meta property="og:image" content="([^"]*)"', html)
    assert re.fullmatch(
        rf"http://localhost{CHINA_2023}\.png\?valid=2026-11-20&amp;position=\d+", shown
    )


async def test_a_page_without_a_drawing_has_no_image(corpus: Api) -> None:
    response = await corpus.request("GET", "/alliances/quad.png")
    assert response.status_code == 404
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
