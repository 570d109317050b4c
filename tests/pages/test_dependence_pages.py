"""Pages of dependence. The numbers are those of MCS 2026 and of the worked cases, written here."""

import csv
import io
import re
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.api import Api, main_of

DAY = "valid=2026-06-01"


def text_of(html: str) -> str:
    """Return the text of HTML with single spaces."""
    return " ".join(re.sub("<[^>]*>", " ", html.replace("\N{NO-BREAK SPACE}", " ")).split())


def section_of(html: str, name: str) -> str:
    """Return a section by the id of its heading."""
    return html[html.index(f'aria-labelledby="{name}"') :].split("</section>")[0]


async def dependence_of(corpus: Api, commodity: str, more: str = "") -> str:
    """Return the HTML of the page of a commodity."""
    return await main_of(corpus, f"/commodities/{commodity}/dependence?{DAY}{more}")


async def test_the_answer_names_list_period_measure_and_edition(corpus: Api) -> None:
    text = text_of(await dependence_of(corpus, "gallium"))
    assert "Gallium, metal: 18 % of the imports of the United States came from places" in text
    assert "average of 2021 to 2024, by quantity (US Geological Survey, MCS 2026)." in text
    assert "net imports of the United States were 100 % of reported consumption in 2025" in text
    assert "Do not multiply these numbers" in text


async def test_bounds_of_the_worked_cases_are_on_their_pages(corpus: Api) -> None:
    cobalt = text_of(section_of(await dependence_of(corpus, "cobalt"), "origins"))
    assert "salts 0 % 14 % 30 % average of 2021 to 2024" in cobalt
    antimony = text_of(section_of(await dependence_of(corpus, "antimony"), "origins"))
    assert "Antimony, oxide 0 % 66 % 66 %" in antimony
    strict = "&measures=BAN,QUOTA,LICENCE,DUAL_USE_LICENCE"
    narrowed = text_of(section_of(await dependence_of(corpus, "antimony", strict), "origins"))
    assert "Antimony, oxide 0 % 66 % 66 %" in narrowed


async def test_every_number_of_a_list_links_to_its_claim(corpus: Api) -> None:
    section = section_of(await dependence_of(corpus, "gallium"), "list-0")
    key = "/figures/gallium/US/import_origins/metal/2021-2024"
    assert section.count(f'href="{key}?{DAY}"') == 1 + 4, "the list and each named origin"
    rows = text_of(section[section.index("<tbody") :])
    assert rows.index("Canada 28 %") < rows.index("Japan 22 %") < rows.index("China 18 %")
    assert "China 18 % covered" in rows
    assert "Other countries 16 %" in rows
    figure = text_of(await main_of(corpus, f"{key}?{DAY}"))
    assert "Gallium, metal: import origins of the United States, 2021 to 2024" in figure
    assert "Canada 28 % Japan 22 % China 18 % Germany 16 % Other countries 16 %" in figure


async def test_clauses_behind_the_bounds_name_their_reach_and_suspended_ones_are_apart(
    corpus: Api,
) -> None:
    section = section_of(await dependence_of(corpus, "gallium"), "behind")
    counted, *folded = section.split("<details")
    assert "all of the product" in text_of(counted)
    assert "/controls/cn-mofcom-2024-46" in folded[-1]
    assert "not counted" in text_of(folded[-1])
    assert "suspended" in text_of(folded[-1]).lower()


async def test_a_place_outside_the_list_that_may_supply_is_named(corpus: Api) -> None:
    text = text_of(section_of(await dependence_of(corpus, "cobalt"), "list-0"))
    assert "Other countries 30 % may include DR Congo" in text


async def test_a_list_older_than_the_controls_says_so(corpus: Api) -> None:
    narrowed = await dependence_of(corpus, "antimony", "&form=oxide&measures=STATE_TRADING")
    text = text_of(section_of(narrowed, "list-0"))
    assert "Controls began on 1 Jan 2026 , after the period of this list." in text
    assert "covered since 1 Jan 2026 , after this list" in text


async def test_reliance_has_all_editions_and_marks_a_change_of_basis(corpus: Api) -> None:
    section = section_of(await dependence_of(corpus, "aluminium"), "reliance")
    rows = text_of(section[section.index("<tbody") :])
    assert "2024 MCS 2026 ● in use 62 % apparent consumption; traded scrap excluded" in rows
    assert re.search(r"2024 MCS 2025 ○ not in use 47 % e? ?apparent consumption", rows)
    broken = "break: other basis than the year before"
    assert rows.count(broken) == 1
    assert rows.index("2021 MCS 2026") < rows.index(broken) < rows.index("2020 MCS 2025")
    lines = section[section.index('class="marks wide"') :].split("</svg>")[0]
    assert lines.count("<polyline") == 2 + 1, "aluminium is broken once, alumina is not"


