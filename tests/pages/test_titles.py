"""Titles and first lines: shorter than the acts, never wider, with the next step."""

import re
from itertools import product
from typing import Any

import pytest

from schema.pages.controls.rule_words import subject
from tests.pages.test_reading_pages import read
from tests.support.api import Api
from tracker.domain.catalogue.commodities import Commodity

SCOPES = """{ asOf(validAt: "2026-12-01") { exportControls(direction: %s, first: 200) { totalCount nodes {
  key title direction issuer { name }
  clauses {
    measure covers forms itemsComplete endUse entities entityCount exporters territory exemptions
    exemptPreferences commodities { key name } destinations { name } origins { name }
    items { name forms } exemptItems { name } exceptions { exempt } partialSuspensions { entities }
  }
} } } }"""
ANY = "any"
"""A claim without a limit."""

Clause = dict[str, Any]


def claimed(title: str, words: set[str]) -> set[str]:
    """Return the limits that a title names, or `ANY` if it names none."""
    named = {
        one for one in words if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", title, re.IGNORECASE)
    }
    return named or {ANY}


def forms_of(clause: Clause) -> set[str]:
    """Return the forms of a clause in words; none if its goods have no others."""
    items = [set(one["forms"]) for one in clause["items"]]
    forms = set(clause["forms"]) or (set.union(*items) if items and all(items) else set())
    possible = {form.name for one in clause["commodities"] for form in Commodity(one["key"]).forms}
    return set() if possible and possible <= forms else {one.lower() for one in forms}


def places_of(clause: Clause) -> set[str]:
    return {one["name"] for one in (*clause["destinations"], *clause["origins"])}


def is_complete(clause: Clause) -> bool:
    """Return whether a clause has no limits but its measure, goods, forms, places, firms and use."""
    exporters = clause["exporters"] and clause["measure"] != "STATE_TRADING"
    partly = clause["items"] and not clause["itemsComplete"]
    exempt = any(one["exempt"] for one in clause["exceptions"])
    others = ("exemptItems", "exemptions", "exemptPreferences", "partialSuspensions")
    limited = any(clause[name] for name in others) or clause["territory"] == "ONLY_ABROAD"
    return not (exporters or partly or exempt or limited)


def uncovered_claims(title: str, clauses: list[Clause]) -> list[tuple[str, ...]]:
    """Return the combinations of measure, goods, form, place, use and firms that a title claims and that
    no clause covers. A title with `certain` claims none as a whole."""
    if " certain " in title:
        return []
    firms = {f"{len(one['entities'])} listed" for one in clauses} | {"listed firm"}
    firms |= {name for one in clauses for name in one["entities"]}
    places = {place for one in clauses for place in places_of(one)}
    of_all = {ANY} if f" {len(places)} places" in title else set[str]()
    combined = product(
        {one["measure"] for one in clauses},
        claimed(title, {good["name"] for one in clauses for good in one["commodities"]}),
        claimed(title, {form for one in clauses for form in forms_of(one)}),
        {ANY} if re.search(r"\d places", title) else claimed(title, places),
        claimed(title, {one["endUse"] for one in clauses if one["endUse"]}),
        {ANY} if claimed(title.replace("\N{NO-BREAK SPACE}", " "), firms) == {ANY} else {"firms"},
        {one["covers"] for one in clauses},
    )

    def covers(clause: Clause, claim: tuple[str, ...]) -> bool:
        measure, good, form, place, use, firm, kind = claim
        goods = {one["name"] for one in clause["commodities"]}
        return (
            is_complete(clause)
            and (measure, kind) == (clause["measure"], clause["covers"])
            and good in goods
            and form in (forms_of(clause) or {ANY, form})
            and place in (places_of(clause) or {ANY, place}) | of_all
            and use == (clause["endUse"] or use)
            and (firm != ANY or not (clause["entities"] or clause["entityCount"]))
        )

    return [claim for claim in combined if not any(covers(one, claim) for one in clauses)]


async def test_no_title_of_a_recorded_instrument_is_wider_than_its_clauses(corpus: Api) -> None:
    controls = list[Any]()
    for direction in ("EXPORT", "IMPORT"):
        found = (await corpus.ask(SCOPES % direction))["asOf"]["exportControls"]
        assert len(found["nodes"]) == found["totalCount"] > 40
        controls += found["nodes"]
    titles = {one["key"]: subject(one) for one in controls if one["clauses"]}
    wider = {
        one["key"]: (titles[one["key"]], claims[:3])
        for one in controls
        if one["clauses"] and (claims := uncovered_claims(titles[one["key"]], one["clauses"]))
    }
    assert wider == {}
    plain = [
        one["key"]
        for one in controls
        if len(one["clauses"]) == 1 and is_complete(one["clauses"][0])
    ]
    assert len(plain) > 50
    assert [key for key in plain if " certain " in titles[key]] == []


