"""The statuses that a clause has had and will have, each with its days and what it rests on. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from projections.fold.transitions import Transition, TransitionBasis, clause_of
from tracker.domain.entity import TYPES, Evidence
from tracker.domain.export_control_acts import Suspended, SuspensionExtended
from tracker.domain.values import DAY
from tracker.domain.vocabulary import ClauseStatus

SUSPENSIONS = {TYPES[Suspended], TYPES[SuspensionExtended]}


@dataclass(frozen=True, slots=True)
class StatusPeriod:
    """A status of a clause from one day to another, both inclusive; without a last one it lasts as far
    as is known. `because`, `basis`, `announced_on` and `confirmed_by` are those of the transition
    with which it begins; of the first one `because` is the fact of the day by which the clause has
    this status, such as a suspension."""

    status: ClauseStatus
    first: date
    last: date | None
    because: Evidence
    announced_on: date
    basis: TransitionBasis
    confirmed_by: Evidence | None

    def holds_on(self, day: date) -> bool:
        """Whether the clause has the status on a day."""
        return self.first <= day and (self.last is None or day <= self.last)

    @property
    def rests_on_end_of_suspension(self) -> bool:
        """Whether it begins because a suspension had an end, which no act confirms."""
        return self.because.type in SUSPENSIONS and self.confirmed_by is None

    def overlaps(self, first: date | None, last: date | None) -> bool:
        """Whether a day from one to another is one of its days; without one they are open."""
        return (last is None or self.first <= last) and (
            first is None or self.last is None or self.last >= first
        )


def status_periods(clause: str, transitions: Iterable[Transition]) -> list[StatusPeriod]:
    """The statuses of a clause, the oldest first, from all transitions of its instrument in the order
    of their days."""
    periods: list[StatusPeriod] = []
    for transition in transitions:
        state = clause_of(transition.after, clause)
        is_of_clause = transition.clause == clause or transition.part == ()
        if state is None or not is_of_clause or (periods and periods[-1].status is state.status):
            continue
        if periods:
            periods[-1] = replace(periods[-1], last=transition.day - DAY)
        periods.append(
            StatusPeriod(
                state.status,
                transition.day,
                None,
                transition.because if periods else dict(transition.begun_by)[clause],
                transition.announced_on,
                transition.basis,
                transition.confirmed_by,
            )
        )
    return periods
