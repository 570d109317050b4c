"""Lists that grow during a read: every notice is reported once, for any insertions."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import document_fromstring

from tests.support.cases import each_case
from tests.support.publishers.publisher import Asked, Page, Publisher, driven_by
from tests.watch.adapters.drive import drive, source_of
from tracker.errors import InvalidInput
from tracker.watch.adapter import NotUnderstood
from tracker.watch.adapters.notices import ADAPTER
from tracker.watch.listing import address_in, item_of, select

FIRST_DAY = date(2025, 1, 1)


class Growing(Publisher):
    """A list in pages, the newest first, that gets notices while it is read, though not as many
    as are on a page."""

    def __init__(self, page_size: int, past_the_end: str):
        super().__init__()
        self.page_size = page_size
        self.past_the_end = past_the_end
        self.size = 0
        self.coming: list[int] = []
        """Numbers of insertions after each of the next requests."""

    def page(self, asked: Asked) -> Page:
        """Return a page of the list; after the end it is empty, or the first one again."""
        total = self.size
        start = (int(asked.parameter("page", "1")) - 1) * self.page_size
        if start >= total and self.past_the_end == "first":
            start = 0
        numbers = range(total - start, max(total - start - self.page_size, 0), -1)
        items = "".join(
            f"<li><a href=/n/{n}>Notice {n}</a>{FIRST_DAY + timedelta(n // 3):%Y-%m-%d}</li>"
            for n in numbers
        )
        if self.coming:
            self.size = total + self.coming.pop(0)
        return Page(f"<ul>{items}</ul>".encode(), charset="utf-8")


@settings(max_examples=60, deadline=None)
@given(
    page_size=st.integers(1, 9),
    past_the_end=st.sampled_from(["empty", "first"]),
    looks=st.lists(
        st.tuples(st.integers(0, 25), st.lists(st.integers(0, 2), max_size=6)), max_size=5
    ),
)
def test_every_notice_is_said_once(
    page_size: int, past_the_end: str, looks: list[tuple[int, list[int]]]
) -> None:
    publisher = Growing(page_size, past_the_end)
    publisher.size = 1
    options = {
        "language": "zh",
        "item": "li",
        "days": "%Y-%m-%d",
        "since": FIRST_DAY,
        "page_parameter": "page",
        "max_pages": 100,
    }
    source = source_of(ADAPTER, "https://x.example/list", options)
    cursor: Any = {}
    said: list[str] = []
    for more, coming in [*looks, (0, [])]:
        publisher.size += more
        publisher.coming = list(coming) if sum(coming) < page_size else []
        while True:
            found = drive(ADAPTER, source, driven_by(publisher), cursor=cursor, may_fail=True)
            publisher.coming = []
            if found.failure is None:
                break
            assert isinstance(found.failure, NotUnderstood)
            assert (found.failure.code, found.findings) == ("INCOMPLETE", [])
        cursor = found.cursor
        said += found.items
    total = publisher.size
    assert len(set(said)) == len(said)
    assert set(said) == {f"x.example/n/{n}" for n in range(1, total + 1)}


@each_case(
    ("href", "address"),
    [
        ("a.html#top", "https://x.example/list/a.html"),
        ("../a", "https://x.example/a"),
        ("//y.example/a", "https://y.example/a"),
        (" /a ", "https://x.example/a"),
        ("javascript:go(1)", None),
        ("mailto:a@x.example", None),
        ("http://[", None),
        ("", None),
        (None, None),
    ],
)
def test_only_addresses_of_the_web_are_followed(href: str | None, address: str | None) -> None:
    assert address_in(href, "https://x.example/list/index.html") == address


def test_items_have_names_that_the_queue_can_hold() -> None:
    assert item_of("https://x.example/a?b=1") == "x.example/a?b=1"
    assert len(item_of("https://x.example/" + "a" * 300)) == 200


def test_a_value_that_is_not_a_selector_is_refused() -> None:
    with pytest.raises(InvalidInput, match="expected a CSS selector"):
        select(document_fromstring("<p>"), "p:::")
