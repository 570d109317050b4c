"""The executor: graphql-core's, except for what is known of a document when it comes again: the
parts of an answer that have a plan, and the fields with their arguments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from inspect import isawaitable
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_nullable_type,
)
from graphql.execution.values import get_argument_values
from graphql.pyutils import gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from projections.lru_cache import SizedLruCache
from schema.execution.field_calls import FieldCall, has_variables, plan_call
from schema.execution.loop_turns import loop_turn
from schema.execution.value_plans import Serializer, SerializerBuilder
from schema.root.as_of.base import AtMoment

MAX_PLAN_CACHE_BYTES = 32 * 1024 * 1024
"""Memory for plans that are kept, with their operations; those of one that is forgotten are made
anew."""
PLAN_BYTES_PER_TOKEN = 3000
"""Memory that the plans of an operation take, about, for each of its words and signs."""
ITEMS_PER_TURN = 20
"""Items of a list without a plan that are completed in one turn of the event loop: some milliseconds."""
MAX_PLAN_VARIANTS = 4
"""Ways to include fields whose plans are kept for one operation."""


@dataclass(slots=True)
class ExecutionPlan:
    """The plans of an operation: by type and fields, None where there is none."""

    operation: OperationDefinitionNode
    """Kept so that its `id` is not that of another meanwhile."""
    conditions: tuple[str, ...]
    """The variables that say which fields are included, or which parts of the schema are told;
    plans are for their values."""
    known: dict[Any, Serializer | None] = field(default_factory=dict)
    fields: dict[Any, Serializer | None] = field(default_factory=dict)
    """Likewise by the type that a field is of and the field: how it gets from an object into an answer."""
    calls: dict[tuple[int, int], FieldCall | None] = field(default_factory=dict)
    """The calls of fields, by the type that they are of; None for those that are no calls."""
    values: set[tuple[Any, ...]] = field(default_factory=set)
    """The values of the conditions that plans are known for."""

    def make_room(self, included: tuple[Any, ...]) -> None:
        """Forget all plans where there would be some for too many values of the conditions."""
        if included not in self.values and len(self.values) >= MAX_PLAN_VARIANTS:
            self.known.clear()
            self.fields.clear()
            self.values.clear()
        self.values.add(included)


_execution_plans: SizedLruCache[int, ExecutionPlan] = SizedLruCache(MAX_PLAN_CACHE_BYTES)


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Executes an operation."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._plans = _execution_plan(self.operation, self.fragment_definitions.values())
        coerced = self.variable_values.coerced
        self._included = tuple(coerced.get(name) for name in self._plans.conditions)
        self._plans.make_room(self._included)
        self._calls: dict[tuple[int, int], FieldCall | None] = {}
        """Calls with variables, which are those of this request."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Any,
        path: Any,
        position_context: Any,
    ) -> Any:
        """A field's part of the answer, perhaps to be waited for."""
        plan = self._field_plan(parent_type, field_details_list)
        if plan is not None:
            try:
                return plan([source])[0]
            except Exception:
                pass  # whatever it is, graphql-core meets it too, and says where
        turns = source.turns if isinstance(source, AtMoment) else None
        execute = partial(
            self._execute_call, parent_type, source, field_details_list, path, position_context
        )
        return _in_turn(turns, execute) if turns else execute()

    def _execute_call(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: Any,
        path: Any,
        position_context: Any,
    ) -> Any:
        found = self._call(parent_type, field_details_list[0].node)
        if found is None:
            return super().execute_field(
                parent_type, source, field_details_list, path, position_context
            )
        info = self.build_resolve_info(
            found.definition, [details.node for details in field_details_list], parent_type, path
        )
        return self.complete_awaitable_value(
            found.definition.type,
            field_details_list,
            info,
            path,
            found.answer(source, info),
            position_context,
        )

    def complete_value(
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        """A value's part of the answer."""
        plan = self._plan(return_type, field_details_list)
        if plan is not None:
            try:
                return plan([result])[0]
            except Exception:
                pass  # whatever it is, graphql-core meets it too, and says where
        return super().complete_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Any,
        position_context: Any,
    ) -> Any:
        """The items' parts of the answer: those of many moments field by field."""
        if (
            position_context is None
            and isinstance(items, list)
            and items
            and isinstance(items[0], AtMoment)
        ):
            type_ = get_nullable_type(item_type)
            found, deferred, _ = self.collect_subfields(type_, field_details_list)
            if not deferred:
                return self._complete_moments(type_, found, path, items)
        if (
            position_context is None
            and isinstance(items, list)
            and len(items) > ITEMS_PER_TURN
            and not any(map(self.is_awaitable, items))
        ):
            return self._complete_in_turns(item_type, field_details_list, info, path, items)
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    async def _complete_in_turns(
        self, item_type: Any, field_details_list: Any, info: Any, path: Any, items: Sequence[Any]
    ) -> list[Any]:
        """The items' parts of the answer, made some at a time: others are answered in between."""
        completed: list[Any] = []
        waiting: list[int] = []
        try:
            for start in range(0, len(items), ITEMS_PER_TURN):
                async with loop_turn():
                    for index, item in enumerate(items[start : start + ITEMS_PER_TURN], start):
                        at = path.add_key(index, None)
                        if self.complete_list_item_value(
                            item, completed, item_type, field_details_list, info, at, None
                        ):
                            waiting.append(index)
        except BaseException:
            self.settle_in_background([completed[index] for index in waiting])
            raise
        parts = await gather_with_cancel(*(completed[index] for index in waiting))
        for index, part in zip(waiting, parts, strict=True):
            completed[index] = part
        return completed

    async def _complete_moments(
        self,
        type_: GraphQLObjectType,
        fields: Mapping[str, Any],
        path: Any,
        moments: Sequence[AtMoment],
    ) -> list[dict[str, Any]]:
        columns = await gather_with_cancel(
            *(
                self._column(type_, name, selected, path, moments)
                for name, selected in fields.items()
            )
        )
        return [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]

    async def _column(
        self,
        type_: GraphQLObjectType,
        name: str,
        selected: Sequence[Any],
        path: Any,
        moments: Sequence[AtMoment],
    ) -> list[Any]:
        """A field's parts of the answer at many moments. Where one moment has an answer that was
        made for all of them, the others are not asked."""

        def at(number: int) -> Any:
            return path.add_key(number).add_key(name, type_.name)

        try:
            parts = await self._parts_of_all(type_, selected, at(0), moments)
        except Exception:  # whatever it is, graphql-core meets it too, and says where
            parts = []
        rest = [
            self.execute_field(type_, moments[number], selected, at(number), None)
            for number in range(len(parts), len(moments))
        ]
        waiting = [part for part in rest if self.is_awaitable(part)]
        awaited = iter(await gather_with_cancel(*waiting)) if waiting else iter(())
        return parts + [next(awaited) if self.is_awaitable(part) else part for part in rest]

    async def _parts_of_all(
        self,
        type_: GraphQLObjectType,
        selected: Sequence[Any],
        path: Any,
        moments: Sequence[AtMoment],
    ) -> list[Any]:
        """A field's parts of the answer at the first moments: as many as can be had by a plan and
        one call."""
        if (at_hand := self._field_plan(type_, selected)) is not None:
            return [*at_hand(moments)]
        call = self._call(type_, selected[0].node)
        plan = self._plan(call.definition.type, selected) if call else None
        if call is None or plan is None:
            return []
        nodes = [details.node for details in selected]
        info = self.build_resolve_info(call.definition, nodes, type_, path)
        first, series = moments[0], moments[0].moment.series
        found = await _in_turn(first.turns, partial(call.answer, first, info))
        of_days = series.days_of(found) if series else None
        if series is None or of_days is None:
            return [*plan([found])]
        parts: list[Any] = []
        for one in moments:
            await series.give_way()
            parts += plan([of_days[one.moment.valid_at]])
        return parts

    def _field_plan(self, parent: GraphQLObjectType, selected: Sequence[Any]) -> Serializer | None:
        """The plan of a field that its object has at hand, and all that is selected of it."""
        key = (self._included, id(parent), *[id(details.node) for details in selected])
        known = self._plans.fields
        if key not in known:
            try:
                known[key] = self._builder().field_plan(parent, selected)
            except Exception:  # NotSerializable, or a wrong condition, which graphql-core meets too
                known[key] = None
        return known[key]

    def _call(self, parent: GraphQLObjectType, node: FieldNode) -> FieldCall | None:
        if self.operation.operation is not OperationType.QUERY:
            return None
        key, known = (id(parent), id(node)), self._plans.calls
        if key not in known and has_variables(node):
            known = self._calls
        if key not in known:
            try:
                known[key] = plan_call(self.schema, parent, node, self.variable_values)
            except Exception:  # wrong arguments, which graphql-core meets too
                known[key] = None
        return known[key]

    def _plan(self, type_: Any, selected: Sequence[Any]) -> Serializer | None:
        key = (self._included, id(type_), *[id(details.node) for details in selected])
        known = self._plans.known
        if key not in known:
            try:
                known[key] = self._builder().plan(type_, selected)
            except Exception:  # NotSerializable, or a wrong condition, which graphql-core meets too
                known[key] = None
        return known[key]

    def _builder(self) -> SerializerBuilder:
        return SerializerBuilder(self.schema, self._collect, self._arguments)

    def _arguments(self, definition: GraphQLField, node: FieldNode) -> Mapping[str, Any]:
        return get_argument_values(definition, node, self.variable_values)

    def _collect(self, type_: GraphQLObjectType, selected: Any) -> Iterable[tuple[str, Any]]:
        return self.collect_subfields(type_, selected)[0].items()


