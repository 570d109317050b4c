"""Authorship and missing fields of sources, wherever the API shows a source."""

from typing import Any

from tests.support.api import Api, clause, control, source, suspension

OWN = {**source("mofcom"), "url": "https://www.mofcom.gov.cn/act"}
FOREIGN = {
    **source("federal-register"),
    "url": "https://www.federalregister.gov/d/1",
    "primary": True,
}
SAID = "eventId source { publisher primary verified unsupported citation }"


async def all_sources(api: Api, entity: str) -> list[dict[str, Any]]:
    """Return the sources of all events about a control, equal in its states and the log."""
    data = await api.ask(
        f"""{{ asOf(validAt: "2026-01-01") {{
          exportControl(id: "{entity}") {{ because {{ {SAID} }} }}
          facts(entity: "export-control/{entity}") {{ nodes {{ {SAID} }} }} }}
        events(entity: "export-control/{entity}") {{ nodes {{ {SAID} }} }} }}"""
    )
    behind = data["asOf"]["exportControl"]["because"]
    assert behind == data["events"]["nodes"] == data["asOf"]["facts"]["nodes"]
    return [one["source"] for one in behind]


async def test_the_page_of_another_government_is_not_a_primary_source_of_an_act(api: Api) -> None:
    await api.do("announceExportControl", control("x", source=OWN))
    await api.do("suspendExportControl", {**suspension(), "id": "x", "source": FOREIGN})
    assert [(one["primary"], one["verified"]) for one in await all_sources(api, "x")] == [
        (True, True),
        (False, False),
    ]
    assert await api.keys("exportControls", "primary: true", "2024-12-31", None) == ["x"]
    assert await api.keys("exportControls", "primary: true", "2026-01-01", None) == []
    assert await api.keys("exportControls", "verified: false", "2026-01-01", None) == ["x"]


async def test_a_preview_judges_sources_as_the_log_will(api: Api) -> None:
    commands = [
        {"announceExportControl": control("x", source=OWN)},
        {"suspendExportControl": {**suspension(), "id": "x", "source": FOREIGN}},
    ]
    document = """query ($c: [CommandInput!]!) { preview(commands: $c, validAt: "2026-01-01") {
      events { source { primary } }
      changes { after { ... on ExportControl { because { source { primary } } } } } } }"""
    preview = (await api.ask(document, c=commands))["preview"]
    judged = [{"source": {"primary": True}}, {"source": {"primary": False}}]
    assert preview["events"] == judged
    assert preview["changes"][0]["after"]["because"] == judged


async def test_the_fields_that_a_source_does_not_contain_are_beside_it(api: Api) -> None:
    lacking = {**OWN, "unsupported": ["title", "clauses.0.inForceFrom"]}
    await api.do("announceExportControl", control("x", source=lacking))
    [shown] = await all_sources(api, "x")
    assert shown["unsupported"] == ["title", "clauses.0.inForceFrom"]
    assert shown["verified"] is True


COPY = {
    **source("gvw"),
    "url": f"https://www.gvw.com/{'0' * 40}/act",
    "copyOf": OWN["url"],
    "copySha256": "0" * 64,
}


async def test_a_field_of_a_clause_has_the_level_of_the_best_source_that_contains_it(
    api: Api,
) -> None:
    copy = {**COPY, "unsupported": ["clauses.0.inForceUntil"]}
    memory = {**OWN, "checked": "MEMORY"}
    stated = clause(inForceUntil="2027-12-31", destinations=["US"])
    await api.do("announceExportControl", control("x", stated, source=copy, moreSources=[memory]))
    report = {**source("gvw"), "url": "https://www.gvw.com/1"}
    await api.do("suspendExportControl", {**suspension(), "id": "x", "source": report})
    document = """query ($day: Day!) { asOf(validAt: $day) { exportControl(id: "x") {
      clauses { evidence { field level } } because { source { level } } } } }"""

    async def levels(day: str) -> dict[str, str]:
        shown = (await api.ask(document, day=day))["asOf"]["exportControl"]
        assert shown["because"][0]["source"]["level"] == "ISSUER_TEXT_COPY"
        return {one["field"]: one["level"] for one in shown["clauses"][0]["evidence"]}

    announced = {
        **dict.fromkeys(
            ("measure", "commodities", "destinations", "inForceFrom"), "ISSUER_TEXT_COPY"
        ),
        "inForceUntil": "MEMORY",
    }
    assert await levels("2025-01-01") == announced
    suspended = dict.fromkeys(("suspendedFrom", "suspendedUntil"), "SECONDARY")
    assert await levels("2026-01-01") == announced | suspended


async def test_a_copy_of_the_page_of_another_government_is_a_secondary_source(api: Api) -> None:
    other = {**COPY, "copyOf": FOREIGN["url"]}
    await api.do("announceExportControl", control("x", source=other))
    shown = await api.ask('{ asOf { exportControl(id: "x") { because { source { level } } } } }')
    assert shown["asOf"]["exportControl"]["because"] == [{"source": {"level": "SECONDARY"}}]


async def test_a_copy_at_a_branch_is_refused(api: Api) -> None:
    moving = {**COPY, "url": "https://github.com/a/b/blob/main/act.md"}
    code, path = await api.fails("announceExportControl", control("x", source=moving))
    assert (code, path) == ("FIELD_REQUIRED", ["input", "source", "url"])


async def test_a_source_can_lack_only_what_the_fact_gives(api: Api) -> None:
    lacking = {**OWN, "unsupported": ["title", "headline"]}
    code, path = await api.fails("announceExportControl", control("x", source=lacking))
    assert code == "UNKNOWN_FIELD"
    assert path == ["input", "source", "unsupported", 1]


async def test_a_citation_names_who_published_what_was_read(api: Api) -> None:
    notice = {"name": "MOFCOM Announcement No. 61 of 2025", "publishedOn": "2025-10-09"}
    read = {**notice, "publisher": "reuters", "url": "https://www.reuters.com/a", "checked": "PAGE"}
    await api.do("announceExportControl", control("x", source=read))
    [shown] = await all_sources(api, "x")
    assert shown["citation"] == "MOFCOM Announcement No. 61 of 2025, as read at Reuters"
    await api.do("announceExportControl", control("y", source={**read, "checked": "MEMORY"}))
    [shown] = await all_sources(api, "y")
    assert shown["citation"] == "MOFCOM Announcement No. 61 of 2025, published by Reuters"
