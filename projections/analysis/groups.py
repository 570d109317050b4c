"""The share of a group of countries: of an alliance, a union, or all but some. Pure.

What is not known is told and never taken for nothing: members without a figure, numbers that are
withheld, figures for several countries of which only some are members.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from projections.analysis.claims import ClaimRef, several_editions
from projections.analysis.distribution import OTHER, Distribution, Share, claims_used
from projections.analysis.quantities import (
    ARITHMETIC,
    ONE,
    in_unit_of,
    incomparable_reason,
    rounded,
    total,
)
from tracker.domain.places import Place
from tracker.domain.unions import members_of

NO_FIGURE = "there is no figure for it; it may be among other countries"


@dataclass(frozen=True, slots=True)
class Group:
    """Some countries, or all but some.

    `members_known` is false where there may be members that nobody has named.
    """

    countries: frozenset[Place]
    all_but: bool = False
    members_known: bool = True


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A place whose figure, if there is one, is not in the sum of a group, and why."""

    place: Place
    share: Share | None
    reason: str


@dataclass(frozen=True, slots=True)
class GroupShare:
    """What a group has of the world's total.

    `exact` is the sum of the shares that are counted, unrounded; None without any. `at_most` is
    what the shares of all others leave of the world, and no less than `exact` with the figure for
    other countries where a member may be one of them; None where not all members are known, or
    where others leave nothing for a member whose number is withheld. `missing` are members that are
    not in the sum, `overlapping` figures that would count a country twice or have others in them.
    `number` is the sum of the counted figures in the unit of the world's preferred claim.
    """

    members: tuple[Place, ...]
    counted: tuple[Share, ...]
    missing: tuple[Uncounted, ...]
    overlapping: tuple[Uncounted, ...]
    members_known: bool
    exact: Decimal | None
    at_most: Decimal | None
    number: Decimal | None

    @property
    def share(self) -> Decimal | None:
        """The sum of the shares, rounded to 4 places."""
        return None if self.exact is None else rounded(self.exact)

    @property
    def share_at_most(self) -> Decimal | None:
        """What the shares of all others leave, rounded to 4 places."""
        return None if self.at_most is None else rounded(self.at_most)

    @property
    def complete(self) -> bool:
        """Whether every member is in the sum, and nobody else."""
        return self.members_known and not self.missing and self.exact is not None

    @property
    def computed_from(self) -> tuple[ClaimRef, ...]:
        """The claims that the share is computed from, the world's first."""
        return claims_used(self.counted)

    @property
    def mixed_editions(self) -> bool:
        """Whether claims of several editions or publishers went into it."""
        return several_editions(claim for _, claim in self.computed_from)


@dataclass(frozen=True, slots=True)
class _Shares:
    """The shares of a distribution: those of countries, and those of several countries at once."""

    countries: Mapping[Place, Share]
    aggregates: Mapping[Place, Share]
    day: date
    """On which a union has the members that count."""

    def parts(self, place: Place) -> frozenset[Place]:
        """The countries that a figure for several of them is for."""
        return parts_of(place, self.day)

    @property
    def named(self) -> frozenset[Place]:
        """The countries that there are figures for, alone or together with others."""
        return frozenset(self.countries).union(*map(self.parts, self.aggregates))


@dataclass(frozen=True, slots=True)
class _Sum:
    """Shares that together count each country once, and the figures that would count one again."""

    counted: tuple[Share, ...]
    covered: frozenset[Place]
    overlapping: tuple[Uncounted, ...]


def parts_of(place: Place, day: date) -> frozenset[Place]:
    """The countries that a figure for several of them is for; none for any other place."""
    return members_of(place, day) or frozenset(place.countries)


def countries_of(places: Iterable[Place], day: date) -> frozenset[Place]:
    """The countries that some places are on a day: a union or a group is those in it."""
    return frozenset(one for place in places for one in parts_of(place, day) or {place})


def group_share(of: Distribution, group: Group, day: date) -> GroupShare:
    """The share of a group in a distribution.

    Each country counts by its own figure. A figure for several countries, such as US_CA or the EU,
    counts in their stead where all of them are in the group and one of them has no share of its own.
    The figure for other countries counts only in a group of all but some, where each of these has a
    figure: then it is none of them.
    """
    aggregates = {share.place: share for share in of.shares if parts_of(share.place, day)}
    countries = {
        share.place: share
        for share in of.shares
        if share.place not in aggregates and share.place != OTHER
    }
    shares = _Shares(countries, aggregates, day)
    members = shares.named - group.countries if group.all_but else group.countries
    inside = _sum_of(members, shares)
    rest, beside = _rest(of, group, shares)
    counted = (*inside.counted, *rest)
    missing = tuple(_missing(members - inside.covered, shares))
    exact = _total(counted) if counted else None
    others = group.countries if group.all_but else shares.named - members
    certain = not missing and group.members_known and not group.all_but
    return GroupShare(
        members=tuple(sorted(members)),
        counted=tuple(sorted(counted, key=lambda s: (-(s.exact or 0), s.place))),
        missing=missing,
        overlapping=(*inside.overlapping, *beside),
        members_known=group.members_known,
        exact=exact,
        at_most=exact if certain else _at_most(of, group, others, shares, counted, missing),
        number=_number(of, counted),
    )


