"""Obligations: next due days, postponements and ends. A due day is never earlier than the act allows."""

from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from tests.support.cases import each_case
from tests.support.fact_builders import decided_facts, fact, retracted, state
from tracker.domain.basics.duration import Duration
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import DueStatus, ObligationRole
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.controls.obligation import (
    Due,
    NextDue,
    ObligationState,
    Postponed,
    Repealed,
    Stated,
    earliest,
    next_due,
)
from tracker.domain.entities.fact import Fact
from tracker.errors import InvalidInput, TrackerError

STREAM = "obligation/eu-2023-1542-8-1"
ACT_DAY = "2023-07-12"
LATER_ACT = {"event": "the entry into force of the delegated act", "within": "P24M"}
DECLARE = {
    "issuer": "EU",
    "act": "Regulation (EU) 2023/1542",
    "unit": "Article 8(1)",
    "roles": ["manufacturer"],
    "who": "manufacturers of batteries",
    "verb": "declare",
    "object": "the share of recovered cobalt, lithium and nickel",
    "commodities": ["cobalt", "lithium", "nickel"],
    "due": [{"on": "2028-08-18"}, LATER_ACT],
}


def stated(on: str = ACT_DAY, **more: Any) -> Stated:
    """Return the duty to declare the recycled content of batteries."""
    return fact(Stated, on, **{**DECLARE, **more})


def obligation(day: str, *facts: Fact) -> ObligationState | None:
    """Return the obligation on a day, from these facts."""
    found: ObligationState | None = state(decided_facts(STREAM, *facts), STREAM, day)
    return found


def due(day: str, *facts: Fact) -> NextDue:
    """Return the next due day, from a day on, as known on that day."""
    found = obligation(day, *facts)
    assert found
    return next_due(found, date.fromisoformat(day))


def postponed(on: str, *dues: dict[str, str]) -> Postponed:
    """Return a later act that sets other dates."""
    return fact(Postponed, on, act="Regulation (EU) 2025/1561", due=[*dues])


def test_an_obligation_is_known_from_the_day_of_its_act_and_says_who_must_do_what() -> None:
    assert obligation("2023-07-11", stated()) is None
    found = obligation(ACT_DAY, stated(addressee="the authority"))
    assert found
    assert found.sentence == (
        "Manufacturers of batteries must declare the share of recovered cobalt, lithium and nickel to"
        " the authority (Article 8(1), Regulation (EU) 2023/1542)."
    )


def test_of_a_day_and_an_open_event_only_the_earliest_day_is_known() -> None:
    found = due("2026-12-01", stated())
    assert (found.status, found.day, found.not_before) == (DueStatus.OPEN, None, date(2028, 8, 18))
    assert found.phrase == (
        "due after the entry into force of the delegated act, whose day is not recorded, not before"
        " 18 August 2028"
    )


@each_case(
    ("happened", "expected"),
    [("2026-08-01", "2028-08-18"), ("2026-08-18", "2028-08-18"), ("2027-02-28", "2029-02-28")],
)
def test_the_later_of_a_day_and_an_event_counts_once_the_event_took_place(
    happened: str, expected: str
) -> None:
    event = postponed("2027-03-01", {"on": "2028-08-18"}, {**LATER_ACT, "happenedOn": happened})
    assert due("2027-02-28", stated(), event).status is DueStatus.OPEN
    assert due("2027-03-01", stated(), event).day == date.fromisoformat(expected)


def test_a_postponement_counts_from_its_day_and_no_longer_once_it_is_retracted() -> None:
    first = stated(due=[{"on": "2025-08-18"}])
    later = postponed("2025-07-30", {"on": "2027-08-18"})
    assert due("2025-07-29", first, later).day == date(2025, 8, 18)
    assert due("2025-07-30", first, later).day == date(2027, 8, 18)
    undone = obligation("2025-07-30", first, later, retracted("e2"))
    assert undone
    assert (undone.postponed_by, undone.due[0].on) == (None, "2025-08-18")


