"""`/commodities`: producers, and the controls that cover their output. The numbers are those of the
corpus."""

import re

import pytest

from schema.pages.commodities.clauses import MAX_ENDED_CLAUSES
from schema.pages.commodities.years import first_drawn_year
from tests.pages.test_reading_pages import read
from tests.support.api import Api, main_of
from tests.support.cases import each_case

RARE_EARTHS = "/commodities/rare_earths"
DAY = "valid=2026-11-20"


def text_of(html: str) -> str:
    """Return the text of HTML with single spaces."""
    return " ".join(re.sub("<[^>]*>", " ", html.replace("\N{NO-BREAK SPACE}", " ")).split())


def section_of(html: str, name: str) -> str:
    """Return a section by the id of its heading."""
    return html[html.index(f'aria-labelledby="{name}"') :].split("</section>")[0]


async def test_a_commodity_says_who_makes_it_and_how_concentrated_that_is(corpus: Api) -> None:
    main = await main_of(corpus, f"{RARE_EARTHS}?{DAY}")
    text = text_of(main)
    assert (
        "China mined 69.2 % of the world’s output of 2025, as the US Geological Survey estimates."
        in text
    )
    assert "World mine production, 2025 390,000 e t REO; US Geological Survey, MCS 2026" in text
    assert "Top three 89.7 % China, United States, Australia" in text
    assert "Concentration (HHI) 5,054.4 of 10,000" in text
    ranking = text_of(main[main.index('aria-label="Ranking"') :].split("</section>")[0])
    assert (
        "China 270,000 e 69.2 % United States 51,000 e 13.1 % Australia 29,000 e 7.4 %" in ranking
    )
    assert "Canada 0 0 %" in ranking, "nil is a number"


async def test_titles_of_charts_state_the_finding_and_say_what_is_estimated(corpus: Api) -> None:
    main = await main_of(corpus, f"{RARE_EARTHS}?{DAY}")
    finding = "China mined 69.2 % of the world’s rare earths in 2025 (estimated)"
    assert finding in text_of(section_of(main, "who"))
    title = (
        "World mine production of rare earths rose from 240,000 t REO in 2020 to 390,000 in 2025"
        " (estimated)"
    )
    assert title in text_of(section_of(main, "years"))
    framed = await corpus.request("GET", f"/embed/producers{RARE_EARTHS}?{DAY}")
    assert finding in text_of(framed.text)
    clauses = await corpus.request("GET", f"/embed/clauses{RARE_EARTHS}?{DAY}")
    assert re.search(r"Rare earths: \d+ clauses in force, of these", text_of(clauses.text))


async def test_the_series_of_a_chart_are_added_and_removed_by_links(corpus: Api) -> None:
    section = section_of(await main_of(corpus, f"{RARE_EARTHS}?{DAY}&series=US,AU"), "years")
    assert "Australia, 2025" in section
    assert "China, 2025" not in section
    assert "United States’ mine production of rare earths" in text_of(section)
    links = dict(re.findall(r'href="[^"]*series=([A-Z,]+)&[^"]*"([^>]*)>', section))
    assert "aria-current" in links["US"], "without Australia"
    assert links["US,AU,CN"] == ""
    unknown = await corpus.request("GET", f"{RARE_EARTHS}?series=XX")
    assert (unknown.status_code, "WORLD, CN, US" in unknown.text) == (400, True)


async def test_a_year_is_chosen_by_a_link_and_what_is_not_a_number_is_a_word(corpus: Api) -> None:
    main = await main_of(corpus, f"{RARE_EARTHS}?year=2023&{DAY}")
    assert "World mine production, 2023 376,000" in text_of(main)
    years = re.findall(r'href="/commodities/rare_earths\?year=(\d+)&amp;valid=2026-11-20"', main)
    assert years == [str(year) for year in (2010, 2019, 2020, 2021, 2022, 2023, 2024, 2025)]
    ranking = main[main.index('aria-label="Ranking"') :].split("</section>")[0]
    assert "Canada not stated –" in text_of(ranking)
    assert "<title>Canada: not stated</title>" in main, "hatched on the map"
    empty = text_of(await main_of(corpus, f"{RARE_EARTHS}?year=1999&{DAY}"))
    assert "No figures of 1999: choose one of the years above." in empty


