"""Texts of acts: the version that governs a day, and its units, as recorded at any position."""

from pathlib import Path
from typing import Any

import pytest

from schema.services import Services
from tests.support.act_texts import VERSIONS, record_texts, write_folder
from tests.support.api import Api, clause, control, source
from tests.support.cases import each_case
from tracker.postgres.database import Target
from tracker.snapshots.digest import sha256_of

ON_DAY = """query ($valid: Day, $day: Day, $position: Position, $language: String) {
  asOf(validAt: $valid, position: $position) {
   text(id: "eu-2021-1") { onDay(on: $day, language: $language) {
    status phrase governsUntil version { governsFrom kind sha256 size units(unit: "art-2") {
     unit words } } } } } }"""

RECORD = {
    "id": "eu-2021-1",
    "on": "2021-09-09",
    "issuer": "EU",
    "act": "Regulation on smelters",
    "language": "en",
    "kind": "ADOPTED",
    "sha256": "0" * 64,
    "size": 10,
    "format": "md",
    "source": source("eur-lex", "2021-05-20"),
}


@pytest.fixture
async def api(services: Services, target: Target, tmp_path: Path) -> Api:
    api = Api(services)
    assert await record_texts(services, target, write_folder(tmp_path)) == [True, True, True]
    return api


async def on_day(api: Api, day: str | None, **variables: Any) -> Any:
    data = await api.ask(ON_DAY, **{"valid": "2026-11-30", "day": day, **variables})
    return data["asOf"]["text"]["onDay"]


@each_case(
    ("day", "status", "phrase", "version"),
    [
        ("2021-05-19", "NOT_RECORDED", "not recorded", None),
        (
            "2021-05-20",
            "NOT_IN_FORCE",
            "adopted, not in force before 9 September 2021",
            "2021-09-09",
        ),
        (
            "2021-09-09",
            "GOVERNS",
            "governs from 9 September 2021; the next recorded version from 1 January 2023",
            "2021-09-09",
        ),
        (
            "2022-12-31",
            "GOVERNS",
            "governs from 9 September 2021; the next recorded version from 1 January 2023",
            "2021-09-09",
        ),
        (
            "2023-01-01",
            "GOVERNS",
            "governs from 1 January 2023; the next recorded version from 15 November 2025",
            "2023-01-01",
        ),
        ("2025-11-15", "GOVERNS", "governs from 15 November 2025", "2025-11-15"),
        ("2025-11-16", "NOT_CONFIRMED", "not confirmed after 15 November 2025", "2025-11-15"),
    ],
)
async def test_the_last_version_before_a_day_governs_it_until_the_next_one(
    api: Api, day: str, status: str, phrase: str, version: str | None
) -> None:
    of = await on_day(api, day)
    assert (of["status"], of["phrase"]) == (status, phrase)
    assert of["version"] is None if version is None else of["version"]["governsFrom"] == version
    if version:
        content = VERSIONS[version].encode()
        assert (of["version"]["sha256"], of["version"]["size"]) == (
            sha256_of(content),
            len(content),
        )


async def test_an_effective_date_between_two_versions_shows_that_the_next_one_ends_the_first(
    api: Api,
) -> None:
    of = await on_day(api, None, valid="2022-06-01")
    assert (of["status"], of["governsUntil"]) == ("GOVERNS", "2022-12-31")


async def test_a_position_before_the_next_version_does_not_confirm_the_first_one(api: Api) -> None:
    of = await on_day(api, "2022-06-01", position="1")
    assert (of["status"], of["governsUntil"]) == ("NOT_CONFIRMED", None)


async def test_a_unit_of_a_version_has_its_words_as_printed(api: Api) -> None:
    first, second = await on_day(api, "2022-01-01"), await on_day(api, "2024-01-01")
    [unit] = first["version"]["units"]
    assert unit["words"].startswith("#### Article 2\n\nSmelters shall report each year")
    assert "each month" in second["version"]["units"][0]["words"]


async def test_another_language_has_no_version(api: Api) -> None:
    assert (await on_day(api, "2022-01-01", language="de"))["status"] == "NOT_RECORDED"


@each_case(
    ("words", "units"),
    [
        ("REPORT  each year", ["art-2"]),
        ("smelters … authority", ["art-2"]),
        ("report each month", []),
        ("gall", []),
        ("9 september 2021", ["art-3"]),
    ],
)
async def test_a_search_has_the_units_with_the_words_in_their_order(
    api: Api, words: str, units: list[str]
) -> None:
    data = await api.ask(
        """query ($words: String) { asOf { text(id: "eu-2021-1") { onDay(on: "2022-01-01") {
          version { units(search: $words) { unit } } } } } }""",
        words=words,
    )
    version = data["asOf"]["text"]["onDay"]["version"]
    assert [one["unit"] for one in version["units"]] == units


async def text_changes(api: Api, first: str, last: str) -> Any:
    data = await api.ask(
        """query ($first: Day!, $last: Day!) { asOf { textChanges(id: "eu-2021-1", from: $first, to: $last) {
          old { phrase } new { phrase } units { unit change runs { change old new } } } } }""",
        first=first,
        last=last,
    )
    return data["asOf"]["textChanges"]


async def test_changes_between_two_days_have_units_and_words_and_join_to_both_versions(
    api: Api,
) -> None:
    of = await text_changes(api, "2022-01-01", "2024-01-01")
    [unit] = of["units"]
    assert (unit["unit"], unit["change"]) == ("art-2", "REPLACED")
    changed = [run for run in unit["runs"] if run["change"] != "SAME"]
    assert [(run["old"].strip(), run["new"].strip()) for run in changed] == [("year", "month")]
    for side, day in (("old", "2022-01-01"), ("new", "2024-01-01")):
        [whole] = (await on_day(api, day))["version"]["units"]
        assert "".join(run[side] for run in unit["runs"]) == whole["words"]
    of = await text_changes(api, "2024-01-01", "2026-01-01")
    assert of["new"]["phrase"] == "not confirmed after 15 November 2025"
    assert [(one["unit"], one["change"]) for one in of["units"]] == [
        ("art-3", "REPLACED"),
        ("art-4", "ADDED"),
    ]


async def test_changes_within_a_version_are_none_and_from_an_unrecorded_day_are_unknown(
    api: Api,
) -> None:
    assert (await text_changes(api, "2022-01-01", "2022-12-31"))["units"] == []
    assert (await text_changes(api, "2020-01-01", "2022-12-31"))["units"] is None


async def test_a_text_whose_bytes_are_not_stored_has_no_units(services: Services) -> None:
    api = Api(services)
    await api.do("recordText", RECORD)
    of = await on_day(api, None)
    assert of["version"]["units"] is None


async def test_an_instrument_names_its_texts(api: Api) -> None:
    await api.do("announceExportControl", control("x", clause()))
    document = '{ asOf { exportControl(id: "x") { texts { key act } } counts { texts } } }'
    data = (await api.ask(document))["asOf"]
    assert data["exportControl"]["texts"] == [{"key": "eu-2021-1", "act": "Regulation on smelters"}]
    assert data["counts"]["texts"] == 1


async def test_recording_a_folder_again_adds_nothing(
    api: Api, services: Services, target: Target, tmp_path: Path
) -> None:
    head = await services.recorder.head()
    assert await record_texts(services, target, tmp_path) == [False, False, False]
    assert await services.recorder.head() == head
    assert (await services.snapshots.get(sha256_of(VERSIONS["2021-09-09"].encode()))) is not None
