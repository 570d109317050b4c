"""Queries in a scenario beside the same queries without one, on the shipped corpus.

    python -m tools.benchmarks.scenarios [--rounds 3] [--write PAGE]

Responses are not cached, so every query is executed. The scenario has hypothetical events of ten entities.
Queries with and without it alternate.
"""

import statistics
import time
from typing import Any

import uvloop

from deploy.bootstrap import running_tracker
from schema.execution.execute import execute
from schema.services import OPEN_CALLER, Access, Services
from tools.benchmarks.harness import load, machine, markdown, options, publish, server
from tracker.postgres.database import Target

REPEATS = 40
TOUCHED = 10
ACCESS = Access(open=True)
QUERIES = {
    "one control with its clauses": (
        'exportControl(id: "cn-mofcom-2024-46") { clauses { key status suspendedUntil } }'
    ),
    "50 controls with their clauses": (
        "exportControls(first: 50) { totalCount nodes { key title clauses { key status } } }"
    ),
    "controls on gallium": (
        'exportControls(commodity: "gallium", first: 100)'
        " { edges { node { key } matchingClauses { key status } } }"
    ),
    "a check of a shipment": (
        'shipment(input: {commodity: "gallium", origin: "CN", destination: "US"})'
        " { verdicts { kind obligation } openQuestions { text } }"
    ),
    "exposure to an issuer": (
        'exposure(commodity: "gallium", issuer: "CN", destination: "US")'
        " { controlledShare places { __typename } }"
    ),
    "a search": 'search(text: "gallium", first: 20) { nodes { __typename } }',
    "upcoming changes": "upcoming(days: 400) { nodes { day summary } }",
    "production": 'production(commodity: "rare_earths", year: 2023) { total { __typename } }',
    "the digest of the state": "digest",
}


async def ask(services: Services, text: str, scenario: str | None = None, **variables: Any) -> Any:
    """Return the data of a response."""
    response = await execute(
        services, text, variables, ACCESS, caller=OPEN_CALLER, scenario=scenario
    )
    assert "errors" not in response, response["errors"]
    return response["data"]


async def create_scenario(services: Services) -> str:
    """Create a scenario with hypothetical events of ten recorded controls, and return its key."""
    data = await ask(
        services, '{ asOf { exportControls(commodity: "gallium") { nodes { key } } } }'
    )
    keys = [node["key"] for node in data["asOf"]["exportControls"]["nodes"][:TOUCHED]]
    assert len(keys) == TOUCHED
    source = {"publisher": "assumption", "name": "Planning", "publishedOn": "2026-01-01"}
    commands = [
        {
            "disputeExportControl": {
                "id": key,
                "on": "2026-01-01",
                "account": "Hypothetical.",
                "source": source,
            }
        }
        for key in keys
    ]
    text = "mutation ($of: ScenarioInput!) { createScenario(input: $of) { key } }"
    made = await ask(services, text, of={"title": "What if", "commands": commands})
    return str(made["createScenario"]["key"])


async def measured(target: Target, rounds: int) -> str:
    """Return the medians as Markdown."""
    await load(target)
    rows = []
    async with running_tracker(target) as services:
        await services.projector.reach(await services.recorder.head(), seconds=600)
        key = await create_scenario(services)
        for name, selection in QUERIES.items():
            text = f'{{ asOf(validAt: "2025-12-01") {{ {selection} }} }}'
            taken: dict[str | None, list[float]] = {None: [], key: []}
            for number in range(-3, REPEATS * rounds):
                for scenario in taken:
                    since = time.perf_counter()
                    await ask(services, text, scenario)
                    if number >= 0:
                        taken[scenario].append(time.perf_counter() - since)
            without, within = (statistics.median(times) * 1000 for times in taken.values())
            rows.append([name, f"{without:.2f}", f"{within:.2f}", f"{within / without:.2f}"])
    header = ["query", "without a scenario, ms", "in a scenario, ms", "times as long"]
    return f"{machine()}. Medians.\n\n{markdown(header, rows)}"


def main() -> None:
    """Measure and print, or write to a page."""
    chosen = options(str(__doc__)).parse_args()
    with server() as target:
        text = uvloop.run(measured(target, chosen.rounds))
    publish("scenarios", text, chosen.write)


if __name__ == "__main__":
    main()
