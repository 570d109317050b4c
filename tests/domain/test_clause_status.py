"""Status of a clause on a day: yearly quotas, drafts, ends without a repeal."""

from datetime import date
from typing import Any

import pytest

from tests.domain.test_export_control import (
    amended,
    control,
    extended_suspension,
    on,
    refusal,
    statuses,
)
from tests.support.cases import each_case
from tests.support.fact_builders import announced, clause, fact, suspended
from tracker.domain.controls.export_control_acts import (
    Discontinued,
    EnteredIntoForce,
    Expired,
    Extended,
    Merged,
    Reinstated,
    Repealed,
    Suspended,
)
from tracker.domain.entities.fact import Fact
from tracker.domain.entities.recordable import check_recordable
from tracker.errors import InvalidInput


def quota(period: str = "2026", **more: Any) -> dict[str, Any]:
    """Return a quota of a period, without a first day of its own."""
    amount = {"unit": "t", "value": "96600"}
    return clause(measure="quota", quota=amount, period=period, inForceFrom=None, **more)


def discontinued(outcome: str, day: str, *clauses: str) -> Discontinued:
    """Return the end of clauses without a repeal."""
    return fact(Discontinued, day, clauses=clauses, discontinuedFrom=day, outcome=outcome)


# --- quotas of a period


def test_a_quota_of_a_year_is_in_force_in_its_year() -> None:
    congo = announced(quota(), on="2025-09-21")
    assert statuses(["2025-12-31", "2026-01-01", "2026-12-31", "2027-01-01"], congo) == [
        "announced",
        "in_force",
        "in_force",
        "expired",
    ]
    assert on("2026-06-01", congo).first_in_force == date(2026, 1, 1)


def test_a_quota_of_a_month_is_in_force_in_its_month() -> None:
    march = announced(quota("2026-03"), on="2025-09-21")
    assert statuses(["2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01"], march) == [
        "announced",
        "in_force",
        "in_force",
        "expired",
    ]


def test_a_quota_that_may_be_carried_over_is_in_force_as_long() -> None:
    carried = announced(quota("2025", carryOverUntil="2026-03-31"), on="2025-09-21")
    assert statuses(["2026-01-01", "2026-03-31", "2026-04-01"], carried) == [
        "in_force",
        "in_force",
        "expired",
    ]


def test_a_quota_with_days_of_its_own_keeps_to_them() -> None:
    own = clause(
        measure="quota", quota={"unit": "t", "value": "1"}, period="2025", inForceFrom="2025-10-16"
    )
    assert statuses(
        ["2025-10-15", "2025-10-16", "2026-01-01"], announced(own, on="2025-09-21")
    ) == ["announced", "in_force", "expired"]


@each_case("stage", ["proposed", "recommended", "negotiated"])
def test_a_proposal_that_is_not_adopted_is_never_in_force(stage: str) -> None:
    draft = announced(clause(legalStage=stage, decisionDue="2026-06-30"))
    assert statuses(["2024-12-03", "2030-01-01"], draft) == [stage, stage]
    assert on("2030-01-01", draft).first_in_force is None


def test_an_amendment_or_an_entry_into_force_adopts_a_proposal() -> None:
    draft = announced(clause(legalStage="proposed", inForceFrom=None))
    adopted = amended("2025-03-01", clause(inForceFrom="2025-04-01"))
    entered = fact(EnteredIntoForce, "2025-03-01", inForceFrom="2025-04-01")
    for act in (adopted, entered):
        assert statuses(["2025-02-28", "2025-03-01", "2025-04-01"], draft, act) == [
            "proposed",
            "announced",
            "in_force",
        ]


# --- ends that are not repeal


@each_case("outcome", ["withdrawn", "lapsed", "concluded"])
def test_a_discontinued_proposal_names_the_reason(outcome: str) -> None:
    facts = (
        announced(clause("1", measure="investigation"), clause("2")),
        discontinued(outcome, "2025-06-01", "1"),
    )
    assert statuses(["2025-05-31", "2025-06-01"], *facts) == ["in_force", outcome]
    assert statuses(["2025-06-01"], *facts, id="2") == ["in_force"]
    ended = on("2025-06-01", *facts)
    assert (ended.discontinued_from, ended.repealed_from) == ("2025-06-01", None)


