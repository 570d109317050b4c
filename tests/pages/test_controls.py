"""The pages of instruments: on both axes, with retracted and unknown data."""

import re
from datetime import date
from html import unescape
from xml.etree import ElementTree

import pytest

from schema.pages.charts.status_bars import Period, RowOfPeriods, Track, draw_status_table
from schema.pages.site.images import status_image
from schema.pages.site.name_fields import filter_phrase
from schema.pages.site.templates import environment
from schema.services import Services
from tests.support.api import Api, clause, control, source, suspension
from tracker.domain.basics.control_vocabulary import ClauseStatus

X = "/controls/x"


@pytest.fixture
async def corrected_log(services: Services) -> Api:
    """Create a log of a ban: announced (1), suspended (2), suspension retracted (3) and recorded again
    for the first clause alone (4)."""
    api = Api(services)
    await api.do(
        "announceExportControl", control("x", clause("1"), clause("2", note="Raw < pure."))
    )
    suspended = await api.do("suspendExportControl", suspension())
    await api.do(
        "retractEvent",
        {"eventId": suspended["eventId"], "reason": "Only clause 1 rests.", "source": source()},
    )
    await api.do("suspendExportControl", suspension("x", "1"))
    return api


async def page(api: Api, path: str, status: int = 200) -> str:
    """Return the HTML of a page."""
    answer = await api.request("GET", path)
    assert answer.status_code == status, answer.text
    return answer.text


def title(html: str) -> str:
    [found] = re.findall(r"<h1>(.*?)</h1>", html, re.DOTALL)
    return str(found)


async def test_the_heading_says_where_it_stands_and_what_comes_by_itself(
    corrected_log: Api,
) -> None:
    html = await page(corrected_log, f"{X}?valid=2026-11-25")
    assert title(html) == (
        "China’s ban on exports of gallium: 1\u00a0clause in force;"
        " 1 suspended, which returns on 28\u00a0Nov\u00a02026"
    )
    assert "until 27\u00a0Nov\u00a02026, then back" in html
    assert "by its own terms" not in html
    later = await page(corrected_log, f"{X}?valid=2026-11-28")
    assert "by its own terms (not confirmed)" in later


async def test_a_retracted_act_is_kept_and_struck_and_was_not_before(corrected_log: Api) -> None:
    html = await page(corrected_log, f"{X}?valid=2026-11-25")
    assert html.count('<li class="gone">') == 1
    assert "Retracted event 2" in html
    before = await page(corrected_log, f"{X}?valid=2026-11-25&position=2")
    assert '<li class="gone">' not in before
    assert "Retracted" not in before


async def test_the_square_has_a_row_for_each_step_and_frames_this_page(corrected_log: Api) -> None:
    html = await page(corrected_log, f"{X}?valid=2026-11-25")
    assert re.findall(r"<tr[^>]*><th scope=\"row\"[^>]*><b>(.*?)</b>", html) == [
        "1",
        "2",
        "3",
        "4 to now",
    ]
    [framed] = re.findall(r'<a href="([^"]*)" aria-current="true"><rect class="here"', html)
    assert framed == f"{X}?valid=2026-11-25&amp;position=4"
    cells = re.findall(r'<a href="([^"]*)"><rect class="cell"', html)
    assert f"{X}?valid=2026-11-25&amp;position=2" in cells


async def test_a_page_of_one_position_shows_later_rows_pale(corrected_log: Api) -> None:
    html = await page(corrected_log, f"{X}?position=2")
    assert html.count('<tr class="later"') == 2
    assert "recorded after the position of this page" in html


async def test_a_pinned_page_and_its_data_never_change(corrected_log: Api) -> None:
    paths = [f"{X}{ending}?valid=2026-11-25&position=2" for ending in ("", ".json")]
    before = [(await corrected_log.request("GET", path)).content for path in paths]
    assert b'"later"' not in before[0]
    await corrected_log.do(
        "suspendExportControl", suspension("x", "2", suspendedUntil="2027-03-01")
    )
    after = [(await corrected_log.request("GET", path)).content for path in paths]
    assert after == before


async def test_before_the_log_told_of_it_the_page_says_since_when_it_does(
    corrected_log: Api,
) -> None:
    html = await page(corrected_log, f"{X}?position=0")
    assert title(html) == "Not yet recorded at position 0"
    assert f'<a href="{X}?position=1">position 1</a>' in html
    pinned = await page(corrected_log, f"{X}?position=0&valid=2026-11-25", status=404)
    assert "up to position 0" in pinned
    assert "position=1" not in pinned


async def test_before_its_first_day_the_page_leads_to_it(corrected_log: Api) -> None:
    html = await page(corrected_log, f"{X}?valid=2020-01-01&position=4")
    assert title(html) == "Nothing on 1\u00a0Jan\u00a02020"
    assert f'href="{X}?valid=2024-12-03&amp;position=4"' in html


