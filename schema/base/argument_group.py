"""Groups of optional arguments that several fields share.

    @resolver_field
    async def clauses(self, info: Info, filters: ArgumentGroup = CLAUSE_FILTERS) -> list[Clause]:

The field has the arguments of the group in the place of the parameter. The method gets their values by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any


class ArgumentGroup(dict[str, Any]):
    """Arguments by name, with their types and descriptions."""

    @classmethod
    def of(cls, **described: tuple[Any, str]) -> ArgumentGroup:
        """Return arguments that may be left out, each of a type and with a description."""
        return cls({name: Annotated[kind | None, text] for name, (kind, text) in described.items()})

    def only(self, names: str) -> ArgumentGroup:
        """Return some of the arguments, in an order."""
        return ArgumentGroup({name: self[name] for name in names.split()})


def spread(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a coroutine method with the arguments of the groups that are defaults of its parameters."""
    if not any(isinstance(each, ArgumentGroup) for each in method.__defaults__ or ()):
        return method
    parameters = signature(method).parameters
    groups = {
        name: of.default for name, of in parameters.items() if isinstance(of.default, ArgumentGroup)
    }

    @wraps(method)
    async def resolve(*given: Any, **values: Any) -> Any:
        of_groups = {
            name: {each: values.pop(each, None) for each in group} for name, group in groups.items()
        }
        return await method(*given, **values, **of_groups)

    spread_parameters = [
        part
        for name, of in parameters.items()
        for part in ([optional(*each) for each in groups[name].items()] if name in groups else [of])
    ]
    resolve.__signature__ = signature(method).replace(parameters=spread_parameters)  # type: ignore[attr-defined]
    return resolve


def optional(name: str, annotation: Any, default: Any = None) -> Parameter:
    """Return a parameter that may be left out."""
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)