def test_a_proposal_that_lapses_is_not_a_proposal_any_more() -> None:
    facts = announced(clause(legalStage="proposed")), discontinued("lapsed", "2025-06-01")
    assert statuses(["2025-05-31", "2025-06-01"], *facts) == ["proposed", "lapsed"]


def test_a_clause_that_is_merged_is_repealed_and_says_where_it_goes_on() -> None:
    merged = fact(
        Merged, "2024-11-15", mergedFrom="2024-12-01", into="cn-mofcom-2024-51", clauses=["1"]
    )
    facts = announced(clause(inForceFrom="2023-08-01"), on="2023-07-03"), merged
    assert statuses(["2024-11-30", "2024-12-01"], *facts) == ["in_force", "repealed"]
    after = on("2024-12-01", *facts)
    assert (after.repealed_from, after.continued_in) == ("2024-12-01", "cn-mofcom-2024-51")
    assert on("2024-11-14", *facts).continued_in is None


# --- suspensions by length, and for single firms


def test_a_suspension_for_a_length_is_counted_from_its_first_day() -> None:
    paused = fact(Suspended, "2025-05-14", suspendedFrom="2025-05-14", suspendedFor="P90D")
    facts = announced(), paused
    assert statuses(["2025-05-13", "2025-05-14", "2025-08-11", "2025-08-12"], *facts) == [
        "in_force",
        "suspended",
        "suspended",
        "in_force",
    ]
    told = on("2025-06-01", *facts)
    assert (told.suspended_for, told.suspended_until) == ("P90D", "2025-08-11")
    assert told.returns_on == date(2025, 8, 12)


def test_a_suspension_has_a_length_or_an_end() -> None:
    with pytest.raises(InvalidInput) as caught:
        fact(
            Suspended,
            "2025-05-14",
            suspendedFrom="2025-05-14",
            suspendedFor="P90D",
            suspendedUntil="2025-08-11",
        )
    assert caught.value.path == ("suspendedFor",)


def for_firms(*firms: str, start: str = "2025-05-14", **more: Any) -> Suspended:
    """Return a suspension for some firms."""
    return fact(Suspended, start, suspendedFrom=start, entities=firms, **more)


def test_a_suspension_for_single_firms_leaves_the_clause_in_force() -> None:
    facts = announced(), for_firms("Acme", suspendedFor="P90D"), for_firms("Beta")
    assert statuses(["2025-05-14", "2025-08-12"], *facts) == ["in_force", "in_force"]
    both = on("2025-05-14", *facts).partial_suspensions
    assert [(s.entities, s.suspended_until) for s in both] == [
        (("Acme",), "2025-08-11"),
        (("Beta",), None),
    ]
    assert [s.entities for s in on("2025-08-12", *facts).partial_suspensions] == [("Beta",)]
    assert on("2025-05-13", *facts).partial_suspensions == ()


def test_a_reinstatement_ends_suspensions_for_single_firms_too() -> None:
    facts = (
        announced(),
        for_firms("Acme"),
        fact(Reinstated, "2025-06-01", reinstatedFrom="2025-07-01"),
    )
    assert [s.suspended_until for s in on("2025-06-30", *facts).partial_suspensions] == [
        "2025-06-30"
    ]
    assert on("2025-07-01", *facts).partial_suspensions == ()


def test_an_act_that_reaches_back_is_retroactive_and_the_days_before_it_stay_as_they_were() -> None:
    cobalt = announced(clause(inForceFrom="2025-02-22"), on="2025-02-25")
    assert control("2025-02-24", cobalt) is None
    told = on("2025-02-25", cobalt)
    assert (told.retroactive, told.first_in_force) == (True, date(2025, 2, 22))


def test_an_amendment_that_keeps_the_first_day_does_not_make_it_retroactive() -> None:
    facts = (
        announced(clause("1", inForceFrom="2024-12-03")),
        amended("2025-03-01", clause("1", inForceFrom="2024-12-03", ratePercent="25")),
        amended("2025-04-01", clause("2", inForceFrom="2025-01-01")),
    )
    assert [on("2025-04-01", *facts, id=id).retroactive for id in "12"] == [False, True]


