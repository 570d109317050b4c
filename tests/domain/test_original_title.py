"""Titles in the original language, beside the English ones."""

from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import announced, clause, decided_facts, fact, retracted, state
from tracker.domain.actors.announcement import Made
from tracker.domain.basics.codec import decode, encode
from tracker.domain.basics.original_title import OriginalTitle
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import Amended
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_recordable
from tracker.errors import InvalidInput

CHINESE = {"text": "关于对镓、锗相关物项实施出口管制的公告", "language": "zh-Hans"}
FRENCH = {"text": "Décision relative au cobalt", "language": "fr"}
CONTROL, ANNOUNCEMENT = "export-control/gallium", "announcement/sohu"


def title_of_control(day: str, *facts: Fact) -> OriginalTitle | None:
    """Return the original title of an instrument on a day."""
    found: Any = state(decided_facts(CONTROL, *facts), CONTROL, day)
    return found.original_title  # type: ignore[no-any-return]


def amended(on: str, **more: Any) -> Amended:
    """Return an amendment of its one clause."""
    return fact(Amended, on, clauses=[clause()], **more)


def test_an_instrument_has_its_title_in_the_language_of_its_issuer() -> None:
    assert title_of_control("2024-12-03", announced()) is None
    told = announced(originalTitle=CHINESE)
    assert title_of_control("2024-12-03", told) == OriginalTitle(**CHINESE)


def test_an_announcement_has_one_too() -> None:
    told = fact(Made, "2025-07-01", kind="statement", title="Quad", originalTitle=CHINESE)
    found: Any = state(decided_facts(ANNOUNCEMENT, told), ANNOUNCEMENT, "2025-07-01")
    assert found.original_title == OriginalTitle(**CHINESE)


def test_a_new_title_takes_the_place_of_both_and_no_new_title_of_none() -> None:
    told = announced(originalTitle=CHINESE)
    silent = amended("2025-01-01")
    english = amended("2025-02-01", title="Another title")
    french = amended("2025-03-01", originalTitle=FRENCH)
    acts = (told, silent, english, french)
    assert title_of_control("2025-01-31", *acts) == OriginalTitle(**CHINESE)
    assert title_of_control("2025-02-28", *acts) is None
    assert title_of_control("2025-03-01", *acts) == OriginalTitle(**FRENCH)
    found: Any = state(decided_facts(CONTROL, *acts), CONTROL, "2025-03-01")
    assert found.title == "Another title"


def test_a_retracted_fact_gives_no_title() -> None:
    told, french = announced(originalTitle=CHINESE), amended("2025-03-01", originalTitle=FRENCH)
    assert title_of_control("2025-03-01", told, french, retracted("e2")) == OriginalTitle(**CHINESE)


def test_states_without_one_are_written_as_they_were_before_there_were_any() -> None:
    found = state(decided_facts(CONTROL, announced()), CONTROL, "2024-12-03")
    assert b"originalTitle" not in encode(found)
    told = announced(originalTitle=CHINESE)
    found = state(decided_facts(CONTROL, told), CONTROL, "2024-12-03")
    assert decode(ExportControlState, encode(found)) == found


@each_case("language", ["zh", "zh-Hans", "zh-Hant-TW", "id", "pt-BR", "es-419", "fil"])
def test_a_language_is_a_tag_of_bcp_47(language: str) -> None:
    assert announced(originalTitle={**CHINESE, "language": language})


@each_case("language", ["Chinese", "ZH", "zh_CN", "zh-cn", "z", "zh-", "zh-Hans "])
def test_anything_else_is_refused_at_its_field(language: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        announced(originalTitle={**CHINESE, "language": language})
    assert caught.value.code == "INVALID_LANGUAGE"
    assert caught.value.path == ("originalTitle", "language")
    assert "zh-Hans" in caught.value.message


def test_a_title_that_says_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        announced(originalTitle={**CHINESE, "text": " "})
    assert caught.value.path == ("originalTitle", "text")


def test_where_it_was_read_is_an_address_of_the_web() -> None:
    check_recordable(announced(originalTitle={**CHINESE, "url": "https://example.org/23"}))
    with pytest.raises(InvalidInput) as caught:
        check_recordable(announced(originalTitle={**CHINESE, "url": "javascript:alert(1)"}))
    assert caught.value.path == ("originalTitle", "url")
