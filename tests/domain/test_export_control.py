"""Export controls by the rules of the real world: three dates, clauses, suspensions that end."""

from datetime import date
from functools import partial
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import (
    announced,
    clause,
    decided_facts,
    fact,
    refused,
    retracted,
    state,
    suspended,
)
from tracker.domain.basics.codec import decode, encode
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import (
    Amended,
    Disputed,
    EnteredIntoForce,
    Expired,
    Extended,
    Reinstated,
    Repealed,
    SuspensionExtended,
)
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput, NotFound

STREAM = "export-control/gallium"
refusal = partial(refused, STREAM)


def control(day: str, *facts: Fact) -> ExportControlState | None:
    """Return the instrument on a day, from these facts."""
    found: ExportControlState | None = state(decided_facts(STREAM, *facts), STREAM, day)
    return found


def on(day: str, *facts: Fact, id: str = "1") -> ClauseState:
    """Return a clause on a day."""
    found = control(day, *facts)
    assert found
    return next(c for c in found.clauses if c.clause.id == id)


def statuses(days: list[str], *facts: Fact, id: str = "1") -> list[str]:
    """Return the statuses of a clause on some days."""
    return [on(day, *facts, id=id).status.value for day in days]


def reinstated(day: str, *clauses: str, on: str | None = None) -> Reinstated:
    """Return the end of a suspension."""
    return fact(Reinstated, on or day, clauses=clauses, reinstatedFrom=day)


def extended_suspension(on: str, until: str | None, *clauses: str) -> SuspensionExtended:
    """Return a longer suspension."""
    return fact(SuspensionExtended, on, clauses=clauses, suspendedUntil=until)


def amended(on: str, *clauses: dict[str, Any], **more: Any) -> Amended:
    """Return an amendment."""
    return fact(Amended, on, clauses=clauses, **more)


# --- announced, in force and recorded are three dates


def test_a_control_is_unknown_before_it_is_announced_and_in_force_from_its_own_day() -> None:
    gabon = announced(clause(inForceFrom="2029-01-01"), on="2025-05-31")
    assert control("2025-05-30", gabon) is None
    assert statuses(["2025-05-31", "2028-12-31", "2029-01-01"], gabon) == [
        "announced",
        "announced",
        "in_force",
    ]


def test_a_control_without_a_date_stays_announced_until_one_is_given() -> None:
    malaysia = announced(clause(inForceFrom=None), on="2025-08-01")
    given = fact(EnteredIntoForce, "2026-03-10", inForceFrom="2026-03-15")
    assert statuses(["2030-01-01"], malaysia) == ["announced"]
    assert statuses(["2026-03-14", "2026-03-15"], malaysia, given) == ["announced", "in_force"]
    assert on("2026-03-09", malaysia, given).clause.in_force_from is None


@each_case(
    ("start", "before", "first"),
    [("2029", "2028-12-31", "2029-01-01"), ("2026-02", "2026-01-31", "2026-02-01")],
)
def test_a_start_of_which_only_the_year_or_month_is_known_counts_from_its_first_day(
    start: str, before: str, first: str
) -> None:
    told = announced(clause(inForceFrom=start))
    assert statuses([before, first], told) == ["announced", "in_force"]
    assert on(first, told).clause.in_force_from == start


def test_a_rule_in_force_before_its_publication_is_so_from_its_publication() -> None:
    late = announced(clause(inForceFrom="2024-06-01"), on="2024-12-03")
    assert control("2024-12-02", late) is None
    assert on("2024-12-03", late).first_in_force == date(2024, 6, 1)


def test_a_control_that_only_others_report_is_marked_so() -> None:
    told = control("2025-01-01", announced(official=False))
    assert told
    assert not told.official


# --- each clause has a history of its own


def test_one_clause_is_suspended_while_another_is_not() -> None:
    mofcom_46 = announced(clause("1"), clause("2"))
    paused = suspended("2", start="2025-11-09", end="2026-11-27")
    assert statuses(["2025-11-10"], mofcom_46, paused, id="1") == ["in_force"]
    assert statuses(["2025-11-10"], mofcom_46, paused, id="2") == ["suspended"]


