"""`/figures`: products with figures, and every matching claim."""

import re

from schema.pages.figures.figures import years_in_words
from tests.support.api import Api, main_of


async def test_the_list_says_what_there_is_of_a_commodity_and_leads_to_its_claims(
    corpus: Api,
) -> None:
    main = await main_of(corpus, "/figures?commodity=gallium&valid=2026-11-20")
    rows = re.findall(r"<tr[^>]*>.*?</tr>", main[: main.index('id="claims"')], re.DOTALL)
    text = [" ".join(re.sub("<[^>]*>", " ", row).split()) for row in rows[1:]]
    assert text[:3] == [
        "Gallium primary production 2021–2025 6 yes 36 52 kg gallium usgs",
        "Gallium primary capacity 2022–2025 6 yes 27 27 kg gallium usgs",
        "Gallium reserves each edition 6 yes 8 8 kg gallium usgs",
    ]
    count = re.search(r'data-path="asOf.claims.totalCount">(\d+)</data> claims that match', main)
    assert count is not None
    assert int(count[1]) > 87
    links = re.findall(r'href="(/figures/gallium/CN/production/primary/2023)\?', main)
    assert len(links) == 2, "MCS 2024 and MCS 2025 told the output of 2023"
    assert "valid=2026-11-20" in main[main.index(links[0]) :][:80]


async def test_without_a_commodity_each_has_a_row_that_leads_to_its_products(corpus: Api) -> None:
    main = await main_of(corpus, "/figures?valid=2026-11-20&statistic=PRODUCTION")
    table = main[main.index('id="supplies"') : main.index('id="claims"')]
    links = re.findall(r'href="/figures\?([^"#]*)"', table)
    keys = [re.findall(r"commodity=(\w+)", link)[0] for link in links]
    assert len(keys) == len(set(keys)) == table.count('<th scope="row"') > 20
    assert all("statistic=PRODUCTION" in link for link in links)
    [row] = re.findall(r"<tr[^>]*><th scope=\"row\"[^>]*><a[^>]*>Gallium<.*?</tr>", table)
    text = " ".join(re.sub("<[^>]*>", " ", row).split())
    assert text.startswith("Gallium primary production 2021–2025 36 52 ")
    editions = main[main.index('id="editions"') :]
    assert 0 < editions.count('<th scope="row"') <= 50


async def test_the_list_goes_on_and_is_narrowed_by_its_form(corpus: Api) -> None:
    first = await main_of(corpus, "/figures?commodity=gallium")
    following = re.findall(r'rel="next" href="([^"]*)"', first)[0].replace("&amp;", "&")
    second = await main_of(corpus, following)
    shown, others = (
        re.findall(
            r'href="(/events/\d+)"', page[page.index('id="claims"') : page.index('id="editions')]
        )
        for page in (first, second)
    )
    assert (len(shown), len(others)) == (50, 50)
    assert not set(shown) & set(others)
    narrowed = await main_of(corpus, "/figures?commodity=gallium&place=CN&years=2023..2023")
    assert '<option value="gallium" selected>' in narrowed
    assert "gallium/CN/production/primary/2023" in narrowed
    assert "gallium/CN/production/primary/2022" not in narrowed


async def test_before_the_first_edition_there_is_nothing_and_it_says_so(corpus: Api) -> None:
    main = await main_of(corpus, "/figures?commodity=gallium&valid=2020-01-01")
    assert "No figures on this date match these filters." in main
    assert "No claim on this day matches." in main


async def test_years_are_reported_as_runs() -> None:
    assert years_in_words([2010, 2019, 2020, 2022]) == "2010, 2019–2020, 2022"
    assert years_in_words([]) == ""
