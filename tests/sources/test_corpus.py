"""The corpus that ships: every researched fact is in it, it keeps all rules, it can be remade."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from projections.analysis.claims import choose
from projections.fold.timeline import timeline
from tracker.commands.commands import Order
from tracker.corpus import regenerate
from tracker.domain.alliance import AllianceState
from tracker.domain.clause import ClauseState
from tracker.domain.entity import TYPES, Known
from tracker.domain.export_control import ExportControlState
from tracker.domain.figure import Claimed, FigureState
from tracker.sources.reader import File
from tracker.sources.readers import researched
from tracker.sources.readers.corpus_format import parse_line, shipped_lines
from tracker.sources.readers.researched import alliances, announcements, controls, figures
from tracker.sources.readers.researched.figures import QUALIFIERS
from tracker.sources.readers.researched.instruments import JOINED
from tracker.sources.readers.researched.rows import PUBLISHED, Row, spoken

ORDERS = [parse_line(line) for line in shipped_lines()]
BY_ID = {order.event_id: order for order in ORDERS}

ALIASES = {fact: id for id, joined in JOINED.items() for fact in joined.clauses}
"""The lines of facts that are one clause of an instrument: their line has the instrument's id."""

OTHER_DAY = {"iea-conflict-2025-10": "2025-04-28", "sohu-qcmi-launch": "2025-07-07"}
"""Facts that count from the day of their source, because that is what they tell about."""


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[Row]:
    """The researched facts."""
    return list(researched.researched(File.at(shared_data / "facts.jsonl")))


def line_of(row: Row) -> Order:
    """The line of a fact."""
    return BY_ID[ALIASES.get(row.id, row.id)]


def lines_of(row: Row) -> Iterator[Order]:
    """All lines that a fact has become."""
    id = ALIASES.get(row.id, row.id)
    return (order for order in ORDERS if order.event_id.partition("+")[0] == id)


def opening_of(row: Row) -> Iterator[Order]:
    """The line that later acts of an instrument or an alliance need not repeat."""
    stream = line_of(row).stream
    if not stream.startswith("figure/"):
        yield next(order for order in ORDERS if order.stream == stream)


def state(entity: str, day: str) -> Any:
    """The state of an entity on a day, None before it has one."""
    known = [
        Known(position, order.event_id, TYPES[type(order.fact)], order.fact)
        for position, order in enumerate(ORDERS, 1)
        if order.stream == entity
    ]
    assert known, entity
    on = date.fromisoformat(day)
    return next((v.state for v in timeline(entity, known) if v.holds(on)), None)


def clause(instrument: str, day: str, id: str = "1") -> ClauseState:
    """A clause of an instrument on a day."""
    control: ExportControlState = state(f"export-control/{instrument}", day)
    return next(c for c in control.clauses if c.clause.id == id)


def claims(figure: str, day: str) -> dict[tuple[str, str], int | None]:
    """The values claimed for a figure on a day, by publisher and edition."""
    known: FigureState = state(f"figure/{figure}", day)
    return {
        (c.publisher, c.edition): None if c.quantity.value is None else int(c.quantity.value)
        for c in known.claims
    }


# --- the file


def test_every_line_parses_and_keeps_all_rules() -> None:
    regenerate.check(list(shipped_lines()))


