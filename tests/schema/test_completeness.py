"""Results name the lists that were read for them."""

from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api, control, document, source
from tests.support.cases import each_case
from tests.support.watched_sources import looked, record, watched

COMPLETENESS = "completeness { level until statement gaps { issuer acts from until reason } }"


def read(key: str = "cn-announcements", **instead: Any) -> dict[str, Any]:
    """Return a list of export controls of China that was read."""
    return {
        "id": key,
        "on": "2026-01-15",
        "issuer": "CN",
        "acts": "EXPORT_CONTROL",
        "name": "Announcements of MOFCOM by number",
        "last": "2026-01-10",
        "checkedBy": "an analyst",
        "source": source("mofcom", "2026-01-10"),
        **instead,
    }


async def read_whole(api: Api, last: str = "2026-01-10") -> None:
    """Declare all kinds of export controls of China as read."""
    for acts in ("EXPORT_CONTROL", "ENTITY_LIST", "LICENCE_CATALOGUE"):
        await api.do("declareCoverage", read(f"cn-{acts.lower()}", acts=acts, last=last))


async def ask(api: Api, fields: str, valid_at: str = "2026-01-10", more: str = "") -> Any:
    """Return a result at a moment."""
    return (await api.ask(f'{{ asOf(validAt: "{valid_at}"{more}) {{ {fields} }} }}'))["asOf"]


CONTROLS = f'exportControls(issuer: "CN", direction: EXPORT) {{ totalCount {COMPLETENESS} }}'


async def test_an_empty_list_does_not_claim_that_nothing_exists(api: Api) -> None:
    found = (await ask(api, CONTROLS))["exportControls"]
    assert found["totalCount"] == 0
    assert found["completeness"]["level"] == "NONE"
    assert found["completeness"]["statement"] == (
        "No list of export controls, entity lists and licence catalogues of China was read, so such"
        " acts may be missing."
    )


async def test_an_empty_list_is_an_answer_where_the_lists_were_read_whole(api: Api) -> None:
    await read_whole(api)
    found = (await ask(api, CONTROLS))["exportControls"]
    assert found["completeness"]["level"] == "COMPLETE"
    assert found["completeness"]["gaps"] == []
    later = (await ask(api, CONTROLS, "2026-02-01"))["exportControls"]["completeness"]
    assert (later["level"], later["until"]) == ("PARTIAL", "2026-01-10")
    assert {(gap["from"], gap["until"]) for gap in later["gaps"]} == {("2026-01-11", "2026-02-01")}


async def test_it_follows_from_the_position(api: Api) -> None:
    await read_whole(api)
    before = (await ask(api, CONTROLS, more=', position: "0"'))["exportControls"]
    assert before["completeness"]["level"] == "NONE"


async def test_an_omission_is_a_gap(api: Api) -> None:
    await api.do("declareCoverage", read(leftOut=["Nos. 2 to 10 were not seen."]))
    fields = f'completeness(issuer: "CN", acts: [EXPORT_CONTROL]) {{ {COMPLETENESS[15:-2]} }}'
    found = (await ask(api, fields))["completeness"]
    assert found["level"] == "PARTIAL"
    assert found["gaps"] == [
        {
            "issuer": "CN",
            "acts": "EXPORT_CONTROL",
            "from": None,
            "until": "2026-01-10",
            "reason": "Announcements of MOFCOM by number: Nos. 2 to 10 were not seen.",
        }
    ]


async def test_a_withdrawn_list_no_longer_counts_until_it_is_declared_again(api: Api) -> None:
    asked = 'completeness(issuer: "CN", acts: [EXPORT_CONTROL]) { level }'
    levels = []
    withdrawal = {"id": "cn-announcements", "on": "2026-01-16", "reason": "the copy was cut off"}
    for mutation, facts in (
        ("declareCoverage", read()),
        ("withdrawCoverage", withdrawal | {"source": source()}),
        ("declareCoverage", read(on="2026-01-17")),
    ):
        await api.do(mutation, facts)
        levels.append((await ask(api, asked))["completeness"]["level"])
    assert levels == ["COMPLETE", "NONE", "COMPLETE"]


