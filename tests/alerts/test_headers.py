"""Headers of sent messages, byte for byte: mail programs read these and not what a parser makes of them."""

import re
from email.header import decode_header, make_header

from hypothesis import given
from hypothesis import strategies as st

from tests.alerts.conftest import Reader
from tests.support.cases import each_case
from tracker.alerts.letter import Letter, render
from tracker.clock import now

TITLE = "Export licences for seven medium and heavy rare earths, in force at once: 1 new record"


def head_of(content: bytes) -> bytes:
    """Return the headers of a message."""
    return content.replace(b"\r\n", b"\n").partition(b"\n\n")[0]


def subject_of(subject: str) -> bytes:
    """Return the lines of the subject of a rendered letter."""
    content = render(Letter(subject, []), "Tracker <alerts@example.com>", now()).content
    match = re.search(rb"^Subject:.*(\n[ \t].*)*", head_of(content), re.MULTILINE)
    assert match
    return match[0]


async def test_the_link_that_ends_a_subscription_is_a_literal_address(reader: Reader) -> None:
    await reader.subscribe()
    await reader.record("a")
    await reader.box.wait_for(2)
    head = head_of(reader.box.contents[1])
    assert re.search(
        rb"^List-Unsubscribe: <http://localhost/alerts/unsubscribe\?token=[A-Za-z0-9._-]+>$",
        head,
        re.MULTILINE,
    ), head
    assert re.search(rb"^List-Unsubscribe-Post: List-Unsubscribe=One-Click$", head, re.MULTILINE)
    assert re.search(rb"^From: Tracker <alerts@example.com>$", head, re.MULTILINE)


def test_a_long_subject_in_ascii_is_one_line() -> None:
    assert subject_of(TITLE) == f"Subject: {TITLE}".encode()


@each_case("subject", [TITLE.replace("once", "on…"), "镓" * 100, "é" * 60, "…"])
def test_a_subject_with_other_characters_is_in_encoded_words(subject: str) -> None:
    lines = subject_of(subject).split(b"\n")
    assert all(re.fullmatch(rb"(Subject:)? =\?utf-8\?[bq]\?\S+\?=", line) for line in lines), lines
    assert all(len(line.removeprefix(b"Subject:").strip()) <= 75 for line in lines), "RFC 2047"


@given(st.text())
def test_every_subject_is_read_back_as_it_was_written(text: str) -> None:
    lines = subject_of(text)
    value = lines.removeprefix(b"Subject:").decode("ascii").strip()
    expected = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(expected) <= 150:
        assert str(make_header(decode_header(value))) == expected


def test_the_name_of_a_sender_with_other_characters_keeps_its_address() -> None:
    content = render(Letter("a", []), "Trackér <alerts@example.com>", now()).content
    assert re.search(
        rb"^From: =\?utf-8\?\S+\?= <alerts@example.com>$", head_of(content), re.MULTILINE
    )