async def test_the_years_are_a_chart_and_a_table_of_the_same_numbers(corpus: Api) -> None:
    section = section_of(await main_of(corpus, f"{RARE_EARTHS}?{DAY}"), "years")
    marks = set(re.findall(r"<title>(World, 20\d\d: [^<]*)</title>", section))
    told = {mark.replace("\N{NO-BREAK SPACE}", " ") for mark in marks}
    assert "World, 2023: 376,000 t REO, MCS 2025" in told
    assert "World, 2023: 350,000 t REO, estimated, MCS 2024, an earlier edition" in told
    assert "World, 2025: 390,000 t REO, estimated, MCS 2026" in told
    assert 'href="/figures/rare_earths/WORLD/production/mine/2023?valid=2026-11-20"' in section
    table = text_of(section[section.index("<tbody") :])
    assert "2023 MCS 2025 ● in use 376,000 2023 MCS 2024 ○ not in use 350,000 e" in table
    assert "Not drawn, because of the large gap: 2010." in text_of(section)


async def test_clauses_stand_by_issuer_and_those_that_are_over_are_folded(corpus: Api) -> None:
    main = await main_of(corpus, f"{RARE_EARTHS}?valid=2025-11-20")
    section = section_of(main, "clauses")
    shown, wider, folded = section.split("<details")
    assert "on wider groups, such as dual-use items" in text_of(wider)
    assert text_of(shown).index("China") < text_of(shown).index("Namibia")
    october = text_of(shown[shown.index("/controls/cn-mofcom-2025-56") :])
    assert re.search(r"^[^.]*? suspended until 10 Nov 2026, then back", october)
    [ended] = re.findall(r"(\d+) ended clauses", text_of(folded))
    assert int(ended) > MAX_ENDED_CLAUSES == folded.count('<th scope="row"')
    assert f"Only the newest {MAX_ENDED_CLAUSES} are shown here; the list has all." in text_of(
        folded
    )
    assert f"/controls?commodity=rare_earths&amp;{'valid=2025-11-20'}" in section


async def test_exposure_is_told_wholly_and_in_part_toward_each_destination(corpus: Api) -> None:
    main = await main_of(corpus, f"/commodities/gallium?{DAY}")
    rows = re.findall(r"<tr [^>]*>.*?</tr>", section_of(main, "exposed"), re.DOTALL)[1:]
    assert [text_of(row).split(" ")[0] for row in rows] == [
        *("Any", "United", "Japan", "South", "Germany", "India")
    ]
    assert "100 % 0 %" in text_of(rows[0])
    narrowed = section_of(await main_of(corpus, f"/commodities/gallium?toward=FR&{DAY}"), "exposed")
    assert "France" in narrowed
    assert "Japan" not in narrowed


async def test_where_no_product_is_meant_it_is_said_which_there_are(corpus: Api) -> None:
    main = await main_of(corpus, f"/commodities/iron_ore?{DAY}")
    text = text_of(main)
    assert "choose one of the products with figures" in text
    assert "iron content, mine" in text
    assert "usable ore, mine" in text
    assert (
        'href="/commodities/iron_ore?stage=MINE&amp;form=usable_ore&amp;valid=2026-11-20"' in main
    )
    usable = text_of(
        await main_of(corpus, f"/commodities/iron_ore?stage=MINE&form=usable_ore&{DAY}")
    )
    assert "Australia mined" in usable


async def test_without_a_world_total_there_are_no_shares_and_no_zero(corpus: Api) -> None:
    main = await main_of(corpus, f"/commodities/germanium?{DAY}")
    text = text_of(main)
    assert "World refinery production, 2023 not available" in text
    assert "No share of a place is known." in text
    assert "HHI" not in text
    reserves = text_of(section_of(main, "reserves"))
    assert "not available" in reserves


async def test_a_commodity_is_an_image_data_and_a_table(corpus: Api) -> None:
    svg = await corpus.request("GET", f"{RARE_EARTHS}.svg?{DAY}")
    assert "World mine production of rare earths rose from 240,000 t REO in 2020 to" in svg.text
    assert "US Geological Survey; as of 20\N{NO-BREAK SPACE}Nov\N{NO-BREAK SPACE}2026" in svg.text
    table = await corpus.request("GET", f"{RARE_EARTHS}.csv?year=2024&{DAY}")
    assert re.search(r"^CN,China,270000,", table.text, re.MULTILINE)
    latest = await corpus.request("GET", f"{RARE_EARTHS}.csv?{DAY}")
    assert re.search(r"^AU,Australia,29000,", latest.text, re.MULTILINE)
    unknown = await corpus.request("GET", "/commodities/unobtainium")
    assert (unknown.status_code, "is not a commodity" in unknown.text) == (400, True)


