"""A check of a shipment in a browser without scripts: fill in the form, then answer a question."""

import re

import pytest

from tests.browser.conftest import Visiting
from tests.support.site import Site

YES = re.compile(r"^Yes ?: Do the goods fit “Tungsten carbide, not under 1C226")


async def test_a_shipment_is_checked_and_a_question_answered_without_scripts(
    site: Site, visit: Visiting
) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(f"{site.url}/check?valid=2025-12-01")
        await tab.page.get_by_label("Goods").fill("Tungsten")
        await tab.page.get_by_label("HS or tariff code").fill("2849.90")
        await tab.page.get_by_label("Country of production").fill("China")
        await tab.page.get_by_label("Destination").fill("Germany")
        await tab.page.get_by_role("button", name="Check", exact=True).click()
        answer = tab.page.get_by_role("region", name="Answer")
        assert "Possibly: The exporter needs a trade licence" in await answer.inner_text()
        assert "dual-use licence" not in await answer.inner_text()
        await answer.get_by_role("link", name=YES).click()
        certain = (await answer.inner_text()).partition("Possibly")[0]
        assert "The exporter needs a dual-use licence" in certain
        assert await tab.page.get_by_label("Country of production").input_value() == "China"


@pytest.mark.parametrize(
    ("address", "link", "field", "value"),
    [
        ("commodity=gallium&destination=Deutschland", "Use Germany", "Destination", "Germany"),
        ("commodity=gallium&destination=Hamburg", "Use Germany", "Destination", "Germany"),
        ("commodity=galium&origin=CN", "Use Gallium", "Goods", "Gallium"),
        (
            "commodity=gallium&route=South+Korea,Hamburg",
            "Use Germany",
            "In transit through",
            "South Korea, Germany",
        ),
        ("commodity=gallium_arsenide&form=ARTICLE", "Use compound", "Form", "COMPOUND"),
    ],
)
async def test_a_wrong_name_offers_the_right_one(
    site: Site, visit: Visiting, address: str, link: str, field: str, value: str
) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(f"{site.url}/check?{address}", 400)
        await tab.page.get_by_role("alert").get_by_role("link", name=link).click()
        assert await tab.page.get_by_label(field).input_value() == value
        assert await tab.page.get_by_role("region", name="Answer").is_visible()


async def test_an_empty_form_says_what_it_needs(site: Site, visit: Visiting) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(f"{site.url}/check")
        await tab.page.get_by_role("button", name="Check", exact=True).click()
        assert "Expected the goods" in await tab.page.get_by_role("alert").inner_text()


async def test_the_address_of_a_check_has_no_empty_fields(site: Site, visit: Visiting) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(f"{site.url}/check")
        await tab.page.get_by_label("Goods").fill("gallium")
        await tab.page.get_by_role("button", name="Check", exact=True).click()
        assert tab.page.url == f"{site.url}/check?commodity=gallium"


async def test_a_wrong_field_says_so_where_it_is(site: Site, visit: Visiting) -> None:
    async with visit(scripts=False) as tab:
        await tab.open(f"{site.url}/check?commodity=galium", 400)
        field = tab.page.get_by_label("Goods")
        described = await field.get_attribute("aria-describedby")
        assert await field.get_attribute("aria-invalid") == "true"
        assert described is not None
        text = await tab.page.locator(f"#{described.split()[-1]}").inner_text()
        assert "did you mean 'gallium'" in text
        summary = tab.page.get_by_role("alert")
        assert await summary.evaluate("it => it === document.activeElement")
        assert (await tab.page.title()).startswith("Error: ")
        await summary.get_by_role("link", name="Goods").click()
        assert await field.evaluate("it => it === document.activeElement")
        await field.fill("gallium")
        await tab.page.get_by_role("button", name="Check", exact=True).click()
        assert "Gallium" in await tab.page.get_by_role("heading", level=1).inner_text()
