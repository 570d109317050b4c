"""Imports: a file is recorded wholly or not at all, counts once, and leaves its receipt."""

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest
from msgspec import structs

from projections.fold.replay import ReplayState
from projections.query.moment import Moment
from schema.services import Services
from tests.support.cases import each_case
from tests.support.fact_builders import announced, claimed, fact, retracted, source
from tests.support.importer import (
    CLAIM,
    FIGURE,
    GALLIUM,
    SUSPENSION,
    ImportFixture,
    cell,
    counts,
    line,
    refusals,
)
from tracker.commands.commands import PlannedEvent
from tracker.commands.decisions import decide, rehydrate
from tracker.commands.handler import Commands
from tracker.domain.actors.alliance import Founded
from tracker.domain.actors.announcement import Made
from tracker.domain.entities.entity import Retracted, effective_facts
from tracker.domain.entities.fact import Fact
from tracker.domain.figures.figure_facts import Claimed
from tracker.errors import DiskFull, InvalidInput, TrackerError, VersionConflict
from tracker.postgres.database import Target
from tracker.sources.importing.importer import import_file
from tracker.sources.importing.staging import Staging
from tracker.sources.reader import File, RefusedItem, SourceLocation
from tracker.sources.readers import corpus_format
from tracker.sources.readers.corpus_format import format_line, parse_line
from tracker.sources.text_files import MAX_ROW_BYTES

# --- the corpus format


async def test_a_dry_run_writes_nothing_and_shows_the_differences(importer: ImportFixture) -> None:
    outcome = await importer.take(line(), SUSPENSION, CLAIM, dry_run=True)
    assert (counts(outcome), outcome.position, outcome.refused) == ({"new": 3}, None, False)
    assert [(d.came, d.stream) for d in outcome.differences] == [
        ("new", GALLIUM),
        ("new", GALLIUM),
        ("new", FIGURE),
    ]
    assert await importer.recorder.head() == 0


async def test_a_line_is_recorded_as_it_stands_under_its_own_id(importer: ImportFixture) -> None:
    await importer.take(line(), CLAIM)
    first, second, _ = await importer.recorder.read()
    assert (first.event_id, first.stream, first.fact) == ("a", GALLIUM, announced())
    assert (second.event_id, second.stream, second.fact) == ("c", FIGURE, claimed(1))


