"""The overview equals the API, states its coverage, and shows no current data on pinned pages."""

import re
from collections import Counter
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest

from schema.pages.overview.restrictions_map import issuers, map_values
from schema.pages.overview.status_changes import change_lines, days_of_changes
from schema.pages.site.address import Address
from schema.services import Services
from tests.support.api import Api

PINNED = "/?valid=2026-11-26&position=11755"
COUNTS = """query ($day: Day, $at: Position) { asOf(validAt: $day, position: $at) {
  all: clauseCounts(groupBy: [], status: IN_FORCE) { clauses controls }
  issuers: clauseCounts(groupBy: [ISSUER], status: IN_FORCE) { issuer { code name } clauses }
  support: clauseCounts(groupBy: [ISSUER, CONFIRMATION], status: IN_FORCE) {
    issuer { code name } confirmation clauses }
  statuses: clauseCounts(groupBy: [STATUS]) { status clauses }
  toward: clauseCounts(groupBy: [ISSUER], status: IN_FORCE, destination: "JP") {
    issuer { code name } clauses } } }"""


def plain(text: str) -> str:
    """Return a text with plain spaces."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


async def page(api: Api, path: str) -> str:
    """Return the HTML of a page, with plain spaces."""
    answer = await api.request("GET", path)
    assert answer.status_code == 200, answer.text
    return plain(answer.text)


def titles(html: str) -> set[str]:
    """Return the titles of the map's shapes."""
    return set(re.findall(r"<title>([^<]*)</title><(?:path|circle)", html))


def unconfirmed_by_issuer(counts: dict[str, Any]) -> Counter[str]:
    """Return the unconfirmed clauses in force, by issuer name."""
    found = Counter[str]()
    for row in counts["support"]:
        if row["confirmation"] != "CONFIRMED":
            found[row["issuer"]["name"]] += row["clauses"]
    return found


async def test_the_headline_is_the_numbers_of_the_api(corpus: Api) -> None:
    html = await page(corpus, PINNED)
    counts = (await corpus.ask(COUNTS, day="2026-11-26", at="11755"))["asOf"]
    every, codes = counts["all"][0], {row["issuer"]["code"] for row in counts["issuers"]}
    unconfirmed = sum(unconfirmed_by_issuer(counts).values())
    assert unconfirmed > 0
    assert "EU" in codes
    assert (
        f"<h1>{every['controls']} measures on critical minerals are recorded as in force</h1>\n"
        f'<p class="lead">{len(codes) - 1} governments and the European Union issued them:'
        f" {every['clauses']} clauses, {unconfirmed} not confirmed. China issued the most ("
    ) in html
    for row in counts["statuses"]:
        assert re.search(
            rf'status={row["status"]}&amp;.*?<data value="{row["clauses"]}" data-path="asOf.byStatus',
            html,
            re.DOTALL,
        )


@pytest.mark.parametrize(
    "path",
    ["/?", "/controls?commodity=gallium&", "/places?", "/commodities?", "/search?q=gallium&"],
)
async def test_numbers_in_force_say_which_are_confirmed_only_before_the_date(
    corpus: Api, path: str
) -> None:
    """The shipped log has no record after 1 December 2026."""
    later, earlier = [await page(corpus, f"{path}valid=2026-12-{day}") for day in ("03", "01")]
    words = r"in force, as recorded" if "search" in path else r"\d as recorded before this date"
    assert re.search(words, later)
    assert not re.search(words, earlier)


async def test_topics_have_the_numbers_of_the_api(corpus: Api) -> None:
    html = await page(corpus, PINNED)
    question = """{ asOf(validAt: "2026-11-26", position: "11755") {
      alliances(first: 0) { totalCount }
      recent(days: 30, first: 0, kind: EXPORT_CONTROL) { totalCount }
      production(commodity: "rare_earths") { figures { place { code } share } }
      reliance(importer: "US") { lines {
        commodity { key } points { year claim { value qualifier } } } } } }"""
    state = (await corpus.ask(question))["asOf"]
    newest = [(one["commodity"]["key"], one["points"][-1]) for one in state["reliance"]["lines"]]
    year = max(point["year"] for _, point in newest)
    claims = {(key, *point["claim"].values()) for key, point in newest if point["year"] == year}
    whole = {key for key, value, qualifier in claims if (value, qualifier) == ("100", None)}
    assert 5 < len(whole) < len(newest)
    [china] = [f["share"] for f in state["production"]["figures"] if f["place"]["code"] == "CN"]
    topics = dict(re.findall(r'<dt><a href="[^"]*">([^<]*)</a></dt><dd>([^<]*)<small>', html))
    assert topics == {
        "Dependence": str(len(whole)),
        "Production": f"{float(china) * 100:.1f} %",
        "Alliances": str(state["alliances"]["totalCount"]),
        "Last 30 days": str(state["recent"]["totalCount"]),
    }


