"""Mutations record one fact each, wait until it can be read, and refuse with a code and a path."""

from typing import Any

import pytest

from schema.services import Access, Services
from tests.support.api import Api, claim, clause, control, document, source, suspension
from tests.support.cases import each_case


async def test_a_client_reads_what_it_wrote(api: Api) -> None:
    recorded = await api.do("announceExportControl", control("x", clause("1"), clause("2")))
    assert recorded["position"] == "1"
    assert recorded["positions"] == ["1"]
    assert recorded["entity"] == "export-control/x"
    assert recorded["version"] == 1
    assert recorded["event"] == {"type": "ExportControl.Announced", "actor": "demo"}
    await api.do("suspendExportControl", suspension("x", "2"))
    data = await api.ask(
        '{ asOf(validAt: "2025-12-01") { position exportControl(id: "x") { clauses { key status'
        " suspendedUntil returnsOn } } } }"
    )
    assert data["asOf"]["position"] == "2"
    assert data["asOf"]["exportControl"]["clauses"] == [
        {"key": "1", "status": "IN_FORCE", "suspendedUntil": None, "returnsOn": None},
        {
            "key": "2",
            "status": "SUSPENDED",
            "suspendedUntil": "2026-11-27",
            "returnsOn": "2026-11-28",
        },
    ]


async def test_every_act_of_an_export_control_can_be_recorded(api: Api) -> None:
    act: dict[str, Any] = {"id": "x", "on": "2025-01-01", "source": source()}
    await api.do("announceExportControl", control())
    await api.do("amendExportControl", {**act, "clauses": [clause("2")], "title": "Amended"})
    await api.do("enterIntoForce", {**act, "clauses": ["2"], "inForceFrom": "2025-02"})
    await api.do("extendExportControl", {**act, "clauses": ["2"], "inForceUntil": "2027"})
    await api.do("suspendExportControl", suspension("x", "1"))
    await api.do(
        "extendSuspension",
        {**act, "on": "2025-11-10", "clauses": ["1"], "suspendedUntil": "2027-01-31"},
    )
    await api.do(
        "reinstateExportControl",
        {**act, "on": "2026-01-01", "clauses": ["1"], "reinstatedFrom": "2026-02-01"},
    )
    await api.do("disputeExportControl", {**act, "account": "It never was."})
    await api.do(
        "expireExportControl",
        {**act, "on": "2027-01-01", "clauses": ["2"], "inForceUntil": "2027-02-01"},
    )
    await api.do(
        "repealExportControl",
        {**act, "on": "2027-01-01", "clauses": ["1"], "repealedFrom": "2027-03-01"},
    )
    data = await api.ask(
        '{ asOf(validAt: "2027-03-01") { exportControl(id: "x") { title'
        " clauses { status } disputes { account source { checked } } } } }"
    )
    assert data["asOf"]["exportControl"] == {
        "title": "Amended",
        "clauses": [{"status": "REPEALED"}, {"status": "EXPIRED"}],
        "disputes": [{"account": "It never was.", "source": {"checked": "PAGE"}}],
    }


async def test_every_act_of_an_alliance_can_be_recorded(api: Api) -> None:
    act: dict[str, Any] = {"id": "msp", "source": source()}
    founded = {**act, "on": "2022-06-14", "name": "MSP", "members": ["US"]}
    await api.do("foundAlliance", founded)
    await api.do(
        "recordMembership",
        {**act, "on": "2023-06-22", "member": "IN", "change": "JOINED", "since": "2023-06"},
    )
    await api.do("recordMembership", {**act, "on": "2024-01-01", "member": "US", "change": "LEFT"})
    await api.do("listMembers", {**act, "on": "2024-02-01", "members": ["IN", "EU"]})
    await api.do("changeRole", {**act, "on": "2024-03-01", "member": "IN", "role": "CHAIR"})
    await api.do("renameAlliance", {**act, "on": "2025-01-01", "name": "The MSP"})
    await api.do("foundAlliance", {**founded, "id": "forge", "on": "2026-02-04"})
    await api.do("succeedAlliance", {**act, "on": "2026-02-04", "by": "forge"})
    await api.do("dissolveAlliance", {**act, "id": "forge", "on": "2026-05-01"})
    data = await api.ask(
        '{ asOf(validAt: "2026-06-01") { alliances { nodes { key name formerNames'
        " status succeededBy members { place { code } since role }"
        ' membership(place: "FR") { kind role union { code } } } } } }'
    )
    forge, msp = data["asOf"]["alliances"]["nodes"]
    assert forge["status"] == "DISSOLVED"
    assert msp == {
        "key": "msp",
        "name": "The MSP",
        "formerNames": ["MSP"],
        "status": "SUCCEEDED",
        "succeededBy": "forge",
        "members": [
            {"place": {"code": "IN"}, "since": "2023-06", "role": "CHAIR"},
            {"place": {"code": "EU"}, "since": "2024-02-01", "role": "MEMBER"},
        ],
        "membership": {"kind": "THROUGH_UNION", "role": None, "union": {"code": "EU"}},
    }


