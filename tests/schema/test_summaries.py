"""Sentences of events: the same wherever an event is shown, with the names of its time."""

from schema.services import Access, Services
from tests.support.api import Api, claim, control, source, suspension
from tests.support.web_server import serving
from tests.support.websocket_client import connected, receive, send

SAID = "Gallium to the US: clause 1 is suspended from 9 November 2025 until 27 November 2026."


async def test_an_event_says_the_same_in_lists_in_reasons_and_in_tables(services: Services) -> None:
    api = Api(services)
    await api.do("announceExportControl", control())
    await api.do("suspendExportControl", suspension("x", "1"))
    found = await api.ask("""{
        events(first: 9) { nodes { summary } }
        event(position: "2") { summary }
        asOf(validAt: "2026-01-01") { exportControl(id: "x") { because { summary } } } }""")
    announced = (
        "China announces: Gallium to the US (ban, exports of gallium; from 3 December 2024 on)."
    )
    everywhere = [{"summary": announced}, {"summary": SAID}]
    assert found["events"]["nodes"] == everywhere
    assert found["event"] == everywhere[1]
    assert found["asOf"]["exportControl"]["because"] == everywhere
    table = await api.request("GET", "/tables/events.json")
    rows = table.json()["rows"]
    assert [row["summary"] for row in rows] == [announced, SAID]
    assert [row["publicOn"] for row in rows] == ["2024-12-03", "2025-11-09"]
    assert rows[1]["sourcePublisher"] == "mofcom"


async def test_a_retraction_repeats_what_it_takes_back(services: Services) -> None:
    api = Api(services)
    await api.do("announceExportControl", control())
    wrong = await api.do("suspendExportControl", suspension("x", "1"))
    await api.do(
        "retractEvent", {"eventId": wrong["eventId"], "reason": "misread", "source": source()}
    )
    found = await api.ask('{ event(position: "3") { summary publicOn } }')
    assert found["event"] == {"summary": f"Retracted: “{SAID}” Reason: misread.", "publicOn": None}


async def test_every_event_of_the_corpus_has_a_sentence(read_services: Services) -> None:
    api = Api(read_services)
    types = """["Alliance.Founded", "Alliance.MemberJoined", "Announcement.Superseded",
                "ExportControl.Merged", "ExportControl.Suspended", "Firm.Identified"]"""
    found = await api.ask(
        f"{{ events(types: {types}, first: 200) {{ nodes {{ entity summary }} }} }}"
    )
    said = [node["summary"] for node in found["events"]["nodes"]]
    assert len(said) > 100
    keys = [node["entity"].partition("/")[2] for node in found["events"]["nodes"]]
    assert not [one for one, key in zip(said, keys, strict=True) if "-" in key and key in one]
    assert "Germany joins Pax Silica on 23 June 2026." in said
    assert any("all clauses are continued in “" in one for one in said)


async def test_a_clause_that_another_control_continues_names_it_by_its_title(
    read_services: Services,
) -> None:
    found = await Api(read_services).ask(
        """{ asOf { timeline(between: {from: "2024-12-01", to: "2024-12-01"}, kinds: [TRANSITION],
             place: "CN", first: 170) { nodes { transition { summary } } } } }"""
    )
    nodes = found["asOf"]["timeline"]["nodes"]
    ended = [text for one in nodes if ", continued in" in (text := one["transition"]["summary"])]
    assert ended
    for text in ended:
        assert "continued in “China's unified Export Control List of Dual-Use Items”" in text


async def test_a_correction_of_a_figure_says_what_was_wrong(services: Services) -> None:
    api = Api(services)
    wrong = await api.do("recordFigure", claim("24000"))
    order = {
        "eventId": wrong["eventId"],
        "reason": "a digit was missing",
        "source": source(),
        "replacement": {"recordFigure": claim("240000")},
    }
    await api.ask(
        "mutation ($c: [CommandInput!]!) { record(commands: $c) { positions } }",
        c=[{"correctEvent": order}],
    )
    found = await api.ask("{ events(first: 9) { nodes { summary retractedBy { summary } } } }")
    first, correction, second = found["events"]["nodes"]
    said = "Rare earths, mine production, China, 2023: 24,000 t (REO), by US Geological Survey (MCS 2024)."
    assert first["summary"] == said
    assert correction["summary"] == f"Corrected: “{said}” Reason: a digit was missing."
    assert first["retractedBy"]["summary"] == correction["summary"]
    assert "240,000 t" in second["summary"]


async def test_followers_get_the_sentence_too(services: Services) -> None:
    api = Api(services)
    await api.do("announceExportControl", control())
    await api.do("suspendExportControl", suspension("x", "1"))
    document = 'subscription { events(after: "1") { summary } }'
    async with (
        serving(services, Access()) as (address, *_),
        connected(f"ws://{address}/graphql") as socket,
    ):
        await send(socket, "subscribe", id="1", payload={"query": document})
        assert (await receive(socket))["payload"]["data"]["events"] == {"summary": SAID}
