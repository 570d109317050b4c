"""List fields: a method returns the list, and the field has the common arguments of lists.

    @list_field(Firm, FirmOrder)
    async def firms(self, info: Info, order: Enum, search: Search = None) -> PageSource[Firm]:
        "Firms that are identified."

The field `firms` has the arguments of the method, then `orderBy`, `first`, `after`, `last` and `before`,
then those that the method takes by keyword only. It returns a page of the list of the method.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

from schema.base.argument_group import optional, spread
from schema.base.decorators import resolver_field
from schema.inputs.arguments import (
    CheckedAs,
    Level,
    Primary,
    Publisher,
    Verified,
    domain_value,
    parse_publisher,
)
from schema.inputs.order_by import ORDER_BY
from schema.inputs.pagination import After, Before, First, Last, parse_page
from schema.inputs.ranges import PublishedIn, parse_days
from schema.types.connection import Connection

PAGING: Mapping[str, Any] = {"first": First, "after": After, "last": Last, "before": Before}
"""The arguments of pages, by name."""

SOURCES: Mapping[str, Any] = {
    "published": PublishedIn,
    "publisher": Publisher,
    "verified": Verified,
    "level": Level,
    "primary": Primary,
    "checked": CheckedAs,
}
"""The arguments about the sources of the items of a list, by name."""


def list_field(
    node: Any,
    orders: type[Enum] | None = None,
    default: str = "",
    *,
    sources: Mapping[str, Any] | None = None,
    paging: Mapping[str, Any] = PAGING,
    connection: Any = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator of a method that returns the `PageSource` of a list.

    The list is in the order `order` if it has `orders`. `default` is the name of the default order;
    without it, the first one.

    With `sources` the field has these arguments, and the method gets `sources`: the part of a `Filter`
    that they form. A method that takes the `page` itself returns its connection.
    """
    initial = None if orders is None else orders[default] if default else next(iter(orders))

    def decorate(method: Callable[..., Any]) -> Any:
        method = spread(method)
        of_method = signature(method).parameters

        @wraps(method)
        async def resolve(
            self: Any,
            info: Any,
            first: int | None = None,
            after: str | None = None,
            last: int | None = None,
            before: str | None = None,
            **arguments: Any,
        ) -> Any:
            page = parse_page(first, after, last, before)
            if orders is not None:
                arguments["order"] = arguments.pop("order_by", initial)
            if sources is not None:
                values = {name: arguments.pop(name, None) for name in sources}
                arguments["sources"] = parse_sources(**values)
            if "page" in of_method:
                return await method(self, info, page=page, **arguments)
            return await (await method(self, info, **arguments)).page(page)

        own = [one for name, one in of_method.items() if name not in ("order", "sources", "page")]
        resolve.__signature__ = signature(method).replace(  # type: ignore[attr-defined]
            parameters=[
                *(one for one in own if one.kind is not Parameter.KEYWORD_ONLY),
                *(optional(name, of) for name, of in (sources or {}).items()),
                *([optional("order_by", Annotated[orders, ORDER_BY], initial)] if orders else []),
                *(optional(name, of) for name, of in paging.items()),
                *(one for one in own if one.kind is Parameter.KEYWORD_ONLY),
            ],
            return_annotation=connection or Connection[node],
        )
        return resolver_field(resolve)

    return decorate


def parse_sources(
    published: Any, publisher: str | None, level: Any, checked: Any, **qualities: bool | None
) -> dict[str, Any]:
    """Return the part of a `Filter` about sources. Raises InvalidInput."""
    return {
        "publishers": parse_publisher(publisher),
        "published": parse_days(published, "published"),
        "level": domain_value(level),
        "checked": domain_value(checked),
        **qualities,
    }
