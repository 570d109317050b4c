"""Previews of `record`: the resulting events and changes, before anything is recorded."""

import random
from datetime import date, timedelta
from typing import Any

import pytest

from schema.services import Access, Services
from tests.support.api import Api, claim, clause, control, flow, source, suspension

BECAUSE = "{ position eventId type summary source { name } annexes { field text } }"
STATE = f"""
  __typename
  ... on ExportControl {{
    key title announcedOn instrument official because {BECAUSE}
    disputes {{ account assessment because {BECAUSE} }}
    clauses {{
      key measure status note inForceFrom inForceUntil suspendedFrom suspendedUntil returnsOn
      repealedFrom continuedIn discontinuedFrom firstInForce assumed commodities {{ key }}
      because {BECAUSE} statusSince statusBecause {BECAUSE}
      statuses {{ status from until basis announcedOn because {BECAUSE} confirmedBy {BECAUSE} }}
    }}
  }}
  ... on Alliance {{
    key name status foundedOn endedOn formerNames replaces succeededBy membersKnown
    members {{ place {{ code }} since role }} succeededByAlliance {{ key }} because {BECAUSE}
  }}
  ... on Announcement {{
    key note quotation title actors {{ key }} amounts {{ label value }} supersededBy
    because {BECAUSE}
  }}
  ... on Figure {{
    key claims {{ value publisher note latest because {BECAUSE} }} choice {{ rule reason }}
    because {BECAUSE}
  }}
  ... on TradeFlow {{
    key flowClaims: claims {{ edition latest note value {{ value }} because {BECAUSE} }} because {BECAUSE}
  }}
  ... on Firm {{ key name because {BECAUSE} }}
  ... on TariffEdition {{ key title because {BECAUSE} }}
  ... on TariffLine {{ key texts withdrawn general {{ percent }} because {BECAUSE} }}
  ... on Obligation {{ key note quotation sentence nextDue {{ day }} because {BECAUSE} }}
  ... on ActText {{ key act versions {{ sha256 governsFrom }} because {BECAUSE} }}
  ... on Preference {{ key because {BECAUSE} }}
"""
CHANGE = f"""{{
  entity kind change effectiveDays heldFrom because {BECAUSE}
  fields {{ path before after changedOn }} before {{ {STATE} }} after {{ {STATE} }}
}}"""
PREVIEW = f"""query ($commands: [CommandInput!]!, $key: String, $day: Day) {{
  preview(commands: $commands, idempotencyKey: $key, validAt: $day) {{
    position repeated events {{ type entity version actor publicOn summary source {{ name }} }}
    changes {CHANGE}
    statusChanges {{ entity clause measure before {{ status from until }} after {{ status from until }} }}
  }}
}}"""
RECORD = """mutation ($commands: [CommandInput!]!, $key: String) {
  record(commands: $commands, idempotencyKey: $key) {
    position events { type entity version actor publicOn summary source { name } } } }"""
CHANGES = f"""query ($from: MomentInput!, $to: MomentInput!) {{
  changes(from: $from, to: $to, first: 40) {{ nodes {CHANGE} }}
  ofTariffs: changes(from: $from, to: $to, first: 5, kind: TARIFF_LINE) {{ nodes {CHANGE} }} }}"""
STATUSES = """query ($entity: String!, $day: Day!) { asOf(validAt: $day) {
  exportControl(id: $entity) { clauses { key statuses { status from until } } } } }"""

