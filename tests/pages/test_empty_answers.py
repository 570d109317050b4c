"""Answers without a record say first what was read, and never that nothing exists."""

from tests.pages.test_reading_pages import read
from tests.support.api import Api

CHECK = """{ asOf(validAt: "2026-12-01") { shipment(input: {
    commodity: "copper", origin: "CL", destination: "PH"}) { summary } } }"""
COUNTS = """query ($direction: Direction) { asOf(validAt: "2026-12-01") {
    clauseCounts(groupBy: [ISSUER], status: IN_FORCE, destination: "PE", direction: $direction) {
        clauses } } }"""


async def test_a_place_without_controls_says_in_one_sentence_that_no_list_was_read(
    corpus: Api,
) -> None:
    text = await read(corpus, "/places/PE?valid=2026-12-01")
    assert "No clause of Peru in force is recorded, and no list of its acts was read." in text
    assert "No clause of Peru is in force" not in text


async def test_an_early_overview_says_first_that_no_list_was_read(corpus: Api) -> None:
    text = await read(corpus, "/?valid=1970-01-01")
    assert (
        "No list of acts up to 1 January 1970 was read. No clause on critical minerals in force is recorded"
        in text
    )


async def test_a_share_without_recorded_controls_is_not_known(corpus: Api) -> None:
    text = await read(corpus, "/commodities/rhenium?valid=2026-12-01")
    assert "The share of its output under export controls is not known." in text
    assert "0 % of this output fully" not in text


async def test_a_check_of_unread_lists_is_unknown(corpus: Api) -> None:
    found = (await corpus.ask(CHECK))["asOf"]["shipment"]["summary"]
    assert found == (
        "Unknown: no list of export rules of Chile was read."
        " Unknown: no list of import rules of the Philippines was read."
    )


async def test_controls_of_production_are_not_counted_as_exports_to_a_place(corpus: Api) -> None:
    clauses = {
        direction: sum(
            row["clauses"]
            for row in (await corpus.ask(COUNTS, direction=direction))["asOf"]["clauseCounts"]
        )
        for direction in (None, "EXPORT", "PRODUCTION")
    }
    assert clauses["PRODUCTION"] == 0
    text = await read(corpus, "/places/PE?valid=2026-12-01")
    assert f"{clauses['EXPORT']} clauses in force that cover exports to Peru" in text
