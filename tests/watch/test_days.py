"""Days are read in their declared format and language, and never guessed."""

from datetime import date

import pytest

from tests.support.cases import each_case
from tracker.errors import InvalidInput
from tracker.watch.days import day_format


@each_case(
    ("form", "language", "text", "day"),
    [
        ("%d %B %Y", "fr", "Publié le 1er août 2025", date(2025, 8, 1)),
        ("%d %B %Y", "fr", "12 FEVRIER 2025", date(2025, 2, 12)),
        ("%d %b %Y", "fr", "3 févr. 2025", date(2025, 2, 3)),
        ("%d de %B de %Y", "es", "Lima, 1º de septiembre de 2025", date(2025, 9, 1)),
        ("%d de %B de %Y", "es-PE", "7 de Enero\u00a0de 2025.", date(2025, 1, 7)),
        ("%d %B %Y", "id", "Jakarta, 17 Agustus 2025", date(2025, 8, 17)),
        ("%B %d, %Y", "en", "October 9, 2025", date(2025, 10, 9)),
        ("%Y-%m-%d", "zh", "[2025-04-04]", date(2025, 4, 4)),
        ("%Y年%m月%d日", "zh", "发布时间：2025年4月4日 10:00", date(2025, 4, 4)),
        ("%d/%m/%Y", "es", "03/04/2025", date(2025, 4, 3)),
        ("%m/%d/%Y", "en", "03/04/2025", date(2025, 3, 4)),
    ],
)
def test_days_are_read_as_their_format_says(form: str, language: str, text: str, day: date) -> None:
    assert day_format(form, language).find(text) == day


@each_case(
    "text", ["", "31 février 2025", "2 août 2025, 3 août 2025", "112 août 2025", "août 2025"]
)
def test_a_value_that_is_not_a_single_day_is_none(text: str) -> None:
    assert day_format("%d %B %Y", "fr").find(text) is None


@each_case("year", ["2569", "1405", "1447", "0114", "1899", "2101"])
def test_years_of_other_calendars_are_none(year: str) -> None:
    assert day_format("%d %B %Y", "en").find(f"25 November {year}") is None


@each_case("digits", ["２０２６", "𝟐𝟎𝟐𝟔"])
def test_digits_of_other_widths_are_digits(digits: str) -> None:
    assert day_format("%d %B %Y", "en").find(f"25 November {digits}") == date(2026, 11, 25)


@each_case(
    ("form", "language"),
    [("%d %B", "fr"), ("%d %B %m %Y", "fr"), ("%d %B %Y", "zh"), ("%d %B %Y %H", "fr"), ("", "fr")],
)
def test_other_formats_are_refused(form: str, language: str) -> None:
    with pytest.raises(InvalidInput):
        day_format(form, language)
