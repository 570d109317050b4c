"""`Retry-After`: the forms of its dates."""

import time
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime

import pytest

from tests.support.cases import each_case
from tracker import clock
from tracker.web.retry_after import read_retry_after


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Return a server whose clock shows another time zone's time."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
@each_case("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%c"])
def test_all_three_forms_of_a_date_are_in_greenwich_time_wherever_the_server_is(form: str) -> None:
    at = clock.now() + timedelta(hours=2)
    assert read_retry_after(503, at.strftime(form)) == pytest.approx(2 * 3600, abs=60)
    assert read_retry_after(503, format_datetime(at)) == pytest.approx(2 * 3600, abs=60)
