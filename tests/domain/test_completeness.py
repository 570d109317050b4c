"""Completeness: a result is complete only for days whose lists were read completely."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.support.cases import each_case
from tracker.domain.basics.control_vocabulary import ActKind, Direction, Measure
from tracker.domain.basics.values import PartialDate
from tracker.domain.basics.vocabulary import CompletenessLevel
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.catalogue.places import Actor
from tracker.domain.evidence.completeness import Scope, completeness, control_kinds
from tracker.domain.evidence.coverage import CoverageState
from tracker.domain.evidence.watched_source import WatchedSourceState

BEGIN = date(2026, 1, 1)
SPAN = 12
CHINA = Scope(frozenset({ActKind.EXPORT_CONTROL}), frozenset({"CN"}))


def read_list(
    first: str | None = "2026-01-01", last: str = "2026-01-10", **instead: object
) -> CoverageState:
    """Return a list of export controls of China."""
    values = {
        "id": "list",
        "because": (),
        "issuer": Actor("CN"),
        "acts": ActKind.EXPORT_CONTROL,
        "name": "Announcements by number",
        "first": PartialDate(first) if first else None,
        "last": PartialDate(last),
        "checked_by": "tests",
        "declared_on": PartialDate("2026-01-10"),
    }
    return CoverageState(**values | instead)  # type: ignore[arg-type]


def source(covers_until: str, proposed: datetime | None = None) -> dict[str, WatchedSourceState]:
    """Return a watched source that was read up to a day."""
    return {
        "cn": WatchedSourceState(
            id="cn",
            because=(),
            name="Announcements",
            publisher="mofcom",
            adapter="list",
            address="https://example.org",
            every_hours=24,
            watched_since=PartialDate("2026-01-01"),
            covers_until=date.fromisoformat(covers_until),
            last_proposed_at=proposed,
        )
    }


def day(number: int) -> date:
    return BEGIN + timedelta(days=number)


@st.composite
def lists(draw: st.DrawFn) -> CoverageState:
    """Return a list of some days, complete or with an omission."""
    first = draw(st.integers(0, SPAN))
    last = draw(st.integers(first, SPAN))
    opens = draw(st.booleans())
    return read_list(
        None if opens else day(first).isoformat(),
        day(last).isoformat(),
        left_out=draw(st.sampled_from([(), ("Some were not read.",)])),
        withdrawn_on=draw(st.sampled_from([None, PartialDate("2026-01-11")])),
    )


@given(st.lists(lists(), max_size=4), st.integers(0, SPAN))
def test_the_level_is_what_counting_the_days_one_by_one_gives(
    given_lists: list[CoverageState], asked: int
) -> None:
    counting = [one for one in given_lists if one.withdrawn_on is None]
    days = [day(number) for number in range(-1, asked + 1)]  # the first stands for all earlier ones

    def has(one: CoverageState, of: date) -> bool:
        return (one.first is None or one.first.first <= of) and of <= one.last.last

    whole = [any(has(one, of) for one in counting if not one.left_out) for of in days]
    read = [any(has(one, of) for one in counting) for of in days]
    found = completeness(given_lists, {}, CHINA, day(asked))
    if all(whole):
        assert (found.level, found.gaps) == (CompletenessLevel.COMPLETE, ())
    elif any(read):
        assert found.level is CompletenessLevel.PARTIAL
    else:
        assert (found.level, found.until) == (CompletenessLevel.NONE, None)
    in_gaps = {
        of
        for of in days
        for gap in found.gaps
        if (gap.first is None or gap.first <= of) and (gap.last is None or of <= gap.last)
    }
    assert in_gaps == {of for of, is_whole in zip(days, whole, strict=True) if not is_whole}


@given(st.lists(lists(), max_size=3), lists(), st.integers(0, SPAN))
def test_reading_another_list_never_lowers_the_level(
    before: list[CoverageState], more: CoverageState, asked: int
) -> None:
    rank = [CompletenessLevel.NONE, CompletenessLevel.PARTIAL, CompletenessLevel.COMPLETE]
    levels = [completeness(read, {}, CHINA, day(asked)).level for read in (before, [*before, more])]
    assert rank.index(levels[0]) <= rank.index(levels[1])


def test_a_question_about_all_issuers_is_never_complete() -> None:
    scope = Scope(CHINA.kinds)
    found = completeness([read_list(None)], {}, scope, day(3))
    assert found.level is CompletenessLevel.PARTIAL
    assert found.gaps[-1].reason == "No list of any other issuer was read."
    assert completeness([], {}, scope, day(3)).level is CompletenessLevel.NONE


def test_a_list_of_some_commodities_is_complete_for_those_and_what_they_include() -> None:
    some = read_list(None, commodities=(Commodity("rare_earths"),))

    def level(*commodities: str) -> CompletenessLevel:
        goods = frozenset(map(Commodity, commodities)) or None
        scope = Scope(CHINA.kinds, CHINA.issuers, goods)
        return completeness([some], {}, scope, day(3)).level

    assert level("rare_earths") is level("dysprosium") is CompletenessLevel.COMPLETE
    assert level("rare_earths", "gallium") is level() is CompletenessLevel.PARTIAL
    assert level("gallium") is CompletenessLevel.NONE


def test_an_entity_list_without_names_has_a_gap() -> None:
    unnamed = read_list(None, acts=ActKind.ENTITY_LIST, firms_named=False)
    scope = Scope(frozenset({ActKind.ENTITY_LIST}), CHINA.issuers)
    [gap] = completeness([unnamed], {}, scope, day(3)).gaps
    assert gap.reason == "Announcements by number: Some listed firms are not named."


def test_the_end_of_reading_does_not_depend_on_the_day_that_is_asked_about() -> None:
    lists = [
        read_list(None),
        read_list("2026-01-11", "2026-02-01"),
        read_list("2026-03-01", "2026-03-09"),
    ]
    for asked in (date(2026, 1, 5), date(2026, 1, 20)):
        found = completeness(lists, {}, CHINA, asked)
        assert (found.level, found.until) == (CompletenessLevel.COMPLETE, date(2026, 2, 1))


def test_polls_that_found_nothing_continue_a_list() -> None:
    followed = read_list(None, watched_source="cn")
    asked = date(2026, 1, 20)
    assert completeness([followed], {}, CHINA, asked).until == date(2026, 1, 10)
    for proposed in (None, datetime(2026, 1, 9, tzinfo=UTC)):
        found = completeness([followed], source("2026-01-20", proposed), CHINA, asked)
        assert (found.level, found.until) == (CompletenessLevel.COMPLETE, asked)


def test_days_before_the_first_poll_are_a_gap() -> None:
    late = {
        "cn": structs.replace(source("2026-01-20")["cn"], watched_since=PartialDate("2026-01-15"))
    }
    followed = read_list(None, watched_source="cn")
    [gap] = completeness([followed], late, CHINA, date(2026, 1, 20)).gaps
    assert (gap.first, gap.last) == (date(2026, 1, 11), date(2026, 1, 14))


@each_case("day_of_proposal", [10, 12])
def test_polls_that_proposed_facts_since_do_not_continue_it(day_of_proposal: int) -> None:
    followed = read_list(None, watched_source="cn")
    proposed = datetime(2026, 1, day_of_proposal, tzinfo=UTC)
    found = completeness([followed], source("2026-01-20", proposed), CHINA, date(2026, 1, 20))
    assert found.until == date(2026, 1, 10)
    assert [gap.reason for gap in found.gaps] == [
        "Not read: export controls of China after 10 January 2026."
        " Documents that polls found since may wait for review."
    ]


def test_the_statement_says_which_lists_were_read_and_which_not() -> None:
    scope = Scope(control_kinds(Direction.EXPORT), frozenset({"CN"}))
    found = completeness([read_list(left_out=("No. 3.",))], {}, scope, date(2026, 2, 1))
    assert found.statement == (
        "Export controls of China were read in part from 1 January 2026 to 10 January 2026; earlier"
        " and later acts may be missing. No list of entity lists and licence catalogues of China was"
        " read, so such acts may be missing."
    )


def test_measures_of_yearly_catalogues_stand_in_no_entity_list() -> None:
    assert ActKind.ENTITY_LIST not in control_kinds(Direction.EXPORT, [Measure.QUOTA])
    assert ActKind.LICENCE_CATALOGUE not in control_kinds(Direction.EXPORT, [Measure.BAN])
    assert control_kinds(Direction.IMPORT, [Measure.QUOTA]) == {ActKind.IMPORT_MEASURE}


FIGURES = frozenset({ActKind.FIGURE})


def figures_read(issuer: str = "US") -> CoverageState:
    """Return a list of figures of the years 2024 and 2025."""
    return read_list(
        "2024-01-01",
        "2025-12-31",
        issuer=Actor(issuer),
        acts=ActKind.FIGURE,
        left_out=("Prices were not read.",),
    )


def test_figures_have_a_sentence_of_their_own() -> None:
    found = completeness([figures_read()], {}, Scope(FIGURES), date(2026, 11, 30))
    assert found.statement == (
        "Figures of publishers in the United States were read in part from 1 January 2024 to"
        " 31 December 2025; earlier and later figures may be missing."
        " No list of figures of any other publisher was read."
    )
    assert found.gaps[0].reason == (
        "Not read: figures of publishers in the United States before 1 January 2024."
    )


@each_case(
    ("importer", "statement"),
    [
        (
            "US",
            "Figures on the imports of the United States were read in part from 1 January 2024 to"
            " 31 December 2025; earlier and later figures may be missing.",
        ),
        (
            "DE",
            "No list of figures on the imports of Germany was read in full, so figures may be"
            " missing.",
        ),
        (
            "EU",
            "No list of figures on the imports of the European Union was read in full, so figures"
            " may be missing.",
        ),
    ],
)
def test_the_sentence_on_imports_is_about_the_importer(importer: str, statement: str) -> None:
    scope = Scope(FIGURES, frozenset({importer}), of_imports=True)
    assert completeness([figures_read()], {}, scope, date(2026, 11, 30)).statement == statement


def test_figures_and_acts_of_the_same_days_have_two_sentences() -> None:
    scope = Scope(FIGURES | CHINA.kinds, frozenset({"US"}))
    acts = structs.replace(figures_read(), acts=ActKind.EXPORT_CONTROL)
    statement = completeness([figures_read(), acts], {}, scope, date(2026, 11, 30)).statement
    assert "Export controls of the United States were read in part" in statement
    assert "earlier and later acts may be missing" in statement
    assert "Figures of publishers in the United States were read in part" in statement
    assert "earlier and later figures may be missing" in statement