async def test_a_retraction_without_a_correction_is_stated(services: Services) -> None:
    api = Api(services)
    announced = await api.do("announceExportControl", control("x"))
    await api.do(
        "retractEvent",
        {"eventId": announced["eventId"], "reason": "It was another act.", "source": source()},
    )
    html = await page(api, X)
    assert title(html) == "Not recorded at position 2"
    assert "Its records were retracted" in html
    assert "It was another act." in html
    assert 'fill="url(#dots-nothing)"' in html


async def test_an_instrument_that_was_never_recorded_is_not_found(corrected_log: Api) -> None:
    await page(corrected_log, "/controls/nothing", status=404)
    await page(corrected_log, "/controls/" + "x" * 300, status=404)


async def test_text_of_others_is_escaped(services: Services) -> None:
    api = Api(services)
    evil = "<script>alert(1)</script> javascript:alert(1)"
    cited = {**source(), "name": evil}
    given = control("x", clause("1", note=evil, endUse=evil), title=evil, instrument=evil)
    await api.do("announceExportControl", {**given, "source": cited})
    for path in (X, "/controls", "/controls?rows=clause"):
        html = await page(api, path)
        assert "<script>alert" not in html
        assert 'href="javascript:' not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


async def test_a_source_is_shown_with_its_publisher_and_what_it_does_not_contain(
    corpus: Api,
) -> None:
    html = await page(corpus, "/announcements/wto-ds508-2016-07-19")
    assert "Key Raw Materials" in html
    assert "Office of the US Trade Representative</span>" in html
    assert "Not in the cited text: title and actors" in html
    catalogue = await page(corpus, "/controls/cn-export-licence-catalogue-2015")
    assert ": 10100, a portal of Chinese traders</span>" in catalogue
    duty = await page(corpus, "/controls/us-301-2026-labour")
    assert "Copy of the official text: brian14708/wh-briefings (github.com)</span>" in duty
    assert "Not in the cited text: in force from and exempt items</span>" in duty


async def test_the_list_has_what_the_api_has_and_counts_clauses_by_status(corpus: Api) -> None:
    api = corpus
    day = "2026-11-25"
    data = await api.ask(
        f"""{{ asOf(validAt: "{day}") {{
        exportControls(commodity: "gallium", first: 100) {{ totalCount nodes {{ key }} }}
        clauseCounts(groupBy: [STATUS], commodity: "gallium") {{ status clauses }} }} }}"""
    )
    html = await page(api, f"/controls?valid={day}&commodity=gallium&first=100")
    listed = data["asOf"]["exportControls"]
    assert f"{listed['totalCount']}\u00a0instruments" in title(html)
    assert set(re.findall(r'href="/controls/([^"?]*)', html)) == {
        node["key"] for node in listed["nodes"]
    }
    counted = re.findall(
        r"status=(\w+)&amp;valid=[^>]*>.*?<b>(?:<data[^>]*>)?([\d,]+)", html, re.DOTALL
    )
    assert dict(counted) == {
        each["status"]: str(each["clauses"]) for each in data["asOf"]["clauseCounts"]
    }
    later = await page(api, "/controls?valid=2026-12-01&commodity=gallium")
    assert re.search(r"in force \(\d+ not confirmed\)</a>", later)
    by_clause = await page(api, f"/controls?valid={day}&commodity=gallium&first=100&rows=clause")
    assert by_clause.count('<td class="draw"') > html.count('<td class="draw"')
    suspended = await page(api, f"/controls?valid={day}&commodity=gallium&status=SUSPENDED")
    assert "on Gallium with a clause that is suspended" in title(suspended)
    assert 'aria-current="true"><svg class="mk"' in suspended


async def test_places_of_origin_and_unions_are_said_by_name_and_kept_by_the_form(
    corpus: Api,
) -> None:
    html = await page(corpus, "/controls?valid=2026-11-25&origin=CN&destination=EU")
    assert "toward the European Union from China" in title(html)
    assert '<input type="hidden" name="origin" value="CN">' in html


async def test_pages_of_the_list_follow_each_other(corpus: Api) -> None:
    api = corpus
    seen: list[str] = []
    path: str | None = "/controls?valid=2026-11-25&first=60"
    while path:
        html = await page(api, path)
        seen += re.findall(r'<th scope="row"[^>]*><a href="/controls/([^"?]*)', html)
        more = re.findall(r'<a rel="next" href="([^"]*)"', html)
        path = more[0].replace("&amp;", "&") if more else None
    total = await api.ask('{ asOf(validAt: "2026-11-25") { exportControls { totalCount } } }')
    assert len(seen) == len(set(seen)) == total["asOf"]["exportControls"]["totalCount"]


async def test_a_filter_that_cannot_be_answered_says_what_was_expected(corrected_log: Api) -> None:
    for query, says in (
        ("rows=none", "expected one of instrument, clause"),
        ("status=ASLEEP", "expected one of"),
        ("hsCode=abc", "hsCode"),
        ("colour=red", "is not a parameter of this page"),
    ):
        assert says in await page(corrected_log, f"/controls?{query}", status=400), query


