"""Shares of groups of countries: an alliance, a union, or all but some. Pure.

Unknown values are reported, never treated as zero: members without a figure, withheld numbers, and
figures for several countries with only some members among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from msgspec import Struct

from projections.analysis import quantities
from projections.analysis.claims import ClaimRef, edition_of, several_editions
from projections.analysis.distribution import OTHER, Distribution, Share, claims_used, in_edition
from tracker.domain.catalogue.places import Place
from tracker.domain.catalogue.unions import members_of

NO_FIGURE = "there is no figure for it; it may be among other countries"


class Group(Struct, frozen=True):
    """A group of countries, or of all but some.

    `members_known` is false if the group may have members that are not recorded.
    """

    countries: frozenset[Place]
    all_but: bool = False
    members_known: bool = True


class Uncounted(Struct, frozen=True):
    """A place whose figure, if any, is not in the sum of a group, with the reason."""

    place: Place
    """The place."""
    share: Share | None
    reason: str
    """The reason, in words."""


class GroupShare(Struct, frozen=True):
    """The share of a group in the world total.

    `exact` is the unrounded sum of the counted shares; None without any. `at_most` is an upper bound:
    the world less the shares of all others. It is at least `exact`, plus the figure for other countries
    if a member may be among them. It is None if not all members are known, or if the known shares leave
    nothing for a member without a share. `missing` are members that are not in the sum. `overlapping`
    are figures that would count a country twice or include others. `number` is the sum of the counted
    figures in the unit of the world's preferred claim.
    """

    members: tuple[Place, ...]
    """The countries of the group at this moment. For a group of all but some countries, those with
    figures."""
    counted: tuple[Share, ...]
    missing: tuple[Uncounted, ...]
    """Members that are not counted: without a figure of their own, withheld, or not comparable."""
    overlapping: tuple[Uncounted, ...]
    """Figures that are not counted because they include counted countries or non-members."""
    members_known: bool
    """Whether the list of members is complete; false for an alliance without a published list."""
    exact: Decimal | None
    at_most: Decimal | None
    number: Decimal | None

    @property
    def share(self) -> Decimal | None:
        """The sum of the counted shares as a fraction of 1, rounded to 4 decimal places. It is the share
        of the group if `complete`, else a part of it. Null if no member has a share."""
        return None if self.exact is None else quantities.rounded(self.exact)

    @property
    def share_at_most(self) -> Decimal | None:
        """An upper bound of the share: 1 less the known shares of all other countries. It is at least
        `share`, plus the figure for other countries if that may contain a member. It equals `share` if
        the share is complete and the group is not `allBut`. Null if no share is known or if the list of
        members is incomplete. Null also if a member has a figure without a share (withheld, a bound),
        and the known shares leave it no more than the rounding of the world's total: the total may
        exclude that member. World totals are rounded, so the last digit is not exact."""
        return None if self.at_most is None else quantities.rounded(self.at_most)

    @property
    def complete(self) -> bool:
        """Whether every member is counted and there is at least one."""
        return self.members_known and not self.missing and self.exact is not None

    @property
    def computed_from(self) -> tuple[ClaimRef, ...]:
        """The claims from which the share is computed, the world's claim first."""
        return claims_used(self.counted)

    @property
    def mixed_editions(self) -> bool:
        """Whether these claims are of several editions or publishers."""
        return several_editions(claim for _, claim in self.computed_from)


class _Shares(Struct, frozen=True):
    """The shares of a distribution: of single countries, and of several countries at once."""

    countries: Mapping[Place, Share]
    aggregates: Mapping[Place, Share]
    day: date
    """The day for the membership of unions."""

    def parts(self, place: Place) -> frozenset[Place]:
        """Return the countries in a figure for several of them."""
        return parts_of(place, self.day)

    def without(self, places: Iterable[Place]) -> _Shares:
        """Return all shares except those of some places."""
        left = (self.countries.keys() | self.aggregates.keys()) - {*places}
        return _Shares(
            {place: share for place, share in self.countries.items() if place in left},
            {place: share for place, share in self.aggregates.items() if place in left},
            self.day,
        )

    def all(self) -> tuple[Share, ...]:
        """Return all shares in the order of their places."""
        everybody = {**self.countries, **self.aggregates}
        return tuple(everybody[place] for place in sorted(everybody))

    @property
    def named(self) -> frozenset[Place]:
        """The countries with figures, alone or in a figure for several."""
        return frozenset(self.countries).union(*map(self.parts, self.aggregates))


class _Sum(Struct, frozen=True):
    """Shares that count each country once, and the figures that would count one again."""

    counted: tuple[Share, ...]
    covered: frozenset[Place]
    overlapping: tuple[Uncounted, ...]


def parts_of(place: Place, day: date) -> frozenset[Place]:
    """Return the countries in a figure for several of them; empty for any other place."""
    return members_of(place, day) or frozenset(place.countries)


def countries_of(places: Iterable[Place], day: date) -> frozenset[Place]:
    """Return the countries in some places on a day; a union or group stands for its members."""
    return frozenset(one for place in places for one in parts_of(place, day) or {place})


