"""Stories: the acts of a period about a place or a commodity, in order."""

import pytest

from schema.pages.story.story import sentence
from tests.pages.test_reading_pages import read
from tests.support.api import Api

CHINA = "/story?place=China&from=2025-10-01&until=2026-11-30&valid=2026-12-01"


async def test_a_story_says_what_was_suspended_until_when_and_what_is_contested(
    corpus: Api,
) -> None:
    text = await read(corpus, CHINA)
    announced = text.index("China announces : Export controls on superhard-material items")
    suspended = text.index("Suspended from 7 November 2025 until 10 November 2026")
    returned = text.index("In force for the first time from 11 November 2026 on")
    assert announced < suspended < returned
    assert "Contested on 1 Dec 2026" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "stated on 28 September 2026 that the suspension runs to 10 January 2027" in text


async def test_acts_with_the_same_change_on_a_day_share_a_sentence_of_links(corpus: Api) -> None:
    html = (await corpus.request("GET", CHINA)).text
    [_, after] = html.split("Suspended from 7 November 2025 until 10 November 2026</b>")
    line = after.partition("</li>")[0]
    for act in (55, 56, 57, 58, 61, 62):
        assert f'href="/controls/cn-mofcom-2025-{act}?valid=2026-12-01"' in line


async def test_a_story_of_a_mineral_since_a_year_is_linked_from_its_page(corpus: Api) -> None:
    html = (await corpus.request("GET", "/commodities/gallium?valid=2026-12-01")).text
    link = "/story?commodity=gallium&amp;from=2010-01-01&amp;valid=2026-12-01"
    assert link in html
    text = await read(corpus, link.replace("&amp;", "&"))
    assert "Gallium: since 1 Jan 2010" in text.replace("\N{NO-BREAK SPACE}", " ")


async def test_a_story_without_a_subject_is_about_all_critical_minerals(corpus: Api) -> None:
    response = await corpus.request("GET", "/story?from=2025-10-01&until=2025-12-31")
    assert response.status_code == 200
    assert "Critical minerals: 1\xa0Oct\xa02025 to 31\xa0Dec\xa02025</h1>" in response.text


async def test_paper_has_a_limit_of_words_and_says_what_it_leaves_out(corpus: Api) -> None:
    whole = await read(corpus, CHINA)
    assert "Print leaves these changes out." in whole
    assert "The page has a part of the records" not in whole
    html = (await corpus.request("GET", "/story?commodity=rare_earths&from=2010-01-01")).text
    [_, last] = html.split("Print leaves these changes out, and all changes after ")
    day = last.split(":")[0]
    printed, _, later = html.partition(f"{day}</h2>")
    assert '<section class="chg">' in printed
    assert '<section class="chg">' not in later


@pytest.mark.parametrize(
    ("summary", "clause", "parts"),
    [
        ("A: clause 1 is repealed from today on.", "1", ("Repealed from today on", "A", "")),
        ("A: B gives a different account: C.", None, ("B gives a different account: C", "A", "")),
        ("China announces: A (ban).", None, ("China announces", "A", " (ban)")),
        (
            "Statement by China, 9 October 2025: A (until May).",
            None,
            ("Statement by China", "A", " (until May)"),
        ),
        ("The Quad is founded.", None, ("", "The Quad is founded", "")),
    ],
)
def test_a_recorded_sentence_is_divided_without_loss(
    summary: str, clause: str | None, parts: tuple[str, str, str]
) -> None:
    after = {} if "Quad" in summary else {"title": "A"}
    change = {"summary": summary, "clause": clause, "after": after, "day": "2025-10-09"}
    assert sentence(change) == parts
