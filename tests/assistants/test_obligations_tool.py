"""The tool for obligations: due days, the status of the act, and the limits of the answer."""

from typing import Any

import pytest

from schema.assistants.tools.obligations import TOOL, Parameters
from schema.services import Services
from tests.schema.test_obligations import DECLARE, RISK, with_three_obligations
from tests.support.api import Api
from tracker.domain.basics.vocabulary import ObligationRole


@pytest.fixture
async def api(services: Services) -> Api:
    """Run the API on three obligations; the act of one is suspended."""
    return await with_three_obligations(services)


async def answer(api: Api, **arguments: Any) -> Any:
    """Return the response of the tool on 1 December 2025."""
    parameters = Parameters(day="2025-12-01", **arguments)
    data = await api.ask(TOOL.document, **TOOL.variables_of(parameters))
    return TOOL.answer(data, parameters, "http://localhost")


async def test_the_tool_names_due_days_events_and_thresholds(api: Api) -> None:
    found = await answer(api, place="DE")
    assert [(one["key"], one.get("dueDay")) for one in found.answer["items"]] == [
        (RISK["id"], "2028-05-24"),
        (DECLARE["id"], None),
    ]
    assert found.answer["items"][1]["due"] == (
        "due after the delegated act, whose day is not recorded, not before 18 August 2028"
    )
    assert "Threshold: more than 500 employees and EUR 150 million turnover." in found.text
    assert any("Thresholds and exemptions" in one for one in found.answer["mustSay"])
    assert found.answer["address"].startswith("http://localhost/obligations?place=DE&")


async def test_the_tool_marks_an_obligation_of_a_suspended_act(api: Api) -> None:
    found = await answer(api, role=ObligationRole.EXPORTER, place="CN")
    [one] = found.answer["items"]
    assert one["actStatuses"] == ["suspended"]
    assert any("is not in force" in said for said in found.answer["mustSay"])


async def test_an_empty_answer_of_the_tool_says_that_no_list_was_read(api: Api) -> None:
    found = await answer(api, place="FJ")
    assert found.answer["items"] == []
    assert any(
        "No list of obligations of Fiji was read, so obligations may be missing." in said
        for said in found.answer["mustSay"]
    )
