"""Field calls get the same arguments as graphql-core and Strawberry parse from a document."""

from typing import Any

import pytest

from schema.execution.plans import operation_plans
from schema.services import Services
from tests.support.api import Api, control


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API with two export controls."""
    api = Api(services)
    for name in ("x", "y"):
        await api.do("announceExportControl", control(name))
    return api


def keys(answer: dict[str, Any]) -> list[str]:
    """Return the keys of the controls in a result."""
    return [node["key"] for node in answer["asOf"]["exportControls"]["nodes"]]


async def test_arguments_that_stand_in_a_document_are_read_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    plain = operation_plans.get_argument_values

    def counted(definition: Any, node: Any, variables: Any) -> Any:
        read.append(node.name.value)
        return plain(definition, node, variables)

    monkeypatch.setattr(operation_plans, "get_argument_values", counted)
    document = (
        "{ asOf { exportControls(first: 1, orderBy: KEY_DESC,"
        ' announced: {from: "2020-01-01"}) { nodes { key } } } }'
    )
    for _ in range(3):
        assert keys(await api.ask(document)) == ["y"]
    assert read == ["asOf", "exportControls"]


async def test_arguments_with_variables_are_those_of_each_request(api: Api) -> None:
    document = (
        "query ($n: Int, $day: Day) { asOf { exportControls("
        "announced: {from: $day}, first: $n) { nodes { key } } } }"
    )
    for number, day, expected in (
        (1, "2020-01-01", ["x"]),
        (2, "2020-01-01", ["x", "y"]),
        (2, "2100-01-01", []),
        (0, "2020-01-01", []),
    ):
        assert keys(await api.ask(document, n=number, day=day)) == expected


async def test_one_field_may_be_asked_for_with_several_arguments(api: Api) -> None:
    controls = "exportControls(first: 1{}) {{ nodes {{ key }} }}"
    document = (
        f"{{ a: asOf {{ {controls.format('')} }}"
        f" b: asOf {{ {controls.format(', orderBy: KEY_DESC')} }}"
        ' c: asOf(position: "0") { exportControls { totalCount } } }'
    )
    for _ in range(2):
        found = await api.ask(document)
        assert (keys({"asOf": found["a"]}), keys({"asOf": found["b"]})) == (["x"], ["y"])
        assert found["c"]["exportControls"]["totalCount"] == 0


async def test_wrong_arguments_are_told_again_and_again(api: Api) -> None:
    document = "{ asOf { exportControls(first: 999) { nodes { key } } } }"
    for _ in range(2):
        assert await api.refused(document) == ("INVALID_PAGE_SIZE", ["first"])