async def test_announcements_and_figures_can_be_recorded(api: Api) -> None:
    made = {
        "id": "a",
        "on": "2025-07-01",
        "kind": "STATEMENT",
        "title": "A promise",
        "actors": ["US", "g7"],
        "source": source(),
        "amounts": [{"label": "funds", "quantity": {"unit": "USD", "value": "1000000"}}],
    }
    await api.do("recordAnnouncement", made)
    await api.do(
        "supersedeAnnouncement",
        {"id": "a", "on": "2025-08-01", "by": "announcement/b", "source": source()},
    )
    figure = await api.do("recordFigure", claim())
    assert figure["entity"] == "figure/rare_earths/CN/production/mine/2023"
    await api.do("recordFigure", claim("210000", publisher="sohu", published_on="2025-07-07"))
    await api.do(
        "preferPublisher",
        {
            "id": "rare_earths/CN/production/mine/2023",
            "on": "2025-08-01",
            "publisher": "sohu",
            "reason": "test",
            "source": source("tracker", "2025-08-01"),
        },
    )
    data = await api.ask(
        '{ asOf(validAt: "2025-09-01") { announcement(id: "a") { title supersededBy'
        " amounts { label value unit } actors { key place { name } } }"
        ' figure(id: "rare_earths/CN/production/mine/2023") { choice { rule reason }'
        " preferred { publisher value } } } }"
    )
    assert data["asOf"] == {
        "announcement": {
            "title": "A promise",
            "supersededBy": "announcement/b",
            "amounts": [{"label": "funds", "value": "1000000", "unit": "USD"}],
            "actors": [
                {"key": "US", "place": {"name": "United States"}},
                {"key": "g7", "place": None},
            ],
        },
        "figure": {
            "choice": {"rule": "JUDGEMENT", "reason": "test"},
            "preferred": {"publisher": "sohu", "value": "210000"},
        },
    }


async def test_the_same_idempotency_key_counts_once(api: Api) -> None:
    first = await api.do("announceExportControl", control(), key="once")
    again = await api.do("announceExportControl", control(), key="once")
    assert first["eventId"] == "once"
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert again["positions"] == first["positions"]
    assert await api.services.recorder.head() == 1


async def test_the_same_key_for_another_content_is_refused(api: Api) -> None:
    await api.do("announceExportControl", control(), key="once")
    refused = await api.fails("announceExportControl", control(title="Other"), key="once")
    assert refused == ("IDEMPOTENCY_CONFLICT", ["idempotencyKey"])


async def test_a_wrong_expected_version_is_refused(api: Api) -> None:
    await api.do("announceExportControl", control(), expected=0)
    refused = await api.fails("suspendExportControl", suspension(), expected=4)
    assert refused == ("VERSION_CONFLICT", ["expectedVersion"])
    assert (await api.do("suspendExportControl", suspension(), expected=1))["version"] == 2


LONG = "x" * 1_000_000