def test_a_recurring_obligation_is_due_again_after_each_period() -> None:
    of = stated(on="2024-05-03", due=[{"on": "2025-05-24"}], every="P3Y")
    days = ("2024-05-03", "2025-05-24", "2025-05-25", "2028-05-24", "2028-05-25")
    assert [str(due(day, of).day) for day in days] == [
        *("2025-05-24", "2025-05-24", "2028-05-24", "2028-05-24", "2031-05-24")
    ]
    monthly = stated(due=[{"on": "2024-01-31"}], every="P1M")
    assert str(due("2024-02-01", monthly).day) == "2024-02-29"
    assert str(due("2024-03-01", monthly).day) == "2024-03-31"


@each_case(
    ("more", "day", "status"),
    [
        ({"due": [{"on": "2025"}]}, "2025-12-31", DueStatus.DATED),
        ({"due": [{"on": "2025"}]}, "2026-01-01", DueStatus.PASSED),
        ({"due": []}, "2026-01-01", DueStatus.AT_ALL_TIMES),
        ({"due": [], "occasion": "each export"}, "2026-01-01", DueStatus.EACH_TIME),
        ({"due": [{"on": "2025"}], "occasion": "each export"}, "2025-12-31", DueStatus.DATED),
        ({"due": [{"on": "2025"}], "occasion": "each export"}, "2026-01-01", DueStatus.EACH_TIME),
        ({"due": [{"on": "2025"}], "continues": True}, "2025-12-31", DueStatus.DATED),
        ({"due": [{"on": "2025"}], "continues": True}, "2026-01-01", DueStatus.AT_ALL_TIMES),
        ({"continues": True}, "2029-01-01", DueStatus.OPEN),
        ({"due": [], "until": "2027-12-31"}, "2027-12-31", DueStatus.AT_ALL_TIMES),
        ({"due": [], "until": "2027-12-31"}, "2028-01-01", DueStatus.ENDED),
        ({"until": "2028-08-17"}, "2026-01-01", DueStatus.ENDED),
        (
            {"due": [{"on": "2025-03-31"}], "every": "P1Y", "until": "2027"},
            "2027-04-01",
            DueStatus.ENDED,
        ),
    ],
)
def test_an_obligation_without_a_due_day_says_why(
    more: dict[str, Any], day: str, status: DueStatus
) -> None:
    found = due(day, stated(**more))
    assert (found.status, found.day is None) == (status, status is not DueStatus.DATED)


def test_a_repealed_obligation_ends_on_the_day_before_the_repeal() -> None:
    repeal = fact(Repealed, "2026-05-01", act="Regulation X", repealedFrom="2026-06-01")
    of = stated(due=[])
    assert due("2026-05-31", of, repeal).status is DueStatus.AT_ALL_TIMES
    assert due("2026-06-01", of, repeal).status is DueStatus.ENDED


def test_an_obligation_of_any_firm_is_one_of_each_role_of_firms_but_not_of_states() -> None:
    found = obligation(ACT_DAY, stated(roles=["firm"]))
    own = obligation(ACT_DAY, stated())
    assert found
    assert own
    assert [found.is_of(role) for role in (ObligationRole.IMPORTER, ObligationRole.STATE)] == [
        *(True, False)
    ]
    assert not own.is_of(ObligationRole.IMPORTER)
    assert [own.covers(Commodity(name)) for name in ("cobalt", "gallium")] == [True, False]


@each_case(
    ("facts", "code", "path"),
    [
        ([{}, {}], "ALREADY_EXISTS", ("id",)),
        ([{"due": [{"on": "2025", "event": "an act"}]}], "INVALID_INPUT", ("due", 0, "on")),
        ([{"due": [{"within": "P1M"}]}], "INVALID_INPUT", ("due", 0, "on")),
        ([{"due": [{"on": "2025", "within": "P1M"}]}], "FIELD_REQUIRED", ("due", 0, "event")),
        ([{"due": [], "every": "P1Y"}], "INVALID_INPUT", ("due",)),
        ([{"occasion": "each export", "every": "P1Y"}], "INVALID_INPUT", ("occasion",)),
        ([{"occasion": "each export", "continues": True}], "INVALID_INPUT", ("occasion",)),
        ([{"every": "P1Y", "continues": True}], "INVALID_INPUT", ("continues",)),
        ([{"instrument": "cn 61"}], "INVALID_ID", ("instrument",)),
        ([{"until": "2023-07-11"}], "END_BEFORE_START", ("until",)),
    ],
)
def test_an_obligation_that_contradicts_itself_is_refused(
    facts: list[dict[str, Any]], code: str, path: tuple[str | int, ...]
) -> None:
    with pytest.raises(TrackerError) as caught:
        decided_facts(STREAM, *(stated(**more) for more in facts))
    assert caught.value.code == code
    assert caught.value.path == path


