"""Unions of countries that act as one, on the date of a moment."""

from strawberry import field

from schema.base.decorators import object_type, resolver_field
from schema.root.as_of.base import AtMoment
from schema.types.common import Place, place
from tracker.domain.catalogue.unions import members_of, unions


@object_type
class CountryUnion:
    """A union of countries that acts as one on a date. A fact about it, such as a control by it or on
    exports to it, holds for each of its countries."""

    place: Place = field(description="The union, such as `EU`.")
    members: list[Place] = field(description="Its countries on the date, by code.")


@object_type
class Unions(AtMoment):
    """Unions at a moment."""

    @resolver_field
    def unions(self) -> list[CountryUnion]:
        """The unions of countries that act as one, with their countries on this date. Alliances, and groups
        with a common figure of a publisher, are not unions."""
        day = self.moment.valid_at
        return [
            CountryUnion(
                place=place(union), members=[place(one) for one in sorted(members_of(union, day))]
            )
            for union in unions()
        ]
