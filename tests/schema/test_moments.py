"""Every response names the moments of its data in `extensions`."""

import asyncio
from typing import Any

from schema.base.context import Context
from schema.execution.schema import SCHEMA
from schema.services import Services
from tests.support.api import OPEN, Api, control
from tests.support.cases import each_case
from tracker import clock


async def moments(api: Api, document: str) -> Any:
    """Return the moments of a response."""
    return (await api.post(document))["extensions"]["moments"]


async def test_each_alias_of_as_of_says_its_own_moment(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    await api.do("announceExportControl", control("y"))
    told = await moments(
        api,
        """{ now: asOf { digest } then: asOf(validAt: "2025-01-01",
        position: "1") { digest } asOf(validAt: "2025-02-01") { digest } }""",
    )
    assert told == {
        "now": {"position": "2", "validAt": clock.today().isoformat()},
        "then": {"position": "1", "validAt": "2025-01-01"},
        "asOf": {"position": "2", "validAt": "2025-02-01"},
    }


async def test_answers_as_of_now_and_comparisons_state_their_moments(api: Api) -> None:
    await api.do("announceExportControl", control("x"))
    today = clock.today().isoformat()
    told = await moments(
        api,
        """{ imports { totalCount } changes(from: {validAt: "2024-01-01",
        position: "0"}) { totalCount } }""",
    )
    assert told == {
        "imports": {"position": "1", "validAt": today},
        "changes": {
            "from": {"position": "0", "validAt": "2024-01-01"},
            "to": {"position": "1", "validAt": today},
        },
    }


async def test_an_answer_with_errors_has_the_moments_that_are_known(api: Api) -> None:
    answer = await api.post('{ a: asOf { position } import(id: "x", minPosition: "soon") { key } }')
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_POSITION"
    assert set(answer["extensions"]["moments"]) == {"a"}


@each_case("document", ["{ head }", "{ commodities { key } }", "{ nothing }"])
async def test_where_no_moment_is_chosen_there_are_no_extensions(api: Api, document: str) -> None:
    assert "extensions" not in await api.post(document)


async def test_answers_in_the_making_do_not_mix(services: Services) -> None:
    context = Context(services, OPEN, OPEN.anyone())
    days = [f"2025-01-{day:02}" for day in range(1, 9)]
    results: Any = await asyncio.gather(
        *(
            SCHEMA.execute(f'{{ asOf(validAt: "{day}") {{ digest }} }}', context_value=context)
            for day in days
        )
    )
    told = [result.extensions["moments"]["asOf"]["validAt"] for result in results]
    assert told == days
