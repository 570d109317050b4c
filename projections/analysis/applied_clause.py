"""A clause that is about a supply, and what clauses in force require of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tracker.domain.clause import ClauseState
from tracker.domain.export_control import ExportControlState
from tracker.domain.legal_basis import is_legal_basis
from tracker.domain.vocabulary import ClauseStatus, Confirmation, Match, Measure, Reach


@dataclass(frozen=True, slots=True)
class AppliedClause:
    """A clause that is about a supply. `limits` say in words why it reaches only a part of it, or
    nothing; none: it reaches all."""

    control: ExportControlState
    clause: ClauseState
    reach: Reach
    limits: tuple[str, ...]
    confirmation: Confirmation
    match: Match

    @property
    def is_licence(self) -> bool:
        """Whether it is a licence for dual-use goods."""
        return self.clause.clause.measure is Measure.DUAL_USE_LICENCE

    @property
    def is_legal_basis(self) -> bool:
        """Whether it covers the supply only through the licences that rest on it."""
        return is_legal_basis(self.control, self.clause.clause)

    @property
    def in_force(self) -> bool:
        """Whether it is in force; the others are suspended."""
        return self.clause.status is ClauseStatus.IN_FORCE

    @property
    def full(self) -> bool:
        """Whether it is in force for all that its issuer supplies."""
        return self.in_force and self.reach is Reach.FULL

    @property
    def partly(self) -> bool:
        """Whether it is in force for a part of that."""
        return self.in_force and self.reach is Reach.PARTLY


class Requirement(NamedTuple):
    """A clause in force on a supply, and the clauses that it rests on, itself first."""

    clause: AppliedClause
    legal_bases: tuple[AppliedClause, ...]


def requirements(in_force: Sequence[AppliedClause]) -> list[Requirement]:
    """Return clauses in force, one licence once: the acts that licences rest on stand with these."""
    bases = tuple(one for one in in_force if one.is_legal_basis)
    others = [one for one in in_force if not one.is_legal_basis]
    if not any(one.is_licence for one in others):
        return [Requirement(one, (one,)) for one in in_force]
    return [Requirement(one, (one, *bases) if one.is_licence else (one,)) for one in others]
