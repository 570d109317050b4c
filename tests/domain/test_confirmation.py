"""A status is confirmed by a record that names it, and by nothing else."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.fact_builders import (
    announced,
    clause,
    decided_facts,
    fact,
    source,
    state,
    suspended,
)
from tracker.domain.actors.announcement import Made
from tracker.domain.basics.control_vocabulary import ActKind, Confirmation, GroundKind
from tracker.domain.basics.values import DAY
from tracker.domain.controls.clause import ClauseState
from tracker.domain.controls.confirmation import Ground, Grounds, confirmation, control_record
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.export_control_acts import (
    Amended,
    Disputed,
    EnteredIntoForce,
    Expired,
    Extended,
    Repealed,
    SuspensionStated,
)
from tracker.domain.controls.status_statement import status_statement
from tracker.domain.entities.entity import RecordedFact
from tracker.domain.entities.fact import Fact
from tracker.domain.evidence.completeness import Reading

X = "export-control/x"
ACT_46 = announced(clause("1"), clause("2"), instrument="Announcement No. 46 of 2024")
SUSPENDED_BY_72 = fact(
    type(suspended()),
    "2025-11-09",
    clauses=["1"],
    suspendedFrom="2025-11-09",
    suspendedUntil="2026-11-27",
    instrument="Announcement No. 72 of 2025",
)
RETURN = "2026-11-28"
LATER = "2026-12-01"


def grounds(
    *facts: Fact,
    others: dict[str, Sequence[Fact]] | None = None,
    statements: Sequence[Fact] = (),
    readings: Sequence[Reading] = (),
    recorded_on: date = date.max,
) -> Grounds:
    """Return the records of the control X and of others."""
    streams = {X: facts, **(others or {})}
    records = {
        entity.partition("/")[2]: control_record(decided_facts(entity, *of), entity)
        for entity, of in streams.items()
    }
    made = [
        ("announcement/a", RecordedFact(90 + place, f"a{place}", "Announcement.Made", one))
        for place, one in enumerate(statements)
    ]
    known = {id: of._replace(recorded_on=recorded_on) for id, of in records.items() if of}
    return Grounds(known, made, readings)


def clause_on(day: str, *facts: Fact, id: str = "1") -> tuple[ExportControlState, ClauseState]:
    """Return the control X and one of its clauses on a day."""
    control: ExportControlState = state(decided_facts(X, *facts), X, day)
    return control, next(one for one in control.clauses if one.clause.id == id)


def found(day: str, *facts: Fact, id: str = "1", **more: Any) -> Confirmation:
    """Return the confirmation of a clause of the control X on a day."""
    on = clause_on(day, *facts, id=id)
    return confirmation(*on, date.fromisoformat(day), grounds(*facts, **more))


def ground(day: str, *facts: Fact, id: str = "1", **more: Any) -> Ground | None:
    """Return the record that confirms a clause of the control X on a day."""
    on = clause_on(day, *facts, id=id)
    return grounds(*facts, **more).confirmed_by(*on, date.fromisoformat(day))


def reading(
    last: str, *, complete: bool = False, first: str = "2024-01-01", **more: Any
) -> Reading:
    """Return days on which China's export controls were read."""
    days = date.fromisoformat(first), date.fromisoformat(last)
    fields = {"issuer": "CN", "acts": ActKind.EXPORT_CONTROL, "commodities": (), **more}
    return Reading(
        fields["issuer"],
        fields["acts"],
        fields["commodities"],
        *days,
        complete,
        "coverage/cn",
        50,
        None,
    )


def unread(of: type[Fact], on: str, **fields: Any) -> Any:
    """Return a fact from memory: no text of it was read."""
    return fact(of, on, source={**source(published_on=on), "checked": "memory"}, **fields)


def test_an_act_of_the_first_day_confirms_it() -> None:
    of = ground("2025-01-01", ACT_46)
    assert of is not None
    assert (of.kind, str(of.on), of.entity, of.position) == (GroundKind.ACT, "2024-12-03", X, 1)