async def test_the_map_says_of_each_issuer_how_many_clauses_are_in_force(corpus: Api) -> None:
    html = await page(corpus, PINNED)
    counts = (await corpus.ask(COUNTS, day="2026-11-26", at="11755"))["asOf"]
    shown, unconfirmed = titles(html), unconfirmed_by_issuer(counts)
    for row in counts["issuers"]:
        name = row["issuer"]["name"]
        if row["issuer"]["code"] != "EU":
            clauses = "1 clause" if row["clauses"] == 1 else f"{row['clauses']} clauses"
            of_these = f", of these {unconfirmed[name]} not confirmed" if unconfirmed[name] else ""
            assert f"{name}: {clauses} in force{of_these}" in shown
    [of_union] = [row["clauses"] for row in counts["issuers"] if row["issuer"]["code"] == "EU"]
    as_member = f"{of_union} clauses in force as a member of the European Union"
    as_member += f", of these {unconfirmed['European Union']} not confirmed"
    members = {title for title in shown if title.endswith(as_member)}
    assert len(members) == 27
    assert f"Malta: {as_member}" in members
    assert re.search(r"Russia: \d+ clauses? in force", "\n".join(shown))


async def test_toward_a_place_only_clauses_that_reach_it_count(corpus: Api) -> None:
    html = await page(corpus, f"{PINNED}&map=toward&toward=JP")
    counts = (await corpus.ask(COUNTS, day="2026-11-26", at="11755"))["asOf"]
    [china] = [row["clauses"] for row in counts["toward"] if row["issuer"]["code"] == "CN"]
    assert any(title.startswith(f"China: {china} clauses in force, of") for title in titles(html))
    assert "clauses recorded as in force on goods for Japan" in html
    assert '<option value="JP" selected>' in html


async def test_shares_are_those_of_the_latest_year(corpus: Api) -> None:
    html = await page(corpus, f"{PINNED}&map=share&commodity=cobalt")
    question = """{ asOf(validAt: "2026-11-26", position: "11755") {
      production(commodity: "cobalt") { year figures { place { code name } share estimated } } } }"""
    production = (await corpus.ask(question))["asOf"]["production"]
    congo = production["figures"][0]
    assert congo["place"]["code"] == "CD"
    told = f"{float(congo['share']) * 100:.1f} % of the world"
    assert any(title.startswith(f"DR Congo: {told}") for title in titles(html))
    assert f"{production['year']}, mine" in html
    assert f'<data value="{congo["share"]}" data-path="asOf.production.figures.0.share">' in html


async def test_the_newest_act_and_what_is_not_confirmed_stand_above_all(corpus: Api) -> None:
    html = await page(corpus, PINNED)
    question = """{ asOf(validAt: "2026-11-26", position: "11755") {
      horizons { nodes { kind newestFactOn } }
      exportControls(status: IN_FORCE, first: 200) { nodes {
        clauses(status: IN_FORCE) { confirmation } } } } }"""
    found = (await corpus.ask(question))["asOf"]
    newest = max(
        one["newestFactOn"]
        for one in found["horizons"]["nodes"]
        if one["kind"] not in ("FIGURE", "FIRM")
    )
    reach = html[html.index('id="reach"') : html.index('class="strip"')]
    assert f'<time datetime="{newest}">' in reach
    by_terms = [
        clause["confirmation"]
        for of in found["exportControls"]["nodes"]
        for clause in of["clauses"]
    ].count("BY_TERMS")
    assert by_terms
    assert f"{by_terms} clauses</a> are in force by their own terms, not confirmed" in reach
    earlier = await page(corpus, "/?valid=2020-01-01&position=11755")
    assert "Some issuers have no recorded act for longer" in earlier
    then = (await corpus.ask(question.replace("2026-11-26", "2020-01-01")))["asOf"]
    unconfirmed = sum(
        clause["confirmation"] == "BY_TERMS"
        for of in then["exportControls"]["nodes"]
        for clause in of["clauses"]
    )
    reach = earlier[earlier.index('id="reach"') : earlier.index('class="strip"')]
    assert f">{unconfirmed} clause" in reach


