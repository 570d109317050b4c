"""Dates, quantities, units and sources as facts hold them, and as JSON brings them in."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.cases import each_case
from tests.support.fact_builders import STREAMS, announced, claimed, clause, history, source
from tracker.domain.actors.announcement import Made
from tracker.domain.basics.codec import decode, encode, from_builtins
from tracker.domain.basics.units import INCOMPARABLE_UNITS, TONNES_PER_UNIT, Unit
from tracker.domain.basics.values import PartialDate, Precision, Quantity
from tracker.domain.basics.vocabulary import NUMERIC, Qualifier
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.entities.fact import Source
from tracker.domain.figures.figure_facts import Series
from tracker.errors import InvalidInput

WITHOUT_NUMBER = sorted(set(Qualifier) - NUMERIC)
tonnes = {"unit": "t", "basis": "REO"}


def quantity(**fields: Any) -> Quantity:
    """Return a mass."""
    return from_builtins(Quantity, {**tonnes, **fields})


def refusal(kind: type[Any], value: Any) -> tuple[str, tuple[str | int, ...]]:
    """Return code and path of the error for plain data."""
    with pytest.raises(InvalidInput) as caught:
        from_builtins(kind, value)
    return caught.value.code, caught.value.path


# --- dates


@each_case(
    ("text", "precision", "first", "last"),
    [
        ("2029", Precision.YEAR, date(2029, 1, 1), date(2029, 12, 31)),
        ("2024-02", Precision.MONTH, date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-12", Precision.MONTH, date(2025, 12, 1), date(2025, 12, 31)),
        ("2025-11-08", Precision.DAY, date(2025, 11, 8), date(2025, 11, 8)),
        ("9999", Precision.YEAR, date(9999, 1, 1), date.max),
    ],
)
def test_a_date_keeps_its_precision_and_spans_the_days_that_it_may_mean(
    text: str, precision: Precision, first: date, last: date
) -> None:
    told = PartialDate(text)
    assert (told, told.precision, told.first, told.last) == (text, precision, first, last)


@given(st.dates())
def test_every_day_is_a_date_that_begins_and_ends_on_itself(day: date) -> None:
    told = PartialDate(day.isoformat())
    assert (told.first, told.last, told.precision) == (day, day, Precision.DAY)


@each_case(
    "text",
    [
        "",
        "25",
        "2025-1",
        "2025-11-08T00:00",
        "2025/11/08",
        "-2025",
        "２０２５",
        "2025\n",
        "tomorrow",
    ],
)
def test_text_that_is_not_a_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected YYYY, YYYY-MM or YYYY-MM-DD") as caught:
        PartialDate(text)
    assert caught.value.code == "INVALID_DATE"


@each_case(
    ("text", "expected"),
    [
        ("2025-13", "a month from 01 to 12"),
        ("2025-00", "a month from 01 to 12"),
        ("2025-00-10", "a month from 01 to 12"),
        ("2025-02-00", "a day from 01 to 28"),
        ("2025-02-30", "a day from 01 to 28"),
        ("2024-02-30", "a day from 01 to 29"),
        ("2025-11-31", "a day from 01 to 30"),
        ("0000", "a year from 0001"),
        ("0000-02-30", "a year from 0001"),
    ],
)
def test_a_date_that_the_calendar_lacks_is_refused_as_such(text: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        PartialDate(text)
    assert caught.value.message == f"'{text}' is not in the calendar: expected {expected}"
    assert caught.value.code == "INVALID_DATE"


# --- quantities


@each_case("qualifier", WITHOUT_NUMBER)
def test_a_qualifier_that_stands_for_a_number_takes_none_beside_it(qualifier: Qualifier) -> None:
    assert quantity(qualifier=qualifier).value is None
    refused = refusal(Quantity, {**tonnes, "qualifier": qualifier, "value": "0"})
    assert refused == ("VALUE_NOT_ALLOWED", ("value",))


@each_case("qualifier", WITHOUT_NUMBER)
def test_a_missing_number_is_never_written_as_zero(qualifier: Qualifier) -> None:
    written = encode(quantity(qualifier=qualifier))
    assert b"value" not in written
    assert decode(Quantity, written).value is None


@each_case("qualifier", [None, *sorted(NUMERIC)])
def test_a_number_is_required_unless_the_qualifier_stands_for_one(
    qualifier: Qualifier | None,
) -> None:
    refused = refusal(Quantity, {**tonnes, "qualifier": qualifier})
    assert refused == ("VALUE_REQUIRED", ("value",))


@each_case("qualifier", [None, *sorted(NUMERIC - {Qualifier.RANGE, Qualifier.NIL})])
def test_a_number_is_kept_as_it_is_written(qualifier: Qualifier | None) -> None:
    assert str(quantity(qualifier=qualifier, value="60.50").value) == "60.50"


def test_nil_is_the_number_zero() -> None:
    assert quantity(qualifier="nil", value="0").value == 0
    assert refusal(Quantity, {**tonnes, "qualifier": "nil", "value": "5"}) == (
        "VALUE_NOT_ALLOWED",
        ("value",),
    )


def test_a_range_has_an_upper_end_that_is_not_below_its_lower() -> None:
    told = quantity(qualifier="range", value="5", upper="7")
    assert (told.value, told.upper) == (Decimal(5), Decimal(7))
    assert quantity(qualifier="range", value="5", upper="5").upper == 5
    for wrong in (
        {"qualifier": "range", "value": "5"},
        {"value": "5", "upper": "7"},
        {"qualifier": "range", "value": "5", "upper": "4"},
    ):
        assert refusal(Quantity, {**tonnes, **wrong}) == ("INVALID_RANGE", ("upper",))


@each_case("number", ["NaN", "sNaN", "Infinity", "-Infinity", "1e999", "1e-999"])
@each_case(("field", "beside"), [("value", {}), ("upper", {"qualifier": "range", "value": "1"})])
def test_only_ordinary_numbers_are_numbers(number: str, field: str, beside: dict[str, str]) -> None:
    assert refusal(Quantity, {**tonnes, **beside, field: number})[1] == (field,)


@each_case("field", ["deMinimisPercent", "ratePercent"])
def test_the_percentages_of_a_clause_are_ordinary_numbers(field: str) -> None:
    assert from_builtins(Announced, control(clause(**{field: "0.1"})))
    refused = refusal(Announced, control(clause(**{field: "NaN"})))
    assert refused == ("INVALID_NUMBER", ("clauses", 0, field))


# --- units


metric = st.sampled_from(["g", "kg", "t", "kt", "Mt"])
masses = st.sampled_from(sorted(TONNES_PER_UNIT))


@given(st.decimals(0, 10**9, places=3), metric, metric)
def test_a_metric_mass_converts_to_every_other_and_back_without_loss(
    value: Decimal, one: str, other: str
) -> None:
    there = Unit(one).convert(value, Unit(other))
    assert there is not None
    assert Unit(other).convert(there, Unit(one)) == value


@given(st.decimals(0, 10**9, places=3), masses, masses)
def test_every_mass_converts_to_every_other_and_back(value: Decimal, one: str, other: str) -> None:
    there = Unit(one).convert(value, Unit(other))
    assert there is not None
    back = Unit(other).convert(there, Unit(one))
    assert back is not None
    assert abs(back - value) <= value * Decimal("1e-24")


def test_the_declared_factors_are_those_of_the_metric_system() -> None:
    assert Unit("kt").convert(Decimal("1.5"), Unit("t")) == 1500
    assert Unit("kg").convert(Decimal(500), Unit("t")) == Decimal("0.5")
    assert Unit("Mt").convert(Decimal(2), Unit("kt")) == 2000


@each_case("one", [*sorted(INCOMPARABLE_UNITS), "USD"])
@each_case("other", ["t", "EUR"])
def test_units_without_a_declared_factor_are_not_converted(one: str, other: str) -> None:
    assert Unit(one).convert(Decimal(1), Unit(other)) is None
    assert Unit(one).convert(Decimal(1), Unit(one)) == 1


@each_case("text", ["tonnes", "T", "", "XYZ", "usd"])
def test_a_unit_that_is_not_declared_is_refused(text: str) -> None:
    assert refusal(Quantity, {"value": "1", "unit": text}) == ("UNKNOWN_UNIT", ("unit",))


# --- sources and series


@each_case("publisher", ["MOFCOM", "mof com", "-mofcom", "mofcom\n", ""])
def test_a_publisher_is_a_short_id(publisher: str) -> None:
    assert refusal(Source, source() | {"publisher": publisher})[1] == ("publisher",)


mined = {
    "commodity": "gallium",
    "place": "CN",
    "statistic": "production",
    "stage": "primary",
    "period": 2023,
}
reserves = {"commodity": "gallium", "place": "CN", "statistic": "reserves"}


def test_a_series_names_its_stream() -> None:
    assert from_builtins(Series, mined).stream == "figure/gallium/CN/production/primary/2023"
    assert from_builtins(Series, mined | {"form": "metal"}).stream == (
        "figure/gallium/CN/production/primary/metal/2023"
    )
    assert from_builtins(Series, reserves).stream == "figure/gallium/CN/reserves"


@each_case(
    "wrong",
    [
        mined | {"stage": None},
        mined | {"period": None},
        mined | {"period": 17},
        reserves | {"period": 2023},
        reserves | {"stage": "mine"},
    ],
)
def test_output_has_a_stage_and_a_year_and_reserves_have_neither(wrong: dict[str, Any]) -> None:
    assert refusal(Series, wrong) == ("INVALID_INPUT", ("period",))


def test_the_form_of_a_series_fits_in_the_name_of_a_stream() -> None:
    for form in ("Metal", "two words", "metal\n"):
        assert refusal(Series, mined | {"form": form})[1] == ("form",)


# --- errors lead to the field


def control(*clauses: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an announcement of a control as plain data."""
    return {
        "on": "2024-12-03",
        "issuer": "CN",
        "direction": "export",
        "title": "Gallium",
        "clauses": list(clauses) or [clause()],
        "source": source(),
        **more,
    }


