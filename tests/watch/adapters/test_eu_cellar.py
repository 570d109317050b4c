"""The Official Journal by Cellar: acts in whichever language they were found, and all of them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from tests.support.cases import each_case
from tests.support.publishers.cellar import PATH, Act, Cellar
from tests.support.publishers.publisher import (
    Asked,
    Declared,
    Page,
    Slow,
    Status,
    driven_by,
    truncated,
)
from tests.watch.adapters.drive import TODAY, DrivenPoll, drive, source_of
from tracker.review.finding import LeadCode
from tracker.watch.adapter import Cursor, FetchFailed, NotUnderstood
from tracker.watch.adapters.eu_cellar import ADAPTER

ADDRESS = f"https://publications.europa.eu{PATH}"
TERMS = {"ENG": ["gallium", "Critical  raw", "tin"], "FRA": ["gallium", "terres rares"]}
REGULATION = Act(
    "32026R0123",
    {
        "ENG": "Commission Implementing Regulation (EU) 2026/123 of 18 February 2026 on gallium",
        "FRA": "Règlement d’exécution (UE) 2026/123 du 18 février 2026 relatif au gallium",
        "DEU": "Durchführungsverordnung (EU) 2026/123 über Gallium",
    },
)
NOTICE = Act(
    "C/2026/77", {"FRA": "Avis concernant certaines terres rares"}, "2026-02-21", series="C"
)


def poll(
    cellar: Cellar,
    cursor: Cursor | None = None,
    today: date = TODAY,
    may_fail: bool = False,
    **options: Any,
) -> DrivenPoll:
    settings = source_of(ADAPTER, ADDRESS, {"terms": TERMS} | options, publisher="eur-lex")
    answer = driven_by(cellar)
    return drive(ADAPTER, settings, answer, cursor=cursor, today=today, may_fail=may_fail)


def test_an_act_is_one_lead_in_the_first_language_that_has_a_word() -> None:
    driven = poll(Cellar(REGULATION, NOTICE))
    regulation, notice = driven.leads
    origin = regulation.origin
    assert (regulation.code, origin.item) == (LeadCode.ANNOUNCED, "32026R0123")
    assert (origin.title, origin.language) == (REGULATION.titles["ENG"], "en")
    assert origin.number == "Commission Implementing Regulation (EU) 2026/123"
    assert origin.url == "https://eur-lex.europa.eu/legal-content/EN/TXT/?uri=CELEX:32026R0123"
    assert (origin.place, origin.published_on) == ("results.bindings[0]", date(2026, 2, 20))
    assert (notice.origin.title, notice.origin.language) == (NOTICE.titles["FRA"], "fr")
    assert notice.origin.number == "C/2026/77"
    assert regulation.reason == "An act with gallium in its title"
    assert driven.result
    assert driven.result.covers_until == TODAY - timedelta(days=2)
    assert len(driven.requests) == 2


def test_a_look_without_acts_is_one_request() -> None:
    assert len(poll(Cellar()).requests) == 1


def test_a_part_of_a_word_is_none_and_series_are_chosen() -> None:
    setting = Act("32026R0124", {"ENG": "Regulation (EU) 2026/124 setting rules"})
    assert poll(Cellar(setting, NOTICE)).items == ["C/2026/77"]
    assert poll(Cellar(REGULATION, NOTICE), series=["L"]).items == ["32026R0123"]
    unknown = replace(NOTICE, series=None)
    assert poll(Cellar(unknown), series=["L"]).items == ["C/2026/77"], "it may be one"


def test_an_act_without_a_number_is_called_by_its_work() -> None:
    work = "http://publications.europa.eu/resource/cellar/0a1b"
    [lead] = poll(Cellar(replace(REGULATION, celex=None, work=work))).leads
    assert (lead.origin.item, lead.origin.url) == (work, work)


def test_a_corrigendum_says_to_what() -> None:
    titles = {"ENG": "Corrigendum to Implementing Regulation (EU) 2025/9 on gallium"}
    [lead] = poll(Cellar(Act("32025R0009R(01)", titles))).leads
    assert lead.reason == "A corrigendum to 32025R0009, with gallium in its title"


def test_two_works_under_one_number_are_two_leads() -> None:
    other = replace(REGULATION, work="http://publications.europa.eu/resource/cellar/z")
    first, second = poll(Cellar(REGULATION, other)).leads
    assert (first.origin.item, second.origin.item) == ("32026R0123", other.work)
    assert second.code is LeadCode.ANOTHER_BODY


def test_the_next_look_finds_what_is_new_changed_or_withdrawn() -> None:
    cellar = Cellar(REGULATION, NOTICE)
    first = poll(cellar)
    assert poll(cellar, first.cursor, TODAY + timedelta(days=1)).findings == []
    cellar.acts = [
        replace(REGULATION, titles=REGULATION.titles | {"ENG": "On gallium, as it should read"}),
        replace(REGULATION, celex="32026R0200", day="2026-03-01"),
    ]
    second = poll(cellar, first.cursor, TODAY + timedelta(days=1))
    assert second.items == ["32026R0123", "32026R0200", "C/2026/77"]
    changed, _, withdrawn = second.leads
    assert REGULATION.titles["ENG"] in changed.reason
    assert (withdrawn.code, withdrawn.origin.title) == (LeadCode.WITHDRAWN, NOTICE.titles["FRA"])
    assert poll(cellar, second.cursor, TODAY + timedelta(days=2)).findings == []


def test_10_001_results_are_all_found() -> None:
    start = date(2026, 1, 1)
    cellar = Cellar(
        *(
            Act(
                f"32026R{number:05}",
                {"ENG": f"On gallium, {number}"},
                str(start + timedelta(days=number % 50)),
            )
            for number in range(10_001)
        )
    )
    driven = poll(cellar, since="2026-01-01")
    assert len(set(driven.items)) == len(driven.items) == 10_001
    assert len(driven.requests) <= 16


def test_a_day_with_10_001_results_is_incomplete() -> None:
    acts = (Act(f"32026R{number:05}", {"ENG": "On gallium"}) for number in range(10_001))
    driven = poll(Cellar(*acts), may_fail=True)
    assert isinstance(driven.failure, NotUnderstood)
    assert (driven.failure.code, driven.findings) == ("INCOMPLETE", [])


def replaced(old: str, new: str) -> Any:
    def fault(asked: Asked, page: Page) -> Page:
        return replace(page, content=page.content.replace(old.encode(), new.encode()))

    return fault


@each_case(
    ("fault", "code"),
    [
        (truncated, "LAYOUT_CHANGED"),
        (replaced('"title"', '"titel"'), "LAYOUT_CHANGED"),
        (replaced('"day"', '"date"'), "LAYOUT_CHANGED"),
        (replaced("2026-02-20", "20 Feb 2026"), "LAYOUT_CHANGED"),
        (replaced("2026-02-20", "1999-02-20"), "LAYOUT_CHANGED"),
        (replaced("language/ENG", "language/eng"), "LAYOUT_CHANGED"),
        (replaced('"bindings"', '"rows"'), "LAYOUT_CHANGED"),
        (replaced('"value": "2"', '"value": "many"'), "LAYOUT_CHANGED"),
        (replaced('"value": "2"', '"value": "3"'), "INCOMPLETE"),
        (Declared(media_type="text/html"), "LAYOUT_CHANGED"),
        (Declared(charset="ascii"), "ENCODING"),
        (Status(429), "RATE_LIMITED"),
        (Status(500), "HTTP_STATUS"),
        (Slow(wait_seconds=0), None),
    ],
)
def test_faults_end_the_look(fault: Any, code: str | None) -> None:
    cellar = Cellar(REGULATION)
    cellar.fail("*", fault)
    driven = poll(cellar, may_fail=True)
    assert driven.failure is None or isinstance(driven.failure, NotUnderstood | FetchFailed)
    assert (driven.failure and driven.failure.code) == code
    cellar.mend()
    assert poll(cellar).items == ["32026R0123"]


def test_a_query_that_was_broken_off_is_incomplete() -> None:
    cellar = Cellar(REGULATION)
    answer = driven_by(cellar)
    settings = source_of(ADAPTER, ADDRESS, {"terms": TERMS})
    driven = drive(
        ADAPTER,
        settings,
        lambda asked: replace(answer(asked), status=206),
        may_fail=True,  # type: ignore[type-var]
    )
    assert isinstance(driven.failure, NotUnderstood)
    assert driven.failure.code == "INCOMPLETE"


@each_case(
    ("options", "message"),
    [
        ({"terms": {}}, "expected terms of a language"),
        ({"terms": {"ENG": []}}, "expected 1 to 60 terms"),
        ({"terms": {"XXX": ["gallium"]}}, "expected a language of"),
        ({"terms": {"ENG": ['") } DROP GRAPH <x> #']}}, "expected terms without quotes"),
        ({"terms": {"ENG": ["a\\"]}}, "expected terms without quotes"),
        ({"terms": {"ENG": ["x"]}, "since": "2020-01-01"}, "expected 2023-10-01 or later"),
        ({"terms": {"ENG": ["x"]}, "series": ["S"]}, r"\$\.series\[0\]"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=message):
        source_of(ADAPTER, ADDRESS, options)
