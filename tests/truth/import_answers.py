"""Questions about imports under export controls, as API queries."""

from __future__ import annotations

import json
from typing import Any

from tests.support.api import Api
from tests.truth.question import Question

SUMS = ("certain", "assumed", "partly", "none", "unnamed", "remainder")
BOUNDS = ("lower", "tight", "upper")
FIELDS = f"""{" ".join(SUMS)} {" ".join(BOUNDS)} figuresPublicLater controlledSinceFigures
  origins {{ place {{ code }} controls {{ status beside {{ control {{ key }} clause {{ key }} }} }} }}
  unnamedSuppliers {{ place {{ code }} }} controllingWithoutSupply {{ place {{ code }} }}"""


async def imports(api: Api, question: Question) -> dict[str, Any]:
    """Return the sums and bounds of one list of origins, with the statuses of its origins."""
    of = dict(question.of)
    measures = ", ".join(measure.upper() for measure in of.pop("measures", ()))
    arguments = ", ".join(f"{name}: {json.dumps(value)}" for name, value in of.items())
    if measures:
        arguments += f", measures: [{measures}]"
    answer = await api.ask(
        f'{{ asOf(validAt: "{question.day}") {{ importExposure({arguments}) {{ lists {{ {FIELDS} }}'
        " } } }"
    )
    [listed] = answer["asOf"]["importExposure"]["lists"]
    origins = listed["origins"]
    assert sum(float(listed[name]) for name in SUMS) == 100
    return {
        **{name: listed[name] for name in SUMS},
        "bounds": [listed[name] for name in BOUNDS],
        "public_later": listed["figuresPublicLater"],
        "since": listed["controlledSinceFigures"] or "",
        "statuses": {
            one["place"]["code"]: one["controls"]["status"].lower()
            for one in origins
            if one["controls"]["status"] != "NONE"
        },
        "beside": sorted(
            f"{clause['control']['key']}/{clause['clause']['key']}"
            for one in origins
            for clause in one["controls"]["beside"]
        ),
        "suppliers": sorted(one["place"]["code"] for one in listed["unnamedSuppliers"]),
        "without": sorted(one["place"]["code"] for one in listed["controllingWithoutSupply"]),
    }
