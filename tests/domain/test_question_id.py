"""Ids of questions: the instrument, the clause and its part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tracker.domain.shipments.question_id import IssuerQuestionId, QuestionId, parse_question_id
from tracker.errors import InvalidInput

KEYS = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)


def test_an_id_has_instrument_clause_and_part() -> None:
    assert parse_question_id("cn-mofcom-2025-10/tungsten/item/2") == QuestionId(
        "cn-mofcom-2025-10", "tungsten", "item/2"
    )


def test_an_id_of_an_issuer_has_its_code_and_a_part() -> None:
    assert parse_question_id("CN/end-use") == IssuerQuestionId("CN", "end-use")
    assert parse_question_id("CN/end-use/military-uses") == IssuerQuestionId(
        "CN", "end-use/military-uses"
    )


@given(KEYS, KEYS, st.one_of(KEYS, st.tuples(KEYS, KEYS).map("/".join)))
def test_a_written_id_is_parsed_as_it_was(control: str, clause: str, part: str) -> None:
    made = QuestionId(control, clause, part)
    assert parse_question_id(str(made)) == made


@each_case("text", ["", "x", "a/b", "a//c", "/b/c", "a/b/"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected the id of a question") as error:
        parse_question_id(text)
    assert error.value.code == "INVALID_QUESTION"