def test_clauses_of_one_instrument_begin_on_days_of_their_own() -> None:
    mofcom_61 = announced(
        clause("1", inForceFrom="2025-10-09"),
        clause("2", inForceFrom="2025-12-01"),
        on="2025-10-09",
    )
    assert statuses(["2025-10-09"], mofcom_61, id="1") == ["in_force"]
    assert statuses(["2025-11-30", "2025-12-01"], mofcom_61, id="2") == ["announced", "in_force"]


def test_an_act_that_names_no_clause_is_about_all_of_them() -> None:
    facts = announced(clause("1"), clause("2")), suspended()
    assert [on("2026-01-01", *facts, id=id).status for id in "12"] == ["suspended", "suspended"]


def test_partial_coverage_is_kept_as_it_was_told() -> None:
    told = on(
        "2025-01-01",
        announced(
            clause(
                commodities=["gallium", "germanium"],
                destinations=["US"],
                covers="technology",
                endUse="military",
                entities=["Acme"],
                entityCount=28,
                territory="only_abroad",
                deMinimisPercent="0.1",
                exemptions="humanitarian aid",
                ratePercent="25",
                quota={"unit": "t", "value": "1200", "basis": "gross weight"},
            )
        ),
    ).clause
    assert told.destinations == ("US",)
    assert (told.covers, told.end_use, told.entities) == ("technology", "military", ("Acme",))
    assert (told.entity_count, told.territory) == (28, "only_abroad")
    assert (str(told.de_minimis_percent), told.exemptions) == ("0.1", "humanitarian aid")
    assert told.quota
    assert (str(told.quota.value), told.quota.basis) == ("1200", "gross weight")


# --- a suspension carries its own end


def test_a_suspended_clause_returns_on_the_day_after_without_another_act() -> None:
    facts = announced(), suspended(start="2025-11-09", end="2026-11-27")
    assert statuses(["2025-11-08", "2025-11-09", "2026-11-27", "2026-11-28"], *facts) == [
        "in_force",
        "suspended",
        "suspended",
        "in_force",
    ]
    paused = on("2026-01-01", *facts)
    assert (paused.suspended_from, paused.suspended_until) == ("2025-11-09", "2026-11-27")
    assert paused.returns_on == date(2026, 11, 28)


def test_a_suspension_that_is_announced_ahead_is_seen_coming() -> None:
    facts = announced(), suspended(on="2025-10-30", start="2025-11-10")
    assert on("2025-10-29", *facts).suspended_from is None
    coming = on("2025-10-30", *facts)
    assert (coming.status, coming.suspended_from) == ("in_force", "2025-11-10")
    assert coming.returns_on is None


def test_of_several_suspensions_the_next_one_is_seen_coming() -> None:
    facts = (
        announced(),
        suspended(on="2025-01-10", start="2025-09-01", end="2025-09-30"),
        suspended(on="2025-01-11", start="2025-06-01", end="2025-06-30"),
    )
    assert on("2025-02-01", *facts).suspended_from == "2025-06-01"
    assert on("2025-07-15", *facts).suspended_from == "2025-09-01"


def test_a_suspension_until_further_notice_has_no_return() -> None:
    facts = announced(), suspended(end=None)
    assert statuses(["2025-11-09", "9999-12-31"], *facts) == ["suspended", "suspended"]
    assert on("2026-01-01", *facts).returns_on is None


def test_a_suspension_until_a_month_lasts_to_the_end_of_it() -> None:
    facts = announced(), suspended(end="2026-11")
    assert statuses(["2026-11-30", "2026-12-01"], *facts) == ["suspended", "in_force"]


def test_a_longer_suspension_is_known_from_its_announcement_on() -> None:
    facts = (
        announced(),
        suspended(end="2026-11-27"),
        extended_suspension("2026-11-20", "2027-05-31"),
    )
    assert on("2026-11-19", *facts).returns_on == date(2026, 11, 28)
    assert on("2026-11-20", *facts).returns_on == date(2027, 6, 1)
    assert statuses(["2026-11-28", "2027-05-31", "2027-06-01"], *facts) == [
        "suspended",
        "suspended",
        "in_force",
    ]