def test_an_announced_first_day_needs_a_record_of_that_day_or_later() -> None:
    ahead = announced(clause(inForceFrom="2025-03-01"))
    assert found("2025-02-28", ahead) is Confirmation.CONFIRMED
    assert found("2025-03-01", ahead) is Confirmation.BY_TERMS
    entered = fact(EnteredIntoForce, "2025-03-02", inForceFrom="2025-03-01")
    assert found("2025-03-01", ahead, entered) is Confirmation.CONFIRMED


def test_a_text_that_was_read_later_confirms_it() -> None:
    for checked, confirmed in (("page", True), ("memory", False)):
        read = {**source(published_on="2025-03-05"), "checked": checked}
        ahead = announced(clause(inForceFrom="2025-03-01"), source=read)
        of = ground("2025-04-01", ahead)
        assert (of is not None and of.kind is GroundKind.TEXT) == confirmed


def test_a_source_that_lacks_a_clause_does_not_confirm_it() -> None:
    extended = fact(
        Extended,
        "2025-12-01",
        clauses=["1", "2"],
        inForceUntil="2026-12-31",
        source={**source("wto", published_on="2025-12-05"), "unsupported": ["clauses.1"]},
    )
    until = announced(clause("1", end="unknown"), clause("2", end="unknown"))
    assert found(LATER, until, extended, id="1") is Confirmation.CONFIRMED
    assert found(LATER, until, extended, id="2") is Confirmation.BY_TERMS


@each_case(
    ("instrument", "day", "expected"),
    [
        ("Licence catalogue for 2025", "2025-12-31", "confirmed"),
        ("Licence catalogue for 2025", "2026-01-01", "by_terms"),
        ("Tariff plan for 2025 and 2026", "2026-01-01", "confirmed"),
        ("Announcement 2025 No. 89", "2026-01-01", "confirmed"),
    ],
)
def test_an_act_for_a_year_confirms_no_status_of_a_later_year(
    instrument: str, day: str, expected: str
) -> None:
    yearly = announced(clause(inForceFrom="2025-01-01"), on="2025-01-01", instrument=instrument)
    assert found(day, yearly) == expected
    repealed = fact(Repealed, "2025-02-01", instrument=instrument, repealedFrom="2025-02-01")
    assert found(day, yearly, repealed) == "confirmed"  # an end stays an end


def test_an_end_of_unknown_date_needs_a_record_of_the_day_or_later() -> None:
    act = announced(clause(end="unknown"))
    amended = fact(Amended, "2025-06-01", clauses=[clause(end="unknown")])
    assert found("2025-05-01", act, amended) is Confirmation.CONFIRMED
    assert found("2025-06-02", act, amended) is Confirmation.BY_TERMS


@each_case("complete", [False, True])
def test_a_return_needs_complete_lists_and_an_entry_lists_in_part(complete: bool) -> None:
    readings = [reading("2026-11-30", complete=complete)]
    returned = found(LATER, ACT_46, SUSPENDED_BY_72, readings=readings)
    assert returned is (Confirmation.CONFIRMED if complete else Confirmation.BY_TERMS)
    ahead = unread(type(ACT_46), "2024-12-03", **ANNOUNCED_AHEAD)
    of = ground("2025-04-01", ahead, readings=readings)
    assert of is not None
    assert (of.kind, of.in_part) == (GroundKind.READING, not complete)


ANNOUNCED_AHEAD = {
    "issuer": "CN",
    "direction": "export",
    "title": "Gallium",
    "clauses": [clause(inForceFrom="2025-03-01")],
}


@each_case(
    "of",
    [
        reading("2026-11-27", complete=True),
        reading("2026-11-30", complete=True, issuer="US"),
        reading("2026-11-30", complete=True, acts=ActKind.ENTITY_LIST),
        reading("2026-11-30", complete=True, commodities=("copper",)),
        reading("2026-11-30", complete=True, first="2026-01-01"),
    ],
)
def test_lists_that_could_not_have_a_prolongation_confirm_no_return(of: Reading) -> None:
    assert found(LATER, ACT_46, SUSPENDED_BY_72, readings=[of]) is Confirmation.BY_TERMS


def test_an_expiry_and_a_return_are_confirmed_by_an_act_that_names_the_clause() -> None:
    ended = announced(clause(inForceUntil="2025-12-31"))
    assert found("2026-01-01", ended) is Confirmation.BY_TERMS
    expired = fact(Expired, "2026-01-05", inForceUntil="2025-12-31")
    assert found("2026-02-01", ended, expired) is Confirmation.CONFIRMED
    other = unread(Repealed, "2026-11-29", clauses=["2"], repealedFrom="2026-11-29")
    assert found(LATER, ACT_46, SUSPENDED_BY_72, other) is Confirmation.BY_TERMS


