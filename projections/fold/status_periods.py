"""Status periods of a clause, past and future, with days and basis. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from projections.fold.transitions import Transition, TransitionBasis, clause_of
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.basics.values import DAY
from tracker.domain.entities.entity import Evidence


@dataclass(frozen=True, slots=True)
class StatusPeriod:
    """A status of a clause from one day to another, both inclusive; `last` is None if open.

    `because`, `basis`, `announced_on` and `confirmed_by` belong to the transition that begins the
    period. For the first period, `because` is the fact that sets its status, such as a suspension.
    """

    status: ClauseStatus
    """The status."""
    first: date
    last: date | None
    because: Evidence
    """The event that starts it."""
    announced_on: date
    """The date on which that event became public."""
    basis: TransitionBasis
    """Whether it begins by an act of its first date or by an earlier announcement."""
    confirmed_by: Evidence | None
    """The first later act that confirms its start. Null if the event behind it is of the same date, or if
    no such act is recorded."""

    def holds_on(self, day: date) -> bool:
        """Whether the clause has the status on a day."""
        return self.first <= day and (self.last is None or day <= self.last)

    def overlaps(self, first: date | None, last: date | None) -> bool:
        """Whether the period overlaps a range of days; None is an open end."""
        return (last is None or self.first <= last) and (
            first is None or self.last is None or self.last >= first
        )


def status_periods(clause: str, transitions: Iterable[Transition]) -> list[StatusPeriod]:
    """Return the statuses of a clause, oldest first, from its instrument's transitions in order."""
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
