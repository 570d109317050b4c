"""Value plans return exactly graphql-core's results."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar, NoReturn

import orjson
import pytest
import strawberry
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLUnionType,
    execute_sync,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
    parse,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as Plain

from deploy.bootstrap import running_tracker
from projections.lru_cache import SizedLruCache
from projections.query.moment import MomentSeries
from schema.execution.execute import execute
from schema.execution.executor import Executor
from schema.execution.plans import operation_plans, serializers
from schema.execution.plans.operation_plans import PLAN_FAILURES
from schema.execution.plans.serializers import SerializerBuilder
from schema.execution.schema import CORE_SCHEMA, SCHEMA
from schema.services import Access, Services
from tests.schema.test_operations import metrics
from tests.schema.test_response_cache import QUESTIONS
from tests.support.api import Api
from tracker.postgres.database import Target

# --- the schema that is served, on the shipped corpus

ARGUMENTS = {
    ("Query", "asOf"): (
        "",
        '(validAt: "2025-11-20")',
        '(validAt: "2024-02-01", position: "10755")',
    ),
    ("Query", "history"): (
        '(entity: "export-control/cn-mofcom-2024-46")',
        '(entity: "figure/rare_earths/CN/production/mine/2023")',
    ),
    ("Query", "changes"): ('(from: {validAt: "2025-10-01"}, to: {validAt: "2025-11-20"})',),
    ("Query", "events"): ("", '(after: "100", first: 3)', "(first: 999)"),
    ("AsOf", "exportControl"): ('(id: "cn-mofcom-2024-46")', '(id: "none")'),
    ("AsOf", "alliance"): ('(id: "quad")',),
    ("AsOf", "figure"): ('(id: "rare_earths/CN/production/mine/2021")',),
    ("AsOf", "production"): (
        '(commodity: "rare_earths", year: 2023)',
        '(commodity: "dilithium", year: 2023)',
    ),
    ("AsOf", "reserves"): ('(commodity: "lithium")',),
    ("AsOf", "exposure"): ('(commodity: "gallium", destination: "US")',),
    ("AsOf", "importExposure"): (
        '(importer: "US", commodity: "gallium")',
        '(importer: "EU", commodity: "antimony")',
    ),
    ("AsOf", "importOrigins"): ('(importer: "US", commodity: "gallium")',),
    ("AsOf", "reliance"): ('(importer: "US", commodity: "gallium")',),
    ("AsOf", "upcoming"): ("(days: 400)",),
}
"""Arguments of fields; fields with other required arguments are not queried."""

VARIABLES = {"yes": True, "no": False}


@st.composite
def selections(draw: st.DrawFn, type_: Any, depth: int) -> str:
    """Draw a selection of fields of a type, with aliases, fragments and conditions."""
    if isinstance(type_, GraphQLUnionType) or (is_abstract_type(type_) and draw(st.booleans())):
        chosen = draw(
            st.lists(
                st.sampled_from(CORE_SCHEMA.get_possible_types(type_)),
                min_size=1,
                max_size=2,
                unique=True,
            )
        )
        parts = [f"... on {of.name} {draw(selections(of, depth))}" for of in chosen]
        return "{ __typename " + " ".join(parts) + " }"
    names = [name for name, field in type_.fields.items() if askable(type_, name, field, depth)]
    chosen = draw(st.lists(st.sampled_from(["__typename", *names]), min_size=1, max_size=4))
    return (
        "{ "
        + " ".join(draw(fields(type_, name, depth, index)) for index, name in enumerate(chosen))
        + " }"
    )


@st.composite
def fields(draw: st.DrawFn, type_: GraphQLObjectType, name: str, depth: int, index: int) -> str:
    """Draw a field, possibly in a fragment, with a unique response name."""
    condition = draw(
        st.sampled_from(
            [
                "",
                "",
                "",
                " @include(if: $yes)",
                " @skip(if: $yes)",
                " @include(if: $no)",
                " @skip(if: false)",
            ]
        )
    )
    text = f"{name[:2]}{depth}_{index}: {name}"
    if name != "__typename":
        text += draw(st.sampled_from(ARGUMENTS.get((type_.name, name), ("",)))) + condition
        inner = get_named_type(type_.fields[name].type)
        if is_composite_type(inner):
            text += f" {draw(selections(inner, depth - 1))}"
    return draw(
        st.sampled_from(
            [
                text,
                text,
                f"... on {type_.name} {{ {text} }}",
                f"... @include(if: $yes) {{ {text} }}",
            ]
        )
    )


def askable(type_: GraphQLObjectType, name: str, field: GraphQLField, depth: int) -> bool:
    """Whether a field can be queried within a depth, and has a deterministic result."""
    if any(map(is_required_argument, field.args.values())) and (type_.name, name) not in ARGUMENTS:
        return False
    return depth > 0 or not is_composite_type(get_named_type(field.type))


class Compared:
    """A tracker with the corpus, queried with plans and without."""

    def __init__(self, services: Services, loop: asyncio.AbstractEventLoop):
        self._services = services
        self._loop = loop

    def check(self, document: str, **variables: Any) -> bytes:
        """Compare the responses of both, byte for byte.

        If several non-null fields fail, their parent becomes null for the first failure, and the
        specification (6.4.4) does not define which error is reported.
        """
        planned, plain = (
            self._loop.run_until_complete(self._ask(kind, document, variables))
            for kind in (Executor, Plain)
        )
        assert planned == plain or decided(planned) == decided(plain)
        return plain

    async def _ask(self, kind: Any, document: str, variables: dict[str, Any]) -> bytes:
        SCHEMA.execution_context_class = kind
        try:
            return orjson.dumps(await execute(self._services, document, variables, Access()))
        finally:
            SCHEMA.execution_context_class = Executor


def decided(answer: bytes) -> Any:
    """Return a response without the nondeterministic parts of concurrent failures."""
    read = orjson.loads(answer)
    errors = set()
    if read["data"] is None:  # other fields may have reported their moment by then
        read.pop("extensions", None)
    for error in read.pop("errors", []):
        path = error.get("path", [])
        at = nulled(read["data"], path)
        errors.add(str(error if at == path else at))
    return orjson.dumps(read), errors


def nulled(data: Any, path: list[Any]) -> list[Any]:
    """Return the path up to the nulled value."""
    for length, key in enumerate(path):
        if data is None:
            return path[:length]
        data = data[key]
    return path


@pytest.fixture
def compared(corpus_target: Target) -> Iterator[Compared]:
    """Create the corpus comparison for synchronous tests, which Hypothesis requires."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        started = running_tracker(corpus_target)
        services = loop.run_until_complete(started.__aenter__())
        yield Compared(services, loop)
        loop.run_until_complete(started.__aexit__(None, None, None))


