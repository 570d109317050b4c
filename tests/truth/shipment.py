"""Dated shipments with expected answers, from case files, and their answers over the API."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tests.support.api import Api

CASES = Path(__file__).with_name("shipments")
CLAUSE = "match confirmation control { key } clause { key status }"
QUERY = f"""
query ($day: Day!, $input: ShipmentInput!) {{
  asOf(validAt: $day) {{
    shipment(input: $input) {{
      verdicts {{
        kind direction match clause {{ {CLAUSE} exceptions }} legalBases {{ {CLAUSE} }}
        completeness {{ level }}
      }}
      notInForce {{ {CLAUSE} }}
      exportDuties {{ lines {{ low }} low high steps {{ text }} remarks notCovered }}
      importDuties {{ lines {{ low includesOrdinary }} low high steps {{ text }} remarks notCovered }}
      openQuestions {{ field text }}
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentCase:
    """A shipment on a day with its expected answer; README.md describes the fields."""

    ask: str
    day: date
    shipment: dict[str, Any]
    why: str
    source: str
    verdicts: list[str] | None = None
    has: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    bases: dict[str, list[str]] = field(default_factory=dict)
    exceptions: dict[str, list[str]] = field(default_factory=dict)
    confirmation: dict[str, list[str]] = field(default_factory=dict)
    legs: dict[str, list[str]] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    importDuty: str | None = None  # noqa: N815
    exportDuty: str | None = None  # noqa: N815
    steps: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    includesOrdinary: bool | None = None  # noqa: N815


def read_cases(directory: Path = CASES) -> list[ShipmentCase]:
    """Return the cases of all files, in order."""
    return [
        ShipmentCase(**fields)
        for path in sorted(directory.glob("*.toml"))
        for fields in tomllib.loads(path.read_text("utf-8"))["case"]
    ]


def input_of(shipment: dict[str, Any]) -> dict[str, Any]:
    """Return a shipment as the input of the query: the form is a name of the schema."""
    form = shipment.get("form")
    return shipment | ({"form": form.upper()} if form else {})


async def check(api: Api, case: ShipmentCase) -> dict[str, Any]:
    """Return the answer of the API to a case."""
    answer = await api.ask(QUERY, day=case.day.isoformat(), input=input_of(case.shipment))
    return dict(answer["asOf"]["shipment"])


def differences(case: ShipmentCase, answer: dict[str, Any]) -> list[str]:
    """Return the differences between the expected answer of a case and an answer, in sentences."""
    rules = [_rule(one["kind"], one["clause"]) for one in answer["verdicts"] if one["clause"]]
    lines = [*rules, *(f"in_force {rule.split()[-1]}" for rule in rules)]
    later = [_rule(one["clause"]["status"], one) for one in answer["notInForce"]]
    fields = [one["field"] for one in answer["openQuestions"]]
    wrong = [f"missing: {rule}" for rule in case.has if rule not in rules]
    wrong += [f"unexpected: {line}" for text in case.lacks for line in lines if text in line]
    wrong += [f"not later: {rule}" for rule in case.later if rule not in later]
    wrong += [f"no question: {name}" for name in case.questions if name not in fields]
    asked = " ".join(one["text"] for one in answer["openQuestions"])
    wrong += [f"not asked: {text}" for text in case.asks if text not in asked]
    if case.verdicts is not None and sorted(case.verdicts) != sorted(rules):
        wrong.append(f"expected exactly {case.verdicts}")
    for direction, kinds in case.legs.items():
        legs = [one for one in answer["verdicts"] if one["clause"] is None]
        found = [one["kind"].lower() for one in legs if one["direction"].lower() == direction]
        if found != kinds:
            wrong.append(f"leg of {direction}: {found}")
    wrong += _wrong_clauses(case, answer) + _wrong_duties(case, answer)
    return wrong and [*wrong, *rules, *(f"later {one}" for one in later)]


def _rule(kind: str, clause: dict[str, Any]) -> str:
    return f"{kind.lower()} {clause['match'].lower()} {_key(clause)}"


def _key(clause: dict[str, Any]) -> str:
    return f"{clause['control']['key']}/{clause['clause']['key']}"


def _wrong_clauses(case: ShipmentCase, answer: dict[str, Any]) -> list[str]:
    verdicts = {_key(one["clause"]): one for one in answer["verdicts"] if one["clause"]}
    wrong = []
    for key, bases in case.bases.items():
        found = sorted(map(_key, verdicts[key]["legalBases"]))
        if found != sorted(bases):
            wrong.append(f"bases of {key}: {found}")
    for key, texts in case.exceptions.items():
        together = " ".join(verdicts[key]["clause"]["exceptions"])
        wrong += [f"no exception of {key}: {text}" for text in texts if text not in together]
    for key, words in case.confirmation.items():
        word = verdicts[key]["clause"]["confirmation"].lower()
        if word not in words:
            wrong.append(f"confirmation of {key}: {word}")
    return wrong


def _wrong_duties(case: ShipmentCase, answer: dict[str, Any]) -> list[str]:
    totals = {"importDuty": answer["importDuties"], "exportDuty": answer["exportDuties"]}
    wrong = [
        f"{name}: {_amount(total)}"
        for name, total in totals.items()
        if (expected := getattr(case, name)) is not None and expected != _amount(total)
    ]
    steps = " ".join(step["text"] for total in totals.values() for step in total["steps"])
    remarks = " ".join(
        remark for total in totals.values() for remark in (*total["remarks"], *total["notCovered"])
    )
    wrong += [f"no step: {text}" for text in case.steps if text not in steps]
    wrong += [f"no remark: {text}: {remarks}" for text in case.remarks if text not in remarks]
    imported = answer["importDuties"]
    is_included = any(line["includesOrdinary"] for line in imported["lines"])
    if case.includesOrdinary not in (None, is_included):
        wrong.append(f"includesOrdinary: {is_included}")
    return wrong


def _amount(total: dict[str, Any]) -> str:
    if total["low"] is None:
        return "unknown" if total["lines"] else "none"
    low, high = (f"{float(total[bound]):g}" for bound in ("low", "high"))
    return low if low == high else f"{low} to {high}"
