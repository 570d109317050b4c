"""Ids that clients such as Relay and Apollo keep entities by."""

from base64 import urlsafe_b64decode
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from projections.query.moment import Moment
from schema.base.global_ids import NodeId, encode_moment, encode_opaque, parse_node_id
from schema.services import Services
from tests.support.api import Api, source
from tests.support.cases import each_case

SEEN = """{ asOf(validAt: "2025-11-20") {
  exportControl(id: "cn-mofcom-2024-46") { id entity }
  alliance(id: "quad") { id entity }
  announcements(first: 1) { nodes { id entity } }
  figure(id: "rare_earths/CN/production/mine/2023") { id entity }
  preferences(first: 1) { nodes { id entity } } } }"""


def global_id(entity: str) -> str:
    """Return an id of an entity without a moment."""
    return NodeId(entity).encode()


async def seen(api: Api) -> dict[str, str]:
    """Return ids of entities of several kinds, by name."""
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
    for id in ("quad", global_id("alliance/quad")):
        assert (await corpus.ask(document, id=id))["asOf"] == {"alliance": {"key": "quad"}}
    other = await corpus.ask(document, id=global_id("announcement/quad"))
    assert other["asOf"] == {"alliance": None}


@each_case(
    "id",
    [
        "",
        "quad",
        "ÿ",
        "x" * 3000,
        global_id("planet/earth"),
        global_id("alliance/"),
        global_id("alliance"),
        encode_opaque("alliance/quad@2025-01-01"),
        encode_moment(Moment(date(2025, 1, 1), 1)),
        encode_opaque("alliance/quad@2025-13-01@5"),
        encode_opaque("alliance/quad@2025-01-01@-5"),
        encode_opaque("alliance/quad@2025-01-01@5@now"),
        encode_opaque("alliance/quad@2025-01-01@" + "9" * 19),
    ],
)
async def test_a_text_that_never_was_an_id_is_refused(services: Services, id: str) -> None:
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


@given(
    st.sampled_from(["export-control/x", "figure/rare_earths/CN/production/mine/2023"]),
    st.none() | st.builds(Moment, st.dates(), st.integers(0, 10**17)),
    st.booleans(),
)
def test_an_id_carries_the_entity_and_the_moment(
    entity: str, moment: Moment | None, past: bool
) -> None:
    meant = NodeId(entity, moment, past and moment is not None)
    assert parse_node_id(meant.encode(), "id") == meant


def test_an_id_is_text_that_every_client_can_make() -> None:
    at = NodeId("alliance/quad", Moment(date(2025, 1, 2), 34))
    assert urlsafe_b64decode(at.encode() + "==") == b"alliance/quad@2025-01-02@34"


async def test_a_state_at_two_moments_has_two_ids_and_each_resolves(corpus: Api) -> None:
    """A client that caches objects by id cannot show the law of one day as that of another."""
    before, after = [
        (
            await corpus.ask(
                """query ($day: Day!) { asOf(validAt: $day, position: "10755") {
                  exportControls(commodity: "gallium") { nodes { ...told } }
                  alliance(id: "msp") { ...told }
                  figure(id: "rare_earths/CN/production/mine/2023") { ...told } } }
                fragment told on Node { id entity ... on ExportControl { clauses { key status } }
                  ... on Alliance { members { place { code } } }
                  ... on Figure { preferred { value } } }""",
                day=day,
            )
        )["asOf"]
        for day in ("2025-01-01", "2025-11-20")
    ]
    told = [
        node
        for at in (before, after)
        for node in [*at["exportControls"]["nodes"], at["alliance"], at["figure"]]
    ]
    by_id: dict[str, Any] = {}
    for node in told:
        assert by_id.setdefault(node["id"], node) == node
    entities = {node["entity"] for node in told}
    assert len(by_id) == len(told) > len(entities)
    again = await corpus.ask(
        """query ($ids: [ID!]!) { nodes(ids: $ids) { id entity
          ... on ExportControl { clauses { key status } }
          ... on Alliance { members { place { code } } } ... on Figure { preferred { value } } } }""",
        ids=[*by_id],
    )
    assert again["nodes"] == [*by_id.values()]


async def test_a_version_of_a_history_has_an_id_of_its_own_and_it_leads_back(corpus: Api) -> None:
    key = "rare_earths/CN/production/mine/2023"
    versions = await corpus.ask(
        """query ($entity: String!) { history(entity: $entity) { nodes { validFrom knownFrom
          state { ... on Figure { id preferred { value } claims { value } } } } } }""",
        entity=f"figure/{key}",
    )
    first = versions["history"]["nodes"][0]
    asked = await corpus.ask(
        """query ($day: Day!, $position: Position!, $key: String!, $id: ID!) {
          asOf(validAt: $day, position: $position) { figure(id: $key) { id } }
          node(id: $id) { ... on Figure { id preferred { value } claims { value } } } }""",
        day=first["validFrom"],
        position=first["knownFrom"],
        key=key,
        id=first["state"]["id"],
    )
    assert asked["asOf"]["figure"]["id"] != first["state"]["id"]
    assert asked["node"] == first["state"]


async def test_an_id_of_a_position_that_is_not_there_is_refused(services: Services) -> None:
    id = NodeId("alliance/quad", Moment(date(2025, 1, 1), 99)).encode()
    api = Api(services)
    document = "query ($id: ID!) { node(id: $id) { id } }"
    assert await api.refused(document, id=id) == ("POSITION_AHEAD", ["id", "position"])
    many = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert await api.refused(many, ids=[id]) == ("POSITION_AHEAD", ["ids", 0, "position"])


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
