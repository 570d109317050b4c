"""Cost of documents, including introspection, without ways around the limit."""

import threading
import time
from collections import Counter
from typing import Any

import graphql
import pytest
from graphql import (
    ExecutionResult,
    NoSchemaIntrospectionCustomRule,
    build_client_schema,
    experimental_execute_incrementally,
    get_introspection_query,
    get_nullable_type,
    introspection_types,
    is_list_type,
    parse,
    print_schema,
    validate,
)
from hypothesis import given
from hypothesis import strategies as st

from schema.execution import admission, response_cache
from schema.execution import documents as processing
from schema.execution.admission import MAX_TOKENS_ON_LOOP
from schema.execution.document_cost import MAX_COST, USUAL_LENGTHS, cost
from schema.execution.document_size import MAX_ALIASES, MAX_FIELDS
from schema.execution.documents import (
    MAX_REFUSED_BYTES,
    MAX_SUGGESTED_ERRORS,
    parse_document,
    parsed_document,
)
from schema.execution.schema import CORE_SCHEMA
from tests.contract.test_security import codes
from tests.support.api import Api
from tests.support.cases import each_case

TYPES = "{ types { name kind } }"
WHOLE = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
)


def refusals(text: str) -> set[str]:
    """Return the codes of a refusal before execution."""
    return {
        error.extensions["code"]
        for error in parse_document(CORE_SCHEMA, text).errors
        if error.extensions
    }


def executed(text: str, **variables: Any) -> Any:
    """Return graphql-core's result without any limit."""
    result = experimental_execute_incrementally(CORE_SCHEMA, parse(text), variable_values=variables)
    assert isinstance(result, ExecutionResult)
    return result.data


def fields(answer: Any) -> int:
    """Return the number of fields in a result."""
    if isinstance(answer, dict):
        return sum(1 + fields(value) for value in answer.values())
    return sum(map(fields, answer)) if isinstance(answer, list) else 0


def test_json_costs_ten_fields() -> None:
    page = "events(first: 200) { nodes { position %s } }"
    plain, whole = (
        cost(CORE_SCHEMA, parse("{ %s }" % (page % field)), {}) for field in ("", "data")
    )
    assert whole - plain == 200 * 10


# --- introspection


def aliased(number: int, field: str) -> str:
    """Return a document with a field under many aliases."""
    return "{" + " ".join(f"a{n}: {field}" for n in range(number)) + "}"


@each_case(
    ("text", "code"),
    [
        (aliased(300, f"__schema {TYPES}"), "TOO_MANY_ALIASES"),
        (aliased(300, "__typename"), "TOO_MANY_ALIASES"),
        (aliased(300, '__type(name: "Query") { name }'), "TOO_MANY_ALIASES"),
        (
            "{ __schema { types { " + " ".join(f"a{n}: name" for n in range(300)) + " } } }",
            "TOO_MANY_ALIASES",
        ),
        ("{" + "__typename " * 2500 + "}", "TOO_MANY_FIELDS"),
        (
            "{ __schema { types { " + "...A " * 500 + "} } } fragment A on __Type { name kind"
            " description isOneOf specifiedByURL }",
            "TOO_MANY_FIELDS",
        ),
        (
            aliased(MAX_ALIASES, "__schema { types { fields { args { name type { name } } } } }"),
            "TOO_COSTLY",
        ),
        (
            "{ __schema { types { fields { " + "args { name } ...A " * 25 + "} } } }"
            " fragment A on __Field { args { type { name kind ofType { name kind } } } }",
            "TOO_COSTLY",
        ),
        (
            "{ __schema { types { possibleTypes { interfaces { name } } "
            + " ".join(
                f"a{n}: fields {{ type {{ fields {{ name args {{ name }} }} }} }}"
                for n in range(40)
            )
            + " } } }",
            "TOO_COSTLY",
        ),
        ('{ __type(name: "Query") { ' + "ofType { " * 20 + "name" + " }" * 20 + " } }", "TOO_DEEP"),
        (
            "{ __schema { ...A } } fragment A on __Schema { types { "
            + "ofType { " * 20
            + "name"
            + " }" * 20
            + " } }",
            "TOO_DEEP",
        ),
        (
            " ".join(f"query q{n} {{ __schema {{ types {{ ...T }} }} }}" for n in range(60))
            + " fragment T on __Type { fields { args { name } type { name } } }",
            "TOO_COSTLY",
        ),
    ],
    ids=[
        "schemas",
        "typenames",
        "types",
        "aliases within",
        "many typenames",
        "fragments",
        "arguments",
        "spread",
        "nested lists",
        "depth",
        "depth in a fragment",
        "operations",
    ],
)
def test_introspection_counts_as_any_other_field(text: str, code: str) -> None:
    assert code in refusals(text)