def test_a_wider_title_is_found() -> None:
    clause = {
        **dict.fromkeys(("items", "exemptItems", "exceptions", "exporters", "origins"), ()),
        **dict.fromkeys(("exemptPreferences", "partialSuspensions"), ()),
        **dict.fromkeys(("exemptions", "entityCount")),
        **{"measure": "BAN", "covers": "GOODS", "itemsComplete": False, "territory": "HOME"},
        **{"forms": ["ORE"], "endUse": None, "entities": ["A", "B"]},
        "commodities": [{"key": "nickel", "name": "Nickel"}],
        "destinations": [{"name": "Japan"}],
    }
    whole = "Indonesia’s ban on exports of nickel as ore to 2 listed firms in Japan"
    assert uncovered_claims(whole, [clause]) == []
    for words in (" as ore", " in Japan", " to 2 listed firms"):
        assert uncovered_claims(whole.replace(words, ""), [clause]), words
    assert uncovered_claims(whole, [{**clause, "exemptions": "samples"}])
    assert uncovered_claims(whole, [{**clause, "endUse": "arms"}])


@pytest.mark.parametrize(
    ("key", "title"),
    [
        (
            "cn-mofcom-2026-28",
            "China’s ban on exports of dual-use items to 20 listed firms in Japan",
        ),
        (
            "cd-2025-artisanal",
            "DR Congo’s ban on certain production of copper and cobalt is in force",
        ),
        (
            "id-2019-nickel",
            "Indonesia’s ban on exports of nickel as concentrate or ore is in force",
        ),
        (
            "cn-mofcom-2026-1",
            "China’s ban on certain exports of dual-use items to Japan for military",
        ),
    ],
)
async def test_a_control_begins_with_its_scope_and_status(
    corpus: Api, key: str, title: str
) -> None:
    text = (await read(corpus, f"/controls/{key}?valid=2026-12-01")).replace("\xa0", " ")
    assert title in text
    assert text.index(title) < text.index("Next: ") < text.index("Clause status")


async def test_a_page_names_the_number_of_an_act_whose_key_has_another_one(corpus: Api) -> None:
    text = await read(corpus, "/controls/cn-mofcom-2026-28?valid=2026-12-01")
    assert "MOFCOM Announcement 2026 No. 27" in text[: text.index("Next: ")]
    assert "This is Announcement No. 27 of 2026; the key of this record says 28" in text


async def test_a_measure_that_its_issuer_denies_is_called_reported_and_denied(corpus: Api) -> None:
    html = (await corpus.request("GET", "/controls/cn-2010-japan-halt?valid=2010-10-01")).text
    title = "China’s reported, officially denied ban on exports of rare earths to Japan"
    assert f"<h1>{title}" in html
    assert f'<meta property="og:title" content="{title}' in html


async def test_the_next_step_is_that_of_the_strongest_clause_in_force(corpus: Api) -> None:
    """Investigations of silicon metal stand before the duty that followed them."""
    text = await read(corpus, "/controls/us-silicon-metal-cvd-2025?valid=2026-12-01")
    assert "Next: add the duty to your costs." in text.replace("\xa0", " ")
    assert "no measure applies yet" not in text


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (
            "/check?commodity=gallium&form=METAL&origin=CN&destination=DE",
            r"Certainly: The exporter needs a dual-use licence .*? Next: apply for the licence .*?"
            r" Unknown: .*? Possibly: 2 rules on listed firms apply if conditions are met \(prohibited\)\.",
        ),
        (
            "/check?commodity=gallium&form=METAL&origin=CN&destination=US",
            r"(Not confirmed: The|Contradicted: By its .*? the) export is prohibited .*? Next: do not ship",
        ),
        (
            "/commodities/nickel",
            r"Indonesia: Ban on exports as concentrate or ore to every destination\."
            r" In force since 1 January 2020\. Next: do not ship",
        ),
        (
            "/places/CN",
            r"Before you trade with China, check its rules \(.*? clauses of China are in force, of",
        ),
    ],
)
async def test_the_first_line_has_status_scope_and_next_step(
    corpus: Api, path: str, line: str
) -> None:
    joint = "&" if "?" in path else "?"
    text = (await read(corpus, f"{path}{joint}valid=2026-12-01")).replace("\xa0", " ")
    assert re.search(line, text), text[:1500]
    assert "Strongest possible rule" not in text
    assert "Does an exemption apply: All" not in text