def test_a_clause_suspended_again_at_once_returns_after_the_last_suspension() -> None:
    facts = (
        announced(),
        suspended(start="2025-11-09", end="2026-11-27"),
        suspended(on="2026-11-01", start="2026-11-28", end="2027-11-27"),
    )
    assert on("2026-10-31", *facts).returns_on == date(2026, 11, 28)
    assert on("2026-11-01", *facts).returns_on == date(2027, 11, 28)
    assert statuses(["2026-11-28"], *facts) == ["suspended"]


def test_an_early_reinstatement_ends_the_suspension() -> None:
    facts = announced(), suspended(), reinstated("2026-03-01", on="2026-02-20")
    assert statuses(["2026-02-28", "2026-03-01"], *facts) == ["suspended", "in_force"]
    assert on("2026-02-19", *facts).returns_on == date(2026, 11, 28)
    assert on("2026-02-20", *facts).returns_on == date(2026, 3, 1)


def test_a_reinstatement_of_one_clause_leaves_the_others_suspended() -> None:
    facts = announced(clause("1"), clause("2")), suspended(), reinstated("2026-03-01", "1")
    assert [on("2026-03-01", *facts, id=id).status for id in "12"] == ["in_force", "suspended"]


def test_a_reinstatement_does_not_prolong_a_suspension_that_is_over() -> None:
    facts = (
        announced(),
        suspended(start="2025-01-01", end="2025-01-31"),
        suspended(on="2025-06-01", start="2025-06-10"),
        reinstated("2025-06-20", on="2025-06-02"),
    )
    assert statuses(["2025-06-05", "2025-06-10", "2025-06-20"], *facts) == [
        "in_force",
        "suspended",
        "in_force",
    ]


def test_a_suspension_called_off_before_it_begins_never_comes() -> None:
    facts = (
        announced(),
        suspended(on="2025-10-30", start="2025-11-10"),
        reinstated("2025-11-05", on="2025-11-04"),
    )
    assert on("2025-11-03", *facts).suspended_from == "2025-11-10"
    assert on("2025-11-04", *facts).suspended_from is None
    assert statuses(["2025-11-10"], *facts) == ["in_force"]


def test_a_suspension_extended_before_its_early_end_goes_on() -> None:
    facts = (
        announced(),
        suspended(),
        reinstated("2026-03-01", on="2026-01-10"),
        extended_suspension("2026-02-20", "2027-05-31"),
    )
    assert statuses(["2026-03-01", "2027-05-31", "2027-06-01"], *facts) == [
        "suspended",
        "suspended",
        "in_force",
    ]


def test_a_measure_suspended_before_it_starts_was_never_in_force_until_it_returns() -> None:
    mofcom_55 = announced(clause(inForceFrom="2025-11-08"), on="2025-10-09")
    facts = mofcom_55, suspended(start="2025-11-07", end="2026-11-10")
    assert statuses(["2025-11-06", "2025-11-07", "2025-11-08"], *facts) == [
        "announced",
        "suspended",
        "suspended",
    ]
    assert on("2026-11-10", *facts).first_in_force is None
    assert on("2026-11-11", *facts).first_in_force == date(2026, 11, 11)


def test_a_measure_that_starts_after_its_suspension_returns_to_being_announced() -> None:
    facts = (
        announced(clause(inForceFrom="2027-01-01"), on="2025-10-09"),
        suspended(start="2025-11-07", end="2026-11-10"),
    )
    assert statuses(["2026-11-10", "2026-11-11", "2027-01-01"], *facts) == [
        "suspended",
        "announced",
        "in_force",
    ]
    assert on("2026-01-01", *facts).returns_on == date(2027, 1, 1)


# --- ends


def test_a_clause_expires_after_its_last_day_unless_it_is_extended() -> None:
    congo = announced(clause(inForceUntil="2025-06-22"), on="2025-02-24")
    longer = fact(Extended, "2025-06-20", inForceUntil="2025-09-21")
    assert statuses(["2025-06-22", "2025-06-23"], congo) == ["in_force", "expired"]
    assert statuses(["2025-06-23", "2025-09-21", "2025-09-22"], congo, longer) == [
        "in_force",
        "in_force",
        "expired",
    ]
    assert on("2025-06-19", congo, longer).clause.in_force_until == "2025-06-22"


