"""Lists in pages: connections whose cursors say after which item to go on, never how many to skip.

So a page neither repeats nor misses anything, however much is recorded between two of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import strawberry
from strawberry import field

from projections.as_of import AsOf, Filter, Moment, S, kind_name
from schema.arguments import LAST_POSITION, entity_path, page_size
from schema.described import answer, output
from schema.ids import sealed, unsealed
from tracker.domain.kinds import KINDS
from tracker.errors import InvalidInput

T = TypeVar("T")


@output
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = field(description="Whether there are more items after this page.")
    has_previous_page: bool = field(description="Whether the page was asked for after a cursor.")
    start_cursor: str | None = field(description="The cursor of the first item; null if empty.")
    end_cursor: str | None = field(
        description="The cursor of the last item: give it as `after` for the next page.")


@output
class Edge(Generic[T]):
    """An item of a list, with its cursor."""

    cursor: str = field(description="Give it as `after` to go on behind this item.")
    node: T = field(description="The item.")


@output
class Connection(Generic[T]):
    """A page of a list."""

    edges: list[Edge[T]] = field(description="The items of the page with their cursors.")
    nodes: list[T] = field(description="The items of the page.")
    page_info: PageInfo = field(description="Where the page lies in the list.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @answer
    async def total_count(self) -> int:
        """How many items the whole list has, with the same filters."""
        return await self.count()


def connection(
    nodes: Sequence[T], cursors: Sequence[str], first: int, after: str | None,
    count: Callable[[], Awaitable[int]],
) -> Connection[T]:
    """The page of `first` items out of those fetched, of which one more was asked for.

    `count` is asked only where the page does not tell how many there are.
    """
    if after is None and len(nodes) <= first:
        count = _all_of(len(nodes))
    edges = [Edge(cursor=cursor, node=node)
             for node, cursor in zip(nodes[:first], cursors[:first], strict=True)]
    return Connection(
        edges=edges,
        nodes=[edge.node for edge in edges],
        count=count,
        page_info=page_info(edges, first, len(nodes), after),
    )


def _all_of(number: int) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        return number

    return count


def page_info(edges: Sequence[Edge[T]], first: int, found: int, after: str | None) -> PageInfo:
    """Where a page lies, from its edges and how many items were found for it and after it."""
    return PageInfo(
        has_next_page=found > first,
        has_previous_page=after is not None,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )


async def page_of_states(
    as_of: AsOf, kind: type[S], moment: Moment, narrowed: Filter, show: Callable[[S], T],
    first: int, after: str | None = None,
) -> Connection[T]:
    """A page of the entities of a kind at a moment, by id, shown as `show` does."""
    name = kind_name(kind)
    states = await as_of.states(kind, moment, narrowed, after=entity_after(name, after),
                                limit=page_size(first))
    return connection(
        [show(state) for state in states], [cursor(name, state.id) for state in states],
        first, after, lambda: as_of.count(kind, moment, narrowed),
    )


def cursor(kind: str, id: str, position: int | None = None) -> str:
    """An opaque cursor for an entity, or for an event of it."""
    return sealed(f"{kind}/{id}" if position is None else f"{kind}/{id}#{position}")


def opened(given: str | None) -> str | None:
    """The key that a cursor stands for. Raises InvalidInput for what never was a cursor."""
    if given is None:
        return None
    try:
        return unsealed(given)
    except ValueError:
        raise _not_a_cursor() from None


def stream_after(given: str | None) -> str | None:
    """The entity, of whichever kind, that a cursor stands for. Raises InvalidInput."""
    kind = (opened(given) or "").partition("/")[0]
    if given is not None and kind not in KINDS:
        raise _not_a_cursor()
    return None if given is None else f"{kind}/{entity_after(kind, given)}"


def entity_after(kind: str, given: str | None) -> str | None:
    """The id of the entity that a cursor stands for. Raises InvalidInput."""
    return None if given is None else _key(kind, given, positioned=False)[0]


def event_after(kind: str, given: str | None) -> tuple[str, int] | None:
    """The id of the entity and the position that a cursor stands for. Raises InvalidInput."""
    return None if given is None else _key(kind, given, positioned=True)


def _key(kind: str, given: str, *, positioned: bool) -> tuple[str, int]:
    try:
        entity, mark, position = unsealed(given).partition("#")
        of, _, id = entity.partition("/")
        if of != kind or entity_path(kind, id) is None or bool(mark) is not positioned:
            raise ValueError
        return id, min(int(position), LAST_POSITION) if positioned else 0
    except ValueError:
        raise _not_a_cursor() from None


def _not_a_cursor() -> InvalidInput:
    return InvalidInput("this is not a cursor of this list: expected an endCursor that it gave",
                        code="INVALID_CURSOR", path=("after",))
