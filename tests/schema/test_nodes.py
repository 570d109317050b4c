"""Ids that clients such as Relay and Apollo keep entities by."""

from __future__ import annotations

from base64 import urlsafe_b64decode

import pytest

from schema.base.global_ids import entity_of_global_id, global_id
from schema.services import Services
from tests.support.api import Api, source

SEEN = """{ asOf(validAt: "2025-11-20") {
  exportControl(id: "cn-mofcom-2024-46") { id entity }
  alliance(id: "quad") { id entity }
  announcements(first: 1) { nodes { id entity } }
  figure(id: "rare_earths/CN/production/mine/2023") { id entity }
  preferences(first: 1) { nodes { id entity } } } }"""


@pytest.fixture
def corpus(corpus_services: Services) -> Api:
    return Api(corpus_services)


async def seen(api: Api) -> dict[str, str]:
    """Ids of entities of several kinds, by their names."""
    found = (await api.ask(SEEN))["asOf"]
    nodes = [
        found["exportControl"],
        found["alliance"],
        found["figure"],
        *found["announcements"]["nodes"],
        *found["preferences"]["nodes"],
    ]
    return {node["entity"]: node["id"] for node in nodes}


async def test_an_id_leads_back_to_its_entity_whatever_its_kind(corpus: Api) -> None:
    ids = await seen(corpus)
    assert len(ids) >= 4
    data = await corpus.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id key entity } }",
        ids=[*ids.values()],
    )
    assert [(node["entity"], node["id"]) for node in data["nodes"]] == [*ids.items()]
    assert all(node["entity"].endswith("/" + node["key"]) for node in data["nodes"])
    kinds = [node["__typename"] for node in data["nodes"]]
    assert kinds[:4] == ["ExportControl", "Alliance", "Figure", "Announcement"]


async def test_a_node_inherits_the_moment_that_it_is_asked_under(corpus: Api) -> None:
    data = await corpus.ask(
        """query ($id: ID!) {
             node(id: $id) { ... on Alliance { name } }
             early: asOf(validAt: "2022-01-01") { node(id: $id) { id } }
             before: asOf(validAt: "2023-06-01") { node(id: $id) { ...who } }
             after: asOf(validAt: "2023-07-01") { node(id: $id) { ...who } }
           } fragment who on Alliance { members { place { code } } }""",
        id=global_id("alliance/msp"),
    )
    before, after = (len(data[moment]["node"]["members"]) for moment in ("before", "after"))
    assert data["node"]["name"]
    assert data["early"]["node"] is None
    assert before < after


async def test_a_figure_as_a_node_has_its_preferred_claim(corpus: Api) -> None:
    document = """query ($id: ID!, $key: String!) {
      asOf { node(id: $id) { ...chosen } figure(id: $key) { ...chosen } } }
      fragment chosen on Figure { preferred { value } choice { rule } }"""
    key = "rare_earths/CN/production/mine/2023"
    found = (await corpus.ask(document, id=global_id(f"figure/{key}"), key=key))["asOf"]
    assert found["node"] == found["figure"] != {"preferred": None, "choice": None}


async def test_nodes_keep_the_order_of_the_ids_and_say_null_where_nothing_is(corpus: Api) -> None:
    quad, nobody = global_id("alliance/quad"), global_id("alliance/nobody")
    data = await corpus.ask(
        "query ($ids: [ID!]!) { asOf { nodes(ids: $ids) { entity } } }", ids=[nobody, quad, quad]
    )
    assert data["asOf"]["nodes"] == [None, {"entity": "alliance/quad"}, {"entity": "alliance/quad"}]


async def test_a_single_entity_is_found_by_its_key_and_by_its_id(corpus: Api) -> None:
    document = "query ($id: String!) { asOf { alliance(id: $id) { key } } }"
    for given in ("quad", global_id("alliance/quad")):
        assert (await corpus.ask(document, id=given))["asOf"] == {"alliance": {"key": "quad"}}
    other = await corpus.ask(document, id=global_id("announcement/quad"))
    assert other["asOf"] == {"alliance": None}


@pytest.mark.parametrize(
    "id",
    [
        "",
        "quad",
        "ÿ",
        "x" * 3000,
        global_id("planet/earth"),
        global_id("alliance/"),
        global_id("alliance"),
    ],
)
async def test_what_never_was_an_id_is_refused(services: Services, id: str) -> None:
    api = Api(services)
    assert await api.refused("query ($id: ID!) { node(id: $id) { id } }", id=id) == (
        "INVALID_ID",
        ["id"],
    )
    ids = [global_id("alliance/quad"), id]
    assert await api.refused("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids) == (
        "INVALID_ID",
        ["ids", 1],
    )


async def test_too_many_ids_at_once_are_refused(services: Services) -> None:
    ids = [global_id("alliance/quad")] * 201
    assert await Api(services).refused(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids
    ) == ("INVALID_PAGE_SIZE", ["ids"])


def test_an_id_carries_the_kind_and_the_key() -> None:
    assert entity_of_global_id(global_id("export-control/x"), "id") == "export-control/x"
    assert urlsafe_b64decode(global_id("alliance/quads") + "==") == b"alliance/quads"


async def test_mutations_take_a_key_or_the_id_that_an_answer_gave(services: Services) -> None:
    api = Api(services)
    act = {"on": "2026-01-05", "source": source()}
    await api.do("foundAlliance", {**act, "id": "pact", "name": "A pact", "members": ["JP"]})
    id = (await api.ask('{ asOf { alliance(id: "pact") { id } } }'))["asOf"]["alliance"]["id"]
    renamed = await api.do("renameAlliance", {**act, "id": id, "name": "The pact"})
    assert renamed["entity"] == "alliance/pact"
    joined = await api.do("recordMembership", {**act, "id": id, "member": "AU", "change": "JOINED"})
    assert (joined["entity"], joined["version"]) == ("alliance/pact", 3)
    batch = await api.ask(
        """mutation ($id: String!, $source: SourceInput!) { record(commands: [
        {dissolveAlliance: {id: $id, on: "2026-02-01", source: $source}}]) {
            events { entity version } } }""",
        id=id,
        source=source(),
    )
    assert batch["record"]["events"] == [{"entity": "alliance/pact", "version": 4}]
    other = {**act, "id": global_id("announcement/pact"), "name": "Not this"}
    assert (await api.fails("renameAlliance", other))[1] == ["input", "id"]