def test_an_extension_that_comes_late_revives_the_clause_from_its_publication_on() -> None:
    facts = (
        announced(clause(inForceUntil="2025-06-22")),
        fact(Extended, "2025-06-30", inForceUntil="2025-09-21"),
    )
    assert statuses(["2025-06-29", "2025-06-30"], *facts) == ["expired", "in_force"]


def test_an_end_that_is_reported_is_the_last_day() -> None:
    facts = announced(), fact(Expired, "2025-03-01", inForceUntil="2025-03-01")
    assert statuses(["2025-03-01", "2025-03-02"], *facts) == ["in_force", "expired"]


def test_a_repeal_ends_the_clause_for_good_even_while_it_is_suspended() -> None:
    facts = announced(), suspended(), fact(Repealed, "2026-01-10", repealedFrom="2026-02-01")
    assert statuses(["2026-01-31", "2026-02-01", "2026-11-28"], *facts) == [
        "suspended",
        "repealed",
        "repealed",
    ]
    assert on("2026-01-10", *facts).repealed_from == "2026-02-01"
    assert on("2026-01-10", *facts).returns_on is None


# --- amendments


def test_an_amendment_without_a_day_of_its_own_counts_at_once() -> None:
    facts = announced(title="Old"), amended("2025-05-01", clause(ratePercent="25"), title="New")
    before, after = control("2025-04-30", *facts), control("2025-05-01", *facts)
    assert before
    assert after
    assert (before.title, after.title) == ("Old", "New")
    assert [told.clauses[0].clause.rate_percent for told in (before, after)] == [None, 25]


def test_an_amendment_can_count_from_a_later_day() -> None:
    facts = announced(), amended("2025-05-01", clause(ratePercent="25"), effectiveFrom="2025-07-01")
    rates = [on(day, *facts).clause.rate_percent for day in ("2025-06-30", "2025-07-01")]
    assert rates == [None, 25]


def test_an_amendment_can_add_a_clause_and_leaves_the_others_as_they_are() -> None:
    facts = (
        announced(clause("1"), clause("2")),
        suspended("1"),
        amended("2026-01-01", clause("3", inForceFrom="2026-02-01")),
    )
    assert [on("2026-02-01", *facts, id=id).status for id in "123"] == [
        "suspended",
        "in_force",
        "in_force",
    ]


def test_a_suspension_outlasts_an_amendment() -> None:
    facts = announced(), suspended(), amended("2026-01-01", clause(ratePercent="25"))
    assert statuses(["2026-01-01", "2026-11-27", "2026-11-28"], *facts) == [
        "suspended",
        "suspended",
        "in_force",
    ]


def test_a_later_amendment_that_counts_earlier_takes_the_place_of_the_one_to_come() -> None:
    facts = (
        announced(),
        amended("2025-03-01", clause(ratePercent="10"), effectiveFrom="2026-01-01"),
        amended("2025-06-01", clause(ratePercent="25")),
    )
    rates = [
        on(day, *facts).clause.rate_percent for day in ("2025-05-31", "2025-06-01", "2026-01-01")
    ]
    assert rates == [None, 25, 25]


def test_an_end_counts_at_once_though_another_wording_is_still_to_come() -> None:
    facts = (
        announced(),
        amended("2025-03-01", clause(ratePercent="10"), effectiveFrom="2026-01-01"),
        fact(Expired, "2025-06-01", inForceUntil="2025-06-01"),
    )
    assert statuses(["2025-06-01", "2025-06-02", "2026-01-01"], *facts) == [
        "in_force",
        "expired",
        "expired",
    ]


def test_a_start_of_a_new_wording_says_nothing_about_the_one_before() -> None:
    facts = (
        announced(clause(inForceFrom="2024-12-03")),
        amended("2025-03-01", clause(inForceFrom=None)),
        fact(EnteredIntoForce, "2025-07-01", inForceFrom="2025-07-01"),
    )
    assert statuses(["2025-02-28", "2025-03-01", "2025-07-01"], *facts) == [
        "in_force",
        "announced",
        "in_force",
    ]
    assert on("2025-07-01", *facts).first_in_force == date(2024, 12, 3)


# --- sources that disagree


