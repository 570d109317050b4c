"""Required statements of a response, and the limit of its size."""

import pytest

from schema.assistants.arguments import read_arguments
from schema.assistants.book import MAX_SENTENCES, Book, in_runs
from schema.assistants.registry import ALL
from tests.support.cases import each_case
from tracker.errors import InvalidInput


def because(
    position: int, name: str = "Act", *lacks: str, verified: bool = True
) -> dict[str, object]:
    """Return an event as in a document's result."""
    told = {"publisher": "p", "name": name, "publishedOn": "2025-01-01", "url": None}
    told |= {"unsupported": [*lacks], "level": "VERIFIED" if verified else "SECONDARY"}
    source = {**told, "reference": None, "primary": verified, "verified": verified}
    return {"position": str(position), "source": source}


def test_a_source_has_one_number_and_all_of_its_events() -> None:
    book = Book("2025-06-01")
    assert book.cite(because(3), because(5), because(9, "Other"), None) == [1, 2]
    assert [source.events for source in book.sources] == [[3, 5], [9]]


def test_sources_that_are_not_read_are_named() -> None:
    book = Book("2025-06-01")
    book.cite(*[because(n, f"Act {n}", verified=n in (2, 7)) for n in range(1, 9)])
    [said] = book.must_say([])
    assert said.endswith("was not read for sources 1, 3 to 6 and 8.")


def test_sources_that_were_read_in_a_copy_are_named_apart_from_unread_ones() -> None:
    book = Book("2025-06-01")
    copy = because(2, "Copy")
    copy["source"] |= {"verified": False, "level": "ISSUER_TEXT_COPY"}  # type: ignore[operator]
    book.cite(because(1), copy, because(3, "Report", verified=False))
    assert book.must_say([]) == [
        "Unverified: the issuer's own text was not read for source 3.",
        "Only a copy of the issuer's own text was read: source 2.",
    ]


def test_fields_that_a_source_lacks_are_named() -> None:
    book = Book("2025-06-01")
    book.cite(because(3, "Act", "since"), because(5))
    assert book.must_say([]) == ["Not in the cited text of source 1: since."]


def test_runs_are_reported_together() -> None:
    assert in_runs([1, 2, 4, 5, 6, 9]) == ["1, 2", "4 to 6", "9"]


def test_an_answer_names_an_older_horizon_and_no_newer_one() -> None:
    book = Book("2026-06-01")
    book.issued_by("CN", "US", "FJ")
    book.published_by("usgs")
    known = [
        {"issuer": "CN", "newestFactOn": "2026-05-31"},
        {"issuer": "US", "newestFactOn": "2026-06-01"},
        {"issuer": None, "publisher": "usgs", "newestFactOn": "2026-02-01"},
    ]
    assert book.must_say(book.horizon(known)) == [
        "The newest recorded act of CN is dated 2026-05-31: later acts may exist.",
        "No source for CN is watched: later acts may be missing.",
        "No fact on the law of FJ is recorded: this does not mean that there is none.",
        "No source for FJ is watched: later acts may be missing.",
        "The newest recorded edition of usgs is dated 2026-02-01: newer ones may exist.",
    ]


def test_an_answer_names_watched_sources_and_unreadable_ones() -> None:
    book = Book("2026-06-01")
    book.issued_by("CN", "ID")
    read = {"lookedAt": "2026-05-31T12:00:00Z", "coversUntil": "2026-05-30"}
    failing = {"name": "MOFCOM", "since": "2026-05-30T00:00:00Z", "code": "TIMEOUT"}
    new = {"name": "JDIH", "since": None, "code": None}
    known = [
        {
            "issuer": "CN",
            "newestFactOn": "2026-05-20",
            "sourceCount": 2,
            **read,
            "notRead": [failing],
        },
        {"issuer": "ID", "newestFactOn": None, "sourceCount": 1, "lookedAt": None}
        | {"coversUntil": None, "notRead": [new]},
    ]
    assert book.must_say(book.horizon(known)) == [
        "The newest recorded act of CN is dated 2026-05-20: later acts may exist.",
        "Sources of CN were last read on 2026-05-31; announcements up to 2026-05-30 were read, and"
        " may wait for review.",
        "MOFCOM has not been readable since 2026-05-30 (TIMEOUT).",
        "No fact on the law of ID is recorded: this does not mean that there is none.",
        "JDIH was never read.",
    ]


def test_sentences_about_items_end_somewhere_and_say_so() -> None:
    book = Book("2025-06-01")
    for number in range(MAX_SENTENCES + 5):
        book.add_sentence(f"Sentence {number}.")
        book.add_sentence(f"Sentence {number}.")
    said = book.must_say([])
    assert len(said) == MAX_SENTENCES + 1
    assert said[-1].startswith("5 more")


@each_case("tool", ALL, ids=lambda tool: tool.name)
def test_arguments_are_read_from_what_models_write(tool: object) -> None:
    kind = tool.arguments  # type: ignore[attr-defined]
    needed = {"commodity": "gallium", "importer": "US", "entity": "alliance/quad", "text": "quad"}
    names = kind.__struct_encode_fields__
    given = {name: value for name, value in needed.items() if name in names}
    read = read_arguments(kind, {**given, "day": None, "position": "12"})
    assert (read.day, read.position) == (None, 12)
    with pytest.raises(InvalidInput, match="expected"):
        read_arguments(kind, {**given, "position": -1})