async def test_alternatives_are_producers_without_a_control_toward_the_importer(
    corpus: Api,
) -> None:
    text = text_of(section_of(await dependence_of(corpus, "gallium"), "alternatives"))
    assert "Primary production, 2025" in text
    assert "Japan MCS 2026 0.3 %" in text
    assert "With a control in force that covers all or a part: China and Russia." in text
    assert "A share of world output is not a free capacity." in text


async def test_a_stage_without_figures_is_named(corpus: Api) -> None:
    text = text_of(section_of(await dependence_of(corpus, "tungsten"), "alternatives"))
    assert "The controls are about processed goods. No refining figures are recorded" in text
    assert "for tungsten; mine production is shown." in text


async def test_prices_have_the_dates_of_controls(corpus: Api) -> None:
    section = section_of(await dependence_of(corpus, "gallium"), "prices")
    assert "2025 Average unit value of imports MCS 2026 580 e USD/kg" in text_of(section)
    assert "2: 3 Dec 2024 , China, Dual-use exports to the US" in text_of(section)
    assert "stroke-dasharray" in section
    assert "A date beside a price does not show a cause." in text_of(section)
    assert re.search(
        r"<title>Gallium, [^<]*: price (rose|fell) from [^<]* USD/kg in \d+ to ", section
    )


async def test_an_importer_without_a_published_list_has_bounds_from_trade_flows(
    corpus: Api,
) -> None:
    main = await dependence_of(corpus, "gallium", "&importer=European Union")
    text = text_of(main)
    assert "Gallium: dependence of the European Union" in text
    assert "Gallium, HS 811292" in text_of(section_of(main, "origins"))
    assert "CEPII, BACI 202601" in text_of(section_of(main, "origins"))
    flows = text_of(section_of(main, "trade"))
    assert "811292, 2024 HS17 Germany" in flows
    assert "a bundle, also of Germanium, Hafnium" in flows


async def test_an_unknown_importer_and_an_unknown_measure_are_refused(corpus: Api) -> None:
    path = "/commodities/gallium/dependence"
    assert (await corpus.request("GET", f"{path}?importer=ZZ")).status_code in (400, 404)
    assert (await corpus.request("GET", f"{path}?measures=NOTHING")).status_code == 400
    assert (await corpus.request("GET", "/places/ZZ/dependence")).status_code in (400, 404)


async def test_nothing_is_shown_from_before_its_publication(corpus: Api) -> None:
    path = "/commodities/gallium/dependence"
    before = text_of(await main_of(corpus, f"{path}?valid=2026-01-15"))
    assert "MCS 2026" not in before
    early = text_of(await main_of(corpus, f"{path}?valid=2026-01-15&figures=MCS 2026"))
    assert "published after this date" in early


async def test_a_place_lists_products_by_reliance_and_adds_nothing(corpus: Api) -> None:
    main = await main_of(corpus, f"/places/US/dependence?{DAY}")
    rows = [text_of(row) for row in re.findall(r"<tr [^>]*>.*?</tr>", main, re.DOTALL)]
    numbers = [
        float(found[1])
        for row in rows
        if (found := re.search(r" (?:more than )?([\d.]+) % ?e? \d{4}\b", row))
    ]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) > 50
    gallium = next(row for row in rows if row.startswith("Gallium, metal"))
    assert "18 % 18 % China average of 2021 to 2024" in gallium
    assert "Do not multiply or add these numbers" in text_of(main)
    assert 'href="/commodities/gallium/dependence?importer=US' in main


async def test_a_place_without_figures_says_that_this_is_not_zero(corpus: Api) -> None:
    text = text_of(await main_of(corpus, f"/places/CH/dependence?{DAY}"))
    assert "Imports may exist all the same." in text


async def test_the_pages_of_commodity_and_place_lead_to_dependence(corpus: Api) -> None:
    commodity = await main_of(corpus, f"/commodities/gallium?{DAY}")
    section = section_of(commodity, "dependence")
    assert f'href="/commodities/gallium/dependence?{DAY}"' in section
    assert "Gallium, metal 18 % 18 % 18 %" in text_of(section)
    place = section_of(await main_of(corpus, f"/places/US?{DAY}"), "imports")
    assert f'href="/places/US/dependence?{DAY}"' in place
    assert "Gallium 100 %" in text_of(place)