def test_another_account_stands_beside_the_instrument_and_changes_nothing_of_it() -> None:
    account = fact(
        Disputed,
        "2025-10-20",
        account="Only gallium was meant",
        judged="not followed",
        commodities=["gallium"],
    )
    told = control("2025-10-20", announced(), account)
    assert told
    assert [(d.account, d.judged, d.commodities) for d in told.disputes] == [
        ("Only gallium was meant", "not followed", ("gallium",))
    ]
    assert told.disputes[0].source == account.source
    assert told.clauses == control("2025-10-20", announced()).clauses  # type: ignore[union-attr]


def test_a_state_names_every_fact_behind_it() -> None:
    told = control(
        "2026-01-01", announced(), suspended(), reinstated("2026-03-01", on="2026-02-01")
    )
    assert told
    assert [(b.position, b.type) for b in told.because] == [
        (1, "ExportControl.Announced"),
        (2, "ExportControl.Suspended"),
    ]


def test_a_suspension_recorded_late_counts_from_its_own_day_in_valid_time() -> None:
    facts = announced(), fact(Repealed, "2027-01-01", repealedFrom="2027-01-01"), suspended()
    assert statuses(["2026-01-01", "2026-12-01", "2027-01-01"], *facts) == [
        "suspended",
        "in_force",
        "repealed",
    ]


def test_a_clause_is_not_extended_by_a_suspension_that_was_not_yet_recorded() -> None:
    early = extended_suspension("2025-11-01", "2027-01-01")
    assert refusal(announced(), suspended(start="2025-11-09"), early).code == "NOT_SUSPENDED"


def test_acts_that_contradict_each_other_once_another_is_retracted_still_have_a_state() -> None:
    facts = (
        announced(clause(inForceFrom="2025-01-01", inForceUntil="2025-12-31")),
        fact(Extended, "2025-06-01", inForceUntil="2027-12-31"),
        fact(EnteredIntoForce, "2025-07-01", inForceFrom="2026-06-01"),
    )
    assert statuses(["2026-06-01"], *facts) == ["in_force"]
    assert statuses(["2025-12-31", "2026-06-01"], *facts, retracted("e2")) == [
        "announced",
        "expired",
    ]
    left = on("2026-06-01", *facts, retracted("e2"))
    assert decode(ClauseState, encode(left)) == left


def test_an_extension_of_a_retracted_suspension_does_not_prolong_an_earlier_one() -> None:
    facts = (
        announced(),
        suspended(start="2025-01-01", end="2025-01-31"),
        suspended(start="2025-11-09"),
        extended_suspension("2025-12-01", "2027-01-01"),
    )
    assert statuses(["2026-12-31"], *facts) == ["suspended"]
    assert statuses(["2026-12-31"], *facts, retracted("e3")) == ["in_force"]


def test_nothing_is_amended_on_a_day_before_the_announcement_as_it_was_corrected() -> None:
    added = amended("2024-12-10", clause("2"), title="Before it was announced")
    *_, later = decided_facts(STREAM, announced(on="2025-01-15"))
    known = [*decided_facts(STREAM, announced(), added)[1:], later]
    found = state(known, STREAM, "2025-02-01")
    assert [item.clause.id for item in found.clauses] == ["1"]
    assert found.title == "Gallium to the US"


def test_an_announcement_corrected_in_the_log_keeps_the_acts_of_its_day() -> None:
    facts = (
        announced(on="2025-11-09"),
        suspended(start="2025-11-09"),
        retracted("e1"),
        announced(on="2025-11-09", title="Corrected"),
    )
    assert statuses(["2025-11-09"], *facts) == ["suspended"]


@each_case(
    "act",
    [
        suspended("9"),
        reinstated("2026-01-01", "9"),
        fact(Repealed, "2026-01-01", clauses=["9"], repealedFrom="2026-01-01"),
    ],
)
def test_an_act_about_an_unknown_clause_is_refused(act: Fact) -> None:
    error = refusal(announced(clause("1"), clause("2")), act)
    assert (error.code, error.path) == ("UNKNOWN_CLAUSE", ("clauses", 0))
    assert "expected one of 1, 2" in error.message


def test_an_act_about_a_clause_that_is_added_only_later_is_refused() -> None:
    facts = announced(), amended("2026-01-01", clause("2"))
    assert refusal(*facts, suspended("2", start="2025-11-09")).code == "UNKNOWN_CLAUSE"


