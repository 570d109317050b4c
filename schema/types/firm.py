"""GraphQL types of firms."""

import strawberry
from strawberry import field

from projections.query.lists import Filter
from projections.versions.rows import firm_words
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import struct_field
from schema.types.announcement import Announcement
from schema.types.clause import Clause, clause
from schema.types.common import Node, entity_type
from schema.types.completeness import Completeness, answer_scope, completeness
from schema.types.export_control import ExportControl
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.actors.firm import FirmState, spelling
from tracker.domain.basics.control_vocabulary import ActKind
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import names_firm


@object_type
class FirmClause:
    """A clause that names a firm, with its instrument."""

    export_control: ExportControl = field(description="The instrument.")
    clause: Clause = field(description="The clause.")


@entity_type(FirmState, first="name also former_names place because")
class Firm(Node):
    """A firm, with the acts and announcements that name it. Names are compared letter by letter, except
    for case and spaces."""

    key: str = struct_field(description="Its key, such as `mp-materials`.")
    state: strawberry.Private[FirmState]

    @resolver_field
    async def completeness(self, info: Info) -> Completeness | None:
        """The completeness of the recorded acts that may name it. Null in a history."""
        kinds = [ActKind.ENTITY_LIST, ActKind.ANNOUNCEMENT]
        return await completeness(answer_scope(info, self.moment, kinds))

    @resolver_field
    async def clauses(self, info: Info) -> list[FirmClause]:
        """The clauses that name it: as a firm that they are limited to, as an exporter, or as a firm for
        which they are suspended. In a history, at the latest moment."""
        as_of = info.context.services.as_of
        moment, names = self.moment or await as_of.resolve(), self.state.spellings
        states = await as_of.states(ExportControlState, moment, Filter(about=firm_words(names)))
        return [
            FirmClause(
                export_control=ExportControl.at(control, moment),
                clause=clause(item, control, moment),
            )
            for control in states
            for item in control.clauses
            if names_firm(item, names)
        ]

    @resolver_field
    async def announcements(self, info: Info) -> list[Announcement]:
        """The announcements that name it, the oldest first; in a history, at the latest moment."""
        as_of = info.context.services.as_of
        moment, names = self.moment or await as_of.resolve(), self.state.spellings
        states = await as_of.states(AnnouncementState, moment, Filter(about=firm_words(names)))
        named = [one for one in states if not names.isdisjoint(map(spelling, one.firms))]
        return [
            Announcement.at(one, moment) for one in sorted(named, key=lambda one: one.date.first)
        ]
