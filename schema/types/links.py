"""Links from an entity to others at the same moment, loaded in batches per response.

A field with the name of an entity has a link field beside it, named after its target: `partOf` and
`partOfAlliance`.
"""

from collections.abc import Sequence

from projections.analysis.claims import Orders
from projections.query.moment import Moment
from schema.base.context import Info
from schema.types.common import NODE_TYPES, Node
from schema.types.figure import figure
from tracker.domain.entities.entity import EntityState
from tracker.domain.figures.figure import FigureState


def node_of(state: EntityState, moment: Moment | None) -> Node:
    """Return the GraphQL type of a state at a moment, or in a version of a history without one."""
    return NODE_TYPES[type(state)].at(state, moment)


async def linked_node(info: Info, entity: str, moment: Moment | None) -> Node | None:
    """Return the entity of a name at a moment, or now without one; None if it has no state."""
    [node] = await linked_nodes(info, [entity], moment)
    return node


async def linked_nodes(
    info: Info, entities: Sequence[str], moment: Moment | None
) -> list[Node | None]:
    """Return entities by their names, in order, at a moment or now; None for those without a state."""
    if not entities:
        return []
    as_of = info.context.services.as_of
    at = moment or await as_of.resolve()
    states = await info.context.loaders.states.load_many([(entity, at) for entity in entities])
    figures = any(isinstance(state, FigureState) for state in states)
    orders = await as_of.orders(at) if figures else []
    return [None if state is None else _node(state, orders, at) for state in states]


def _node(state: EntityState, orders: Orders, moment: Moment) -> Node:
    if isinstance(state, FigureState):
        return figure(state, orders, moment)
    return node_of(state, moment)
