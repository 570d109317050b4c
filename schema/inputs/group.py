"""Groups of countries as clients name them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

import strawberry
from strawberry import UNSET, field
from strawberry.dataloader import DataLoader

from projections.analysis.distribution import OTHER, WORLD
from projections.analysis.groups import Group, countries_of
from projections.query.as_of import AsOf
from projections.query.moment import Moment, kind_name
from schema.base.global_ids import key_of
from schema.inputs.arguments import parse_all
from tracker.domain.alliance import AllianceState
from tracker.domain.places import Place
from tracker.errors import InvalidInput, TooLarge

MAX_GROUP_PLACES = 100
AllianceLoader: TypeAlias = DataLoader[str, AllianceState | None]
"""Alliances of one moment, by their names in the log."""
KIND = kind_name(AllianceState)


@strawberry.input(
    one_of=True,
    description="A group of countries, by exactly one of these fields. Unions (`EU`) stand for the"
    " countries that are in them on the day of the moment, groups such as `US_CA` for theirs.",
)
class GroupInput:
    """A group of countries, by exactly one of these fields."""

    alliance: str | None = field(
        description="The members that this alliance has at the moment, by its key (`quad`) or id.",
        default=UNSET,
    )
    places: list[str] | None = field(
        description=f"These places, such as `CN` or `EU`, at most {MAX_GROUP_PLACES}.",
        default=UNSET,
    )
    all_but: list[str] | None = field(
        description=f"All places but these, at most {MAX_GROUP_PLACES}.", default=UNSET
    )


def alliance_loader(as_of: AsOf, moment: Moment) -> AllianceLoader:
    """Loads alliances of a moment, all that are asked for at a time in one query."""

    async def load(entities: Sequence[str]) -> Sequence[AllianceState | None]:
        found = await as_of.named(entities, moment)
        states = (found.get(entity) for entity in entities)
        return [state if isinstance(state, AllianceState) else None for state in states]

    return DataLoader(load)


async def find_group(given: GroupInput, alliances: AllianceLoader, day: date) -> Group | None:
    """The group that is meant on a day; None where there is no such alliance. Raises InvalidInput."""
    if given.places:
        return Group(countries_of(_parse_places(given.places, "places"), day))
    if given.all_but:
        return Group(countries_of(_parse_places(given.all_but, "allBut"), day), all_but=True)
    if not given.alliance:
        raise InvalidInput("expected an alliance, or at least one place", path=("of",))
    key = key_of(KIND, given.alliance)
    state = await alliances.load(f"{KIND}/{key}") if key else None
    if state is None:
        return None
    members = [member.place for member in state.members if member.role.is_membership]
    return Group(countries_of(members, day), members_known=state.members_known)


def _parse_places(given: list[str], name: str) -> list[Place]:
    if len(given) > MAX_GROUP_PLACES:
        raise TooLarge(f"expected at most {MAX_GROUP_PLACES} places", path=("of", name))
    try:
        places = parse_all(Place, given, name)
        for index, place in enumerate(places):
            if place in (WORLD, OTHER):
                raise InvalidInput(
                    "expected a country, a union, or a group of countries",
                    code="NOT_COUNTRIES",
                    path=(name, index),
                )
    except InvalidInput as error:
        raise error.below("of") from None
    return places