@each_case(
    "text",
    [
        WHOLE,
        get_introspection_query(),
        get_introspection_query(descriptions=False, type_depth=7),
        f"{{ __schema {TYPES} }}",
        '{ __type(name: "ExportControl") { name fields { name type { name } } } __typename }',
        '{ __type(name: "Nothing") { name } }',
        "{ __schema { queryType { name } types { enumValues(includeDeprecated: true) { name } } } }",
        "{ __schema { directives { name locations args { name defaultValue } } } }",
    ],
    ids=["whole", "usual", "without descriptions", "types", "one", "none", "enums", "directives"],
)
async def test_introspection_costs_at_least_its_answer(api: Api, text: str) -> None:
    answer = await api.ask(text)
    assert answer == executed(text)
    assert fields(answer) <= cost(CORE_SCHEMA, parse(text), {}) <= MAX_COST


async def test_the_whole_schema_can_be_asked_for_as_clients_do(api: Api) -> None:
    told = build_client_schema(await api.ask(WHOLE))
    assert print_schema(told) == print_schema(CORE_SCHEMA)


async def test_the_type_asked_for_in_a_variable_is_counted_and_answered(api: Api) -> None:
    text = "query ($of: String!{}) {{ __type(name: $of) {{ fields {{ args {{ name }} }} }} }}"
    large = cost(CORE_SCHEMA, parse(text.format("")), {"of": "Query"})
    assert large == cost(CORE_SCHEMA, parse(text.format(' = "Query"')), {}) > 50
    assert cost(CORE_SCHEMA, parse(text.format("")), {"of": "Day"}) < 5
    assert parse_document(CORE_SCHEMA, text.format("")).has_variable_cost
    assert (await api.ask(text.format(""), of="Query"))["__type"]["fields"]


@pytest.mark.parametrize("deprecated", [True, False])
async def test_whether_deprecated_fields_are_told_may_be_in_a_variable(
    api: Api, deprecated: bool
) -> None:
    text = (
        'query ($all: Boolean!) { __type(name: "Query") { fields(includeDeprecated: $all) {'
        " name } } }"
    )
    for all in (deprecated, not deprecated):
        expected = executed(text, all=all)
        assert await api.ask(text, all=all) == expected


async def test_hostile_introspection_is_refused_in_no_time(api: Api) -> None:
    started = time.process_time()
    answer = await api.post(aliased(300, f"__schema {TYPES}"))
    assert codes(answer) == {"TOO_MANY_ALIASES"}
    assert time.process_time() - started < 5  # it was twelve seconds