def test_random_questions_are_answered_as_without_plans(compared: Compared) -> None:
    query, answers = CORE_SCHEMA.query_type, list[bytes]()

    @settings(deadline=None, suppress_health_check=list(HealthCheck))
    @given(selections(query, 7))
    def check(selection: str) -> None:
        head = (
            "query ($yes: Boolean!, $no: Boolean!) { _: __typename @include(if: $yes)"
            " @skip(if: $no) ..."
        )
        answers.append(compared.check(head + selection + " }", **VARIABLES))

    failures = plan_failures()
    check()
    assert plan_failures() == failures
    assert sum(b'"errors"' not in answer for answer in answers) > len(answers) / 20


def test_of_fields_that_fail_beside_each_other_any_may_be_told() -> None:
    first, second = (
        {"errors": [{"message": key, "path": [key]}], "data": None} for key in ("a", "b")
    )
    assert decided(orjson.dumps(first)) == decided(orjson.dumps(second))
    deep, other = (
        {"errors": [{"message": key, "path": ["x", key]}], "data": {"x": None, "y": y}}
        for key, y in (("a", 1), ("a", 2))
    )
    assert decided(orjson.dumps(deep)) != decided(orjson.dumps(other))
    told, otherwise = (
        {"errors": [{"message": message, "path": ["x"]}], "data": {"x": None}}
        for message in ("one", "another")
    )
    assert decided(orjson.dumps(told)) != decided(orjson.dumps(otherwise))


def test_the_questions_of_the_readme_are_answered_as_without_plans(compared: Compared) -> None:
    for document in QUESTIONS:
        compared.check(document)


