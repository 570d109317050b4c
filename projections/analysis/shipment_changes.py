"""Differences between two checks of the same shipment. Pure."""

from collections.abc import Hashable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct

from tracker.domain.shipments.check import ClauseVerdict
from tracker.domain.shipments.legs import UnsettledLeg

Finding: TypeAlias = ClauseVerdict | UnsettledLeg
"""A verdict of a clause, or of a leg without one."""


class FindingChange(Struct, frozen=True):
    """A verdict that differs between two checks; None on the side where it is missing."""

    before: Finding | None
    after: Finding | None


def finding_changes(before: Sequence[Finding], after: Sequence[Finding]) -> Iterator[FindingChange]:
    """Yield the verdicts that differ: in the order of the later check, then those that ended."""
    earlier, later = ({_key(one): one for one in side} for side in (before, after))
    for key, one in later.items():
        other = earlier.get(key)
        if other is None or _content(other) != _content(one):
            yield FindingChange(other, one)
    for key, one in earlier.items():
        if key not in later:
            yield FindingChange(one, None)


def _key(of: Finding) -> Hashable:
    return of.leg if isinstance(of, UnsettledLeg) else of.applicable.key


def _content(of: Finding) -> object:
    """Return the part of a verdict that is compared: its rule, match and legal bases."""
    if isinstance(of, UnsettledLeg):
        return of
    one = of.applicable
    bases = [basis.key for basis in of.legal_bases]
    return one.state.clause, one.match, one.reasons, [of.reason for of in one.exceptions], bases
