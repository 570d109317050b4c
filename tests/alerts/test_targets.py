"""Targets of alerts: addresses, accepted filters, and titles in plain English."""

import re

import pytest

from schema.pages.alerts.targets import parse_target
from schema.pages.registry import PAGES
from tests.support.cases import each_case
from tests.support.checkout import ROOT
from tracker.alerts.subscription import MAX_TARGET_CHARACTERS
from tracker.errors import InvalidInput


@each_case(
    ("text", "target"),
    [
        ("/changes?from=2020-01-01&fromPosition=5&commodity=gallium", "/changes?commodity=gallium"),
        ("/upcoming?days=30", "/upcoming"),
        ("/commodities/gallium?valid=2020-01-01&position=7&year=2024", "/commodities/gallium"),
        ("/events?entity=alliance/quad&before=9", "/events?entity=alliance%2Fquad"),
        ("/controls?rows=clause&issuer=China", "/controls?issuer=CN"),
    ],
)
def test_a_target_has_no_moment_and_no_parameter_that_selects_nothing(
    text: str, target: str
) -> None:
    assert str(parse_target(text)) == target
    assert str(parse_target(target)) == target


@each_case(
    ("text", "title"),
    [
        ("/changes?from=2020-01-01&fromPosition=5&commodity=gallium", "Changes (Gallium)"),
        ("/changes?kind=EXPORT_CONTROL", "Changes (export control)"),
        ("/search?q=cobalt&kinds=EXPORT_CONTROL", 'Search on this site ("cobalt", export control)'),
        ("/upcoming?days=30", "Upcoming changes"),
        ("/controls?hsCode=28053010", "Export and import controls (HS 28053010)"),
        ("/events?types=ExportControl.Announced", "Events of the log (export control announced)"),
        ("/commodities/rare_earths", "Rare earths"),
        ("/places/CN", "China"),
    ],
)  # fmt: skip
def test_a_title_has_no_moment_and_no_machine_words(text: str, title: str) -> None:
    assert parse_target(text).title == title


@each_case(
    "text",
    [
        "https://minerals.example.com/controls?commodity=gallium",
        "HTTPS://Minerals.Example.com/controls?commodity=gallium#top",
        " /controls?commodity=gallium ",
    ],
)
def test_the_whole_address_of_a_page_of_this_site_is_a_target(text: str) -> None:
    target = parse_target(text, ["https://minerals.example.com"])
    assert str(target) == "/controls?commodity=gallium"


def test_the_address_of_this_site_alone_is_the_overview() -> None:
    assert str(parse_target("https://a.example", ["https://a.example"])) == "/"


@each_case(
    ("text", "message"),
    [
        ("https://elsewhere.example/controls", "path and query of a page of this site"),
        ("//elsewhere.example/controls", "path and query of a page of this site"),
        ("//[", "path and query of a page of this site"),
        ("//[/controls", "path and query of a page of this site"),
        ("/search?q=" + "x" * MAX_TARGET_CHARACTERS, "at most 500 characters"),
        ("/search?q=" + "镓" * 100, "at most 500 characters"),
        ("/controls?status=IN_FORCE", "accept commodity, hsCode and issuer"),
        ("/figures?statistic=PRODUCTION", "accept commodity and place"),
        ("/announcements?kind=PROJECT", "accept actor and commodity"),
        ("/alliances?status=ACTIVE", "accept member"),
        ("/search?q=x&fo=1", "'fo' is not a parameter"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_accepted(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(message)) as caught:
        parse_target(text, ["https://minerals.example.com"])
    assert caught.value.path[0] == "target"
    assert "feed" not in caught.value.message


def test_the_documentation_lists_the_filters_of_all_pages() -> None:
    text = (ROOT / "docs/operating/mail.md").read_text("utf-8")
    rows = re.findall(r"^\| ((?:`/[^`]*`(?:, )?)+) \| (.*) \|$", text, re.MULTILINE)
    listed = {
        path: set(re.findall(r"`(\w+)`", filters))
        for paths, filters in rows
        for path in re.findall(r"`([^`]+)`", paths)
    }
    accepted = {
        page.path.replace(":path}", "}"): set(page.feed.filters) for page in PAGES if page.feed
    }
    in_path = {path: set(re.findall(r"{(\w+)}", path)) for path in accepted}
    assert listed == {path: names - in_path[path] for path, names in accepted.items()}