async def test_a_turn_behind_the_facts_of_its_issuer_has_the_chip(corpus: Api) -> None:
    html = await page(corpus, PINNED)
    lately = html[html.index('id="lately"') : html.index('id="newest"')]
    assert "Export controls on five more medium and heavy rare earths" in lately
    assert "by its own terms, not confirmed" in lately
    earlier = await page(corpus, "/?valid=2025-11-20&position=11755")
    lately = earlier[earlier.index('id="lately"') : earlier.index('id="newest"')]
    recent = """{ asOf(validAt: "2025-11-20", position: 11755) {
      recent(days: 30, first: 60, kind: EXPORT_CONTROL) { nodes {
        confirmation after { ... on ExportControl { title } } } } } }"""
    confirmations: dict[str, set[str]] = {}
    for one in (await corpus.ask(recent))["asOf"]["recent"]["nodes"]:
        confirmation = one["confirmation"] or "CONFIRMED"
        confirmations.setdefault(plain(one["after"]["title"]), set()).add(confirmation)
    items = [unescape(item) for item in lately.split("<li>")[1:]]
    chip, chips = "by its own terms, not confirmed", set[bool]()
    for title, of in confirmations.items():
        marked = {chip in item for item in items if f">{title}<" in item}
        assert marked == {confirmation == "BY_TERMS" for confirmation in of}, title
        chips |= marked
    assert chips == {True, False}


async def test_a_pinned_page_has_no_live_list_and_only_events_up_to_it(corpus: Api) -> None:
    pinned, live = await page(corpus, PINNED), await page(corpus, "/")
    assert "live.js" not in pinned
    assert "data-live" not in pinned
    assert re.findall(r'<li data-position="(\d+)"', pinned) == [str(11755 - n) for n in range(8)]
    assert 'data-live="/events?types=' in live
    head = (await corpus.ask("{ head }"))["head"]
    assert f'data-after="{head}"' in live


async def test_a_log_without_facts_says_so(services: Services) -> None:
    html = await page(Api(services), "/")
    assert 'href="/index.ics"' in html
    assert "<h1>No list was read. No clause on critical minerals in force is recorded</h1>" in html
    assert "No act is recorded at this position." in html
    assert "No recorded change in these days." in html


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("map=globe", "expected one of in-force, toward, share"),
        ("map=toward&toward=XX", "is not a place"),
        ("map=share&commodity=gravel", "gravel"),
    ],
)
async def test_values_that_the_map_cannot_show_are_refused(
    corpus: Api, query: str, says: str
) -> None:
    answer = await corpus.request("GET", f"/?{query}")
    assert answer.status_code == 400
    assert says in answer.text


async def test_the_overview_is_data_too(corpus: Api) -> None:
    answer = (await corpus.request("GET", PINNED.replace("/?", "/index.json?"))).json()
    assert answer["data"]["asOf"]["position"] == "11755"
    table = await corpus.request("GET", PINNED.replace("/?", "/index.csv?") + "&map=share")
    assert table.status_code == 200
    assert "IN_FORCE" in table.text


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/index.svg?", r"China issued \d+ of \d+ clauses recorded as in force"),
        (
            "/index.svg?map=toward&toward=JP&",
            r"China issued \d+ of \d+ clauses recorded as in force on goods for Japan",
        ),
        (
            "/index.svg?map=share&commodity=cobalt&",
            r"[\d.]+ % of the world’s mine production of cobalt in 2024 was that of DR Congo,.*",
        ),
        ("/places.svg?", r"China issued \d+ of \d+ clauses recorded as in force"),
    ],
)
async def test_the_map_is_an_image_that_stands_alone(corpus: Api, path: str, title: str) -> None:
    answer = await corpus.request("GET", path + PINNED.removeprefix("/?"))
    assert answer.status_code == 200
    image = ElementTree.fromstring(answer.text)
    whole = image.find("{http://www.w3.org/2000/svg}title")
    assert whole is not None
    assert re.fullmatch(title, plain(whole.text or ""))
    texts = [str(one.text) for one in image.iter("{http://www.w3.org/2000/svg}text")]
    assert any("s of 26 Nov 2026, as recorded at position 11,755." in plain(one) for one in texts)
    assert "var(" not in answer.text, "no style sheet reaches it"
    fills = {one.get("fill") for one in image.iter("{http://www.w3.org/2000/svg}path")}
    assert {"none", "#eceae4"} < fills
    assert len(fills) > 4


