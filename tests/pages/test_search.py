"""Searches are parsed, and match goods, codes or places."""

import re

from projections.query.search_terms import parse_search
from projections.query.statement_parts import parse_sentence
from tests.pages.test_reading_pages import read
from tests.support.api import Api
from tests.support.cases import each_case
from tracker.domain.basics.vocabulary import Statistic


@each_case(
    ("query", "goods", "places", "destination", "words"),
    [
        ("Is gallium export to the US allowed?", ["gallium"], ["US"], "US", "gallium US"),
        ("tungsten carbide from China to Germany", ["tungsten_carbide"], ["CN", "DE"], "DE", None),
        ("nickel Indonesia", ["nickel"], ["ID"], None, "nickel Indonesia"),
        ("What is FORGE", [], [], None, "FORGE"),
        ("rare earths 2023", ["rare_earths"], [], None, "rare earths 2023"),
        ("it is in us", [], [], None, "us"),
    ],
)
def test_goods_and_places_are_found_and_words_of_questions_are_ignored(
    query: str, goods: list[str], places: list[str], destination: str | None, words: str | None
) -> None:
    found = parse_search(query)
    assert [*found.commodities] == goods
    assert [*found.places] == places
    assert found.destination == destination
    assert words is None or found.words == words


@each_case(
    ("query", "statistic", "words"),
    [
        ("who produces most cobalt", Statistic.PRODUCTION, "production cobalt"),
        ("largest graphite producers", Statistic.PRODUCTION, "graphite production"),
        ("price of gallium", Statistic.PRICE, "price gallium"),
        ("lithium reserves Chile", Statistic.RESERVES, "lithium reserves Chile"),
        ("cobalt production quota", None, "cobalt production quota"),
        ("price floor", None, "price floor"),
        ("graphite production technology", None, "graphite production technology"),
        ("copper ore production", Statistic.PRODUCTION, "copper ore production"),
    ],
)
def test_a_search_asks_for_a_statistic_of_goods_unless_it_names_a_measure(
    query: str, statistic: Statistic | None, words: str
) -> None:
    assert (parse_search(query).statistic, parse_search(query).words) == (statistic, words)


@each_case(
    ("text", "is_statement"),
    [
        ("cobalt quota congo 2026", False),
        ("China gallium ban 2024", False),
        ("China banned gallium exports in 2024", True),
        ("DR Congo: cobalt exports halted since February 2025", True),
    ],
)
def test_names_with_a_year_are_a_search_and_a_dated_claim_is_a_sentence(
    text: str, is_statement: bool
) -> None:
    assert parse_sentence(text).is_statement is is_statement


async def test_a_question_on_output_names_the_largest_producer_and_its_figures(corpus: Api) -> None:
    text = await read(corpus, "/search?q=who+produces+most+cobalt&valid=2026-12-01")
    answer = text[: text.index("Records in part")]
    assert "DR Congo mined 74.2 % of the world’s output of 2025" in answer
    assert "Licensing" not in answer
    text = await read(corpus, "/search?q=antimony+price&valid=2026-12-01")
    assert "Antimony: all recorded figures of price" in text[: text.index("Records in part")]


@each_case(
    ("query", "code"),
    [
        ("8112", "8112"),
        ("HS 8112.92", "811292"),
        ("heading 811292", "811292"),
        ("8112 92 89", "81129289"),
        ("2023", None),
        ("46/2024", None),
        ("811", None),
    ],
)
def test_codes_of_goods_are_codes(query: str, code: str | None) -> None:
    assert parse_search(query).code == code


def test_no_names_are_read_from_a_text_that_the_api_refuses() -> None:
    text = "gallium to Japan " * 100
    found = parse_search(text)
    assert (found.terms, found.code, found.words) == ((), None, text)


async def test_a_question_on_gallium_leads_to_the_answer(corpus: Api) -> None:
    text = await read(corpus, "/search?q=Is+gallium+export+to+the+US+allowed&valid=2026-11-29")
    answer = text[: text.index("Records in part")]
    assert (
        "China: Ban on exports as metal to the United States. In force by its own terms" in answer
    )
    assert "not confirmed" in answer
    assert "Secondary source: Pakistan Today" in answer


async def test_a_code_finds_its_clauses_and_no_other_numbers(corpus: Api) -> None:
    text = await read(corpus, "/search?q=8112&valid=2026-11-29")
    assert (
        "China: Dual-use licensing of exports as metal to every destination. In force since" in text
    )
    asked = await corpus.ask(
        '{ asOf(validAt: "2026-11-29") { exportControls(hsCode: "8112") { totalCount } } }'
    )
    count = asked["asOf"]["exportControls"]["totalCount"]
    assert f"All {count} controls that may cover these goods" in text
    assert "Matching events" not in text


async def test_results_have_their_date_and_status(corpus: Api) -> None:
    text = await read(corpus, "/search?q=FORGE&valid=2026-11-29")
    assert re.search(r"alliance founded 4.Feb.2026 .*?Forum on Resource Geostrategic", text)
    text = await read(corpus, "/search?q=samarium&kinds=EXPORT_CONTROL&valid=2025-05-01")
    assert re.search(r"announced 4.Apr.2025 in force", text)
    text = await read(corpus, "/search?q=gallium&kinds=EXPORT_CONTROL&valid=2026-12-01")
    assert "in force, in part not confirmed" in text


async def test_the_parameter_of_the_api_is_understood_too(corpus: Api) -> None:
    assert await read(corpus, "/search?text=FORGE") == await read(corpus, "/search?q=FORGE")


async def test_an_empty_result_says_what_to_try(corpus: Api) -> None:
    text = await read(corpus, "/search?q=xyzzyplugh")
    assert "No record contains “xyzzyplugh”, nor similar words. Try fewer words" in text


async def test_a_missing_part_is_named_after_the_lists_that_were_read(corpus: Api) -> None:
    text = await read(corpus, "/search?q=copper+peru&valid=2026-12-01")
    answer = text[: text.index("Records")]
    assert "No recorded control combines Copper and Peru. The nearest ones lack Peru." in answer
    assert answer.index("No list of") < answer.index("No recorded control")
    assert "No recorded clause in force or upcoming covers" not in answer


@each_case(
    ("query", "meant"), [("Deutschland", "Germany"), ("Hamburg", "Germany"), ("moscovium", None)]
)
async def test_a_search_without_results_offers_the_name_that_was_meant(
    corpus: Api, query: str, meant: str | None
) -> None:
    text = (await corpus.request("GET", f"/search?q={query}")).text
    assert ("Did you mean" in text) == bool(meant)
    assert meant is None or f'<a href="/search?q={meant}">{meant}</a>?' in text


async def test_a_sentence_is_checked_part_by_part(corpus: Api) -> None:
    words = "/search?valid=2026-11-01&q=China+banned+gallium+exports+to+the+US"
    text = await read(corpus, words + "+on+5+December+2024")
    assert "“on 5 December 2024”: contradicted . Recorded: 3 December 2024." in text
    assert "Your sentence" not in await read(corpus, "/search?q=gallium+ban")
