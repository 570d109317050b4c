"""World supply under export controls, from clauses and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from tests.support.api import Api
from tests.truth.oracle.claims import Figure
from tests.truth.oracle.declared import above, countries_of, european_union, is_below
from tests.truth.oracle.events import first_day, last_day
from tests.truth.oracle.goods import (
    ALL,
    DUAL_USE,
    MADE,
    MINED,
    all_forms,
    forms_of,
    in_common,
    named_of,
)
from tests.truth.oracle.shares import (
    NO_COUNTRIES,
    Distribution,
    distribution,
    figures_for,
    product_of,
)

CONTROLS = """exportControls(direction: EXPORT, first: 200, after: $after) {
    nodes {
        key official announcedOn issuer { code }
        clauses {
            key end inForceFrom period
            status measure covers forms itemsComplete exemptions endUse entities entityCount
            territory commodities { key } items { forms commodity { key } }
            exemptItems { name forms threshold hsCodes commodity { key } }
            destinations { code } partialSuspensions { entities }
            exceptions { places { code } exempt inForceFrom inForceUntil }
        }
    }
    pageInfo { hasNextPage endCursor } }"""
EXPOSURE = """commodity { key } stage form year controlledShare partlyControlledShare
    measures { measure share }
    places {
        place { code } share
        inForce { full reach control { key } clause { key } }
        suspended { full reach control { key } clause { key } }
    }"""
OUTPUT = {"mine": MINED, "secondary": {"SCRAP", "METAL"}}
"""Forms of a stage's output; other stages have `MADE`."""
EXTENTS = ("OTHER", "PARTLY", "FULL")
MINERALS = {"critical_minerals", "minerals"}
"""Groups that are not goods themselves."""
OF_METAL = ("smelter", "primary", "secondary")
"""Stages whose figures are of metal."""


@dataclass(frozen=True)
class Question:
    """The parameters of an exposure query."""

    day: date
    commodity: str | None = None
    issuer: str | None = None
    destination: str | None = None
    stage: str | None = None
    year: int | None = None


def expected_exposure(
    question: Question, controls: list[dict[str, Any]], figures: dict[str, Figure]
) -> dict[str, Any]:
    """Return the supplies under controls, by commodity, stage and form."""
    found = {}
    named = _named(question, controls)
    for commodity in _commodities(question, controls, figures):
        for supply, of in _supplies(question, commodity, figures).items():
            applied = [
                (control, clause, reach)
                for control, clause in _standing(question, controls)
                if (reach := _reach(question, control, clause, commodity, of.stage, controls))
            ]
            applied = [
                (control, clause, "OTHER" if _makes_none(control, clause, commodity, of) else reach)
                for control, clause, reach in applied
            ]
            if question.commodity or commodity in named or _is_below_named(of, applied, named):
                found[supply] = _exposed(of, applied)
    return {"count": len(found), **found}


def _makes_none(
    control: dict[str, Any], clause: dict[str, Any], commodity: str, of: Distribution
) -> bool:
    """Whether a clause names only a group of minerals, and its issuer has no output."""
    own = {*clause["commodities"], *(item["commodity"] for item in clause["items"])}
    near = {one for one in own if one and (one in above(commodity) or is_below(one, commodity))}
    is_of_group = bool(near) and near <= MINERALS and commodity not in MINERALS
    countries = [place for place in of.figures if place not in NO_COUNTRIES]
    return (
        is_of_group
        and DUAL_USE not in own
        and bool(countries)
        and control["issuer"] not in countries
    )


def _is_below_named(
    of: Distribution, applied: list[tuple[dict[str, Any], dict[str, Any], str]], named: set[str]
) -> bool:
    """Whether a supply is of a commodity below a controlled one, and of a controlling place."""
    commodity = next((f.claims[0].series["commodity"] for f in of.figures.values()), None)
    below = commodity is not None and not named.isdisjoint(above(commodity))
    return below and any(control["issuer"] in of.figures for control, _, _ in applied)


def _commodities(
    question: Question, controls: list[dict[str, Any]], figures: dict[str, Figure]
) -> list[str]:
    with_figures = {
        product_of(figure)[0]
        for figure in figures.values()
        if product_of(figure)[1] == "production"
    }
    asked = question.commodity
    if asked is not None:
        return [asked, *(one for one in with_figures if one != asked and is_below(one, asked))]
    return sorted({*_named(question, controls), *with_figures})


def _named(question: Question, controls: list[dict[str, Any]]) -> set[str]:
    """Return the commodities that clauses name; dual-use items are those of the issuer's licences."""
    found = set()
    for control, clause in _standing(question, controls):
        found |= {*clause["commodities"]}
        if DUAL_USE in clause["commodities"]:
            found |= {
                commodity
                for other in controls
                if other["issuer"] == control["issuer"]
                for licence in _licences(other)
                for commodity in licence["commodities"]
            }
    return found