def test_a_postponement_to_an_earlier_day_is_refused() -> None:
    for dues in ([{"on": "2028-08-17"}], [LATER_ACT]):
        with pytest.raises(InvalidInput) as caught:
            decided_facts(STREAM, stated(), postponed("2025-07-30", *dues))
        assert (caught.value.code, caught.value.path) == ("DUE_TOO_EARLY", ("due",))
    with pytest.raises(InvalidInput) as caught:
        decided_facts(STREAM, stated(), postponed("2023-07-11", {"on": "2029"}))
    assert caught.value.code == "NOT_STATED"


DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
LENGTHS = st.sampled_from([None, *map(Duration, ("P30D", "P1M", "P6M", "P24M", "P1Y6M"))])


@st.composite
def dues(draw: st.DrawFn) -> list[Due]:
    """Draw dates and events, some of which took place."""
    days = draw(st.lists(DAYS, max_size=2))
    events = draw(st.lists(st.tuples(LENGTHS, st.none() | DAYS), max_size=3))
    assume(days or events)
    return [
        *[Due(on=PartialDate(day.isoformat())) for day in days],
        *[
            Due(event="an act", within=within, happened_on=day and PartialDate(day.isoformat()))
            for within, day in events
        ],
    ]


def resolved(due: Due, day: date) -> Due:
    """Return a due date whose open event took place on a day."""
    if due.day is not None:
        return due
    return Due(event=due.event, within=due.within, happened_on=PartialDate(day.isoformat()))


def with_due(dues: list[Due], every: Duration | None = None) -> ObligationState:
    """Return an obligation with these due dates."""
    found = obligation(ACT_DAY, stated())
    assert found
    return structs.replace(found, due=tuple(dues), every=every)


@given(dues(), st.lists(DAYS, min_size=5, max_size=5), DAYS)
def test_the_later_of_several_never_gives_a_day_too_early(
    due: list[Due], events: list[date], day: date
) -> None:
    before = next_due(with_due(due), day)
    is_open = any(one.day is None for one in due)
    assert (before.status is DueStatus.OPEN) == is_open
    final = [resolved(one, event) for one, event in zip(due, events, strict=False)]
    whole = earliest(final)
    assert whole
    assert all(one.day and one.day <= whole for one in final)
    if is_open:
        assert before.day is None
        assert before.not_before is None or before.not_before <= whole
    elif before.day:
        assert max(day, whole) == before.day == whole


@given(dues(), dues(), DAYS)
def test_an_accepted_postponement_never_gives_an_earlier_day(
    first: list[Due], second: list[Due], day: date
) -> None:
    def written(dues: list[Due]) -> list[dict[str, str]]:
        names = {"on": "on", "event": "event", "within": "within", "happened_on": "happenedOn"}
        return [
            {name: str(getattr(one, key)) for key, name in names.items() if getattr(one, key)}
            for one in dues
        ]

    facts = stated(due=written(first)), postponed("2023-07-13", *written(second))
    least = earliest(first)
    if least and (earliest(second) or date.min) < least:
        with pytest.raises(InvalidInput):
            decided_facts(STREAM, *facts)
        return
    known = decided_facts(STREAM, *facts)
    before, after = (state(known, STREAM, one) for one in (ACT_DAY, "2023-07-13"))
    old, new = (next_due(of, day) for of in (before, after))
    for least in (old.day, old.not_before):
        reached = new.day or new.not_before
        assert least is None or new.status is DueStatus.PASSED or (reached and reached >= least)


@given(DAYS, st.sampled_from(["P1M", "P3M", "P1Y", "P3Y", "P10D", "P1M15D"]), DAYS)
def test_a_recurrence_is_the_first_one_from_the_day_on(first: date, length: str, day: date) -> None:
    every = Duration(length)
    found = next_due(with_due([Due(on=PartialDate(first.isoformat()))], every), day).day
    times = 0
    while (expected := every.after(first, times)) < day:
        times += 1
    assert found == expected >= max(first, day)