def test_conditions_are_part_of_a_plan(compared: Compared) -> None:
    document = """
    query ($a: Boolean!, $b: Boolean = true) { asOf(validAt: "2025-11-20") {
      alliances { nodes { key @include(if: $a) ...f members { since @skip(if: $b) place { code } } }
    } } }
    fragment f on Alliance { name @include(if: $b) because @skip(if: $a) { position } }
    """
    for variables in ({"a": True}, {"a": False}, {"a": True, "b": False}, {"a": True, "b": None}):
        compared.check(document, **variables)


def test_plans_are_made_once_for_a_document(
    compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    plan = SerializerBuilder.plan

    def counted(self: SerializerBuilder, *arguments: Any) -> Any:
        made.append(arguments)
        return plan(self, *arguments)

    monkeypatch.setattr(SerializerBuilder, "plan", counted)
    document = "{ asOf { exportControls { nodes { key clauses { status } } } } }"
    compared.check(document)
    first = len(made)
    assert first
    for _ in range(3):
        compared.check(document)
    assert len(made) == first


def test_plans_of_documents_that_are_not_asked_again_are_forgotten(
    compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_plans, "_cache", SizedLruCache(100_000))
    for number in range(20):
        compared.check(f"{{ x{number}: __typename }}")
    assert operation_plans._cache.bytes <= 100_000
    assert 0 < len(operation_plans._cache) < 20


# --- bugs of plans


def plan_failures() -> dict[str, float]:
    """Return the numbers of failed plans, by response part."""
    return {
        sample.labels["plan"]: sample.value
        for metric in PLAN_FAILURES.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }


def divide_by_zero(*_: Any) -> NoReturn:
    """Raise ZeroDivisionError."""
    raise ZeroDivisionError("secret")


BUGS: dict[str, tuple[Any, str]] = {
    "value": (serializers.Field, "column"),
    "field": (serializers.Field, "column"),
    "arguments": (operation_plans, "plan_call"),
    "column": (MomentSeries, "days_of"),
}
"""The function that has a bug, by the kind of plan that meets it."""
ONE_MOMENT = """query ControlsOfDay($from: Day!) {
  asOf(validAt: $from) { position exportControls(first: 2) { nodes { key clauses { status } } } }
}"""
MANY_MOMENTS = """query ControlsByMonth($from: Day!) {
  over(from: $from, to: "2024-03-01", step: MONTH) { validAt exportControls(first: 1) { nodes { key } } }
}"""


@pytest.mark.parametrize("part", BUGS)
def test_a_bug_in_a_plan_is_counted_and_logged_and_the_answer_is_made_without_it(
    part: str, compared: Compared, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(operation_plans, "_cache", SizedLruCache(1_000_000))
    monkeypatch.setattr(*BUGS[part], divide_by_zero)
    before, document = plan_failures()[part], MANY_MOMENTS if part == "column" else ONE_MOMENT
    for _ in range(2):
        assert b'"errors"' not in compared.check(document, **{"from": "2024-01-17"})
    assert plan_failures()[part] > before
    [line] = [one.getMessage() for one in caplog.records if one.name == operation_plans.__name__]
    assert "error=ZeroDivisionError operation=Controls" in line
    assert hashlib.sha256(document.encode()).hexdigest() in line
    assert "divide_by_zero" in line
    assert "secret" not in line
    assert "2024-01-17" not in line


def test_a_plan_with_a_bug_is_not_used_again(
    compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation_plans, "_cache", SizedLruCache(1_000_000))
    with monkeypatch.context() as bug:
        bug.setattr(*BUGS["value"], divide_by_zero)
        compared.check(ONE_MOMENT, **{"from": "2024-01-17"})
        failures = plan_failures()
        compared.check(ONE_MOMENT, **{"from": "2024-01-17"})
        assert plan_failures() == failures


async def test_failures_of_plans_are_among_the_metrics(services: Services) -> None:
    samples = await metrics(Api(services))
    assert {("tracker_plan_failures_total", part) for part in BUGS} <= {*samples}


# --- values that a resolver should never have given


@strawberry.enum
class Colour(Enum):
    """An enum."""

    RED = "red"


@strawberry.interface
class Named:
    """An interface."""

    name: str


@strawberry.type
class Cat(Named):
    """One of two."""

    lives: int


@strawberry.type
class Dog(Named):
    """The other of two."""

    def _bark(self) -> str:
        if self.name == "mute":
            raise ValueError("mute")
        return self.name.upper()

    bark: str = strawberry.field(resolver=_bark)


@strawberry.type
class Thing:
    """Something of every kind of type."""

    text: str
    maybe: str | None
    whole: int
    number: float
    yes: bool
    id: strawberry.ID
    exact: Decimal
    colour: Colour
    colours: list[Colour | None]
    texts: list[str]
    lists: list[list[int]] | None
    one: Named
    many: list[Annotated[Cat | Dog, strawberry.union("Pet")]] | None
    cat: Cat | None


@dataclass
class Loose:
    """Any values for the fields of `Thing`."""

    text: Any = "x"
    maybe: Any = None
    whole: Any = 1
    number: Any = 1.5
    yes: Any = True
    id: Any = "1"
    exact: Any = Decimal("1.50")
    colour: Any = Colour.RED
    colours: Any = (Colour.RED, None)
    texts: Any = ()
    lists: Any = None
    one: Any = None
    many: Any = None
    cat: Any = None


CAT, DOG = Cat(name="c", lives=9), Dog(name="d")
ODD = [
    None,
    "",
    "y",
    0,
    7,
    2**40,
    True,
    1.5,
    float("nan"),
    Decimal("2.0"),
    Colour.RED,
    "red",
    b"x",
    [],
    [None],
    ["a", 1],
    (1, 2),
    {"a": 1},
    [[1], [None]],
    [[1], 2],
    ValueError("v"),
    object(),
    CAT,
    DOG,
    Dog(name="mute"),
    [CAT, DOG],
    [CAT, None],
    [CAT, 1],
    {1, 2},
]
DOCUMENT = """{ things { text maybe whole number yes id exact colour colours texts lists
  one { __typename name ... on Cat { lives } ... on Dog { bark } }
  many { ... on Cat { lives name } ... on Dog { bark } } cat { lives } } }"""


@strawberry.type
class Query:
    """A root with given values."""

    given: ClassVar[list[Loose]] = []

    @strawberry.field
    def things(self) -> list[Thing | None]:
        """Return things, or given replacements."""
        return self.given  # type: ignore[return-value]


GRAPHS = [
    strawberry.Schema(Query, execution_context_class=kind, types=[Cat, Dog])
    for kind in (Executor, Plain)
]


@given(st.dictionaries(st.sampled_from([*Loose.__dataclass_fields__]), st.sampled_from(ODD)))
@settings(deadline=None)
def test_values_of_wrong_types_are_met_as_without_plans(values: dict[str, Any]) -> None:
    Query.given = [Loose(one=CAT), Loose(**{"one": DOG, **values})]
    results = [graph.execute_sync(DOCUMENT, root_value=Query()) for graph in GRAPHS]
    planned, plain = (
        (repr(result.data), [error.formatted for error in result.errors or ()])
        for result in results
    )
    assert planned == plain


@strawberry.type
class Parent:
    """An object that others are inside of."""

    name: str
    age: int
    children: list[Parent]


@strawberry.type
class Family:
    """A root with given people."""

    given: ClassVar[list[Parent]] = []

    @strawberry.field
    def all(self) -> list[Parent]:
        """Return the parents."""
        return self.given


def test_an_object_that_is_inside_another_too_is_answered_with_what_is_selected_there() -> None:
    document = parse("{ all { name children { age } } }")
    graph = strawberry.Schema(Family)._schema

    def ask(*given: Parent) -> Any:
        Family.given = [*given]
        return execute_sync(graph, document, root_value=Family(), executor_class=Executor).data

    child = Parent(name="c", age=1, children=[])
    parent = Parent(name="p", age=30, children=[child])
    of_child = {"name": "c", "children": []}
    of_parent = {"name": "p", "children": [{"age": 1}]}
    assert ask(child) == {"all": [of_child]}
    assert ask(child, parent) == {"all": [of_child, of_parent]}
    assert ask(parent, child, parent) == {"all": [of_parent, of_child, of_parent]}
