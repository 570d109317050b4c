"""Versions of texts of acts: no day governs, and none is adopted, before its record allows it."""

from datetime import date
from typing import Any

import pytest

from tests.support.cases import each_case
from tests.support.fact_builders import fact
from tracker.domain.basics.vocabulary import TextStatus
from tracker.domain.controls.text import Recorded, version_on
from tracker.errors import InvalidInput

TEXT: dict[str, Any] = {
    "issuer": "EU",
    "act": "Regulation on smelters",
    "language": "en",
    "kind": "adopted",
    "sha256": "0" * 64,
    "size": 10,
    "format": "md",
}


@each_case(
    ("day", "adopted", "status"),
    [
        ("2021-05-20", "2021-05", TextStatus.NOT_RECORDED),
        ("2021-05-31", "2021-05", TextStatus.NOT_IN_FORCE),
        ("2021-05-20", None, TextStatus.NOT_RECORDED),
    ],
)
def test_a_text_is_adopted_from_the_last_day_that_its_record_allows(
    day: str, adopted: str | None, status: TextStatus
) -> None:
    version = fact(Recorded, "2021-09-09", **TEXT, adoptedOn=adopted).version
    assert version_on([version], date.fromisoformat(day)).status is status


def test_a_month_is_not_the_day_from_which_a_text_governs() -> None:
    with pytest.raises(InvalidInput, match="expected the day from which the text governs") as error:
        fact(Recorded, "2021-09", **TEXT)
    assert (error.value.code, error.value.path) == ("INVALID_DATE", ("on",))
