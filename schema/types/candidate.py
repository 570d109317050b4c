"""Candidates as GraphQL shows them: what was found, what is proposed, and what was done with it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import strawberry
from strawberry import argument, field
from strawberry.scalars import JSON

from projections.query.candidate_matches import MatchKind
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.scalars import Day, Instant, Position
from schema.inputs.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, parse_page
from schema.types.common import Commodity, commodity
from schema.types.event import Event, event
from tracker.errors import InvalidInput
from tracker.review import candidate as review
from tracker.review.candidate import Action, CandidateKind, CandidateState
from tracker.review.finding import LeadCode

NEWEST = argument(description=f"At most so many of them, 0 to {MAX_PAGE_SIZE}.")


@object_type
class CandidateSnapshot:
    """The bytes that a candidate was read from, as its publisher sent them."""

    sha256: str = field(description="Their SHA-256, as 64 hexadecimal digits.")
    url: str = field(description="The address from which they came.")
    path: str = field(description="The path under which this server gives them.")
    media_type: str | None = field(
        description="The media type that the publisher declared, without parameters; null where it"
        " declared none, or they are not here."
    )
    size: int | None = field(description="Their number of bytes; null where they are not here.")
    stored_at: Instant | None = field(
        description="The time at which they were kept; null where they are not here."
    )
    redacted: bool = field(
        description="Whether they were redacted: only the hash is left, and why they went."
    )


@object_type
class CandidateProposal:
    """A fact that is proposed."""

    type: str = field(
        description="The type of the event it would be, such as `ExportControl.Announced`."
    )
    entity: str = field(description="The entity it would be about, such as `export-control/us-…`.")
    data: JSON = field(
        description="The fact as it would be stored, as JSON. Once it is accepted its note and quotation"
        " are in the log only."
    )
    event_id: str | None = field(
        description="The id under which its reader would record it; null for one that a person made of a"
        " lead."
    )


@object_type
class CandidateFile:
    """A file that is proposed for import."""

    reader: str = field(description="The reader that reads it, such as `usgs`.")
    file_name: str = field(description="What the receipt of the import calls it.")
    settings: JSON = field(
        description="What the reader is told about it, as `tracker import --set` takes it."
    )


@object_type
class CandidateMatch:
    """A known act that a candidate is about, by what was read of both: a hint for whoever decides."""

    kind: MatchKind = field(description="What the candidate is to the act.")
    entity: str = field(description="The act, such as `export-control/us-bis-2025-19001`.")
    title: str = field(description="Its title, as it is known now.")
    because: str = field(description="Why that is thought, in words.")


@object_type
class CandidateDecision:
    """Something that was done with a candidate, on record for good."""

    at: Instant = field(description="The time at which it was done.")
    actor: str = field(description="Who did it; `tracker` where a rule did.")
    action: Action = field(description="What was done.")
    reason: str | None = field(description="Why; null where nobody was asked.")
    detail: str | None = field(
        description="With what, such as the day until which it was postponed, or the position at which it"
        " was recorded."
    )
    revision: int = field(description="The revision of the candidate afterwards.")


@object_type
class Candidate:
    """Something that was found at a publisher and waits until a person accepts or rejects it. Nothing
    of it is in the log, or in any other answer, before it is accepted.
    """

    of: strawberry.Private[review.Candidate]
    reviewers: strawberry.Private[int]

    id: strawberry.ID = field(description="Its id: a number, the first found being 1.")
    kind: CandidateKind = field(description="What it proposes.")
    state: CandidateState = field(description="How it stands.")
    revision: int = field(
        description="Counts its changes. A mutation that is given the revision you saw is refused"
        " (`VERSION_CONFLICT`) where there is another one by now."
    )
    source: str = field(description="The key of the watched source at which it was found.")
    item: str = field(
        description="What the publisher calls the act, such as a document number: the same at every look."
    )
    title: str = field(description="Its title as the publisher has it, in its own language.")
    language: str | None = field(description="That language (BCP 47); null where nobody says it.")
    url: str = field(description="The address at which it was read.")
    place: str = field(
        description="Where in the snapshot it was read, such as `results[3]`; empty: it is the whole."
    )
    published_on: Day | None = field(
        description="The day of publication, as far as the publisher says it."
    )
    number: str | None = field(
        description="The act as its issuer cites it; null where that is not said."
    )
    reason: str = field(description="Why it is proposed, by what was read.")
    found_at: Instant = field(description="The time at which it was first found.")
    issuers: list[str] = field(
        description="The places and alliances that it is about; for files and leads those of the source."
    )
    proposal: CandidateProposal | None = field(
        description="The fact that is proposed; null for a file, or a lead that nobody has made a fact."
    )
    file: CandidateFile | None = field(
        description="The file that would be imported; null unless its kind is `IMPORT`."
    )
    lead: LeadCode | None = field(
        description="Why a person should look into it, where it began as a lead; else null."
    )
    assigned_to: str | None = field(
        description="Who should decide on it; null: nobody in particular."
    )
    postponed_until: Day | None = field(
        description="The day from which it waits again; null unless it is postponed."
    )
    accepted_by: list[str] = field(
        description="Who has accepted its present content, in order. An edit takes it back."
    )
    acceptances_needed: int = field(
        description="How many more persons have to accept it before it is recorded."
    )
    position: Position | None = field(
        description="The position of its event, or of the receipt of its import; null unless it is"
        " accepted."
    )
    refusal: str | None = field(
        description="Why what was accepted could not be recorded the last time; null where that was not"
        " so, or was mended."
    )
    closed_at: Instant | None = field(
        description="The time at which it was accepted, rejected or superseded; null before."
    )
    superseded_by: strawberry.ID | None = field(
        description="The candidate that has taken its place; null where none has."
    )

    @resolver_field
    async def commodities(self) -> list[Commodity]:
        """The commodities that it is about, as far as they were read."""
        return [commodity(id) for id in self.of.commodities]

    @resolver_field
    async def snapshot(self, info: Info) -> CandidateSnapshot | None:
        """The bytes that it was read from; null where nothing could be fetched."""
        sha256 = self.of.snapshot
        if sha256 is None:
            return None
        found = await info.context.loaders.snapshots.load(sha256)
        return CandidateSnapshot(
            sha256=sha256,
            url=self.of.url,
            path=f"/snapshots/{sha256}",
            media_type=found.media_type if found else None,
            size=found.size if found else None,
            stored_at=_maybe_instant(found.stored_at if found else None),
            redacted=found is not None and found.redaction is not None,
        )

    @resolver_field
    async def matches(self, info: Info) -> list[CandidateMatch]:
        """The known acts that it is about: the same one, one that it amends or cites, or the same one
        with something else said of it. Looked for when this is asked, among the acts of its issuers.
        """
        return [
            CandidateMatch(kind=of.kind, entity=of.entity, title=of.title, because=of.because)
            for of in await info.context.loaders.matches.load(self.of.id)
        ]

    @resolver_field
    async def restates(self, info: Info) -> Event | None:
        """The event in force that it would correct: what was accepted, or imported, of the same part of
        the same item before. Null where it would be recorded beside what is known, and once it is
        decided.
        """
        if self.of.state not in review.OPEN or self.of.kind is not CandidateKind.FACT:
            return None
        id = await info.context.services.review.find_restated(self.of)
        found = None if id is None else await info.context.loaders.event_by_id.load(id)
        return None if found is None else event(found)

    @resolver_field
    async def event(self, info: Info) -> Event | None:
        """The event by which it was recorded, or the receipt of its import; null unless it is
        accepted.
        """
        if self.of.position is None:
            return None
        found = await info.context.loaders.event_at.load(self.of.position)
        return None if found is None else event(found)

    @resolver_field
    async def decisions(
        self, info: Info, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[CandidateDecision]:
        """What was done with it, by whom and why, the newest first."""
        size = parse_page(first).size
        done = await info.context.loaders.decisions.load(self.of.id)
        return [_decision(of) for of in done[:size]]


def candidate(of: review.Candidate, reviewers: int) -> Candidate:
    """The GraphQL type of a candidate, where so many persons have to accept one."""
    return Candidate(
        of=of,
        reviewers=reviewers,
        id=strawberry.ID(str(of.id)),
        kind=of.kind,
        state=of.state,
        revision=of.revision,
        source=of.source,
        item=of.item,
        title=of.title,
        language=of.language,
        url=of.url,
        place=of.place,
        published_on=_maybe_day(of.published_on),
        number=of.number,
        reason=of.reason,
        found_at=_instant(of.found_at),
        issuers=list(of.issuers),
        proposal=_proposal(of),
        file=_file(of),
        lead=of.lead,
        assigned_to=of.assigned_to,
        postponed_until=_maybe_day(of.postponed_until),
        accepted_by=list(of.accepted_by),
        acceptances_needed=(
            max(reviewers - len(of.accepted_by), 1) if of.state in review.OPEN else 0
        ),
        position=None if of.position is None else Position(str(of.position)),
        refusal=of.refusal,
        closed_at=_maybe_instant(of.closed_at),
        superseded_by=None if of.superseded_by is None else strawberry.ID(str(of.superseded_by)),
    )


def parse_candidate_id(given: str, *path: str | int) -> int:
    """The id of a candidate from its text. Raises InvalidInput."""
    if not (given.isascii() and given.isdigit() and len(given) < 20):
        raise InvalidInput(
            f"{given[:50]!r} is not the id of a candidate: expected a number",
            code="INVALID_ID",
            path=path,
        )
    return int(given)


def _proposal(of: review.Candidate) -> CandidateProposal | None:
    if of.type is None or of.stream is None:
        return None
    return CandidateProposal(
        type=of.type,
        entity=of.stream,
        data=of.data,  # type: ignore[arg-type]  # the scalar writes it
        event_id=of.event_id,
    )


def _file(of: review.Candidate) -> CandidateFile | None:
    if of.reader is None or of.file_name is None:
        return None
    return CandidateFile(
        reader=of.reader,
        file_name=of.file_name,
        settings=of.settings,  # type: ignore[arg-type]  # the scalar writes it
    )


def _decision(of: review.Decision) -> CandidateDecision:
    return CandidateDecision(
        at=_instant(of.decided_at),
        actor=of.actor,
        action=of.action,
        reason=of.reason,
        detail=of.detail,
        revision=of.revision,
    )


def _instant(of: datetime) -> Instant:
    return Instant(of)  # type: ignore[arg-type]  # the scalar writes it


def _maybe_instant(of: datetime | None) -> Instant | None:
    return None if of is None else _instant(of)


def _maybe_day(of: date | None) -> Day | None:
    return None if of is None else Day(of.isoformat())