def count(code: str, status: str, clauses: int, confirmation: str = "CONFIRMED") -> dict[str, Any]:
    """Return a group of clauses."""
    return {
        "issuer": {"code": code, "name": code},
        "status": status,
        "confirmation": confirmation,
        "clauses": clauses,
    }


def test_clauses_of_a_union_count_with_those_of_its_members() -> None:
    union = {"place": {"code": "EU", "name": "Union"}, "members": [{"code": "DE", "name": "DE"}]}
    rows = [count("EU", "IN_FORCE", 2), count("DE", "IN_FORCE", 1), count("EU", "EXPIRED", 4)]
    found = issuers(rows, [union])
    values = map_values(found, Address("/"))
    assert plain(values["DE"].title) == "DE: 3 clauses in force, 2 as a member of the Union"
    assert set(values) == {"DE"}, "the union has no place of its own on the map"


def test_a_union_with_nothing_in_force_colours_nobody() -> None:
    union = {"place": {"code": "EU", "name": "Union"}, "members": [{"code": "DE", "name": "DE"}]}
    assert map_values(issuers([count("EU", "EXPIRED", 4)], [union]), Address("/")) == {}


def test_a_place_with_nothing_confirmed_in_force_is_hatched() -> None:
    union = {"place": {"code": "EU", "name": "Union"}, "members": [{"code": "DE", "name": "DE"}]}
    rows = [
        count("CN", "IN_FORCE", 2),
        count("CN", "IN_FORCE", 3, "BY_TERMS"),
        count("CD", "IN_FORCE", 4, "BY_TERMS"),
        count("CD", "IN_FORCE", 1, "CONTRADICTED"),
        count("EU", "IN_FORCE", 1, "BY_TERMS"),
    ]
    values = map_values(issuers(rows, [union]), Address("/"))
    assert (values["CN"].step, values["CD"].step, values["DE"].step) == (3, None, None)
    assert plain(values["CN"].title) == "CN: 5 clauses in force, of these 3 not confirmed"
    assert plain(values["CD"].title) == "CD: 5 clauses in force, of these 5 not confirmed"
    assert plain(values["DE"].title) == (
        "DE: 1 clause in force as a member of the Union, of these 1 not confirmed"
    )


def test_a_place_with_nothing_in_force_is_hatched() -> None:
    values = map_values(issuers([count("RU", "EXPIRED", 3)], []), Address("/"))
    assert values["RU"].step is None
    assert values["RU"].title == "RU: none in force; 3 over"


def transition(clause: str, **changed: Any) -> dict[str, Any]:
    """Return a clause that returns."""
    return {
        "day": "2026-11-28",
        "entity": "export-control/a",
        "transition": "RETURNS",
        "clause": clause,
        "member": None,
        "basis": "TERMS",
        "confirmation": "BY_TERMS",
        "summary": "A sentence.",
        "fields": [
            {"path": ["clauses", clause, "status"], "before": "suspended", "after": "in_force"}
        ],
        "after": {
            "title": "A ban",
            "issuer": {"code": "CN", "name": "China"},
            "clauses": [{"key": "1", "measure": "BAN"}, {"key": "2", "measure": "BAN"}],
        },
        **changed,
    }


def test_clauses_that_turn_alike_are_one_line() -> None:
    [line] = change_lines([transition("1"), transition("2")])
    assert (line.clauses, line.confirmation) == (2, "BY_TERMS")
    assert plain(line.detail) == "suspended → in force, 2 clauses"
    assert (line.verb, line.title, line.hue) == ("returns", "A ban", "ban")


def test_clauses_that_are_supported_otherwise_are_lines_of_their_own() -> None:
    lines = change_lines([transition("1"), transition("2", confirmation="CONTRADICTED")])
    assert [line.confirmation for line in lines] == ["BY_TERMS", "CONTRADICTED"]


def test_a_day_shows_five_lines_and_how_many_are_left_out() -> None:
    lines = change_lines([transition("1", entity=f"export-control/{n}") for n in range(7)])
    [day] = days_of_changes(lines)
    assert (len(day.lines), day.more) == (5, 2)
