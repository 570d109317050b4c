"""Pages of lists, in the form of Relay connections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from operator import itemgetter
from typing import Any, Generic, TypeVar

import strawberry
from strawberry import field

from projections.query.as_of import AsOf
from projections.query.lists import Filter, Key, Keyed, KeyRange, slice_range
from projections.query.moment import Moment, S, kind_name
from schema.base.decorators import lazy_object, object_type, resolver_field
from schema.inputs.order_by import cursor_name
from schema.inputs.pagination import Cursors, PageRequest, WordCursors
from schema.types.common import Node
from schema.types.completeness import AnswerScope, Completeness, completeness

T = TypeVar("T")
U = TypeVar("U")
N = TypeVar("N", bound=Node)


@object_type
class PageInfo:
    """The cursors of a page, and whether there are items before and after it."""

    ahead: strawberry.Private[Callable[[], Awaitable[bool]]]
    behind: strawberry.Private[Callable[[], Awaitable[bool]]]

    @resolver_field
    async def has_next_page(self) -> bool:
        """Whether there are more items after this page."""
        return await self.ahead()

    @resolver_field
    async def has_previous_page(self) -> bool:
        """Whether there are more items before this page."""
        return await self.behind()

    start_cursor: str | None
    """The cursor of the first item; null if the page is empty. As `before` it returns the previous page."""
    end_cursor: str | None
    """The cursor of the last item; null if the page is empty. As `after` it returns the next page."""


@object_type
class Edge(Generic[T]):
    """An item of a list, with its cursor."""

    cursor: str
    """The cursor of the item. As `after` it starts the next page behind this item, as `before` it ends a
    page in front of it."""
    node: T = field(description="The item.")


@object_type
class Connection(Generic[T]):
    """A page of a list (a Relay connection)."""

    edges: list[Edge[T]] = field(description="The items of the page with their cursors.")
    nodes: list[T] = field(description="The items of the page.")
    page_info: PageInfo
    """The cursors of the page, and whether there are items before and after it."""
    count: strawberry.Private[Callable[[], Awaitable[int]]]
    scope: strawberry.Private[AnswerScope | None] = None

    @resolver_field
    async def total_count(self) -> int:
        """The number of items in the whole list, with the same filters."""
        return await self.count()

    @resolver_field
    async def completeness(self) -> Completeness | None:
        """The completeness of the list: which lists of acts were read. Null for lists that are not about
        acts at a moment, such as `events`."""
        return await completeness(self.scope)


@dataclass(frozen=True, slots=True)
class PageSource(Generic[T]):
    """A list from which pages are taken, with its items in a range, its count, and the conversion of
    keys and cursors. An item of None is too large for the same page."""

    items: Callable[[KeyRange], Awaitable[Sequence[Keyed[T | None]]]]
    count: Callable[[], Awaitable[int]]
    encode: Callable[[Key], str]
    decode: Callable[[str, str], Key]
    connection: type[Connection[T]] = Connection
    """The type of its pages."""
    edge: Callable[[str, T], Edge[T]] = lambda cursor, node: Edge(cursor=cursor, node=node)
    """The function that makes an edge of an item."""
    scope: AnswerScope | None = None
    """The scope of a list of acts."""
    more: tuple[tuple[str, Any], ...] = ()
    """Further fields of its pages with their values, for a `connection` that has some."""

    def about(self, scope: AnswerScope | None) -> PageSource[T]:
        """Return the same list with the scope of its acts."""
        return replace(self, scope=scope)

    async def page(self, request: PageRequest) -> Connection[T]:
        """Return the requested page. Raises InvalidInput for a cursor of another list."""
        after = None if request.after is None else self.decode(request.after, "after")
        before = None if request.before is None else self.decode(request.before, "before")
        items = await self.items(KeyRange(after, before, request.size + 1, request.from_end))
        whole = [(key, item) for key, item in items if item is not None]
        size = min(request.size, len(whole))
        more = len(items) > size
        on_page = whole[len(whole) - size :] if request.from_end else whole[:size]

        async def ahead() -> bool:
            return (more and not request.from_end) or await self._any(
                before, KeyRange(after=before)
            )

        async def behind() -> bool:
            return (more and request.from_end) or await self._any(after, KeyRange(before=after))

        return lazy_object(
            self.connection,
            nodes=[item for _, item in on_page],
            scope=self.scope,
            count=self.count if more or after or before else _known_count(len(on_page)),
            **dict(self.more),
            later={
                "edges": lambda: [self.edge(self.encode(key), item) for key, item in on_page],
                "page_info": lambda: PageInfo(
                    ahead=ahead,
                    behind=behind,
                    start_cursor=self.encode(on_page[0][0]) if on_page else None,
                    end_cursor=self.encode(on_page[-1][0]) if on_page else None,
                ),
            },
        )

    async def _any(self, key: Key | None, side: KeyRange) -> bool:
        """Return whether there are items on one side of a key, or at it; False without a key."""
        if key is None:
            return False
        return bool(await self.items(KeyRange(side.after, side.before, limit=1, closed=True)))


def _known_count(number: int) -> Callable[[], Awaitable[int]]:
    """Return the count of a list that fits on one page, without a query."""

    async def count() -> int:
        return number

    return count


def entity_pages(
    as_of: AsOf,
    kind: type[S],
    moment: Moment,
    narrowed: Filter,
    show: Callable[[S], T],
    order: Enum,
) -> PageSource[T]:
    """Return pages of the entities of a kind at a moment, in an order, converted by `show`."""
    cursors = Cursors(kind_name(kind), cursor_name(order))

    async def items(span: KeyRange) -> list[Keyed[T]]:
        states = await as_of.lists.page(kind, moment, narrowed, order.value, span)
        return [(key, show(state)) for key, state in states]

    return PageSource(
        items, lambda: as_of.lists.count(kind, moment, narrowed), cursors.encode, cursors.decode
    )


def node_pages(
    as_of: AsOf,
    kind: type[N],
    moment: Moment,
    narrowed: Filter,
    order: Enum,
    matches: Callable[[Any], bool] | None = None,
) -> PageSource[N]:
    """Return pages of the entities of an output type at a moment, in an order.

    The database selects candidates; only those with a matching state are listed.
    """

    def show(state: Any) -> N:
        return kind.at(state, moment)

    if matches is None:
        return entity_pages(as_of, kind.state_type, moment, narrowed, show, order)
    return matching_pages(as_of, kind.state_type, moment, narrowed, matches, show, order)


def matching_pages(
    as_of: AsOf,
    kind: type[S],
    moment: Moment,
    narrowed: Filter,
    matches: Callable[[S], bool],
    show: Callable[[S], T],
    order: Enum,
) -> PageSource[T]:
    """Return pages of the entities of a kind at a moment whose states match, in an order.

    The database selects candidates by `narrowed`; `matches` decides.
    """
    cursors = Cursors(kind_name(kind), cursor_name(order))
    matches_read: list[Keyed[T]] | None = None

    async def matching() -> list[Keyed[T]]:
        nonlocal matches_read
        if matches_read is None:
            states = await as_of.lists.page(kind, moment, narrowed, order.value)
            matches_read = [(key, show(state)) for key, state in states if matches(state)]
        return matches_read

    async def items(span: KeyRange) -> Sequence[Keyed[T]]:
        return slice_range(await matching(), span, order.value.down)

    async def count() -> int:
        return len(await matching())

    return PageSource(items, count, cursors.encode, cursors.decode)


def list_pages(items: list[Keyed[T]], order: str, down: bool = False) -> PageSource[T]:
    """Return pages of a list in memory, in the order of its keys.

    Keys are text. `order` is the name of the list and order, which its cursors contain.
    """
    return shown_pages(items, lambda item: item, order, down)


def shown_pages(
    elements: list[Keyed[U]], show: Callable[[U], T], order: str, down: bool = False
) -> PageSource[T]:
    """Return pages of a list in memory; `show` converts the items of a page only."""
    cursors = WordCursors(order)
    elements.sort(key=itemgetter(0), reverse=down)

    async def items(span: KeyRange) -> Sequence[Keyed[T]]:
        return [(key, show(item)) for key, item in slice_range(elements, span, down)]

    async def count() -> int:
        return len(elements)

    return PageSource(items, count, cursors.encode, cursors.decode)
