"""Entities of any kind, by the ids that clients keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import strawberry
from strawberry import argument

from projections.analysis.claims import Orders
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.global_ids import entity_of_global_id
from schema.inputs.pagination import MAX_PAGE_SIZE
from schema.types.common import Node
from schema.types.event import graphql_state as shown_state
from schema.types.figure import figure
from tracker.domain.entity import EntityState
from tracker.domain.figure import FigureState
from tracker.errors import InvalidInput

GlobalId: TypeAlias = Annotated[strawberry.ID, argument(description="The `id` of an entity.")]
GlobalIds: TypeAlias = Annotated[
    list[strawberry.ID], argument(description=f"At most {MAX_PAGE_SIZE} of them.")
]


async def node(info: Info, moment: Moment, id: str) -> Node | None:
    """The entity of an id at a moment; None while there is none."""
    [found] = await _find_states(info, moment, [entity_of_global_id(id, "id")])
    return found


async def nodes(info: Info, moment: Moment, ids: Sequence[str]) -> list[Node | None]:
    """The entities of these ids at a moment, in the order of the ids; None where there is none."""
    if len(ids) > MAX_PAGE_SIZE:
        raise InvalidInput(
            f"expected at most {MAX_PAGE_SIZE} ids", code="INVALID_PAGE_SIZE", path=("ids",)
        )
    return await _find_states(
        info, moment, [entity_of_global_id(id, "ids", at) for at, id in enumerate(ids)]
    )


async def _find_states(info: Info, moment: Moment, entities: Sequence[str]) -> list[Node | None]:
    as_of = info.context.services.as_of
    states = await as_of.named(entities, moment)
    figures = any(isinstance(state, FigureState) for state in states.values())
    orders = await as_of.orders(moment) if figures else []
    shown = {name: _to_node(state, moment, orders) for name, state in states.items()}
    return [shown.get(entity) for entity in entities]


def _to_node(state: EntityState, moment: Moment, orders: Orders) -> Node:
    if isinstance(state, FigureState):
        return figure(state, orders)
    return shown_state(state, moment)
