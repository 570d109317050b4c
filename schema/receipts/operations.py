"""Queries as receipts state them: the printed operation alone, and the moments that follow from it. Pure."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

import graphql
import msgspec
import orjson

from schema.execution.fixed_moments import is_pinned, moments_of, root_nodes, with_defaults
from tracker.audit.receipts.canonical import canonical_json, canonical_plain
from tracker.audit.receipts.pages import AFTER, MISSING_PAGE, ROWS
from tracker.audit.receipts.statement import Operation, StatementV1
from tracker.errors import InvalidInput, Rejected, TooLarge
from tracker.snapshots.digest import sha256_of

MAX_OPERATION_BYTES = 20_000
"""Maximum size of a document, and of its variables, in a receipt."""
MAX_OLD_TOKENS = 20_000
"""Maximum number of tokens of a document in a receipt of version 1."""
BAD_RECEIPT = "BAD_RECEIPT"
PAGE_INFO = "pageInfo"
ITEMS = ("nodes", "edges")
"""The fields of a page of a list."""
PAGE_ARGUMENTS = frozenset({"first", "last", "before", AFTER})
CURSOR_DEFAULT = re.compile(rf"\${AFTER}: \S+ =")


def receipt_operation(document: str, name: str | None, variables: Mapping[str, Any]) -> Operation:
    """Return the selected query of a document, printed, with the variables that it declares.

    Comments, descriptions, other operations and undeclared variables are left out. Raises TooLarge,
    InvalidInput, GraphQLError, and LookupError for a name that the document does not have.
    """
    _check_size("document", len(document))
    text, own_name, declared = _printed(document, name)
    plain = {each: value for each, value in _plain(variables).items() if each in declared}
    _check_size("printed document", len(text.encode()))
    _check_size("variables", len(canonical_json(plain)))
    return Operation(text, own_name, plain)


class _DescriptionRemover(graphql.Visitor):
    """A visitor that removes descriptions."""

    def enter(self, node: graphql.Node, *_: Any) -> graphql.Node | None:
        """Return a definition without its description."""
        if getattr(node, "description", None) is None:
            return None
        return replace(node, description=None)  # type: ignore[call-arg]  # it has one


@lru_cache(maxsize=128)
def _printed(document: str, name: str | None) -> tuple[str, str | None, frozenset[str]]:
    """Return the selected operation of a document, its name, and the variables that it declares."""
    operations = graphql.separate_operations(
        graphql.visit(graphql.parse(document), _DescriptionRemover())
    )
    [(own_name, alone)] = operations.items() if name is None else [(name, operations[name])]
    [operation] = [
        one for one in alone.definitions if isinstance(one, graphql.OperationDefinitionNode)
    ]
    declared = [each.variable.name.value for each in operation.variable_definitions or ()]
    return graphql.print_ast(alone), own_name or None, frozenset(declared)


def _plain(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables as plain JSON data: pages also pass codes of places and goods."""
    try:
        plain: dict[str, Any] = orjson.loads(orjson.dumps({**variables}))
    except orjson.JSONEncodeError:
        return {**variables}  # without a canonical form
    return plain


def _check_size(part: str, size: int) -> None:
    if size > MAX_OPERATION_BYTES:
        raise TooLarge(
            f"the {part} of the query has {size} bytes: expected at most {MAX_OPERATION_BYTES} for a receipt"
        )


def page_digest(operation: Operation) -> str:
    """Return the SHA-256 of the query of a page and its moments, by which a page knows its receipt."""
    moments = [
        {"position": str(at), "validAt": str(day)} for day, at in fixed_moments(operation) or ()
    ]
    variables = orjson.Fragment(canonical_json(operation.variables))
    plain = {**msgspec.to_builtins(operation), "variables": variables}
    return sha256_of(canonical_plain({"moments": moments, "operation": plain}))


@lru_cache(maxsize=64)
def _query(
    document: str, name: str | None
) -> tuple[graphql.OperationDefinitionNode, Sequence[graphql.SelectionNode]]:
    """Return the query of a document, and the selections of its root."""
    parsed = graphql.parse(document, max_tokens=MAX_OLD_TOKENS)
    [query] = [
        each
        for each in parsed.definitions
        if isinstance(each, graphql.OperationDefinitionNode)
        and name in (None, each.name and each.name.value)
        and each.operation is graphql.OperationType.QUERY
    ]
    return query, [*root_nodes(parsed, query.selection_set)]


