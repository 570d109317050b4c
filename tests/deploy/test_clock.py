"""Detection of a clock that differs from the database's."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schema.services import Services
from tests.support.api import Api
from tests.support.clocks import moved_clock
from tests.support.database_urls import database_url
from tests.support.processes import Running
from tests.support.time_limits import within
from tracker.postgres.database import Target

pytestmark = pytest.mark.skipif(
    not moved_clock(1), reason="libfaketime (Debian: faketime) is not installed"
)
DAY_SECONDS = 86_400
GAUGE = "tracker_clock_difference_seconds "


def other_clock(seconds: int) -> dict[str, str]:
    """Return the environment of a server with a moved clock."""
    # A variable of Python's has tests begin a new process, which alone loads the library.
    return {**moved_clock(seconds), "PYTHONUNBUFFERED": "1"}


def read(serving: Running, path: str) -> str:
    """Return the response of a server, once it is ready."""
    deadline = time.monotonic() + within(20)
    while True:
        try:
            with urllib.request.urlopen(f"{serving.url}{path}", timeout=within(20)) as response:
                answer: str = response.read().decode()
                return answer
        except urllib.error.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.parametrize("seconds", [-3 * DAY_SECONDS, 60])
def test_a_clock_that_differs_is_a_warning_and_a_gauge(
    data_dir: Path, target: Target, start: Callable[..., Running], seconds: int
) -> None:
    url = database_url(target)
    serving = start("serve", data_dir=data_dir, TRACKER_DATABASE_URL=url, **other_clock(seconds))
    ready: dict[str, Any] = json.loads(read(serving, "/readyz"))
    assert ready["ready"]
    [warning] = ready["warnings"]
    side = "behind" if seconds < 0 else "ahead of"
    assert warning.startswith("the clock of this machine is ")
    assert f" seconds {side} the database's: expected at most 5" in warning
    shown = float(warning.split(" is ")[1].split()[0].replace(",", ""))
    assert abs(shown - abs(seconds)) < 5
    [sample] = [line for line in read(serving, "/metrics").splitlines() if line.startswith(GAUGE)]
    assert abs(float(sample.split()[1]) - seconds) < 5


async def test_a_clock_that_agrees_is_not_a_warning(services: Services) -> None:
    api = Api(services)
    assert (await api.request("GET", "/readyz")).json()["warnings"] == []
    text = (await api.request("GET", "/metrics")).text
    [sample] = [line for line in text.splitlines() if line.startswith(GAUGE)]
    assert abs(float(sample.split()[1])) < 5
