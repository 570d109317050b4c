"""Clauses applied to a supply, and the requirements of clauses in force. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tracker.domain.basics.control_vocabulary import (
    ClauseStatus,
    Confirmation,
    Match,
    Measure,
    Reach,
)
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.legal_basis import is_legal_basis


@dataclass(frozen=True, slots=True)
class AppliedClause:
    """A clause applied to a supply."""

    control: ExportControlState
    clause: ClauseState
    reach: Reach
    """The part of the supply that it covers, in force or suspended."""
    limits: tuple[str, ...]
    """The reasons why it covers only a part of the supply or nothing, in words: items, forms, an end use,
    named entities, exemptions, technology, a measure that its issuer denies, …."""
    confirmation: Confirmation
    match: Match
    """Whether it covers the supply for certain or possibly, because it names only a group."""

    @property
    def is_licence(self) -> bool:
        """Whether the clause is a licence for dual-use goods."""
        return self.clause.clause.measure is Measure.DUAL_USE_LICENCE

    @property
    def is_legal_basis(self) -> bool:
        """Whether the clause covers the supply only through the licences that rest on it."""
        return is_legal_basis(self.control, self.clause.clause)

    @property
    def in_force(self) -> bool:
        """Whether the clause is in force; otherwise it is suspended."""
        return self.clause.status is ClauseStatus.IN_FORCE

    @property
    def full(self) -> bool:
        """Whether it is in force for all goods that its issuer supplies to the destination."""
        return self.in_force and self.reach is Reach.FULL

    @property
    def partly(self) -> bool:
        """Whether the clause is in force for a part of that supply."""
        return self.in_force and self.reach is Reach.PARTLY


class Requirement(NamedTuple):
    """A clause in force on a supply, followed by its legal bases."""

    clause: AppliedClause
    legal_bases: tuple[AppliedClause, ...]


def requirements(in_force: Sequence[AppliedClause]) -> list[Requirement]:
    """Return the requirements of clauses in force; acts that licences rest on are listed with them."""
    bases = tuple(one for one in in_force if one.is_legal_basis)
    others = [one for one in in_force if not one.is_legal_basis]
    if not any(one.is_licence for one in others):
        return [Requirement(one, (one,)) for one in in_force]
    return [Requirement(one, (one, *bases) if one.is_licence else (one,)) for one in others]
