"""Legal questions as API queries, with results in the terms of the questions."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.api import Api
from tests.truth.import_answers import imports
from tests.truth.question import Question

ENUMS = {"measure", "covers", "status", "direction", "form", "stage", "kind", "match"}
NAMES = {"hs": "hsCode"}
OURS = {"buyer", "control", "clause", "under"}
"""Arguments that select among results, and are not sent to the API."""

MATCHING = """key measure status endUse entities entityCount territory
    ratePercent rateUpToPercent"""
CLAUSE_FIELDS = [
    *("status", "inForceFrom", "inForceUntil", "suspendedFrom", "suspendedUntil", "returnsOn"),
    *("firstInForce", "repealedFrom", "assumed", "retroactive", "continuedIn", "decisionDue"),
    "confirmation",
]
CLAUSE = f"key {' '.join(CLAUSE_FIELDS)} quotaPart quota {{ value upper unit qualifier }}"


async def ask(api: Api, question: Question) -> Any:
    """Return the API's result for a question, in its terms."""
    return await KINDS[question.kind](api, question)


async def _moment(api: Api, question: Question, fields: str) -> Any:
    """Return fields of the state on the day of a question."""
    answer = await api.ask(f'{{ asOf(validAt: "{question.day}") {{ {fields} }} }}')
    return answer["asOf"]


def _arguments(of: dict[str, Any], **defaults: Any) -> str:
    """Return arguments in GraphQL syntax."""
    given = {name: value for name, value in {**defaults, **of}.items() if name not in OURS}
    return ", ".join(f"{NAMES.get(name, name)}: {_value(name, given[name])}" for name in given)


def _value(name: str, value: Any) -> str:
    return value.upper() if name in ENUMS else json.dumps(value)


async def _matching(api: Api, question: Question, more: str = "") -> list[dict[str, Any]]:
    """Return controls with the clauses that match all arguments, by default those in force."""
    arguments = _arguments(question.of, status="in_force", first=200)
    found = await _moment(
        api,
        question,
        f"exportControls({arguments}) {{"
        f" edges {{ node {{ key }} matchingClauses {{ {MATCHING} {more} }} }} }}",
    )
    return [
        {"control": edge["node"]["key"], **clause}
        for edge in found["exportControls"]["edges"]
        for clause in edge["matchingClauses"]
        if _chosen(question.of, edge["node"]["key"], clause)
    ]


def _chosen(of: dict[str, Any], control: str, clause: dict[str, Any]) -> bool:
    """Whether a clause is of the named control and applies to the buyer.

    The buyer "anybody" is not a listed firm, has no special end use and buys where the goods are made.
    """
    if of.get("control", control) != control:
        return False
    limited = clause["endUse"] or clause["entities"] or clause["entityCount"]
    return of.get("buyer") != "anybody" or not (limited or clause["territory"] == "ONLY_ABROAD")


async def controls(api: Api, question: Question) -> list[str]:
    """Return the matching clauses: `control/clause measure status`."""
    return sorted(
        f"{clause['control']}/{clause['key']} {clause['measure']} {clause['status']}".lower()
        for clause in await _matching(api, question)
    )


async def rate(api: Api, question: Question) -> list[str]:
    """Return the distinct rates for goods."""
    origin = question.of.get("origin")
    asked = f"rateFor(place: {json.dumps(origin)})" if origin else ""
    clauses = await _matching(api, question, asked)
    return sorted({_rate(c) for c in clauses if c["measure"] in ("TARIFF", "TARIFF_RATE_QUOTA")})


def _rate(clause: dict[str, Any]) -> str:
    first = clause.get("rateFor", clause["ratePercent"])
    if first is None:
        return "not known"
    last = clause["rateUpToPercent"]
    return f"{first} to {last}" if last else str(first)


async def _control(api: Api, question: Question) -> dict[str, Any] | None:
    """Return the control that a question names, with the requested clauses."""
    given = _arguments(question.of)
    clauses = f"clauses({given})" if given else "clauses"
    answer = await _moment(
        api,
        question,
        f'exportControl(id: "{question.of["control"]}") {{ official'
        f" because {{ type source {{ primary verified }} }} {clauses} {{ {CLAUSE} }} }}",
    )
    control: dict[str, Any] | None = answer["exportControl"]
    if control and "clause" in question.of:
        control["clauses"] = [c for c in control["clauses"] if c["key"] == question.of["clause"]]
    return control


async def status(api: Api, question: Question) -> dict[str, Any]:
    """Return the status of the clauses of a control; one value if all are equal."""
    control = await _control(api, question)
    if control is None:
        return {"status": "not_announced"}
    return {_snake(name): _one(control["clauses"], name) for name in CLAUSE_FIELDS}


def _one(clauses: list[dict[str, Any]], field: str) -> Any:
    """Return the common value of clauses, or all values if they differ."""
    values = list(dict.fromkeys(_plain(clause.get(field)) for clause in clauses))
    return values[0] if len(values) == 1 else values or "no such clause"


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    return _key(value.lower()) if isinstance(value, str) else value


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