BAD_INPUTS = [
    (
        "announceExportControl",
        control("x", clause(commodities=["gallium", "galium"])),
        "UNKNOWN_COMMODITY",
        ["input", "clauses", 0, "commodities", 1],
    ),
    ("announceExportControl", control(on="2025-13-01"), "INVALID_DATE", ["input", "on"]),
    (
        "announceExportControl",
        control("x", clause(inForceFrom="2025-13-01")),
        "INVALID_DATE",
        ["input", "clauses", 0, "inForceFrom"],
    ),
    (
        "announceExportControl",
        control("x", clause("1"), clause("2", inForceUntil="2024-01-01")),
        "END_BEFORE_START",
        ["input", "clauses", 1, "inForceUntil"],
    ),
    ("announceExportControl", control(issuer="XX"), "UNKNOWN_PLACE", ["input", "issuer"]),
    (
        "announceExportControl",
        control("x", clause(destinations=["US", "Wonderland"])),
        "UNKNOWN_PLACE",
        ["input", "clauses", 0, "destinations", 1],
    ),
    ("announceExportControl", control(title=LONG), "TOO_LARGE", ["input", "title"]),
    (
        "announceExportControl",
        control("x", clause(commodities=[LONG])),
        "TOO_LARGE",
        ["input", "clauses", 0, "commodities", 0],
    ),
    ("announceExportControl", control(title="a\0b"), "INVALID_INPUT", ["input", "title"]),
    ("announceExportControl", control(title=""), "INVALID_INPUT", ["input", "title"]),
    ("announceExportControl", control(clauses=[]), "INVALID_INPUT", ["input", "clauses"]),
    ("announceExportControl", control(source=None), "SOURCE_REQUIRED", ["input", "source"]),
    ("announceExportControl", control("../../etc"), "INVALID_ID", ["input", "id"]),
    ("suspendExportControl", suspension("nothing"), "NOT_FOUND", ["input", "id"]),
    ("recordFigure", claim(unit=None), "UNIT_REQUIRED", ["input", "quantity", "unit"]),
    ("recordFigure", claim(unit="stone"), "UNKNOWN_UNIT", ["input", "quantity", "unit"]),
    ("recordFigure", claim("lots"), "INVALID_INPUT", ["input", "quantity", "value"]),
    ("recordFigure", claim(None), "VALUE_REQUIRED", ["input", "quantity", "value"]),
    (
        "recordFigure",
        claim("5", qualifier="WITHHELD"),
        "VALUE_NOT_ALLOWED",
        ["input", "quantity", "value"],
    ),
    (
        "recordAnnouncement",
        {
            "id": "a",
            "on": "2025",
            "kind": "STATEMENT",
            "title": "t",
            "actors": ["US", "nobody"],
            "source": source(),
        },
        "UNKNOWN_ACTOR",
        ["input", "actors", 1],
    ),
    (
        "recordAnnouncement",
        {
            "id": "a",
            "on": "2025",
            "kind": "STATEMENT",
            "title": "t",
            "conflictsWith": ["?"],
            "source": source(),
        },
        "INVALID_ID",
        ["input", "conflictsWith", 0],
    ),
    (
        "recordMembership",
        {"id": "msp", "on": "2025", "member": "US", "change": "JOINED", "source": source()},
        "NOT_FOUND",
        ["input", "id"],
    ),
    (
        "retractEvent",
        {"eventId": "nothing", "reason": "r", "source": source()},
        "NOT_FOUND",
        ["input", "eventId"],
    ),
    (
        "retractEvent",
        {"eventId": "nothing", "reason": "", "source": source()},
        "INVALID_INPUT",
        ["input", "reason"],
    ),
    (
        "retractEvent",
        {"eventId": "nothing", "reason": "r", "source": {**source(), "url": LONG}},
        "TOO_LARGE",
        ["input", "source", "url"],
    ),
]


@each_case(
    ("mutation", "input", "code", "path"),
    BAD_INPUTS,
    ids=[f"{m}-{c}-{'.'.join(map(str, p))}" for m, _, c, p in BAD_INPUTS],
)
async def test_bad_input_is_refused_with_its_path_and_nothing_is_written(
    api: Api, mutation: str, input: dict[str, Any], code: str, path: list[str | int]
) -> None:
    assert await api.fails(mutation, input) == (code, path)


async def test_a_suspension_that_ends_before_it_starts_is_refused(api: Api) -> None:
    await api.do("announceExportControl", control())
    refused = await api.fails("suspendExportControl", suspension(suspendedUntil="2025-01-01"))
    assert refused == ("END_BEFORE_START", ["input", "suspendedUntil"])
    refused = await api.fails("suspendExportControl", suspension("x", "1", "7"))
    assert refused == ("UNKNOWN_CLAUSE", ["input", "clauses", 1])


@each_case("key", ["", "x" * 201, "a\0b", "a\nb"])
async def test_an_odd_idempotency_key_is_refused(api: Api, key: str) -> None:
    code, path = await api.fails("announceExportControl", control(), key=key)
    assert (code, path) == ("INVALID_INPUT", ["idempotencyKey"])