ACT: dict[str, Any] = {"id": "x", "on": "2025-01-01", "source": source()}
OF_ALLIANCE: dict[str, Any] = {"id": "msp", "source": source()}
FOUNDED = {**OF_ALLIANCE, "on": "2022-06-14", "name": "MSP", "members": ["US"]}
MADE = {
    "id": "a",
    "on": "2025-07-01",
    "kind": "STATEMENT",
    "title": "A promise",
    "actors": ["US", "msp"],
    "source": source(),
    "note": "A remark",
    "quotation": "We promise.",
    "amounts": [{"label": "funds", "quantity": {"unit": "USD", "value": "1000000"}}],
}
ORDERED = {"on": "2025-01-01", "reason": "It measures.", "source": source()}
TARIFF = {"place": "US", "edition": "2026-basic", "source": source("usitc", "2026-01-01")}
TARIFF_LINE = {**TARIFF, "code": "81129210"}
OBLIGATION = {"id": "eu-1-2", "on": "2025-01-01", "source": source()}
EVERY_FACT = [
    {"announceExportControl": control("x", clause(note="As reported"), clause("2"))},
    {"announceExportControl": control("y")},
    {"amendExportControl": {**ACT, "clauses": [clause("3")], "title": "Amended"}},
    {"enterIntoForce": {**ACT, "clauses": ["3"], "inForceFrom": "2025-02"}},
    {"extendExportControl": {**ACT, "clauses": ["3"], "inForceUntil": "2026-12"}},
    {"suspendExportControl": suspension("x", "1", note="Both said so")},
    {
        "extendSuspension": {
            **ACT,
            "clauses": ["1"],
            "on": "2025-11-10",
            "suspendedUntil": "2027-01-31",
        }
    },
    {
        "stateSuspension": {
            **ACT,
            "clauses": ["1"],
            "on": "2025-12-01",
            "suspendedUntil": "2027-03-31",
            "statedBy": "the ministry",
        }
    },
    {
        "reinstateExportControl": {
            **ACT,
            "clauses": ["1"],
            "on": "2026-01-01",
            "reinstatedFrom": "2026-02-01",
        }
    },
    {"expireExportControl": {**ACT, "clauses": ["3"], "on": "2026-03-01", "inForceUntil": "2026"}},
    {"repealExportControl": {**ACT, "clauses": ["1"], "repealedFrom": "2026-03-01"}},
    {"disputeExportControl": {**ACT, "account": "It never was."}},
    {"disputeExportControl": {**ACT, "account": "It was another."}},
    {"relateExportControl": {**ACT, "relation": {"kind": "ADDS_TO", "other": "y"}}},
    {"mergeExportControl": {**ACT, "clauses": ["2"], "mergedFrom": "2026-04-01", "into": "y"}},
    {
        "discontinueExportControl": {
            **ACT,
            "id": "y",
            "discontinuedFrom": "2026-05-01",
            "outcome": "WITHDRAWN",
        }
    },
    {"foundAlliance": FOUNDED},
    {"foundAlliance": {**FOUNDED, "id": "forge", "name": "FORGE", "on": "2026-02-04"}},
    {"recordMembership": {**OF_ALLIANCE, "on": "2023-06-22", "member": "IN", "change": "JOINED"}},
    {"recordMembership": {**OF_ALLIANCE, "on": "2024-01-01", "member": "US", "change": "LEFT"}},
    {"listMembers": {**OF_ALLIANCE, "on": "2024-02-01", "members": ["IN", "EU"]}},
    {"changeRole": {**OF_ALLIANCE, "on": "2024-03-01", "member": "IN", "role": "CHAIR"}},
    {"renameAlliance": {**OF_ALLIANCE, "on": "2025-01-01", "name": "The MSP"}},
    {"recordAnnouncement": MADE},
    {
        "supersedeAnnouncement": {
            "id": "a",
            "on": "2025-08-01",
            "by": "announcement/b",
            "source": source(),
        }
    },
    {"succeedAlliance": {**OF_ALLIANCE, "on": "2026-02-04", "by": "forge"}},
    {"dissolveAlliance": {**OF_ALLIANCE, "id": "forge", "on": "2026-05-01"}},
    {"recordFigure": {**claim(), "note": "Rounded"}},
    {"recordFigure": claim("210000", publisher="sohu", published_on="2025-07-07")},
    {
        "preferPublisher": {
            "id": "rare_earths/CN/production/mine/2023",
            "on": "2025-08-01",
            "publisher": "sohu",
            "reason": "test",
            "source": source("tracker", "2025-08-01"),
        }
    },
    {"recordTradeFlow": {**flow(), "note": "Reconciled"}},
    {"recordTradeFlow": flow(("CN", "900", "7"), edition="BACI 202701", published_on="2027-01")},
    {
        "readTariffEdition": {
            **TARIFF,
            "title": "Schedule of 2026",
            "sha256": "0" * 64,
            "chapters": ["81"],
        }
    },
    {"stateTariffLine": {**TARIFF_LINE, "texts": ["Metals", "Gallium"], "general": "3%"}},
    {
        "changeTariffLine": {
            **TARIFF_LINE,
            "edition": "2026-rev-1",
            "texts": ["Metals", "Gallium"],
            "general": "2.5%",
        }
    },
    {"withdrawTariffLine": {**TARIFF_LINE, "edition": "2026-rev-2", "successors": ["81129215"]}},
    {
        "stateObligation": {
            **OBLIGATION,
            "issuer": "EU",
            "act": "Regulation 1",
            "unit": "Article 2",
            "roles": ["IMPORTER"],
            "who": "importers",
            "verb": "report",
            "object": "their imports",
            "due": [{"event": "the delegated act", "within": "P6M"}],
            "note": "Annex I",
            "quotation": "shall report",
        }
    },
    {
        "postponeObligation": {
            **OBLIGATION,
            "on": "2026-03-01",
            "act": "Regulation 2",
            "due": [{"on": "2027-03-01"}],
        }
    },
    {
        "repealObligation": {
            **OBLIGATION,
            "on": "2026-04-01",
            "act": "Regulation 3",
            "repealedFrom": "2026-05-01",
        }
    },
    {
        "recordText": {
            **OBLIGATION,
            "id": "eu-1",
            "issuer": "EU",
            "act": "Regulation 1",
            "language": "en",
            "kind": "ADOPTED",
            "sha256": "0" * 64,
            "size": 10,
            "format": "md",
        }
    },
    {"identifyFirm": {"id": "f", "on": "2025-01-01", "name": "Firm", "source": source()}},
    {"renameFirm": {"id": "f", "on": "2026-01-01", "name": "The Firm", "source": source()}},
    {"orderPublishers": {**ORDERED, "publishers": ["usgs", "bgs"]}},
    {
        "declareCoverage": {
            "id": "cn-list",
            "on": "2025-12-01",
            "issuer": "CN",
            "acts": "EXPORT_CONTROL",
            "name": "Announcements by number",
            "last": "2025-11-30",
            "leftOut": ["No. 3 was not seen."],
            "checkedBy": "an analyst",
            "source": source(),
        }
    },
    {
        "withdrawCoverage": {
            "id": "cn-list",
            "on": "2025-12-02",
            "reason": "The copy was cut off",
            "source": source(),
        }
    },
]
"""A command for every fact, each allowed after those before it."""
RETRACTED_TYPES = (
    *("ExportControl.Suspended", "Alliance.MemberJoined"),
    *("Figure.Claimed", "TradeFlow.Claimed"),
)
DAYS = ("2025-01-15", "2025-12-01", "2026-06-01")


