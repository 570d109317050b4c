"""Many commands in one mutation: all of them are recorded, or none."""

from typing import Any

import pytest

from schema.services import Access, Services
from tests.support.api import Api, claim, control, source, suspension
from tests.support.cases import each_case

RECORD = """mutation ($commands: [CommandInput!]!, $key: String) {
  record(commands: $commands, idempotencyKey: $key) {
    positions position repeated events { position type entity version actor } } }"""
FOUNDED = {"foundAlliance": {"id": "pact", "on": "2025-01-01", "name": "Pact", "source": source()}}
STATED = {
    "recordAnnouncement": {
        "id": "first",
        "on": "2025-02-01",
        "kind": "STATEMENT",
        "title": "A word",
        "actors": ["pact"],
        "source": source(),
    }
}
STORY = [
    {"announceExportControl": control()},
    {"suspendExportControl": suspension()},
    FOUNDED,
    STATED,
    {"recordFigure": claim()},
]


async def record(api: Api, commands: list[dict[str, Any]], key: str | None = None) -> Any:
    """Return the records of a batch."""
    return (await api.ask(RECORD, commands=commands, key=key))["record"]


async def test_a_batch_is_recorded_in_its_order_each_seeing_those_before_it(api: Api) -> None:
    made = await record(api, STORY)
    assert made["positions"] == ["1", "2", "3", "4", "5"]
    assert (made["position"], made["repeated"]) == ("5", False)
    assert [(e["type"], e["entity"], e["version"], e["actor"]) for e in made["events"]][:4] == [
        ("ExportControl.Announced", "export-control/x", 1, "demo"),
        ("ExportControl.Suspended", "export-control/x", 2, "demo"),
        ("Alliance.Founded", "alliance/pact", 1, "demo"),
        ("Announcement.Made", "announcement/first", 1, "demo"),
    ]


async def test_a_batch_can_be_read_when_it_returns(api: Api) -> None:
    await record(api, STORY)
    data = await api.ask(
        '{ asOf(validAt: "2025-12-01") { position exportControl(id: "x") {'
        " clauses { status } } figures { totalCount } } }"
    )
    assert data["asOf"] == {
        "position": "5",
        "figures": {"totalCount": 1},
        "exportControl": {"clauses": [{"status": "SUSPENDED"}]},
    }


async def test_a_thousand_commands_are_one_batch(api: Api) -> None:
    claims = [
        {"recordFigure": claim(str(year), year=year, publisher=publisher)}
        for year in range(1850, 2100)
        for publisher in ("usgs", "bgs", "eu", "iea")
    ]
    made = await record(api, claims)
    assert made["positions"] == [str(position) for position in range(1, 1001)]
    assert len(made["events"]) == 1000
    assert len({event["entity"] for event in made["events"]}) == 250


@each_case(
    ("wrong", "code", "path"),
    [
        (
            {"suspendExportControl": suspension(suspendedUntil="2025-01-01")},
            "END_BEFORE_START",
            ["suspendExportControl", "suspendedUntil"],
        ),
        ({"suspendExportControl": suspension("y")}, "NOT_FOUND", ["suspendExportControl", "id"]),
        (
            {"suspendExportControl": suspension("x", "7")},
            "UNKNOWN_CLAUSE",
            ["suspendExportControl", "clauses", 0],
        ),
        (
            {"suspendExportControl": suspension(on="2025-13-01")},
            "INVALID_DATE",
            ["suspendExportControl", "on"],
        ),
        (
            {"suspendExportControl": suspension(note="a\0b")},
            "INVALID_INPUT",
            ["suspendExportControl", "note"],
        ),
        ({"recordFigure": claim(unit=None)}, "UNIT_REQUIRED", ["recordFigure", "quantity", "unit"]),
        (STATED, "UNKNOWN_ACTOR", ["recordAnnouncement", "actors", 0]),
    ],
)
async def test_one_wrong_command_refuses_all_with_the_path_to_it(
    api: Api, wrong: dict[str, Any], code: str, path: list[str | int]
) -> None:
    commands = [{"announceExportControl": control()}, wrong, FOUNDED]
    assert await api.refused(RECORD, commands=commands) == (code, ["commands", 1, *path])


@each_case("command", [{}, {"recordFigure": None}, {**FOUNDED, **STATED}])
async def test_a_command_is_exactly_one(api: Api, command: dict[str, Any]) -> None:
    code, _ = await api.refused(RECORD, commands=[FOUNDED, command])
    assert code == "BAD_USER_INPUT"


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_batch_has_one_to_a_thousand_commands(api: Api, count: int) -> None:
    assert await api.refused(RECORD, commands=[FOUNDED] * count) == (
        "INVALID_BATCH_SIZE",
        ["commands"],
    )


async def test_a_batch_counts_once_by_its_key(api: Api) -> None:
    first = await record(api, STORY, "k")
    await api.do("foundAlliance", {**FOUNDED["foundAlliance"], "id": "later"})
    again = await record(api, STORY, "k")
    assert again == {**first, "repeated": True}
    assert await api.services.recorder.head() == len(STORY) + 1


