"""Words of the vocabularies: each is declared once, with all that sentences, rules and drawings need."""

from enum import Enum
from itertools import product

import pytest

from schema.base.enums import ENUMS, described_enum
from schema.pages.commodities.answers import clause_answers
from schema.pages.controls.rule_words import subject
from schema.pages.controls.status_sentences import heading, leads
from tests.pages.test_status_sentences import DAY, clause, control
from tests.support.cases import each_case
from tracker.domain.basics import control_vocabulary, vocabulary
from tracker.domain.basics.control_vocabulary import (
    ClauseStatus,
    Confirmation,
    Direction,
    Measure,
    Outcome,
    VerdictKind,
)
from tracker.domain.basics.word import Word
from tracker.domain.wording.phrases import word_phrase

VOCABULARIES = (*control_vocabulary.VOCABULARIES, *vocabulary.VOCABULARIES)


@each_case("vocabulary", ENUMS, ids=lambda vocabulary: vocabulary.__name__)
def test_every_word_of_the_api_has_a_description_in_a_sentence(vocabulary: type[Enum]) -> None:
    for value in vocabulary.__strawberry_definition__.values:  # type: ignore[attr-defined]  # an enum of the API
        assert value.description, value.name
        assert value.description.endswith("."), value.name


def test_a_word_without_a_description_is_not_an_enum_of_the_api() -> None:
    class Colour(Enum):
        """Colours."""

        RED = "red"

    with pytest.raises(LookupError, match=r"Colour\.RED"):
        described_enum(Colour)


def test_a_word_that_lacks_an_attribute_cannot_be_declared() -> None:
    with pytest.raises(ValueError, match="shorter"):

        class Way(Word):
            """Ways."""

            WEST = "west"
            """West."""

            noun: str


@each_case("vocabulary", VOCABULARIES, ids=lambda vocabulary: vocabulary.__name__)
def test_every_word_with_attributes_has_them_all(vocabulary: type[Enum]) -> None:
    for word in vocabulary:
        if isinstance(word, Word):
            assert word.phrase
            for name in type(word).__annotations__:
                assert getattr(word, name) not in (None, ""), (word, name)


def test_ranks_are_distinct() -> None:
    for ranked in (Measure, ClauseStatus):
        assert len({word.rank for word in ranked}) == len(ranked)


@each_case(("measure", "direction"), [*product(Measure, Direction)], ids=str)
def test_every_measure_is_worded_in_every_direction(measure: Measure, direction: Direction) -> None:
    one = clause("1", ("IN_FORCE", "2024-12-03", None), measure=measure.name, match="CERTAIN")
    one |= {"isLegalBasis": False, "endUse": None, "statusBecause": None}
    shown = control(one, direction=direction.name, key="a")
    assert f"{measure.noun} {measure.preposition} {direction.noun}" in subject(shown)
    (answer,), others = clause_answers([(shown, one)], [])
    assert answer.text.casefold().startswith(f"{measure.rule} {direction.noun}".casefold())
    assert others == 0
    assert word_phrase(measure.name) == word_phrase(measure) == measure.phrase
    assert measure.verdict_on(direction) not in (VerdictKind.NOTHING_RECORDED, VerdictKind.UNKNOWN)


@each_case(("status", "following"), [*product(ClauseStatus, ClauseStatus)], ids=str)
def test_every_status_and_its_next_one_are_worded(
    status: ClauseStatus, following: ClauseStatus
) -> None:
    periods = ((status.name, "2024-12-03", "2026-12-31"), (following.name, "2027-01-01", None))
    for confirmation in Confirmation:
        shown = control(clause("1", *periods, confirmation=confirmation.name))
        assert f" {status.verb} {status.phrase}" in heading(shown, DAY)
        assert leads(shown, DAY)


def test_every_outcome_is_a_status_of_an_ended_clause() -> None:
    assert all(ClauseStatus(outcome).has_ended for outcome in Outcome)


def test_enums_of_the_api_are_all_vocabularies() -> None:
    assert set(VOCABULARIES) <= set(ENUMS)
    assert all(hasattr(one, "__strawberry_definition__") for one in ENUMS)
