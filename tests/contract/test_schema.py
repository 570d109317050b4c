"""The schema as a contract: it is stored in a file, and documents itself."""

from itertools import chain
from pathlib import Path

import msgspec
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    get_named_type,
)

from schema.execution.schema import CORE_SCHEMA, SCHEMA
from schema.inputs.input_types import RENAMED, to_camel
from schema.root.endpoints import ENDPOINT_MUTATIONS
from schema.root.fact_mutations import FACT_MUTATIONS
from schema.root.review import REVIEW_MUTATIONS
from schema.root.scenarios import SCENARIO_MUTATIONS
from tests.support.cases import each_case
from tracker.domain.entities.entity import Retracted
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.redaction import Redacted
from tracker.domain.events.registry import FACTS
from tracker.domain.evidence.import_receipt import Receipt

KEPT = Path(__file__).parents[2] / "schema" / "schema.graphql"
RELEASED = Path(__file__).with_name("released")
BUILT_IN = {"String", "Int", "Float", "Boolean", "ID"}


def core() -> GraphQLSchema:
    """Return the schema of graphql-core."""
    return CORE_SCHEMA


def test_the_schema_is_the_one_in_the_file() -> None:
    assert SCHEMA.as_str() + "\n" == KEPT.read_text(encoding="utf-8"), (
        "The API has changed. If that is meant, print the schema anew and look at the difference:"
        " python -m schema.execution.print_sdl > schema/schema.graphql"
    )


def changes(since: GraphQLSchema, now: GraphQLSchema) -> list[str]:
    """Return breaking and dangerous changes between schemas, one per line."""
    found = [*find_breaking_changes(since, now), *find_dangerous_changes(since, now)]
    return sorted(f"{change.type.name}: {change.description}" for change in found)


def test_nothing_breaks_clients_of_the_last_release_unless_it_is_said() -> None:
    released = build_schema((RELEASED / "schema.graphql").read_text(encoding="utf-8"))
    said = (RELEASED / "changes.txt").read_text(encoding="utf-8").splitlines()
    assert changes(released, build_schema(SCHEMA.as_str())) == said, (
        "The API does not fit clients of the last release. If that is meant, put these lines into"
        " tests/contract/released/changes.txt and tell CHANGELOG.md; docs/api.md has the policy."
    )


@pytest.fixture(scope="module")
def printed() -> tuple[str, GraphQLSchema]:
    """Return the schema as text, and as parsed from it once for all changes."""
    text = SCHEMA.as_str()
    return text, build_schema(text)


@each_case(
    ("was", "becomes", "kind"),
    [
        ("  digest: String!", "  digest: String", "FIELD_CHANGED_KIND"),
        ("  digest: String!", "  hash: String!", "FIELD_REMOVED"),
        ("  asOf(\n", "  asOf(must: Int!\n", "REQUIRED_ARG_ADDED"),
        ("  asOf(\n", "  asOf(may: Int\n", "OPTIONAL_ARG_ADDED"),
        ("  BAN\n", "  FEE\n", "VALUE_REMOVED_FROM_ENUM"),
        ("  BAN\n", "  BAN\n  FEE\n", "VALUE_ADDED_TO_ENUM"),
        ("days: Int! = 90", "days: Int! = 60", "ARG_DEFAULT_VALUE_CHANGE"),
    ],
)
def test_a_change_that_may_break_clients_is_found(
    printed: tuple[str, GraphQLSchema], was: str, becomes: str, kind: str
) -> None:
    text, schema = printed
    assert was in text
    found = changes(schema, build_schema(text.replace(was, becomes)))
    assert kind in {line.partition(":")[0] for line in found}


def test_every_type_field_argument_and_enum_value_is_described() -> None:
    missing = []
    for name, kind in core().type_map.items():
        if name.startswith("__") or name in BUILT_IN:
            continue
        missing += [] if kind.description else [name]
        missing += [
            f"{name}.{value}"
            for value, of in getattr(kind, "values", {}).items()
            if not of.description
        ]
        for field_name, field in getattr(kind, "fields", {}).items():
            missing += [] if field.description else [f"{name}.{field_name}"]
            missing += [
                f"{name}.{field_name}({argument})"
                for argument, of in getattr(field, "args", {}).items()
                if not of.description
            ]
    assert missing == []


def test_every_fact_of_the_domain_has_a_mutation_but_those_of_the_watcher() -> None:
    recorded = {act.fact for act in FACT_MUTATIONS}
    others = {
        fact.__name__
        for type_, fact in FACTS.items()
        if fact not in recorded and not type_.startswith("Source.")
    }
    assert others == {
        "MemberJoined",
        "MemberLeft",
        Retracted.__name__,
        Receipt.__name__,
        Redacted.__name__,
    }
    assert core().mutation_type is not None
    fields = core().mutation_type.fields  # type: ignore[union-attr]
    more = {
        *SCENARIO_MUTATIONS,
        "recordMembership",
        "retractEvent",
        "redactEvent",
        "redactSnapshot",
        "correctEvent",
        "record",
    }
    assert {
        *more,
        *(act.name for act in FACT_MUTATIONS),
    } == fields.keys() - ENDPOINT_MUTATIONS.keys() - REVIEW_MUTATIONS.keys()


def test_nobody_can_tell_by_a_mutation_what_was_fetched_or_who_reviewed_a_fact() -> None:
    assert not any(type_.startswith("Source.") for type_, f in FACTS.items() if f in recordable())
    given = core().type_map["SourceInput"]
    assert isinstance(given, GraphQLInputObjectType)
    assert not {"snapshot", "reviewedBy"} & set(given.fields)


def recordable() -> set[type[Fact]]:
    """Return the facts that mutations record."""
    return {act.fact for act in FACT_MUTATIONS}


def test_inputs_have_the_names_that_the_domain_has_in_json() -> None:
    fields = core().mutation_type.fields  # type: ignore[union-attr]
    for act in FACT_MUTATIONS:
        kind = get_named_type(fields[act.name].args["input"].type)
        assert isinstance(kind, GraphQLInputObjectType)
        in_json = {
            RENAMED.get(field.encode_name, field.encode_name)
            for field in msgspec.structs.fields(act.fact)
        }
        assert in_json == set(kind.fields) - {"id"}
    names = (msgspec.structs.fields(fact) for fact in FACTS.values())
    assert all(to_camel(f.name) == f.encode_name for f in chain.from_iterable(names))


def test_enum_values_are_in_capitals() -> None:
    for kind in core().type_map.values():
        if isinstance(kind, GraphQLEnumType) and not kind.name.startswith("__"):
            assert all(value.isupper() for value in kind.values)
