"""The bar of output under controls: confirmed, by terms, contradicted and partly covered."""

import re
from typing import Any

from schema.pages.commodities.exposure_bar import PARTS, exposure_bar, unconfirmed_measures
from tests.support.api import Api


def supply(*shares: str | None, measures: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """Return an exposure with its shares: controlled, assumed, contradicted, partly."""
    names = ("controlledShare", "assumedShare", "contradictedShare", "partlyControlledShare")
    return {**dict(zip(names, shares, strict=True)), "measures": measures}


def test_unconfirmed_statuses_are_a_separate_part() -> None:
    bar = exposure_bar(supply("0.8000", "0.2000", "0.1000", "0.0500"))
    assert [(one.part, one.x, one.width) for one in bar.segments] == [
        ("full", "0.00%", "50.00%"),
        ("terms", "50.00%", "20.00%"),
        ("contradicted", "70.00%", "10.00%"),
        ("part", "80.00%", "5.00%"),
    ]
    assert bar.words.replace("\N{NO-BREAK SPACE}", " ") == (
        "50.0 % fully covered, by a record; 20.0 % fully covered by their own terms, not confirmed;"
        " 10.0 % fully covered by the text, contradicted by a recorded statement; 5.0 % partly covered"
    )


def test_shares_that_are_not_known_or_too_many_make_no_part_outside_the_bar() -> None:
    assert exposure_bar(supply(None, None, None, None)).segments == []
    assert exposure_bar(supply(None, None, None, None)).words == "No share is known to be covered"
    bar = exposure_bar(supply("1.0000", "0.0000", "0.0000", "0.2000"))
    assert [(one.part, one.width) for one in bar.segments] == [("full", "100.00%")]


def test_measures_that_are_not_confirmed_are_named_with_their_share() -> None:
    ban = {"measure": "BAN", "assumedShare": "1.0000", "contradictedShare": "0.0000"}
    licence = {"measure": "DUAL_USE_LICENCE", "assumedShare": "0.0000", "contradictedShare": "0.3"}
    of = supply("1.0000", "0.0000", "0.0000", "0.0000", measures=(ban, licence))
    assert [one.replace("\N{NO-BREAK SPACE}", " ") for one in unconfirmed_measures(of)] == [
        "ban 100 % by its own terms, not confirmed",
        "dual-use licence 30.0 % contradicted by a recorded statement",
    ]


async def test_a_commodity_says_which_measure_toward_a_place_is_not_confirmed(corpus: Api) -> None:
    answer = await corpus.request("GET", "/commodities/gallium?valid=2026-11-28")
    html = answer.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "ban 100 % by its own terms, not confirmed" in html
    assert 'aria-label="100 % fully covered, by a record"' in html
    for part, words in PARTS.items():
        assert re.search(rf'<rect class="{part}"[^>]*/></svg> {words}</li>', html)


async def test_natural_graphite_shows_the_figures_that_are_filed_under_graphite(
    corpus: Api,
) -> None:
    html = (await corpus.request("GET", "/commodities/natural_graphite?valid=2026-08-01")).text
    assert "Publishers file these figures under Graphite." in html
    assert 'data-path="asOf.worldFigures.nodes.' in html
    assert "77.8\N{NO-BREAK SPACE}%" in html


async def test_a_licence_stands_once_with_the_acts_that_it_rests_on(corpus: Api) -> None:
    html = (await corpus.request("GET", "/commodities/natural_graphite?valid=2026-11-15")).text
    assert "rests also on: " in html
    assert "China adopts its Export Control Law" in html
    assert 'href="/controls/cn-ecl-2020' not in html


async def test_a_place_draws_what_it_is_exposed_to(corpus: Api) -> None:
    html = (await corpus.request("GET", "/places/US?valid=2026-11-28")).text
    assert html.count('<svg class="cmp" role="img"') > 5
    assert "by its own terms, not confirmed</span>" in html
