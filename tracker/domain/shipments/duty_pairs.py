"""Pairs of duties on the same goods: relations and alternatives, and the bounds of sums. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Protocol

from msgspec import Struct

from tracker.domain.basics.control_vocabulary import DutyRelation
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.duty_relations import Relation
from tracker.domain.controls.matching import reaches_place

ZERO = Decimal(0)
ORDINARY_KEY = ("", "ordinary")
"""The key of the ordinary duty among duties."""
MAX_COMBINATIONS = 4096
"""Maximum number of combinations of duties that are compared."""

Key = tuple[str, str]
"""An instrument and a clause."""


class Duty(Protocol):
    """A duty with its rate in percent as a range, if it is paid."""

    @property
    def key(self) -> Key:
        """The instrument and the clause."""

    @property
    def is_certain(self) -> bool:
        """Whether it certainly applies."""

    @property
    def if_paid(self) -> Decimal | None:
        """Its lowest rate."""

    @property
    def high(self) -> Decimal | None:
        """Its highest rate."""


class DutyPairs(Struct, frozen=True):
    """Relations between each two duties of a shipment."""

    relations: Mapping[tuple[Key, Key], Relation]
    """Recorded relations of a duty to another one."""
    exclusive: frozenset[frozenset[Key]]
    """Duties on different goods: no goods are under both."""
    alternative: frozenset[frozenset[Key]]
    """Duties of one instrument without a recorded relation: one of them is paid."""
    including: frozenset[Key] = frozenset()
    """Duties that include the ordinary duty: of both the higher is paid."""

    def between(self, one: Duty, other: Duty) -> list[Relation]:
        """Return the recorded relations of two duties."""
        pairs = ((one.key, other.key), (other.key, one.key))
        return [self.relations[pair] for pair in pairs if pair in self.relations]

    def exclude(self, one: Duty, other: Duty) -> bool:
        """Return whether two duties are on different goods."""
        return frozenset((one.key, other.key)) in self.exclusive

    def are_alternatives(self, one: Duty, other: Duty) -> bool:
        """Return whether only one of two duties is paid, because they are of one instrument."""
        return frozenset((one.key, other.key)) in self.alternative

    def are_related(self, one: Duty, other: Duty) -> bool:
        """Return whether it is known how two duties combine."""
        pair = frozenset((one.key, other.key))
        is_one_of_two = pair in self.exclusive or pair in self.alternative
        return is_one_of_two or bool(self.between(one, other))

    def yields(self, one: Duty, other: Duty) -> bool:
        """Return whether a duty is not paid beside another one.

        Of two that yield to each other, the lower is not paid.
        """
        relation = self.relations.get((one.key, other.key))
        back = self.relations.get((other.key, one.key))
        if relation is None or relation.kind is not DutyRelation.YIELDS_TO:
            return False
        if self.exclude(one, other):
            return False
        if back is None or back.kind is not DutyRelation.YIELDS_TO:
            return True
        return (one.high or ZERO, other.key) < (other.high or ZERO, one.key)


def are_on_different_goods(one: Clause, other: Clause, day: date) -> bool:
    """Return whether no goods are under both of two clauses on a day, by their codes or their places."""
    if _are_of_different_places(one, other, day) or _are_of_different_places(other, one, day):
        return True
    own, others = _codes(one), _codes(other)
    if not own or not others:
        return False
    return others.isdisjoint(_beginnings(own)) and own.isdisjoint(_beginnings(others))


def _are_of_different_places(one: Clause, other: Clause, day: date) -> bool:
    """Return whether a clause is limited to places that another one does not cover."""
    own = [*one.origins, *one.destinations]
    named = (*other.origins, *other.destinations)
    return bool(own) and not any(reaches_place(other, named, place, day) for place in own)


def _codes(clause: Clause) -> frozenset[str]:
    """Return the codes of all items of a clause; empty if an item has none."""
    if not all(item.hs for item in clause.items):
        return frozenset()
    return frozenset(code for item in clause.items for code in item.codes)


def _beginnings(codes: Iterable[str]) -> set[str]:
    """Return the wider codes of some codes, and these themselves."""
    return {code[:digits] for code in codes for digits in (4, 6, 8, 10)}


def bounds(duties: Sequence[Duty], pairs: DutyPairs) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest sum over all duties that may be paid together."""
    sums = [_sum(paid, pairs) for paid in _paid_together(duties, pairs)]
    if not sums:  # too many combinations
        return ZERO, sum((duty.high or ZERO for duty in duties), ZERO)
    return min(low for low, _ in sums), max(high for _, high in sums)


def _paid_together(duties: Sequence[Duty], pairs: DutyPairs) -> Iterator[list[Duty]]:
    """Yield the certain duties with each combination of possible ones, and one of each two alternatives.

    It yields nothing if there are too many combinations.
    """
    conflicts, replaced_by = _conflicts(duties, pairs)
    combined: list[frozenset[int]] = [frozenset()]
    for number, duty in enumerate(duties):
        paid = [one | {number} for one in combined if one.isdisjoint(conflicts[number])]
        is_always_paid = duty.is_certain and not replaced_by[number]
        combined = paid if is_always_paid else [*combined, *paid]
        if len(combined) > MAX_COMBINATIONS:
            return
    certain = [number for number, duty in enumerate(duties) if duty.is_certain]
    for one in combined:
        if all(number in one or replaced_by[number] & one for number in certain):
            yield [duties[number] for number in sorted(one)]


def _conflicts(duties: Sequence[Duty], pairs: DutyPairs) -> tuple[list[set[int]], list[set[int]]]:
    """Return the duties that are not paid beside each one, and those that may be paid in its place."""
    conflicts: list[set[int]] = [set() for _ in duties]
    replaced_by: list[set[int]] = [set() for _ in duties]
    for first, second in combinations(range(len(duties)), 2):
        one, other = duties[first], duties[second]
        is_alternative = pairs.are_alternatives(one, other)
        if is_alternative or pairs.exclude(one, other):
            conflicts[first].add(second)
            conflicts[second].add(first)
            if is_alternative or (one.is_certain and other.is_certain):
                replaced_by[first].add(second)
                replaced_by[second].add(first)
    return conflicts, replaced_by


def _sum(duties: Sequence[Duty], pairs: DutyPairs) -> tuple[Decimal, Decimal]:
    """Return the sum of duties that all apply, without those that yield and above no cap."""
    paid = [duty for duty in duties if not any(pairs.yields(duty, one) for one in duties)]
    low = sum((duty.if_paid or ZERO for duty in paid), ZERO)
    high = sum((duty.high or ZERO for duty in paid), ZERO)
    ordinary = next((duty for duty in paid if duty.key == ORDINARY_KEY), None)
    if ordinary and (with_it := [duty for duty in paid if duty.key in pairs.including]):
        low -= min(ordinary.if_paid or ZERO, max(duty.if_paid or ZERO for duty in with_it))
        high -= min(ordinary.high or ZERO, max(duty.high or ZERO for duty in with_it))
    for duty in paid:
        for other in paid:
            relation = pairs.relations.get((duty.key, other.key))
            if relation is not None and relation.percent is not None:
                low -= max(
                    ZERO, (duty.if_paid or ZERO) + (other.if_paid or ZERO) - relation.percent
                )
                high -= max(ZERO, (duty.high or ZERO) + (other.high or ZERO) - relation.percent)
    return low, high