async def test_the_list_has_every_commodity_with_its_latest_year_and_its_clauses(
    corpus: Api,
) -> None:
    main = await main_of(corpus, f"/commodities?{DAY}")
    rows = {
        found[0]: text_of(row)
        for row in re.findall(r"<tr class=.*?</tr>", main, re.DOTALL)
        for found in [re.findall(r'href="/commodities/(\w+)', row)]
    }
    assert "mine production, 2025 390,000 e t REO China 69.2 % 5,054.4" in rows["rare_earths"]
    assert "refinery production, 2023 not available" in rows["germanium"]
    assert "of several products" in rows["iron_ore"]
    assert "no figures of output" in rows["terbium"]
    keys = list(rows)
    assert keys.index("rare_earths") < keys.index("yttrium") < keys.index("antimony")
    found = await main_of(corpus, f"/commodities?hsCode=280530&{DAY}")
    assert "/commodities/rare_earths?" in found
    assert "/commodities/gallium?" not in found


async def test_years_far_before_the_others_are_not_drawn() -> None:
    def years(*numbers: int) -> dict[str, list[dict[str, int]]]:
        return {"years": [{"year": number} for number in numbers]}

    assert first_drawn_year(years(2010, 2019, 2020, 2023)) == 2019
    assert first_drawn_year(years(2021, 2024)) == 2021
    assert first_drawn_year(years()) == 0


async def test_shares_that_add_up_to_more_than_the_world_are_explained(corpus: Api) -> None:
    gallium = text_of(await main_of(corpus, f"/commodities/gallium?{DAY}"))
    assert "parts add up to 101.0 % because the publisher rounds" in gallium
    assert "Concentration (HHI) 10,000 of 10,000" in gallium
    assert "because the publisher rounds" not in text_of(
        await main_of(corpus, f"{RARE_EARTHS}?{DAY}")
    )


async def test_the_first_sentences_say_what_is_not_confirmed(corpus: Api) -> None:
    later = text_of(await main_of(corpus, "/commodities/gallium?valid=2026-11-29"))
    assert re.search(r"Not confirmed: \d+ by their own terms", later)
    earlier = text_of(await main_of(corpus, f"/commodities/gallium?{DAY}"))
    assert "clauses in force cover it." in earlier
    assert "No record of this date or later" not in later
    future = text_of(await main_of(corpus, "/commodities/nickel?valid=2029-06-01"))
    assert re.search(
        r"Not confirmed: \d+ by their own terms\. No record of this date or later confirms \d+ clauses\.",
        future,
    )


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("cn-mofcom-2025-61", "which a statement contradicts"),
        ("cn-mofcom-2024-46", "in force by their own terms (not confirmed)"),
    ],
)
async def test_the_heading_of_a_control_says_what_is_assumed_and_what_is_contradicted(
    corpus: Api, key: str, says: str
) -> None:
    html = await main_of(corpus, f"/controls/{key}?valid=2026-11-29")
    heading = html[html.index("<h1") : html.index("</h1>")]
    assert says in heading
    if key == "cn-mofcom-2025-61":
        assert "stated on 28 September 2026 that the suspension runs to 10 January 2027" in html


@each_case(
    ("commodity", "first", "later"),
    [
        ("cobalt", "Licensing of exports", "Ban on certain"),
        ("gallium", "Dual-use licensing of exports as metal", "Ban on exports as metal"),
        ("dysprosium", "China: ", "Malawi: "),
        ("rare_earths", "China: ", "for military users"),
    ],
)
async def test_rules_for_all_traders_that_are_confirmed_come_before_others(
    corpus: Api, commodity: str, first: str, later: str
) -> None:
    text = await read(corpus, f"/commodities/{commodity}?valid=2026-12-01")
    answer = text[: text.index("Secondary source")]
    assert first in answer
    assert later not in answer


async def test_a_limit_on_production_is_a_question_to_the_supplier(corpus: Api) -> None:
    text = await read(corpus, "/controls/cd-2025-artisanal?valid=2026-12-01")
    assert "Next: ask your supplier whether the limit concerns it." in text
    assert "do not ship" not in text


async def test_clauses_on_all_goods_come_after_those_that_name_the_mineral(corpus: Api) -> None:
    text = await read(corpus, "/commodities/talc?valid=2026-12-03")
    assert text.index("China: Licensing") < text.index("imports from 58 places")
    text = await read(corpus, "/commodities/salt?valid=2026-12-03")
    assert text.index("European Union: Ban") < text.index("imports from 58 places")


async def test_clauses_that_differ_in_their_forms_alone_are_one_sentence(corpus: Api) -> None:
    text = await read(corpus, "/commodities/gallium?valid=2026-12-03")
    assert re.findall(r"China: (Dual-use licensing [^.]*)\.", text) == [
        "Dual-use licensing of exports as metal to every destination",
        "Dual-use licensing of certain exports as compound or oxide to every destination",
    ]
