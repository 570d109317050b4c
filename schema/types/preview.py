"""GraphQL types of previews: events to be recorded and the resulting changes."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import cast

import msgspec
import strawberry
from strawberry.scalars import JSON

from projections.query import preview as previews
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day, Position
from schema.types.change import Change
from schema.types.common import Source, event_sources
from schema.types.status_period import StatusPeriod
from schema.types.summary import summary
from tracker.commands.dry_run import DryRun
from tracker.domain.basics.codec import encode
from tracker.domain.entities.commitments import with_texts_restored
from tracker.log.entries import NewEvent, RecordedEvent


@output_type(only_spelled=True, first="type entity version")
class PlannedEvent:
    """An event that commands would record."""

    of: strawberry.Private[RecordedEvent]
    decided: strawberry.Private[NewEvent]

    entity: str = struct_field("stream")
    """The entity of the event, such as `alliance/quad`."""
    actor: str | None = struct_field(description="The author of the record: the caller.")

    @resolver_field
    def public_on(self) -> Day | None:
        """The date from which it would be effective; null for a retraction, which applies to all dates."""
        day = self.of.fact.public_on
        return None if day == date.min else Day(day.isoformat())

    @resolver_field
    async def summary(self, info: Info) -> str:
        """The event in one English sentence, as after recording."""
        return await summary(info, self.of)

    @resolver_field
    async def source(self, info: Info) -> Source:
        """Its source."""
        [first, *_] = await event_sources(info, self.of)
        return first

    @resolver_field
    async def more_sources(self, info: Info) -> list[Source]:
        """Further sources of the same fact."""
        [_, *more] = await event_sources(info, self.of)
        return more

    @resolver_field
    def data(self) -> JSON:
        """The fact as it would be stored, as JSON, with its note and quotation as texts. Their
        commitments are computed on recording."""
        texts = {annex.commitment: annex.text for annex in self.decided.annexes}
        return cast(JSON, msgspec.json.decode(encode(with_texts_restored(self.of.fact, texts))))


@output_type(first="entity clause measure")
class StatusChange:
    """A clause whose statuses over time, or the events behind them, would differ."""

    of: strawberry.Private[previews.StatusChange]

    before: list[StatusPeriod] = struct_field()
    after: list[StatusPeriod] = struct_field()


@object_type
class Preview:
    """The events that commands would record, and the resulting changes. Nothing is recorded. Planned
    events behind its states have the positions that they would have without other new events; these
    positions cannot be queried."""

    planned: strawberry.Private[previews.Preview]
    start: strawberry.Private[Moment]

    position: Position
    """The position of the log on whose state the commands were decided."""
    repeated: bool
    """Whether the idempotency key has recorded these commands already. `record` would then record nothing
    and return the first result."""
    events: list[PlannedEvent]
    """The events that would be recorded, in the order of the commands; a correction has two, its retraction
    and its replacement. Empty if `repeated`."""

    @resolver_field
    async def changes(self) -> list[Change]:
        """The entities whose state on the date would differ, by name: `before` in the log, `after` with
        the planned events. As in the query `changes`, a fact that counts from a later date changes
        nothing on this date. Linked data, such as the announcements of an alliance, are as recorded."""
        start, end = self.start, replace(self.start, preview=self.planned)
        changes: list[Change] = []
        for entity in sorted(self.planned.planned):
            if of := self.planned.change(entity, start.valid_at):
                changes.append(Change(of=of, start=start, end=end))
            await asyncio.sleep(0)  # let other tasks run
        return changes

    @resolver_field
    async def status_changes(self) -> list[StatusChange]:
        """The clauses whose statuses over time would differ, past and future, as known on the date."""
        changes: list[StatusChange] = []
        for entity in sorted(self.planned.planned):
            of = self.planned.status_changes(entity, self.start.valid_at)
            changes.extend(StatusChange(of=one) for one in of)
            await asyncio.sleep(0)
        return changes


def preview(start: Moment, planned: previews.Preview, run: DryRun) -> Preview:
    """Return the GraphQL type of a preview on the state of the log at a moment."""
    return Preview(
        planned=planned,
        start=start,
        position=Position(str(start.position)),
        repeated=not run.events,
        events=[
            PlannedEvent(of=of, decided=decided)
            for of, decided in zip(run.events, run.decided, strict=True)
        ],
    )