def test_a_statement_of_the_issuer_confirms_an_entry_and_no_return() -> None:
    ahead = announced(clause("1", inForceFrom="2025-03-01"))
    for actors, confirmed in ((["CN"], True), (["US"], False)):
        said = fact(Made, "2025-03-05", kind="statement", title="Said", actors=actors, about=[X])
        assert (ground("2025-04-01", ahead, statements=[said]) is not None) == confirmed
    later = fact(Made, LATER, kind="statement", title="Said", actors=["CN"], about=[X])
    assert found(LATER, ACT_46, SUSPENDED_BY_72, statements=[later]) is Confirmation.BY_TERMS


def test_an_act_elsewhere_that_cites_the_act_confirms_an_entry() -> None:
    ahead = announced(clause(inForceFrom="2025-03-01"), instrument="Announcement No. 46 of 2024")
    for number, confirmed in ((46, True), (47, False)):
        citing = announced(on="2025-03-05", title=f"On Announcement No. {number} of 2024")
        of = ground("2025-04-01", ahead, others={"export-control/y": [citing]})
        assert (of is not None) == confirmed


def test_a_statement_that_says_otherwise_contradicts_it_whatever_comes_later() -> None:
    stated = fact(
        SuspensionStated,
        "2026-09-28",
        clauses=["1"],
        suspendedUntil="2027-01-10",
        statedBy="the ministry",
    )
    other = fact(Amended, "2026-11-29", clauses=[clause("2", note="New")])
    facts = ACT_46, SUSPENDED_BY_72, stated, other
    later = {"export-control/y": [announced(on="2026-11-30")]}
    full = [reading("2026-11-30", complete=True)]
    assert found(LATER, *facts, others=later, readings=full) is Confirmation.CONTRADICTED
    of = ground("2026-10-01", *facts)
    assert of is not None
    assert of.on <= date(2026, 9, 28)


def test_a_status_that_is_not_confirmed_says_when_lists_were_last_read() -> None:
    facts = ACT_46, SUSPENDED_BY_72
    on, day = clause_on(LATER, *facts), date.fromisoformat(LATER)
    since = date.fromisoformat(RETURN)
    begin = "In force by its own terms since 28 November 2026 (not confirmed). "
    for readings, end in (
        ([reading("2026-10-03")], "Lists read to 3 October 2026, in part: nothing found."),
        (
            [],
            "No list of later acts was read; the newest record that names it is of 9 November 2025.",
        ),
    ):
        statement = status_statement(*on, day, since, grounds(*facts, readings=readings))
        assert statement == begin + end


@each_case("confirmed", [True, False])
@each_case(("day", "passed"), [("2026-07-13", False), ("2026-07-14", True)])
def test_a_deadline_that_has_passed_without_an_act_is_said(
    confirmed: bool, day: str, passed: bool
) -> None:
    proposed = announced(
        clause("1", legalStage="proposed", decisionDue="2026-07-13", inForceFrom=None),
        instrument="Announcement No. 1 of 2026",
    )
    on = clause_on(day, proposed)
    support = grounds(proposed) if confirmed else grounds()
    statement = status_statement(*on, date.fromisoformat(day), None, support)
    assert ("not confirmed" not in statement) == confirmed
    due = "A decision was due by 13 July 2026; no act on it is recorded."
    assert statement.endswith(due) == passed


FIRST, LAST = date(2024, 12, 3), date(2027, 6, 1)
days = st.integers(0, (LAST - FIRST).days).map(lambda n: FIRST + n * DAY)


@st.composite
def unrelated(draw: st.DrawFn) -> tuple[str, Sequence[Fact]]:
    """Return another instrument of any issuer, which cites no act of X."""
    day = draw(days)
    number = draw(st.integers(100, 999))
    act = announced(
        clause("1", commodities=[draw(st.sampled_from(["gallium", "helium", "graphite"]))]),
        on=day.isoformat(),
        issuer=draw(st.sampled_from(["CN", "US", "RU"])),
        instrument=f"Announcement No. {number} of 2026",
    )
    facts: list[Fact] = [act]
    if draw(st.booleans()):
        ends = day + draw(st.integers(1, 300)) * DAY
        facts.append(fact(Repealed, ends.isoformat(), repealedFrom=ends.isoformat()))
    return f"export-control/y{number}", facts


