"""Membership periods of alliances, with the role or the union. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from projections.fold.entity_rows import Version
from tracker.domain.actors.alliance import AllianceState, Membership
from tracker.domain.basics.values import DAY, PartialDate
from tracker.domain.basics.vocabulary import AllianceStatus, MembershipKind
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import MEMBERSHIPS

NOT_LISTED = frozenset({MembershipKind.NONE, MembershipKind.NOT_KNOWN})
"""Kinds of membership that are listed only for places requested by name."""


@dataclass(frozen=True, slots=True)
class MembershipPeriod:
    """A membership of a place from one day to another, both inclusive; `last` is None if open.

    `since` is the date of joining, with the precision of the source, if the place itself takes part.
    """

    alliance: str
    place: Place
    membership: Membership
    first: date
    last: date | None
    since: PartialDate | None


def membership_periods(
    alliance: str, versions: Sequence[Version], places: Sequence[Place] | None = None
) -> list[MembershipPeriod]:
    """Return the periods of some places, by place and day; without places, of all that ever belonged."""
    codes = sorted(_places_in(versions)) if places is None else list(dict.fromkeys(places))
    return [
        period
        for place in codes
        for period in _periods_of(alliance, versions, place)
        if places is not None or period.membership.kind not in NOT_LISTED
    ]


def overlapping(
    periods: Iterable[MembershipPeriod], first: date, last: date
) -> list[MembershipPeriod]:
    """Return the memberships that overlap the period."""
    return [one for one in periods if one.first <= last and (one.last is None or one.last >= first)]


def _places_in(versions: Sequence[Version]) -> set[Place]:
    """Return the places that take part, and all countries of unions that take part."""
    own = {member.place for version in versions for member in _state(version).members}
    return own | {one.member for one in MEMBERSHIPS if one.union in own}


def _periods_of(
    alliance: str, versions: Sequence[Version], place: Place
) -> Iterator[MembershipPeriod]:
    """Yield the periods of a place; consecutive days with the same membership are one.

    An alliance that has ended has no members.
    """
    current: MembershipPeriod | None = None
    for day, state in _days(versions, place):
        if state.status is not AllianceStatus.ACTIVE:
            if current:
                yield replace(current, last=day - DAY)
            return
        membership = state.membership(place, day)
        since = next((one.since for one in state.members if one.place == place), None)
        if current and (current.membership, current.since) == (membership, since):
            continue
        if current:
            yield replace(current, last=day - DAY)
        current = MembershipPeriod(alliance, place, membership, day, None, since)
    if current:
        yield current


def _days(versions: Sequence[Version], place: Place) -> Iterator[tuple[date, AllianceState]]:
    """Yield the days on which a membership may change, with the state from then on.

    These are changes of the alliance, and days on which the place joins or leaves a union.
    """
    of_unions = sorted(
        {one.since for one in MEMBERSHIPS if one.member == place}
        | {
            one.until + timedelta(days=1)
            for one in MEMBERSHIPS
            if one.member == place and one.until
        }
    )
    for version in versions:
        yield version.start, _state(version)
        for day in of_unions:
            if version.start < day and version.holds(day):
                yield day, _state(version)


def _state(version: Version) -> AllianceState:
    assert isinstance(version.state, AllianceState)
    return version.state
