"""Previews as GraphQL shows them: what would be recorded, and what would change."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import cast

import msgspec
import strawberry
from strawberry import field
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
from tracker.domain.codec import encode
from tracker.domain.commitments import with_texts_restored
from tracker.domain.vocabulary import Measure
from tracker.log.entries import NewEvent, RecordedEvent


@output_type(of=RecordedEvent, only_spelled=True)
class PlannedEvent:
    """An event that commands would record."""

    of: strawberry.Private[RecordedEvent]
    decided: strawberry.Private[NewEvent]

    type: str = struct_field(description="Its type, such as `ExportControl.Suspended`.")
    entity: str = struct_field(
        "stream", description="The entity that it is about, such as `alliance/quad`."
    )
    version: int = struct_field(
        description="Its number among the events of the entity: 1, 2, 3, …."
    )
    actor: str | None = struct_field(description="Who would record it: the caller.")

    @resolver_field
    def public_on(self) -> Day | None:
        """The day from which it would count in the world; null for a retraction, which counts for
        all days."""
        day = self.of.fact.public_on
        return None if day == date.min else Day(day.isoformat())

    @resolver_field
    async def summary(self, info: Info) -> str:
        """What it says, in one English sentence: the one that the recorded event would have."""
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
        """The fact as it would be stored, as JSON, with its note and quotation as texts: their
        commitments are made when it is recorded."""
        texts = {annex.commitment: annex.text for annex in self.decided.annexes}
        return cast(JSON, msgspec.json.decode(encode(with_texts_restored(self.of.fact, texts))))


@output_type(of=previews.StatusChange, only_spelled=True)
class StatusChange:
    """A clause whose statuses over time would not be the same, or not rest on the same events."""

    of: strawberry.Private[previews.StatusChange]

    entity: str = struct_field(description="The export control in the log, `export-control/<key>`.")
    clause: str = struct_field(description="The key of the clause.")
    measure: Measure = struct_field(description="How the clause works, by its last wording.")
    before: list[StatusPeriod] = struct_field(
        description="All times of its status as the log knows them, the oldest first."
    )
    after: list[StatusPeriod] = struct_field(
        description="All times of its status as the log would know them, the oldest first."
    )


@object_type
class Preview:
    """What commands would record, and what would change by it. Nothing of it is recorded. Events
    behind its states that are only planned have the positions that they would have if nothing else
    came before them, and cannot be found there.
    """

    planned: strawberry.Private[previews.Preview]
    start: strawberry.Private[Moment]

    position: Position = field(
        description="The position of the log on whose state the commands were decided."
    )
    repeated: bool = field(
        description="True where the idempotency key has recorded these commands already: `record` would"
        " record nothing, and return the first result."
    )
    events: list[PlannedEvent] = field(
        description="The events that would be recorded, in the order of the commands; a correction has"
        " two, its retraction and its replacement. Empty where `repeated`."
    )

    @resolver_field
    async def changes(self) -> list[Change]:
        """The entities whose state on the day would differ, by name: `before` as the log has it,
        `after` as it would have it. As in the query `changes`, a fact that counts from a later day
        changes nothing on the day. What hangs on a state, such as the announcements of an alliance,
        is as recorded."""
        start, end = self.start, replace(self.start, preview=self.planned)
        found: list[Change] = []
        for entity in sorted(self.planned.planned):
            if of := self.planned.change(entity, start.valid_at):
                found.append(Change(of=of, start=start, end=end))
            await asyncio.sleep(0)  # others get their turn
        return found

    @resolver_field
    async def status_changes(self) -> list[StatusChange]:
        """The clauses whose statuses over time would differ, past and to come, as known on the day."""
        found: list[StatusChange] = []
        for entity in sorted(self.planned.planned):
            of = self.planned.status_changes(entity, self.start.valid_at)
            found.extend(StatusChange(of=one) for one in of)
            await asyncio.sleep(0)
        return found


def preview(start: Moment, planned: previews.Preview, run: DryRun) -> Preview:
    """The GraphQL type of a preview on the state of the log at a moment."""
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