async def _in_turn(turns: asyncio.Semaphore | None, execute: Callable[[], Any]) -> Any:
    """The answer of a field of one of many moments, of which few are worked on at a time: what is
    read for each moment alone would take all connections to the database."""
    async with turns or nullcontext():
        answer = execute()
        return await answer if isawaitable(answer) else answer


def _execution_plan(operation: OperationDefinitionNode, fragments: Iterable[Any]) -> ExecutionPlan:
    """The plans of an operation, as far as there are some already."""
    found = _execution_plans.get(id(operation))
    if found is None:
        fragments = list(fragments)
        selections = (operation.selection_set, *(f.selection_set for f in fragments))
        conditions = sorted({name for one in selections for name in _conditions(one)})
        found = ExecutionPlan(operation, tuple(conditions))
        size = PLAN_BYTES_PER_TOKEN * sum(map(_tokens, (operation, *fragments)))
        _execution_plans.put(id(operation), found, size)
    return found


def _tokens(node: Node) -> int:
    """How many words and signs a part of a document has."""
    token, count = node.loc and node.loc.start_token, 0
    while token and node.loc and token is not node.loc.end_token:
        token, count = token.next, count + 1
    return count


def _conditions(selections: SelectionSetNode | None) -> Iterator[str]:
    """The variables in the directives of a selection, and in what introspection is asked with."""
    for node in selections.selections if selections else ():
        given = [
            argument
            for directive in node.directives or ()
            for argument in directive.arguments or ()
        ]
        if isinstance(node, FieldNode):
            given += [of for of in node.arguments or () if of.name.value == "includeDeprecated"]
        yield from (of.value.name.value for of in given if isinstance(of.value, VariableNode))
        if isinstance(node, FieldNode | InlineFragmentNode):
            yield from _conditions(node.selection_set)
