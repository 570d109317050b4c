"""Queries in a scenario: the whole operation reads the branch of the scenario instead of the record."""

import re
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import graphql

from schema.base.context import Context, ScenarioContext
from schema.execution.admission import AdmittedOperation
from schema.execution.fixed_moments import CONSTANT, root_fields, with_defaults
from schema.root.scenarios import use_branch
from tracker.errors import InvalidInput

ARGUMENT = "scenario"
NEUTRAL = CONSTANT | {"scenario", "scenarios"}
"""Root fields that do not depend on the record."""
IN_SCENARIO = "In the scenario"
AS_RECORDED = re.compile(r"\b([Aa])s recorded\b")
SENTENCES = frozenset({"obligation", "sentence", "statement", "statusStatement", "summary"})
"""Fields with sentences about facts, which may be hypothetical."""


@asynccontextmanager
async def in_scenario(
    context: Context, admitted: AdmittedOperation, variables: Mapping[str, Any]
) -> AsyncIterator[Context]:
    """Return the context of an operation: in the scenario that it names, or the same.

    Raises InvalidInput if its fields name several, or NotFound.
    """
    key = scenario_of(admitted, variables, context.scenario)
    if key is None:
        yield context
        return
    async with use_branch(context, key) as (scenario, branch):
        services = replace(
            context.services,
            recorder=branch.recorder,
            as_of=branch.as_of,
            changes=branch.changes,
            primary=None,
        )
        names = _names_of_sentences(admitted.document)
        yield replace(context, services=services, branch=ScenarioContext(scenario, branch, names))


def as_hypothetical(text: str) -> str:
    """Return a text that calls nothing "as recorded"."""
    return AS_RECORDED.sub(lambda match: f"{'I' if match[1] == 'A' else 'i'}n the scenario", text)


def with_marks(value: Any, sentences: Collection[str], name: str = "") -> Any:
    """Return a part of a response whose sentences say that they are true in a scenario only."""
    if isinstance(value, dict):
        return {key: with_marks(part, sentences, key) for key, part in value.items()}
    if isinstance(value, list):
        return [with_marks(part, sentences, name) for part in value]
    if not isinstance(value, str) or not value or name not in sentences:
        return value
    text = as_hypothetical(value)
    return text if text.startswith(IN_SCENARIO) else f"{IN_SCENARIO}: {text}"


def _names_of_sentences(document: graphql.DocumentNode) -> frozenset[str]:
    """Return the names under which the response to a document has sentences."""
    names: set[str] = set()

    class Fields(graphql.Visitor):
        def enter_field(self, node: graphql.FieldNode, *_: Any) -> None:
            if node.name.value in SENTENCES:
                names.add((node.alias or node.name).value)

    graphql.visit(document, Fields())
    return frozenset(names)


def scenario_of(
    admitted: AdmittedOperation, variables: Mapping[str, Any], of_request: str | None
) -> str | None:
    """Return the key of the scenario of an operation, named by its request or by all of its fields.

    Raises InvalidInput.
    """
    if admitted.operation.operation is not graphql.OperationType.QUERY:
        return None
    values = {**with_defaults(admitted.operation, variables)}
    named: set[str | None] = {
        next(
            (
                given
                for argument in field.arguments or ()
                if argument.name.value == ARGUMENT
                and (given := graphql.value_from_ast_untyped(argument.value, values))
                is not graphql.Undefined
            ),
            None,
        )
        for field in root_fields(admitted.document, admitted.operation)
        if field.name.value not in NEUTRAL
    }
    if of_request is not None:
        named = (named - {None}) | {of_request}
    if len(named) > 1:
        raise InvalidInput(
            "expected the same `scenario` in all fields of a request: send a request for each",
            code="SEVERAL_SCENARIOS",
            path=(ARGUMENT,),
        )
    return named.pop() if named else None
