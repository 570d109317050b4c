"""Memberships of places in alliances, at a moment and over time."""

from datetime import date
from enum import Enum

import strawberry
from strawberry import field

from projections.fold.memberships import MembershipPeriod as Period
from projections.fold.memberships import overlapping
from projections.query.list_statements import SortKey
from projections.query.lists import Key, Keyed
from projections.query.memberships import memberships
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.global_ids import key_of
from schema.base.scalars import Day
from schema.inputs.arguments import parse_some
from schema.inputs.order_by import MembershipOrder
from schema.inputs.ranges import DayRange, parse_days
from schema.root.as_of.base import AtMoment
from schema.types.alliance import Alliance
from schema.types.common import Place, place
from schema.types.connection import PageSource, list_pages
from schema.types.list_field import list_field
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import MemberRole, MembershipKind
from tracker.domain.catalogue import places as domain
from tracker.errors import InvalidInput

MAX_PLACES = 100
"""Maximum number of alliances or places in a query."""


@object_type
class MembershipPeriod:
    """The relation of a place to an alliance in a period."""

    state: strawberry.Private[AllianceState]
    moment: strawberry.Private[Moment]

    place: Place = field(description="The place.")
    kind: MembershipKind = field(description="Member, member through a union, or no member.")
    role: MemberRole | None = field(description="The role in which the place itself takes part.")
    union: Place | None
    """The union through which the place belongs to the alliance."""
    first: Day = field(name="from", description="The first date on which it is so, and public.")
    last: Day | None = field(name="until")
    """The last date, inclusive; null if no end is known."""
    since: PartialDate | None
    """The date on which the place joined, as precisely as the sources state it; null if it takes no part
    itself."""

    @resolver_field
    def alliance(self) -> Alliance:
        """The alliance, at the moment of the query. An alliance that has ended still names its former
        members; their memberships have ended with it."""
        return Alliance.at(self.state, self.moment)


@object_type
class Memberships(AtMoment):
    """Memberships at a moment."""

    @list_field(MembershipPeriod, MembershipOrder)
    async def memberships(
        self,
        info: Info,
        order: Enum,
        alliances: list[str] | None = None,
        places: list[str] | None = None,
        kinds: list[MembershipKind] | None = None,
        between: DayRange | None = None,
    ) -> PageSource[MembershipPeriod]:
        """Memberships of places in alliances, with role, union and period, as known at this moment. Without
        `places`, all members of each alliance are listed, including the countries of a union that is a
        member.

        - alliances: Only memberships in these alliances, such as `quad`; at most 100.
        - places: Only memberships of these places, such as `FR`; at most 100. Periods without a membership,
          and without knowledge of one, are then listed too.
        - kinds: Only memberships of these kinds.
        - between: Only memberships that overlap this period, past or future; the date of the moment if left
          out.
        """
        requested_places = parse_some(domain.Place, places, "places", MAX_PLACES)
        keys = parse_some(_alliance_key, alliances, "alliances", MAX_PLACES)
        days = (self.moment.valid_at, self.moment.valid_at)
        if between is not None:
            bounds = parse_days(between, "between") or (None, None)
            days = (bounds[0] or date.min, bounds[1] or date.max)
        services = info.context.services
        states = {
            state.id: state for state in await services.as_of.states(AllianceState, self.moment)
        }
        periods = await memberships(
            services.recorder,
            [key for key in states if keys is None or key in keys],
            requested_places,
            self.moment,
        )
        shown: list[Keyed[MembershipPeriod]] = [
            (_key(period, order.value.by), _shown(period, states[period.alliance], self.moment))
            for period in overlapping(periods, *days)
            if kinds is None or period.membership.kind in kinds
        ]
        listing = list_pages(shown, order.name, order.value.down)
        return listing.about(self.scope(info, [ActKind.ALLIANCE], keys))


def _alliance_key(text: str) -> str:
    key = key_of("alliance", text)
    if key is None:
        raise InvalidInput("expected the key of an alliance, such as 'quad'")
    return key


def _key(period: Period, order: SortKey) -> Key:
    day = period.first.isoformat()
    if order is SortKey.TITLE:
        return period.place, period.alliance, day
    return period.alliance, period.place, day


def _shown(of: Period, state: AllianceState, moment: Moment) -> MembershipPeriod:
    kind, role, union = of.membership
    return MembershipPeriod(
        state=state,
        moment=moment,
        place=place(of.place),
        kind=kind,
        role=role,
        union=place(union) if union else None,
        first=Day(of.first.isoformat()),
        last=Day(of.last.isoformat()) if of.last else None,
        since=of.since,
    )