def fixed_moments(operation: Operation) -> Sequence[tuple[date, int]] | None:
    """Return the moments of an operation; None if only the log has them.

    Raises Rejected: NOT_FIXED, or BAD_RECEIPT for other text than a query with dates and positions.
    """
    try:
        query, nodes = _query(operation.document, operation.operation_name)
        variables = with_defaults(query, operation.variables)
        for node in nodes:
            if isinstance(node, graphql.FieldNode) and not is_pinned(node, variables):
                raise Rejected(
                    "NOT_FIXED", f"the query does not fix date and position of {node.name.value}"
                )
        moments = moments_of(nodes, variables)
    except (graphql.GraphQLError, InvalidInput, ValueError, LookupError, RecursionError) as error:
        raise Rejected(
            BAD_RECEIPT, f"the operation is not a query with dates and positions: {error}"
        ) from None
    if moments is not None and not moments:
        raise Rejected("NOT_FIXED", "the query has no date and position")
    return moments


def _fields(document: graphql.DocumentNode) -> list[graphql.FieldNode]:
    found = list[graphql.FieldNode]()

    class Collector(graphql.Visitor):
        def enter_field(self, node: graphql.FieldNode, *_: Any) -> None:
            found.append(node)

    graphql.visit(document, Collector())
    return found


def _response_name(node: graphql.FieldNode) -> str:
    return (node.alias or node.name).value


def response_names(document: str) -> Mapping[str, frozenset[str]]:
    """Return the names of members of the response that each field of a document has, by field."""
    names = defaultdict[str, set[str]](set)
    for node in _fields(graphql.parse(document)):
        names[node.name.value].add(_response_name(node))
    return {name: frozenset(members) for name, members in names.items()}


def is_paged(document: str) -> bool | None:
    """Return whether the list of a document (alias `rows`) has pages; None without a list.

    Raises Rejected (MISSING_PAGE) if answers to the query could hide that pages are missing.
    """
    parsed = graphql.parse(document)
    lists = [node for node in _fields(parsed) if _response_name(node) == ROWS]
    if not lists:
        return None
    parts = _selected(parsed, lists[0])
    info = _selected(parsed, parts.get(PAGE_INFO))
    arguments = {
        each.name.value: graphql.print_ast(each.value) for each in lists[0].arguments or ()
    }
    names = {PAGE_INFO: parts, "hasNextPage": info, "endCursor": info}
    is_shown = all(name in of and of[name].name.value == name for name, of in names.items())
    selected = {node.name.value for node in parts.values()}
    paged = bool(arguments.keys() & PAGE_ARGUMENTS or selected & {PAGE_INFO, *ITEMS})
    begins = arguments.get(AFTER) == f"${AFTER}" and "last" not in arguments
    if (
        len(lists) > 1
        or lists[0].name.value in ITEMS
        or (paged and not (is_shown and begins))
        or CURSOR_DEFAULT.search(graphql.print_ast(parsed))
    ):
        raise Rejected(
            MISSING_PAGE,
            f"the query could hide missing pages: expected one list `{ROWS}`, with `after: $after` and"
            " `pageInfo { hasNextPage endCursor }`",
        )
    return paged


def _selected(
    document: graphql.DocumentNode, node: graphql.FieldNode | None
) -> dict[str, graphql.FieldNode]:
    """Return the fields that a field selects, also in fragments, by their names in the response."""
    nodes = root_nodes(document, node.selection_set) if node and node.selection_set else ()
    return {_response_name(each): each for each in nodes if isinstance(each, graphql.FieldNode)}


def check_operation(statement: StatementV1) -> str | None:
    """Check the query of a statement, and its moments if they follow from the query.

    Returns a remark if only the log has the moments. Raises Rejected: BAD_RECEIPT, NOT_FIXED, WRONG_MOMENT.
    """
    operation = statement.operation
    moments = fixed_moments(operation)
    if statement.header != StatementV1.header:
        try:
            printed = receipt_operation(
                operation.document, operation.operation_name, operation.variables
            )
        except (InvalidInput, TooLarge) as error:
            raise Rejected(BAD_RECEIPT, f"the operation: {error.message}") from None
        if printed != operation:
            raise Rejected(
                BAD_RECEIPT, "expected the printed query alone, with the variables that it declares"
            )
    if moments is None:
        return "The log decides the dates of this query: they are compared with a copy of the log only."
    check_moments(statement, moments)
    return None


def check_moments(statement: StatementV1, moments: Sequence[tuple[date, int]]) -> None:
    """Compare the moments of a statement with those of its query. Raises Rejected (WRONG_MOMENT)."""
    if [(moment.valid_at, moment.at) for moment in statement.moments] != [*moments]:
        own = ", ".join(f"{day} at position {at}" for day, at in moments)
        raise Rejected(
            "WRONG_MOMENT", f"the statement has other dates or positions than its query: {own}"
        )