@each_case("act", [reinstated("2026-01-01"), extended_suspension("2026-01-01", "2027-01-01")])
@each_case("before", [(), (suspended(start="2025-01-01", end="2025-12-31"),)])
def test_a_clause_that_is_not_suspended_cannot_be_reinstated_or_extended(
    act: Fact, before: tuple[Fact, ...]
) -> None:
    error = refusal(announced(), *before, act)
    assert (error.code, error.path) == ("NOT_SUSPENDED", ("clauses",))


@each_case("day", ["2026-11-28", "2026-11"])
def test_a_reinstatement_may_confirm_the_return_that_was_announced(day: str) -> None:
    facts = announced(), suspended(end="2026-11-27"), reinstated(day, on="2026-11-20")
    assert statuses(["2026-11-28"], *facts) == ["in_force"]


def test_a_reinstatement_after_the_return_that_was_announced_is_refused() -> None:
    late = reinstated("2026-11-29", on="2026-11-20")
    error = refusal(announced(), suspended(end="2026-11-27"), late)
    assert (error.code, error.path) == ("RETURNS_EARLIER", ("reinstatedFrom",))
    assert "2026-11-28" in error.message
    for longer in (
        extended_suspension("2026-11-19", "2026-12-31"),
        suspended(on="2026-11-19", start="2026-11-28", end=None),
    ):
        facts = announced(), suspended(end="2026-11-27"), longer, late
        assert statuses(["2026-11-28", "2026-11-29"], *facts) == ["suspended", "in_force"]


def test_an_end_before_its_start_is_refused() -> None:
    for act in (
        fact(Extended, "2025-01-01", inForceUntil="2024-01-01"),
        fact(Expired, "2025-01-01", inForceUntil="2024-01-01"),
    ):
        error = refusal(announced(), act)
        assert (error.code, error.path) == ("END_BEFORE_START", ("inForceUntil",))
    with pytest.raises(InvalidInput, match="before the start") as caught:
        suspended(start="2025-11-09", end="2025-11-08")
    assert caught.value.path == ("suspendedUntil",)


def test_a_suspension_can_not_be_moved_to_end_before_it_starts() -> None:
    error = refusal(announced(), suspended(), extended_suspension("2025-12-01", "2025-01-01"))
    assert (error.code, error.path) == ("END_BEFORE_START", ("suspendedUntil",))


def test_an_instrument_is_announced_once() -> None:
    error = refusal(announced(), announced())
    assert (error.code, error.path) == ("ALREADY_EXISTS", ("id",))


@each_case("act", [suspended(), amended("2025-01-01", clause())])
def test_nothing_follows_before_an_announcement(act: Fact) -> None:
    assert isinstance(refusal(act), NotFound)


@each_case(
    "act",
    [
        suspended(start="2024-12-02"),
        amended("2024-12-02", clause("2")),
        fact(Repealed, "2024-12-02", repealedFrom="2025-01-01"),
    ],
)
def test_nothing_can_be_done_to_a_control_on_a_day_before_it_is_announced(act: Fact) -> None:
    error = refusal(announced(on="2024-12-03"), act)
    assert (error.code, error.path) == ("NOT_ANNOUNCED", ("on",))


def test_an_amendment_words_each_clause_once() -> None:
    with pytest.raises(InvalidInput, match="each id once"):
        amended("2025-01-01", clause("2"), clause("2"))


def test_the_earliest_days_of_the_calendar_are_days_like_others() -> None:
    facts = (
        announced(clause(inForceFrom="0001"), on="0001"),
        suspended(start="0001", end=None),
        reinstated("0001"),
    )
    assert statuses(["0001-01-01"], *facts) == ["in_force"]


def test_an_act_that_says_again_from_when_a_clause_is_in_force_does_not_reach_back() -> None:
    again = fact(EnteredIntoForce, "2025-03-02", inForceFrom="2025-03-01")
    for start, reaches_back in (("2025-03-01", False), ("2025-03-05", True), (None, True)):
        opening = announced(clause("1", inForceFrom=start), on="2025-01-01")
        told = state(
            decided_facts("export-control/x", opening, again), "export-control/x", "2025-04-01"
        )
        assert told.clauses[0].retroactive is reaches_back
