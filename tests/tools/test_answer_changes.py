"""The answers that an edit of the shipped data changes."""

import pytest

from tools.answer_changes import HERE, compare, corpus_of, differences, edited_corpus, report
from tracker.corpus.compiling import CORPUS


def test_differences_name_the_field_and_both_values() -> None:
    text = "a sentence of an act that is long " * 4
    found = differences(
        {"a": {"day": "2026-01-01", "list": ["x", "y"]}, "b": 1, "c": f"{text}1", "same": [1]},
        {"a": {"day": "2026-02-01", "list": ["y", "z"]}, "d": 1, "c": f"{text}2", "same": [1]},
    )
    assert found == {
        "a": ["day: 2026-01-01 → 2026-02-01", "list: no longer x", "list: now z"],
        "b": ["withdrawn"],
        "c": ["…1 → …2"],
        "d": ["added"],
    }


def test_the_edited_files_compile_to_the_corpus_of_the_checkout() -> None:
    assert edited_corpus() == (HERE / CORPUS).read_bytes()


def test_equal_corpora_change_nothing() -> None:
    corpus = corpus_of("HEAD")
    assert report(compare(corpus, corpus)) == "No fact differs, so no answer does.\n"


@pytest.mark.nightly
def test_an_earlier_end_of_a_suspension_changes_its_clauses_and_questions_alone() -> None:
    corpus = (HERE / CORPUS).read_bytes()
    edited = corpus.replace(b'"suspendedUntil":"2026-11-27"', b'"suspendedUntil":"2026-10-27"', 1)
    compared = compare(corpus, edited)
    [fact] = compared["facts"].items()
    assert fact == (
        "ExportControl.Suspended export-control/cn-mofcom-2024-46 cn-mofcom-2025-72",
        ["suspendedUntil: 2026-11-27 → 2026-10-27"],
    )
    rows = [name for name in compared["answers"] if name.split()[0] not in ("question", "shipment")]
    assert rows
    assert all("cn-mofcom-2024-46" in name for name in rows)
    assert (
        "returns_on: 2026-11-28 → 2026-10-28"
        in compared["answers"][
            "question Where does the ban of gallium to the United States stand on 20 November 2025?"
        ]
    )