def _sum_of(members: frozenset[Place], shares: _Shares) -> _Sum:
    countries = shares.countries
    own = {place for place in members if place in countries and countries[place].exact is not None}
    covered: set[Place] = set()
    counted: list[Share] = []
    overlapping: list[Uncounted] = []
    for share in sorted(
        shares.aggregates.values(), key=lambda s: (-len(shares.parts(s.place)), s.place)
    ):
        parts = shares.parts(share.place)
        if not parts & members:
            continue
        if reason := _overlap(share, parts, members, own, covered):
            overlapping.append(Uncounted(share.place, share, reason))
            continue
        counted.append(share)
        covered |= parts
        overlapping += [
            Uncounted(place, countries[place], f"the figure for {share.place} has it in it")
            for place in sorted(parts & own)
        ]
    counted += [countries[place] for place in own - covered]
    return _Sum(tuple(counted), frozenset(covered | own), tuple(overlapping))


def _overlap(
    share: Share,
    parts: frozenset[Place],
    members: frozenset[Place],
    own: set[Place],
    covered: set[Place],
) -> str | None:
    """Why a figure for several countries can't be counted, or None."""
    if others := sorted(parts - members):
        return f"it has others in it: {', '.join(others)}"
    if parts <= own:
        return "its countries have figures of their own"
    if again := sorted(parts & covered):
        return f"it has countries in it that are counted: {', '.join(again)}"
    return share.incomparable_reason


def _missing(places: Iterable[Place], shares: _Shares) -> Iterator[Uncounted]:
    """Members that are in no figure that is counted, each with the reason."""
    for place in sorted(places):
        share = shares.countries.get(place)
        within = sorted(one for one in shares.aggregates if place in shares.parts(one))
        if share is not None:
            reason = share.incomparable_reason or ""
        elif within:
            reason = f"there is no figure for it alone, only for {', '.join(within)}"
        else:
            reason = NO_FIGURE
        yield Uncounted(place, share, reason)


def _rest(
    of: Distribution, group: Group, shares: _Shares
) -> tuple[tuple[Share, ...], tuple[Uncounted, ...]]:
    """The figure for other countries, in a group of all but some: counted, or why it is not."""
    share = of.share_of(OTHER)
    if share is None or not group.all_but:
        return (), ()
    if share.exact is None:
        return (), (Uncounted(OTHER, share, share.incomparable_reason or ""),)
    if within := sorted(group.countries - shares.countries.keys()):
        return (), (Uncounted(OTHER, share, f"it may have others in it: {', '.join(within)}"),)
    return (share,), ()


def _at_most(
    of: Distribution,
    group: Group,
    others: frozenset[Place],
    shares: _Shares,
    counted: tuple[Share, ...],
    missing: tuple[Uncounted, ...],
) -> Decimal | None:
    """The most that a group may have. World totals are rounded, so what others leave may be less
    than what is known to be the group's, or what may be among other countries. Where they leave
    nothing for a number that is withheld, the total may be one without it, and there is no bound.
    """
    if not group.members_known:
        return None
    rest = of.share_of(OTHER)
    may_be_theirs = group.all_but or any(one.reason == NO_FIGURE for one in missing)
    if rest is not None and rest not in counted and may_be_theirs:
        counted = (*counted, rest)
    least, left = _total(counted), _left_by(others, shares)
    if left is None or (left <= least and any(one.share is not None for one in missing)):
        return None
    return max(least, left)


def _left_by(others: frozenset[Place], shares: _Shares) -> Decimal | None:
    """What the known shares of others leave of the world; None where no share is known at all."""
    everybody = (*shares.countries.values(), *shares.aggregates.values())
    if all(share.exact is None for share in everybody):
        return None
    return ARITHMETIC.subtract(ONE, _total(_sum_of(others, shares).counted))


def _total(shares: Iterable[Share]) -> Decimal:
    return total(share.exact for share in shares if share.exact is not None)


def _number(of: Distribution, counted: Iterable[Share]) -> Decimal | None:
    """The sum of the counted figures, where all can be added in the unit of the world's."""
    if of.world is None:
        return None
    whole, numbers = of.world.claim.quantity, []
    for share in counted:
        part = share.chosen.claim.quantity
        if incomparable_reason(part, whole, "", share.chosen.figure.series.commodity):
            return None
        numbers.append(in_unit_of(part, whole))
    return total(numbers) if numbers else None
