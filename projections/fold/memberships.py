"""Who belonged to an alliance on which days, in which role or through which union. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from projections.fold.entity_rows import Version
from tracker.domain.alliance import AllianceState, Membership
from tracker.domain.places import Place
from tracker.domain.unions import MEMBERSHIPS
from tracker.domain.values import DAY, PartialDate
from tracker.domain.vocabulary import AllianceStatus, MembershipKind

NOT_LISTED = frozenset({MembershipKind.NONE, MembershipKind.NOT_KNOWN})
"""What is said of a place only where it is asked for by name."""


@dataclass(frozen=True, slots=True)
class MembershipPeriod:
    """How a place belongs to an alliance from one day to another, both inclusive; without a last one
    it does as far as is known. `since` is when it joined, as exactly as the sources tell, where it
    takes part itself."""

    alliance: str
    place: Place
    membership: Membership
    first: date
    last: date | None
    since: PartialDate | None


def membership_periods(
    alliance: str, versions: Sequence[Version], places: Sequence[Place] | None = None
) -> list[MembershipPeriod]:
    """The periods of some places, by place and day; without places, of all that ever belonged."""
    asked = sorted(_places_in(versions)) if places is None else list(dict.fromkeys(places))
    return [
        period
        for place in asked
        for period in _periods_of(alliance, versions, place)
        if places is not None or period.membership.kind not in NOT_LISTED
    ]


def overlapping(
    periods: Iterable[MembershipPeriod], first: date, last: date
) -> list[MembershipPeriod]:
    """Those of which a day is one of some days."""
    return [one for one in periods if one.first <= last and (one.last is None or one.last >= first)]


def _places_in(versions: Sequence[Version]) -> set[Place]:
    """The places that take part, and the countries that were ever in a union that does."""
    own = {member.place for version in versions for member in _state(version).members}
    return own | {one.member for one in MEMBERSHIPS if one.union in own}


def _periods_of(
    alliance: str, versions: Sequence[Version], place: Place
) -> Iterator[MembershipPeriod]:
    """The periods of a place: days that follow each other on which it belongs in one way are one. Nobody
    belongs to an alliance that has ended."""
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
    """The days on which the membership of a place may change, with the state from then on: those of
    the alliance, and those on which the place joins or leaves a union."""
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
