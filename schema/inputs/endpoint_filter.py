"""Filters of endpoints, for GraphQL and the command line."""

from schema.inputs.arguments import parse_entity, parse_selection
from tracker.delivery.endpoint import EndpointFilter
from tracker.domain.entities.entity import entity_type


def parse_endpoint_filter(
    types: list[str] | None,
    commodities: list[str] | None,
    places: list[str] | None,
    entity: str | None,
    *,
    fields: tuple[str, str] = ("commodities", "places"),
) -> EndpointFilter:
    """Parse the filter of an endpoint by the rules of `parse_selection`, and return it as given.

    The filter is used for years, so the entity must be of an existing kind. Raises InvalidInput and
    TooLarge.
    """
    parse_selection(types, commodities, places, entity, fields=fields)
    if parse_entity(entity, "entity") is not None:
        entity_type(entity or "")
    kinds, goods, around = (
        None if words is None else tuple(words) for words in (types, commodities, places)
    )
    return EndpointFilter(kinds, goods, around, entity)
