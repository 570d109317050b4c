"""Expected states of the shipped corpus on some days; tests/truth has more."""

from datetime import date
from typing import Any

from projections.analysis.claims import choose
from projections.fold.timeline import timeline
from tests.support.corpus_lines import shipped_events
from tracker.domain.actors.alliance import AllianceState
from tracker.domain.actors.announcement import AnnouncementState
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.entities.entity import TYPES, RecordedFact
from tracker.domain.figures.figure import FigureState
from tracker.domain.figures.figure_facts import Claimed


def state(entity: str, day: str) -> Any:
    """Return the state of an entity on a day, or None."""
    known = [
        RecordedFact(position, planned.event_id, TYPES[type(planned.fact)], planned.fact)
        for position, planned in enumerate(shipped_events().values(), 1)
        if planned.stream == entity
    ]
    assert known, entity
    on = date.fromisoformat(day)
    return next((v.state for v in timeline(entity, known) if v.holds(on)), None)


def clause(instrument: str, day: str, id: str = "1") -> ClauseState:
    """Return a clause of an instrument on a day."""
    control: ExportControlState = state(f"export-control/{instrument}", day)
    return next(c for c in control.clauses if c.clause.id == id)


def claims(figure: str, day: str) -> dict[tuple[str, str], int | None]:
    """Return the claimed values of a figure on a day, by publisher and edition."""
    known: FigureState = state(f"figure/{figure}", day)
    return {
        (c.publisher, c.edition): None if c.quantity.value is None else int(c.quantity.value)
        for c in known.claims
    }


def test_a_fact_that_saw_no_flag_is_an_estimate_where_the_file_says_so() -> None:
    said = shipped_events()["usgs-mcs2025-rare-earths-mm-mine-2023"].fact
    assert isinstance(said, Claimed)
    assert said.quantity.estimated


def test_a_licence_is_absent_then_announced_then_in_force() -> None:
    assert state("export-control/cn-mofcom-2023-23", "2023-07-02") is None
    assert clause("cn-mofcom-2023-23", "2023-07-15", "gallium").status == "announced"
    assert clause("cn-mofcom-2023-23", "2023-08-02", "gallium").status == "in_force"


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
    abroad = clause("cn-mofcom-2025-61", day, "de-minimis")
    assert (abroad.status, abroad.clause.territory) == ("announced", "only_abroad")
    assert str(abroad.clause.de_minimis_percent) == "0.1"


def test_a_measure_without_a_date_stays_announced_until_it_is_in_force() -> None:
    assert clause("my-2023-ree", "2023-12-31").status == "announced"
    assert clause("my-2023-ree", "2024-01-01").status == "in_force"
    assert clause("ga-2025-mn", "2026-06-01").status == "announced"


def test_a_bill_says_how_far_it_is() -> None:
    assert clause("za-2025-chrome", "2026-06-01").status == "proposed"
    assert clause("us-232-pcmdp-2026", "2026-07-01").status == "negotiated"
    assert clause("us-232-copper-2025", "2027-02-01", "refined").status == "recommended"
    assert clause("us-232-pcmdp-2025", "2025-06-01").status == "in_force"
    assert clause("us-232-pcmdp-2025", "2026-02-01").status == "concluded"


def test_a_repealed_announcement_goes_on_in_the_unified_list() -> None:
    repealed = clause("cn-mofcom-2023-23", "2024-12-01", "gallium")
    assert (repealed.status, repealed.continued_in) == ("repealed", "cn-mofcom-2024-51")
    assert clause("cn-mofcom-2024-51", "2024-12-01", "gallium").status == "in_force"


def test_a_quota_of_a_year_is_in_force_in_its_year() -> None:
    batch = clause("cn-quota-2024-1", "2024-05-01", "1")
    assert (batch.status, batch.clause.quota_part) == ("in_force", "batch")
    assert clause("cn-quota-2024-1", "2025-01-01", "1").status == "expired"
    assert clause("cd-arecoms-2025-004", "2026-06-01", "quota-2026-base").status == "in_force"


