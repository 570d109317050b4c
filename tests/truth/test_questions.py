"""Legal questions with expected results, on the shipped corpus.

They are queried over the API of a whole tracker. The questions in `questions/` are written from the
acts, not from the code's results.
"""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.truth.answers import KINDS, ask
from tests.truth.question import Question, differences, read_questions

QUESTIONS = read_questions()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.ask)
async def test_the_tracker_answers_rightly(api: Api, question: Question) -> None:
    answer = await ask(api, question)
    if differences(question.expected, answer):
        pytest.fail(question.told_with(answer), pytrace=False)


def test_a_question_is_asked_once_and_is_of_a_known_kind() -> None:
    assert len({question.ask for question in QUESTIONS}) == len(QUESTIONS)
    assert {question.kind for question in QUESTIONS} <= KINDS.keys()