async def previewed(api: Api, commands: list[dict[str, Any]], day: str, **more: Any) -> Any:
    """Return the result of a preview."""
    return (await api.ask(PREVIEW, commands=commands, day=day, **more))["preview"]


async def is_recorded_as_previewed(
    api: Api, commands: list[dict[str, Any]], day: str, key: str
) -> bool:
    """Compare a preview with the recorded events and with `changes`; return False if both are refused
    equally."""
    head = await api.services.recorder.head()
    told = await api.post(PREVIEW, commands=commands, day=day, key=key)
    assert await api.services.recorder.head() == head
    made = await api.post(RECORD, commands=commands, key=key)
    if "errors" in told or "errors" in made:
        assert [(e["message"], e["extensions"]) for e in told["errors"]] == [
            (e["message"], e["extensions"]) for e in made["errors"]
        ]
        return False
    told, made = told["data"]["preview"], made["data"]["record"]
    assert (told["position"], told["repeated"]) == (str(head), False)
    assert told["events"] == made["events"]
    span = [{"validAt": day, "position": at} for at in (str(head), made["position"])]
    changed = await api.ask(CHANGES, **{"from": span[0], "to": span[1]})
    nodes = [*changed["changes"]["nodes"], *changed["ofTariffs"]["nodes"]]
    assert told["changes"] == sorted(nodes, key=lambda node: node["entity"])
    for clause_ in told["statusChanges"]:
        key = clause_["entity"].partition("/")[2]
        now = (await api.ask(STATUSES, entity=key, day=day))["asOf"]["exportControl"]
        if now:
            known = {of["key"]: of["statuses"] for of in now["clauses"]}
            assert known.get(clause_["clause"], clause_["after"]) == clause_["after"]
    return True


async def test_the_preview_of_every_command_equals_its_changes(api: Api) -> None:
    told = {name for command in EVERY_FACT for name in command}
    fields = await api.ask('{ __type(name: "FactInput") { inputFields { name } } }')
    assert told == {field["name"] for field in fields["__type"]["inputFields"]}
    for number, command in enumerate(EVERY_FACT):
        day = DAYS[number % len(DAYS)]
        assert await is_recorded_as_previewed(api, [command], day, f"k{number}")
    wrong = {"eventId": "", "reason": "It was misread.", "source": source()}
    events = await api.ask("{ events(first: 50) { nodes { eventId type } } }")
    for number, event in enumerate(events["events"]["nodes"]):
        if event["type"] in RETRACTED_TYPES:
            retraction = {"retractEvent": {**wrong, "eventId": event["eventId"]}}
            assert await is_recorded_as_previewed(api, [retraction], DAYS[1], f"r{number}")