async def quota(api: Api, question: Question) -> list[str]:
    """Return the amounts of the clauses of a control: `60000 t batch`."""
    control = await _control(api, question)
    return sorted(_amount(clause) for clause in (control or {"clauses": []})["clauses"])


def _amount(clause: dict[str, Any]) -> str:
    amount = clause["quota"]
    if amount is None or amount["value"] is None:
        return "nobody knows"
    return f"{amount['value']} {amount['unit']} {clause['quotaPart'] or ''}".strip().lower()


async def listed(api: Api, question: Question) -> dict[str, Any]:
    """Return the number of firms on the matching lists, and the number of named ones."""
    clauses = [c for c in await _matching(api, question) if c["entityCount"] or c["entities"]]
    return {
        "firms": sum(clause["entityCount"] or len(clause["entities"]) for clause in clauses),
        "named": sum(len(clause["entities"]) for clause in clauses),
    }


async def evidence(api: Api, question: Question) -> dict[str, Any]:
    """Return whether a measure is official, and the basis of its announcement."""
    control = await _control(api, question)
    assert control is not None
    [opening] = [b for b in control["because"] if b["type"] == "ExportControl.Announced"]
    return {"official": control["official"], **opening["source"]}


def _fact_id(event: dict[str, Any]) -> str:
    """Return the id of the fact of an event: a correction adds its number after a tilde."""
    return str(event["eventId"]).partition("~")[0]


async def source(api: Api, question: Question) -> dict[str, Any]:
    """Return the sources of a fact, in the log's events and behind the state alike."""
    of = question.of
    said = "eventId source { citation primary verified unsupported }"
    answer = await api.ask(
        f'{{ asOf(validAt: "{question.day}") {{'
        f' node: {of["kind"]}(id: "{of["key"]}") {{ because {{ {said} }} }} }}'
        f' events(entity: "{of["entity"]}", first: 200) {{ nodes {{ {said} }} }} }}'
    )
    [behind] = [b for b in answer["asOf"]["node"]["because"] if _fact_id(b) == of["event"]]
    assert behind in answer["events"]["nodes"]
    return dict(behind["source"])


async def exposure(api: Api, question: Question) -> list[str]:
    """Return the coverage of the issuer's output by clauses: `cn-mofcom-2025-18/1 full`, or `partly`."""
    answer = await _moment(
        api,
        question,
        f"exposure({_arguments(question.of)}) {{ places {{ place {{ code }} inForce {{ full"
        " control { key } clause { key } } } }",
    )
    return sorted(
        {
            f"{one['control']['key']}/{one['clause']['key']} {'full' if one['full'] else 'partly'}"
            for supply in answer["exposure"]
            for place in supply["places"]
            for one in place["inForce"]
        }
    )


SHARES = ("controlledShare", "partlyControlledShare", "assumedShare", "contradictedShare")
MEASURE_SHARES = ("share", "assumedShare", "contradictedShare")


async def share(api: Api, question: Question) -> dict[str, Any]:
    """Return the shares of world production of one supply under control, or under one measure."""
    answer = await _moment(
        api,
        question,
        f"exposure({_arguments(question.of)}) {{ {' '.join(SHARES)}"
        f" measures {{ measure {' '.join(MEASURE_SHARES)} }} }}",
    )
    [supply] = answer["exposure"]
    if "under" not in question.of:
        return {_snake(name): _plain(supply[name]) for name in SHARES}
    shares = {share["measure"].lower(): share for share in supply["measures"]}
    under = shares.get(question.of["under"])
    return {_snake(name): under[name] if under else "none" for name in MEASURE_SHARES}


async def shares(api: Api, question: Question) -> dict[str, Any]:
    """Return the shares of the first supply, also by measure, and the commodity of its figures."""
    answer = await _moment(
        api,
        question,
        f"exposure({_arguments(question.of)}) {{ figuresOf {{ key }} controlledShare"
        " partlyControlledShare assumedShare contradictedShare measures {"
        " measure share assumedShare contradictedShare } }",
    )
    supply = answer["exposure"][0]
    return {
        "figures_of": supply["figuresOf"]["key"] if supply["figuresOf"] else "",
        "controlled": supply["controlledShare"] or "",
        "partly": supply["partlyControlledShare"] or "",
        "assumed": supply["assumedShare"] or "",
        "contradicted": supply["contradictedShare"] or "",
        "measures": {
            one["measure"].lower(): [one["share"], one["assumedShare"], one["contradictedShare"]]
            for one in supply["measures"]
        },
    }


async def requirements(api: Api, question: Question) -> list[str]:
    """Return the requirements for the goods of a supply with their legal bases: `a/1 on b/1 c/list`."""
    answer = await _moment(
        api,
        question,
        f"exposure({_arguments(question.of)}) {{ places {{ requirements {{ legalBases {{"
        " control { key } clause { key } } } } }",
    )
    return sorted(
        " on ".join([names[0], " ".join(sorted(names[1:]))]) if names[1:] else names[0]
        for supply in answer["exposure"]
        for place in supply["places"]
        for one in place["requirements"]
        for names in [[f"{b['control']['key']}/{b['clause']['key']}" for b in one["legalBases"]]]
    )


