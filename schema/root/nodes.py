"""Entities of any kind, by their global ids."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, TypeAlias

import strawberry

from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.global_ids import NodeId, parse_node_id
from schema.inputs.moment import report_moment
from schema.inputs.pagination import MAX_PAGE_SIZE
from schema.types.common import Node
from schema.types.event import past_state
from schema.types.links import linked_nodes
from tracker.errors import InvalidInput

GlobalId: TypeAlias = Annotated[strawberry.ID, "The `id` of an entity."]
GlobalIds: TypeAlias = Annotated[list[strawberry.ID], f"The ids, at most {MAX_PAGE_SIZE}."]


async def node(info: Info, moment: Moment, id: str) -> Node | None:
    """Return the entity of an id at a moment, also for an id of another moment; None without one."""
    [state] = await _find_states(info, moment, [parse_node_id(id, "id").entity])
    return state


async def nodes(info: Info, moment: Moment, ids: Sequence[str]) -> list[Node | None]:
    """Return the entities of ids at a moment, in the order of the ids; None for missing ones."""
    return await _find_states(info, moment, [id.entity for id in _parse_ids(ids)])


async def same_node(info: Info, id: str) -> Node | None:
    """Return the object of an id; for an id without a moment, the present entity."""
    [state] = await _find_again(info, [parse_node_id(id, "id")], [("id",)])
    return state


async def same_nodes(info: Info, ids: Sequence[str]) -> list[Node | None]:
    """Return the objects of ids, in their order."""
    return await _find_again(info, _parse_ids(ids), [("ids", at) for at in range(len(ids))])


def _parse_ids(ids: Sequence[str]) -> list[NodeId]:
    if len(ids) > MAX_PAGE_SIZE:
        raise InvalidInput(
            f"expected at most {MAX_PAGE_SIZE} ids", code="INVALID_PAGE_SIZE", path=("ids",)
        )
    return [parse_node_id(id, "ids", at) for at, id in enumerate(ids)]


async def _find_again(
    info: Info, ids: Sequence[NodeId], paths: Sequence[tuple[str | int, ...]]
) -> list[Node | None]:
    """Load the objects of ids; those of one moment are read together."""
    as_of = info.context.services.as_of
    nodes: list[Node | None] = [None] * len(ids)
    groups = defaultdict[tuple[Moment | None, bool], list[int]](list)
    for at, id in enumerate(ids):
        if not id.planned:
            groups[id.moment, id.past].append(at)
    if not groups:
        report_moment(info, await as_of.resolve())
    for (moment, past), places in groups.items():
        day, position = (moment.valid_at, moment.position) if moment else (None, None)
        try:
            resolved = await as_of.resolve(day, None, position)
        except InvalidInput as error:
            raise error.below(*paths[places[0]]) from None
        if len(groups) == 1:
            report_moment(info, resolved)
        entities = [ids[at].entity for at in places]
        for at, node in zip(
            places, await _find_states(info, resolved, entities, past), strict=True
        ):
            nodes[at] = node
    return nodes


async def _find_states(
    info: Info, moment: Moment, entities: Sequence[str], past: bool = False
) -> list[Node | None]:
    """Load entities by name at a moment, or with `past` the versions of histories that begin there."""
    if not past:
        return await linked_nodes(info, entities, moment)
    states = await info.context.services.as_of.named(entities, moment)
    return [past_state(states[entity], moment) if entity in states else None for entity in entities]