def test_an_entry_into_force_recorded_late_is_retroactive() -> None:
    facts = (
        announced(clause(inForceFrom=None)),
        fact(EnteredIntoForce, "2025-03-10", inForceFrom="2025-03-01"),
    )
    assert on("2025-03-10", *facts).retroactive


@each_case(
    ("more", "path", "code"),
    [
        ({"itemsComplete": True}, "itemsComplete", "FIELD_REQUIRED"),
        ({"quotaPart": "batch"}, "quotaPart", "FIELD_REQUIRED"),
        ({"carryOverUntil": "2026-03-31"}, "carryOverUntil", "FIELD_REQUIRED"),
        ({"endCondition": "peace"}, "endCondition", "FIELD_REQUIRED"),
        ({"rateUpToPercent": "15"}, "rateUpToPercent", "INVALID_RANGE"),
        ({"ratePercent": "15", "rateUpToPercent": "5"}, "rateUpToPercent", "INVALID_RANGE"),
        ({"inForceUntil": "2027-01-01", "end": "open"}, "end", "INVALID_INPUT"),
        ({"rateSpecific": {"unit": "USD/t", "value": "-1"}}, "rateSpecific", "OUT_OF_RANGE"),
        ({"exceptions": [{"places": []}]}, "exceptions", "INVALID_INPUT"),
        (
            {"exceptions": [{"places": ["GB"], "exempt": True, "ratePercent": "25"}]},
            "exceptions",
            "INVALID_INPUT",
        ),
    ],
)
def test_a_field_that_says_nothing_without_another_is_refused(
    more: dict[str, Any], path: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_recordable(announced(clause(**more)))
    assert caught.value.code == code
    assert caught.value.path[:3] == ("clauses", 0, path)


def test_a_control_says_where_goods_go_or_where_they_come_from() -> None:
    aimed = clause(destinations=["US"]), clause(origins=["RU"])
    for direction, said, code, field in (
        ("import", aimed[0], "ORIGINS_EXPECTED", "destinations"),
        ("export", aimed[1], "DESTINATIONS_EXPECTED", "origins"),
        ("production", aimed[1], "DESTINATIONS_EXPECTED", "origins"),
    ):
        with pytest.raises(InvalidInput) as caught:
            check_recordable(announced(said, direction=direction))
        assert (caught.value.code, caught.value.path) == (code, ("clauses", 0, field))
        later = refusal(announced(direction=direction), amended("2025-01-01", said))
        assert (later.code, later.path) == (code, ("clauses", 0, field))


def test_imports_recorded_before_origins_existed_are_read_as_origins() -> None:
    old = announced(clause(destinations=["RU"]), direction="import")
    said = on("2025-01-01", old).clause
    assert (said.origins, said.destinations) == (("RU",), ())


def test_nothing_that_has_ended_is_suspended() -> None:
    for ended in (
        fact(Repealed, "2025-03-01", repealedFrom="2025-03-01"),
        discontinued("withdrawn", "2025-03-01"),
        fact(Merged, "2025-03-01", mergedFrom="2025-03-01", into="x"),
    ):
        error = refusal(announced(), ended, suspended(start="2025-03-01"))
        assert (error.code, error.path) == ("HAS_ENDED", ("clauses",))
        assert refusal(announced(), ended, suspended("1", start="2025-03-01")).code == "HAS_ENDED"
        assert statuses(["2025-02-15"], announced(), suspended(start="2025-02-01"), ended) == [
            "suspended"
        ]
    expired = announced(clause(inForceUntil="2025-02-28"))
    assert refusal(expired, suspended("1", start="2025-03-01")).code == "HAS_ENDED"


def test_an_act_about_all_clauses_leaves_those_alone_that_have_ended() -> None:
    facts = announced(clause("1"), clause("2", inForceUntil="2025-02-28")), suspended()
    assert [on("2026-01-01", *facts, id=id).status for id in "12"] == ["suspended", "expired"]


@each_case(
    "act",
    [
        fact(Extended, "2025-06-01", inForceUntil="2025-12-31"),
        fact(Expired, "2025-06-01", inForceUntil="2025-05-31"),
        fact(EnteredIntoForce, "2025-06-01", inForceFrom="2025-06-01"),
        fact(Repealed, "2025-02-01", repealedFrom="2025-06-01"),
        fact(Repealed, "2025-06-01", repealedFrom="2025-06-01"),
        fact(Merged, "2025-06-01", mergedFrom="2025-06-01", into="x"),
        discontinued("lapsed", "2025-06-01"),
    ],
)
def test_ended_clauses_stay_ended_when_an_act_is_about_all_clauses(act: Fact) -> None:
    both = announced(clause("1", inForceUntil="2025-12-30"), clause("2", inForceUntil="2025-01-15"))
    assert on("2025-07-01", both, act, id="2") == on("2025-07-01", both, id="2")
    assert on("2025-07-01", both, act, id="1") != on("2025-07-01", both, id="1")


def test_an_act_that_ends_all_clauses_from_an_earlier_day_ends_what_has_expired_since() -> None:
    both = announced(clause("1"), clause("2", inForceUntil="2025-02-28"))
    annulled = fact(Repealed, "2025-06-01", repealedFrom="2025-02-01")
    assert on("2025-06-01", both, annulled, id="2").status == "repealed"


def test_a_clause_ended_by_an_act_is_not_restored_by_another_end() -> None:
    repealed = fact(Repealed, "2024-12-20", repealedFrom="2025-01-01")
    again = fact(Repealed, "2025-06-01", clauses=["1"], repealedFrom="2025-07-01")
    lapsed = discontinued("lapsed", "2025-06-01", "1")
    for later in (again, lapsed):
        facts = announced(), repealed, later
        assert statuses(["2025-01-01", "2025-06-15", "2025-07-01"], *facts) == ["repealed"] * 3
        assert on("2025-07-01", *facts).repealed_from == "2025-01-01"


def test_an_end_that_is_still_to_come_can_be_put_off_and_one_that_has_come_can_be_moved_back() -> (
    None
):
    repealed = fact(Repealed, "2024-12-20", repealedFrom="2025-07-01")
    later = fact(Repealed, "2025-06-01", clauses=["1"], repealedFrom="2026-01-01")
    assert statuses(["2025-07-01", "2026-01-01"], announced(), repealed, later) == [
        "in_force",
        "repealed",
    ]
    merged = fact(Merged, "2025-09-01", mergedFrom="2025-07-01", into="x")
    assert on("2025-09-01", announced(), repealed, merged).continued_in == "x"
    annulled = fact(Repealed, "2025-09-01", repealedFrom="2025-03-01")
    assert on("2025-09-01", announced(), repealed, annulled).repealed_from == "2025-03-01"


def test_an_extension_does_not_shorten_a_wording_that_is_to_come() -> None:
    longer = amended("2025-03-01", clause(inForceUntil="2027-12-31"), effectiveFrom="2026-01-01")
    facts = announced(clause(inForceUntil="2025-06-30")), longer
    extended = fact(Extended, "2025-06-01", inForceUntil="2026-03-31")
    assert statuses(["2025-12-31", "2026-04-01"], *facts, extended) == ["in_force", "in_force"]
    expired = fact(Expired, "2025-06-01", inForceUntil="2026-03-31")
    assert statuses(["2025-12-31", "2026-04-01"], *facts, expired) == ["in_force", "expired"]


def test_an_extension_does_not_shorten() -> None:
    congo = announced(clause(inForceUntil="2025-06-22"))
    shorter = fact(Extended, "2025-03-01", inForceUntil="2025-06-21")
    error = refusal(congo, shorter)
    assert (error.code, error.path) == ("NOT_LONGER", ("inForceUntil",))
    assert "until 2025-06-22" in error.message
    same = fact(Extended, "2025-03-01", inForceUntil="2025-06-22")
    assert statuses(["2025-06-22"], congo, same) == ["in_force"]


@each_case(("end", "said"), [("2026-11-27", "2026-11-27"), (None, "further notice")])
def test_an_extension_of_a_suspension_does_not_shorten_it(end: str | None, said: str) -> None:
    error = refusal(
        announced(), suspended(end=end), extended_suspension("2026-01-01", "2026-11-26")
    )
    assert (error.code, error.path) == ("NOT_LONGER", ("suspendedUntil",))
    assert f"until {said}" in error.message
