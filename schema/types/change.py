"""GraphQL types of changes and transitions."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import Enum
from typing import Any

import strawberry
from strawberry import field
from strawberry.scalars import JSON

from projections.fold import change as fold
from projections.fold import diff, transitions
from projections.fold.change import ChangeKind
from projections.fold.transition_sentences import part_sentence, successor_of
from projections.fold.transitions import TransitionKind, clause_of
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.enums import described_enum
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Day
from schema.types.annex_text import load_texts
from schema.types.common import Because
from schema.types.event import State, graphql_state
from schema.types.summary import summary_of
from tracker.domain.actors.alliance import Alliance
from tracker.domain.actors.announcement import Announcement
from tracker.domain.actors.firm import Firm
from tracker.domain.basics.control_vocabulary import ClauseStatus, Confirmation
from tracker.domain.basics.values import DAY, TextCommitment
from tracker.domain.controls.export_control import ExportControl, ExportControlState
from tracker.domain.controls.obligation import Obligation
from tracker.domain.controls.text import Text
from tracker.domain.entities.redaction import Redaction
from tracker.domain.evidence.coverage import Coverage
from tracker.domain.evidence.import_receipt import Import
from tracker.domain.evidence.watched_source import WatchedSource
from tracker.domain.figures.figure import Figure
from tracker.domain.figures.preference import Preference
from tracker.domain.figures.tariff import TariffLine
from tracker.domain.figures.tariff_edition import TariffEdition
from tracker.domain.figures.trade_flow import TradeFlow


@described_enum
class EntityKind(Enum):
    """Kinds of entities."""

    ALLIANCE = Alliance.KIND
    """Alliances and initiatives."""
    ANNOUNCEMENT = Announcement.KIND
    """Announcements."""
    EXPORT_CONTROL = ExportControl.KIND
    """Controls of exports, imports or production."""
    FIGURE = Figure.KIND
    """Figures, with their claims."""
    FIRM = Firm.KIND
    """Firms, with their names."""
    PREFERENCE = Preference.KIND
    """Orders of preference between publishers."""
    IMPORT = Import.KIND
    """Imports of files."""
    REDACTION = Redaction.KIND
    """Redactions of texts."""
    SOURCE = WatchedSource.KIND
    """Watched sources."""
    COVERAGE = Coverage.KIND
    """Lists of acts that were read."""
    FLOW = TradeFlow.KIND
    """Trade flows, with their claims."""
    TARIFF_EDITION = TariffEdition.KIND
    """Editions of tariff schedules that were read."""
    TARIFF_LINE = TariffLine.KIND
    """Lines of tariffs, with their rates."""
    OBLIGATION = Obligation.KIND
    """Obligations of acts, with their due days."""
    TEXT = Text.KIND
    """Texts of acts, with their versions."""


@object_type
class FieldChange:
    """A field of a state that differs. Differences of `because` alone are not listed."""

    path: list[str]
    """The path of the field in the stored state, such as `clauses`, `2`, `status`. Items of `clauses` are
    named by id, of `members` by place, of `claims` by publisher, edition and version. An empty path means
    the state as a whole. The path of a list means that its order differs."""
    before: JSON | None = field(description="The value before; null if there was none.")
    after: JSON | None = field(description="The value after; null if absent.")
    changed_on: Day | None
    """The date of the change; of several changes between two moments, the last. Null if only the recorded
    knowledge of it changed."""


@output_type(only_spelled=True, first="entity kind change effective_days held_from")
class Change:
    """An entity that differs between two moments."""

    of: strawberry.Private[fold.Change]
    start: strawberry.Private[Moment]
    end: strawberry.Private[Moment]

    @made_field
    def kind(self) -> EntityKind:
        """The kind of entity."""
        return entity_kind(self.of.entity)

    change: ChangeKind = struct_field("what", description="The kind of difference.")
    because: list[Because] = struct_field()

    @resolver_field
    def before(self) -> State | None:
        """The state at the first moment; null if the entity did not exist."""
        return graphql_state(self.of.before, self.start) if self.of.before else None

    @resolver_field
    def after(self) -> State | None:
        """The state at the second moment; null if the entity does not exist."""
        return graphql_state(self.of.after, self.end) if self.of.after else None

    @resolver_field
    async def confirmations(self, info: Info) -> list[Confirmation]:
        """The confirmations of the statuses that its clauses in force have at the second moment, the best
        supported first; empty for all that has no clause in force.
        """
        state = self.of.after
        if not isinstance(state, ExportControlState):
            return []
        confirmations = info.context.services.as_of.confirmations
        in_force = [item for item in state.clauses if item.status is ClauseStatus.IN_FORCE]
        statuses = {await confirmations.of(state, item, self.end) for item in in_force}
        return [one for one in Confirmation if one in statuses]

    @resolver_field
    async def fields(self, info: Info) -> list[FieldChange]:
        """The fields that differ; empty if only the events behind the state differ."""
        return await field_changes(info, [(one, self.of.day_of(one)) for one in self.of.fields])


@output_type(
    only_spelled=True, first="day entity kind transition clause member because announced_on basis"
)
class Transition:
    """A change of an entity, or of one of its clauses or members, on a date."""

    of: strawberry.Private[transitions.Transition]
    position: strawberry.Private[int]

    @made_field
    def kind(self) -> EntityKind:
        """The kind of entity."""
        return entity_kind(self.of.entity)

    transition: TransitionKind = struct_field("kind", description="The kind of change.")
    because: Because = struct_field()
    confirmed_by: Because | None = struct_field()

    @resolver_field
    async def confirmation(self, info: Info) -> Confirmation | None:
        """The confirmation of the status of the clause from this date on; null without a clause."""
        state = self.of.after
        if self.of.clause is None or not isinstance(state, ExportControlState):
            return None
        item = clause_of(state, self.of.clause)
        if item is None:
            return None
        confirmations = info.context.services.as_of.confirmations
        return await confirmations.of(state, item, Moment(self.of.day, self.position))

    @resolver_field
    async def summary(self, info: Info) -> str:
        """The change in one English sentence. If it rests on the terms of an earlier act, the sentence
        says so, and whether a later act confirms it."""
        return await transition_summary(info, self)

    @resolver_field
    async def fields(self, info: Info) -> list[FieldChange]:
        """The fields that change."""
        return await field_changes(info, [(one, self.of.day) for one in self.of.fields])

    @resolver_field
    def before(self) -> State | None:
        """The state of the entity on the day before; null if it does not exist then."""
        the_day_before = Moment(self.of.day - DAY, self.position)
        return graphql_state(self.of.before, the_day_before) if self.of.before else None

    @resolver_field
    def after(self) -> State:
        """The state of the entity on the day."""
        return graphql_state(self.of.after, Moment(self.of.day, self.position))


async def transition_summary(info: Info, of: Transition) -> str:
    """Return a transition in one English sentence.

    A transition of a clause or a member has its own sentence. A transition of a whole entity has the
    sentence of its event.
    """
    change = of.of
    if not change.part:
        return await summary_of(info, change.because)
    title = None
    if key := successor_of(change):
        names = await info.context.loaders.names.load(f"export-control/{key}")
        title = names.before(of.position + 1, change.day)
    return part_sentence(change, title)


async def field_changes(
    info: Info, of: Sequence[tuple[diff.FieldChange, date | None]]
) -> list[FieldChange]:
    """Return the GraphQL types of field changes, each with its date and texts.

    Changes with equal values before and after are left out.
    """
    texts = await load_texts(
        info,
        {
            text
            for item, _ in of
            for side in (item.before, item.after)
            for text in commitments_in(side)
        },
    )
    shown = [
        FieldChange(
            path=list(item.path),
            before=with_texts(item.before, texts),
            after=with_texts(item.after, texts),
            changed_on=Day(day.isoformat()) if day else None,
        )
        for item, day in of
    ]
    return [item for item in shown if item.before is None or item.before != item.after]


def commitments_in(value: Any) -> Iterator[TextCommitment]:
    """Iterate over the commitments to texts in a value."""
    match value:
        case TextCommitment():
            yield value
        case dict() | list():
            for item in value.values() if isinstance(value, dict) else value:
                yield from commitments_in(item)


def with_texts(value: Any, texts: Mapping[TextCommitment, str | None]) -> Any:
    """Return a value with texts in place of commitments."""
    match value:
        case TextCommitment():
            return texts[value]
        case dict():
            return {name: with_texts(item, texts) for name, item in value.items()}
        case list():
            return [with_texts(item, texts) for item in value]
    return value


def entity_kind(entity: str) -> EntityKind:
    """Return the kind of an entity from its name."""
    return EntityKind(entity.partition("/")[0])
