"""`/obligations`: who must do what by when, with threshold, source and the status of the act."""

import re

import pytest

from schema.services import Services
from tests.pages.test_reading_pages import read
from tests.schema.test_obligations import DECLARE, record, with_three_obligations
from tests.support.api import Api, source


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API on three obligations; the act of one is suspended."""
    return await with_three_obligations(services)


async def test_obligations_are_grouped_by_the_kind_of_their_due_day(api: Api) -> None:
    text = await read(api, "/obligations?valid=2025-12-01")
    assert re.search(
        r"Due by a day .*due by 24.May.2028 .*Due after an event whose day is not recorded .*not before"
        r" 18.August.2028.*Due at each occasion, or at all times .*due at each delivery",
        text,
    )
    assert "Threshold: more than 500 employees and EUR 150 million turnover." in text
    assert "3 obligations of recorded acts." in text


async def test_an_obligation_of_a_suspended_act_says_so(api: Api) -> None:
    for day, said in (("2025-12-01", True), ("2025-10-20", False)):
        assert ("Act suspended" in await read(api, f"/obligations?valid={day}&place=CN")) is said


async def test_the_form_narrows_the_list_to_a_role_a_place_and_minerals(api: Api) -> None:
    html = (
        await api.request(
            "GET", "/obligations?role=IMPORTER&place=Germany&commodity=Cobalt&valid=2025-12-01"
        )
    ).text
    assert "the share of recovered cobalt" in html
    assert "a risk assessment of their supply chain" not in html
    assert '<option value="IMPORTER" selected>import goods</option>' in html
    [table] = re.findall(r'href="/tables/obligations\.csv\?([^"]*)"', html)[:1]
    assert {"role=IMPORTER", "place=DE", "commodity=cobalt"} <= set(table.split("&amp;"))


async def test_an_empty_list_does_not_say_that_nobody_is_obliged(api: Api) -> None:
    text = await read(api, "/obligations?place=Fiji&valid=2025-12-01")
    assert "No obligation is recorded that matches these filters." in text
    assert "That does not mean that none exists" in text
    assert "No list of obligations of Fiji was read, so obligations may be missing." in text


async def test_a_check_of_a_shipment_names_the_obligations_of_its_exporter_and_importer(
    api: Api,
) -> None:
    declared = "the share of recovered cobalt"
    for goods, destination, shown in (
        ("commodity=cobalt", "DE", True),
        ("commodity=gallium", "DE", False),
        ("commodity=cobalt", "US", False),
        ("hsCode=810520", "DE", True),
    ):
        text = await read(
            api, f"/check?{goods}&origin=CN&destination={destination}&valid=2025-10-10"
        )
        assert "Further obligations" in text  # that of exporters in China is not limited to goods
        assert "Exporters must hand over a notice of compliance" in text
        assert (declared in text) is shown, (goods, destination)
        assert "a risk assessment of their supply chain" not in text


async def test_a_check_omits_passed_obligations_and_marks_those_of_a_suspended_act(
    api: Api,
) -> None:
    late = {**DECLARE, "id": "eu-x", "object": "a form", "due": [{"on": "2025-09-01"}]}
    await record(
        api, "stateObligation", {**late, "on": "2024-01-01", "source": source("eu", "2024-01-01")}
    )
    text = await read(api, "/check?commodity=cobalt&origin=CN&destination=DE&valid=2025-12-01")
    assert "document a form" not in text
    assert re.search(r"China due at each delivery Act suspended", text)