async def announcement(api: Api, question: Question) -> dict[str, Any]:
    """Return the recorded data of an announcement."""
    answer = await _moment(
        api,
        question,
        f'announcement(id: "{question.of["key"]}") {{ date kind until about supersededBy'
        " conflictsWith firms }",
    )
    told = answer["announcement"]
    if told is None:
        return {"kind": "not_made"}
    return {
        "made_on": told["date"],
        "kind": told["kind"].lower(),
        "until": told["until"] or "",
        "about": sorted(map(_key, told["about"])),
        "firms": len(told["firms"]),
        "superseded_by": _key(told["supersededBy"] or ""),
        "conflicts_with": sorted(map(_key, told["conflictsWith"])),
    }


def _key(entity: str) -> str:
    return entity.rpartition("/")[2]


async def alliance(api: Api, question: Question) -> dict[str, Any]:
    """Return the recorded data of an alliance."""
    answer = await _moment(
        api,
        question,
        f'alliance(id: "{question.of["alliance"]}") {{ status partOf succeededBy membersKnown'
        " members { place { code } since } }",
    )
    told = answer["alliance"]
    return {
        "status": told["status"].lower(),
        "part_of": _key(told["partOf"] or ""),
        "succeeded_by": _key(told["succeededBy"] or ""),
        "members_known": told["membersKnown"],
        "members": sorted(member["place"]["code"] for member in told["members"]),
        "count": len(told["members"]),
        "since": {member["place"]["code"]: member["since"] for member in told["members"]},
    }


async def membership(api: Api, question: Question) -> dict[str, Any]:
    """Return whether a place is a member itself, through a union, or not."""
    name, place = question.of["alliance"], question.of["place"]
    answer = await _moment(
        api, question, f'alliance(id: "{name}") {{ membership(place: "{place}") {{ kind role }} }}'
    )
    told = await alliance(api, question)
    return {
        "member": answer["alliance"]["membership"]["kind"].lower(),
        "role": (answer["alliance"]["membership"]["role"] or "").lower(),
        "since": told["since"].get(place, ""),
    }


async def horizon(api: Api, question: Question) -> dict[str, Any]:
    """Return the policy horizon of an issuer."""
    answer = await _moment(
        api, question, f'horizon(issuer: "{question.of["issuer"]}") {{ newestFactOn }}'
    )
    told = answer["horizon"][0]["newestFactOn"] if answer["horizon"] else None
    return {"newest_fact_on": told or ""}


async def completeness(api: Api, question: Question) -> dict[str, Any]:
    """Return the completeness of the lists behind a list of controls, with the gaps as text."""
    arguments = _arguments(question.of, first=1)
    fields = "totalCount completeness { level until gaps { reason } }"
    answer = (await _moment(api, question, f"exportControls({arguments}) {{ {fields} }}"))[
        "exportControls"
    ]
    found = answer["completeness"]
    gaps = "\n".join(gap["reason"] for gap in found["gaps"])
    wanted = question.expected.get("gap", "")
    return {
        "records": answer["totalCount"],
        "level": found["level"].lower(),
        "until": found["until"] or "",
        "gap": wanted if wanted in gaps else gaps,
    }


async def upcoming(api: Api, question: Question) -> list[str]:
    """Return the upcoming changes: `2027-01-01 export-control/zw-2025-conc`."""
    answer = await _moment(
        api,
        question,
        f"upcoming({_arguments(question.of, first=200)}) {{ nodes {{ day entity }} }}",
    )
    return [f"{node['day']} {node['entity']}" for node in answer["upcoming"]["nodes"]]


async def changes(api: Api, question: Question) -> list[str]:
    """Return the entities that differ on a later day."""
    until, commodity = question.of["until"], question.of["commodity"]
    answer = await api.ask(
        f'{{ changes(from: {{validAt: "{question.day}"}}, to: {{validAt: "{until}"}},'
        f' commodity: "{commodity}", first: 200) {{ nodes {{ entity change }} }} }}'
    )
    return [f"{node['entity']} {node['change']}".lower() for node in answer["changes"]["nodes"]]


KINDS: dict[str, Callable[[Api, Question], Awaitable[Any]]] = {
    "controls": controls,
    "firm": controls,
    "status": status,
    "quota": quota,
    "listed": listed,
    "rate": rate,
    "evidence": evidence,
    "source": source,
    "exposure": exposure,
    "share": share,
    "shares": shares,
    "requirements": requirements,
    "imports": imports,
    "announcement": announcement,
    "alliance": alliance,
    "members": alliance,
    "membership": membership,
    "horizon": horizon,
    "completeness": completeness,
    "upcoming": upcoming,
    "changes": changes,
}