def _licences(control: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the dual-use licences for goods of a control that are in force."""
    return [
        clause
        for clause in control["clauses"]
        if clause["measure"] == "DUAL_USE_LICENCE"
        if clause["status"] == "IN_FORCE" and clause["covers"] == "GOODS"
        if clause["territory"] != "ONLY_ABROAD"
    ]


def _supplies(
    question: Question, commodity: str, figures: dict[str, Figure]
) -> dict[str, Distribution]:
    """Return each product of a commodity in the requested or latest year.

    A commodity without figures has an empty product, unless it is below the requested one.
    """
    of = _output_figures(commodity, question, figures)
    found = {}
    for product in {product_of(figure) for figure in of}:
        years = [f.claims[0].series["period"] for f in of if product_of(f) == product]
        if question.stage in (None, product[2]) and (question.year or max(years)) in years:
            year = question.year or max(years)
            key = " ".join(map(str, (commodity, *product[2:], year)))
            found[key] = distribution(figures, question.day, product, year)
    if not found and question.commodity in (None, commodity):
        key = f"{commodity} {question.stage} None None"
        found[key] = Distribution(question.day, {}, question.stage)
    return found


def _output_figures(commodity: str, question: Question, figures: dict[str, Figure]) -> list[Figure]:
    """Return the output figures in the requested year: its own, or else those filed elsewhere."""
    of_year = {
        name: figure
        for name, figure in figures.items()
        if question.year in (None, figure.claims[0].series.get("period"))
    }
    return [*figures_for(of_year, commodity, "production")[1].values()]


def _standing(
    question: Question, controls: list[dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return clauses in force or suspended that apply to the requested destination."""
    return [
        (control, clause)
        for control in controls
        for clause in control["clauses"]
        if clause["status"] in ("IN_FORCE", "SUSPENDED")
        if question.issuer in (None, control["issuer"])
        if question.destination
        not in {
            control["issuer"],
            *countries_of(control["issuer"], question.day),  # trade within a union is not export
        }
        if _is_for(clause, question)
    ]


def _is_for(clause: dict[str, Any], question: Question) -> bool:
    asked = question.destination
    if asked is None:
        return True
    names = {asked} | ({"EU"} if asked in european_union(question.day) else set())
    exempt = any(
        each["exempt"] and names & {*each["places"]} and _applies(each, question.day)
        for each in clause["exceptions"]
    )
    return not exempt and (not clause["destinations"] or bool(names & {*clause["destinations"]}))


def _applies(exception: dict[str, Any], day: date) -> bool:
    since, until = exception["inForceFrom"], exception["inForceUntil"]
    return not (since and day < first_day(since)) and not (until and day > last_day(until))


def _reach(
    question: Question,
    control: dict[str, Any],
    clause: dict[str, Any],
    commodity: str,
    stage: str | None,
    controls: list[dict[str, Any]],
) -> str | None:
    """Return the coverage of a supply by a clause, or an empty value."""
    if DUAL_USE in clause["commodities"] and commodity != DUAL_USE:
        return _dual_use_reach(question, control, clause, commodity, stage, controls)
    limited = _is_limited(question, control, clause)
    found = [_named_reach(clause, commodity, stage, limited)]
    for one in in_common(clause["commodities"], commodity):
        if forms := forms_of(clause, one):
            found.append(_extent(clause, stage, forms, all_forms(commodity), True))
    reached = [reach for reach in found if reach]
    return max(reached, key=EXTENTS.index) if reached else None


def _named_reach(
    clause: dict[str, Any], commodity: str, stage: str | None, limited: bool
) -> str | None:
    forms = forms_of(clause, commodity)
    if not forms:
        return None
    named, items = named_of(clause, commodity)
    below = [one for one in named if one != commodity and is_below(one, commodity)]
    of_below = [i for i in items if i["commodity"] and i["commodity"] not in above(commodity)]
    incomplete = bool(items) and not clause["itemsComplete"]
    limited = bool(below or of_below or incomplete or limited)
    return _extent(clause, stage, forms, all_forms(commodity), limited)


def _is_limited(question: Question, control: dict[str, Any], clause: dict[str, Any]) -> bool:
    """Whether a clause limits its own scope."""
    everywhere = question.destination is not None or not _limits_destinations(clause, question.day)
    said = ("exemptItems", "exemptions", "endUse", "entities", "entityCount", "partialSuspensions")
    return (
        not control["official"]
        or not everywhere
        or _ended_perhaps(control, clause, question.day)
        or any(clause[name] for name in said)
    )


def _ended_perhaps(control: dict[str, Any], clause: dict[str, Any], day: date) -> bool:
    """Whether a clause has no stated end, and its newest day is more than a year ago."""
    days = [control["announcedOn"], clause["inForceFrom"] or clause["period"]]
    newest = max(first_day(told) for told in days if told)
    return clause["end"] == "UNKNOWN" and (day - newest).days > 365


def _extent(
    clause: dict[str, Any], stage: str | None, forms: set[str], possible: set[str], limited: bool
) -> str:
    put_out = possible & (OUTPUT.get(stage, MADE) if stage else ALL) or possible
    if (
        clause["covers"] != "GOODS"
        or clause["measure"] == "INVESTIGATION"
        or clause["territory"] == "ONLY_ABROAD"
        or not forms & put_out
    ):
        return "OTHER"
    counted = {"METAL"} if stage in OF_METAL else put_out
    return "PARTLY" if limited or not counted <= forms else "FULL"


def _limits_destinations(clause: dict[str, Any], day: date) -> bool:
    return bool(clause["destinations"]) or any(
        each["exempt"] and _applies(each, day) for each in clause["exceptions"]
    )


def _dual_use_reach(
    question: Question,
    control: dict[str, Any],
    clause: dict[str, Any],
    commodity: str,
    stage: str | None,
    controls: list[dict[str, Any]],
) -> str | None:
    """Return the coverage, limited to that of the issuer's dual-use licences in force.

    A clause that names only a group may not cover these goods, so it never fully covers them.
    """
    licences = [
        found
        for other in controls
        if other["issuer"] == control["issuer"]
        for licence in _licences(other)
        if DUAL_USE not in licence["commodities"]
        if (found := _reach(question, other, licence, commodity, stage, controls))
    ]
    if not licences:
        return None
    forms = ({*clause["forms"]} or ALL) & all_forms(commodity)
    own = _extent(clause, stage, forms, all_forms(commodity), limited=True)
    return min(own, max(licences, key=EXTENTS.index), key=EXTENTS.index)


def _exposed(
    of: Distribution, applied: list[tuple[dict[str, Any], dict[str, Any], str]]
) -> dict[str, Any]:
    shares = of.shares()
    in_force: dict[str, list[tuple[str, str]]] = {}
    for control, clause, reach in applied:
        if clause["status"] == "IN_FORCE":
            in_force.setdefault(control["issuer"], []).append((reach, clause["measure"]))
    full = {p for p, clauses in in_force.items() if any(r == "FULL" for r, _ in clauses)}
    partly = {p for p, clauses in in_force.items() if any(r == "PARTLY" for r, _ in clauses)}
    measures = {m for place in full for r, m in in_force[place] if r == "FULL" and shares}

    def part(places: set[str]) -> Fraction | None:
        return sum((shares.get(p, Fraction(0)) for p in places), Fraction(0)) if shares else None

    return {
        "controlledShare": part(full),
        "partlyControlledShare": part(partly - full),
        "measures": {
            measure: {"share": part({p for p in full if ("FULL", measure) in in_force[p]})}
            for measure in measures
        },
        "clauses": {
            f"{control['key']}/{clause['key']} {clause['status']}": reach
            for control, clause, reach in applied
        },
        "places": {
            place: {"share": shares.get(place)} for place in {c["issuer"] for c, _, _ in applied}
        },
    }


def exposure_answer(answer: Any) -> Any:
    """Return the actual result in the same form."""
    found = {}
    for one in answer:
        stage = one["stage"].lower() if one["stage"] else None
        found[" ".join(map(str, (one["commodity"]["key"], stage, one["form"], one["year"])))] = {
            "controlledShare": one["controlledShare"],
            "partlyControlledShare": one["partlyControlledShare"],
            "measures": {each["measure"]: each for each in one["measures"]},
            "clauses": {
                f"{each['control']['key']}/{each['clause']['key']} {status}": each["reach"]
                for place in one["places"]
                for part, status in (("inForce", "IN_FORCE"), ("suspended", "SUSPENDED"))
                for each in place[part]
            },
            "places": {each["place"]["code"]: each for each in one["places"]},
        }
    return {"count": len(found), **found}


async def ask_controls(api: Api, day: date, position: int) -> list[dict[str, Any]]:
    """Query all export controls with their clauses at a moment, page by page."""
    at = f'asOf(validAt: "{day}", position: "{position}")'
    nodes = await api.nodes(f"query ($after: String) {{ {at} {{ {CONTROLS} }} }}")
    return [plain(node) for node in nodes]


def plain(value: Any) -> Any:
    """Return a result with keys and codes instead of objects that have nothing else."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if list(value) in (["key"], ["code"]):
        return next(iter(value.values()))
    return {name: plain(part) for name, part in value.items()}
