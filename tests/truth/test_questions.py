"""The law as lawyers ask for it: questions with right answers, on the corpus that ships.

They are asked over the API of a whole tracker. The questions are in `questions/`, written from the
acts and not from what the code answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import pytest_asyncio

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from tests.conftest import copied
from tests.support.api import Api
from tests.truth.answers import KINDS, ask
from tests.truth.question import Question, differences, read_questions
from tracker.postgres.database import Target

QUESTIONS = read_questions()


@pytest.fixture(scope="module")
def asked_target(server: Postgres, corpus_template: str) -> Iterator[Target]:
    """A database with the shipped corpus, for all questions."""
    with contextmanager(copied)(server, corpus_template) as target:
        yield target


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(asked_target: Target) -> AsyncIterator[Api]:
    """A tracker with the shipped corpus."""
    async with running_tracker(asked_target) as services:
        yield Api(services)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.ask)
async def test_the_tracker_answers_rightly(api: Api, question: Question) -> None:
    answer = await ask(api, question)
    if differences(question.expected, answer):
        pytest.fail(question.told_with(answer), pytrace=False)


def test_a_question_is_asked_once_and_is_of_a_known_kind() -> None:
    assert len({question.ask for question in QUESTIONS}) == len(QUESTIONS)
    assert {question.kind for question in QUESTIONS} <= KINDS.keys()