async def test_joint_changes_of_commands_are_previewed(api: Api) -> None:
    first, *rest = EVERY_FACT
    made = await api.ask(RECORD, commands=[first], key="first")
    assert made["record"]["position"] == "1"
    [event] = (await api.ask("{ events { nodes { eventId } } }"))["events"]["nodes"]
    correction = {
        "correctEvent": {
            "eventId": event["eventId"],
            "reason": "Misread",
            "source": source(),
            "replacement": {"announceExportControl": control("x", clause("1"), clause("2"))},
        }
    }
    assert await is_recorded_as_previewed(api, [correction, *rest], "2026-01-15", "all")


@pytest.mark.parametrize("seed", range(2))
async def test_at_random_a_preview_says_what_recording_does(api: Api, seed: int) -> None:
    dice = random.Random(seed)
    await api.do("announceExportControl", control("x", clause(), clause("2"), clause("3")))
    recorded = 0
    for number in range(12):
        command = random_command(dice, [f"{i}" for i in range(number)])
        day = random_day(dice)
        recorded += await is_recorded_as_previewed(api, [command], day, str(number))
    assert 2 < recorded < 12  # some are refused, others are not


def random_day(dice: random.Random) -> str:
    """Return a random day in the years of the random acts."""
    return str(date(2024, 12, 3) + timedelta(days=dice.randrange(900)))


def random_command(dice: random.Random, keys: list[str]) -> dict[str, Any]:
    """Return a random act about some clauses, or a retraction of a possible event."""
    first, second = sorted((random_day(dice), random_day(dice)))
    act = {**ACT, "on": first, "clauses": dice.sample(["1", "2", "3"], dice.randint(1, 2))}
    if keys and dice.random() < 0.15:
        wrong = {"eventId": dice.choice(keys), "reason": "Misread", "source": source()}
        return {"retractEvent": wrong}
    name, more = dice.choice(
        [
            ("suspendExportControl", {"suspendedFrom": first, "suspendedUntil": second}),
            ("suspendExportControl", {"suspendedFrom": second}),
            ("extendSuspension", {"suspendedUntil": second}),
            ("reinstateExportControl", {"reinstatedFrom": second}),
            ("expireExportControl", {"inForceUntil": second}),
            ("repealExportControl", {"repealedFrom": second}),
            ("disputeExportControl", {"account": "Another account", "clauses": None}),
        ]
    )
    return {name: {field: of for field, of in {**act, **more}.items() if of is not None}}


async def test_a_preview_says_how_the_statuses_of_clauses_would_go_on(api: Api) -> None:
    await api.do("announceExportControl", control())
    told = await previewed(api, [{"suspendExportControl": suspension()}], "2025-11-20")
    [change] = told["statusChanges"]
    assert change == {
        "entity": "export-control/x",
        "clause": "1",
        "measure": "BAN",
        "before": [{"status": "IN_FORCE", "from": "2024-12-03", "until": None}],
        "after": [
            {"status": "IN_FORCE", "from": "2024-12-03", "until": "2025-11-08"},
            {"status": "SUSPENDED", "from": "2025-11-09", "until": "2026-11-27"},
            {"status": "IN_FORCE", "from": "2026-11-28", "until": None},
        ],
    }


async def test_nothing_is_left_of_a_preview(api: Api, services: Services) -> None:
    await api.do("announceExportControl", control())
    before = await everything(services)
    for _ in range(2):
        await previewed(api, [{"suspendExportControl": suspension()}], "2026-01-01", key="k")
    assert await everything(services) == before
    made = await api.do("suspendExportControl", suspension(), key="k", expected=1)
    assert (made["positions"], made["repeated"]) == (["2"], False)