@each_case(
    ("value", "code", "path"),
    [
        (control(on="2024-12-32"), "INVALID_DATE", ("on",)),
        (control(issuer="China"), "UNKNOWN_PLACE", ("issuer",)),
        (control(issuer="x - at `$.title`"), "UNKNOWN_PLACE", ("issuer",)),
        (control(issuer=7), "INVALID_INPUT", ("issuer",)),
        (control(issuer=["CN"]), "INVALID_INPUT", ("issuer",)),
        (control(direction="sideways"), "INVALID_INPUT", ("direction",)),
        (control(title=""), "INVALID_INPUT", ("title",)),
        (control(title="x" * 501), "TOO_LARGE", ("title",)),
        (control(title="\ud800"), "INVALID_INPUT", ()),
        (control(source=None), "INVALID_INPUT", ("source",)),
        (
            control(source=source() | {"publishedOn": "soon"}),
            "INVALID_DATE",
            ("source", "publishedOn"),
        ),
        (control(inForceFrom="2024"), "INVALID_INPUT", ("inForceFrom",)),
        (
            control(clause(), clause("2", commodities=["gallium", "gold leaf"])),
            "UNKNOWN_COMMODITY",
            ("clauses", 1, "commodities", 1),
        ),
        (
            control(clause(), clause("2", destinations=["XX"])),
            "UNKNOWN_PLACE",
            ("clauses", 1, "destinations", 0),
        ),
        (control(clause(), clause("1")), "INVALID_INPUT", ("clauses",)),
        (control(clause(inForceUntil="2023")), "END_BEFORE_START", ("clauses", 0, "inForceUntil")),
        (control(clause(commodities=[])), "INVALID_INPUT", ("clauses", 0, "commodities")),
        (control(clause(quota={"value": "5"})), "UNIT_REQUIRED", ("clauses", 0, "quota", "unit")),
        (control(clause(quota={"unit": "t"})), "VALUE_REQUIRED", ("clauses", 0, "quota", "value")),
        (control(clause(id=" ")), "INVALID_INPUT", ("clauses", 0, "id")),
    ],
)
def test_an_error_has_a_stable_code_and_the_path_of_its_field(
    value: Any, code: str, path: tuple[str | int, ...]
) -> None:
    assert refusal(Announced, value) == (code, path)


