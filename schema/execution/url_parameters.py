"""Variables of a document as parameters of an address, for tables and pages."""

from collections.abc import Mapping
from typing import Any

import graphql
from msgspec import Struct

from schema.inputs.shipment import data_of_texts
from tracker.errors import InvalidInput

MOMENT = {"valid": "validAt", "known": "knownAt", "position": "position"}
"""Variables of documents by the parameters that choose the moment."""
SCENARIO = "scenario"
"""The parameter with the key of a scenario."""
MAX_PARAMETER_CHARACTERS, MAX_LIST_CHARACTERS = 1000, 8000
DEFINITION = "strawberry-definition"
"""Key of Strawberry's definition in a type."""


class UrlParameter(Struct, frozen=True):
    """A parameter of an address: a text for a value of a GraphQL type."""

    name: str
    type: graphql.GraphQLInputType

    @property
    def required(self) -> bool:
        """Return whether it is required."""
        return isinstance(self.type, graphql.GraphQLNonNull)

    @property
    def is_range(self) -> bool:
        """Return whether it is a range, written `2024..2025`."""
        return (
            isinstance(graphql.get_nullable_type(self.type), graphql.GraphQLInputObjectType)
            and not self.choices
        )

    @property
    def choices(self) -> Mapping[str, graphql.GraphQLInputField] | None:
        """Return the fields if exactly one may be set, written `alliance:quad`; None for other types."""
        nullable = graphql.get_nullable_type(self.type)
        if not isinstance(nullable, graphql.GraphQLInputObjectType):
            return None
        return nullable.fields if nullable.extensions[DEFINITION].is_one_of else None

    @property
    def is_list(self) -> bool:
        """Return whether it is a list, written with commas."""
        return isinstance(graphql.get_nullable_type(self.type), graphql.GraphQLList)

    @property
    def has_parts(self) -> bool:
        """Return whether it is a list whose items have parts, written `dysprosium:CN:0.2`."""
        return self.is_list and isinstance(
            graphql.get_named_type(self.type), graphql.GraphQLInputObjectType
        )

    @property
    def words(self) -> list[str] | None:
        """Return its possible words, if there are few."""
        named = graphql.get_named_type(self.type)
        return list(named.values) if isinstance(named, graphql.GraphQLEnumType) else None

    @property
    def scalar(self) -> str:
        """Return the name of its scalar, enum or range."""
        return graphql.get_named_type(self.type).name

    def read(self, text: str) -> Any:
        """Return the value for GraphQL. Raises InvalidInput with its name."""
        most = MAX_LIST_CHARACTERS if self.has_parts else MAX_PARAMETER_CHARACTERS
        if len(text) > most:
            raise InvalidInput(
                f"expected at most {most} characters", code="TOO_LARGE", path=(self.name,)
            )
        if self.choices:
            return self._read_choice(self.choices, text)
        if self.is_range:
            return self._read_range(text)
        if self.has_parts:
            return data_of_texts({self.name: [part.strip() for part in text.split(",")]})[self.name]
        if self.is_list:
            return text.split(",")
        return self._read_one(text)

    def _read_choice(
        self, choices: Mapping[str, graphql.GraphQLInputField], text: str
    ) -> dict[str, Any]:
        name, colon, value = text.partition(":")
        if name not in choices or not colon:
            raise InvalidInput(
                f"{text[:50]!r}: expected one of {', '.join(f'{one}:…' for one in choices)}",
                path=(self.name,),
            )
        return {name: UrlParameter(self.name, choices[name].type).read(value)}

    def _read_range(self, text: str) -> dict[str, Any]:
        if not text.strip():
            raise InvalidInput("expected a time from one to another: A..B", path=(self.name,))
        start, dots, end = text.partition("..")
        ends = {"from": start, "to": end if dots else start}
        numbers = self.scalar == "YearRange"
        return {
            name: self._number(value) if numbers else value for name, value in ends.items() if value
        }

    def _read_one(self, text: str) -> Any:
        if self.scalar == "Int":
            return self._number(text)
        if self.scalar == "Boolean":
            if text not in ("true", "false"):
                raise InvalidInput("expected true or false", path=(self.name,))
            return text == "true"
        if self.words and text not in self.words:
            raise InvalidInput(
                f"{text[:50]!r}: expected one of {', '.join(self.words)}", path=(self.name,)
            )
        return text

    def _number(self, text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise InvalidInput(
                f"{text[:50]!r}: expected a whole number, such as 30", path=(self.name,)
            )
        return int(text)


def require_record(scenario: object, of: str) -> None:
    """Refuse an answer without a place for the mark of a scenario. Raises InvalidInput."""
    if scenario:
        raise InvalidInput(
            f"{of} has recorded facts only: remove `scenario` from the request",
            code="NOT_IN_SCENARIOS",
            path=(SCENARIO,),
        )


def url_parameters(
    schema: graphql.GraphQLSchema, operation: graphql.OperationDefinitionNode
) -> dict[str, UrlParameter]:
    """Return the variables of an operation as parameters, with those of the moment."""
    parameters = {}
    for variable in operation.variable_definitions or ():
        name, type_ = variable.variable.name.value, graphql.type_from_ast(schema, variable.type)
        if variable.default_value and isinstance(type_, graphql.GraphQLNonNull):
            type_ = type_.of_type
        parameters[name] = UrlParameter(name, type_)  # type: ignore[arg-type]  # variables have input types
    return parameters


def read_parameters(
    subject: str, parameters: Mapping[str, UrlParameter], values: Mapping[str, str]
) -> dict[str, Any]:
    """Return the variables for the parameters of an address; `subject` is used in messages.

    Raises InvalidInput.
    """
    for name in values:
        if name not in parameters:
            known = ", ".join([*MOMENT, *parameters])
            raise InvalidInput(
                f"{name[:50]!r} is not a parameter of {subject}: expected one of {known}",
                code="BAD_REQUEST",
                path=(name[:50],),
            )
    for name, parameter in parameters.items():
        if parameter.required and name not in values:
            raise InvalidInput("expected a value", code="BAD_REQUEST", path=(name,))
    return {name: parameters[name].read(text) for name, text in values.items()}
