"""Decisions on candidates; accepted ones are recorded once, after any failure."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from deploy.bootstrap import open_connection
from tests.support.fact_builders import announced, clause, fact, source, suspended
from tests.support.findings import SHA256, figures, lead, proposal
from tests.support.importer import ImportFixture, line
from tests.support.snapshots import redact
from tests.support.watched_sources import looked
from tracker import clock
from tracker.commands.handler import Commands
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.redaction import Redacted
from tracker.errors import InvalidInput, NotFound, Path, TrackerError, Unavailable, VersionConflict
from tracker.log.recorder import Recorder
from tracker.postgres.database import WATCHER, Pool, Target
from tracker.review.candidate import MAX_BULK, Action, CandidateState
from tracker.review.candidates import CandidateFilter
from tracker.review.finding import Finding
from tracker.review.findings import propose
from tracker.review.review import Review, Reviewer

KEY = "cn-mofcom"
ANN, BOB = Reviewer("ann"), Reviewer("bob")
BECAUSE = Reviewer("ann", "It is about tin")
Propose = Callable[..., Awaitable[int]]


@pytest.fixture
def review_by_two(pool: Pool, recorder: Recorder) -> Review:
    """Create a review by two persons."""
    return Review(pool, Commands(recorder), recorder, reviewers=2)


@pytest.fixture
def found(target: Target) -> Propose:
    """Return a function that puts findings into the queue, like the watcher."""

    async def put(*findings: Finding) -> int:
        async with open_connection(target, role=WATCHER) as connection:
            return await propose(connection, KEY, findings)

    return put


async def actions(review: Review, id: int) -> list[tuple[str, str]]:
    """Return the actions on a candidate with their actors, oldest first."""
    decisions = (await review.candidates.decisions([id]))[id]
    return [(decision.action.value, decision.actor) for decision in decisions[::-1]]


async def refused(work: Awaitable[object]) -> tuple[str, tuple[str | int, ...]]:
    """Return code and path of a refusal."""
    with pytest.raises(TrackerError) as caught:
        await work
    return caught.value.code, caught.value.path


async def test_an_accepted_fact_is_recorded_with_what_it_was_read_from_and_who_accepted_it(
    review: Review, found: Propose, recorder: Recorder
) -> None:
    await found(proposal(fact=announced(note="In the words of the notice")))
    accepted = await review.accept(1, ANN)
    assert (accepted.state, accepted.position) == (CandidateState.ACCEPTED, 1)
    [event] = await recorder.read()
    assert (event.event_id, event.actor) == ("candidate-1", "ann")
    assert event.stream == "export-control/cn-2024-1"
    assert event.fact.source.snapshot == SHA256
    assert event.fact.source.reviewed_by == ("ann",)
    assert await actions(review, 1) == [("accepted", "ann"), ("recorded", "tracker")]


async def test_texts_that_a_law_may_force_out_are_in_the_log_alone_once_they_are_recorded(
    review: Review, found: Propose
) -> None:
    said = announced(clause(note="Of the clause"), note="Of the whole", quotation="As quoted")
    await found(proposal(fact=said))
    accepted = await review.accept(1, ANN)
    assert accepted.data is not None
    assert {"note", "quotation"}.isdisjoint(accepted.data)
    assert "note" not in accepted.data["clauses"][0]


async def test_nobody_can_take_the_id_of_what_a_review_records(
    review: Review, found: Propose, recorder: Recorder
) -> None:
    await found(proposal())
    commands = Commands(recorder)
    record = commands.record("export-control/a", announced(), idempotency_key="candidate-1")
    assert await refused(record) == ("RESERVED_ID", ("idempotencyKey",))
    assert (await review.accept(1, ANN)).position == 1


async def test_nothing_enters_the_log_before_it_is_accepted(
    review: Review, found: Propose, recorder: Recorder
) -> None:
    await found(proposal(), proposal("2024-2"), figures(), lead())
    await review.assign(1, "bob", ANN)
    await review.edit(1, "export-control/cn-other", announced(), ANN)
    await review.postpone(1, clock.today() + timedelta(days=1), ANN)
    await review.reject(2, BECAUSE)
    await review.resolve_unfinished()
    assert await recorder.head() == 0


async def test_two_persons_have_to_accept_where_the_settings_say_so(
    review_by_two: Review, found: Propose, recorder: Recorder
) -> None:
    await found(proposal())
    first = await review_by_two.accept(1, ANN)
    assert (first.state, first.accepted_by) == (CandidateState.PENDING, ("ann",))
    assert await recorder.head() == 0
    assert await refused(review_by_two.accept(1, ANN)) == ("SAME_REVIEWER", ("id",))
    second = await review_by_two.accept(1, BOB)
    assert second.state is CandidateState.ACCEPTED
    [event] = await recorder.read()
    assert event.actor == "bob"
    assert event.fact.source.reviewed_by == ("ann", "bob")


async def test_an_edit_voids_the_acceptance_of_what_was_there_before(
    review_by_two: Review, found: Propose, recorder: Recorder
) -> None:
    await found(proposal())
    await review_by_two.accept(1, ANN)
    edited = await review_by_two.edit(1, "export-control/cn-x", announced(title="Better"), BOB)
    assert edited.accepted_by == ()
    assert (await review_by_two.accept(1, BOB)).state is CandidateState.PENDING
    await review_by_two.accept(1, ANN)
    [event] = await recorder.read()
    assert event.stream == "export-control/cn-x"
    assert isinstance(event.fact, Announced)
    assert event.fact.title == "Better"
    assert event.fact.source.reviewed_by == ("bob", "ann")


async def test_a_lead_becomes_a_fact_by_an_edit_and_nothing_else(
    review: Review, found: Propose, recorder: Recorder
) -> None:
    await found(lead())
    assert await refused(review.accept(1, ANN)) == ("NO_FACT", ("id",))
    await review.edit(1, "export-control/cn-2024-1", announced(), ANN)
    assert (await review.accept(1, ANN)).position == 1
    assert await actions(review, 1) == [
        ("edited", "ann"),
        ("accepted", "ann"),
        ("recorded", "tracker"),
    ]


@pytest.mark.parametrize(
    ("stream", "stated", "path"),
    [
        ("source/x", looked(), ("type",)),
        (
            "redaction/x",
            fact(Redacted, "2026-01-01", redacts="a", fields=["/note"], reason="x"),
            ("type",),
        ),
        ("alliance/x", announced(), ("id",)),
        ("nothing/x", announced(), ("entity",)),
        (
            "export-control/x",
            announced(moreSources=[source() | {"reviewedBy": ["bob"]}]),
            ("moreSources", 0, "reviewedBy"),
        ),
        (
            "export-control/x",
            announced(moreSources=[source() | {"snapshot": SHA256}]),
            ("moreSources", 0, "snapshot"),
        ),
        (
            "export-control/x",
            announced(source=source() | {"reviewedBy": ["bob"]}),
            ("source", "reviewedBy"),
        ),
    ],
)
async def test_an_edit_proposes_what_people_may_state_and_nothing_else(
    review: Review, found: Propose, stream: str, stated: Fact, path: Path
) -> None:
    await found(lead())
    code, where = await refused(review.edit(1, stream, stated, ANN))
    assert (code, where) == ("INVALID_INPUT", path)
    assert await actions(review, 1) == []


async def test_a_file_is_imported_as_it_is_or_not_at_all(review: Review, found: Propose) -> None:
    await found(figures())
    assert await refused(review.edit(1, "export-control/a", announced(), ANN)) == (
        "NOT_EDITABLE",
        ("id",),
    )
    woken = []
    review.wake = lambda: woken.append(1)
    assert (await review.accept(1, ANN)).state is CandidateState.ACCEPTING
    assert woken == [1]


async def test_a_candidate_refused_by_the_log_waits_again_with_the_reason(
    review: Review, found: Propose, recorder: Recorder
) -> None:
    act = suspended("1")
    await found(proposal(fact=act, stream="export-control/nobody-knows"))
    code, path = await refused(review.accept(1, ANN))
    assert (code, path[0]) == ("NOT_FOUND", "proposal")
    waiting = await review.candidates.get(1)
    assert (waiting.state, waiting.accepted_by) == (CandidateState.PENDING, ())
    assert waiting.refusal is not None
    assert "There is no export-control/nobody-knows" in waiting.refusal
    await Commands(recorder).record("export-control/nobody-knows", announced())
    assert (await review.accept(1, ANN)).position == 2


async def test_a_rejection_needs_a_reason_and_can_be_taken_back(
    review: Review, found: Propose
) -> None:
    await found(proposal())
    assert await refused(review.reject(1, ANN)) == ("INVALID_INPUT", ("reason",))
    rejected = await review.reject(1, BECAUSE)
    assert rejected.state is CandidateState.REJECTED
    assert await refused(review.accept(1, BOB)) == ("NOT_OPEN", ("id",))
    assert (await review.reopen(1, BOB)).state is CandidateState.PENDING
    assert await refused(review.reopen(1, BOB)) == ("NOT_CLOSED", ("id",))
    assert (await review.accept(1, BOB)).state is CandidateState.ACCEPTED
    assert await refused(review.reopen(1, BOB)) == ("NOT_CLOSED", ("id",))


async def test_a_decision_on_another_revision_is_refused(review: Review, found: Propose) -> None:
    await found(proposal())
    seen = replace(ANN, revision=1)
    await review.assign(1, "bob", seen)
    with pytest.raises(VersionConflict) as stale:
        await review.accept(1, seen)
    assert (stale.value.path, stale.value.expected, stale.value.actual) == (("revision",), 1, 2)
    assert (await review.accept(1, replace(ANN, revision=2))).state is CandidateState.ACCEPTED


async def test_postponed_candidates_wait_again_when_their_day_has_come(
    review: Review, found: Propose, target: Target
) -> None:
    await found(proposal())
    today = clock.today()
    for until in (today, today + timedelta(days=400), date.max):
        assert await refused(review.postpone(1, until, ANN)) == ("INVALID_INPUT", ("until",))
    await review.postpone(1, today + timedelta(days=7), ANN)
    await review.resolve_unfinished()
    assert (await review.candidates.get(1)).state is CandidateState.POSTPONED
    async with open_connection(target) as admin:
        await admin.execute("UPDATE review.candidates SET postponed_until = $1", today)
    await review.resolve_unfinished()
    assert (await review.candidates.get(1)).state is CandidateState.PENDING
    assert await actions(review, 1) == [("postponed", "ann"), ("reopened", "tracker")]


async def test_many_are_decided_on_at_once_each_by_itself(
    review: Review, found: Propose, recorder: Recorder
) -> None:
    await found(proposal("1"), lead("2"), proposal("3"), proposal("4"))
    outcomes = await review.accept_all([1, 2, 3, 99], ANN)
    assert [outcome.error and outcome.error.code for outcome in outcomes] == [
        None,
        "NO_FACT",
        None,
        "NOT_FOUND",
    ]
    assert await recorder.head() == 2
    await review.reject_all([2, 4], BECAUSE)
    assert await refused(review.reject_all([2], ANN)) == ("INVALID_INPUT", ("reason",))
    for ids in ([], [1, 1], list(range(MAX_BULK + 1))):
        assert await refused(review.accept_all(ids, ANN)) == ("INVALID_BULK", ("ids",))


@pytest.mark.parametrize("id", [0, -1, 7, 2**63, 2**70])
async def test_ids_that_no_candidate_has_are_not_found(review: Review, id: int) -> None:
    with pytest.raises(NotFound):
        await review.accept(id, ANN)
    with pytest.raises(NotFound):
        await review.candidates.get(id)


async def test_of_two_who_accept_at_once_one_does(
    review: Review, found: Propose, recorder: Recorder
) -> None:
    await found(proposal())
    done = await asyncio.gather(
        review.accept(1, ANN), review.accept(1, BOB), return_exceptions=True
    )
    assert sorted(isinstance(each, InvalidInput) for each in done) == [False, True]
    assert await recorder.head() == 1


class Crash(BaseException):
    """The process ends here."""


async def test_a_crash_after_the_append_is_found_in_the_log(
    review: Review, found: Propose, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await found(proposal())

    async def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(Review, "finish", crash)
        with pytest.raises(Crash):
            await review.accept(1, ANN)
    assert (await review.candidates.get(1)).state is CandidateState.ACCEPTING
    assert await recorder.head() == 1
    await review.resolve_unfinished()
    settled = await review.candidates.get(1)
    assert (settled.state, settled.position) == (CandidateState.ACCEPTED, 1)
    assert await actions(review, 1) == [("accepted", "ann"), ("recorded", "tracker")]


async def test_a_crash_before_the_append_has_the_candidate_wait_again(
    review: Review,
    found: Propose,
    recorder: Recorder,
    target: Target,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await found(proposal())

    async def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(Review, "_append", crash)
        with pytest.raises(Crash):
            await review.accept(1, ANN)
    await review.resolve_unfinished()  # a process may still work on it
    assert (await review.candidates.get(1)).state is CandidateState.ACCEPTING
    async with open_connection(target) as admin:
        await admin.execute("UPDATE review.candidates SET accepting_at = now() - interval '1 hour'")
    await review.resolve_unfinished()
    waiting = await review.candidates.get(1)
    assert (waiting.state, waiting.accepted_by) == (CandidateState.PENDING, ())
    assert await recorder.head() == 0
    assert (await review.accept(1, ANN)).position == 1


async def test_while_nobody_knows_whether_it_was_recorded_it_is_being_accepted(
    review: Review, found: Propose, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await found(proposal())
    record = Commands.record

    async def lose_the_answer(*given: object, **more: object) -> None:
        await record(*given, **more)  # type: ignore[arg-type]
        raise Unavailable("The log could not be reached")

    with monkeypatch.context() as patched:
        patched.setattr(Commands, "record", lose_the_answer)
        with pytest.raises(Unavailable):
            await review.accept(1, ANN)
    assert (await review.candidates.get(1)).state is CandidateState.ACCEPTING
    await review.resolve_unfinished()
    assert (await review.candidates.get(1)).position == 1


async def test_a_later_account_is_recorded_as_a_correction(
    review: Review, found: Propose, recorder: Recorder
) -> None:
    await found(proposal())
    await review.accept(1, ANN)
    await found(proposal(fact=announced(clause(inForceFrom="2024-12-13"))))
    await review.accept(2, ANN)
    first, retraction, second = await recorder.read()
    assert (first.event_id, second.event_id) == ("candidate-1", "candidate-2")
    assert retraction.type == "ExportControl.Retracted"
    assert retraction.data["retracts"] == "candidate-1"
    assert (await review.candidates.get(2)).position == 3


async def test_imported_facts_are_corrected_by_a_later_account(
    review: Review, found: Propose, recorder: Recorder
) -> None:
    one = proposal()
    await Commands(recorder).record(
        one.event.stream, one.event.fact, idempotency_key=one.event.event_id
    )
    await found(proposal(fact=announced(title="As mended")))
    await review.accept(1, ANN)
    assert [event.type for event in await recorder.read()] == [
        "ExportControl.Announced",
        "ExportControl.Retracted",
        "ExportControl.Announced",
    ]


async def test_an_import_of_what_was_accepted_changes_nothing(
    review: Review, found: Propose, importer: ImportFixture, recorder: Recorder
) -> None:
    one = proposal(fact=announced(note="As the notice says"))
    await found(one)
    await review.accept(1, ANN)
    same = line(one.event.event_id, one.event.fact, one.event.stream)
    outcome = await importer.take(same)
    assert outcome.receipt.counts.unchanged == 1
    assert await recorder.head() == 2  # with the receipt


async def test_every_action_has_a_word_in_the_database(
    review: Review, found: Propose, pool: Pool
) -> None:
    await found(proposal())
    for action in Action:
        await pool.execute(
            "INSERT INTO review.decisions (candidate, revision, actor, action)"
            " VALUES (1, 1, 'ann', $1)",
            action.value,
        )


async def test_a_redaction_of_a_snapshot_takes_its_texts_out_of_what_waits(
    review: Review, found: Propose, target: Target
) -> None:
    said = announced(clause(note="Of Ann"), title="On Ann", note="Of Ann", quotation="Ann")
    await found(proposal("1", said, title="On Ann"), lead("2"), lead("3", sha256="cd" * 32))
    await redact(target, SHA256)
    gone, hint, other = [await review.candidates.get(id) for id in (1, 2, 3)]
    assert (gone.title, hint.title, other.title) == ("(redacted)", "(redacted)", "Notice 3")
    assert isinstance(gone.fact, Announced)
    assert gone.fact.title == "(redacted)"
    assert gone.fact.note is gone.fact.quotation is gone.fact.clauses[0].note is None
    assert await review.candidates.count(CandidateFilter(search="Ann")) == 0
