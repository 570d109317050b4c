"""The rule of clauses in words, for titles and first lines: shorter than the clauses, never wider. Pure.

A limit is named, or the words say `certain`: `ban on certain exports of gallium`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tracker.domain.basics.control_vocabulary import ClauseStatus, Direction, Measure, VerdictKind
from tracker.domain.catalogue.commodities import Commodity
from tracker.domain.wording.phrases import (
    in_running_text,
    listed,
    many,
    possessive,
    with_article,
    word_phrase,
)

MAX_GOODS = 3
MAX_NAMES = 2
"""Maximum number of firms and uses that are named if there are further ones."""
MAX_PLACES = 4
"""Maximum number of places that are named; more are counted."""
MAX_FORMS = 6
"""Maximum number of forms that are named; more are `certain` goods."""
NEXT_STEPS = {
    VerdictKind.PROHIBITED: "do not ship before the authority has confirmed whether it applies",
    VerdictKind.LICENCE_REQUIRED: "apply for the licence before you ship",
    VerdictKind.REVIEW: "expect a stricter review of your application",
    VerdictKind.QUOTA: "find out whether a part of the quota is left",
    VerdictKind.EXPORT_DUTY: "add the duty to your costs",
    VerdictKind.IMPORT_DUTY: "add the duty to your costs",
    VerdictKind.INVESTIGATION: "wait for the decision; no measure applies yet",
    VerdictKind.OTHER_CONDITION: "check the condition before you ship",
}
"""The next step of a trader, by the kind of the rule that applies."""
LIMITS_WITHOUT_WORDS = ("exemptItems", "exemptions", "exemptPreferences", "partialSuspensions")

ClauseNode = Mapping[str, Any]
Limits = Mapping[str, frozenset[str]]
"""The limits of a clause that have words, by kind; empty: no limit."""


def next_step(measure: str, direction: str, status: str = "IN_FORCE") -> str:
    """Return the next step of a trader whom a clause concerns, in a sentence; empty if it has ended."""
    if ClauseStatus[status].has_ended:
        return ""
    if status != "IN_FORCE":
        return "Next: check the status again before you ship."
    if measure == "STATE_TRADING":
        return "Next: trade through a designated firm."
    if direction == "PRODUCTION":
        return "Next: ask your supplier whether the limit concerns it."
    return f"Next: {NEXT_STEPS[Measure[measure].verdict_on(Direction[direction])]}."


def subject(control: Mapping[str, Any]) -> str:
    """Return the subject of an instrument: `China’s ban on exports of gallium to the United States`."""
    names = [one["name"] for clause in control["clauses"] for one in clause["commodities"]]
    goods = listed(map(in_running_text, names), MAX_GOODS)
    issuers = possessive(control["issuer"]["name"])
    if not control.get("official", True):
        issuers = f"{issuers} reported, officially denied"
    return f"{issuers} {rule(control, control['clauses'], goods)}"


def rule(control: Mapping[str, Any], clauses: Sequence[ClauseNode], goods: str = "") -> str:
    """Return the measures of clauses with their goods, places, firms and uses: `ban on exports of nickel as
    ore to Japan`. Without goods it is about those of a page, and names `every destination`."""
    direction, limits = Direction[control["direction"]], [*map(_limits, clauses)]
    *_, last_measure = dict.fromkeys(Measure[one["measure"]] for one in clauses)
    nouns = measure_nouns(clauses)
    varying = sum(len({of[kind] for of in limits}) > 1 for kind in limits[0])
    narrower = varying > 1 or any(map(has_limit_without_words, clauses))
    narrower = narrower or len(_all(limits, "forms")) > MAX_FORMS
    listed_firms = sorted(_all(limits, "firms"))
    firms = (
        many(len(listed_firms), "listed firm")
        if len(listed_firms) > MAX_NAMES or any(one.isdigit() for one in listed_firms)
        else listed(listed_firms)
    )
    places = sorted(_all(limits, "places"))
    toward = listed(map(with_article, places))
    if len(places) > MAX_PLACES:
        toward = f"{len(places)} places"
    elif not (toward or goods) and direction is Direction.EXPORT:
        toward = "every destination"
    if toward and firms[:1].isdigit() and direction is Direction.EXPORT:
        toward, firms = f"{firms} in {toward}", ""
    uses = [of["endUse"] for of in clauses if _all(limits, "uses")]
    uses = [one for one in uses if not one.startswith("as in clause")]
    return "".join(
        (
            f"{listed(nouns, MAX_GOODS)} {last_measure.preposition} ",
            "certain " if narrower else "",
            direction.noun,
            _goods_phrase(limits, "" if narrower and goods == "all goods" else goods),
            f" {direction.toward} {toward}" if toward else "",
            f" involving {firms}" if firms else "",
            f" for {listed(uses, MAX_NAMES)}" if uses else "",
        )
    )


def measure_nouns(clauses: Sequence[ClauseNode]) -> list[str]:
    """Return the nouns of the measures of clauses, each once: a licence includes a dual-use licence."""
    nouns = dict.fromkeys(Measure[one["measure"]].noun for one in clauses)
    if Measure.LICENCE.noun in nouns:
        nouns.pop(Measure.DUAL_USE_LICENCE.noun, None)
    return list(nouns)


def _limits(clause: ClauseNode) -> Limits:
    of_items = [set(one["forms"]) for one in clause["items"]]
    forms = set(clause["forms"]) or (set[str]().union(*of_items) if all(of_items) else set())
    possible = {form.name for one in clause["commodities"] for form in Commodity(one["key"]).forms}
    places = (*clause["destinations"], *clause["origins"])
    unnamed = range(len(clause["entities"]), clause["entityCount"] or 0)
    return {
        "measure": frozenset({clause["measure"]}),
        "covers": frozenset({clause["covers"]}),
        "goods": frozenset(one["name"] for one in clause["commodities"]),
        "forms": frozenset() if possible and possible <= forms else frozenset(forms),
        "places": frozenset(one["name"] for one in places),
        "firms": frozenset((*clause["entities"], *map(str, unnamed))),
        "uses": frozenset(filter(None, [clause["endUse"]])),
    }


def has_limit_without_words(clause: ClauseNode) -> bool:
    """Return whether a clause has a limit that its rule in words does not name."""
    return bool(
        any(clause[name] for name in LIMITS_WITHOUT_WORDS)
        or (clause["items"] and not clause["itemsComplete"])
        or (clause["exporters"] and clause["measure"] != "STATE_TRADING")
        or clause["territory"] == "ONLY_ABROAD"
        or any(one["exempt"] for one in clause["exceptions"])
    )


def _all(limits: Sequence[Limits], kind: str) -> frozenset[str]:
    """Return the limits of all clauses together; none if one of them is not limited."""
    of_kind = [of[kind] for of in limits]
    return frozenset[str]().union(*of_kind) if all(of_kind) else frozenset()


def _goods_phrase(limits: Sequence[Limits], goods: str) -> str:
    kinds = [word_phrase(kind) for kind in sorted(_all(limits, "covers"))]
    other = listed(one for one in kinds if one != "goods")
    forms = sorted(_all(limits, "forms"))
    as_forms = f" as {listed(map(word_phrase, forms), len(forms), 'or')}" if forms else ""
    if len(forms) > MAX_FORMS:
        as_forms = ""
    if not other:
        return f"{f' of {goods}' if goods else ''}{as_forms}"
    if "goods" in kinds:
        return f" of {goods or 'the goods'}{as_forms} and of {other} for them"
    return f" of {other}{f' for {goods}' if goods else ''}"