async def test_a_full_disk_ends_an_import_with_the_error_that_commands_get(
    importer: ImportFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> int:
        raise asyncpg.DiskFullError("no space left on device")

    monkeypatch.setattr("tracker.sources.importing.staging.append_page", full)
    with pytest.raises(DiskFull, match="nothing was recorded"):
        await importer.take(line())
    assert await importer.recorder.head() == 0


async def test_a_retraction_in_a_file_counts_once_too(importer: ImportFixture) -> None:
    lines = (line(), SUSPENSION, line("r", retracted("s"), type_="ExportControl.Retracted"))
    await importer.take(*lines)
    again = await importer.take(*lines, CLAIM)
    assert counts(again) == {"new": 1, "unchanged": 3}


async def test_the_same_lines_again_add_nothing(importer: ImportFixture) -> None:
    await importer.take(line(), SUSPENSION)
    again = await importer.take(line(), SUSPENSION, CLAIM)
    assert counts(again) == {"new": 1, "unchanged": 2}
    assert list(await importer.facts()) == ["a", "s", "c"]


async def test_a_line_that_stands_twice_in_one_file_counts_once(importer: ImportFixture) -> None:
    outcome = await importer.take(line(), line(), SUSPENSION, SUSPENSION)
    assert counts(outcome) == {"new": 2, "repeated": 2}
    assert list(await importer.facts()) == ["a", "s"]


OTHERS = [
    line("a", announced(title="Other")),
    line("a", entity="export-control/graphite"),
    line("a", claimed(1), None, "Figure.Claimed"),
]
REUSED = "Event id 'a' is already in the log with another content"


@pytest.mark.parametrize("other", OTHERS)
async def test_an_id_that_the_log_has_for_another_content_is_refused(
    importer: ImportFixture, other: bytes
) -> None:
    await importer.take(line())
    outcome = await importer.take(other)
    assert (outcome.refused, refusals(outcome)) == (True, [(1, None, REUSED)])


@pytest.mark.parametrize("other", OTHERS)
async def test_an_id_that_the_file_has_for_another_content_is_refused(
    importer: ImportFixture, other: bytes
) -> None:
    outcome = await importer.take(line(), other)
    assert (outcome.refused, refusals(outcome)) == (True, [(2, None, "line 1 contradicts this")])
    assert await importer.recorder.head() == 0


async def test_lines_are_checked_against_the_rules_and_each_other(importer: ImportFixture) -> None:
    outcome = await importer.take(SUSPENSION, line(), line("b"), SUSPENSION, skip_refused=True)
    assert refusals(outcome) == [
        (1, "id", f"There is no {GALLIUM}: expected ExportControl.Announced first"),
        (
            3,
            "id",
            f"{GALLIUM} is recorded already: expected an amendment, or a retraction first".replace(
                "recorded", "announced"
            ),
        ),
    ]
    assert list(await importer.facts()) == ["a", "s"]


async def test_a_line_does_not_say_who_reviewed_it_nor_what_it_was_read_from(
    importer: ImportFixture,
) -> None:
    reviewed = announced(source=source() | {"reviewedBy": ["ann"]})
    read_from = announced(moreSources=[source() | {"snapshot": "a" * 64}])
    outcome = await importer.take(line("a", reviewed), line("b", read_from))
    assert [field for _, field, _ in refusals(outcome)] == [
        "data.source.reviewedBy",
        "data.moreSources.0.snapshot",
    ]


async def test_nothing_is_recorded_while_a_line_is_invalid_unless_it_is_skipped(
    importer: ImportFixture,
) -> None:
    elsewhere = line("c", claimed(1), FIGURE.replace("CN", "US"), "Figure.Claimed")
    unitless = CLAIM.replace(b'"unit":"t",', b"")
    lines = [line(), unitless, b"{\n", elsewhere]
    outcome = await importer.take(*lines)
    assert refusals(outcome) == [
        (2, "data.quantity.unit", "expected the field unit"),
        (3, None, "expected JSON: Input data was truncated"),
        (4, "series", "expected the series of figure/rare_earths/US/production/mine/2023"),
    ]
    assert (outcome.refused, await importer.recorder.head()) == (True, 0)
    skipped = await importer.take(*lines, skip_refused=True)
    assert (counts(skipped), list(await importer.facts())) == ({"new": 1, "refused": 3}, ["a"])


async def test_empty_lines_are_skipped_and_counted(importer: ImportFixture) -> None:
    outcome = await importer.take(b"\n", line(), b"  \r\n", b"{", b"")
    assert [line for line, _, _ in refusals(outcome)] == [4]


async def test_an_actor_may_be_founded_earlier_in_the_file_or_in_the_log(
    importer: ImportFixture,
) -> None:
    founded = line(
        "f", fact(Founded, "2021-03-12", name="Quad"), "alliance/quad", "Alliance.Founded"
    )
    made = [
        line(
            f"m{n}",
            fact(Made, "2025-07-01", kind="statement", title="Launch", actors=["quad"]),
            f"announcement/m{n}",
            "Announcement.Made",
        )
        for n in (1, 2)
    ]
    assert [reason for _, _, reason in refusals(await importer.take(*made))] == [
        "'quad' is not an actor: expected a place such as US, or an alliance that has been founded"
    ] * 2
    assert counts(await importer.take(founded, made[0])) == {"new": 2}
    assert counts(await importer.take(made[1])) == {"new": 1}


async def test_a_backslash_before_a_code_is_text_like_any_other(importer: ImportFixture) -> None:
    await importer.take(line(content=announced(title="\\u0000")))
    assert await importer.facts() == {"a": announced(title="\\u0000")}


@each_case(
    ("bad", "code", "path"),
    [
        (b"{", "INVALID_JSON", ()),
        (b"\xff\xfe", "INVALID_JSON", ()),
        (b'["a"]', "INVALID_INPUT", ()),
        (b'{"id":"a","type":"ExportControl.Announced"}', "FIELD_REQUIRED", ("data",)),
        (b'{"id":"","type":"Figure.Claimed","data":{}}', "INVALID_INPUT", ("id",)),
        (b'{"id":"a\\u0000","type":"Figure.Claimed","data":{}}', "INVALID_INPUT", ("id",)),
        (b'{"id":"a","type":"Figure.Claimed","data":{},"more":1}', "INVALID_INPUT", ("more",)),
        (b'{"id":"a","type":"Figure.Guessed","data":{}}', "UNKNOWN_TYPE", ("type",)),
        (b'{"id":"a","type":"Figure.Claimed","data":null}', "INVALID_INPUT", ("data",)),
        (b'{"id":"a","type":"Figure.Claimed","data":' + b"[" * 10**5, "INVALID_JSON", ()),
        (CLAIM.replace(b'"unit":"t",', b""), "UNIT_REQUIRED", ("data", "quantity", "unit")),
        (CLAIM.replace(b'"REO"', b'"\\u0000"'), "INVALID_INPUT", ("data",)),
        (CLAIM + b" " * MAX_ROW_BYTES, "TOO_LARGE", ()),
        (line(entity=None), "INVALID_INPUT", ("entity",)),
        (line(entity="alliance/quad"), "INVALID_INPUT", ("entity",)),
        (line(entity="treaty/a"), "INVALID_INPUT", ("entity",)),
        (line(entity="export-control/\0"), "INVALID_ID", ("entity",)),
        (line(entity="export-control/" + "x" * 500), "INVALID_ID", ("entity",)),
    ],
)
def test_a_line_that_can_not_be_read_is_refused_at_its_field(
    bad: bytes, code: str, path: tuple[str, ...]
) -> None:
    with pytest.raises(TrackerError) as caught:
        parse_line(bad)
    assert (caught.value.code, caught.value.path) == (code, path)


async def test_the_corpus_of_a_later_release_corrects_that_of_an_earlier_one(
    importer: ImportFixture,
) -> None:
    reader = replace(corpus_format.READER, corrects=True)
    path = importer.directory / "corpus.jsonl"
    for content in (line() + CLAIM, line("a", announced(title="Other")) + CLAIM):
        path.write_bytes(content)
        outcome = await import_file(importer.target, reader, File.at(path))
    assert counts(outcome) == {"corrected": 1, "unchanged": 1}
    assert list(await importer.facts()) == ["a", "c", "a~retracted", "a~2"]
    for content in (line(), line("a", announced(title="Other"))):
        assert counts(await importer.take(content)) == {"unchanged": 1}


# --- receipts


async def test_a_receipt_stands_right_behind_the_events_of_its_run(importer: ImportFixture) -> None:
    outcome = await importer.take(line(), SUSPENSION, line())
    *_, last = await importer.recorder.read()
    assert (last.position, last.fact) == (outcome.position, outcome.receipt)
    assert last.stream.startswith("import/")
    receipt = outcome.receipt
    path = importer.directory / "facts.jsonl"
    assert (receipt.file, receipt.sha256, receipt.size) == (
        "facts.jsonl",
        File.at(path).sha256(),
        path.stat().st_size,
    )
    assert (receipt.reader, receipt.reader_version, receipt.events) == ("corpus", "1", 2)


async def test_a_run_without_news_has_a_receipt_as_well(importer: ImportFixture) -> None:
    await importer.take(line())
    again = await importer.take(line())
    assert (again.receipt.events, again.position, counts(again)) == (0, 3, {"unchanged": 1})


async def test_counts_are_exact_where_lists_are_bounded(importer: ImportFixture) -> None:
    places: list[tuple[str, int]] = []
    outcome = await importer.read(
        *(RefusedItem(SourceLocation(n), f"reason {n % 30}", "text\0" * 100) for n in range(5000)),
        listen=lambda came, at, code, reason, text: places.append((came, at.line)),
    )
    receipt = outcome.receipt
    assert receipt.counts.refused == 5000 == sum(reason.count for reason in receipt.reasons)
    assert (len(receipt.refused), receipt.reasons[-1].reason) == (20, "other reasons")
    assert places == [("refused", n) for n in range(5000)]


async def test_a_receipt_has_room_for_the_worst_of_texts(importer: ImportFixture) -> None:
    worst = '\U0001f600"\0\ud800' * 300
    outcome = await importer.read(
        *(RefusedItem(SourceLocation(n, worst), f"{n} {worst}", worst) for n in range(100))
    )
    assert outcome.position == 1
    assert len(outcome.receipt.refused) == 20


async def test_a_receipt_can_neither_be_retracted_nor_imported(importer: ImportFixture) -> None:
    outcome = await importer.take(line())
    *_, last = await importer.recorder.read()
    forged = await importer.take(format_line("x", "Import.Recorded", outcome.receipt, "import/x"))
    assert refusals(forged) == [
        (1, "type", "expected a fact: receipts are recorded by imports only")
    ]
    with pytest.raises(InvalidInput, match="a receipt stays"):
        await Commands(importer.recorder).retract(last.event_id, "no", announced().source)


async def test_a_state_with_receipts_replays_to_the_same_digest(
    services: Services, target: Target, tmp_path: Path
) -> None:
    importer = ImportFixture(target, services.recorder, tmp_path)
    outcome = await importer.take(line(), CLAIM)
    assert outcome.position == 3
    await services.projector.reach(3)
    world = ReplayState()
    async for event in services.recorder.read_all(3):
        world.add(event)
    moment = Moment(outcome.receipt.public_on, 3)
    assert await services.as_of.digest(moment) == world.digest(moment.valid_at, 3)


async def test_a_write_meanwhile_makes_a_run_fail_as_a_whole(
    importer: ImportFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Staging.append

    async def late(*arguments: Any) -> int:
        await importer.recorder.append([decide(rehydrate(GALLIUM, []), OTHER, ())])
        return await append(*arguments)

    monkeypatch.setattr(Staging, "append", late)
    with pytest.raises(VersionConflict):
        await importer.take(CLAIM, line())
    assert list(await importer.facts()) == ["other"]


OTHER = PlannedEvent(GALLIUM, announced(title="Other"), "other")


async def test_a_file_that_changes_while_it_is_read_is_refused(importer: ImportFixture) -> None:
    path = importer.directory / "facts.jsonl"

    def read(file: File) -> Any:
        yield from corpus_format.READER.read(file)
        path.write_bytes(CLAIM)

    path.write_bytes(line())
    with pytest.raises(InvalidInput, match="changed while it was read"):
        await import_file(importer.target, replace(corpus_format.READER, read=read), File.at(path))
    assert await importer.recorder.head() == 0


# --- editions, corrections, doubts


async def test_a_next_edition_restates_and_overwrites_nothing(importer: ImportFixture) -> None:
    await importer.read(cell(240_000))
    later = cell(255_000, id="later", edition="MCS 2025", published_on="2025-01-31")
    outcome = await importer.read(later)
    [difference] = outcome.differences
    assert (counts(outcome), difference.before) == ({"restated": 1}, claimed(240_000))
    assert list(await importer.facts()) == ["row", "later"]


async def test_a_row_that_moved_in_its_file_is_unchanged(importer: ImportFixture) -> None:
    await importer.read(cell(1))
    moved = cell(1, line=99)
    content = moved.planned.fact
    assert isinstance(content, Fact)
    source = structs.replace(content.source, reference="line 99")
    planned = replace(moved.planned, fact=structs.replace(content, source=source))
    assert counts(await importer.read(replace(moved, planned=planned))) == {"unchanged": 1}


async def test_a_row_that_now_reads_otherwise_is_corrected_by_retraction(
    importer: ImportFixture,
) -> None:
    await importer.read(cell(1))
    outcome = await importer.read(cell(1000), version="2")
    assert counts(outcome) == {"corrected": 1}
    facts = await importer.facts()
    assert list(facts) == ["row", "row~retracted", "row~2"]
    retraction = facts["row~retracted"]
    assert isinstance(retraction, Retracted)
    assert retraction.reason == (
        "Reader test 2 reads line 2, value otherwise in table.csv than reader test 1"
    )
    assert facts["row~2"] == claimed(1000)
    assert counts(await importer.read(cell(1000), version="2")) == {"unchanged": 1}
    assert counts(await importer.read(cell(5), version="3")) == {"corrected": 1}
    assert list(await importer.facts())[3:] == ["row~2~retracted", "row~3"]


async def test_a_row_that_now_belongs_to_another_series_is_withdrawn_there(
    importer: ImportFixture,
) -> None:
    await importer.read(cell(1), cell(2, 3, id="stays", place="US"))
    moved = cell(1, id="moved", place="JP")
    outcome = await importer.read(moved, cell(2, 3, id="stays", place="US"), version="2")
    assert counts(outcome) == {"new": 1, "withdrawn": 1, "unchanged": 1}
    assert list(await importer.facts()) == ["row", "stays", "moved", "row~retracted"]
    again = await importer.read(moved, cell(2, 3, id="stays", place="US"), version="3")
    assert counts(again) == {"unchanged": 2}


async def test_a_reader_that_goes_back_to_its_first_reading_brings_the_fact_back(
    importer: ImportFixture,
) -> None:
    await importer.read(cell(1))
    await importer.read(cell(1, id="moved", place="JP"), version="2")
    assert counts(await importer.read(cell(1), version="3")) == {"corrected": 1, "withdrawn": 1}
    assert list(await importer.facts())[2:] == ["row~retracted", "row~2", "moved~retracted"]
    assert counts(await importer.read(cell(1), version="3")) == {"unchanged": 1}


@pytest.mark.parametrize("seed", range(8))
async def test_after_any_readings_of_a_file_what_stands_is_what_the_last_one_says(
    importer: ImportFixture, seed: int
) -> None:
    dice = Random(seed)
    for version in range(6):
        rows = [
            (line, dice.choice(("CN", "US", "JP", "AU")), dice.randint(1, 3))
            for line in range(2, 6)
            if dice.random() < 0.8
        ]
        told = [cell(value, line, id=f"row-{place}", place=place) for line, place, value in rows]
        await importer.read(*told, version=str(version))
        first = {place: value for _, place, value in reversed(rows)}
        assert await standing_values(importer) == first, (seed, version)


async def standing_values(importer: ImportFixture) -> dict[str, int]:
    """Return the effective values in the log, by place, each unique."""
    streams = [FIGURE.replace("CN", place) for place in ("CN", "US", "JP", "AU")]
    found = {}
    for stream, events in (await importer.recorder.read_streams(streams)).items():
        for known in effective_facts([event.known for event in events]):
            assert isinstance(known.fact, Claimed)
            assert stream.split("/")[2] not in found
            found[str(known.fact.series.place)] = int(known.fact.quantity.value or 0)
    return found


async def test_another_file_withdraws_nothing(importer: ImportFixture) -> None:
    await importer.read(cell(1))
    outcome = await importer.read(cell(2, id="other", place="US"), version="2", content="another")
    assert counts(outcome) == {"new": 1}


async def test_a_fact_retracted_by_a_person_is_not_restored(importer: ImportFixture) -> None:
    await importer.read(cell(1))
    await Commands(importer.recorder).record(FIGURE, retracted("row"))
    assert counts(await importer.read(cell(1), version="2")) == {"unchanged": 1}


async def test_a_client_can_not_keep_a_row_out_by_taking_its_id(importer: ImportFixture) -> None:
    commands = Commands(importer.recorder)
    await commands.record("export-control/x", announced(), idempotency_key="row", actor="client")
    assert counts(await importer.read(cell(1))) == {"new": 1}
    assert list(await importer.facts()) == ["row", "row~1"]
    assert counts(await importer.read(cell(1), version="2")) == {"unchanged": 1}
    assert counts(await importer.read(cell(2), version="3")) == {"corrected": 1}
    assert list(await importer.facts())[2:] == ["row~1~retracted", "row~2"]


async def test_a_client_can_not_keep_a_row_out_by_retracting_it_before(
    importer: ImportFixture,
) -> None:
    commands = Commands(importer.recorder)
    await commands.record(FIGURE, claimed(1), idempotency_key="row", actor="client")
    assert counts(await importer.read(cell(1))) == {"unchanged": 1}
    await commands.record(FIGURE, retracted("row"), actor="client")
    assert counts(await importer.read(cell(1), version="2")) == {"new": 1}
    assert await standing_values(importer) == {"CN": 1}


async def test_a_fact_recorded_by_a_client_under_the_id_of_a_row_is_not_retracted(
    importer: ImportFixture,
) -> None:
    other = claimed(9, publisher="bgs", edition="WMS")
    await Commands(importer.recorder).record(FIGURE, other, idempotency_key="row", actor="client")
    assert counts(await importer.read(cell(1))) == {"new": 1}
    assert list(await importer.facts()) == ["row", "row~1"]


@each_case("key", ["row~2", "row~retracted", "import-20261125T000000000000-abc", "~", "\u3164"])
async def test_ids_that_imports_give_are_not_for_clients(importer: ImportFixture, key: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await Commands(importer.recorder).record(FIGURE, claimed(1), idempotency_key=key)
    assert caught.value.path == ("idempotencyKey",)
    assert await importer.recorder.head() == 0


async def test_a_key_from_before_gives_its_first_result_again(importer: ImportFixture) -> None:
    planned = PlannedEvent(FIGURE, claimed(1), "old~2")
    await importer.recorder.append([decide(rehydrate(FIGURE, []), planned, ())])
    again = await Commands(importer.recorder).record(FIGURE, claimed(1), idempotency_key="old~2")
    assert (again.repeated, list(again.positions)) == (True, [1])
    await Commands(importer.recorder).retract("old~2", "it was an example", claimed(1).source)


async def test_a_correction_that_breaks_a_rule_changes_nothing(importer: ImportFixture) -> None:
    await importer.read(cell(1))
    await importer.read(cell(7, id="beside", version="2"), content="2")
    outcome = await importer.read(cell(8, version="2"), version="2", content="3")
    assert (counts(outcome), list(await importer.facts())) == ({"refused": 1}, ["row", "beside"])


async def test_a_claim_that_is_known_under_another_id_is_unchanged_or_refused(
    importer: ImportFixture,
) -> None:
    await importer.read(cell(240_000))
    assert counts(await importer.read(cell(240, id="kt", unit="kt"), content="2")) == {
        "unchanged": 1
    }
    outcome = await importer.read(cell(7, id="else"), content="3")
    assert refusals(outcome) == [
        (2, "value", "the event row has another value for this series and edition")
    ]
    assert not outcome.refused


async def test_contradictory_and_duplicate_rows_are_reported(importer: ImportFixture) -> None:
    outcome = await importer.read(cell(1, 2), cell(1, 3), cell(2, 4))
    assert counts(outcome) == {"new": 1, "repeated": 1, "refused": 1}
    assert refusals(outcome) == [(4, "value", "line 2 contradicts this")]


async def test_rows_far_apart_are_compared_as_well(importer: ImportFixture) -> None:
    many = [cell(n, n, id=f"row-{n}", year=1800 + n % 300, edition=f"E{n}") for n in range(2500)]
    outcome = await importer.read(*many, cell(1, 9000, id="row-0", year=1800, edition="E0"))
    assert refusals(outcome) == [(9000, "value", "line 0 contradicts this")]
    assert outcome.receipt.counts.items == 2501


@pytest.mark.parametrize(
    ("value", "unit", "suspect"),
    [
        (255_000, "t", 0),
        (255, "kt", 0),
        (255, "t", 1),
        (255_000, "kt", 1),
        (0, "t", 0),
        (2_399_000, "t", 0),
        (24_000_000, "t", 1),
    ],
)
async def test_a_figure_far_from_its_neighbour_is_suspect_and_recorded(
    importer: ImportFixture, value: int, unit: str, suspect: int
) -> None:
    await importer.read(cell(240_000))
    later = cell(value, id="later", edition="MCS 2025", published_on="2025-01-31", unit=unit)
    outcome = await importer.read(later)
    assert counts(outcome) == {"restated": 1, **({"suspect": 1} if suspect else {})}
    assert "later" in await importer.facts()
    reasons = [remark.reason for remark in outcome.receipt.suspects]
    assert all(reason.endswith("the figure of MCS 2024, 240000 t") for reason in reasons)
