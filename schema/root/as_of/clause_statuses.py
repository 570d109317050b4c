"""Statuses of clauses over time, as known at a moment."""

from collections.abc import Iterator, Sequence
from enum import Enum

import strawberry

from projections.fold.status_periods import StatusPeriod as Period
from projections.fold.status_periods import status_periods
from projections.fold.transitions import Transition
from projections.query.list_statements import BY_NAME, SortKey
from projections.query.lists import Key, Keyed
from projections.query.moment import Moment
from projections.query.suspended_days import MatchingControl
from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.inputs.clause_filter import CONTROL_FILTERS, parse_control_filter
from schema.inputs.order_by import ClauseStatusOrder
from schema.inputs.ranges import parse_days
from schema.root.as_of.base import AtMoment
from schema.types.clause import Clause, clause
from schema.types.connection import PageSource, list_pages
from schema.types.export_control import ExportControl, clause_query
from schema.types.list_field import list_field
from schema.types.status_period import StatusDays, StatusPeriod
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.export_control import ExportControl as ControlEntity
from tracker.domain.controls.export_control import ExportControlState

FILTERS = CONTROL_FILTERS.only(
    "issuer direction destination origin commodity form hs_code measure covers firm"
)


@object_type
class ClauseStatusPeriod:
    """A period in which a clause has a status, with the clause and its instrument."""

    of: strawberry.Private[Period]
    state: strawberry.Private[ClauseState]
    control: strawberry.Private[ExportControlState]
    moment: strawberry.Private[Moment]

    @resolver_field
    def export_control(self) -> ExportControl:
        """The instrument, at the moment of the query."""
        return ExportControl.at(self.control, self.moment)

    @resolver_field
    def clause(self) -> Clause:
        """The clause, at the moment of the query."""
        return clause(self.state, self.control, self.moment)

    @resolver_field
    def period(self) -> StatusPeriod:
        """The status, with its dates and the events behind it."""
        return StatusPeriod(of=self.of)


@object_type
class ClauseStatuses(AtMoment):
    """Statuses of clauses over time."""

    @list_field(ClauseStatusPeriod, ClauseStatusOrder)
    async def clause_statuses(
        self,
        info: Info,
        order: Enum,
        between: StatusDays = None,
        statuses: list[ClauseStatus] | None = None,
        filters: ArgumentGroup = FILTERS,
    ) -> PageSource[ClauseStatusPeriod]:
        """The status periods of clauses, past and future, as known at this moment: announced, in force,
        suspended, ended. The filters on clauses apply to their wording at this moment.

        - statuses: Only periods of these statuses.
        """
        query = await clause_query(info, filters, self.moment)
        narrowed = parse_control_filter(filters)
        days = parse_days(between, "between") or (None, None)
        as_of = info.context.services.as_of
        licences = await as_of.controls.licences(self.moment) if query.is_about_goods else {}
        matching = await as_of.controls.matching(self.moment, query, licences, narrowed, BY_NAME)
        transitions = await as_of.transitions.of_entities(
            [_entity(control) for _, control in matching], self.moment
        )
        selected = set(ClauseStatus if statuses is None else statuses)
        entries = [
            item
            for _, control in matching
            for item in _items(control, transitions[_entity(control)], order.value.by, self.moment)
            if item[1].of.status in selected and item[1].of.overlaps(*days)
        ]
        scope = self.clause_scope(info, filters, narrowed, query)
        name = order.name.removesuffix("_DESC")
        return list_pages(entries, name, order.value.down).about(scope)


def _items(
    control: MatchingControl, transitions: Sequence[Transition], order: SortKey, moment: Moment
) -> Iterator[Keyed[ClauseStatusPeriod]]:
    numbers = {item.clause.id: number for number, item in enumerate(control.state.clauses)}
    for item in control.clauses:
        for period in status_periods(item.clause.id, transitions):
            day = period.first.isoformat()
            of_clause = control.state.id, f"{numbers[item.clause.id]:06}"
            by_clause = order is SortKey.NAME
            key: Key = (*of_clause, day) if by_clause else (day, *of_clause)
            yield (
                key,
                ClauseStatusPeriod(of=period, state=item, control=control.state, moment=moment),
            )


def _entity(control: MatchingControl) -> str:
    return f"{ControlEntity.KIND}/{control.state.id}"
