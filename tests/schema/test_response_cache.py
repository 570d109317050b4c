"""Cached responses: equal to others, with correct scope and lifetime."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest

import schema.execution.response_cache
from projections import lru_cache
from projections.lru_cache import ENTRY_OVERHEAD_BYTES, SizedLruCache
from schema.app import create_app
from schema.execution.documents import parse_document
from schema.execution.execute import execute
from schema.execution.fixed_moments import are_pinned, with_defaults
from schema.execution.response_cache import CACHEABLE_FIELDS, UNCACHEABLE_FIELDS
from schema.execution.schema import CORE_SCHEMA
from schema.services import Access, Services
from tests.support.api import OPEN, Api, claim, control, source, suspension
from tests.support.cases import each_case
from tests.support.clocks import TODAY
from tests.support.fact_builders import source as source_of
from tests.support.time_limits import within
from tests.support.waiting import first_call
from tracker.auth.scopes import Caller, Scope
from tracker.clock import FixedDay, use_clock
from tracker.domain.basics.codec import from_builtins
from tracker.domain.basics.values import PartialDate
from tracker.domain.entities.fact import Source
from tracker.log.recorder import Recorder

TOUR = (Path(__file__).parents[2] / "docs" / "tour.md").read_text(encoding="utf-8")
QUESTIONS = [
    document
    for document in re.findall(r"```graphql\n(.*?)```", TOUR, re.DOTALL)
    if document.startswith("{")
]
CONTROLS = "{ asOf { exportControls { totalCount nodes { key clauses { status } } } } }"
PINNED = '{ asOf(validAt: "2026-01-01", position: "1") { exportControls { totalCount } } }'


class Counted(Api):
    """The API with counters of its cache."""

    def __init__(self, services: Services, access: Access = OPEN, most_bytes: int = 10**6):
        super().__init__(services, access)
        self.app = create_app(services, access, answers_bytes=most_bytes)

    async def cache(self) -> tuple[int, int, int]:
        """Return hits, misses and bytes of the cache."""
        text = (await self.request("GET", "/metrics")).text
        names = ("hits_total", "misses_total", "bytes")
        found = [
            re.search(rf'^tracker_cache_{name}{{cache="answers"}} (\S+)$', text, re.MULTILINE)
            for name in names
        ]
        hits, misses, size = (int(float(match[1])) for match in found if match)
        return hits, misses, size


@pytest.fixture
async def api(services: Services) -> Counted:
    """Run the API on an empty log, with a progress tracker."""
    async with asyncio.timeout(within(20)):
        while services.projector.progress.known is None:
            await asyncio.sleep(0.01)
    return Counted(services)


async def kept(api: Counted, document: str, **variables: Any) -> bool:
    """Whether a repeated query is a cache hit."""
    first = await api.post(document, **variables)
    hits, _, _ = await api.cache()
    assert await api.post(document, **variables) == first
    return (await api.cache())[0] == hits + 1


async def test_answers_that_are_kept_are_those_that_would_be_given(services: Services) -> None:
    keeping, forgetful = Counted(services), Counted(services, most_bytes=0)
    writes: list[tuple[str, dict[str, Any]]] = [
        ("announceExportControl", control("cn-mofcom-2023-23")),
        ("suspendExportControl", suspension("cn-mofcom-2023-23")),
        ("claimFigure", claim()),
        ("claimFigure", claim(None, publisher="bgs", qualifier="NIL")),
        (
            "setPublisherOrder",
            {"publishers": ["bgs"], "on": "2024-01-01", "reason": "test", "source": source()},
        ),
    ]
    mutations = CORE_SCHEMA.mutation_type
    assert mutations is not None
    for mutation, input in writes:
        if mutation in mutations.fields:
            await keeping.do(mutation, input)
        for question in (*QUESTIONS, CONTROLS):
            plain = await forgetful.post(question)
            for _ in range(2):
                assert await keeping.post(question) == plain
    assert (await keeping.cache())[0] > len(QUESTIONS)
    assert (await forgetful.cache())[2] == 0


def test_of_every_field_is_known_whether_its_answers_can_be_kept() -> None:
    query = CORE_SCHEMA.query_type
    assert query is not None
    assert set(query.fields) == CACHEABLE_FIELDS | UNCACHEABLE_FIELDS
    assert not CACHEABLE_FIELDS & UNCACHEABLE_FIELDS


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (CONTROLS, True),
        (PINNED, False),  # ahead of the log: an error
        ("query A { asOf { validAt } } query B { asOf { position } }", False),  # which of them?
        (
            "query A { ...f } fragment f on Query { commodities { key } ... { asOf { digest } } }",
            True,
        ),
        ("{ __schema { types { name } } }", True),
        ("{ head }", False),
        ("{ asOf { validAt } ... { head } }", False),
        ("{ asOf { validAt } ... on Query { events { nodes { position } } } }", False),
        ("{ asOf { validAt } ...f } fragment f on Query { events { nodes { position } } }", False),
        ('{ asOf(validAt: "yesterday") { validAt } }', False),
        ("{ nothing }", False),
        ('mutation { retractEvent(input: {eventId: "x"}) { position } }', False),
    ],
)
async def test_only_what_follows_from_question_position_and_day_is_kept(
    api: Counted, document: str, expected: bool
) -> None:
    assert await kept(api, document) is expected


async def test_an_event_is_in_the_next_answer(api: Counted) -> None:
    assert await kept(api, CONTROLS)
    await api.do("announceExportControl", control())
    assert (await api.ask(CONTROLS))["asOf"]["exportControls"]["totalCount"] == 1
    assert await kept(api, CONTROLS)


async def test_an_answer_that_waited_for_an_event_is_not_kept_for_before(
    api: Counted, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = first_call(monkeypatch, services.projector, "reach")
    document = "query ($at: Position) { asOf(minPosition: $at) { position } }"
    asking = asyncio.create_task(api.ask(document, at="1"))
    await waits.wait()
    await api.do("announceExportControl", control())
    assert (await asking)["asOf"]["position"] == "1"
    assert (await api.cache())[2] == 0


async def test_the_next_day_is_another_question(api: Counted) -> None:
    for days in range(2):
        day = TODAY + timedelta(days=days)
        with use_clock(FixedDay(day)):
            assert await api.ask("{ asOf { validAt } }") == {"asOf": {"validAt": str(day)}}


async def test_variables_and_names_of_operations_are_part_of_the_question(api: Counted) -> None:
    document = "query A($d: Day) { asOf(validAt: $d) { validAt } } query B { asOf { position } }"

    async def asked(name: str, **variables: Any) -> Any:
        body = {"query": document, "operationName": name, "variables": variables}
        return (await api.request("POST", "/graphql", json=body)).json()["data"]["asOf"]

    for _ in range(2):
        assert await asked("A", d="2025-01-01") == {"validAt": "2025-01-01"}
        assert await asked("A", d="2025-01-02") == {"validAt": "2025-01-02"}
        assert await asked("B") == {"position": "0"}


async def test_the_name_of_the_operation_alone_makes_another_question(api: Counted) -> None:
    document = "query A { asOf { validAt } } query B { asOf { position } }"
    for name, field in (("A", "validAt"), ("B", "position"), ("A", "validAt"), ("B", "position")):
        body = {"query": document, "operationName": name}
        response = await api.request("POST", "/graphql", json=body)
        assert list(response.json()["data"]["asOf"]) == [field]


async def test_variables_that_are_too_deep_to_be_kept_are_answered(api: Counted) -> None:
    deep: Any = "2025-01-01"
    for _ in range(500):
        deep = [deep]
    assert await api.ask("{ asOf { position } }", unused=deep) == {"asOf": {"position": "0"}}
    assert (await api.cache())[2] == 0


async def test_a_client_without_rights_gets_no_cached_response(services: Services) -> None:
    api = Counted(services, Access(token="secret", read_open=False))
    headers = {"Authorization": "Bearer secret"}
    assert "errors" not in await api.post(CONTROLS, headers)
    assert (await api.post(CONTROLS))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_callers_who_may_do_different_things_have_different_keys() -> None:
    keys = {
        schema.execution.response_cache._key(
            schema.execution.response_cache.QueryRequest("{ head }", {}, None, Caller("x", scopes))
        )
        for scopes in (frozenset[Scope](), frozenset([Scope.READ]), frozenset(Scope))
    }
    assert len(keys) == 3


async def test_nothing_is_kept_while_nobody_would_tell_of_new_events(
    api: Counted, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(services.projector.progress), "known", None)
    assert not await kept(api, CONTROLS)
    assert (await api.cache())[2] == 0


NOTED = """{ asOf(validAt: "2026-01-01", position: "1") {
    exportControl(id: "x") { because { annexes { text } } } } }"""
NOTE = "Ms Doe said so"


class Pinned:
    """A client that queries a note at a pinned moment, and counts the work."""

    def __init__(self, api: Api):
        self._api = api
        self.made = 0
        """Number of computed responses."""
        self.counted = 0
        """Number of queries for redactions."""

    async def note(self) -> str | None:
        """Return the note."""
        data = await self._api.ask(NOTED)
        [[annex]] = [because["annexes"] for because in data["asOf"]["exportControl"]["because"]]
        text: str | None = annex["text"]
        return text


@pytest.fixture
async def pinned_note(api: Counted, monkeypatch: pytest.MonkeyPatch) -> Pinned:
    """Create a note of a control, which was queried once."""
    asked, count = Pinned(api), Recorder.count
    await api.do("announceExportControl", control(note=NOTE), key="k")

    async def executing(*arguments: Any, **more: Any) -> Any:
        asked.made += arguments[1] == NOTED
        return await execute(*arguments, **more)

    async def counting(self: Recorder, *arguments: Any) -> int:
        asked.counted += 1
        return await count(self, *arguments)

    monkeypatch.setattr(schema.execution.response_cache, "execute", executing)
    monkeypatch.setattr(Recorder, "count", counting)
    assert (await asked.note(), asked.made) == (NOTE, 1)
    return asked


async def test_an_answer_about_a_pinned_moment_outlives_events_and_days(
    api: Counted, pinned_note: Pinned
) -> None:
    await api.do("suspendExportControl", suspension())
    assert [await pinned_note.note(), await pinned_note.note()] == [NOTE, NOTE]
    with use_clock(FixedDay(TODAY + timedelta(days=1))):
        assert await pinned_note.note() == NOTE
    assert (pinned_note.made, pinned_note.counted) == (1, 1)


async def test_a_text_that_was_forced_out_is_in_no_answer_about_a_pinned_moment(
    api: Counted, pinned_note: Pinned, services: Services
) -> None:
    await api.do("suspendExportControl", suspension())
    assert await pinned_note.note() == NOTE
    done = await services.commands.redact(
        "k",
        "a court said so",
        PartialDate("2026-03-01"),
        from_builtins(Source, source_of("court")),
        actor="dpo",
    )
    await services.projector.reach(done.positions[-1])
    assert [await pinned_note.note(), await pinned_note.note()] == [None, None]
    assert pinned_note.made == 2
    await api.do("announceExportControl", control("y"))
    assert await pinned_note.note() is None
    assert pinned_note.made == 2


async def test_another_question_does_not_hide_that_a_text_was_forced_out(
    api: Counted, pinned_note: Pinned, services: Services
) -> None:
    assert await pinned_note.note() == NOTE
    done = await services.commands.redact(
        "k",
        "a court said so",
        PartialDate("2026-03-01"),
        from_builtins(Source, source_of("court")),
        actor="dpo",
    )
    await services.projector.reach(done.positions[-1])
    assert await api.ask(CONTROLS)
    assert await pinned_note.note() is None


async def test_rows_that_were_made_anew_leave_no_answer(
    api: Counted, pinned_note: Pinned, services: Services
) -> None:
    tracked = services.projector.progress
    assert tracked.known is not None
    tracked._latest = replace(tracked.known, epoch=tracked.known.epoch + 1)
    assert [await pinned_note.note(), await pinned_note.note()] == [NOTE, NOTE]
    assert pinned_note.made == 2


async def test_where_nobody_can_say_whether_a_text_went_the_answer_is_made_anew(
    api: Counted, pinned_note: Pinned, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.do("suspendExportControl", suspension())

    async def lost(self: Recorder, *_: Any) -> int:
        raise ConnectionResetError

    monkeypatch.setattr(Recorder, "count", lost)
    assert await pinned_note.note() == NOTE
    assert pinned_note.made == 2


def test_a_value_of_an_epoch_is_found_in_that_one_only() -> None:
    cache = SizedLruCache[str, str](1000)
    cache.put("of all", "x", 1)
    cache.put("of 1", "y", 1, epoch=1)
    assert [cache.get("of all", 1), cache.get("of all"), cache.get("of 1", 1)] == ["x", "x", "y"]
    assert [cache.get("of 1", 2), cache.get("of 1")] == [None, None]
    assert (cache.hits, cache.misses) == (3, 2)
    cache.put("of 1", "z", 1, epoch=2)
    assert [cache.get("of 1", 1), cache.get("of 1", 2)] == [None, "z"]
    cache.clear()
    assert (len(cache), cache.bytes, cache.get("of all")) == (0, 0, None)


def test_a_cache_holds_no_more_bytes_than_its_limit() -> None:
    cache = SizedLruCache[int, str](10 * (ENTRY_OVERHEAD_BYTES + 100))
    for number in range(50):
        cache.put(number, "x", 100)
        cache.put(-1, "x", 11 * ENTRY_OVERHEAD_BYTES + 1000)  # too large for the cache
        assert cache.get(0)  # recently used entries stay
        assert (
            cache.bytes
            == len(cache) * (ENTRY_OVERHEAD_BYTES + 100)
            <= 10 * (ENTRY_OVERHEAD_BYTES + 100)
        )
    assert [cache.get(number) for number in (0, 49, 20, -1)] == ["x", "x", None, None]


@pytest.fixture
def small_total(monkeypatch: pytest.MonkeyPatch) -> int:
    """Limit all caches together to 20 entries, and return their number."""
    monkeypatch.setattr(lru_cache, "_caches", WeakSet())
    monkeypatch.setattr(lru_cache, "MAX_TOTAL_BYTES", 20 * (ENTRY_OVERHEAD_BYTES + 100))
    monkeypatch.setattr(SizedLruCache, "total", 0)
    return 20


def test_all_caches_together_hold_no_more_entries_than_their_limit(small_total: int) -> None:
    small, large = SizedLruCache[int, str](10**9), SizedLruCache[int, str](10**9)
    for number in range(5):
        small.put(number, "x", 100)
    for number in range(50):
        large.put(number, "x", 100)
        assert len(small) == 5  # the largest cache evicts
        assert len(large) <= small_total - 5
    assert [large.get(number) for number in (34, 35)] == [None, "x"]
    del large
    for number in range(50):
        small.put(number, "x", 100)
    assert len(small) == small_total  # a freed cache takes no space


def test_threads_can_use_caches_that_evict_entries_of_each_other(small_total: int) -> None:
    caches = [SizedLruCache[int, str](10**9) for _ in range(3)]

    def use(of: int) -> None:
        for number in range(5000):
            caches[of % 3].put(number % 30, "x", 100)
            caches[(of + 1) % 3].get(number % 30)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(use, range(6)))
    assert sum(map(len, caches)) == small_total
    assert SizedLruCache.total == sum(cache.bytes for cache in caches) == lru_cache.MAX_TOTAL_BYTES


# --- over GET


async def get(api: Api, document: str, **headers: str) -> Any:
    """Send a query by GET."""
    return await api.request("GET", "/graphql", params={"query": document}, headers=headers)


async def test_a_client_that_has_the_answer_gets_none(api: Counted) -> None:
    first = await get(api, CONTROLS)
    assert first.headers["cache-control"] == "public, no-cache"
    assert first.headers["vary"] == "Accept, Accept-Encoding, Authorization, Prefer"
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    for given in (tag, f'"x", {tag.removeprefix("W/")}', "*"):
        again = await get(api, CONTROLS, **{"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")
        assert {again.headers[name] for name in ("etag", "cache-control", "vary")} == {
            tag,
            "public, no-cache",
            "Accept, Accept-Encoding, Authorization, Prefer",
        }
    await api.do("announceExportControl", control())
    changed = await get(api, CONTROLS, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_an_event_that_changes_nothing_in_an_answer_leaves_its_tag(api: Counted) -> None:
    document = '{ asOf(validAt: "2020-01-01") { exportControls { totalCount } } }'
    tag = (await get(api, document)).headers["etag"]
    await api.do("announceExportControl", control())
    assert (await get(api, document, **{"If-None-Match": tag})).status_code == 304


async def test_an_answer_about_pinned_moments_stays(api: Counted) -> None:
    await api.do("announceExportControl", control())
    response = await get(api, PINNED)
    assert response.headers["cache-control"] == "public, max-age=3600, immutable"


async def test_only_those_who_asked_keep_what_a_token_was_needed_for(services: Services) -> None:
    closed = Counted(services, Access(token="secret", read_open=False))
    response = await get(closed, CONTROLS, Authorization="Bearer secret")
    assert response.headers["cache-control"] == "private, no-cache"
    refused = await get(closed, CONTROLS, **{"If-None-Match": response.headers["etag"]})
    assert (refused.status_code, refused.headers["cache-control"]) == (401, "no-store")
    opened = Counted(services, Access(token="secret"))
    response = await get(opened, CONTROLS, Authorization="Bearer secret")
    assert response.headers["cache-control"] == "private, no-cache"


async def test_errors_and_answers_to_post_are_for_nobody_else(api: Counted) -> None:
    responses = [
        await get(api, "{ nothing }"),
        await get(api, PINNED),
        await api.request("POST", "/graphql", json={"query": CONTROLS}),
    ]
    for response in responses:
        assert response.headers["cache-control"] == "no-store"
        assert "etag" not in response.headers


@each_case(
    ("document", "variables", "expected"),
    [
        (PINNED, {}, True),
        ("{ commodities { key } __typename }", {}, True),
        (
            "query ($d: Day, $p: Position) { asOf(validAt: $d, position: $p) { digest } }",
            {"d": "2025-01-01", "p": 4},
            True,
        ),
        (
            "query ($d: Day, $p: Position) { asOf(validAt: $d, position: $p) { digest } }",
            {"d": "2025-01-01", "p": None},
            False,
        ),
        (
            "query ($d: Day, $p: Position) { asOf(validAt: $d, position: $p) { digest } }",
            {"d": "2025-01-01"},
            False,
        ),
        ('{ asOf(validAt: null, position: "1") { digest } }', {}, False),
        ('{ asOf(validAt: "2025-01-01") { digest } }', {}, False),
        ('{ asOf(validAt: "2025-01-01", knownAt: "2025-01-01") { digest } }', {}, False),
        (
            '{ a: asOf(validAt: "2025-01-01", position: "1") { digest } b: asOf { digest } }',
            {},
            False,
        ),
        (
            '{ changes(from: {validAt: "2025-01-01", position: 1}, to: {validAt: "2025-01-02",'
            " position: 1}) { totalCount } }",
            {},
            True,
        ),
        ('{ changes(from: {validAt: "2025-01-01", position: 1}) { totalCount } }', {}, False),
        (
            '{ changes(from: {validAt: "2025-01-01"}, to: {validAt: "2025-01-02", position: 1})'
            " { totalCount } }",
            {},
            True,  # other fields of `from` are those of `to`
        ),
        (
            '{ changes(from: {knownAt: "2025-01-01"}, to: {validAt: "2025-01-02", position: 1})'
            " { totalCount } }",
            {},
            False,
        ),
        (
            '{ changes(from: {validAt: "2025-01-01", position: 1}, to: {validAt: "2025-01-02"})'
            " { totalCount } }",
            {},
            False,
        ),
        ("{ ... { asOf { digest } } }", {}, False),
        (
            "query ($m: MomentInput!) { changes(from: $m, to: $m) { totalCount } }",
            {"m": {"validAt": "2025-01-01", "position": "1"}},
            True,
        ),
        (
            "query ($m: MomentInput!) { changes(from: $m, to: $m) { totalCount } }",
            {"m": {"validAt": "2025-01-01"}},
            False,
        ),
        (
            'query ($t: DateTime = "2030-01-01T00:00:00Z") { changes(from: {knownAt: $t},'
            ' to: {validAt: "2025-01-02", position: 1}) { totalCount } }',
            {},
            False,  # a default counts like a value
        ),
        (
            'query ($m: MomentInput = {knownAt: "2030-01-01T00:00:00Z"}) { changes(from: $m,'
            ' to: {validAt: "2025-01-02", position: 1}) { totalCount } }',
            {},
            False,
        ),
        (
            'query ($p: Position = "1") { asOf(validAt: "2025-01-01", position: $p) { digest } }',
            {},
            True,
        ),
        ("{ head }", {}, False),
        ("{ __schema { types { name } } }", {}, False),
        ('{ node(id: "YWxsaWFuY2UvcXVhZA") { key } }', {}, False),
    ],
)
def test_an_answer_stays_where_every_moment_is_pinned(
    document: str, variables: dict[str, Any], expected: bool
) -> None:
    found = parse_document(CORE_SCHEMA, document)
    assert not found.errors
    operation = found.operation(None)
    assert operation
    assert are_pinned(found.query(None) or (), with_defaults(operation, variables)) is expected