async def test_other_names_of_a_query_of_the_schema_cost_neither_validation_nor_execution(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Counter[str]()

    def counted(owner: Any, name: str) -> None:
        function = getattr(owner, name)

        def call(*arguments: Any, **more: Any) -> Any:
            work[name] += 1
            return function(*arguments, **more)

        monkeypatch.setattr(owner, name, call)

    counted(graphql, "validate")
    counted(processing, "cost_errors")
    counted(response_cache, "execute")
    text = f"query %s {{ __schema {TYPES} }} # %s"
    answers = [await api.post(text % (name, name)) for name in ("One", "Another", "Third")]
    assert answers[0]["data"] == executed(text % ("One", ""))
    assert answers[0] == answers[1] == answers[2]
    assert work == {"validate": 1, "cost_errors": 1, "execute": 1}
    other = await api.post("query One { __schema { types { name } } }")
    assert other["data"] != answers[0]["data"]
    body = {"query": text % ("One", ""), "operationName": "Two"}
    response = await api.request("POST", "/graphql", json=body)
    assert codes(response.json()) == {"BAD_REQUEST"}


def test_the_cost_of_introspection_is_read_from_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    document = parse(WHOLE)
    first = cost(CORE_SCHEMA, document, {})
    resolved = [0]
    for type_ in introspection_types.values():
        for field in getattr(type_, "fields", {}).values():
            monkeypatch.setattr(field, "resolve", lambda *_, **__: resolved.append(1))
    assert cost(CORE_SCHEMA, document, {}) == first
    assert resolved == [0]


async def test_hidden_introspection_is_refused_without_the_other_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = list[Any]()

    def noted(schema: Any, document: Any, of: Any = None, *more: Any, **named: Any) -> Any:
        rules.append(of)
        return validate(schema, document, of, *more, **named)

    monkeypatch.setattr(graphql, "validate", noted)
    error, *_ = parse_document(CORE_SCHEMA, f"query Hidden {{ __schema {TYPES} }}", False).errors
    assert "introspection has been disabled" in error.message
    assert rules == [[NoSchemaIntrospectionCustomRule]]


def test_many_errors_have_no_suggestions() -> None:
    def suggested(number: int) -> int:
        text = "{" + " ".join(f"heads{'s' * n}" for n in range(number)) + "}"
        return str(parse_document(CORE_SCHEMA, text).errors).count("Did you mean")

    assert suggested(MAX_SUGGESTED_ERRORS) > 0
    assert suggested(MAX_SUGGESTED_ERRORS + 1) == 0


async def test_refused_documents_do_not_evict_others() -> None:
    valid = await parsed_document(CORE_SCHEMA, "{ head }", True)
    for number in range(60):
        await parsed_document(CORE_SCHEMA, f"{{ nothing{number} {'head ' * 300} }}", True)
    assert await parsed_document(CORE_SCHEMA, "{ head }", True) is valid
    assert 0 < processing.refused.bytes <= MAX_REFUSED_BYTES


async def test_the_cost_of_a_large_document_with_variables_is_computed_outside_of_the_loop(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def noted(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return []

    monkeypatch.setattr(admission, "cost_errors", noted)
    text = "query ($first: Int) {{ events(first: $first) {{ nodes {{ {} }} }} }}"
    for times in (1, MAX_TOKENS_ON_LOOP // 6):
        await api.ask(text.format("position recordedAt type entity data eventId " * times), first=1)
    assert [thread is threading.main_thread() for thread in threads] == [True, False]


# --- lists that arguments name the items of

PRODUCTIONS = """query ($of: [String!]!, $years: YearRange!, $first: Int!) {
  asOf { one: productions(commodities: $of, years: $years) { year }
         other: productions(commodities: "tin", years: {from: $first, to: 2025}) { year } } }"""


@each_case(
    ("years", "counted"),
    [
        ({"from": 2016, "to": 2025}, 20),
        ({"from": 2025, "to": 2025}, 2),
        ({"from": 2025, "to": 2016}, 2),
        ({"from": 2016}, 2),
        ({"from": "x", "to": None}, 2),
        ({"from": 0, "to": 10**30}, 2_000_000),
        (None, 2),
        (7, 2),
    ],
)
def test_a_distribution_counts_for_each_commodity_and_year(years: Any, counted: int) -> None:
    document = parse(PRODUCTIONS)
    variables = {"of": ["tin", "zinc"], "years": years, "first": 2023}
    assert cost(CORE_SCHEMA, document, variables) == 1 + (1 + counted) + (1 + 3)
    assert parse_document(CORE_SCHEMA, PRODUCTIONS).has_variable_cost


def test_a_list_that_nobody_can_limit_counts_by_its_usual_length() -> None:
    text = '{ asOf { production(commodity: "tin", year: 2023) { figures { value unit } } } }'
    assert cost(CORE_SCHEMA, parse(text), {}) == 1 + 1 + 1 + 20 * 2
    for name in USUAL_LENGTHS:
        of, _, field = name.partition(".")
        assert is_list_type(get_nullable_type(CORE_SCHEMA.type_map[of].fields[field].type)), name


def test_an_exposure_counts_for_each_destination() -> None:
    text = "{ asOf { exposures(destinations: %s) { destination { code } } } }"
    one, three = (
        cost(CORE_SCHEMA, parse(text % given), {}) for given in ('"US"', '["US", "DE", "JP"]')
    )
    assert three - one == 2 * 2


@each_case("field", ["aboutEntities", "conflictsWithEntities", "supersedesAnnouncements"])
def test_links_count_for_as_many_entities_as_an_announcement_may_name(field: str) -> None:
    text = "{ asOf { announcements(first: 200) { nodes { key %s } } } }"
    plain, linked = (
        cost(CORE_SCHEMA, parse(text % part), {}) for part in ("", f"{field} {{ key entity }}")
    )
    assert linked - plain == 200 * (1 + 20 * 2)


# --- pages


EVENTS = "{{ e: events({}) {} {{ nodes {{ position type }} }} }}"


@each_case(
    ("arguments", "directive", "expected"),
    [
        ("first: -2000000000", "@include(if: false)", 1 + 3),
        ("last: -1", "", 1 + 3),
        ("first: 0", "", 1 + 3),
        ("first: -5, last: 7", "", 1 + 7 * 3),
        ("first: null", "", 1 + 20 * 3),
        ("first: 10", "@skip(if: true)", 1 + 10 * 3),
    ],
    ids=["negative", "negative last", "none", "both", "null", "skipped"],
)
def test_a_page_counts_as_one_item_at_least(arguments: str, directive: str, expected: int) -> None:
    text = EVENTS.format(arguments, directive)
    assert cost(CORE_SCHEMA, parse(text), {}) == expected


def test_no_page_makes_the_rest_of_a_document_cheaper() -> None:
    dear = "asOf { alliances(first: 200) { nodes { announcements(first: 200) { nodes { id } } } } }"
    cheap = "e: events(first: -2000000000) @include(if: false) { nodes { position } }"
    assert refusals(f"{{ {dear} }}") == refusals(f"{{ {cheap} {dear} }}") == {"TOO_COSTLY"}


@each_case(
    ("default", "variables", "size"),
    [
        (" = 1", {"n": 200}, 200),
        (" = 200", {"n": 1}, 1),
        (" = 7", {}, 7),
        ("", {}, 20),
        ("", {"n": None}, 20),
        (" = 7", {"n": None}, 20),
        ("", {"n": 200.0}, 200),
        ("", {"n": -3}, 1),
        ("", {"n": 1e300}, 1_000_000),
        ("", {"n": "200"}, 20),
        ("", {"n": [200]}, 20),
        ("", {"n": {"a": 1}}, 20),
        ("", {"n": float("nan")}, 1),
        ("", {"n": float("inf")}, 1_000_000),
    ],
)
def test_a_variable_counts_as_it_is_sent_before_its_default(
    default: str, variables: dict[str, Any], size: int
) -> None:
    text = f"query ($n: Int{default}) {{ events(first: $n) {{ nodes {{ type }} }} }}"
    assert cost(CORE_SCHEMA, parse(text), variables) == 1 + size * 2


def test_items_that_are_asked_for_by_their_ids_count_one_by_one() -> None:
    literal = '{ nodes(ids: ["a", "b", "c"]) { id entity } }'
    variable = "query ($of: [ID!]!) { nodes(ids: $of) { id entity } }"
    assert cost(CORE_SCHEMA, parse(literal), {}) == 1 + 3 * 2
    assert parse_document(CORE_SCHEMA, variable).has_variable_cost
    for ids, count in (([], 1), (["a"] * 7, 7), ("a", 1), (None, 1)):
        assert cost(CORE_SCHEMA, parse(variable), {"of": ids}) == 1 + count * 2


async def test_a_default_does_not_hide_what_a_variable_asks_for(api: Api) -> None:
    text = (
        "query ($n: Int = 1) { asOf { alliances(first: $n) { nodes {"
        " announcements(first: $n) { nodes { title } } } } } }"
    )
    assert codes(await api.post(text, n=200)) == {"TOO_COSTLY"}
    assert (await api.post(text))["data"]["asOf"]


def test_each_operation_counts_what_it_makes_of_a_fragment() -> None:
    text = (
        "query {}($n: Int = {}) {{ asOf {{ ...f }} }} query {}($n: Int = {}) {{ asOf {{ ...f }}"
        " }} fragment f on AsOf {{ alliances(first: $n) {{ nodes {{ id }} }} }}"
    )
    for first, second in ((1, 200), (200, 1)):
        document = parse(text.format("a", first, "b", second))
        assert cost(CORE_SCHEMA, document, {}) == 2 + 200 * 2


# --- any document


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[str, Any], int]:
    """Draw a document with nested pages, its variables, and its number of fields."""
    sizes = st.sampled_from(
        ["", "(first: 3)", "(first: -3)", "(last: 0)", "(first: $n)", "(last: $m)"]
    )
    directives = st.sampled_from(["", "@include(if: false)", "@skip(if: $yes)"])
    written, count = [], 0
    for number in range(draw(st.integers(1, 4))):
        inner = f"announcements{draw(sizes)} {{ nodes {{ id }} }}"
        outer = f"alliances{draw(sizes)} {{ nodes {{ id ...f{draw(st.integers(0, 1))} {inner} }} }}"
        written.append(f"a{number}: asOf {draw(directives)} {{ {outer} }}")
        count += 7
    fragments = " ".join(
        f"fragment f{n} on Alliance {{ announcements{draw(sizes)} {{ nodes {{ title }} }} }}"
        for n in range(2)
    )
    values = st.one_of(st.none(), st.integers(-(2**31), 2**31), st.floats(), st.text(max_size=2))
    variables = draw(
        st.fixed_dictionaries({}, optional={"n": values, "m": values, "yes": st.booleans()})
    )
    head = "query ($n: Int = 2, $m: Int, $yes: Boolean = true)"
    text = f"{head} {{ {' '.join(written)} }} {fragments}"
    return text, variables, count + 2 * len(written)


@given(documents())
def test_no_document_costs_less_than_its_fields(asked: tuple[str, dict[str, Any], int]) -> None:
    text, variables, count = asked
    assert cost(CORE_SCHEMA, parse(text), variables) >= count


@given(documents(), st.integers(-5, 300), st.integers(0, 300))
def test_a_larger_page_never_costs_less(
    asked: tuple[str, dict[str, Any], int], size: int, more: int
) -> None:
    text, variables, _ = asked
    document = parse(text)
    assert cost(CORE_SCHEMA, document, {**variables, "n": size}) <= cost(
        CORE_SCHEMA, document, {**variables, "n": size + more}
    )


def test_no_field_is_free() -> None:
    assert MAX_FIELDS < MAX_COST
    assert cost(CORE_SCHEMA, parse("{ __typename head a: head }"), {}) == 3
