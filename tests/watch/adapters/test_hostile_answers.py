"""For any response of a publisher a poll ends: with its findings, or with a coded failure."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.publishers import bgs, cellar, federal_register, feeds, mofcom, usgs
from tests.support.publishers.publisher import Asked, Page, Publisher, driven_by
from tests.watch.adapters.drive import drive, failed, source_of
from tracker.errors import TrackerError
from tracker.watch.adapter import FetchFailed, NotUnderstood, Request, Response
from tracker.watch.registry import adapter_named

LOG = feeds.LegislationGovUk.PATH
ITEM = feeds.Item("https://x.example/1", "Export ban", "2026-02-20", "on gallium")
HTML = b"<html lang=en><title>T</title><main><p>One<p>Two</main>"
PLAYED: dict[str, tuple[str, dict[str, Any], Callable[[], Publisher]]] = {
    "federal-register": (
        federal_register.PATH,
        {"terms": ["gallium"]},
        lambda: federal_register.FederalRegister(
            [federal_register.document("2026-1", "2026-02-20", "On gallium")]
        ),
    ),
    "eu-cellar": (
        cellar.PATH,
        {"terms": {"ENG": ["gallium"]}},
        lambda: cellar.Cellar(cellar.Act("32026R0001", {"ENG": "On gallium"})),
    ),
    "uk-legislation": (LOG, {}, lambda: feeds.LegislationGovUk(feeds.LogItem("uksi/2026/1", "X"))),
    "feed": ("/", {}, lambda: Publisher({"/": feeds.atom([ITEM])})),
    "feed (RSS)": ("/", {}, lambda: Publisher({"/": feeds.rss([ITEM])})),
    "mofcom": (
        mofcom.UNIT,
        {"since": date(2025, 1, 1), "page_parameter": "pageNo"},
        lambda: mofcom.Mofcom({mofcom.LIST: [mofcom.rare_earths(), mofcom.act(3, "2025-04-01")]}),
    ),
    "notices": (
        mofcom.LIST,
        {"language": "zh", "item": "li", "days": "%Y-%m-%d", "since": date(2025, 1, 1)},
        lambda: mofcom.Mofcom({mofcom.LIST: [mofcom.act(3, "2025-04-01")]}),
    ),
    "usgs-sciencebase": (
        f"{usgs.ITEMS}?parentId={usgs.FOLDER}",
        {"since_edition": 2025},
        lambda: usgs.ScienceBase(
            [
                usgs.CatalogueItem(
                    "a", "Mineral Commodity Summaries 2025", {"MCS2025.csv": usgs.WORLD_2025}
                )
            ]
        ),
    ),
    "bgs-ogc": (
        bgs.ITEMS,
        {"commodities": ["bauxite"], "page_size": 2},
        lambda: bgs.Bgs(*bgs.figures("bauxite", 3)),
    ),
    "page": ("/", {"selector": "main"}, lambda: Publisher({"/": Page(HTML)})),
}
TEXTS = ["", " ", "x", "[x", "\x00", "\ud800", "2026-02-30", "镓" * 300]
VALUES = st.sampled_from([*TEXTS, None, True, -1, 0, 1.5, 10**30, [], [[]], {}])
PIECES = st.sampled_from(
    [
        b"",
        b"<",
        b">",
        b"&",
        b'"',
        b"\x00",
        b"\xff",
        b"]]>",
        b"//[x",
        b"&#0;",
        b"&#x110000;",
        b"<a>",
        b"0",
    ]
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Yield the paths in a JSON document."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    return [path, *(deeper for key, part in parts for deeper in paths(part, (*path, key)))]


def with_value(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a JSON document with one value replaced."""
    if not path:
        return value
    key, *rest = path
    copy = document.copy()
    copy[key] = with_value(document[key], tuple(rest), value)
    return copy


def answers_of(publisher: Publisher) -> Callable[[Request], Response | TrackerError]:
    """Return a publisher's responses, which refuse a non-number where a number is required."""
    answer = driven_by(publisher)

    def answered(request: Request) -> Response | TrackerError:
        try:
            return answer(request)
        except ValueError:
            return failed(request, status=400)

    return answered


@pytest.mark.parametrize("name", PLAYED)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_answer_makes_an_adapter_fall_over(name: str, data: st.DataObject) -> None:
    path, given_options, play = PLAYED[name]
    publisher = play()

    def spoil(asked: Asked, page: Page) -> Page:
        content = page.content
        if content.startswith(b"{") and data.draw(st.booleans()):
            document = json.loads(content)
            place = data.draw(st.sampled_from(paths(document)))
            content = json.dumps(with_value(document, place, data.draw(VALUES))).encode()
        else:
            start = data.draw(st.integers(0, len(content)))
            end = min(len(content), start + data.draw(st.integers(0, 40)))
            content = content[:start] + data.draw(PIECES) + content[end:]
        return replace(page, content=content)

    publisher.fail("*", spoil)
    adapter = adapter_named(name.partition(" ")[0])
    source = source_of(adapter, f"https://x.example{path}", given_options)
    cursor = None
    for day in (1, 2):
        driven = drive(
            adapter,
            source,
            answers_of(publisher),
            cursor=cursor,
            today=date(2026, 3, day),
            may_fail=True,
        )
        if driven.failure:
            assert isinstance(driven.failure, NotUnderstood | FetchFailed)
            assert driven.failure.message
        else:
            cursor = driven.cursor