@each_case("value", [7, None, ["CN"], {"code": "CN"}])
def test_where_a_word_is_expected_anything_else_is_refused_as_no_text(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^expected text, got "):
        from_builtins(Announced, control(issuer=value))


@each_case("field", ["on", "issuer", "direction", "title", "clauses", "source"])
def test_a_field_that_is_missing_is_named(field: str) -> None:
    code = "SOURCE_REQUIRED" if field == "source" else "FIELD_REQUIRED"
    value = {name: content for name, content in control().items() if name != field}
    assert refusal(Announced, value) == (code, (field,))


@each_case("field", ["about", "conflictsWith", "supersedes"])
def test_references_of_an_announcement_are_entities(field: str) -> None:
    value = {
        "on": "2025",
        "kind": "statement",
        "title": "A",
        "source": source(),
        field: ["alliance/quad", "the quad"],
    }
    assert refusal(Made, value) == ("INVALID_ID", (field, 1))


@each_case(
    "data",
    [
        b"",
        b"{",
        b'{"unit":"t","value":"1"} and more',
        b'{"unit":"\xff"}',
        b'{"basis":"\\ud800"}',
        b'{"unit":' + b"[" * 100_000,
    ],
)
def test_a_value_that_is_not_json_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        decode(Quantity, data)
    assert caught.value.code == "INVALID_JSON"


# --- the same value is always the same bytes


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_facts_come_back_from_json_as_they_were_in_the_same_bytes(chance: Any) -> None:
    for order in history(chance, 5, STREAMS):
        written = encode(order.fact)
        assert decode(type(order.fact), written) == order.fact
        assert encode(decode(type(order.fact), written)) == written


powers = st.integers(-(10**20), 10**20).map("{}e-3".format)
texts = st.decimals(-(10**20), 10**20, places=9).map(str) | powers
bare = st.integers(-(10**18), 10**18).map(str) | st.floats(1e-9, 1e12).map(repr)


@settings(deadline=None)
@given(texts.map('"{}"'.format) | bare)
def test_a_number_once_written_stays_the_same_bytes(number: str) -> None:
    first = encode(decode(Quantity, f'{{"value":{number},"unit":"t"}}'))
    assert encode(decode(Quantity, first)) == first


def test_empty_fields_are_not_written() -> None:
    assert b"official" not in encode(announced())
    assert b'"official":false' in encode(announced(official=False))
    assert b"editionVersion" not in encode(claimed(1))
