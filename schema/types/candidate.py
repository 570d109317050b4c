"""Candidates as GraphQL shows them: what was found, what is proposed, and what was done with it."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry
from strawberry import argument, field
from strawberry.scalars import JSON

from projections.query import candidate_matches
from projections.query.candidate_matches import MatchKind
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Day, Instant, Position
from schema.inputs.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, parse_page
from schema.types.common import Commodity, commodity
from schema.types.event import Event
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


@output_type(of=review.Candidate, only_spelled=True)
class CandidateProposal:
    """A fact that is proposed."""

    of: strawberry.Private[review.Candidate]

    type: str = struct_field(
        description="The type of the event it would be, such as `ExportControl.Announced`."
    )
    entity: str = struct_field(
        "stream", description="The entity it would be about, such as `export-control/us-…`."
    )
    data: JSON = struct_field(
        description="The fact as it would be stored, as JSON. Once it is accepted its note and quotation"
        " are in the log only."
    )
    event_id: str | None = struct_field(
        description="The id under which its reader would record it; null for one that a person made of a"
        " lead."
    )


@output_type(of=review.Candidate, only_spelled=True)
class CandidateFile:
    """A file that is proposed for import."""

    of: strawberry.Private[review.Candidate]

    reader: str = struct_field(description="The reader that reads it, such as `usgs`.")
    file_name: str = struct_field(description="What the receipt of the import calls it.")
    settings: JSON = struct_field(
        description="What the reader is told about it, as `tracker import --set` takes it."
    )


@output_type(of=candidate_matches.CandidateMatch, only_spelled=True)
class CandidateMatch:
    """A known act that a candidate is about, by what was read of both: a hint for whoever decides."""

    of: strawberry.Private[candidate_matches.CandidateMatch]

    kind: MatchKind = struct_field(description="What the candidate is to the act.")
    entity: str = struct_field(description="The act, such as `export-control/us-bis-2025-19001`.")
    title: str = struct_field(description="Its title, as it is known now.")
    because: str = struct_field(description="Why that is thought, in words.")


@output_type(of=review.Decision, only_spelled=True)
class CandidateDecision:
    """Something that was done with a candidate, on record for good."""

    of: strawberry.Private[review.Decision]

    at: Instant = struct_field("decided_at", description="The time at which it was done.")
    actor: str = struct_field(description="Who did it; `tracker` where a rule did.")
    action: Action = struct_field(description="What was done.")
    reason: str | None = struct_field(description="Why; null where nobody was asked.")
    detail: str | None = struct_field(
        description="With what, such as the day until which it was postponed, or the position at which it"
        " was recorded."
    )
    revision: int = struct_field(description="The revision of the candidate afterwards.")


@output_type(
    of=review.Candidate,
    only_spelled=True,
    first="id kind state revision source item title language url place published_on number reason"
    " found_at issuers proposal file lead assigned_to postponed_until accepted_by acceptances_needed",
)
class Candidate:
    """Something that was found at a publisher and waits until a person accepts or rejects it. Nothing
    of it is in the log, or in any other answer, before it is accepted.
    """

    of: strawberry.Private[review.Candidate]
    reviewers: strawberry.Private[int]

    id: strawberry.ID = struct_field(description="Its id: a number, the first found being 1.")
    kind: CandidateKind = struct_field(description="What it proposes.")
    state: CandidateState = struct_field(description="How it stands.")
    revision: int = struct_field(
        description="Counts its changes. A mutation that is given the revision you saw is refused"
        " (`VERSION_CONFLICT`) where there is another one by now."
    )
    source: str = struct_field(description="The key of the watched source at which it was found.")
    item: str = struct_field(
        description="What the publisher calls the act, such as a document number: the same at every look."
    )
    title: str = struct_field(description="Its title as the publisher has it, in its own language.")
    language: str | None = struct_field(
        description="That language (BCP 47); null where nobody says it."
    )
    url: str = struct_field(description="The address at which it was read.")
    place: str = struct_field(
        description="Where in the snapshot it was read, such as `results[3]`; empty: it is the whole."
    )
    published_on: Day | None = struct_field(
        description="The day of publication, as far as the publisher says it."
    )
    number: str | None = struct_field(
        description="The act as its issuer cites it; null where that is not said."
    )
    reason: str = struct_field(description="Why it is proposed, by what was read.")
    found_at: Instant = struct_field(description="The time at which it was first found.")
    issuers: list[str] = struct_field(
        description="The places and alliances that it is about; for files and leads those of the source."
    )

    @made_field
    def proposal(self) -> CandidateProposal | None:
        """The fact that is proposed; null for a file, or a lead that nobody has made a fact."""
        is_fact = self.of.type is not None and self.of.stream is not None
        return CandidateProposal(of=self.of) if is_fact else None

    @made_field
    def file(self) -> CandidateFile | None:
        """The file that would be imported; null unless its kind is `IMPORT`."""
        is_file = self.of.reader is not None and self.of.file_name is not None
        return CandidateFile(of=self.of) if is_file else None

    lead: LeadCode | None = struct_field(
        description="Why a person should look into it, where it began as a lead; else null."
    )
    assigned_to: str | None = struct_field(
        description="Who should decide on it; null: nobody in particular."
    )
    postponed_until: Day | None = struct_field(
        description="The day from which it waits again; null unless it is postponed."
    )
    accepted_by: list[str] = struct_field(
        description="Who has accepted its present content, in order. An edit takes it back."
    )

    @made_field
    def acceptances_needed(self) -> int:
        """How many more persons have to accept it before it is recorded."""
        missing = max(self.reviewers - len(self.of.accepted_by), 1)
        return missing if self.of.state in review.OPEN else 0

    position: Position | None = struct_field(
        description="The position of its event, or of the receipt of its import; null unless it is"
        " accepted."
    )
    refusal: str | None = struct_field(
        description="Why what was accepted could not be recorded the last time; null where that was not"
        " so, or was mended."
    )
    closed_at: Instant | None = struct_field(
        description="The time at which it was accepted, rejected or superseded; null before."
    )
    superseded_by: strawberry.ID | None = struct_field(
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
            stored_at=cast("Instant | None", found and found.stored_at),
            redacted=found is not None and found.redaction is not None,
        )

    @resolver_field
    async def matches(self, info: Info) -> list[CandidateMatch]:
        """The known acts that it is about: the same one, one that it amends or cites, or the same one
        with something else said of it. Looked for when this is asked, among the acts of its issuers.
        """
        return [CandidateMatch(of=of) for of in await info.context.loaders.matches.load(self.of.id)]

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
        return None if found is None else Event(of=found)

    @resolver_field
    async def event(self, info: Info) -> Event | None:
        """The event by which it was recorded, or the receipt of its import; null unless it is
        accepted.
        """
        if self.of.position is None:
            return None
        found = await info.context.loaders.event_at.load(self.of.position)
        return None if found is None else Event(of=found)

    @resolver_field
    async def decisions(
        self, info: Info, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[CandidateDecision]:
        """What was done with it, by whom and why, the newest first."""
        size = parse_page(first).size
        done = await info.context.loaders.decisions.load(self.of.id)
        return [CandidateDecision(of=of) for of in done[:size]]


def parse_candidate_id(given: str, *path: str | int) -> int:
    """The id of a candidate from its text. Raises InvalidInput."""
    if not (given.isascii() and given.isdigit() and len(given) < 20):
        raise InvalidInput(
            f"{given[:50]!r} is not the id of a candidate: expected a number",
            code="INVALID_ID",
            path=path,
        )
    return int(given)
