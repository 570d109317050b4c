"""Publishers: authorship of a text, and its consequences for a source."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import source
from tracker.domain.basics.codec import encode, from_builtins
from tracker.domain.catalogue.places import Actor
from tracker.domain.catalogue.publishers import is_authoritative, publishers, publishers_at
from tracker.domain.entities.fact import Source

POLICY = Path(__file__).parents[2].parent / "shared/data/policy/policy.jsonl"
needs_data = pytest.mark.skipif(not POLICY.exists(), reason="../shared/data is not here")

AT_HOME = "https://www.mofcom.gov.cn/article/2024.html"
LAW_FIRM = "https://www.gvw.com/en/news"


@each_case(
    ("publisher", "url", "data_file", "primary"),
    [
        ("mofcom", AT_HOME, False, True),
        ("mofcom", "https://MOFCOM.gov.cn:443/", False, True),
        ("mofcom", LAW_FIRM, False, False),
        ("mofcom", "https://notmofcom.gov.cn/", False, False),
        ("mofcom", "https://mofcom.gov.cn.example.org/", False, False),
        ("mofcom", None, False, False),
        ("mofcom", "", False, False),
        ("mofcom", "http://[", False, False),
        ("usgs", None, True, True),
        ("gvw", LAW_FIRM, False, False),
        ("global-trade-alert", "https://globaltradealert.org/intervention/1", True, False),
        ("nobody", "https://nobody.example/", True, False),
    ],
)
def test_a_text_is_an_authoritys_own_at_its_address_or_in_its_data(
    publisher: str, url: str | None, data_file: bool, primary: bool
) -> None:
    assert is_authoritative(publisher, url, data_file=data_file) is primary


@each_case(
    ("fields", "primary", "verified"),
    [
        ({"url": AT_HOME, "checked": "page"}, True, True),
        ({"url": AT_HOME, "checked": "memory"}, True, False),
        ({"url": AT_HOME, "checked": "seed"}, True, False),
        ({"url": LAW_FIRM, "checked": "page"}, False, False),
        ({"url": LAW_FIRM, "checked": "page", "primary": True}, True, True),
        ({"url": AT_HOME, "checked": "page", "primary": False}, False, False),
        ({"publisher": "usgs", "checked": "data_file"}, True, True),
    ],
)
def test_a_source_is_verified_when_the_issuers_own_text_was_read(
    fields: dict[str, Any], primary: bool, verified: bool
) -> None:
    given = from_builtins(Source, source() | fields)
    assert (given.is_primary, given.verified) == (primary, verified)


def test_a_source_that_says_nothing_of_it_is_written_as_before() -> None:
    assert b"primary" not in encode(from_builtins(Source, source()))


def test_the_publisher_of_an_address_follows_from_its_host() -> None:
    assert [one.id for one in publishers_at("https://news.metal.com/newscontent/1")] == ["smm"]
    assert publishers_at("https://nobody.example/") == ()


def test_every_declared_publisher_has_an_id_a_name_and_plain_domains() -> None:
    for id, one in publishers().items():
        assert from_builtins(Source, source(publisher=id)).publisher == id
        assert one.name
        assert all(domain == domain.lower().strip("./ ") for domain in one.domains), id


def test_an_authority_speaks_for_a_place_or_an_alliance() -> None:
    authorities = [one for one in publishers().values() if one.is_authority]
    assert {"mofcom", "usgs", "federal-register", "quad"} <= {one.id for one in authorities}
    for one in authorities:
        assert [Actor(name) for name in one.authority_of], one.id
        assert one.domains, one.id


def sources_in(value: Any) -> list[dict[str, Any]]:
    """Yield every source in plain data."""
    if isinstance(value, list):
        return [found for each in value for found in sources_in(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if {"publisher", "publishedOn"} <= value.keys() else []
    return own + [found for each in value.values() for found in sources_in(each)]


@needs_data
def test_every_publisher_and_every_address_of_the_researched_policy_is_declared() -> None:
    for line in POLICY.read_text("utf-8").splitlines():
        for one in sources_in(json.loads(line)):
            assert one["publisher"] in publishers(), one
            if url := one.get("url"):
                assert publishers_at(url), urlsplit(url).hostname
