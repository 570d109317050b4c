"""The plans of an operation: the only module of this package that the executor uses.

A serializer makes part of a response from values, and a field call has the arguments of a field. Both are
cached per operation. If a selection has no plan, a value does not fit, or a field fails, graphql-core makes
the part and reports errors at their path.

Any other exception is a bug. It is counted in `tracker_plan_failures_total` and logged once per document,
and the plan is dropped. The client still gets its response, because graphql-core makes it.
"""

import logging
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from traceback import extract_tb
from typing import Any

import graphql
import strawberry
from graphql.execution.values import get_argument_values
from msgspec import Struct
from prometheus_client import Counter
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from projections.lru_cache import SizedLruCache
from schema.base.errors import DATABASE_ERRORS
from schema.execution.plans.serializers import NotSerializable, Serializer, SerializerBuilder
from tracker.errors import TrackerError


class FieldCall(Struct, frozen=True):
    """An asynchronous field with its arguments."""

    definition: graphql.GraphQLField
    field: StrawberryField
    informed: bool
    """Whether its method takes the request (`info`)."""
    arguments: dict[str, Any]

    def answer(self, source: Any, info: Any) -> Coroutine[Any, Any, Any]:
        """Return the awaitable of the field."""
        resolver: Any = (
            self.field.base_resolver
        )  # the return type of the method is known at run time only
        if self.informed:
            request_info = strawberry.Info(_raw_info=info, _field=self.field)
            return resolver.wrapped_func(source, info=request_info, **self.arguments)  # type: ignore[no-any-return]
        return resolver.wrapped_func(source, **self.arguments)  # type: ignore[no-any-return]


def plan_call(
    schema: Any, parent: graphql.GraphQLObjectType, node: graphql.FieldNode, variables: Any
) -> FieldCall | None:
    """Return the call of a field; None if it is synchronous, or no plain method.

    Raises the errors of its arguments.
    """
    definition = parent.fields.get(node.name.value)
    field = definition and definition.extensions.get("strawberry-definition")
    if definition is None or not _plain(field):
        return None
    served = schema._strawberry_schema
    return FieldCall(
        definition,
        field,
        field.base_resolver.info_parameter is not None,
        convert_arguments(
            get_argument_values(definition, node, variables),
            field.arguments,
            served.schema_converter.scalar_registry,
            served.config,
        ),
    )


def _plain(field: StrawberryField | None) -> bool:
    """Return whether a field is an asynchronous method with no parameters but the request and arguments."""
    resolver = field and field.base_resolver
    return bool(
        field
        and resolver
        and not field.extensions
        and resolver.is_async
        and resolver.self_parameter
        and not resolver.parent_parameter
        and (resolver.info_parameter is None or resolver.info_parameter.name == "info")
    )


def has_variables(node: graphql.FieldNode) -> bool:
    """Return whether the arguments of a field contain variables."""
    return any(_is_variable(argument.value) for argument in node.arguments or ())


def _is_variable(value: graphql.ValueNode) -> bool:
    return isinstance(value, graphql.VariableNode) or any(map(_is_variable, _parts(value)))


def _parts(value: graphql.ValueNode) -> Iterator[graphql.ValueNode]:
    if isinstance(value, graphql.ListValueNode):
        yield from value.values
    elif isinstance(value, graphql.ObjectValueNode):
        yield from (field.value for field in value.fields)


MAX_PLAN_CACHE_BYTES = 32 * 1024 * 1024
"""Memory for cached plans and their operations."""
PLAN_BYTES_PER_TOKEN = 3000
"""Approximate memory of the plans of an operation, per token of its text."""
MAX_PLAN_VARIANTS = 4
"""Combinations of included fields whose plans are cached for one operation."""
MAX_LOGGED_FRAMES = 4
"""Innermost frames of a failure that the log names."""
EXPECTED_ERRORS = (NotSerializable, graphql.GraphQLError, TrackerError, *DATABASE_ERRORS)
"""Errors that are not bugs of a plan: the plan does not fit, or the field or its arguments fail without it
too."""

PLAN_FAILURES = Counter(
    "tracker_plan_failures",
    "Plans that failed because of a bug; the response was made without them.",
    ["plan"],
    registry=None,
)
"""Failures by the part of a response; all applications of a process share the plans."""
for _part in ("value", "field", "arguments", "column"):
    PLAN_FAILURES.labels(_part)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class CachedPlans:
    """The plans of an operation, by type and fields; None without a plan."""

    operation: graphql.OperationDefinitionNode
    """A reference, so that no other operation gets its `id` meanwhile."""
    conditions: tuple[str, ...]
    """Variables that control the included fields or the introspected parts of the schema; plans are for
    their values."""
    serializers: dict[Any, Serializer | None] = field(default_factory=dict)
    calls: dict[tuple[int, int], FieldCall | None] = field(default_factory=dict)
    """Calls of fields, by parent type; None for synchronous fields."""
    variants: set[tuple[Any, ...]] = field(default_factory=set)
    """Values of the conditions that have plans."""
    logged: bool = False
    """Whether a failure of these plans was logged."""

    def make_room(self, included: tuple[Any, ...]) -> None:
        """Drop all serializers if the conditions had too many values."""
        if included not in self.variants and len(self.variants) >= MAX_PLAN_VARIANTS:
            self.serializers.clear()
            self.variants.clear()
        self.variants.add(included)

    @contextmanager
    def guard(self, part: str) -> Iterator[None]:
        """Leave a block at any error, and report errors that are bugs."""
        try:
            yield
        except Exception as error:
            self.report(part, error)

    def report(self, part: str, error: Exception, serializer: Any = None) -> None:
        """Count an error that is a bug, log the first one and drop the serializer of that key.

        Messages of exceptions may have values of variables, so the log has only the class and the location.
        """
        if isinstance(error, EXPECTED_ERRORS):
            return
        PLAN_FAILURES.labels(part).inc()
        if serializer:
            self.serializers[serializer] = None
        if self.logged:
            return
        self.logged = True
        name, location = self.operation.name, self.operation.loc
        logger.error(
            "a plan failed, the response was made without it: plan=%s error=%s operation=%s"
            " document=%s at %s",
            part,
            type(error).__name__,
            name.value if name else "unnamed",
            sha256(location.source.body.encode()).hexdigest() if location else "-",
            " > ".join(
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in extract_tb(error.__traceback__)[-MAX_LOGGED_FRAMES:]
            ),
        )