def test_extensions_and_the_end_of_a_ban_follow_each_other() -> None:
    for day in ("2025-06-22", "2025-09-21", "2025-10-15"):
        assert clause("cd-2025-001", day).status == "in_force"
    assert clause("cd-2025-001", "2025-10-16").status == "expired"
    assert clause("cd-arecoms-2025-004", "2025-10-16", "quota-2025").status == "in_force"
    assert clause("cd-arecoms-2025-004", "2026-03-31", "quota-2025").status == "in_force"
    assert clause("cd-arecoms-2025-004", "2026-04-01", "quota-2025").status == "expired"


def test_a_quota_known_by_the_year_of_its_beginning_is_repealed_on_a_day() -> None:
    assert clause("cn-rare-earth-export-quotas", "2014-12-31").clause.in_force_from == "1999"
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


def test_a_firm_is_known_by_its_names() -> None:
    firm = state("firm/kabil", "2024-02-01")
    assert firm.place == "IN"
    assert "kabil" in firm.spellings


SUSPENDED_TO_NOVEMBER = {
    "cn-mofcom-2025-21": ("2026-11-09", "2026-11-10"),
    **dict.fromkeys(
        (f"cn-mofcom-2025-{n}" for n in ("55", "56", "57", "58", "61", "62")),
        ("2026-11-10", "2026-11-11"),
    ),
    "cn-mofcom-2024-46": ("2026-11-27", "2026-11-28"),
    "us-bis-2025-19001": ("2026-11-09", "2026-11-10"),
}
"""The last day of each suspension by its own text, and the day after."""


def test_a_statement_without_an_instrument_is_beside_the_status_and_not_in_it() -> None:
    for instrument, (last, next_day) in SUSPENDED_TO_NOVEMBER.items():
        before, after = (state(f"export-control/{instrument}", day) for day in (last, next_day))
        assert "suspended" in {c.status for c in before.clauses}, instrument
        assert "suspended" not in {c.status for c in after.clauses}, instrument
        stated = [c.contradiction(date.fromisoformat(next_day)) for c in after.clauses]
        if instrument == "cn-mofcom-2024-46":  # only the press counts it to the arrangement
            assert not any(stated)
            assert "10 January 2027" in after.disputes[-1].account
            continue
        assert {of.until for of in stated if of} == {"2027-01-10"}, instrument
        assert {of.on for of in stated if of} <= {"2026-09-24", "2026-09-28"}, instrument


def test_figures_on_which_sources_differ_are_a_range_of_both() -> None:
    vault: AnnouncementState = state("announcement/project-vault-2026-02-02", "2026-12-01")
    [private] = [one.quantity for one in vault.amounts if one.label == "private capital"]
    assert (private.qualifier, private.value, private.upper) == ("range", 1_670_000_000, 2 * 10**9)


def test_a_corrected_number_of_an_announcement_leaves_its_key() -> None:
    lists = {
        "cn-mofcom-2026-04-24-eu": "MOFCOM Announcement 2026 No. 20",
        "cn-mofcom-2026-06-22-us": "MOFCOM Announcement 2026 No. 23",
        "cn-mofcom-2026-28": "MOFCOM Announcement 2026 No. 27",
        "cn-mofcom-2026-06-29-watch": "MOFCOM Announcement 2026 No. 28",
        "cn-mofcom-2026-30": "MOFCOM Announcement 2026 No. 30",
    }
    for key, number in lists.items():
        assert state(f"export-control/{key}", "2026-08-01").instrument == number


def test_every_entity_on_a_chinese_list_of_2025_and_2026_is_named() -> None:
    counted = {
        planned.stream: clause
        for planned in shipped_events().values()
        if isinstance(planned.fact, Announced) and planned.fact.issuer == "CN"
        for clause in planned.fact.clauses
        if clause.entity_count and planned.fact.public_on >= date(2025, 1, 1)
    }
    assert sum(clause.entity_count or 0 for clause in counted.values()) >= 190
    for entity, clause in counted.items():
        assert len(clause.entities) == clause.entity_count, entity


def test_a_copy_of_an_act_is_not_taken_for_the_issuers_own_text() -> None:
    for event in ("cn-mofcom-2025-51", "us-232-polysilicon-2026", "us-232-copper-2025"):
        fact = shipped_events()[event].fact
        assert not any(source.verified for source in (fact.source, *fact.more_sources)), event
