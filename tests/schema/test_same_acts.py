"""One act from two publishers is marked as such, and stays two entities."""

from typing import Any

import pytest

from tests.support.api import Api, clause, control, source

IEA: dict[str, Any] = {"source": source("iea", "2025-03-01"), "title": "Told by a list"}


async def same(api: Api, id: str = "x") -> list[str]:
    """Return the keys of possible duplicates of an act."""
    data = await api.ask(
        """query ($id: String!) { asOf(validAt: "2025-06-01") {
             exportControl(id: $id) { sameAs { key } } } }""",
        id=id,
    )
    return [one["key"] for one in data["asOf"]["exportControl"]["sameAs"]]


@pytest.mark.parametrize(
    ("other", "offered"),
    [
        (IEA, True),
        ({**IEA, "on": "2024-12"}, True),
        ({**IEA, "on": "2024-12-04"}, False),
        ({**IEA, "issuer": "JP"}, False),
        ({**IEA, "direction": "IMPORT"}, False),
        ({**IEA, "source": source()}, False),
    ],
)
async def test_the_same_act_of_another_publisher_is_offered(
    api: Api, other: dict[str, Any], offered: bool
) -> None:
    await api.do("announceExportControl", control("x"))
    await api.do("announceExportControl", control("y", **other))
    assert await same(api) == (["y"] if offered else [])
    assert await same(api, "y") == (["x"] if offered else [])


@pytest.mark.parametrize(
    ("of", "offered"),
    [
        ({"commodities": ["gallium_oxide"]}, True),
        ({"commodities": ["tungsten"]}, False),
        ({"measure": "LICENCE"}, False),
    ],
)
async def test_it_is_about_the_same_goods_by_the_same_measure(
    api: Api, of: dict[str, Any], offered: bool
) -> None:
    await api.do("announceExportControl", control("x"))
    await api.do("announceExportControl", control("y", clause("1", **of), **IEA))
    assert await same(api) == (["y"] if offered else [])
