"""Announcements, changes, search and the page about this tracker, read as text."""

import re
from html import unescape

import pytest

from tests.support.api import Api


def without_bar(html: str) -> str:
    """Return a page without the bar of its moment and its tools."""
    return re.sub(r'<div class="bar">.*?(?=<div class="body">)', "", html, flags=re.DOTALL)


async def read(api: Api, path: str) -> str:
    """Return the text of a page between its tags, without its bar of tools, with single spaces."""
    answer = await api.request("GET", path)
    assert answer.status_code == 200, answer.text
    html = without_bar(answer.text)
    main = html[html.index("<main") : html.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


async def test_changes_say_what_became_of_clauses_between_two_days(corpus: Api) -> None:
    path = "/changes?from=2025-10-01&valid=2025-11-20&kind=EXPORT_CONTROL&commodity=gallium"
    text = await read(corpus, path)
    assert (
        "clauses 2, 2-antimony, 2-compounds, 2-superhard and 4 more, status in force → suspended"
        in text
    )
    assert "suspended until" in text
    assert "27 Nov 2026" in text.replace("\xa0", " ")
    assert await read(corpus, path + "&show=restated") != text


async def test_changes_without_a_first_day_look_back_thirty_days(corpus: Api) -> None:
    text = await read(corpus, "/changes?valid=2025-11-20")
    assert "Between 21 Oct 2025 and 20 Nov 2025" in text.replace("\xa0", " ")
    assert text == await read(corpus, "/changes?valid=2025-11-20&from=2025-10-21")
    table = await corpus.request("GET", "/changes.csv?valid=2025-11-20")
    assert "export-control/" in table.text


async def test_changes_look_back_no_further_than_the_calendar(corpus: Api) -> None:
    for day in ("0001-01-01", "0001-01-20"):
        text = await read(corpus, f"/changes?valid={day}")
        assert text == await read(corpus, f"/changes?valid={day}&from=0001-01-01")


async def test_an_announcement_stands_beside_what_contradicts_it(corpus: Api) -> None:
    text = await read(corpus, "/announcements/qcmi-aim-sohu-2025-07-04")
    assert "Different accounts" in text
    assert "to strengthen economic security and collective resilience" in text
    assert "Secondary source: Reportify" in text


async def test_announcements_are_narrowed_by_their_address(corpus: Api) -> None:
    everything = await corpus.request("GET", "/announcements")
    narrowed = await corpus.request("GET", "/announcements?actor=quad&date=2025-07-01..2025-07-31")
    keys = re.findall(r'<h2><a href="/announcements/([^"?]+)', narrowed.text)
    assert 0 < len(keys) < len(re.findall(r'<h2><a href="/announcements/', everything.text))
    data = await corpus.ask(
        '{ asOf { announcements(actor: "quad", date: {from: "2025-07-01", to: "2025-07-31"},'
        " orderBy: DATE_DESC, first: 50) { nodes { key } } } }"
    )
    assert keys == [node["key"] for node in data["asOf"]["announcements"]["nodes"]]


async def test_search_marks_the_words_that_match(corpus: Api) -> None:
    html = (await corpus.request("GET", "/search?q=gallium&valid=2026-01-01")).text
    assert re.search(r"<mark>[Gg]allium</mark>", html)
    assert 'href="/commodities/gallium?valid=2026-01-01"' in html
    nothing = await read(corpus, "/search?q=zzzzqqqq")
    assert "nor similar words" in nothing


async def test_searching_for_a_day_leads_to_that_day(corpus: Api) -> None:
    html = (await corpus.request("GET", "/search?q=2025-11-20")).text
    assert 'href="/?valid=2025-11-20"' in html
    assert (await corpus.request("GET", "/search")).status_code == 200


async def test_text_of_others_is_escaped(corpus: Api) -> None:
    html = (await corpus.request("GET", "/search?q=<script>alert(1)</script>")).text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


async def test_about_says_how_far_facts_reach_and_what_nobody_read(corpus: Api) -> None:
    text = await read(corpus, "/about")
    levels = {"own": "VERIFIED", "copy": "ISSUER_TEXT_COPY", "read": "SECONDARY"}
    counts = "".join(
        f"{name}: exportControls(level: {level}, first: 0) {{ totalCount }} "
        for name, level in levels.items()
    )
    data = (await corpus.ask(f"{{ asOf {{ {counts} counts {{ exportControls }} }} }}"))["asOf"]
    own, copy, read_ = (data[name]["totalCount"] for name in levels)
    assert own <= copy <= read_ <= data["counts"]["exportControls"]
    assert (
        f"Of {data['counts']['exportControls']} export controls, {own} rest wholly on the issuer’s"
        f" own text, {copy} on it or on copies of it, and {read_} on these or on secondary sources"
    ) in text


async def test_about_lists_every_publisher_by_name_those_with_most_facts_first(corpus: Api) -> None:
    html = (await corpus.request("GET", "/about")).text
    section = html[html.index('id="sources"') :]
    [count] = re.findall(r"<data[^>]*>([\d,]+)</data> publishers", section)
    names = re.findall(r'<th scope="row"[^>]*>(.*?)</th>', section)
    assert len(names) == int(count)
    assert names[0] == "US Geological Survey"


async def test_members_are_drawn_from_when_to_when_they_take_part(corpus: Api) -> None:
    html = (await corpus.request("GET", "/alliances/msp?valid=2024-01-01")).text
    [india] = re.findall(
        r"<tr[^>]*><th scope=\"row\"[^>]*><a [^>]*>India</a>.*?</tr>", html, re.DOTALL
    )
    [japan] = re.findall(
        r"<tr[^>]*><th scope=\"row\"[^>]*><a [^>]*>Japan</a>.*?</tr>", html, re.DOTALL
    )
    begins = [float(re.findall(r'<rect x="([\d.]+)%', row)[0]) for row in (japan, india)]
    assert begins[0] < begins[1]  # Japan founded it in 2022, India joined in 2023
    assert "from 14 Jun 2022 on" in unescape(japan).replace("\xa0", " ")


async def test_two_positions_are_compared_on_one_day(corpus: Api) -> None:
    text = await read(corpus, "/changes?fromPosition=5000&position=10755&valid=2025-11-20")
    told = text.replace("\xa0", " ")
    assert "On 20 Nov 2025 , first as recorded at position 5000, then at 10,755" in told
    data = await corpus.ask(
        '{ changes(from: {validAt: "2025-11-20", position: "5000"},'
        ' to: {validAt: "2025-11-20", position: "10755"}) { totalCount } }'
    )
    assert f"{data['changes']['totalCount']:,} records differ" in text


async def test_controls_of_october_are_new_from_their_first_day_not_from_a_later_status(
    corpus: Api,
) -> None:
    path = "/changes?from=2025-10-01&valid=2026-12-01&kind=EXPORT_CONTROL&place=CN"
    text = (await read(corpus, path)).replace("\xa0", " ")
    november = text[text.index("11 Nov 2026") :]
    rare_earths = november[november.index("Export controls on rare-earth technologies") :][:400]
    assert "First recorded state: 9 Oct 2025" in rare_earths
    assert "has held since 11 Nov 2026" in rare_earths


@pytest.mark.parametrize(
    "path",
    [
        "/commodities/cobalt?stage=REFINERY",
        "/commodities/cobalt/dependence",
        "/places/CN",
        "/figures?commodity=cobalt",
        "/figures/cobalt/CN/production/refinery/2024",
    ],
)
async def test_no_page_shows_more_digits_than_a_publisher_would(corpus: Api, path: str) -> None:
    text = await read(corpus, f"{path}{'&' if '?' in path else '?'}valid=2026-12-01")
    assert re.findall(r"(?<![\w./])\d[\d,]*\.\d{4,}", text) == []
    assert "kt" in text or "refinery" not in path, "the unit stands beside its numbers"