def group_share(of: Distribution, group: Group, day: date) -> GroupShare:
    """Return the share of a group in a distribution.

    Each country counts by its own figure. A figure for several countries, such as US_CA or the EU,
    replaces theirs if all of them are in the group and one has no share of its own. The figure for
    other countries counts only in a group of all but some, and only if its edition names each excluded
    country. It replaces the figures of the countries that its edition does not name.
    """
    aggregates = {share.place: share for share in of.shares if parts_of(share.place, day)}
    countries = {
        share.place: share
        for share in of.shares
        if share.place not in aggregates and share.place != OTHER
    }
    shares = _Shares(countries, aggregates, day)
    members = shares.named - group.countries if group.all_but else group.countries
    rest, beside = _rest(of, group, shares)
    among_rest = _among_rest(of, rest, shares)
    inside = _sum_of(members, shares.without(one.place for one in among_rest))
    counted = (*inside.counted, *rest)
    covered = inside.covered | _countries((one.place for one in among_rest), shares)
    missing = tuple(_missing(members - covered, shares))
    exact = _total(counted) if counted else None
    others = group.countries if group.all_but else shares.named - members
    certain = not missing and group.members_known and not group.all_but
    return GroupShare(
        members=tuple(sorted(members)),
        counted=tuple(sorted(counted, key=lambda s: (-(s.exact or 0), s.place))),
        missing=missing,
        overlapping=(*inside.overlapping, *beside, *among_rest),
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
    counted += [countries[place] for place in sorted(own - covered)]
    return _Sum(tuple(counted), frozenset(covered | own), tuple(overlapping))


def _overlap(
    share: Share,
    parts: frozenset[Place],
    members: frozenset[Place],
    own: set[Place],
    covered: set[Place],
) -> str | None:
    """Return the reason why a figure for several countries cannot be counted, or None."""
    if others := sorted(parts - members):
        return f"it has others in it: {', '.join(others)}"
    if parts <= own:
        return "its countries have figures of their own"
    if again := sorted(parts & covered):
        return f"it has countries in it that are counted: {', '.join(again)}"
    return share.incomparable_reason


def _missing(places: Iterable[Place], shares: _Shares) -> Iterator[Uncounted]:
    """Yield members that are in no counted figure, each with the reason."""
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
    """Return the figure for other countries in a group of all but some, or the reason for its omission."""
    share = of.share_of(OTHER)
    if share is None or not group.all_but:
        return (), ()
    if share.exact is None:
        return (), (Uncounted(OTHER, share, share.incomparable_reason or ""),)
    beside = _countries(_named_beside(of, share), shares)
    if within := sorted(group.countries - beside):
        return (), (Uncounted(OTHER, share, f"it may have others in it: {', '.join(within)}"),)
    return (share,), ()


def _named_beside(of: Distribution, rest: Share) -> frozenset[Place]:
    """Return the places that the edition of a figure for other countries names separately."""
    edition = edition_of(rest.chosen.claim)
    return frozenset(figure.series.place for figure in of.figures if in_edition(figure, edition))


def _countries(places: Iterable[Place], shares: _Shares) -> frozenset[Place]:
    """Return the countries in places, alone or together."""
    return frozenset(one for place in places for one in shares.parts(place) or {place})


def _among_rest(
    of: Distribution, rest: tuple[Share, ...], shares: _Shares
) -> tuple[Uncounted, ...]:
    """Return the figures of countries that a counted figure for other countries includes.

    Only other editions name these countries.
    """
    return tuple(
        Uncounted(share.place, share, f"the figure for {OTHER} has it in it")
        for share in (shares.all() if rest else ())
        if share.exact is not None and share.place not in _named_beside(of, rest[0])
    )


def _at_most(
    of: Distribution,
    group: Group,
    others: frozenset[Place],
    shares: _Shares,
    counted: tuple[Share, ...],
    missing: tuple[Uncounted, ...],
) -> Decimal | None:
    """Return the upper bound of a group's share, or None.

    World totals are rounded, so the remainder after others may be less than the group's own figures, or
    less than the figure for other countries. If a member's figure gives it no share, the remainder must
    exceed the possible rounding error of the total. Otherwise the total may not include the member, and
    there is no bound.
    """
    if not group.members_known or all(share.exact is None for share in shares.all()):
        return None
    theirs = _sum_of(others, shares).counted
    share = of.share_of(OTHER)
    rest = () if share is None or share in counted else (share,)
    left = quantities.ARITHMETIC.subtract(quantities.ONE, _total((*counted, *theirs, *rest)))
    if any(one.share is not None for one in missing) and left <= _hidden_by_rounding(of):
        return None
    may_be_theirs = group.all_but or any(one.reason == NO_FIGURE for one in missing)
    least = _total((*counted, *rest) if may_be_theirs else counted)
    return max(least, quantities.ARITHMETIC.subtract(quantities.ONE, _total(theirs)))


def _total(shares: Iterable[Share]) -> Decimal:
    return quantities.sum_of_shares(share.exact for share in shares if share.exact is not None)


def _hidden_by_rounding(of: Distribution) -> Decimal:
    """Return the possible rounding error of a rounded total, as a share of it.

    The error is half of its last digit that is not 0.
    """
    if of.world is None or not of.world.claim.quantity.rounded or not of.world.claim.quantity.value:
        return Decimal(0)
    value = of.world.claim.quantity.value
    _, _, exponent = value.normalize(quantities.ARITHMETIC).as_tuple()
    assert isinstance(exponent, int)
    half = Decimal(5).scaleb(exponent - 1, quantities.ARITHMETIC)
    return quantities.sum_of_shares([quantities.ARITHMETIC.divide(half, value)])


def _number(of: Distribution, counted: Iterable[Share]) -> Decimal | None:
    """Return the sum of the counted figures in the unit of the world's, or None if one cannot be added."""
    if of.world is None:
        return None
    whole, numbers = of.world.claim.quantity, []
    for share in counted:
        part = share.chosen.claim.quantity
        if quantities.incomparable_reason(part, whole, "", share.chosen.figure.series.commodity):
            return None
        numbers.append(quantities.in_unit_of(part, whole))
    return quantities.total(numbers) if numbers else None
