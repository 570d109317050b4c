"""The unions of countries that act as one, on the day of a moment."""

from __future__ import annotations

from strawberry import field

from schema.base.decorators import object_type, resolver_field
from schema.root.as_of.base import AtMoment
from schema.types.common import Place, place
from tracker.domain.unions import members_of, unions


@object_type
class CountryUnion:
    """A union of countries that acts as one on a day: what is said of it, such as a control that it
    issues or that is aimed at it, holds for each of its countries."""

    place: Place = field(description="The union, such as `EU`.")
    members: list[Place] = field(description="The countries that are in it on the day, by code.")


@object_type
class Unions(AtMoment):
    """The unions of a moment."""

    @resolver_field
    def unions(self) -> list[CountryUnion]:
        """The unions of countries that act as one, with the countries that are in each on this day.
        Alliances, and groups that publishers give one figure for, are no unions."""
        day = self.moment.valid_at
        return [
            CountryUnion(
                place=place(union), members=[place(one) for one in sorted(members_of(union, day))]
            )
            for union in unions()
        ]