_cache: SizedLruCache[int, CachedPlans] = SizedLruCache(MAX_PLAN_CACHE_BYTES)


class PlannedExecution(StrawberryGraphQLCoreExecutionContext):
    """An execution of an operation, with its plans."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._plans = cached_plans(self.operation, self.fragment_definitions.values())
        coerced = self.variable_values.coerced
        self._included = tuple(coerced.get(name) for name in self._plans.conditions)
        self._plans.make_room(self._included)
        self._calls: dict[tuple[int, int], FieldCall | None] = {}
        """Calls whose arguments have variables, for this execution only."""

    def value_parts(
        self, type_: Any, selected: Sequence[Any], values: Sequence[Any]
    ) -> Sequence[Any] | None:
        """Return the part of the response of each value, or None if graphql-core has to make them."""
        return self._parts("value", type_, selected, values)

    def field_parts(
        self, parent: graphql.GraphQLObjectType, selected: Sequence[Any], objects: Sequence[Any]
    ) -> Sequence[Any] | None:
        """Return a field's part of the response for each object, or None if graphql-core has to make
        them."""
        return self._parts("field", parent, selected, objects)

    def has_value_plan(self, type_: Any, selected: Sequence[Any]) -> bool:
        """Return whether values of a type have a plan for the selected fields."""
        return self._serializer("value", type_, selected)[1] is not None

    def report_failure(self) -> AbstractContextManager[None]:
        """Leave a block at any error, and report errors that are bugs of plans of many moments."""
        return self._plans.guard("column")

    def field_call(
        self, parent: graphql.GraphQLObjectType, node: graphql.FieldNode
    ) -> FieldCall | None:
        """Return the call of a field of a query."""
        if self.operation.operation is not graphql.OperationType.QUERY:
            return None
        key, calls = (id(parent), id(node)), self._plans.calls
        if key not in calls and has_variables(node):
            calls = self._calls
        if key not in calls:
            calls[key] = None
            with self._plans.guard("arguments"):
                calls[key] = plan_call(self.schema, parent, node, self.variable_values)
        return calls[key]

    def _parts(
        self, part: str, type_: Any, selected: Sequence[Any], values: Sequence[Any]
    ) -> Sequence[Any] | None:
        key, serialize = self._serializer(part, type_, selected)
        if serialize is None:
            return None
        try:
            return serialize(values)
        except Exception as error:
            self._plans.report(part, error, key)
            return None

    def _serializer(
        self, part: str, type_: Any, selected: Sequence[Any]
    ) -> tuple[Any, Serializer | None]:
        """Return the cached serializer and its key."""
        key = (part, self._included, id(type_), *[id(details.node) for details in selected])
        serializers = self._plans.serializers
        if key not in serializers:
            serializers[key] = None
            builder = SerializerBuilder(self.schema, self._collect, self._arguments)
            build = builder.field_plan if part == "field" else builder.plan
            with self._plans.guard(part):
                serializers[key] = build(type_, selected)
        return key, serializers[key]

    def _arguments(
        self, definition: graphql.GraphQLField, node: graphql.FieldNode
    ) -> Mapping[str, Any]:
        return get_argument_values(definition, node, self.variable_values)

    def _collect(
        self, type_: graphql.GraphQLObjectType, selected: Any
    ) -> Iterable[tuple[str, Any]]:
        return self.collect_subfields(type_, selected)[0].items()


def cached_plans(
    operation: graphql.OperationDefinitionNode, fragments: Iterable[Any]
) -> CachedPlans:
    """Return the cache entry of an operation, which may have no plans yet."""
    plans = _cache.get(id(operation))
    if plans is None:
        fragments = list(fragments)
        selections = (operation.selection_set, *(f.selection_set for f in fragments))
        conditions = sorted({name for one in selections for name in _conditions(one)})
        plans = CachedPlans(operation, tuple(conditions))
        size = PLAN_BYTES_PER_TOKEN * sum(map(_token_count, (operation, *fragments)))
        _cache.put(id(operation), plans, size)
    return plans


def _token_count(node: graphql.Node) -> int:
    """Count the tokens of a part of a document."""
    token, count = node.loc and node.loc.start_token, 0
    while token and node.loc and token is not node.loc.end_token:
        token, count = token.next, count + 1
    return count


def _conditions(selections: graphql.SelectionSetNode | None) -> Iterator[str]:
    """Yield the variables in the directives of a selection and in arguments of introspection."""
    for node in selections.selections if selections else ():
        arguments = [
            argument
            for directive in node.directives or ()
            for argument in directive.arguments or ()
        ]
        if isinstance(node, graphql.FieldNode):
            arguments += [of for of in node.arguments or () if of.name.value == "includeDeprecated"]
        yield from (
            of.value.name.value for of in arguments if isinstance(of.value, graphql.VariableNode)
        )
        if isinstance(node, graphql.FieldNode | graphql.InlineFragmentNode):
            yield from _conditions(node.selection_set)
