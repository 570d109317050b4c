"""Queries over HTTP: results, pages and filters of lists, and refusals."""

import asyncio
import re
from typing import Any
from urllib.parse import quote

import asyncpg
import orjson
import pytest

from deploy.bootstrap import open_connection
from schema.execution.admission import MAX_BODY_BYTES
from schema.execution.execute import execute
from schema.services import Access, Services
from tests.support.api import OPEN, Api, claim, clause, control, document, source, suspension
from tests.support.cases import each_case
from tracker.postgres.database import Target


async def ids(
    api: Api, arguments: str, list: str = "exportControls", day: str = "2026-01-01"
) -> list[str]:
    """Return the ids of a list, and check its total."""
    return await api.keys(list, arguments, day)


# --- an empty log


async def test_an_empty_log_answers_every_list_with_nothing(api: Api) -> None:
    data = await api.ask(
        """{ head asOf { position knownAt digest exportControls { totalCount nodes { key } }
             alliances { totalCount } announcements { totalCount } figures { totalCount }
             claims { totalCount } alliance(id: "quad") { key } exportControl(id: "x") { key }
             announcement(id: "x") { key } figure(id: "x") { key }
             production(commodity: "gallium", year: 2023) { world { value } figures { share }
               concentration { hhi } }
             reserves(commodity: "gallium") { world { value } } }
           events { nodes { position } pageInfo { hasNextPage endCursor } }
           history(entity: "alliance/quad") { totalCount nodes { validFrom } } }"""
    )
    empty = {"totalCount": 0}
    assert data["head"] == "0"
    assert data["asOf"]["position"] == "0"
    assert data["asOf"]["knownAt"] is None
    assert data["asOf"]["exportControls"] == {**empty, "nodes": []}
    assert data["asOf"]["claims"] == empty
    assert data["asOf"]["exportControl"] is None
    assert data["asOf"]["production"] == {"world": None, "figures": [], "concentration": None}
    assert data["events"] == {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    assert data["history"] == {**empty, "nodes": []}


# --- filters


async def test_filters_of_clauses_must_match_one_clause(api: Api) -> None:
    await api.do(
        "announceExportControl",
        control(
            "mixed",
            clause("1", commodities=["gallium"], measure="LICENCE"),
            clause("2", commodities=["graphite"], measure="BAN", destinations=["US"]),
        ),
    )
    await api.do(
        "announceExportControl",
        control(
            "gallium", clause("1", commodities=["gallium"], measure="BAN", destinations=["JP"])
        ),
    )
    assert await ids(api, 'measure: BAN commodity: "gallium"') == ["gallium"]
    assert await ids(api, 'measure: LICENCE commodity: "gallium"') == ["mixed"]
    assert await ids(api, 'destination: "US" commodity: "gallium"') == ["mixed"]
    assert await ids(api, 'destination: "US" measure: BAN') == ["mixed"]
    assert await ids(api, 'destination: "JP"') == ["gallium", "mixed"]
    assert await ids(api, 'destination: "FR" measure: BAN') == []


async def test_a_status_is_that_of_the_day(api: Api) -> None:
    await api.do("announceExportControl", control("x", clause("1"), clause("2")))
    await api.do("suspendExportControl", suspension("x", "2"))
    assert await ids(api, "status: SUSPENDED", day="2025-11-08") == []
    assert await ids(api, "status: SUSPENDED", day="2025-11-09") == ["x"]
    assert await ids(api, "status: SUSPENDED", day="2026-11-28") == []
    assert await ids(api, "status: IN_FORCE", day="2025-11-09") == ["x"]
    assert await ids(api, 'status: SUSPENDED commodity: "graphite"', day="2025-11-09") == []


async def test_a_control_is_found_from_a_commodity_above_or_below_its_own(api: Api) -> None:
    for id, commodity in (("a", "dysprosium"), ("b", "rare_earths"), ("c", "gallium")):
        await api.do("announceExportControl", control(id, clause(commodities=[commodity])))
    assert await ids(api, 'commodity: "rare_earths"') == ["a", "b"]
    assert await ids(api, 'commodity: "dysprosium"') == ["a", "b"]


async def test_lists_narrow_by_issuer_direction_publisher_and_kind(corpus: Api) -> None:
    everything = await ids(corpus, "")
    chinese = await ids(corpus, 'issuer: "CN"')
    assert 0 < len(chinese) < len(everything)
    assert {
        *await ids(corpus, "direction: EXPORT"),
        *await ids(corpus, "direction: IMPORT"),
        *await ids(corpus, "direction: PRODUCTION"),
    } == set(everything)
    statements = await ids(corpus, "kind: STATEMENT", "announcements")
    assert 0 < len(statements) < len(await ids(corpus, "", "announcements"))
    assert len(await ids(corpus, 'publisher: "sohu"', "announcements")) > 5
    assert await ids(corpus, 'publisher: "nobody"', "announcements") == []
    assert "quad" in await ids(corpus, 'member: "JP"', "alliances")
    assert "quad" not in await ids(corpus, 'member: "CN"', "alliances")
    acting = await ids(corpus, 'actor: "quad"', "announcements")
    data = await corpus.ask(
        '{ asOf(validAt: "2026-01-01") { alliance(id: "quad") {'
        " announcements(first: 200) { totalCount nodes { key } } } } }"
    )
    assert [n["key"] for n in data["asOf"]["alliance"]["announcements"]["nodes"]] == acting


async def test_claims_are_those_of_the_publisher_alone(api: Api) -> None:
    await api.do("recordFigure", claim())
    await api.do("recordFigure", claim("210000", publisher="sohu"))
    await api.do("recordFigure", claim("255000", edition="MCS 2025"))
    await api.do("recordFigure", claim("43000", place="US"))

    async def values(arguments: str) -> list[str]:
        data = await api.ask(
            f"{{ asOf {{ claims({arguments}) {{ totalCount nodes {{ value figure"
            " publisher series { place { code } period } } } } }"
        )
        assert data["asOf"]["claims"]["totalCount"] == len(data["asOf"]["claims"]["nodes"])
        return [node["value"] for node in data["asOf"]["claims"]["nodes"]]

    assert await values('publisher: "usgs"') == ["240000", "255000", "43000"]
    assert await values('publisher: "sohu"') == ["210000"]
    assert await values('commodity: "rare_earths"') == ["240000", "210000", "255000", "43000"]
    assert await values('commodity: "gallium"') == []


# --- pages


@pytest.mark.parametrize(
    ("list", "of"),
    [
        ("exportControls", ""),
        ("announcements", ""),
        ("figures", 'place: "CN", '),
        ("claims", 'place: "CN", '),
        ("alliances", ""),
    ],
)
async def test_pages_put_together_are_the_whole_list(corpus: Api, list: str, of: str) -> None:
    key = "eventId" if list == "claims" else "key"
    position = (await corpus.ask("{ head }"))["head"]
    document = (
        f"query ($after: String, $position: Position) {{ asOf(position: $position) {{"
        f" {list}({of}first: 137, after: $after) {{ totalCount pageInfo {{ hasNextPage"
        f" hasPreviousPage startCursor endCursor }} edges {{ cursor node {{ {key} }} }}"
        " } } }"
    )
    seen: list[str] = []  # type: ignore[valid-type]
    after = None
    while True:
        data = await corpus.ask(document, after=after, position=position)
        page = data["asOf"][list]
        seen += [edge["node"][key] for edge in page["edges"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        assert after == page["edges"][-1]["cursor"]
    assert len(seen) == len(set(seen)) == page["totalCount"]


async def test_a_page_goes_on_after_its_cursor_whatever_is_recorded_meanwhile(api: Api) -> None:
    for id in ("b", "d", "f"):
        await api.do("announceExportControl", control(id))
    document = (
        "query ($after: String) { asOf { exportControls(first: 1, after: $after) {"
        " nodes { key } pageInfo { endCursor } } } }"
    )
    first = (await api.ask(document))["asOf"]["exportControls"]
    await api.do("announceExportControl", control("a"))
    await api.do("announceExportControl", control("c"))
    second = await api.ask(document, after=first["pageInfo"]["endCursor"])
    assert [n["key"] for n in second["asOf"]["exportControls"]["nodes"]] == ["c"]


async def test_events_are_paged_by_position_and_narrowed(corpus: Api) -> None:
    document = (
        "query ($after: Position, $types: [String!], $entity: String) { events("
        "after: $after, first: 150, types: $types, entity: $entity) { nodes { position"
        " type entity version eventId data recordedAt } pageInfo { hasNextPage endCursor"
        " } } }"
    )
    head = int((await corpus.ask("{ head }"))["head"])
    seen, after = [], None
    while True:
        page = (await corpus.ask(document, after=after))["events"]
        seen += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert [int(node["position"]) for node in seen] == list(range(1, head + 1))
    assert seen[0]["data"]["source"]["name"]
    suspended = (await corpus.ask(document, types=["ExportControl.Suspended"]))["events"]["nodes"]
    assert suspended == [n for n in seen if n["type"] == "ExportControl.Suspended"]
    of_one = await corpus.ask(document, entity="export-control/cn-mofcom-2024-46")
    assert of_one["events"]["nodes"] == [
        n for n in seen if n["entity"] == "export-control/cn-mofcom-2024-46"
    ]


# --- time


async def test_the_moment_of_a_position_finds_it_again(corpus: Api) -> None:
    data = await corpus.ask('{ asOf(position: "100") { position knownAt digest } }')
    at = data["asOf"]["knownAt"]
    again = await corpus.ask("query ($at: DateTime) { asOf(knownAt: $at) { position } }", at=at)
    assert int(again["asOf"]["position"]) >= 100  # an import records many events at one moment
    before = await corpus.ask('{ asOf(knownAt: "2001-01-01T00:00:00") { position knownAt } }')
    assert before["asOf"] == {"position": "0", "knownAt": None}


async def test_an_old_position_gives_the_same_bytes_after_a_retraction(
    corpus_services: Services,
) -> None:
    corpus = Api(corpus_services)
    document = """query ($position: Position) { asOf(validAt: "2026-01-01", position: $position) {
        position validAt knownAt digest
        exportControls(first: 100) { totalCount pageInfo { endCursor } nodes { key title
          disputes { account } clauses { key status suspendedUntil returnsOn }
          because { position eventId } } }
        alliances { nodes { name members { place { name } } announcements { totalCount } } }
        announcements(first: 100) { totalCount nodes { title actors { key } } }
        claims(first: 200) { totalCount edges { cursor node { value preferred latest } } }
        production(commodity: "rare_earths", year: 2023) { concentration { hhi
          computedFrom { position } } figures { share } } } }"""
    position = (await corpus.ask("{ head }"))["head"]

    async def answer(position: str) -> bytes:
        body = {"query": document, "variables": {"position": position}}
        return (await corpus.request("POST", "/graphql", json=body)).content

    before = await answer(position)
    assert b'"errors"' not in before
    later = await corpus.do(
        "retractEvent",
        {"eventId": "cn-mofcom-2025-72", "reason": "a test", "source": source("tracker")},
    )
    await corpus.do(
        "recordFigure", claim("1", publisher="somebody", edition="e", published_on="2024-02-02")
    )
    assert await answer(position) == before
    assert await answer(later["position"]) != before


async def test_history_says_both_axes_with_inclusive_ends(api: Api) -> None:
    await api.do("announceExportControl", control())
    suspended = await api.do("suspendExportControl", suspension())
    await api.do(
        "retractEvent", {"eventId": suspended["eventId"], "reason": "misread", "source": source()}
    )
    data = await api.ask(
        '{ history(entity: "export-control/x") { nodes { validFrom validUntil'
        " knownFrom knownUntil recordedAt replacedAt state { __typename"
        " ... on ExportControl { clauses { status } because { position } } } } }"
        " events { nodes { recordedAt } } }"
    )
    told = [
        (
            v["validFrom"],
            v["validUntil"],
            v["knownFrom"],
            v["knownUntil"],
            v["state"]["clauses"][0]["status"],
        )
        for v in data["history"]["nodes"]
    ]
    assert told == [
        ("2024-12-03", None, "1", "1", "IN_FORCE"),
        ("2024-12-03", "2025-11-08", "2", "2", "IN_FORCE"),
        ("2025-11-09", "2026-11-27", "2", "2", "SUSPENDED"),
        ("2026-11-28", None, "2", "2", "IN_FORCE"),
        ("2024-12-03", None, "3", None, "IN_FORCE"),
    ]
    first, second, third = (event["recordedAt"] for event in data["events"]["nodes"])
    assert [(v["recordedAt"], v["replacedAt"]) for v in data["history"]["nodes"]] == [
        (first, second),
        *[(second, third)] * 3,
        (third, None),
    ]
    assert [
        [reason["position"] for reason in v["state"]["because"]] for v in data["history"]["nodes"]
    ] == [["1"], ["1"], ["1", "2"], ["1", "2"], ["1"]]


async def test_history_narrows_on_both_axes_and_by_the_events_that_made_it(api: Api) -> None:
    await api.do("announceExportControl", control())
    suspended = await api.do("suspendExportControl", suspension())
    await api.do(
        "retractEvent", {"eventId": suspended["eventId"], "reason": "misread", "source": source()}
    )
    first, second, third = (
        event["recordedAt"]
        for event in (await api.ask("{ events { nodes { recordedAt } } }"))["events"]["nodes"]
    )

    async def found(**asked: Any) -> list[tuple[str, str]]:
        data = await api.ask(
            "query ($valid: DayRange, $known: TimeRange, $types: [String!]) {"
            ' history(entity: "export-control/x", valid: $valid, known: $known,'
            " types: $types) { totalCount nodes { validFrom knownFrom } } }",
            **asked,
        )
        nodes = data["history"]["nodes"]
        assert data["history"]["totalCount"] == len(nodes)
        return [(v["validFrom"], v["knownFrom"]) for v in nodes]

    every = await found()
    pause, after = {"from": "2025-11-09", "to": "2026-11-27"}, {"from": "2026-11-28"}
    assert await found(valid=pause) == [
        ("2024-12-03", "1"),
        ("2025-11-09", "2"),
        ("2024-12-03", "3"),
    ]
    assert await found(valid={"to": "2024-12-02"}) == []
    last = "2025-11-08"
    assert await found(valid={"from": last, "to": last}) == [
        ("2024-12-03", "1"),
        ("2024-12-03", "2"),
        ("2024-12-03", "3"),
    ]
    assert await found(known={"from": third}) == [("2024-12-03", "3")]
    assert await found(known={"to": first}) == [("2024-12-03", "1")]
    assert await found(known={"from": second, "to": second}) == [v for v in every if v[1] == "2"]
    assert await found(known={"from": first, "to": second}) == [v for v in every if v[1] != "3"]
    assert await found(types=["ExportControl.Retracted"]) == [("2024-12-03", "3")]
    assert await found(
        valid=after, known={"from": second, "to": second}, types=["ExportControl.Suspended"]
    ) == [("2026-11-28", "2")]


@pytest.mark.parametrize(
    ("entity", "kind"),
    [
        ("alliance/quad", "Alliance"),
        ("export-control/cn-mofcom-2024-46", "ExportControl"),
        ("figure/rare_earths/CN/production/mine/2023", "Figure"),
    ],
)
async def test_history_knows_every_kind(corpus: Api, entity: str, kind: str) -> None:
    data = await corpus.ask(
        "query ($entity: String!) { history(entity: $entity) { nodes { state {"
        " __typename ... on Alliance { announcements { totalCount } } } } } }",
        entity=entity,
    )
    assert {version["state"]["__typename"] for version in data["history"]["nodes"]} == {kind}


REFUSED = [
    ('{ asOf(validAt: "2025-13-01") { position } }', "INVALID_DATE", ["validAt"]),
    ('{ asOf(validAt: "2025") { position } }', "INVALID_DATE", ["validAt"]),
    ('{ asOf(validAt: "20250101") { position } }', "INVALID_DATE", ["validAt"]),
    ('{ asOf(knownAt: "yesterday") { position } }', "INVALID_DATE", ["knownAt"]),
    ('{ asOf(knownAt: "0001-01-01T00:00:00+14:00") { position } }', "INVALID_DATE", ["knownAt"]),
    (
        '{ asOf(knownAt: "2025-01-01T00:00:00Z", position: "0") { position } }',
        "AMBIGUOUS_TIME",
        ["knownAt"],
    ),
    ('{ asOf(position: "1") { position } }', "POSITION_AHEAD", ["position"]),
    ("{ asOf(position: 9223372036854775808) { position } }", "INVALID_POSITION", ["position"]),
    ('{ asOf(position: "-1") { position } }', "INVALID_POSITION", ["position"]),
    ('{ asOf(position: "١") { position } }', "INVALID_POSITION", ["position"]),
    ('{ events(after: "x") { nodes { position } } }', "INVALID_POSITION", ["after"]),
    (
        '{ events(types: ["Alliance.Founded", "X"]) { nodes { position } } }',
        "UNKNOWN_TYPE",
        ["types", 1],
    ),
    ('{ events(entity: "planet/mars") { nodes { position } } }', "INVALID_INPUT", ["entity"]),
    ('{ history(entity: "planet/mars") { totalCount } }', "INVALID_INPUT", ["entity"]),
    (
        '{ history(entity: "alliance/x", valid: {from: "x"}) { totalCount } }',
        "INVALID_DATE",
        ["valid", "from"],
    ),
    (
        '{ history(entity: "alliance/x", known: {from: "2025-02-01", to: "2025-01-01"})'
        " { totalCount } }",
        "END_BEFORE_START",
        ["known", "to"],
    ),
    (
        '{ history(entity: "alliance/x", types: ["X"]) { totalCount } }',
        "UNKNOWN_TYPE",
        ["types", 0],
    ),
    (
        '{ asOf { exportControls(commodity: "unobtainium") { totalCount } } }',
        "UNKNOWN_COMMODITY",
        ["commodity"],
    ),
    ('{ asOf { exportControls(issuer: "XX") { totalCount } } }', "UNKNOWN_PLACE", ["issuer"]),
    (
        '{ asOf { exportControls(destination: "XX") { totalCount } } }',
        "UNKNOWN_PLACE",
        ["destination"],
    ),
    ('{ asOf { alliances(member: "cathay") { totalCount } } }', "UNKNOWN_PLACE", ["member"]),
    ('{ asOf { announcements(actor: "XX") { totalCount } } }', "UNKNOWN_PLACE", ["actor"]),
    ('{ asOf { figures(place: "XX") { totalCount } } }', "UNKNOWN_PLACE", ["place"]),
    (r'{ asOf { claims(publisher: "\u0000") { totalCount } } }', "INVALID_INPUT", ["publisher"]),
    (
        '{ asOf { production(commodity: "x", year: 2023) { world { value } } } }',
        "UNKNOWN_COMMODITY",
        ["commodity"],
    ),
    ("{ asOf { exportControls(first: 201) { totalCount } } }", "INVALID_PAGE_SIZE", ["first"]),
    ("{ asOf { claims(first: -1) { totalCount } } }", "INVALID_PAGE_SIZE", ["first"]),
    ("{ events(first: 201) { nodes { position } } }", "INVALID_PAGE_SIZE", ["first"]),
    ('{ asOf { exportControls(after: "?") { totalCount } } }', "INVALID_CURSOR", ["after"]),
    (
        '{ asOf { exportControls(after: "YWxsaWFuY2UvcXVhZA") { totalCount } } }',
        "INVALID_CURSOR",
        ["after"],
    ),  # of an alliance
    ('{ asOf { claims(after: "ZmlndXJlL2E") { totalCount } } }', "INVALID_CURSOR", ["after"]),
    ('{ asOf { claims(after: "ZmlndXJlL2EjeA") { totalCount } } }', "INVALID_CURSOR", ["after"]),
    (
        "{ asOf { exportControls(measure: PRAYER) { totalCount } } }",
        "GRAPHQL_VALIDATION_FAILED",
        None,
    ),
    ("{ asOf(validAt: 5) { position } }", "GRAPHQL_VALIDATION_FAILED", None),
    ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", None),
    ("{ asOf { position }", "GRAPHQL_PARSE_FAILED", None),
    ("", "BAD_REQUEST", ["query"]),
    ("fragment f on Query { head }", "BAD_REQUEST", ["operationName"]),
    ("query a { head } query b { head }", "BAD_REQUEST", ["operationName"]),
    ("subscription { events { position } }", "OPERATION_NOT_ALLOWED", None),
]


@each_case(
    ("arguments", "message"),
    [
        (
            'validAt: "2025-02-30"',
            "'2025-02-30' is not in the calendar: expected a day from 01 to 28",
        ),
        (
            'knownAt: "2025-13-01T00:00:00Z"',
            "'2025-13-01' is not in the calendar: expected a month from 01 to 12",
        ),
        (
            'position: "9223372036854775808"',
            "'9223372036854775808' is too large for a position: expected at most 9223372036854775807",
        ),
        (
            f'position: "{"9" * 70}"',
            f"'{'9' * 50}' is too large for a position: expected at most 9223372036854775807",
        ),
        ('position: "-1"', "'-1' is not a position: expected a whole number from 0, such as 20000"),
        ('validAt: "2025"', "'2025' is not a day: expected YYYY-MM-DD, such as 2025-11-20"),
    ],
)
async def test_a_moment_that_cannot_be_is_refused_with_what_can(
    api: Api, arguments: str, message: str
) -> None:
    answer = await api.post(f"{{ asOf({arguments}) {{ position }} }}")
    assert [error["message"] for error in answer["errors"]] == [message]


@each_case(("document", "code", "path"), REFUSED, ids=[d for d, _, _ in REFUSED])
async def test_bad_questions_are_refused_with_a_code_and_a_path(
    api: Api, document: str, code: str, path: list[str | int] | None
) -> None:
    assert await api.refused(document) == (code, path)


LONG = "ten million characters"
"""Stands for them, which would stay in memory for the whole run."""


def filled(text: str) -> str:
    """Return a text, or ten million characters."""
    return "x" * 10_000_000 if text == LONG else text


@each_case(
    ("variable", "type", "use"),
    [
        ("2025-13-01", "Day", "asOf(validAt: $v) { position }"),
        ("unobtainium", "String", "asOf { exportControls(commodity: $v) { totalCount } }"),
        (LONG, "String", "asOf { exportControls(commodity: $v) { totalCount } }"),
        (LONG, "String!", "history(entity: $v) { totalCount }"),
        (LONG, "Day", "asOf(validAt: $v) { position }"),
        (LONG, "String", "asOf { exportControls(after: $v) { totalCount } }"),
    ],
)
async def test_variables_are_checked_like_literals(
    api: Api, variable: str, type: str, use: str
) -> None:
    code, path = await api.refused(f"query ($v: {type}) {{ {use} }}", v=filled(variable))
    assert code in ("INVALID_DATE", "UNKNOWN_COMMODITY", "TOO_LARGE", "INVALID_CURSOR")
    assert path


@each_case("id", ["", "/", "\0", LONG, "ä", "a b", "../x", "\ud7ff"])
async def test_ids_that_cannot_be_are_not_there(api: Api, id: str) -> None:
    data = await api.ask(
        "query ($id: String!) { asOf { exportControl(id: $id) { key } alliance(id: $id) { key }"
        " announcement(id: $id) { key } figure(id: $id) { key } } }",
        id=filled(id),
    )
    assert set(data["asOf"].values()) == {None}


# --- limits


@each_case(
    ("document", "code"),
    [
        (
            "{ "
            + "asOf { alliances { nodes { announcements { nodes { because { source { name } } } } } }"
            " } " + "}",
            None,
        ),
        ("{ a0: head " + " ".join(f"a{n}: head" for n in range(1, 60)) + " }", "TOO_MANY_ALIASES"),
        (
            "{ ...f0 } "
            + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(40))
            + " fragment f40 on Query { head }",
            "TOO_MANY_FIELDS",
        ),
        (
            "{ head } " + " ".join(f"fragment f{n} on Query {{ head }}" for n in range(60)),
            "TOO_MANY_FRAGMENTS",
        ),
        ("{" + "head " * 5000 + "}", "GRAPHQL_PARSE_FAILED"),
        ("{" * 2000, "GRAPHQL_PARSE_FAILED"),
        ('{ history(entity: "' + "x" * 200_000 + '") { totalCount } }', "TOO_LARGE"),
        ("{" + "a{" * 20 + "a" + "}" * 21, "TOO_DEEP"),
        (
            "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ],
)
async def test_documents_over_a_limit_are_refused(
    api: Api, document: str, code: str | None
) -> None:
    answer = await api.post(document)
    assert code == (answer["errors"][0]["extensions"]["code"] if "errors" in answer else None)


async def test_a_limit_counts_again_for_a_document_seen_before(api: Api) -> None:
    for _ in range(3):
        assert await api.refused("{" + "a{" * 20 + "a" + "}" * 21) == ("TOO_DEEP", None)
        assert await api.refused("{ unknown }") == ("GRAPHQL_VALIDATION_FAILED", None)


async def test_an_answer_that_takes_too_long_is_given_up(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("schema.execution.executor.ANSWER_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setattr(type(api.services.as_of), "digest", slow)
    assert await api.refused("{ head asOf { digest } }") == ("TIMEOUT", None)


async def test_unexpected_errors_are_masked(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(type(api.services.recorder), "head", broken)
    answer = await api.post("{ head }")
    [error] = answer["errors"]
    assert (error["message"], error["extensions"]["code"]) == ("Internal error", "INTERNAL")
    assert "a secret" not in str(answer)
    assert error["extensions"]["id"] in caplog.text
    assert "a secret" in caplog.text


async def test_a_database_that_is_gone_is_unavailable(services: Services) -> None:
    for part in (services.recorder, services.as_of):
        await part._pool.close()
    answer = await Api(services).post("{ head asOf { position } }")
    assert {e["extensions"]["code"] for e in answer["errors"]} == {"UNAVAILABLE"}
    ready = await Api(services).request("GET", "/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)


@each_case(
    "met",
    [
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.CrashShutdownError("crash of another server process"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        asyncpg.DiskFullError("could not extend file"),
    ],
    ids=["starting", "crashed", "shut down", "too many", "full"],
)
async def test_a_database_in_trouble_is_told_from_a_bug(
    api: Api, monkeypatch: pytest.MonkeyPatch, met: Exception
) -> None:
    async def troubled(*_: Any) -> None:
        raise met

    monkeypatch.setattr(type(api.services.recorder), "head", troubled)
    [error] = (await api.post("{ head }"))["errors"]
    assert error["extensions"]["code"] == "UNAVAILABLE"


# --- HTTP


async def test_queries_go_over_get_and_mutations_do_not(api: Api) -> None:
    response = await api.request("GET", "/graphql?query=" + quote("{ head }"))
    assert response.json() == {"data": {"head": "0"}}
    variables = quote(orjson.dumps({"p": "0"}))
    document = quote("query ($p: Position) { asOf(position: $p) { position } }")
    response = await api.request("GET", f"/graphql?query={document}&variables={variables}")
    assert response.json()["data"] == {"asOf": {"position": "0"}}
    response = await api.request(
        "GET",
        "/graphql?query="
        + quote('mutation { retractEvent(input: {eventId: "x", reason: "y"}) { position } }'),
    )
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["errors"][0]["extensions"]["code"] == "OPERATION_NOT_ALLOWED"


@each_case(
    ("content", "type", "status", "code"),
    [
        (b"{", "application/json", 400, "INVALID_JSON"),
        (b'{"query": "\xff"}', "application/json", 400, "INVALID_JSON"),
        (
            b'{"query": "{ head }", "variables": {"a": "\\ud800"}}',
            "application/json",
            400,
            "INVALID_JSON",
        ),
        (b"[" * 100_000, "application/json", 400, "INVALID_JSON"),
        (b"[]", "application/json", 400, "BAD_REQUEST"),
        (b'{"query": 5}', "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ head }", "extensions": 5}', "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ head }", "variables": []}', "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ head }", "operationName": 1}', "application/json", 400, "BAD_REQUEST"),
        (b'{"query": "{ head }", "operationName": "x"}', "application/json", 400, "BAD_REQUEST"),
        (b"{}", "application/json", 400, "BAD_REQUEST"),
        (b"{ head }", "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b" " * (MAX_BODY_BYTES + 1), "application/json", 413, "TOO_LARGE"),
        (b'{"query": "{ nothing }"}', "application/json", 200, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_requests_that_are_not_graphql_get_a_status_and_a_code(
    api: Api, content: bytes, type: str, status: int, code: str
) -> None:
    response = await api.request(
        "POST", "/graphql", content=content, headers={"Content-Type": type}
    )
    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"] == code
    assert "data" not in response.json()


@each_case(
    ("accept", "type", "status"),
    [
        ("application/json", "application/json", 200),
        ("*/*", "application/json", 200),
        (
            "application/graphql-response+json, application/json;q=0.9",
            "application/graphql-response+json",
            400,
        ),
        ("application/graphql-response+json;q=0, application/json", "application/json", 200),
    ],
)
async def test_clients_that_know_the_newer_media_type_get_its_statuses(
    api: Api, accept: str, type: str, status: int
) -> None:
    response = await api.request(
        "POST", "/graphql", json={"query": "{ nothing }"}, headers={"Accept": accept}
    )
    assert response.status_code == status
    assert response.headers["content-type"].partition(";")[0] == type
    assert response.headers["vary"] == "Accept, Accept-Encoding, Authorization, Prefer"


async def test_people_get_pages_that_need_no_other_server(corpus: Api) -> None:
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/", "/graphql", "/graphql?query=" + quote("{ head }")):
        response = await corpus.request("GET", path, headers=html)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/html")
        assert not re.findall(
            r'(?:src|action|<link rel="stylesheet" href)="[a-z]*:?//', response.text
        )


async def test_the_examples_of_the_page_have_answers(corpus: Api) -> None:
    from schema.http.graphiql import EXAMPLES

    for example in EXAMPLES.values():
        assert await corpus.ask(example)


async def test_operators_ask_for_health_and_readiness(api: Api) -> None:
    assert (await api.request("GET", "/healthz")).json() == {"status": "ok"}
    await api.do("announceExportControl", control())
    ready = await api.request("GET", "/readyz")
    assert ready.json() == {
        "ready": True,
        "reasons": [],
        "head": 1,
        "position": 1,
        "lag": 0,
        "lagSeconds": 0,
        "listening": True,
        "readOnly": False,
        "checkpoint": None,
        "warnings": [],
    }


async def test_readiness_warns_of_a_full_disk_until_a_write_works_again(
    api: Api, target: Target
) -> None:
    async def warnings() -> Any:
        return (await api.request("GET", "/readyz")).json()["warnings"]

    async with open_connection(target) as connection:
        await connection.execute("""
            CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE disk_full; END';
            CREATE TRIGGER full_disk AFTER INSERT ON log.events EXECUTE FUNCTION fill()""")
        refused = await api.post(document("announceExportControl"), input=control())
        assert refused["errors"][0]["extensions"]["code"] == "DISK_FULL"
        [warning] = await warnings()
        assert "no space left on its disk" in warning
        await connection.execute("DROP TRIGGER full_disk ON log.events")
    await api.do("announceExportControl", control())
    assert await warnings() == []


async def test_the_command_line_gets_the_same_answer_as_http(api: Api) -> None:
    document = "{ head asOf { nothing } }"
    assert await execute(api.services, document, None, OPEN) == await api.post(document)
    assert await execute(api.services, "{ head }", {}, Access()) == {"data": {"head": "0"}}
