"""The tables: a GraphQL document each, in `documents/`, with its parameters.

The name of a file is the name of a table, its first line the content. A second line names parameters of
which the table needs at least one. `$validAt` and `$position` are the
moment; `$first`, `$after` and `$until` select a page. All other variables are parameters of the table by
their own names.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from graphql import OperationDefinitionNode, parse
from msgspec import Struct

from schema.execution.schema import CORE_SCHEMA
from schema.execution.url_parameters import MOMENT, UrlParameter, read_parameters, url_parameters
from schema.tables.shape import Shape, shape_of
from tracker.errors import NotFound

NEEDS = "# Needs one of: "
NOT_PARAMETERS = frozenset({*MOMENT.values(), "first", "after", "until"})
"""Variables that are not parameters: the moment, and the page."""


class Table(Struct, frozen=True):
    """A table with its parameters."""

    name: str
    about: str
    document: str
    shape: Shape
    parameters: Mapping[str, UrlParameter]
    variables: frozenset[str]
    """All variables of its document."""
    needs_one_of: tuple[str, ...] = ()
    """Parameters. The table needs at least one of them."""

    @property
    def is_whole(self) -> bool:
        """Return whether it has all rows without parameters."""
        required = any(one.required for one in self.parameters.values())
        return not required and not self.needs_one_of

    def read(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Return the variables for the parameters of an address. Raises InvalidInput."""
        return read_parameters(self.name, self.parameters, parameters)


@cache
def tables() -> Mapping[str, Table]:
    """Return all tables by their names."""
    paths = files(__package__).joinpath("documents").iterdir()
    names = sorted(file.name.removesuffix(".graphql") for file in paths)
    return {name: _table(name) for name in names}


def table(name: str) -> Table:
    """Return a table by its name. Raises NotFound."""
    try:
        return tables()[name]
    except KeyError:
        raise NotFound(
            f"{name[:50]!r} is not a table: expected one of {', '.join(tables())}", code="NOT_FOUND"
        ) from None


def _table(name: str) -> Table:
    text = files(__package__).joinpath("documents", f"{name}.graphql").read_text("utf-8")
    about, _, document = text.partition("\n")
    needs = document.partition("\n")[0].partition(NEEDS)[2]
    [operation] = parse(document).definitions
    assert isinstance(operation, OperationDefinitionNode)
    schema = CORE_SCHEMA
    parameters = url_parameters(schema, operation)
    return Table(
        name,
        about.removeprefix("# "),
        document,
        shape_of(schema, operation),
        {name: one for name, one in parameters.items() if name not in NOT_PARAMETERS},
        frozenset(parameters),
        tuple(needs.split(", ")) if needs else (),
    )
