"""GraphQL types of the log and of the history of an entity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, TypeAlias, cast

import strawberry
from strawberry import field
from strawberry.scalars import JSON

from projections.query.histories import HistoryRow
from projections.query.moment import Moment
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import output_type, struct_field
from schema.base.scalars import Day, Position
from schema.types.act_text import ActText
from schema.types.alliance import Alliance
from schema.types.announcement import Announcement
from schema.types.common import Annex, Node, Source, annexes, event_sources
from schema.types.coverage import CoverageStatement
from schema.types.export_control import ExportControl
from schema.types.figure import Figure
from schema.types.firm import Firm
from schema.types.imports import Import
from schema.types.links import node_of
from schema.types.obligation import Obligation
from schema.types.preference import Preference
from schema.types.proof import InclusionProof, inclusion
from schema.types.redaction import Redaction
from schema.types.summary import summary
from schema.types.tariff import TariffEdition, TariffLine
from schema.types.trade_flow import TradeFlow
from schema.types.watched_source import WatchedSource
from tracker.domain.entities.entity import EntityState
from tracker.domain.entities.history import Retracted
from tracker.domain.events.registry import RETRACTION_TYPES
from tracker.log.entries import RecordedEvent


@output_type(only_spelled=True, first="position event_id type entity version recorded_at actor")
class Fact:
    """A recorded fact: an act or a statement, with its source. It is the content of an event of the log,
    which is immutable."""

    of: strawberry.Private[RecordedEvent]

    position: Position = struct_field()
    entity: str = struct_field("stream")
    """The entity of the event, such as `alliance/quad`."""
    data: JSON = struct_field()

    @resolver_field
    def public_on(self) -> Day | None:
        """The date from which the fact is effective and public; of a figure, the publication date of the
        edition. Null for a retraction, which applies to all dates."""
        day = self.of.fact.public_on
        return None if day == date.min else Day(day.isoformat())

    @resolver_field
    async def summary(self, info: Info) -> str:
        """The fact in one English sentence, with the names of entities at the time of recording. It
        contains no more than the fact, and never changes."""
        return await summary(info, self.of)

    @resolver_field
    async def source(self, info: Info) -> Source:
        """Its source. `primary` tells an issuer's own text from a report of it."""
        [first, *_] = await event_sources(info, self.of)
        return first

    @resolver_field
    async def more_sources(self, info: Info) -> list[Source]:
        """Further sources of the same fact."""
        [_, *more] = await event_sources(info, self.of)
        return more

    @resolver_field
    async def annexes(self, info: Info) -> list[Annex]:
        """Its note, its quotation and the notes of its clauses, as far as they exist. Events recorded
        before annexes existed have them in `data`."""
        return await annexes(info, self.of.position)

    @resolver_field
    async def correction_of(self, info: Info) -> Fact | None:
        """The fact that it was recorded in place of; null if it corrects none."""
        corrected = await corrected_event(info, self.of)
        return Fact(of=corrected) if corrected else None


@object_type
class KnownEvent(Fact):
    """An event of the log as known at a position, without later retractions and corrections. Redacted
    texts are missing at every position."""

    until: strawberry.Private[int | None] = None
    """The position; None: now."""

    @resolver_field
    async def retracted_by(self, info: Info) -> Fact | None:
        """The retraction of the event; null while the event counts. A retraction that is retracted
        itself has no effect."""
        retraction = await retraction_of(info, self.of, self.until)
        return Fact(of=retraction) if retraction else None

    @resolver_field
    async def replaced_by(self, info: Info) -> Fact | None:
        """The fact that was recorded in its place at its retraction, which may be about another entity.
        Null while the event counts, and if nothing replaced it."""
        retraction = await retraction_of(info, self.of, self.until)
        if (
            retraction is None
            or not isinstance(retraction.fact, Retracted)
            or not retraction.fact.replacement
        ):
            return None
        replacement = await info.context.loaders.event_by_id.load(retraction.fact.replacement)
        if replacement is None or (self.until is not None and replacement.position > self.until):
            return None
        return Fact(of=replacement)


@object_type
class Event(KnownEvent):
    """An event of the log: immutable once it is recorded."""

    @resolver_field
    def resume_token(self) -> str:
        """Its position and a prefix of its hash: `1234-9f86d081884c7d65`. A client that has all events
        up to it resumes with it as `after` of subscriptions, `events` and `/events`. The request fails
        with LOG_DIVERGED if the log was restored to an earlier state since. A position alone cannot
        detect this."""
        return str(self.of.resume_token)

    @resolver_field
    async def proof(self, info: Info) -> InclusionProof | None:
        """A proof that the newest checkpoint commits to it; null for about a second after recording, if the
        log is not signed, and for an event of a scenario."""
        if self.of.position > info.context.last_recorded:
            return None
        proof = await info.context.services.proofs.proof(int(self.position))
        return inclusion(proof) if proof else None


State: TypeAlias = Annotated[
    ExportControl
    | Alliance
    | Announcement
    | Figure
    | Firm
    | Preference
    | Import
    | Redaction
    | WatchedSource
    | CoverageStatement
    | TradeFlow
    | TariffEdition
    | TariffLine
    | Obligation
    | ActText,
    strawberry.union("State", description="The state of an entity."),
]


@output_type(first="valid_from valid_until known_from known_until recorded_at replaced_at")
class HistoryVersion:
    """A version of an entity's state: the dates on which it holds, and the positions at which it was
    known. All ends are inclusive."""

    of: strawberry.Private[HistoryRow]

    known_from: Position = struct_field()
    known_until: Position | None = struct_field()
    state: State = field(description="The state.")


async def retraction_of(
    info: Info, of: RecordedEvent, until: int | None = None
) -> RecordedEvent | None:
    """Return the effective retraction of an event, as known at a position or now."""
    retractions = await info.context.loaders.retractions.load((of.stream, until))
    return retractions.get(of.event_id)


async def corrected_event(info: Info, of: RecordedEvent) -> RecordedEvent | None:
    """Return the event that another one replaces.

    A correction is recorded as one batch, so its retraction is at the position before.
    """
    loaders = info.context.loaders
    before = await loaders.event_at.load(of.position - 1)
    if before is None or before.type not in RETRACTION_TYPES:
        return None
    retraction = before.fact
    if not isinstance(retraction, Retracted) or retraction.replacement != of.event_id:
        return None
    return await loaders.event_by_id.load(retraction.retracts)


def history_version(held: HistoryRow, until: int | None = None) -> HistoryVersion | None:
    """Return the GraphQL type of a version of an entity, as known at a position or now.

    None if its state was left out.
    """
    if until is not None and held.known_until is not None and held.known_until >= until:
        held = replace(held, known_until=None, replaced_at=None)
    if held.state is None:
        return None
    state = past_state(held.state, Moment(held.valid_from, held.known_from))
    return HistoryVersion(of=held, state=cast(State, state))


def past_state(of: EntityState, start: Moment) -> Node:
    """Return the GraphQL type of a state in the version of a history that begins at a moment.

    Linked objects, such as the announcements of an alliance, are of the present.
    """
    state = graphql_state(of, None)
    state.version_start = start
    return state


def graphql_state(of: EntityState, moment: Moment | None) -> State:
    """Return the GraphQL type of a state at a moment, or in a version of a history."""
    return cast(State, node_of(of, moment))
