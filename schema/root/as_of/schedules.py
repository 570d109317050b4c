"""Announced transitions, with changes of their dates, at a moment."""

from datetime import date
from enum import Enum

from schema.base.argument_group import ArgumentGroup
from schema.base.context import Info
from schema.base.decorators import object_type
from schema.inputs.order_by import TransitionOrder
from schema.root.as_of.base import AtMoment
from schema.root.as_of.transitions import (
    POLICY_KINDS,
    TRANSITION_FILTERS,
    parse_window,
    transition_filter,
)
from schema.root.changes import parse_kinds
from schema.types.connection import PageSource, shown_pages
from schema.types.list_field import list_field
from schema.types.schedule import ScheduledTransition, scheduled_transition

SCHEDULED = "scheduled"
"""Name of the list in cursors."""
SCHEDULE_FILTERS = TRANSITION_FILTERS.only(
    "commodity hs_code place issuer alliance firm entity kind publisher"
)


@object_type
class Schedules(AtMoment):
    """Announced transitions, as known at a moment."""

    @list_field(ScheduledTransition, TransitionOrder)
    async def scheduled(
        self, info: Info, order: Enum, days: int = 0, filters: ArgumentGroup = SCHEDULE_FILTERS
    ) -> PageSource[ScheduledTransition]:
        """Announced transitions from `days` before this date on, by the date that was announced last,
        including withdrawn ones. Unlike in `upcoming`, each has a key that stays the same if its date
        changes, and all its announced dates. Transitions of figures are left out, because they are not
        announced.

        - days: The number of days before this date.
        """
        kinds = parse_kinds(filters["kind"], POLICY_KINDS)
        about = await transition_filter(info, self.moment, kinds, filters)
        today = self.moment.valid_at
        since = today - min(parse_window(days), today - date.min)
        scheduled = await info.context.services.as_of.schedules.since(self.moment, since, about)
        listing = shown_pages(
            [
                ((of.transition.day.isoformat(), of.transition.entity, of.id), of)
                for of in scheduled
            ],
            lambda of: scheduled_transition(of, self.moment.position),
            SCHEDULED,
            order.value.down,
        )
        return listing.about(self.policy_scope(info, about))