async def test_a_preview_rests_on_one_position_whatever_is_recorded_meanwhile(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.do("announceExportControl", control())
    recorder = api.services.recorder
    head, rivals = recorder.head, [{**ACT, "account": f"Account {n}"} for n in range(2)]

    async def head_after_rivals() -> int:
        if rivals:
            await api.do("disputeExportControl", rivals.pop())
        return await head()

    monkeypatch.setattr(recorder, "head", head_after_rivals)
    told = await previewed(api, [{"suspendExportControl": suspension()}], "2026-01-01")
    assert not rivals
    assert (told["position"], told["events"][0]["version"]) == ("3", 4)


async def everything(services: Services) -> dict[str, int]:
    """Return the contents of the log and of each projection table."""
    pool = services.as_of._pool
    tables = [
        f"{row['schemaname']}.{row['relname']}"
        for row in await pool.fetch(
            "SELECT schemaname, relname FROM pg_stat_user_tables"
            " WHERE has_table_privilege(relid, 'SELECT')"
        )
    ]
    return {table: await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def test_the_texts_of_a_planned_event_are_in_its_data(api: Api) -> None:
    await api.do("foundAlliance", FOUNDED)
    document = """query ($c: [CommandInput!]!) { preview(commands: $c, validAt: "2026-01-01") {
        events { data } changes { after { ... on Announcement { note quotation } } } } }"""
    told = (await api.ask(document, c=[{"recordAnnouncement": MADE}]))["preview"]
    [event], [change] = told["events"], told["changes"]
    assert (event["data"]["note"], event["data"]["quotation"]) == ("A remark", "We promise.")
    assert change["after"] == {"note": "A remark", "quotation": "We promise."}


async def test_a_key_that_counted_already_is_reported_and_one_of_others_refused(api: Api) -> None:
    commands = [{"announceExportControl": control()}]
    await api.ask(RECORD, commands=commands, key="k")
    told = await previewed(api, commands, "2026-01-01", key="k")
    assert (told["repeated"], told["events"], told["changes"]) == (True, [], [])
    other = [{"announceExportControl": control(title="Another")}]
    for document in (PREVIEW, RECORD):
        assert await api.refused(document, commands=other, key="k") == (
            "IDEMPOTENCY_CONFLICT",
            ["idempotencyKey"],
        )


async def test_an_expected_version_holds_in_a_preview(api: Api) -> None:
    await api.do("announceExportControl", control())
    command = {"ifVersion": {"version": 3, "command": {"suspendExportControl": suspension()}}}
    for document in (PREVIEW, RECORD):
        assert await api.refused(document, commands=[command]) == (
            "VERSION_CONFLICT",
            ["commands", 0, "ifVersion", "version"],
        )


async def test_two_previews_of_a_document_tell_two_worlds_and_no_id_mixes_them(api: Api) -> None:
    await api.do("announceExportControl", control())
    fields = "{ changes { after { ... on ExportControl { id key clauses { status } } } } }"
    data = await api.ask(
        "query ($a: [CommandInput!]!, $b: [CommandInput!]!) {"
        f' a: preview(commands: $a, validAt: "2026-06-01") {fields}'
        f' b: preview(commands: $b, validAt: "2026-06-01") {fields}'
        ' asOf(validAt: "2026-06-01") { exportControl(id: "x") { id clauses { status } } } }',
        a=[{"suspendExportControl": suspension()}],
        b=[{"repealExportControl": {**ACT, "repealedFrom": "2026-01-01"}}],
    )
    found = [data["asOf"]["exportControl"]]
    found += [one["after"] for name in "ab" for one in data[name]["changes"]]
    assert [one["clauses"][0]["status"] for one in found] == ["IN_FORCE", "SUSPENDED", "REPEALED"]
    assert len({one["id"] for one in found}) == 3
    again = await api.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { key } }", ids=[one["id"] for one in found]
    )
    assert again["nodes"] == [{"key": "x"}, None, None]


async def test_two_previews_of_a_document_have_keys_of_their_own(api: Api) -> None:
    document = """query ($c: [CommandInput!]!) {
        a: preview(commands: $c, idempotencyKey: "k") { position }
        b: preview(commands: $c, idempotencyKey: "k") { position } }"""
    answer = await api.post(document, c=[{"foundAlliance": FOUNDED}])
    [error] = answer["errors"]
    assert error["extensions"] == {"code": "BAD_REQUEST", "path": ["idempotencyKey"]}


async def test_a_client_that_cannot_record_cannot_preview(services: Services) -> None:
    reader = Api(services, Access(token="secret"))
    commands = [{"foundAlliance": FOUNDED}]
    assert (await reader.refused(PREVIEW, commands=commands))[0] == "UNAUTHENTICATED"
    answer = await reader.post(PREVIEW, {"Authorization": "Bearer secret"}, commands=commands)
    assert answer["data"]["preview"]["events"][0]["type"] == "Alliance.Founded"


@pytest.mark.parametrize("count", [0, 1001])
async def test_a_preview_has_one_to_a_thousand_commands(api: Api, count: int) -> None:
    commands = [{"foundAlliance": FOUNDED}] * count
    assert await api.refused(PREVIEW, commands=commands) == ("INVALID_BATCH_SIZE", ["commands"])