def test_making_it_anew_gives_the_same_bytes(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "corpus.jsonl"
    assert regenerate.main(["--data", str(shared_data), "--output", str(made)]) == 0
    assert made.read_bytes() == b"".join(shipped_lines())
    assert "disagreement" not in capsys.readouterr().out


def test_lines_stand_in_the_order_of_publication() -> None:
    days = [order.fact.source.published_on.first for order in ORDERS]
    assert days == sorted(days)


def test_a_directory_without_facts_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "corpus.jsonl"
    assert regenerate.main(["--data", str(tmp_path / "none"), "--output", str(made)]) == 1
    assert "There is no facts.jsonl in" in capsys.readouterr().err
    assert not made.exists()


def test_a_line_that_breaks_a_rule_is_named() -> None:
    line = next(line for line in shipped_lines() if b"MemberJoined" in line)
    with pytest.raises(ValueError, match="expected a Founded first"):
        regenerate.check([line])
    with pytest.raises(ValueError, match="expected every id once"):
        regenerate.check([line, line])


# --- facts


def test_every_fact_is_there_with_its_source(rows: list[Row]) -> None:
    assert len(rows) == 274
    for row in rows:
        told, given = line_of(row).fact.source, row.source
        assert told.name == given.name
        assert told.published_on == PUBLISHED.get(given.name, given.date)
        assert told.verified is (given.check != "memory")
        assert (told.checked, told.url) == (given.check.replace(" ", "_"), given.url)
        assert told.reference == (given.reference and given.reference.removeprefix("raw/"))
        assert told.confidence == row.confidence
        assert not row.note or row.note.rstrip(".") in (line_of(row).fact.note or "")


def test_every_fact_counts_from_its_own_date(rows: list[Row]) -> None:
    for row in rows:
        on = date.fromisoformat(OTHER_DAY.get(row.id, row.date))
        assert line_of(row).fact.public_on == on, row.id


def test_no_fact_stands_before_the_one_it_builds_on(rows: list[Row]) -> None:
    place = {id: index for index, id in enumerate(BY_ID)}
    for row in rows:
        for link in ("of", "suspends", "amends", "restates", "same_as", "supersedes"):
            if target := row.details.get(link):
                assert place[ALIASES.get(row.id, row.id)] > place[ALIASES.get(target, target)]


def test_nothing_that_a_fact_says_is_lost(rows: list[Row]) -> None:
    streams = {row.id: line_of(row).stream for row in rows}
    for row in rows:
        said = list(
            leaves(
                [
                    msgspec.to_builtins(order.fact, enc_hook=str)
                    for order in (*lines_of(row), *opening_of(row))
                ]
            )
        )
        kind = streams[row.id].partition("/")[0]
        assert all(told(word, said) for word in row.commodities), row.id
        assert all(told(actor, [*said, streams[row.id]]) for actor in row.actors), row.id
        for key, value in row.details.items():
            if key in ("conflicts_with", "supersedes"):
                value = [streams[id] for id in leaves(value)]
            assert key in EXPRESSED[kind] or carried(kind, key, value, said), (row.id, key, value)


EXPRESSED = {
    "alliance": alliances.EXPRESSED,
    "announcement": announcements.EXPRESSED,
    "export-control": controls.EXPRESSED,
    "figure": figures.EXPRESSED,
}
"""How details are expressed that are not carried by a field or in words; see the tests below."""

WORDS = {
    "alliance": alliances.WORDS,
    "announcement": announcements.WORDS,
    "export-control": controls.CLAUSE_WORDS | controls.WORDS,
    "figure": {},
}
"""The details that are sentences of a note."""


def carried(kind: str, key: str, value: Any, said: list[str]) -> bool:
    """Whether a detail is a value, or a sentence, of what its lines say."""
    if value is None or value == ["*"] or (key == "rounded" and not value):
        return True
    if sentence := WORDS[kind].get(key):
        return any(sentence.format(spoken(value)) in leaf for leaf in said)
    if key == "qualifier":
        return QUALIFIERS[value] in said or told("its notes tell which one is meant", said)
    if (key, value) == ("stage", "reserves"):
        return not {"reserves", "reserves_share"}.isdisjoint(said)
    if key == "basis":
        return {word for word in value.split(" ", 1) if word} <= set(said)
    return set(leaves(value)) <= set(said)


def told(word: str, said: list[str]) -> bool:
    """Whether a word is a value, or stands in a longer one."""
    pattern = rf"(?<![\w.])({re.escape(word)}|{re.escape(word.replace('_', ' '))})(?!\w)"
    return any(re.search(pattern, leaf) for leaf in said)


def leaves(value: Any) -> Iterator[str]:
    """All values in nested data, as text."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    elif value is not None:
        yield str(value)


def test_links_between_facts_lead_to_the_same_entity(rows: list[Row]) -> None:
    by_id = {row.id: row for row in rows}
    for row in rows:
        for link in ("of", "suspends", "amends"):
            if target := row.details.get(link):
                assert line_of(row).stream == line_of(by_id[target]).stream
        if row.family == "production" and "reserves" not in row.id:
            for target in [row.details.get("restates"), *row.details.get("conflicts_with", ())]:
                assert target is None or line_of(row).stream == line_of(by_id[target]).stream


def test_suspended_measures_come_back_on_the_day_that_the_facts_give(rows: list[Row]) -> None:
    suspensions = [row for row in rows if "automatic_return" in row.details]
    assert len(suspensions) == 8
    for row in suspensions:
        control: ExportControlState = state(line_of(row).stream, row.date)
        meant = getattr(line_of(row).fact, "clauses", ()) or [c.clause.id for c in control.clauses]
        states = [c for c in control.clauses if c.clause.id in meant]
        assert {str(c.returns_on) for c in states} == {row.details["automatic_return"]}
        never = row.details.get("never_in_force", False)
        assert all(c.first_in_force is None for c in states) is never


def test_the_seed_article_is_there_claim_by_claim(rows: list[Row]) -> None:
    seed = [row for row in rows if row.source.check == "seed"]
    assert len(seed) == 17
    from_sohu = {order.event_id for order in ORDERS if order.fact.source.publisher == "sohu"}
    assert from_sohu == {row.id for row in seed}
    assert {BY_ID[id].fact.public_on for id in from_sohu} == {date(2025, 7, 7)}


def test_a_detail_without_a_place_in_the_corpus_is_refused(rows: list[Row]) -> None:
    for row in rows[:3]:
        other = msgspec.structs.replace(row, details={**row.details, "colour": "red"})
        with pytest.raises(ValueError, match="colour"):
            list(researched.entries([other]))


# --- what a fact and a file both state


def entry(
    value: int | None, unit: str, event_id: str, qualifier: str | None = None
) -> researched.Entry:
    """A claim of MCS 2024 on China's gallium."""
    claim = msgspec.convert(
        {
            "source": {"publisher": "usgs", "name": "MCS", "publishedOn": "2024-01-31"},
            "series": {
                "commodity": "gallium",
                "place": "CN",
                "statistic": "production",
                "stage": "primary",
                "period": 2023,
            },
            "edition": "MCS 2024",
            "quantity": {"unit": unit, "value": value, "qualifier": qualifier},
        },
        Claimed,
        dec_hook=lambda kind, text: kind(text),
    )
    return researched.Entry(event_id, claim.series.stream, claim, date(2024, 1, 31))


def test_a_fact_stays_where_a_file_states_the_same_in_another_unit() -> None:
    both = regenerate.merged([entry(600_000, "kg", "fact")], [entry(600, "t", "file")])
    assert [e.event_id for e in both.entries] == ["fact"]
    assert (both.stated, both.disagreements) == (1, [])


def test_a_fact_that_a_file_contradicts_is_reported() -> None:
    both = regenerate.merged([entry(600_000, "kg", "fact")], [entry(610, "t", "file")])
    assert [e.event_id for e in both.entries] == ["fact"]
    assert len(both.disagreements) == 1


def test_a_fact_that_found_nothing_stated_takes_what_the_file_says() -> None:
    both = regenerate.merged(
        [entry(None, "kg", "fact", "not_stated")], [entry(None, "kg", "file", "withheld")]
    )
    [only] = both.entries
    assert isinstance(only.fact, Claimed)
    assert (only.event_id, only.fact.quantity.qualifier) == ("fact", "withheld")


def test_a_fact_that_saw_no_flag_is_an_estimate_where_the_file_says_so() -> None:
    said = BY_ID["usgs-mcs2025-rare-earths-mm-mine-2023"].fact
    assert isinstance(said, Claimed)
    assert said.quantity.estimated


# --- what the corpus answers


def test_a_licence_is_absent_then_announced_then_in_force() -> None:
    assert state("export-control/cn-mofcom-2023-23", "2023-07-02") is None
    assert clause("cn-mofcom-2023-23", "2023-07-15").status == "announced"
    assert clause("cn-mofcom-2023-23", "2023-08-02").status == "in_force"


def test_one_clause_is_suspended_while_another_stays() -> None:
    course = {
        day: clause("cn-mofcom-2024-46", day, "2").status
        for day in ("2025-06-01", "2025-11-20", "2026-11-27", "2026-11-28")
    }
    assert list(course.values()) == ["in_force", "suspended", "suspended", "in_force"]
    suspended = clause("cn-mofcom-2024-46", "2025-11-20", "2")
    assert (suspended.suspended_until, suspended.returns_on) == ("2026-11-27", date(2026, 11, 28))
    assert {clause("cn-mofcom-2024-46", day).status for day in course} == {"in_force"}


def test_a_measure_suspended_before_its_start_was_never_in_force() -> None:
    for day in ("2025-10-09", "2025-11-07", "2025-11-08", "2026-11-10"):
        assert clause("cn-mofcom-2025-55", day).first_in_force is None
    assert clause("cn-mofcom-2025-55", "2026-11-11").first_in_force == date(2026, 11, 11)


def test_one_instrument_has_parts_with_their_own_dates() -> None:
    day = "2025-11-01"
    assert clause("cn-mofcom-2025-61", day, "originating-in-china").status == "in_force"
    abroad = clause("cn-mofcom-2025-61", day, "made-abroad")
    assert (abroad.status, abroad.clause.territory) == ("announced", "only_abroad")
    assert str(abroad.clause.de_minimis_percent) == "0.1"


def test_a_measure_without_a_date_stays_announced_until_it_is_in_force() -> None:
    assert clause("my-2023-ree", "2023-12-31").status == "announced"
    assert clause("my-2023-ree", "2024-01-01").status == "in_force"
    assert clause("za-2025-chrome", "2026-06-01").status == "announced"
    assert clause("us-232-pcmdp-2026", "2026-09-01").status == "announced"


def test_extensions_and_the_end_of_a_ban_follow_each_other() -> None:
    for day in ("2025-06-22", "2025-09-21", "2025-10-15"):
        assert clause("cd-2025-001", day).status == "in_force"
    assert clause("cd-2025-001", "2025-10-16").status == "expired"
    assert clause("cd-arecoms-2025-004", "2025-10-16", "quota-2025").status == "in_force"
    assert clause("cd-arecoms-2025-004", "2026-03-31", "quota-2025").status == "in_force"
    assert clause("cd-arecoms-2025-004", "2026-04-01", "quota-2025").status == "expired"


def test_a_quota_known_by_its_end_has_no_beginning() -> None:
    assert clause("cn-rare-earth-export-quotas", "2014-12-31").clause.in_force_from is None
    assert clause("cn-rare-earth-export-quotas", "2015-01-01").status == "repealed"


def test_another_account_of_an_instrument_stands_beside_it() -> None:
    assert state("export-control/cn-mofcom-2025-10", "2025-04-27").disputes == ()
    [dispute] = state("export-control/cn-mofcom-2025-10", "2025-04-28").disputes
    assert (dispute.source.publisher, dispute.judged) == ("iea", "wrong")
    assert "tin" in dispute.commodities


def test_output_is_restated_and_contested() -> None:
    output = "rare_earths/CN/production/mine/2023"
    for day, value in (("2024-06-01", 240_000), ("2025-06-01", 255_000)):
        known: FigureState = state(f"figure/{output}", day)
        assert choose(known, ()).claim.quantity.value == value
    assert claims(output, "2025-08-01")["sohu", "Sohu 2025-07-07"] == 210_000


def test_reserves_of_two_publishers_stand_side_by_side() -> None:
    reserves = claims("rare_earths/CN/reserves", "2025-08-01")
    assert reserves["sohu", "Sohu 2025-07-07"] == 52_000_000
    assert reserves["usgs", "MCS 2025"] == 44_000_000


def test_members_join_and_an_alliance_is_succeeded() -> None:
    def members(id: str, day: str) -> set[str]:
        known: AllianceState = state(f"alliance/{id}", day)
        return {member.place for member in known.members}

    assert "IN" not in members("msp", "2023-06-01")
    assert members("msp", "2023-07-01") >= {"IN", "IT", "NO"}
    assert len(members("msp", "2023-07-01")) == 14
    assert members("quad-critical-minerals-initiative", "2025-07-02") == {"US", "JP", "IN", "AU"}
    assert state("alliance/msp", "2026-02-04").succeeded_by == "forge"
    assert state("alliance/forge", "2026-02-04").replaces == "msp"


def test_an_announcement_is_superseded() -> None:
    assert state("announcement/us-in-tariff-50-2025", "2026-01-01").superseded_by is None
    later = state("announcement/us-in-tariff-50-2025", "2026-03-01")
    assert later.superseded_by == "announcement/us-in-tariff-18-2026"
