"""GraphQL types of candidates, their proposals and the decisions on them."""

from typing import Annotated, cast

import strawberry
from strawberry import argument, field
from strawberry.scalars import JSON

from projections.query import candidate_matches
from schema.base.context import Info
from schema.base.decorators import object_type, resolver_field
from schema.base.output_types import made_field, output_type, struct_field
from schema.base.scalars import Instant, Position
from schema.inputs.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, parse_page
from schema.types.common import Commodity, commodity
from schema.types.event import Event
from tracker.errors import InvalidInput
from tracker.review import candidate as review
from tracker.review.candidate import CandidateKind

NEWEST = argument(description=f"The maximum number of items, 0 to {MAX_PAGE_SIZE}.")


@object_type
class CandidateSnapshot:
    """The bytes from which a candidate was read, as the publisher sent them."""

    sha256: str = field(description="Their SHA-256, as 64 hexadecimal digits.")
    url: str = field(description="The address of the response.")
    path: str = field(description="The path of these bytes on this server.")
    media_type: str | None
    """The media type that the publisher declared, without parameters; null if none was declared or the
    bytes are not stored here."""
    size: int | None
    """The number of bytes; null if the bytes are not stored here."""
    stored_at: Instant | None
    """The time at which they were stored; null if the bytes are not stored here."""
    redacted: bool
    """Whether they were redacted. Only the hash and the reason for the redaction remain."""


@output_type(only_spelled=True, first="type entity data event_id")
class CandidateProposal:
    """A proposed fact."""

    of: strawberry.Private[review.Candidate]

    type: str = struct_field()
    entity: str = struct_field("stream")
    """The entity of the proposed event, such as `export-control/us-…`."""
    data: JSON = struct_field()


@output_type(only_spelled=True)
class CandidateFile:
    """A file proposed for import."""

    of: strawberry.Private[review.Candidate]

    reader: str = struct_field(description="The reader for the file, such as `usgs`.")
    file_name: str = struct_field(description="The file name in the receipt of the import.")
    settings: JSON = struct_field()
    """The settings of the reader, in the form of `tracker import --set`."""


@output_type()
class CandidateMatch:
    """A recorded act that a candidate may be about. It is a hint for the reviewer, from the data read of
    both."""

    of: strawberry.Private[candidate_matches.CandidateMatch]


@output_type(only_spelled=True, first="at actor action reason detail revision")
class CandidateDecision:
    """A permanent record of an action on a candidate."""

    of: strawberry.Private[review.Decision]

    at: Instant = struct_field("decided_at", description="The time of the action.")


@output_type(
    only_spelled=True,
    first="id kind state revision source item title language url place published_on number reason "
    "found_at issuers proposal file lead assigned_to postponed_until accepted_by "
    "acceptances_needed position refusal closed_at",
)
class Candidate:
    """An item from a publisher that waits until a person accepts or rejects it. Before acceptance, the
    log and all other responses contain nothing of it."""

    of: strawberry.Private[review.Candidate]
    reviewers: strawberry.Private[int]

    id: strawberry.ID = struct_field()

    @made_field
    def proposal(self) -> CandidateProposal | None:
        """The proposed fact; null for a file, and for a lead without one."""
        is_fact = self.of.type is not None and self.of.stream is not None
        return CandidateProposal(of=self.of) if is_fact else None

    @made_field
    def file(self) -> CandidateFile | None:
        """The file proposed for import; null unless the kind is `IMPORT`."""
        is_file = self.of.reader is not None and self.of.file_name is not None
        return CandidateFile(of=self.of) if is_file else None

    @made_field
    def acceptances_needed(self) -> int:
        """The number of further persons who must accept it before it is recorded."""
        missing = max(self.reviewers - len(self.of.accepted_by), 1)
        return missing if self.of.state in review.OPEN else 0

    position: Position | None = struct_field()
    superseded_by: strawberry.ID | None = struct_field()

    @resolver_field
    async def commodities(self) -> list[Commodity]:
        """The commodities of the candidate, as far as they were read."""
        return [commodity(id) for id in self.of.commodities]

    @resolver_field
    async def snapshot(self, info: Info) -> CandidateSnapshot | None:
        """The bytes from which it was read; null if nothing could be fetched."""
        sha256 = self.of.snapshot
        if sha256 is None:
            return None
        snapshot = await info.context.loaders.snapshots.load(sha256)
        return CandidateSnapshot(
            sha256=sha256,
            url=self.of.url,
            path=f"/snapshots/{sha256}",
            media_type=snapshot.media_type if snapshot else None,
            size=snapshot.size if snapshot else None,
            stored_at=cast("Instant | None", snapshot and snapshot.stored_at),
            redacted=snapshot is not None and snapshot.redaction is not None,
        )

    @resolver_field
    async def matches(self, info: Info) -> list[CandidateMatch]:
        """The recorded acts that it may be about: the same act, an act that it amends or cites, or the
        same act with different data. They are searched at the time of the query, among the acts of its
        issuers."""
        return [CandidateMatch(of=of) for of in await info.context.loaders.matches.load(self.of.id)]

    @resolver_field
    async def restates(self, info: Info) -> Event | None:
        """The event in force that it would correct: an earlier fact from the same part of the same item.
        Null if it would be recorded beside existing facts, and after a decision."""
        if self.of.state not in review.OPEN or self.of.kind is not CandidateKind.FACT:
            return None
        id = await info.context.services.review.find_restated(self.of)
        event = None if id is None else await info.context.loaders.event_by_id.load(id)
        return None if event is None else Event(of=event)

    @resolver_field
    async def event(self, info: Info) -> Event | None:
        """The event by which it was recorded, or the receipt of its import; null unless it is accepted."""
        if self.of.position is None:
            return None
        event = await info.context.loaders.event_at.load(self.of.position)
        return None if event is None else Event(of=event)

    @resolver_field
    async def decisions(
        self, info: Info, first: Annotated[int, NEWEST] = DEFAULT_PAGE_SIZE
    ) -> list[CandidateDecision]:
        """The actions on the candidate with their actors and reasons, the newest first."""
        size = parse_page(first).size
        done = await info.context.loaders.decisions.load(self.of.id)
        return [CandidateDecision(of=of) for of in done[:size]]


def parse_candidate_id(text: str, *path: str | int) -> int:
    """Parse the id of a candidate. Raises InvalidInput."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise InvalidInput(
            f"{text[:50]!r} is not the id of a candidate: expected a number",
            code="INVALID_ID",
            path=path,
        )
    return int(text)
