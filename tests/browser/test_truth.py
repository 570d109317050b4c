"""Numbers on pages equal those of the API, at random addresses.

A page marks its numbers (`<data value data-path>`). They are compared with the API's response to the
query that the page links to («Query»). That query must be for the moment and the entity of the address.
"""

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.support.site import Site
from tests.support.time_limits import within

PAGES = 60
MIN_NUMBERS = 500
MAX_MISSING = PAGES // 2
"""Addresses at which there is nothing: an entity that was not known at a position."""
FIRST_DAY, DAYS = date(2010, 1, 1), 6500
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
MULTIPLES = {"million": 10**6, "billion": 10**9, "thousand": 10**3}
KEYS = """{ asOf {
  controls: exportControls(first: 200) { nodes { key } }
  alliances(first: 200) { nodes { key } }
  announcements(first: 200) { nodes { key } }
} places: asOf { exportControls(first: 200) { nodes { issuer { code } } } } head }"""


@dataclass
class Number:
    """A number on a page."""

    path: str
    value: str
    text: str = ""


class Numbers(HTMLParser):
    """The numbers of a page and its query."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[Number] = []
        self.ask = ""
        self._open: Number | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "data" and "data-path" in given:
            self._open = Number(str(given["data-path"]), str(given["value"]))
            self.found.append(self._open)
        elif tag == "a" and (given.get("href") or "").startswith("/graphql?query="):
            self.ask = str(given["href"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "data":
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open.text += data


def says(text: str, value: str) -> bool:
    """Whether a text says a number: as it is, as per cent to its digits, or in millions."""
    if DAY.fullmatch(value):
        day = date.fromisoformat(value)
        return f"{day.day} {day:%b %Y}" in text.replace("\N{NO-BREAK SPACE}", " ")
    for word in NUMBER.findall(text):
        said = Decimal(word.replace(",", ""))
        if said == Decimal(value):
            return True
        unit = Decimal(1).scaleb(int(said.as_tuple().exponent))
        scale = next((many for name, many in MULTIPLES.items() if name in text), 1)
        shares = Decimal(100) if "%" in text else Decimal(scale)
        exact = Decimal(value) * 100 if "%" in text else Decimal(value) / shares
        if abs(exact - said) <= unit / 2:
            return True
    return False


def at(data: Any, path: str) -> Any:
    """Return the value at a path of a response."""
    for part in path.split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


def addresses(site: Site, random: Random) -> list[tuple[str, str, str, str]]:
    """Yield paths, days, positions, and the required variables of the query."""
    data = site.ask(KEYS)
    paths = [
        (f"/{kind}/{node['key']}", node["key"])
        for kind in ("controls", "alliances", "announcements")
        for node in data["asOf"][kind]["nodes"]
    ]
    codes = {node["issuer"]["code"] for node in data["places"]["exportControls"]["nodes"]}
    places = [(f"/places/{code}", code) for code in sorted(codes)]
    figures = [
        (f"/commodities/{key}", key) for key in ("gallium", "rare_earths", "cobalt", "lithium")
    ]
    lists = [(path, "") for path in ("/", "/controls", "/figures", "/announcements", "/alliances")]
    drawn = []
    for _ in range(PAGES):
        path, key = random.choice(random.choice([paths, places, figures, lists]))
        day = FIRST_DAY + timedelta(days=random.randrange(DAYS))
        position = random.randint(1000, int(data["head"]))
        drawn.append((path, str(day), str(position), key))
    return drawn


def test_the_numbers_of_random_pages_are_those_of_the_api(site: Site) -> None:
    numbers = missing = 0
    with httpx2.Client(base_url=site.url, timeout=within(60)) as client:
        for path, day, position, key in addresses(site, Random(17)):
            page = client.get(path, params={"valid": day, "position": position})
            if page.status_code == 404 and key:
                missing += 1
                continue
            assert page.status_code == 200, page.url
            shown = Numbers(page.text)
            asked = parse_qs(urlsplit(shown.ask).query)
            variables = json.loads(asked["variables"][0])
            assert (variables["validAt"], variables["position"]) == (day, position), page.url
            assert not key or key in str(variables), page.url
            data = site.ask(asked["query"][0], variables)
            for number in shown.found:
                true = at(data, number.path)
                assert str(true) == number.value, (str(page.url), number)
                assert says(number.text, number.value), (str(page.url), number)
            numbers += len(shown.found)
    assert missing <= MAX_MISSING
    assert numbers >= MIN_NUMBERS


@pytest.mark.parametrize("day", ["2019-06-01", "2025-10-15", "2026-03-01"])
@pytest.mark.parametrize("position", ["6000", "10755"])
def test_the_totals_of_lists_are_those_of_questions_of_our_own(
    site: Site, day: str, position: str
) -> None:
    data = site.ask(
        "query ($day: Day, $at: Position) { asOf(validAt: $day, position: $at) {"
        " exportControls(first: 0) { totalCount } alliances(first: 0) { totalCount }"
        " announcements(first: 0) { totalCount } } }",
        {"day": day, "at": position},
    )["asOf"]
    for path, name in (
        ("/controls", "exportControls"),
        ("/alliances", "alliances"),
        ("/announcements", "announcements"),
    ):
        page = httpx2.get(
            f"{site.url}{path}", params={"valid": day, "position": position}, timeout=60
        )
        found = [each for each in Numbers(page.text).found if each.path.endswith("totalCount")]
        assert str(data[name]["totalCount"]) in [each.value for each in found], (path, found)


@pytest.mark.parametrize(
    ("text", "value", "is_said"),
    [
        ("1,234 t", "1234", True),
        ("69.2\N{NO-BREAK SPACE}%", "0.69213", True),
        ("69.3 %", "0.69213", False),
        ("1.23 million", "1234567", True),
        ("1,235", "1234", False),
        ("withheld", "1", False),
        ("26\N{NO-BREAK SPACE}Sep\N{NO-BREAK SPACE}2024", "2024-09-26", True),
        ("26 Sep 2024", "2024-09-27", False),
    ],
)
def test_a_number_is_recognised_as_people_write_it(text: str, value: str, is_said: bool) -> None:
    assert says(text, value) is is_said
