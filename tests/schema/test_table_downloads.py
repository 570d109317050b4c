"""Tables as they are fetched: as gzip where that is taken, and by the examples of their description."""

import gzip

import pytest

from schema.services import Access, Services
from tests.support.api import Api

PINNED = "valid=2025-11-20&position=10755"


@pytest.fixture
def api(read_services: Services) -> Api:
    """Run the API on the shipped corpus."""
    return Api(read_services, Access())


@pytest.mark.parametrize(
    "path", ["/tables/announcements.csv", "/tables/controls.json", "/controls.csv"]
)
async def test_text_comes_as_gzip_to_those_who_take_it(api: Api, path: str) -> None:
    url = f"{path}?{PINNED}"
    plain = await api.request("GET", url, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["vary"]
    packed = await api.request("GET", url, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(len(gzip.compress(plain.content)) * 1.2) < len(plain.content)
    assert packed.headers["content-disposition"] == plain.headers["content-disposition"]


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
async def test_compressed_content_is_not_compressed_again(api: Api, ending: str) -> None:
    url = f"/tables/controls.{ending}?{PINNED}"
    answer = await api.request("GET", url, headers={"accept-encoding": "gzip"})
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("path", ["/tables", "/openapi.json"])
async def test_descriptions_of_tables_are_available_as_gzip(api: Api, path: str) -> None:
    answer = await api.request("GET", path, headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()


async def test_every_route_of_the_description_answers_its_own_examples(api: Api) -> None:
    described = (await api.request("GET", "/openapi.json")).json()
    answered: dict[str, dict[str, str]] = {}
    for path, routes in sorted(described["paths"].items(), key=lambda of: ".json" not in of[0]):
        examples = {}
        for parameter in routes["get"]["parameters"]:
            assert "example" in parameter or not parameter.get("required"), (
                path,
                parameter["name"],
            )
            if "example" in parameter:
                examples[parameter["name"]] = parameter["example"]
        table, _, ending = path.rpartition(".")
        if ending not in ("json", "csv") and answered.get(table) == examples:
            continue  # `test_tables.py` reads every table in all formats
        answered[table] = examples
        answer = await api.request("GET", path, params=examples)
        assert answer.status_code == 200, (path, answer.text)
        if path.endswith(".json") and path != "/tables/sources.json":  # none is watched
            assert answer.json()["rows"], path
