"""Any sequence of decisions leads where a model in a few lines says, on a real database."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from deploy.bootstrap import open_pool
from tests.support.fact_builders import announced
from tests.support.findings import lead, proposal
from tracker import clock
from tracker.commands.handler import Commands
from tracker.errors import TrackerError
from tracker.log.recorder import Recorder
from tracker.postgres.database import WATCHER, Target
from tracker.review.findings import propose
from tracker.review.review import Review, Reviewer

PEOPLE = st.sampled_from(["ann", "bob", "eve"])
IDS = st.integers(1, 3)
"""Two facts, and a lead."""
REVIEWERS = 2


@dataclass
class Model:
    """The expected state of a candidate."""

    has_fact: bool
    state: str = "pending"
    accepted_by: list[str] = field(default_factory=list)
    assigned_to: str | None = None
    changes: int = 0

    @property
    def waits(self) -> bool:
        """Whether anything may be decided on it."""
        return self.state in ("pending", "postponed")

    def accept(self, who: str) -> bool:
        """Whether a person may accept it."""
        if not self.waits or not self.has_fact or who in self.accepted_by:
            return False
        self.accepted_by.append(who)
        done = len(self.accepted_by) == REVIEWERS
        self.state = "accepted" if done else "pending"
        self.changes += 1 + done
        return True

    def close(self, state: str) -> bool:
        """Whether it may change to a state."""
        if not self.waits:
            return False
        self.state, self.changes = state, self.changes + 1
        return True

    def edit(self) -> bool:
        """Whether it may get another fact."""
        if not self.waits:
            return False
        self.has_fact, self.accepted_by, self.changes = True, [], self.changes + 1
        return True

    def reopen(self) -> bool:
        """Whether it may wait again."""
        if self.state in ("pending", "accepted"):
            return False
        self.state, self.accepted_by, self.changes = "pending", [], self.changes + 1
        return True

    def assign(self, who: str | None) -> bool:
        """Whether it may be assigned."""
        if not self.waits:
            return False
        self.assigned_to, self.changes = who, self.changes + 1
        return True


class Queue:
    """A queue in a database, to which three candidates are added at a time."""

    def __init__(self, loop: asyncio.Runner):
        self.loop = loop
        self.opened = AsyncExitStack()
        self.added = 0

    async def begin(self, target: Target) -> None:
        """Connect, as the watcher and as the API."""
        self.watching = await self.opened.enter_async_context(
            open_pool(target, role=WATCHER, size=1)
        )
        pool = await self.opened.enter_async_context(open_pool(target, size=3))
        self.recorder = Recorder(pool)
        self.review = Review(pool, Commands(self.recorder), self.recorder, REVIEWERS)

    def add_three(self) -> int:
        """Add two facts and a lead; the id of the first."""
        a, b, c = (f"item-{self.added + number}" for number in (1, 2, 3))
        self.loop.run(propose(self.watching, "a", [proposal(a), proposal(b), lead(c)]))
        self.added += 3
        return self.added - 2


class Decisions(RuleBasedStateMachine):
    """Three candidates in a queue of others, with a model of each."""

    def __init__(self, queue: Queue):
        super().__init__()
        self.loop, self.review, self.recorder = queue.loop, queue.review, queue.recorder
        first = queue.add_three()
        self.ids = {number: first + number - 1 for number in (1, 2, 3)}
        self.models = {1: Model(True), 2: Model(True), 3: Model(False)}
        self.edits = 0

    def do(self, command: Coroutine[Any, Any, object], allowed: bool) -> None:
        """Run a command, which must be refused exactly when the model says so."""
        refusal: TrackerError | None = None
        try:
            self.loop.run(command)
        except TrackerError as error:
            refusal = error
        assert (refusal is None) is allowed, refusal

    @rule(id=IDS, who=PEOPLE)
    def accept(self, id: int, who: str) -> None:
        self.do(self.review.accept(self.ids[id], Reviewer(who)), self.models[id].accept(who))

    @rule(id=IDS, who=PEOPLE)
    def reject(self, id: int, who: str) -> None:
        allowed = self.models[id].close("rejected")
        self.do(self.review.reject(self.ids[id], Reviewer(who, "no")), allowed)

    @rule(id=IDS, who=PEOPLE)
    def postpone(self, id: int, who: str) -> None:
        until = clock.today() + timedelta(days=3)
        allowed = self.models[id].close("postponed")
        self.do(self.review.postpone(self.ids[id], until, Reviewer(who)), allowed)

    @rule(id=IDS, who=PEOPLE, to=st.none() | PEOPLE)
    def assign(self, id: int, who: str, to: str | None) -> None:
        self.do(self.review.assign(self.ids[id], to, Reviewer(who)), self.models[id].assign(to))

    @rule(id=IDS, who=PEOPLE)
    def edit(self, id: int, who: str) -> None:
        self.edits += 1
        stream, fact = f"export-control/edit-{self.ids[id]}-{self.edits}", announced()
        edit = self.review.edit(self.ids[id], stream, fact, Reviewer(who))
        self.do(edit, self.models[id].edit())

    @rule(id=IDS, who=PEOPLE)
    def reopen(self, id: int, who: str) -> None:
        self.do(self.review.reopen(self.ids[id], Reviewer(who)), self.models[id].reopen())

    @rule()
    def resolve(self) -> None:
        self.loop.run(self.review.resolve_unfinished())

    def teardown(self) -> None:
        """Compare everything once; each step was compared by its permission."""
        ids = list(self.ids.values())
        found = self.loop.run(self.review.candidates.get_all(ids))
        done = self.loop.run(self.review.candidates.decisions(ids))
        events = self.loop.run(self.recorder.lookup.by_id([f"candidate-{id}" for id in ids]))
        for number, model in self.models.items():
            one = found[self.ids[number]]
            assert one.state.value == model.state
            assert list(one.accepted_by) == model.accepted_by
            assert one.assigned_to == model.assigned_to
            assert one.revision == 1 + model.changes == 1 + len(done[one.id])
            assert (f"candidate-{one.id}" in events) is (model.state == "accepted")


@pytest.mark.timeout(120)
def test_any_decisions_lead_where_the_model_says(target: Target) -> None:
    with asyncio.Runner() as loop:
        queue = Queue(loop)
        try:
            loop.run(queue.begin(target))
            run_state_machine_as_test(
                lambda: Decisions(queue),
                settings=settings(
                    max_examples=max(settings().max_examples // 8, 1),
                    stateful_step_count=20,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            loop.run(queue.opened.aclose())
