"""The summary box of a commodity: clauses that name it, first those of its producers on trade in goods."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from schema.pages.charts.status_marks import SUPPORTED
from schema.pages.commodities.clauses import Pair, names_goods
from schema.pages.controls.rule_words import has_limit_without_words, next_step, rule
from schema.pages.site.address import path_of
from schema.pages.site.embedding import AnswerLine
from tracker.domain.basics.control_vocabulary import ClauseStatus, Measure
from tracker.domain.controls.matching import ALL_GOODS
from tracker.domain.wording.phrases import with_capital

MAX_ANSWERS = 3
LIMITS = ("destinations", "endUse", "entityCount")


class ClauseAnswer(Struct, frozen=True):
    """A sentence on clauses that differ in forms alone, with the control and the source of the status."""

    issuer: str
    text: str
    control: str
    source: Mapping[str, Any] | None
    clause: Mapping[str, Any]


def clause_answers(
    pairs: Sequence[Pair], producers: Sequence[str], destination: str | None = None
) -> tuple[list[ClauseAnswer], int]:
    """Return the first answers, and the number of further clauses that name the commodity.

    Clauses on all goods come last. `producers` are codes of places, the largest producer first: their clauses
    come before those of others, who follow by the number of their clauses. Without a destination, clauses
    that are confirmed and concern everybody come before stricter ones.
    """
    current = [
        pair
        for pair in pairs
        if names_goods(pair[1]) and not ClauseStatus[pair[1]["status"]].has_ended
    ]
    active = Counter(node["issuer"]["code"] for node, _ in current).most_common()
    places = {code: at for at, code in enumerate(dict.fromkeys([*producers, *dict(active)]))}
    grouped: dict[tuple[object, ...], list[Pair]] = {}
    for node, clause in sorted(
        current, key=lambda pair: _rank(pair[0], pair[1], places, destination)
    ):
        of_forms = rule(node, [{**clause, "forms": (), "items": ()}])
        limited = has_limit_without_words(clause)
        key = node["issuer"]["name"], of_forms, limited, clause["statusStatement"]
        grouped.setdefault(key, []).append((node, clause))
    chosen = list(grouped.values())[:MAX_ANSWERS]
    answers = [_answer(group, group is chosen[0]) for group in chosen]
    return answers, len(current) - sum(map(len, chosen))


def answer_lines(
    answers: Sequence[ClauseAnswer], lead: Sequence[str], name: str
) -> list[AnswerLine]:
    """Return the lines of the box for other sites: the clauses, then the producers and counts."""
    lines = [AnswerLine(one.text, one.issuer, path_of("controls", one.control)) for one in answers]
    none = [AnswerLine(f"No recorded clause in force or upcoming names {name}.")]
    return [*(lines or none), *map(AnswerLine, lead)]


def _rank(
    node: Mapping[str, Any],
    clause: Mapping[str, Any],
    places: Mapping[str, int],
    destination: str | None,
) -> tuple[object, ...]:
    narrow = has_limit_without_words(clause) or any(clause[name] for name in LIMITS)
    general = () if destination else (narrow, clause["confirmation"] not in SUPPORTED)
    return (
        any(one["key"] == ALL_GOODS for one in clause["commodities"]),
        places[node["issuer"]["code"]],
        ClauseStatus[clause["status"]].rank,
        node["direction"] == "PRODUCTION",
        clause["covers"] != "GOODS",
        *general,
        Measure[clause["measure"]].rank,
    )


def _answer(group: Sequence[Pair], is_first: bool) -> ClauseAnswer:
    """Return the rule and its status; the first answer also has the next step of a trader."""
    node, clause = group[0]
    step = next_step(clause["measure"], node["direction"], clause["status"]) if is_first else ""
    because = clause["statusBecause"]
    return ClauseAnswer(
        node["issuer"]["name"],
        f"{with_capital(rule(node, [one for _, one in group]))}. {clause['statusStatement']} {step}".rstrip(),
        node["key"],
        because["source"] if because else None,
        clause,
    )