async def test_every_instrument_of_the_corpus_has_its_page(corpus: Api) -> None:
    api = corpus
    keys = await api.keys("exportControls", "", "2026-11-25")
    for key in keys[::7]:
        html = await page(api, f"/controls/{key}?valid=2026-11-25")
        assert not re.search(r">\s*None\s*<|=\"None\"", html), key
        ids = re.findall(r' id="([^"]*)"', html)
        assert len(ids) == len(set(ids)), key


def all_statuses() -> list[RowOfPeriods]:
    """Return a row for each status."""
    first = date(2026, 1, 1)
    return [
        RowOfPeriods(status.name, [Track("BAN", [Period(status.name, first)])], "a small line")
        for status in ClauseStatus
    ]


def test_every_status_is_drawn_and_has_its_mark_and_its_word() -> None:
    table = draw_status_table(all_statuses(), date(2026, 6, 1))
    template = environment().from_string(
        '{% from "charts/status_bars.html" import status_bars %}{{ status_bars(table) }}'
    )
    html = template.render(table=table)
    rows = html.split('<th scope="row"')[1:]
    assert len(rows) == len(ClauseStatus)
    for row, status in zip(rows, ClauseStatus, strict=True):
        drawn, state = row.split('<td class="is"')
        assert f'aria-label="{status.phrase} from' in drawn
        assert re.search(
            r"<(rect|line)[^>]*(var\(--ban\)|hatch-ban)|<g stroke=\"var\(--ban\)", drawn
        )
        assert re.search(rf'<svg class="mk".*</svg> {status.phrase}</span>', state, re.DOTALL)


def test_an_image_stands_alone() -> None:
    table = draw_status_table(all_statuses(), date(2026, 6, 1))
    svg = status_image(table, "Where it stands & <why>", "4", ("A note",)).svg()
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "var(" not in svg
    assert "style=" not in svg
    assert "%" not in re.sub(r">[^<]*<", "><", svg)
    words = "".join(root.itertext())
    for word in (
        "Where it stands & <why>",
        "A note",
        "position 4",
        *(status.phrase for status in ClauseStatus),
    ):
        assert word in words


async def test_the_rulers_say_what_is_known_and_which_entries_are_about_it(
    corrected_log: Api,
) -> None:
    html = await page(corrected_log, f"{X}?valid=2026-11-25")
    days, positions = re.findall(r"<div class=\"ruler\".*?</svg>", html, re.DOTALL)
    assert "No facts are known yet" in days
    assert days.count('<rect class="tick') == 3
    assert positions.count('<rect class="tick') == 4
    early = await page(corrected_log, f"{X}?valid=2026-11-25&position=2")
    _, positions = re.findall(r"<div class=\"ruler\".*?</svg>", early, re.DOTALL)
    assert positions.count('<rect class="tick') == 2


async def test_the_title_of_the_issuer_stands_below_in_its_language(services: Services) -> None:
    api = Api(services)
    read_at = "https://example.org/decision"
    french = {"text": "Décision <provisoire> sur le cobalt", "language": "fr", "url": read_at}
    await api.do("announceExportControl", control("x", clause("1"), originalTitle=french))
    html = await page(api, X)
    assert '<span lang="fr">Décision &lt;provisoire&gt; sur le cobalt</span>' in html
    assert f'<a href="{read_at}" rel="nofollow noopener external">source of this title</a>' in html


async def test_each_filter_of_a_list_is_a_chip_that_removes_it(corpus: Api) -> None:
    html = await page(
        corpus, "/controls?issuer=CN&status=IN_FORCE&commodity=gallium&valid=2026-11-25"
    )
    [chips] = re.findall(r'<ul class="chips" aria-label="Filters">(.*?)</ul>', html, re.DOTALL)
    links = re.findall(r'href="([^"]*)"><span class="vh">[^<]*</span> ([^<]*) <', unescape(chips))
    assert {text: href for href, text in links} == {
        "Issuer: China": "/controls?status=IN_FORCE&commodity=gallium&valid=2026-11-25",
        "Status: in force": "/controls?issuer=CN&commodity=gallium&valid=2026-11-25",
        "Commodity: Gallium": "/controls?issuer=CN&status=IN_FORCE&valid=2026-11-25",
    }
    assert re.search(r"1–20 of \d+ instruments", await page(corpus, "/controls?valid=2026-11-25"))


@pytest.mark.parametrize(
    ("parameter", "text", "phrase"),
    [
        ("publisher", "usgs", "Publisher: US Geological Survey"),
        ("isFailing", "true", "Not readable: yes"),
        ("search", "Ban of gallium", "Words: Ban of gallium"),
        ("hsCode", "280530", "HS code: 280530"),
    ],
)
def test_a_chip_names_what_it_filters(parameter: str, text: str, phrase: str) -> None:
    assert filter_phrase(parameter, text) == phrase