OWN = (
    (ACT_46,),
    (ACT_46, SUSPENDED_BY_72),
    (announced(clause("1", inForceFrom="2025-03-01", inForceUntil="2025-12-31"), clause("2")),),
    (announced(clause("1", end="unknown"), clause("2", inForceFrom="2026-01-01")),),
)


@given(
    st.sampled_from(OWN),
    st.lists(unrelated(), max_size=4),
    st.lists(st.tuples(days, st.sampled_from(["CN", "US"])), max_size=3),
    days,
)
def test_an_act_that_names_neither_the_clause_nor_its_act_changes_no_confirmation(
    own: tuple[Fact, ...],
    others: list[tuple[str, Sequence[Fact]]],
    said: list[tuple[date, str]],
    day: date,
) -> None:
    control: ExportControlState = state(decided_facts(X, *own), X, day.isoformat())
    statements = [
        fact(
            Made,
            on.isoformat(),
            kind="statement",
            title="On trade",
            actors=[actor],
            about=["export-control/other"],
        )
        for on, actor in said
    ]
    alone, beside = grounds(*own), grounds(*own, others=dict(others), statements=statements)
    for item in control.clauses:
        assert beside.confirmed_by(control, item, day) == alone.confirmed_by(control, item, day)


@each_case(
    ("day", "more", "expected"),
    [
        ("2026-12-01", {}, Confirmation.CONFIRMED),
        ("2026-12-02", {}, Confirmation.AS_RECORDED),
        ("2026-12-02", {"readings": [reading("2026-12-02")]}, Confirmation.CONFIRMED),
        ("2026-12-03", {"readings": [reading("2026-12-02")]}, Confirmation.AS_RECORDED),
        ("2026-12-03", {"others": {"export-control/y": [announced()]}}, Confirmation.AS_RECORDED),
    ],
)
def test_no_record_confirms_a_status_of_a_later_day(
    day: str, more: dict[str, Any], expected: Confirmation
) -> None:
    assert found(day, ACT_46, recorded_on=date(2026, 12, 1), **more) is expected


def test_a_status_after_the_last_record_names_its_date() -> None:
    on = clause_on("2027-01-01", ACT_46)
    known = grounds(ACT_46, recorded_on=date(2026, 12, 1))
    assert status_statement(*on, date(2027, 1, 1), date(2024, 12, 3), known) == (
        "In force since 3 December 2024, as recorded on 1 December 2026. No later record names it."
    )


@given(st.sampled_from(OWN), days, st.lists(days, max_size=2), days, days)
def test_a_later_day_of_a_status_is_not_surer_and_none_is_confirmed_after_the_records(
    own: tuple[Fact, ...], recorded_on: date, read: list[date], one: date, other: date
) -> None:
    readings = [reading(last.isoformat(), complete=True) for last in read]
    known = grounds(*own, recorded_on=recorded_on, readings=readings)
    earlier, later = sorted((one, other))
    for id in ("1", "2"):
        period = known.period("x", id, earlier)
        if period is None:
            continue
        was, now = (
            confirmation(*clause_on(day.isoformat(), *own, id=id), day, known)
            for day in (earlier, later)
        )
        if known.period("x", id, later) == period:
            assert [*Confirmation].index(now) >= [*Confirmation].index(was)
        if later > max(recorded_on, *read, date(2026, 1, 1)):
            assert now is not Confirmation.CONFIRMED


@given(days, st.sampled_from([Disputed]), days)
def test_an_account_of_others_confirms_nothing(on: date, kind: type[Fact], day: date) -> None:
    own = (ACT_46, SUSPENDED_BY_72)
    dispute = fact(kind, on.isoformat(), account="It is over.")
    control: ExportControlState = state(decided_facts(X, *own), X, day.isoformat())
    for item in control.clauses:
        before = grounds(*own).confirmed_by(control, item, day)
        assert grounds(*own, dispute).confirmed_by(control, item, day) == before
