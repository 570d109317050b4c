"""Queries for figures, and results in the form of the oracle."""

from __future__ import annotations

import json
from typing import Any

from tests.support.api import Api

FIGURE = """claims { position latest preferred } preferred { position } choice { rule event { position } }
    sideBySide {
        latest { position } notComparable { claim { position } }
        spread { minimum maximum absolute relative unit claims { position } }
    }
    revisions { position change changePercent changeUnavailableReason before { position } }"""
DISTRIBUTION = """stage form year world { position }
    figures {
        place { code } share shareUnavailableReason rank cumulativeShare mixedEditions
        computedFrom { position } preferred { position }
    }
    withoutNumber { code } notComparable { place { code } }
    concentration {
        hhi topThreeShare topThree { code } coveredShare mixedEditions computedFrom { position }
    }
    residual {
        value unit published { position } includedPlaces { code } computedFrom { position }
    }
    total {
        method value unit published { position } sumOfPlaces difference relativeDifference
        notSummed { code }
    }"""
GROUP = """members { code } share shareAtMost complete membersKnown value unit
    missing { place { code } } figures { place { code } } overlapping { place { code } }"""


async def log_of(api: Api) -> list[dict[str, Any]]:
    """Return all entries of the log, from the public stream."""
    response = await api.request(
        "GET", "/events?after=0&follow=false", headers={"Accept": "application/x-ndjson"}
    )
    return [json.loads(line) for line in response.text.splitlines() if line.strip()]


async def ask_moment(api: Api, day: Any, position: int | None, fields: str) -> Any:
    """Query fields of the state at a moment."""
    at = "" if position is None else f', position: "{position}"'
    answer = await api.ask(f'{{ asOf(validAt: "{day}"{at}) {{ {fields} }} }}')
    return answer["asOf"]


def figure_field(key: str) -> str:
    """Return the field of one figure."""
    return f"figure(id: {json.dumps(key)}) {{ {FIGURE} }}"


def production_field(
    commodity: str,
    year: int | None,
    stage: str | None = None,
    form: str | None = None,
    groups: str = "",
) -> str:
    """Return the field of a commodity's world production."""
    arguments = [f'commodity: "{commodity}"']
    arguments += [f"year: {year}"] if year else []
    arguments += [f"stage: {stage.upper()}"] if stage else []
    arguments += [f'form: "{form}"'] if form else []
    return f"production({', '.join(arguments)}) {{ {DISTRIBUTION} {groups} }}"


def simple(value: Any) -> Any:
    """Return a result with codes and positions instead of objects that have nothing else."""
    if isinstance(value, list):
        return [simple(each) for each in value]
    if not isinstance(value, dict):
        return value
    match list(value):
        case ["position"]:
            return int(value["position"])
        case ["code"]:
            return value["code"]
        case ["place"] | ["claim"] | ["event"]:
            return simple(next(iter(value.values())))
    return {name: int(part) if name == "position" else simple(part) for name, part in value.items()}
