"""Input type of groups of countries."""

import strawberry
from strawberry import UNSET, field

from projections.analysis.distribution import OTHER, WORLD
from projections.analysis.groups import Group, countries_of
from projections.query.moment import Moment, kind_name
from schema.base.context import Info
from schema.base.global_ids import key_of
from schema.inputs.arguments import parse_all
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.catalogue.places import Place
from tracker.errors import InvalidInput, TooLarge

MAX_GROUP_PLACES = 100
KIND = kind_name(AllianceState)


@strawberry.input(
    one_of=True,
    description="A group of countries, by exactly one of these fields. A union (`EU`)"
    " means its countries on the date of the moment, a group such as `US_CA`"
    " its countries.",
)
class GroupInput:
    """A group of countries, by exactly one of these fields."""

    alliance: str | None = field(
        description="The members of this alliance at the moment, by its key (`quad`) or id.",
        default=UNSET,
    )
    places: list[str] | None = field(
        description=f"These places, such as `CN` or `EU`, at most {MAX_GROUP_PLACES}.",
        default=UNSET,
    )
    all_but: list[str] | None = field(
        description=f"All places except these, at most {MAX_GROUP_PLACES}.", default=UNSET
    )


async def find_group(info: Info, group: GroupInput, moment: Moment) -> Group | None:
    """Return the group at a moment; None if its alliance does not exist. Raises InvalidInput."""
    day = moment.valid_at
    if group.places:
        return Group(countries_of(_parse_places(group.places, "places"), day))
    if group.all_but:
        return Group(countries_of(_parse_places(group.all_but, "allBut"), day), all_but=True)
    if not group.alliance:
        raise InvalidInput("expected an alliance, or at least one place", path=("of",))
    key = key_of(KIND, group.alliance)
    state = await info.context.loaders.states.load((f"{KIND}/{key}", moment)) if key else None
    if not isinstance(state, AllianceState):
        return None
    members = [member.place for member in state.members if member.role.is_membership]
    return Group(countries_of(members, day), members_known=state.members_known)


def _parse_places(codes: list[str], name: str) -> list[Place]:
    if len(codes) > MAX_GROUP_PLACES:
        raise TooLarge(f"expected at most {MAX_GROUP_PLACES} places", path=("of", name))
    try:
        places = parse_all(Place, codes, name)
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
