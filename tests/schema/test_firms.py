"""Firms, and references to them."""

from typing import Any

from tests.support.api import Api, clause, control, source


async def identify(api: Api, **more: Any) -> None:
    """Record the identity of MP Materials."""
    firm = {"id": "mp-materials", "on": "2017-07-10", "name": "MP Materials", "place": "US"}
    await api.do("identifyFirm", {**firm, "source": source(), **more})


async def test_events_of_a_firm_are_found_under_all_of_its_names(api: Api) -> None:
    await identify(api, also=["Mountain Pass Materials"])
    renamed = {"id": "mp-materials", "on": "2025-07-10", "name": "MP Materials Corp."}
    await api.do("renameFirm", {**renamed, "source": source()})
    named = clause("1", entities=["mountain pass  MATERIALS", "Noveon"])
    await api.do("announceExportControl", control("list", named, clause("2")))
    await api.do("announceExportControl", control("other", clause("1", entities=["Noveon"])))
    made = {"on": "2025-07-10", "kind": "PROJECT", "actors": ["US"], "title": "A stake"}
    await api.do(
        "recordAnnouncement", {**made, "id": "a", "firms": ["MP Materials"], "source": source()}
    )
    await api.do("recordAnnouncement", {**made, "id": "b", "source": source()})
    data = await api.ask(
        """{ asOf(validAt: "2025-08-01") { counts { firms } firm(id: "mp-materials") {
             key entity name formerNames also place { code }
             clauses { exportControl { key } clause { key entities } }
             announcements { key firms } because { type } } } }"""
    )
    assert data["asOf"]["counts"] == {"firms": 1}
    assert data["asOf"]["firm"] == {
        "key": "mp-materials",
        "entity": "firm/mp-materials",
        "name": "MP Materials Corp.",
        "formerNames": ["MP Materials"],
        "also": ["Mountain Pass Materials"],
        "place": {"code": "US"},
        "clauses": [
            {
                "exportControl": {"key": "list"},
                "clause": {"key": "1", "entities": ["mountain pass  MATERIALS", "Noveon"]},
            }
        ],
        "announcements": [{"key": "a", "firms": ["MP Materials"]}],
        "because": [{"type": "Firm.Identified"}, {"type": "Firm.Renamed"}],
    }


async def test_lists_take_the_key_of_a_firm_as_they_take_its_names(api: Api) -> None:
    await identify(api)
    named = clause("1", entities=["MP Materials"])
    await api.do("announceExportControl", control("list", named))
    for firm in ("mp-materials", "firm/mp-materials", "MP materials"):
        found = await api.ask(
            """query ($firm: String!) { asOf(validAt: "2025-08-01") {
                 exportControls(firm: $firm) { totalCount } transitions(firm: $firm) { totalCount } } }""",
            firm=firm,
        )
        assert found["asOf"] == {
            "exportControls": {"totalCount": 1},
            "transitions": {"totalCount": 2},
        }, firm


async def test_firms_are_found_by_their_names_and_places(api: Api) -> None:
    await identify(api)

    async def keys(arguments: str) -> list[str]:
        data = await api.ask(f"{{ asOf {{ firms({arguments}) {{ nodes {{ key }} }} }} }}")
        return [node["key"] for node in data["asOf"]["firms"]["nodes"]]

    assert await keys('search: "materials"') == ["mp-materials"]
    assert await keys('place: "US"') == ["mp-materials"]
    assert await keys('place: "CN"') == []


async def test_a_search_finds_controls_and_announcements_by_the_firms_in_them(api: Api) -> None:
    await api.do("announceExportControl", control("list", clause("1", entities=["Noveon"])))
    made = {"id": "a", "on": "2025-07-10", "kind": "PROJECT", "actors": ["US"], "title": "A stake"}
    await api.do("recordAnnouncement", {**made, "firms": ["Noveon"], "source": source()})
    data = await api.ask(
        """{ asOf(validAt: "2025-08-01") {
             exportControls(search: "noveon") { totalCount }
             announcements(search: "noveon") { totalCount } } }"""
    )
    assert [found["totalCount"] for found in data["asOf"].values()] == [1, 1]


async def test_a_firm_has_a_history_and_a_global_id(api: Api) -> None:
    await identify(api)
    data = await api.ask(
        """{ history(entity: "firm/mp-materials") { nodes { validFrom state { ... on Firm {
             id name announcements { key } } } } } }"""
    )
    (held,) = data["history"]["nodes"]
    assert (held["validFrom"], held["state"]["name"]) == ("2017-07-10", "MP Materials")
    node = await api.ask(
        "query ($id: ID!) { node(id: $id) { key entity } }", id=held["state"]["id"]
    )
    assert node["node"] == {"key": "mp-materials", "entity": "firm/mp-materials"}