@each_case(
    ("input", "path"),
    [
        (
            {**control(), "clauses": [{**clause(), "entityCount": "many"}]},
            ["input", "clauses", 0, "entityCount"],
        ),
        ({**control(), "direction": "SIDEWAYS"}, ["input", "direction"]),
        ({**control(), "title": 5}, ["input", "title"]),
        ({**control(), "title": None}, ["input", "title"]),
        ({**control(), "unknown": 1}, ["input"]),
        ({**control(), "on": 2025}, ["input", "on"]),
        ("text", ["input"]),
    ],
)
async def test_input_of_the_wrong_type_is_refused_before_execution(
    api: Api, input: Any, path: list[str | int]
) -> None:
    assert await api.fails("announceExportControl", input) == ("BAD_USER_INPUT", path)


async def test_numbers_may_come_as_numbers_and_stay_exact(api: Api) -> None:
    for place, value in (("CN", 240000), ("US", 43000.5), ("AU", "0.10")):
        await api.do("recordFigure", claim(value, place=place))  # type: ignore[arg-type]
    await api.ask(
        'mutation { recordFigure(input: {edition: "e", source: {publisher: "usgs", name:'
        ' "n", publishedOn: "2024"}, quantity: {value: 1.10, unit: "t"}, series:'
        ' {commodity: "gallium", place: "CN", statistic: RESERVES}}) { position } }'
    )
    data = await api.ask("{ asOf { claims { nodes { value } } } }")
    assert [c["value"] for c in data["asOf"]["claims"]["nodes"]] == [
        "1.10",
        "0.10",
        "240000",
        "43000.5",
    ]


async def test_a_retraction_brings_back_what_was_before_and_can_be_retracted(api: Api) -> None:
    await api.do("announceExportControl", control())
    suspended = await api.do("suspendExportControl", suspension())
    retraction = {"eventId": suspended["eventId"], "reason": "misread", "source": source()}
    status = '{ asOf(validAt: "2026-01-01") { exportControl(id: "x") { clauses { status } } } }'

    async def now() -> Any:
        return (await api.ask(status))["asOf"]["exportControl"]["clauses"][0]["status"]

    assert await now() == "SUSPENDED"
    retracted = await api.do("retractEvent", retraction)
    assert await now() == "IN_FORCE"
    assert await api.fails("retractEvent", retraction) == (
        "ALREADY_RETRACTED",
        ["input", "eventId"],
    )
    await api.do("retractEvent", {**retraction, "eventId": retracted["eventId"]})
    assert await now() == "SUSPENDED"


CORRECTION = {"eventId": "s", "reason": "misread", "source": source()}


def correction(mutation: str = "suspendExportControl", /, **input: Any) -> dict[str, Any]:
    """Return a correction of the event `s` by the input of a mutation."""
    return {**CORRECTION, "replacement": {mutation: input}}


async def suspended_until(api: Api, position: str) -> Any:
    """Return the end of the suspension at a position, and the digest of the state."""
    data = await api.ask(
        'query ($position: Position) { asOf(validAt: "2026-01-01", position: $position) { digest'
        ' exportControl(id: "x") { clauses { suspendedUntil } because { eventId } } } }',
        position=position,
    )
    return data["asOf"]


async def test_a_correction_replaces_at_its_position_and_changes_no_earlier_answer(
    api: Api,
) -> None:
    await api.do("announceExportControl", control())
    await api.do("suspendExportControl", suspension(), key="s")
    before = [await suspended_until(api, position) for position in "012"]
    for repeated in (False, True):
        right = suspension(suspendedUntil="2026-12-31")
        corrected = await api.do("correctEvent", correction(**right), key="right", expected=2)
        assert corrected == {
            "positions": ["3", "4"],
            "position": "4",
            "eventId": "right",
            "repeated": repeated,
            "entity": "export-control/x",
            "version": 4,
            "event": {"type": "ExportControl.Suspended", "actor": "demo"},
        }
    assert [await suspended_until(api, position) for position in "012"] == before
    now = (await suspended_until(api, "4"))["exportControl"]
    assert now["clauses"] == [{"suspendedUntil": "2026-12-31"}]
    assert [because["eventId"] for because in now["because"]][1:] == ["right"]