async def test_polls_continue_a_list(api: Api, services: Services) -> None:
    asked = 'completeness(issuer: "CN", acts: [EXPORT_CONTROL]) { level until }'
    await api.do("declareCoverage", read(watchedSource="cn-mofcom", last="2026-10-31"))
    facts = watched(issuers=["CN"]), looked(coversUntil="2026-11-20", candidates=0)
    await record(services, *facts, key="cn-mofcom")
    found = (await ask(api, asked, "2026-11-20"))["completeness"]
    assert found == {"level": "COMPLETE", "until": "2026-11-20"}


@each_case(
    "field",
    [
        'announcements(actor: "CN")',
        "alliances",
        "clauseStatuses",
        "disputes",
        "figures",
        "firms",
        "memberships",
        "recent",
        "scheduled",
        'search(text: "gallium")',
        'timeline(place: "CN")',
        "transitions",
        "upcoming",
        "upcoming(days: 0)",
    ],
)
async def test_every_list_of_acts_has_it(api: Api, field: str) -> None:
    found = await ask(api, f"of: {field} {{ totalCount {COMPLETENESS} }}")
    assert found["of"]["totalCount"] == 0
    assert found["of"]["completeness"]["level"] == "NONE"
    assert "was read" in found["of"]["completeness"]["statement"]


async def test_a_single_entity_has_it_and_its_history_has_not(api: Api) -> None:
    await read_whole(api)
    await api.do("announceExportControl", control("x"))
    asked = 'exportControl(id: "x") { completeness { level } }'
    assert (await ask(api, asked))["exportControl"]["completeness"]["level"] == "COMPLETE"
    history = await api.ask(
        '{ history(entity: "export-control/x") { nodes { state'
        " { ... on ExportControl { completeness { level } } } } } }"
    )
    states = [node["state"] for node in history["history"]["nodes"]]
    assert states == [{"completeness": None}]


@pytest.mark.parametrize("field", ["upcoming(kind: FIRM", "recent(kind: IMPORT"])
async def test_lists_of_entities_that_no_act_makes_have_none(api: Api, field: str) -> None:
    for about in (")", ', place: "CN")'):
        found = await ask(api, f"of: {field}{about} {{ totalCount {COMPLETENESS} }}")
        assert found["of"]["completeness"] is None


async def test_lists_that_are_about_no_acts_have_none(api: Api) -> None:
    found = await api.ask("{ events(first: 1) { completeness { level } } }")
    assert found["events"]["completeness"] is None


async def test_the_lists_that_were_read_can_be_asked_for(api: Api) -> None:
    await api.do("declareCoverage", read())
    await api.do("declareCoverage", read("us-list", issuer="US", leftOut=["Courts."]))
    found = await ask(
        api,
        'coverages(issuer: "US") { nodes { key name issuer { key } acts last leftOut checkedBy } }'
        ' coverage(id: "cn-announcements") { first withdrawnOn because { type } } counts { coverages }',
        "2026-01-20",
    )
    assert [one["key"] for one in found["coverages"]["nodes"]] == ["us-list"]
    assert found["coverages"]["nodes"][0]["leftOut"] == ["Courts."]
    assert found["coverage"] == {
        "first": None,
        "withdrawnOn": None,
        "because": [{"type": "Coverage.Declared"}],
    }
    assert found["counts"] == {"coverages": 2}


@each_case(
    ("wrong", "code", "field"),
    [
        ({"first": "2026-02-01"}, "END_BEFORE_START", ["last"]),
        ({"firmsNamed": True}, "INVALID_INPUT", ["firmsNamed"]),
        ({"commodities": ["unobtainium"]}, "UNKNOWN_COMMODITY", ["commodities", 0]),
    ],
)
async def test_a_declaration_that_cannot_be_is_refused(
    api: Api, wrong: dict[str, Any], code: str, field: list[str | int]
) -> None:
    refusal = await api.refused(document("declareCoverage"), input=read(**wrong))
    assert refusal == (code, ["input", *field])


async def test_a_list_is_withdrawn_once(api: Api) -> None:
    await api.do("declareCoverage", read())
    withdrawal = {"id": "cn-announcements", "on": "2026-01-16", "reason": "r", "source": source()}
    await api.do("withdrawCoverage", withdrawal)
    refusal = await api.refused(document("withdrawCoverage"), input=withdrawal)
    assert refusal == ("ALREADY_WITHDRAWN", ["input", "id"])