async def test_the_numbers_of_the_page_are_those_of_the_api(corpus: Api) -> None:
    path = f"/commodities/antimony/dependence?{DAY}"
    main = await main_of(corpus, path)
    answer = await corpus.request("GET", path.replace("?", ".json?"))
    data: Any = answer.json()["data"]
    shown = re.findall(r'<data value="([^"]*)" data-path="([^"]*)"', main)
    assert len(shown) > 40
    for value, place in shown:
        current = data
        for part in place.split("."):
            current = current[int(part)] if isinstance(current, list) else current[part]
        assert str(current) == value, place


async def test_the_image_is_the_first_list_of_the_page(corpus: Api) -> None:
    answer = await corpus.request(
        "GET", f"/commodities/antimony/dependence.svg?form=oxide&measures=BAN&{DAY}"
    )
    image = ElementTree.fromstring(answer.text)
    texts = [str(one.text) for one in image.iter("{http://www.w3.org/2000/svg}text")]
    finding = (
        "Antimony, oxide: 66 % of the imports of the United States came from China"
        " (average of 2021 to 2024)"
    )
    assert finding in [text.replace("\xa0", " ") for text in texts]
    assert "China" in texts


async def test_a_place_without_published_lists_has_its_trade_flows(corpus: Api) -> None:
    main = await main_of(corpus, f"/places/DE/dependence?{DAY}")
    text = text_of(main)
    assert re.search(
        r"For \d+ of \d+.products with recorded imports of Germany, a part came, or may", text
    )
    assert "No published list of origins is recorded for Germany" in text
    assert "No list of figures on the imports of Germany was read in full" in text
    products = section_of(main, "products")
    assert 'href="/commodities/gallium/dependence?importer=DE' in products
    assert "Gallium, HS 811292" in text_of(products)
    flows = text_of(section_of(main, "trade"))
    assert "811292, 2024 HS17 Germany" in flows
    assert "Gallium, Germanium, Hafnium" in flows
    assert "CEPII, BACI 202601" in flows


async def test_the_completeness_on_a_page_is_about_its_importer(corpus: Api) -> None:
    own = text_of(await main_of(corpus, f"/places/US/dependence?{DAY}"))
    assert "Figures on the imports of the United States were read in part" in own
    assert "earlier and later figures may be missing" in own
    other = text_of(await dependence_of(corpus, "gallium", "&importer=EU"))
    assert "No list of figures on the imports of the European Union was read in full" in other
    assert "Figures of publishers in the United States were read" not in other


@pytest.mark.parametrize(
    ("path", "importer"),
    [
        ("/commodities/gallium/dependence", "US"),
        ("/commodities/gallium/dependence?importer=EU", "EU"),
        ("/places/DE/dependence", "DE"),
        ("/places/EU/dependence", "EU"),
    ],
)
async def test_files_of_a_page_are_its_table_and_linked(
    corpus: Api, path: str, importer: str
) -> None:
    address, _, query = path.partition("?")
    answer = await corpus.request("GET", f"{address}.csv?{query}&{DAY}".replace("?&", "?"))
    assert answer.status_code == 200, answer.text
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    rows = [*csv.DictReader(io.StringIO("\n".join(lines)))]
    assert {row["importer"] for row in rows} == {importer}
    assert "gallium" in {row["commodity"] for row in rows}
    data = await corpus.request("GET", f"{address}.json?{query}&{DAY}".replace("?&", "?"))
    assert data.status_code == 200
    html = (await corpus.request("GET", path)).text
    for table in ("import-exposure", "reliance", "import-origins", "trade"):
        [link] = re.findall(rf'href="(/tables/{table}\.csv\?[^"]*)"[^>]*>CSV<', html)
        assert f"importer={importer}" in link
        file = await corpus.request("GET", unescape(link))
        assert file.status_code == 200, file.text


async def test_a_share_of_imports_names_its_origins_and_why_it_is_not_exact(corpus: Api) -> None:
    text = text_of(
        await main_of(corpus, f"/commodities/permanent_magnets/dependence?importer=DE&{DAY}")
    )
    assert (
        "Permanent magnets, HS 850511: 82.4 % of the imports of Germany came from China, whose"
        in text
    )
    assert "cover only some of these goods" in text
    assert "0 % to 82.4 % are under control" in text
    rows = text_of(section_of(await main_of(corpus, f"/places/DE/dependence?{DAY}"), "products"))
    assert "82.4 % 514 million USD" in rows
