"""Recorded events as states of the forms that record them, for corrections. Pure."""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, get_nullable_type

from schema.inputs.input_types import RENAMED
from schema.pages.forms.form import commands
from schema.pages.forms.state import State
from schema.root.fact_mutations import FACT_MUTATIONS, MembershipChange
from tracker.domain.actors.alliance import MemberJoined, MemberLeft
from tracker.domain.events.registry import fact_type

MUTATIONS = {act.fact: act for act in FACT_MUTATIONS}
MEMBERSHIPS = {MemberJoined: MembershipChange.JOINED, MemberLeft: MembershipChange.LEFT}


def command_of(type: str) -> str | None:
    """Return the command that records events of a type; None if no form does."""
    fact = fact_type(type)
    if fact in MEMBERSHIPS:
        return "recordMembership"
    return MUTATIONS[fact].name if fact in MUTATIONS else None


def event_state(event: Mapping[str, Any]) -> tuple[str, dict[str, State]] | None:
    """Return the command that records an event, and the state of its form; None if no form records it."""
    name = command_of(event["type"])
    if name is None:
        return None
    data = dict(event["data"])
    for annex in event["annexes"]:
        _put(data, annex["field"].split("/")[1:], annex["text"] or "")
    fact = fact_type(event["type"])
    if fact in MEMBERSHIPS:
        data["change"] = MEMBERSHIPS[fact].value
    if "id" in commands()[name].fields:
        data["id"] = event["entity"].partition("/")[2]
    return name, _object(commands()[name], data)


def _put(data: Any, path: Sequence[str], text: str) -> None:
    """Put a text in the place of its commitment."""
    for part in path[:-1]:
        data = data[int(part)] if isinstance(data, list) else data[part]
    data[path[-1]] = text


def _object(kind: GraphQLInputObjectType, data: Mapping[str, Any]) -> dict[str, State]:
    named = {RENAMED.get(name, name): value for name, value in data.items()}
    return {
        name: _state(get_nullable_type(field.type), named[name])
        for name, field in kind.fields.items()
        if named.get(name) is not None
    }


def _state(kind: Any, value: Any) -> State:
    match kind, value:
        case GraphQLInputObjectType(), dict():
            return _object(kind, value)
        case GraphQLList(), list():
            return [_state(get_nullable_type(kind.of_type), of) for of in value]
        case GraphQLEnumType(), str():
            return next((name for name, of in kind.values.items() if _word(of) == value), value)
        case _, bool():
            return "true" if value else "false"
    return str(value)


def _word(value: Any) -> Any:
    """The word of the domain for a value of a GraphQL enum."""
    of = value.value
    return of.value if isinstance(of, Enum) else of
