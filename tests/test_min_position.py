"""Clients that talk to several servers say how far an answer must have come."""

from __future__ import annotations

import asyncio

import pytest

from schema import moments
from schema.context import Services
from tests.api import Api, control

ASKED = 'query ($at: Position) { asOf(minPosition: $at) { position counts { exportControls } } }'


@pytest.fixture
def api(services: Services) -> Api:
    return Api(services)


async def test_a_question_waits_for_the_position_it_needs(api: Api) -> None:
    asking = asyncio.create_task(api.ask(ASKED, at="1"))
    await asyncio.sleep(0.2)
    assert not asking.done()
    await api.do("announceExportControl", control())
    assert (await asking)["asOf"]["position"] == "1"


async def test_a_position_that_is_reached_costs_no_waiting_and_pins_nothing(api: Api) -> None:
    await api.do("announceExportControl", control())
    await api.do("announceExportControl", control("y"))
    assert (await api.ask(ASKED, at="1"))["asOf"]["position"] == "2"


async def test_a_position_that_does_not_come_is_an_error_of_its_own(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "PATIENCE", 0.2)
    assert await api.refused(ASKED, at="5") == ("POSITION_NOT_REACHED", ["minPosition"])


async def test_what_is_no_position_is_refused_at_once(api: Api) -> None:
    assert await api.refused(ASKED, at="soon") == ("INVALID_POSITION", ["minPosition"])
