"""One event of the log: its position, its later changes, and its sources."""

from typing import Any

from tests.support.api import Api, claim, control, source, suspension

ONE = """query ($p: Position, $id: String) { event(position: $p, eventId: $id) {
  position eventId entity type publicOn
  retractedBy { position publicOn } replacedBy { position entity } correctionOf { position } } }"""


THEN = """query ($at: Position!, $p: Position!) { asOf(position: $at) {
  event(position: $p) {
    position eventId entity type publicOn
    retractedBy { position publicOn } replacedBy { position entity } correctionOf { position } }
  events(orderBy: POSITION_DESC) { totalCount nodes { position retractedBy { position } } } } }"""


async def event(api: Api, position: int) -> dict[str, Any]:
    """Return the fields of an event."""
    found: dict[str, Any] = (await api.ask(ONE, p=str(position)))["event"]
    return found


def links(of: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Return the positions of its retraction, of its replacement and of the event it corrects."""
    retraction, replacement, corrected = (
        of[name] and of[name]["position"] for name in ("retractedBy", "replacedBy", "correctionOf")
    )
    return retraction, replacement, corrected


async def test_an_event_is_found_by_its_position_and_by_its_id(api: Api) -> None:
    recorded = await api.do("announceExportControl", control())
    found = await event(api, 1)
    assert (found["eventId"], found["entity"]) == (recorded["eventId"], "export-control/x")
    assert found["publicOn"] == "2024-12-03"
    assert (await api.ask(ONE, id=recorded["eventId"]))["event"] == found
    for nothing in ({"p": "0"}, {"p": "2"}, {"p": str(2**63 - 1)}, {"id": "nobody"}):
        assert (await api.ask(ONE, **nothing))["event"] is None


async def test_an_event_is_asked_for_in_one_way(api: Api) -> None:
    for both in ({}, {"p": "1", "id": "a"}):
        assert await api.refused(ONE, **both) == ("BAD_REQUEST", ["position"])
    assert await api.refused(ONE, p="-1") == ("INVALID_POSITION", ["position"])
    assert await api.refused(ONE, id="x" * 10_000) == ("TOO_LARGE", ["eventId"])


async def test_an_event_says_whether_it_was_retracted_and_by_which(api: Api) -> None:
    await api.do("announceExportControl", control())
    wrong = await api.do("suspendExportControl", suspension())
    assert links(await event(api, 2)) == (None, None, None)
    gone = await api.do("retractEvent", retraction(wrong["eventId"]))
    assert links(await event(api, 2)) == ("3", None, None)
    assert links(await event(api, 1)) == (None, None, None)
    assert (await event(api, 3))["publicOn"] is None
    await api.do("retractEvent", retraction(gone["eventId"]))
    assert links(await event(api, 2)) == (None, None, None)
    assert links(await event(api, 3)) == ("4", None, None)


async def test_a_correction_and_what_it_corrects_know_each_other_across_entities(api: Api) -> None:
    wrong = await api.do("recordFigure", claim(place="US"))
    await api.do("recordFigure", claim(place="AU"))
    right = {"recordFigure": claim(place="CN")}
    order = {"correctEvent": {**retraction(wrong["eventId"]), "replacement": right}}
    await api.ask(
        "mutation ($c: [CommandInput!]!) { record(commands: $c) { positions } }", c=[order]
    )
    assert links(await event(api, 1)) == ("3", "4", None)
    assert links(await event(api, 4)) == (None, None, "1")
    assert links(await event(api, 2)) == (None, None, None)
    assert "/CN/" in (await event(api, 1))["replacedBy"]["entity"]


async def test_a_past_position_knows_nothing_of_later_retractions(api: Api) -> None:
    await api.do("announceExportControl", control())
    wrong = await api.do("suspendExportControl", suspension())
    gone = await api.do("retractEvent", retraction(wrong["eventId"]))
    await api.do("retractEvent", retraction(gone["eventId"]))

    async def then(at: int) -> Any:
        return (await api.ask(THEN, at=str(at), p="2"))["asOf"]

    assert (await then(1))["event"] is None
    for at, retracted_by in ((2, None), (3, "3"), (4, None)):
        found = await then(at)
        assert links(found["event"]) == (retracted_by, None, None)
        listed = found["events"]
        assert listed["totalCount"] == at
        assert [node["position"] for node in listed["nodes"]] == [str(p) for p in range(at, 0, -1)]
        [second] = [node for node in listed["nodes"] if node["position"] == "2"]
        assert second["retractedBy"] == (retracted_by and {"position": retracted_by})


async def test_lists_of_a_past_position_end_there_however_they_are_narrowed(api: Api) -> None:
    for id in ("a", "b", "c"):
        await api.do("announceExportControl", control(id))
    for narrowed in (
        'places: ["CN"]',
        'types: ["ExportControl.Announced"]',
        'search: "gallium"',
        'recorded: {from: "2000-01-01T00:00:00Z"}',
    ):
        asked = f'{{ asOf(position: "2") {{ events({narrowed}) {{ nodes {{ position }} }} }} }}'
        nodes = (await api.ask(asked))["asOf"]["events"]["nodes"]
        assert [node["position"] for node in nodes] == ["1", "2"], narrowed
    asked = '{ asOf(position: "1") { events(entity: "export-control/b") { totalCount } } }'
    assert (await api.ask(asked))["asOf"]["events"]["totalCount"] == 0


HISTORY = """query ($at: Position!) { asOf(position: $at) { history(entity: "export-control/x") {
  totalCount nodes { validFrom validUntil knownFrom knownUntil replacedAt } } } }"""


async def test_the_history_of_an_entity_at_a_position_is_what_the_log_told_by_then(
    api: Api,
) -> None:
    await api.do("announceExportControl", control())
    now = """{ history(entity: "export-control/x") {
      totalCount nodes { validFrom validUntil knownFrom knownUntil replacedAt } } }"""
    first = (await api.ask(now))["history"]
    await api.do("suspendExportControl", suspension())
    second = (await api.ask(now))["history"]
    assert (await api.ask(HISTORY, at="1"))["asOf"]["history"] == first
    assert (await api.ask(HISTORY, at="2"))["asOf"]["history"] == second
    assert (await api.ask(HISTORY, at="0"))["asOf"]["history"] == {"totalCount": 0, "nodes": []}
    assert [node["knownUntil"] for node in first["nodes"]] == [None]
    assert second["totalCount"] == 4


async def test_pages_of_a_history_at_a_position_end_there_from_both_ends(api: Api) -> None:
    await api.do("announceExportControl", control())
    await api.do("suspendExportControl", suspension())
    await api.do("announceExportControl", control("y"))
    for arguments in ("first: 1", "last: 1", "first: 3", "last: 3"):
        asked = f"""{{ asOf(position: "1") {{ history(entity: "export-control/x", {arguments}) {{
            nodes {{ knownFrom }} pageInfo {{ hasNextPage hasPreviousPage }} }} }} }}"""
        found = (await api.ask(asked))["asOf"]["history"]
        assert found == {
            "nodes": [{"knownFrom": "1"}],
            "pageInfo": {"hasNextPage": False, "hasPreviousPage": False},
        }, arguments


async def test_an_event_distinguishes_the_act_from_a_report_of_it(api: Api) -> None:
    read = {"checked": "PAGE", "url": "https://www.mofcom.gov.cn/a.html"}
    sources = {
        "act": ({**source(), **read}, (True, True)),
        "unread": ({**source(), **read, "checked": "SEED"}, (True, False)),
        "copy": ({**source(), **read, "url": "https://example.com/a"}, (False, False)),
        "report": ({**source("reuters"), "url": "https://www.reuters.com/a"}, (False, False)),
    }
    for id, (given, _) in sources.items():
        await api.do("announceExportControl", control(id, source=given))
    data = await api.ask(
        "{ events(first: 9) { nodes { source { primary verified } moreSources { name } } } }"
    )
    told = [tuple(node["source"].values()) for node in data["events"]["nodes"]]
    assert told == [expected for _, expected in sources.values()]


async def test_a_source_says_what_its_publisher_is_called_where_that_is_declared(api: Api) -> None:
    await api.do("announceExportControl", control("a", source=source("usgs")))
    await api.do("announceExportControl", control("b", source=source("the-daily-miner")))
    data = await api.ask("{ events(first: 2) { nodes { source { publisher publisherName } } } }")
    assert [tuple(node["source"].values()) for node in data["events"]["nodes"]] == [
        ("usgs", "US Geological Survey"),
        ("the-daily-miner", None),
    ]


async def test_an_entry_is_served_alone_byte_for_byte_for_ever(api: Api) -> None:
    await api.do("announceExportControl", control())
    [stored] = await api.services.recorder.read()
    found = await api.request("GET", "/log/entries/1")
    assert found.content == stored.entry
    assert found.headers["content-type"] == "application/cloudevents+json"
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    for path, status in (("2", 404), ("0", 404), (str(2**63), 400), ("x", 400)):
        response = await api.request("GET", f"/log/entries/{path}")
        assert (response.status_code, response.headers["cache-control"]) == (status, "no-store")


def retraction(event_id: str) -> dict[str, Any]:
    """Return the retraction of an event."""
    return {"eventId": event_id, "reason": "misread", "source": source()}