async def test_a_correction_may_be_of_any_kind_of_fact(api: Api) -> None:
    act: dict[str, Any] = {"id": "msp", "source": source()}
    await api.do("foundAlliance", {**act, "on": "2022-06-14", "name": "MSP", "members": ["US"]})
    change = {**act, "on": "2023-06-22", "member": "IN", "change": "JOINED"}
    await api.do("recordMembership", {**change, "member": "ID"}, key="s")
    await api.do("correctEvent", correction("recordMembership", **change), key="right")
    await api.do("recordFigure", claim("43000"), key="figure")
    moved = correction("recordFigure", **claim("43000", place="US"))
    await api.do("correctEvent", {**moved, "eventId": "figure"})
    data = await api.ask(
        '{ asOf(validAt: "2024-06-01") { alliance(id: "msp") { members {'
        " place { code } } } figures { nodes { key } } } }"
    )
    assert [m["place"]["code"] for m in data["asOf"]["alliance"]["members"]] == ["US", "IN"]
    assert [f["key"] for f in data["asOf"]["figures"]["nodes"]] == [
        "rare_earths/US/production/mine/2023"
    ]


@each_case(
    ("input", "code", "path"),
    [
        (
            correction(**suspension(suspendedUntil="2025-01-01")),
            "END_BEFORE_START",
            ["replacement", "suspendExportControl", "suspendedUntil"],
        ),
        (
            correction(**suspension("x", "7")),
            "UNKNOWN_CLAUSE",
            ["replacement", "suspendExportControl", "clauses", 0],
        ),
        (correction(**suspension("y")), "NOT_FOUND", ["replacement", "suspendExportControl", "id"]),
        (
            correction(**suspension(on="2025-13-01")),
            "INVALID_DATE",
            ["replacement", "suspendExportControl", "on"],
        ),
        (
            correction(**suspension(note="a\0b")),
            "INVALID_INPUT",
            ["replacement", "suspendExportControl", "note"],
        ),
        (
            correction("recordFigure", **claim(unit=None)),
            "UNIT_REQUIRED",
            ["replacement", "recordFigure", "quantity", "unit"],
        ),
        ({**correction(**suspension()), "reason": ""}, "INVALID_INPUT", ["reason"]),
        ({**correction(**suspension()), "eventId": "nothing"}, "NOT_FOUND", ["eventId"]),
        ({**correction(**suspension()), "source": None}, "SOURCE_REQUIRED", ["source"]),
    ],
)
async def test_a_correction_that_breaks_a_rule_is_refused_with_its_path(
    api: Api, input: dict[str, Any], code: str, path: list[str | int]
) -> None:
    await api.do("announceExportControl", control(), key="a")
    await api.do("suspendExportControl", suspension(), key="s")
    assert await api.fails("correctEvent", input) == (code, ["input", *path])


@each_case(
    "replacement",
    [
        {},
        {"suspendExportControl": None},
        {"suspendExportControl": suspension(), "recordFigure": claim()},
    ],
)
async def test_a_replacement_is_exactly_one(api: Api, replacement: dict[str, Any]) -> None:
    refused = await api.fails("correctEvent", {**CORRECTION, "replacement": replacement})
    assert refused == ("BAD_USER_INPUT", None)


async def test_a_replacement_without_variables_is_exactly_one(api: Api) -> None:
    for given in (
        "{}",
        "{repealExportControl: null}",
        "{repealExportControl: null, renameAlliance: null}",
    ):
        code, _ = await api.refused(
            'mutation { correctEvent(input: {eventId: "s", reason: "r", source: {publisher: "p",'
            f' name: "n", publishedOn: "2025"}}, replacement: {given}}}) {{ position }} }}'
        )
        assert code == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("access", "header", "actor"),
    [
        (Access(token="secret"), "Bearer secret", "token"),
        (Access(token="secret"), "bearer  secret", "token"),
        (Access(token="secret"), "Bearer wrong", None),
        (Access(token="secret"), "Basic secret", None),
        (Access(token="secret"), "Bearer ", None),
        (Access(token="secret"), "", None),
        (Access(token=""), "Bearer ", None),
        (Access(), "Bearer None", None),
        (Access(), "", None),
        (Access(open=True), "", "demo"),
        (Access(token="secret", open=True), "Bearer secret", "token"),
    ],
)
async def test_only_the_holder_of_the_token_may_write(
    services: Services, access: Access, header: str, actor: str | None
) -> None:
    api = Api(services, access)
    answer = await api.post(
        document("announceExportControl"), {"Authorization": header}, input=control()
    )
    if actor:
        assert answer["data"]["announceExportControl"]["event"]["actor"] == actor
    else:
        assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert await services.recorder.head() == 0
