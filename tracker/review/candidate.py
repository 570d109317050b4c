"""Candidates, their states and the actions permitted in each. Pure."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

import asyncpg
from msgspec import Struct, convert

from tracker.commands.commands import REVIEW_PREFIX
from tracker.domain.basics.codec import encode, from_builtins
from tracker.domain.entities.fact import Fact
from tracker.domain.events.registry import fact_type
from tracker.errors import InvalidInput, VersionConflict
from tracker.review.finding import LeadCode

MAX_NAME_CHARACTERS = 500
"""Maximum length of a reviewer's name: an issuer with a subject of its own."""
MAX_POSTPONED_DAYS = 366
MAX_BULK = 50
"""Maximum number of candidates in one bulk action."""
POSSIBLE_REVIEWERS = range(1, 3)
"""Possible numbers of reviewers who must accept a candidate."""


class CandidateKind(Enum):
    """The kind of a proposal."""

    FACT = "fact"
    """A fact, to be recorded as it is or after an edit."""
    IMPORT = "import"
    """A file of figures, to be imported as a whole."""
    LEAD = "lead"
    """Not yet a fact: a hint that a person should check."""


class CandidateState(Enum):
    """The state of a candidate."""

    PENDING = "pending"
    """It waits for a person."""
    POSTPONED = "postponed"
    """It is postponed until a date."""
    ACCEPTING = "accepting"
    """It was accepted, and is being recorded or imported."""
    ACCEPTED = "accepted"
    """It is recorded."""
    REJECTED = "rejected"
    """A person has rejected it, or closed the lead."""
    SUPERSEDED = "superseded"
    """The publisher has replaced it with a newer version, in another candidate."""


class Action(Enum):
    """An action on a candidate."""

    ASSIGNED = "assigned"
    """It was assigned to a person, or its assignment was removed."""
    EDITED = "edited"
    """Its proposed fact was replaced."""
    ACCEPTED = "accepted"
    """A person accepted it."""
    REJECTED = "rejected"
    """A person rejected it, or closed the lead."""
    POSTPONED = "postponed"
    """It was postponed until a date."""
    REOPENED = "reopened"
    """It waits again."""
    SUPERSEDED = "superseded"
    """The publisher has replaced it with a newer version."""
    RECORDED = "recorded"
    """The accepted fact or file was recorded in the log."""
    REFUSED = "refused"
    """The accepted fact or file could not be recorded: it waits again."""


OPEN = frozenset({CandidateState.PENDING, CandidateState.POSTPONED})
"""The states in which a candidate waits for a person."""
REOPENABLE = frozenset(
    {CandidateState.POSTPONED, CandidateState.REJECTED, CandidateState.SUPERSEDED}
)


class Candidate(Struct, frozen=True):
    """A candidate with its present state; its fields are the columns of migrations/0024_review.sql.

    `stream`, `type` and `data` belong to a fact, `reader`, `file_name` and `settings` to an import, and
    `lead` is the reason of a lead. `accepted_by` are the persons who have accepted its present content, in
    order. `position` is that of the event, or of the receipt of the import.
    """

    id: int
    """Its id: a number, in the order in which candidates were added, from 1."""
    source: str
    """The key of the watched source of the candidate."""
    item: str
    """The publisher's name for the act, such as a document number. It is the same in each poll."""
    part: str
    kind: CandidateKind
    """The kind of proposal."""
    state: CandidateState
    """Its state in the review."""
    revision: int
    """The number of its changes. A mutation with an older revision is refused (`VERSION_CONFLICT`)."""
    found_at: datetime
    """The time at which it was first read."""
    title: str
    """Its title as the publisher has it, in its own language."""
    language: str | None
    """The language of the title (BCP 47); null if it is not stated."""
    url: str
    """The address of the page or file from which it was read."""
    place: str
    """The location in the snapshot, such as `results[3]`; empty for the whole snapshot."""
    snapshot: str | None
    published_on: date | None
    """The date of publication, as far as the publisher states it."""
    number: str | None
    """The citation of the act by its issuer; null if it is not stated."""
    reason: str
    """The reason for the proposal, from the data that was read."""
    commodities: tuple[str, ...]
    issuers: tuple[str, ...]
    """The issuers: places and alliances. For files and leads, those of the source."""
    stream: str | None
    type: str | None
    """The type of the proposed event, such as `ExportControl.Announced`."""
    data: dict[str, Any] | None
    """The fact as it would be stored, as JSON. After acceptance, only the log contains its note and
    quotation."""
    event_id: str | None
    """The id under which the reader would record it; null for a fact that a person entered from a lead."""
    reader: str | None
    file_name: str | None
    settings: dict[str, str] | None
    lead: LeadCode | None
    """The reason for a manual check, if it began as a lead; else null."""
    assigned_to: str | None
    """The person who should decide on it; null if it is not assigned."""
    postponed_until: date | None
    """The date from which it waits again; null unless it is postponed."""
    accepted_by: tuple[str, ...]
    """The persons who accepted its present content, in order. An edit removes them."""
    accepting_at: datetime | None
    position: int | None
    """The position of its event, or of the receipt of its import; null unless it is accepted."""
    refusal: str | None
    """The reason why the last attempt to record it after acceptance failed; null if no attempt failed or
    the problem is solved."""
    closed_at: datetime | None
    """The time at which it was accepted, rejected or superseded; null before."""
    superseded_by: int | None
    """The candidate that replaced it; null if it was not replaced."""

    @property
    def fact(self) -> Fact:
        """The proposed fact. Raises InvalidInput if there is none, or it is not valid."""
        if self.type is None:
            raise InvalidInput(
                f"candidate {self.id} proposes no fact: edit it to make it one, or reject it",
                code="NO_FACT",
                path=("id",),
            )
        return from_builtins(fact_type(self.type), self.data)

    @property
    def recorded_id(self) -> str:
        """The id of the event that records it."""
        return event_id_of(self.id)


