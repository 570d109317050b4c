"""Firms as GraphQL shows them."""

from __future__ import annotations

import strawberry
from strawberry import field

from projections.query.lists import Filter
from projections.query.moment import Moment
from projections.versions.rows import firm_words
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.memo import memoize_by_identity
from schema.types.announcement import Announcement, announcement
from schema.types.clause import Clause, clause
from schema.types.common import Because, Node, Place, at_moment, because, from_state, place
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.export_control import ExportControl, export_control
from schema.types.links import node_of
from tracker.domain.announcement import AnnouncementState
from tracker.domain.export_control import ExportControlState
from tracker.domain.firm import FirmState, spelling
from tracker.domain.matching import names_firm
from tracker.domain.vocabulary import ActKind


@object_type
class FirmClause:
    """A clause that names a firm, with its instrument."""

    export_control: ExportControl = field(description="The instrument.")
    clause: Clause = field(description="The clause.")


@object_type
class Firm(Node):
    """A firm, and what names it. Names are compared letter by letter; only capitals and spaces do not
    count.
    """

    key: str = field(description="Its key, such as `mp-materials`.")
    entity: str = field(description="Its name in the log, `firm/<key>`.")
    name: str = field(description="Its name on this day.")
    also: list[str] = field(description="Other spellings of its names.")
    former_names: list[str] = field(description="Its earlier names, the oldest first.")
    place: Place | None = field(description="The place of its seat; null if not recorded.")
    because: list[Because] = field(
        description="The recorded events that this state follows from, in the order of the log."
    )
    state: strawberry.Private[FirmState]

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the records of acts that may name it. Null in a history."""
        kinds = [ActKind.ENTITY_LIST, ActKind.ANNOUNCEMENT]
        return await completeness(answer_scope(info, self.moment, kinds))

    @resolver_field
    async def clauses(self, info: Info) -> list[FirmClause]:
        """The clauses that name it: as a firm that they are limited to, as an exporter, or as one for
        which they are suspended; in a history, at the latest moment.
        """
        as_of = info.context.services.as_of
        moment, names = self.moment or await as_of.resolve(), self.state.spellings
        found = await as_of.states(ExportControlState, moment, Filter(about=firm_words(names)))
        return [
            FirmClause(
                export_control=export_control(control, moment), clause=clause(item, control, moment)
            )
            for control in found
            for item in control.clauses
            if names_firm(item, names)
        ]

    @resolver_field
    async def announcements(self, info: Info) -> list[Announcement]:
        """The announcements that name it, the oldest first; in a history, at the latest moment."""
        as_of = info.context.services.as_of
        moment, names = self.moment or await as_of.resolve(), self.state.spellings
        found = await as_of.states(AnnouncementState, moment, Filter(about=firm_words(names)))
        named = [one for one in found if not names.isdisjoint(map(spelling, one.firms))]
        return [announcement(one, moment) for one in sorted(named, key=lambda one: one.date.first)]


@node_of.register(FirmState)
def firm(state: FirmState, moment: Moment | None) -> Firm:
    """The GraphQL type of a firm at a moment; in a history it has none."""
    return at_moment(_content(state), moment)


@memoize_by_identity(lambda _: 1)
def _content(state: FirmState) -> Firm:
    return from_state(
        Firm,
        state,
        key=state.id,
        entity=f"firm/{state.id}",
        place=place(state.place) if state.place else None,
        state=state,
        later={"because": lambda: because(state.because)},
    )
