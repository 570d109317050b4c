"""Mutations of candidates for reviewers."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import strawberry
from strawberry import argument, field

from schema.base.context import Info
from schema.base.decorators import input_object, object_type
from schema.base.scalars import Day
from schema.inputs.arguments import parse_day
from schema.inputs.input_types import check_text, to_plain_json
from schema.root.batch import FACT_INPUT
from schema.root.candidates import ID
from schema.root.commands import camel_path, input_errors, scoped_mutations, wait_until_readable
from schema.root.fact_mutations import INPUT_PARSERS
from schema.types.candidate import Candidate, parse_candidate_id
from tracker.auth.scopes import Scope
from tracker.domain.entities.entity import check_stream
from tracker.errors import TrackerError
from tracker.log.append import AppendResult
from tracker.review import candidate as reviewed
from tracker.review.candidate import MAX_BULK, MAX_POSTPONED_DAYS
from tracker.review.review import BulkOutcome, Review, Reviewer

NEEDS_SCOPE = "Needs a token of scope `review`."
IDS = f"The ids of the candidates, 1 to {MAX_BULK}, each once."
REVISION = (
    "The revision that you saw. If the candidate has another revision, the mutation is"
    " refused with `VERSION_CONFLICT`. Not checked if left out."
)
WHY = "The reason. It is stored with the name of the caller."
ORDER = argument(description="The candidate, with the decision.")


@input_object
class CandidateActionInput:
    """A candidate, with the reason of an action."""

    id: strawberry.ID = field(description=ID)
    revision: int | None = field(description=REVISION, default=None)
    reason: str | None = field(description=WHY, default=None)


@input_object
class RejectCandidateInput:
    """A candidate to reject, or a lead to close."""

    id: strawberry.ID = field(description=ID)
    reason: str = field(description=WHY)
    revision: int | None = field(description=REVISION, default=None)


@input_object
class AcceptCandidatesInput:
    """Candidates to accept, each separately."""

    ids: list[strawberry.ID] = field(description=IDS)
    reason: str | None = field(description=WHY, default=None)


@input_object
class RejectCandidatesInput:
    """Candidates to reject, each separately, for one reason."""

    ids: list[strawberry.ID] = field(description=IDS)
    reason: str = field(description=WHY)


@input_object
class PostponeCandidateInput:
    """A candidate to postpone until a date."""

    id: strawberry.ID = field(description=ID)
    until: Day = field(
        description="The date (UTC) from which it waits again: after today, within"
        f" {MAX_POSTPONED_DAYS} days."
    )
    revision: int | None = field(description=REVISION, default=None)
    reason: str | None = field(description=WHY, default=None)


@input_object
class AssignCandidateInput:
    """A candidate to assign to a person."""

    id: strawberry.ID = field(description=ID)
    to: str | None = None
    """The name of a caller; if left out, the assignment is removed. Others may still decide on it."""
    revision: int | None = field(description=REVISION, default=None)
    reason: str | None = field(description=WHY, default=None)


@input_object
class EditCandidateInput:
    """A fact that replaces the proposal of a candidate."""

    id: strawberry.ID = field(description=ID)
    fact: FACT_INPUT  # type: ignore[valid-type]  # known at run time only
    """The fact: the input of the mutation that would record it. Its snapshot and the names of those who
    accepted it are added on recording."""
    revision: int | None = field(description=REVISION, default=None)
    reason: str | None = field(description=WHY, default=None)


@object_type
class CandidateResult:
    """The result of a mutation of a candidate."""

    candidate: Candidate = field(description="The candidate after the mutation.")


@object_type
class CandidateError:
    """The reason why one of several candidates was refused."""

    code: str = field(description="The code of the error, as in other mutations.")
    message: str = field(description="The error, with the expected value.")
    path: list[str] = field(description="The path of the field, within the candidate.")


@object_type
class CandidateOutcome:
    """The outcome for one of several candidates."""

    id: strawberry.ID = field(description="Its id.")
    candidate: Candidate | None
    """The candidate after the mutation; null if no candidate has this id."""
    error: CandidateError | None = field(description="The error; null if it was not refused.")


@object_type
class CandidatesResult:
    """The result of a mutation of several candidates, each decided separately."""

    outcomes: list[CandidateOutcome] = field(description="The outcomes, in the order of the ids.")


async def accept_candidate(
    info: Info, input: Annotated[CandidateActionInput, ORDER]
) -> CandidateResult:
    """Accepts a candidate. If no further acceptance is needed, its fact is recorded at once under the name
    of the caller. The record includes the snapshot and the names of all who accepted it. A file is imported
    in the background (`ACCEPTING`). A fact that the rules of the log refuse waits again."""
    return await _decide(info, input, lambda review, id, by: review.accept(id, by))


async def accept_candidates(
    info: Info, input: Annotated[AcceptCandidatesInput, ORDER]
) -> CandidatesResult:
    """Accepts several candidates, each separately: a refusal does not stop the others."""
    return await _decide_all(info, input, lambda review, ids, by: review.accept_all(ids, by))


async def reject_candidate(
    info: Info, input: Annotated[RejectCandidateInput, ORDER]
) -> CandidateResult:
    """Rejects a candidate, or closes a lead. `reopenCandidate` reverses it."""
    return await _decide(info, input, lambda review, id, by: review.reject(id, by))


async def reject_candidates(
    info: Info, input: Annotated[RejectCandidatesInput, ORDER]
) -> CandidatesResult:
    """Rejects several candidates, each separately, for one reason."""
    return await _decide_all(info, input, lambda review, ids, by: review.reject_all(ids, by))


async def postpone_candidate(
    info: Info, input: Annotated[PostponeCandidateInput, ORDER]
) -> CandidateResult:
    """Postpones a candidate until a date, from which it waits again."""
    with input_errors():
        until = parse_day(input.until, "until")
    assert until is not None  # the input requires it
    return await _decide(info, input, lambda review, id, by: review.postpone(id, until, by))


async def assign_candidate(
    info: Info, input: Annotated[AssignCandidateInput, ORDER]
) -> CandidateResult:
    """Assigns a candidate to a person, or removes the assignment."""
    return await _decide(info, input, lambda review, id, by: review.assign(id, input.to, by))


async def edit_candidate(
    info: Info, input: Annotated[EditCandidateInput, ORDER]
) -> CandidateResult:
    """Replaces the proposed fact of a candidate, or enters a fact for a lead. Earlier acceptances no longer
    count."""
    info.context.require_actor(Scope.REVIEW)
    with input_errors():
        [(name, data)] = to_plain_json(input.fact, "fact").items()
        try:
            stream, fact = INPUT_PARSERS[name](data)
            check_stream(stream, "id")
        except TrackerError as error:
            raise error.below("fact", name) from None
    return await _decide(
        info, input, lambda review, id, by: review.edit(id, stream, fact, by), ("fact", name)
    )


async def reopen_candidate(
    info: Info, input: Annotated[CandidateActionInput, ORDER]
) -> CandidateResult:
    """Reopens a rejected, postponed or superseded candidate, so that it waits again."""
    return await _decide(info, input, lambda review, id, by: review.reopen(id, by))


REVIEW_MUTATIONS: dict[str, Callable[..., Any]] = {
    "acceptCandidate": accept_candidate,
    "acceptCandidates": accept_candidates,
    "rejectCandidate": reject_candidate,
    "rejectCandidates": reject_candidates,
    "postponeCandidate": postpone_candidate,
    "assignCandidate": assign_candidate,
    "editCandidate": edit_candidate,
    "reopenCandidate": reopen_candidate,
}


def review_mutations() -> list[Any]:
    """Return the mutations of candidates."""
    return scoped_mutations(REVIEW_MUTATIONS, NEEDS_SCOPE)


async def _decide(
    info: Info,
    input: Any,
    decide: Callable[[Review, int, Reviewer], Awaitable[reviewed.Candidate]],
    fact_path: tuple[str, ...] = (),
) -> CandidateResult:
    """Decide on one candidate, and wait until the recorded events can be read.

    Errors in a given fact are at `fact_path`.
    """
    actor, review = info.context.require_actor(Scope.REVIEW), info.context.services.review
    with input_errors(fact_path):
        check_text(input.reason or "", "reason")
        by = Reviewer(actor, input.reason, input.revision)
        outcome = await decide(review, parse_candidate_id(input.id, "id"), by)
    await _wait_until_readable(info, [outcome])
    return CandidateResult(candidate=Candidate(of=outcome, reviewers=review.reviewers))


async def _decide_all(
    info: Info,
    input: Any,
    decide: Callable[[Review, Sequence[int], Reviewer], Awaitable[list[BulkOutcome]]],
) -> CandidatesResult:
    """Decide on several candidates, and wait until the recorded events can be read."""
    actor, review = info.context.require_actor(Scope.REVIEW), info.context.services.review
    with input_errors():
        check_text(input.reason or "", "reason")
        ids = [parse_candidate_id(id, "ids", index) for index, id in enumerate(input.ids)]
        outcomes = await decide(review, ids, Reviewer(actor, input.reason))
    candidates = await review.candidates.get_all(ids)
    await _wait_until_readable(info, candidates.values())
    return CandidatesResult(
        outcomes=[
            CandidateOutcome(
                id=strawberry.ID(str(one.id)),
                candidate=Candidate(of=candidates[one.id], reviewers=review.reviewers)
                if one.id in candidates
                else None,
                error=None if one.error is None else _error(one.error),
            )
            for one in outcomes
        ]
    )


async def _wait_until_readable(info: Info, outcome: Any) -> None:
    positions = [one.position for one in outcome if one.position is not None]
    if positions:
        last = max(positions)
        await wait_until_readable(info, AppendResult(range(last, last + 1)))


def _error(error: TrackerError) -> CandidateError:
    return CandidateError(
        code=error.code, message=error.message, path=list(map(str, camel_path(error.path)))
    )
