"""Review: decisions of people on candidates, and the recording of accepted ones.

An action of a person is one transaction with the record of its author and reason. Acceptance takes two: the
first sets a candidate to `accepting`, the second writes the position of its fact. In between the fact is
appended under an id derived from the candidate, so it counts once. After a crash in `accepting`, the next
process finds the event in the log, or returns the candidate to the queue.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct, structs

from tracker import clock
from tracker.commands.handler import Commands
from tracker.domain.basics.text_rules import check_explanation
from tracker.domain.entities.commitments import free_texts, without_texts
from tracker.domain.entities.entity import check_stream, retracted_ids
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_not_reviewed, check_recordable
from tracker.domain.events.registry import check_may_be_stated, entity_type
from tracker.errors import InvalidInput, TrackerError, Unavailable
from tracker.log.append import AppendResult
from tracker.log.recorder import Recorder
from tracker.postgres.batching import confirmed_transaction
from tracker.postgres.database import Connection, Pool, named_queries
from tracker.review.candidate import (
    MAX_BULK,
    Action,
    Candidate,
    CandidateKind,
    CandidateState,
    as_json,
    candidate_of,
    check_action,
    check_name,
    check_postponed,
    check_revision,
    event_id_of,
    is_complete,
)
from tracker.review.candidates import COLUMNS, MAX_ID, Candidates, not_found
from tracker.review.findings import ACTOR, fact_columns
from tracker.review.search_words import search_words
from tracker.sources.importing.reconcile import CORRECTION_SUFFIX

SQL = named_queries(Path(__file__).with_name("review.sql"))

LOCK: str = SQL.lock.replace("{columns}", COLUMNS)
SETTLE_AFTER_SECONDS = 120
"""Seconds after which an accepted candidate is not being recorded any more: longer than any command."""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """The author and reason of an action, and the expected revision of the candidate; None: any."""

    actor: str
    reason: str | None = None
    revision: int | None = None


class BulkOutcome(Struct, frozen=True):
    """Result for one candidate of several: the error, if it was refused."""

    id: int
    error: TrackerError | None = None


class Review:
    """Decides on the candidates of one database.

    All methods raise NotFound for an unknown id and VersionConflict for another revision than expected. They
    raise InvalidInput for an action that the state does not permit (`NOT_OPEN`, `NOT_CLOSED`), or an empty
    reason.
    """

    def __init__(self, pool: Pool, commands: Commands, recorder: Recorder, reviewers: int = 1):
        self.pool = pool
        self._commands = commands
        self._recorder = recorder
        self.reviewers = reviewers
        """Number of persons who must accept a candidate."""
        self.candidates = Candidates(pool)
        self.wake: Callable[[], None] = lambda: None
        """Callback when a file waits to be imported."""

    async def accept(self, id: int, by: Reviewer) -> Candidate:
        """Accept a candidate; after the last required acceptance, record its fact.

        The fact gets the snapshot and the names of the reviewers. A file is imported afterwards
        (`accepting`). Raises InvalidInput also for a lead (`NO_FACT`) and for a repeated acceptance
        (`SAME_REVIEWER`). Raises the errors of `Commands.record` if the fact is refused, which then waits
        again. Raises Unavailable if it is unknown whether the fact was recorded.
        """
        check_explanation(by.reason)
        async with self._changing(id, by, Action.ACCEPTED) as (connection, candidate):
            if candidate.kind is CandidateKind.FACT:
                _readable_fact(candidate)
            accepted_by = (*candidate.accepted_by, by.actor)
            complete = is_complete(accepted_by, self.reviewers)
            state = CandidateState.ACCEPTING if complete else CandidateState.PENDING
            await _set_state(connection, candidate, state, accepted_by)
            missing = self.reviewers - len(accepted_by)
            detail = None if complete else f"{missing} more has to accept it"
            await _decide(connection, candidate, by, Action.ACCEPTED, detail)
        if complete:
            candidate = await self.candidates.get(id)
            if candidate.kind is CandidateKind.FACT:
                await self._record(candidate)
            else:
                self.wake()
        return await self.candidates.get(id)

    async def accept_all(self, ids: Sequence[int], by: Reviewer) -> list[BulkOutcome]:
        """Accept some candidates separately, in order. Raises InvalidInput for too many."""
        return await _each(ids, lambda id: self.accept(id, by))

    async def reject(self, id: int, by: Reviewer) -> Candidate:
        """Reject a candidate, or close a lead, with a reason."""
        check_explanation(by.reason, required=True)
        async with self._changing(id, by, Action.REJECTED) as (connection, candidate):
            await _set_state(connection, candidate, CandidateState.REJECTED, candidate.accepted_by)
            await _decide(connection, candidate, by, Action.REJECTED)
        return await self.candidates.get(id)

    async def reject_all(self, ids: Sequence[int], by: Reviewer) -> list[BulkOutcome]:
        """Reject some candidates separately. Raises InvalidInput for too many."""
        check_explanation(by.reason, required=True)
        return await _each(ids, lambda id: self.reject(id, by))

    async def postpone(self, id: int, until: date, by: Reviewer) -> Candidate:
        """Postpone a candidate until a day."""
        check_explanation(by.reason)
        check_postponed(until, _today())
        async with self._changing(id, by, Action.POSTPONED) as (connection, candidate):
            await _set_state(
                connection, candidate, CandidateState.POSTPONED, candidate.accepted_by, until
            )
            await _decide(connection, candidate, by, Action.POSTPONED, until.isoformat())
        return await self.candidates.get(id)

    async def assign(self, id: int, to: str | None, by: Reviewer) -> Candidate:
        """Assign a candidate to a person, or remove the assignment; others may still decide on it."""
        check_explanation(by.reason)
        check_name(to)
        async with self._changing(id, by, Action.ASSIGNED) as (connection, candidate):
            await connection.execute(SQL.assign, candidate.id, to)
            await _decide(connection, candidate, by, Action.ASSIGNED, to)
        return await self.candidates.get(id)

    async def edit(self, id: int, stream: str, fact: Fact, by: Reviewer) -> Candidate:
        """Replace the proposed fact of a candidate, or turn a lead into a fact.

        Earlier acceptances are cleared. An editor cannot set the snapshot and the reviewers.
        """
        check_explanation(by.reason)
        check_stream(stream, "stream")
        check_may_be_stated(type(fact))
        check_not_reviewed(fact)
        entity_type(stream).type_of(fact)
        check_recordable(fact)
        columns = fact_columns(stream, fact)
        async with self._changing(id, by, Action.EDITED) as (connection, candidate):
            words = search_words(
                (candidate.title, candidate.number, candidate.item, stream, candidate.reason),
                columns["commodities"],
                columns["issuers"],
            )
            await connection.execute(
                SQL.edit,
                *(candidate.id, stream, columns["type"], as_json(fact)),
                *(columns["commodities"], columns["issuers"], words),
            )
            before = (
                f"was {candidate.type} of {candidate.stream}" if candidate.type else "was a lead"
            )
            await _decide(connection, candidate, by, Action.EDITED, before)
        return await self.candidates.get(id)

    async def reopen(self, id: int, by: Reviewer) -> Candidate:
        """Return a rejected, postponed or superseded candidate to the queue."""
        check_explanation(by.reason)
        async with self._changing(id, by, Action.REOPENED) as (connection, candidate):
            await _set_state(connection, candidate, CandidateState.PENDING, ())
            await _decide(connection, candidate, by, Action.REOPENED)
        return await self.candidates.get(id)

    async def resolve_unfinished(self) -> None:
        """Resolve interrupted recordings, and reactivate candidates postponed until today.

        It is fast if there are none, and runs before the queue is shown.
        """
        for row in await self.pool.fetch(SQL.unsettled, timedelta(seconds=SETTLE_AFTER_SECONDS)):
            candidate = await self.candidates.get(row["id"])
            event = await self._recorder.event(candidate.recorded_id)
            if event is not None and event.fact.source.reviewed_by == candidate.accepted_by:
                await self.finish(candidate, event.position)
            elif row["late"]:
                await self.put_back(candidate, "it was not recorded: the server ended meanwhile")
        for row in await self.pool.fetch(SQL.due, _today()):
            by = Reviewer(ACTOR, "The day has come")
            try:
                await self.reopen(row["id"], by)
            except InvalidInput:  # another server was faster
                continue

    async def finish(self, candidate: Candidate, position: int) -> None:
        """Write the position of an accepted candidate."""
        data = None if candidate.type is None else as_json(_without_free_texts(candidate.fact))
        async with confirmed_transaction(self.pool) as connection:
            revision = await connection.fetchval(SQL.finish, candidate.id, position, data)
            if revision is not None:  # no other process was faster
                await connection.execute(
                    SQL.decide,
                    *(candidate.id, revision, ACTOR, Action.RECORDED.value, None, str(position)),
                )

    async def put_back(self, candidate: Candidate, why: str) -> None:
        """Return an accepted candidate that could not be recorded to the queue.

        Its last acceptance is removed.
        """
        async with confirmed_transaction(self.pool) as connection:
            now = await _lock(connection, candidate.id)
            if now.state is not CandidateState.ACCEPTING or now.revision != candidate.revision:
                return  # another process was faster
            await _set_state(
                connection, now, CandidateState.PENDING, now.accepted_by[:-1], refusal=why
            )
            await _decide(connection, now, Reviewer(ACTOR, why[:500]), Action.REFUSED)

    async def _record(self, candidate: Candidate) -> None:
        """Record the fact of an accepted candidate, as a correction if it replaces a recorded fact."""
        try:
            appended = await self._append(candidate)
        except Unavailable:
            raise  # `resolve_unfinished` determines the result
        except TrackerError as error:
            where = ".".join(map(str, error.path))
            await self.put_back(candidate, f"{where}: {error.message}" if where else error.message)
            raise error.below("proposal") from None
        await self.finish(candidate, appended.positions[-1])

    async def _append(self, candidate: Candidate) -> AppendResult:
        fact, actor = reviewed_fact(candidate), candidate.accepted_by[-1]
        stream, id = str(candidate.stream), candidate.recorded_id
        wrong = await self.find_restated(candidate)
        if wrong is None:
            return await self._commands.record(stream, fact, idempotency_key=id, actor=actor)
        return await self._commands.correct(
            wrong,
            stream,
            fact,
            f"The publisher has changed this: {candidate.title}"[:MAX_CORRECTION_CHARACTERS],
            fact.source,
            idempotency_key=id,
            actor=actor,
        )

    async def find_restated(self, candidate: Candidate) -> str | None:
        """Return the id of the event that a candidate replaces; None if there is none in effect.

        It is the event of the last accepted candidate of the same part of the same item, or one recorded
        under the id of its reader.
        """
        earlier = await self.pool.fetchval(SQL.earlier, candidate.id)
        event_ids = [event_id_of(earlier)] if earlier is not None else []
        event_ids += [candidate.event_id] if candidate.event_id else []
        streams = await self._recorder.streams_of(event_ids)
        for id in event_ids:
            if id not in streams:
                continue
            events = (await self._recorder.read_streams([streams[id]]))[streams[id]]
            gone = retracted_ids([event.known for event in events])
            same = [
                event.event_id
                for event in events
                if CORRECTION_SUFFIX.sub("", event.event_id) == id and event.event_id not in gone
            ]
            if same:
                return same[-1]
        return None

    @asynccontextmanager
    async def _changing(
        self, id: int, by: Reviewer, action: Action
    ) -> AsyncIterator[tuple[Connection, Candidate]]:
        """Open a transaction that locks one candidate, and check that an action is permitted."""
        async with confirmed_transaction(self.pool) as connection:
            candidate = await _lock(connection, id)
            check_revision(candidate, by.revision)
            check_action(candidate, action, by.actor)
            yield connection, candidate


MAX_CORRECTION_CHARACTERS = 500
"""Maximum length of the reason of a correction."""


def reviewed_fact(candidate: Candidate) -> Fact:
    """Return the fact of a candidate for recording, with its snapshot and its reviewers."""
    return with_review(candidate.fact, candidate.snapshot, candidate.accepted_by)


def with_review(fact: Fact, snapshot: str | None, accepted_by: Sequence[str]) -> Fact:
    """Return a fact with its snapshot and its reviewers."""
    source = structs.replace(fact.source, snapshot=snapshot, reviewed_by=tuple(accepted_by))
    return structs.replace(fact, source=source)


def _readable_fact(candidate: Candidate) -> None:
    """Raise InvalidInput for a proposal that is not a valid fact of the present schema."""
    try:
        candidate.fact  # noqa: B018 - which reads it
    except InvalidInput as error:
        raise error.below("proposal") from None


def _without_free_texts(fact: Fact) -> Fact:
    return without_texts(fact, free_texts(fact))


async def _lock(connection: Connection, id: int) -> Candidate:
    row = await connection.fetchrow(LOCK, id) if 0 < id <= MAX_ID else None
    if row is None:
        raise not_found(id)
    return candidate_of(row)


async def _set_state(
    connection: Connection,
    candidate: Candidate,
    state: CandidateState,
    accepted_by: Sequence[str],
    until: date | None = None,
    refusal: str | None = None,
) -> None:
    await connection.execute(
        SQL.set_state, candidate.id, state.value, list(accepted_by), until, refusal
    )


async def _decide(
    connection: Connection,
    candidate: Candidate,
    by: Reviewer,
    action: Action,
    detail: str | None = None,
) -> None:
    """Record a decision on a candidate, given its previous state."""
    await connection.execute(
        SQL.decide,
        *(candidate.id, candidate.revision + 1, by.actor, action.value, by.reason, detail),
    )


async def _each(
    ids: Sequence[int], decide: Callable[[int], Awaitable[Candidate]]
) -> list[BulkOutcome]:
    """Decide on some candidates separately. Raises InvalidInput for too many, or for duplicates."""
    if not 0 < len(ids) <= MAX_BULK or len(set(ids)) != len(ids):
        raise InvalidInput(
            f"expected 1 to {MAX_BULK} candidates, each once", code="INVALID_BULK", path=("ids",)
        )
    outcomes = []
    for id in ids:
        try:
            await decide(id)
            outcomes.append(BulkOutcome(id))
        except Unavailable:
            raise
        except TrackerError as error:
            outcomes.append(BulkOutcome(id, error))
    return outcomes


def _today() -> date:
    return clock.today()