def event_id_of(id: int) -> str:
    """Return the id of the event that records a candidate."""
    return f"{REVIEW_PREFIX}{id}"


class Decision(Struct, frozen=True):
    """An action on a candidate, with its author and reason; `revision` is the candidate's revision
    afterwards."""

    candidate: int
    revision: int
    """The revision of the candidate after the action."""
    decided_at: datetime
    actor: str
    """The name of the person; `tracker` for an action by a rule."""
    action: Action
    """The action."""
    reason: str | None
    """The reason; null if none was required."""
    detail: str | None
    """A detail, such as the date until which it was postponed, or the position at which it was recorded."""


def check_revision(candidate: Candidate, seen: int | None) -> None:
    """Reject an action on an outdated revision. Raises VersionConflict."""
    if seen is not None and seen != candidate.revision:
        error = VersionConflict(f"candidate {candidate.id}", seen, candidate.revision)
        error.path = ("revision",)
        raise error


def check_action(candidate: Candidate, action: Action, actor: str) -> None:
    """Reject an action that the state of a candidate does not permit. Raises InvalidInput."""
    allowed = REOPENABLE if action is Action.REOPENED else OPEN
    if candidate.state not in allowed:
        expected = " or ".join(state.value for state in CandidateState if state in allowed)
        raise InvalidInput(
            f"candidate {candidate.id} is {candidate.state.value}: expected one that is {expected}",
            code="NOT_OPEN" if allowed is OPEN else "NOT_CLOSED",
            path=("id",),
        )
    if action is Action.ACCEPTED:
        _check_acceptance(candidate, actor)
    if action is Action.EDITED and candidate.kind is CandidateKind.IMPORT:
        raise InvalidInput(
            f"candidate {candidate.id} is a file, which is imported as it is or not at all",
            code="NOT_EDITABLE",
            path=("id",),
        )


def _check_acceptance(candidate: Candidate, actor: str) -> None:
    if candidate.kind is CandidateKind.LEAD:
        candidate.fact  # noqa: B018 - which says that there is none
    if actor in candidate.accepted_by:
        raise InvalidInput(
            f"{actor!r} has accepted candidate {candidate.id} already: expected another person",
            code="SAME_REVIEWER",
            path=("id",),
        )


def is_complete(accepted_by: Sequence[str], reviewers: int) -> bool:
    """Return whether the required number of persons has accepted."""
    return len(accepted_by) >= reviewers


def check_name(name: str | None) -> None:
    """Reject an invalid name of a person. Raises InvalidInput."""
    if name is not None and not (
        name.strip() and len(name) <= MAX_NAME_CHARACTERS and name.isprintable()
    ):
        raise InvalidInput(
            f"expected 1 to {MAX_NAME_CHARACTERS} printable characters", path=("to",)
        )


def check_postponed(until: date, today: date) -> None:
    """Reject a day that is past or too far in the future. Raises InvalidInput."""
    last = today + timedelta(days=MAX_POSTPONED_DAYS)
    if not today < until <= last:
        raise InvalidInput(f"expected a day after {today} and up to {last}", path=("until",))


def candidate_of(row: asyncpg.Record) -> Candidate:
    """Return the candidate in a row."""
    data, settings, snapshot = row["data"], row["settings"], row["snapshot"]
    return convert(
        {
            **dict(row),
            "snapshot": snapshot and snapshot.hex(),
            "data": data and json.loads(data),
            "settings": settings and json.loads(settings),
        },
        Candidate,
    )


def as_json(value: object) -> str:
    """Return a value as text for a JSON column."""
    return encode(value).decode()
