"""Lists narrowed by the codes that customs go by."""

import pytest

from schema.inputs.arguments import parse_commodities, parse_hs_code
from schema.services import Services
from tests.support.api import Api
from tests.support.cases import each_case
from tracker.domain.catalogue.commodities import Commodity, descendants
from tracker.errors import InvalidInput


def test_a_code_finds_its_commodities_and_no_others_below_them() -> None:
    assert parse_hs_code("280530") == descendants(Commodity("rare_earths")) - {"magnet_scrap"}
    assert parse_hs_code("2603") == {"copper"}


def test_a_heading_includes_its_codes_and_a_tariff_line_is_under_its_code() -> None:
    assert parse_hs_code("2805") >= parse_hs_code("280530") == parse_hs_code("28053012")


def test_dots_of_a_code_do_not_count() -> None:
    assert parse_hs_code("2805.30") == parse_hs_code("280530")
    assert parse_hs_code("8112.92.89") == parse_hs_code("81129289")
    assert parse_hs_code("2805.30.1234") == parse_hs_code("2805301234")


def test_a_code_that_nothing_has_finds_nothing() -> None:
    assert parse_hs_code("010121") == frozenset()
    assert parse_commodities(None, "010121") == []


def test_with_a_commodity_both_must_hold() -> None:
    assert parse_commodities("gallium", "280530") == []
    assert parse_commodities("heavy_rare_earths", "280530") == sorted(
        descendants(Commodity("heavy_rare_earths"))
    )


@each_case(
    "code",
    [
        "",
        "28",
        "28053",
        "28.0530",
        "2805.3",
        "2805.",
        ".2805",
        "2805..30",
        "rare",
        "２８０５",
        "9" * 1000,
    ],
)
def test_a_value_that_is_not_a_code_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_hs_code(code)
    assert (refused.value.code, refused.value.path) == ("INVALID_HS_CODE", ("hsCode",))


@each_case("list", ["exportControls", "announcements", "figures"])
async def test_every_list_about_goods_narrows_by_code(read_services: Services, list: str) -> None:
    data = await Api(read_services).ask(f"""{{ asOf(validAt: "2025-11-20") {{
        code: {list}(hsCode: "280530", first: 0) {{ totalCount }}
        tree: {list}(commodity: "rare_earths", first: 0) {{ totalCount }}
        horses: {list}(hsCode: "010121", first: 0) {{ totalCount }}
        any: {list}(commodity: "all_goods", first: 0) {{ totalCount }}
        all: {list}(first: 0) {{ totalCount }} }} }}""")
    count = {name: found["totalCount"] for name, found in data["asOf"].items()}
    assert count["horses"] <= count["any"] < count["code"] < count["all"]
    if list != "exportControls":  # a clause whose items have codes is found by these alone
        assert count["tree"] <= count["code"]