@each_case(
    "commands",
    [
        [*STORY, {"recordFigure": claim(publisher="bgs")}],
        [{"announceExportControl": control(title="Another")}, *STORY[1:]],
        [*STORY[:-1], {"recordFigure": claim("1")}],
    ],
)
async def test_the_key_of_a_batch_stands_for_nothing_else(
    api: Api, commands: list[dict[str, Any]]
) -> None:
    await record(api, STORY, "k")
    assert await api.refused(RECORD, commands=commands, key="k") == (
        "IDEMPOTENCY_CONFLICT",
        ["idempotencyKey"],
    )


async def test_only_the_holder_of_the_token_may_record_a_batch(services: Services) -> None:
    api = Api(services, Access(token="secret"))
    assert await api.refused(RECORD, commands=[FOUNDED]) == ("UNAUTHENTICATED", None)


# --- retractions, corrections, expected versions


def wrong(event_id: str, **more: Any) -> dict[str, Any]:
    """Return a retraction of a wrong event."""
    return {"eventId": event_id, "reason": "misread", "source": source(), **more}


def if_version(version: int, command: dict[str, Any]) -> dict[str, Any]:
    """Return a command for one version of an entity."""
    return {"ifVersion": {"version": version, "command": command}}


async def test_a_batch_retracts_and_corrects_too(api: Api) -> None:
    first = await api.do("recordFigure", claim(year=2022))
    second = await api.do("recordFigure", claim())
    batch = [
        {"retractEvent": wrong(first["eventId"])},
        {"correctEvent": wrong(second["eventId"], replacement={"recordFigure": claim("7")})},
        {"recordFigure": claim("8", year=2022)},
    ]
    made = await record(api, batch, "k")
    assert [(e["type"], e["version"]) for e in made["events"]] == [
        ("Figure.Retracted", 2),
        ("Figure.Retracted", 2),
        ("Figure.Claimed", 3),
        ("Figure.Claimed", 3),
    ]
    data = await api.ask("{ asOf { claims { nodes { value } } } }")
    assert data["asOf"]["claims"]["nodes"] == [{"value": "8"}, {"value": "7"}]
    assert await record(api, batch, "k") == {**made, "repeated": True}


async def test_versions_are_expected_of_what_the_commands_before_have_made(api: Api) -> None:
    announced, suspended = (
        {"announceExportControl": control()},
        {"suspendExportControl": suspension()},
    )
    story = [if_version(0, announced), if_version(1, suspended)]
    made = await record(api, story, "k")
    assert made["positions"] == ["1", "2"]
    assert (await record(api, story, "k"))["repeated"] is True
    event = made["events"][1]
    assert event["version"] == 2
    assert await api.refused(RECORD, commands=[FOUNDED, if_version(1, suspended)]) == (
        "VERSION_CONFLICT",
        ["commands", 1, "ifVersion", "version"],
    )


@each_case(
    ("command", "code", "path"),
    [
        ({"retractEvent": wrong("nothing")}, "NOT_FOUND", ["retractEvent", "eventId"]),
        ({"retractEvent": wrong("")}, "INVALID_INPUT", ["retractEvent", "eventId"]),
        ({"retractEvent": wrong("known", reason=" ")}, "INVALID_INPUT", ["retractEvent", "reason"]),
        (
            {"correctEvent": wrong("known", replacement={"recordFigure": claim(unit=None)})},
            "UNIT_REQUIRED",
            ["correctEvent", "replacement", "recordFigure", "quantity", "unit"],
        ),
        (
            {"correctEvent": wrong("known", replacement={"suspendExportControl": suspension("y")})},
            "NOT_FOUND",
            ["correctEvent", "replacement", "suspendExportControl", "id"],
        ),
        (
            if_version(
                0, {"correctEvent": wrong("known", replacement={"recordFigure": claim("7")})}
            ),
            "VERSION_CONFLICT",
            ["ifVersion", "version"],
        ),
        (
            if_version(0, {"suspendExportControl": suspension(on="2025-13-01")}),
            "INVALID_DATE",
            ["ifVersion", "command", "suspendExportControl", "on"],
        ),
        (
            if_version(0, {"suspendExportControl": suspension("y")}),
            "NOT_FOUND",
            ["ifVersion", "command", "suspendExportControl", "id"],
        ),
    ],
)
async def test_errors_lead_into_the_command(
    api: Api, command: dict[str, Any], code: str, path: list[str | int]
) -> None:
    await api.do("recordFigure", claim(), key="known")
    assert await api.refused(RECORD, commands=[FOUNDED, command]) == (code, ["commands", 1, *path])


async def test_an_event_is_retracted_once_in_a_batch(api: Api) -> None:
    await api.do("recordFigure", claim(), key="known")
    twice = [{"retractEvent": wrong("known")}] * 2
    assert await api.refused(RECORD, commands=twice) == (
        "ALREADY_RETRACTED",
        ["commands", 1, "retractEvent", "eventId"],
    )
