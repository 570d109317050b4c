"""The answer of a check in sentences. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from schema.pages.charts.status_marks import DOUBTS
from schema.pages.controls.rule_words import next_step
from schema.pages.site.name_fields import name_of
from tracker.domain.shipments.obligations import with_conditions, without_doubt
from tracker.domain.shipments.question_id import LISTED_FIRM
from tracker.domain.wording.phrases import (
    listed,
    many,
    short_date,
    with_article,
    with_capital,
    word_phrase,
)

CERTAINLY, POSSIBLY, NOT_IN_FORCE, ENDED = "Certainly", "Possibly", "Later", "Ended"
CERTAINTY = {
    "CERTAIN": CERTAINLY,
    "AS_RECORDED": "As recorded",
    "NOT_CONFIRMED": "Not confirmed",
    "CONTRADICTED": "Contradicted",
    "POSSIBLE": POSSIBLY,
}
"""Words for the certainty of a rule, surest first."""
SUREST_FIRST = [*CERTAINTY].index
WITHOUT_RULE = {"NOTHING_RECORDED": "Not recorded", "UNKNOWN": "Unknown"}
"""Words for legs without a rule, by the kind of their verdict."""
DUTIES = {"EXPORT_DUTY": "export", "IMPORT_DUTY": "import"}
RULES_OF_ORIGIN = ("certain", "possible")
MAX_CERTAIN = 6
"""Maximum number of certain rules in the answer; their section has all."""

VerdictNode = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer after its certainty."""

    certainty: str
    text: str
    control: str = ""
    """The instrument that has the rule, with all of its firms; empty if it is about several."""
    measure: str = ""
    """The measure of its rule; empty without a rule."""
    status: str = "IN_FORCE"

    confirmation: str = "CONFIRMED"

    @property
    def doubt(self) -> str:
        """Return the doubt about the rule in words; empty if it certainly has the status."""
        certain = self.certainty in (CERTAINLY, NOT_IN_FORCE, ENDED)
        return DOUBTS[self.confirmation] if certain else self.certainty.lower()


def shipment_title(values: Mapping[str, str]) -> str:
    """Return a shipment in words: `Tungsten, HS 284990, from China to Germany`."""
    goods = [name_of(values["commodity"])] if "commodity" in values else []
    goods += [word_phrase(values[name]) for name in ("form", "covers") if name in values]
    goods += [f"HS {values['hsCode']}"] if "hsCode" in values else []
    way = [
        f"{word} {with_article(name_of(values[name]))}"
        for word, name in (
            ("from", "origin"),
            ("exported from", "exportCountry"),
            ("through", "route"),
            ("to", "destination"),
        )
        if name in values
    ]
    firm = [f"for {values['endUser']}"] if "endUser" in values else []
    return ", ".join(filter(None, (", ".join(goods), " ".join(way), *firm)))


def answer(shipment: Mapping[str, Any]) -> list[Sentence]:
    """Return the answer: certain rules, the strongest possible one with its conditions, duties, then
    other possible, later and unknown rules, and last those on firms of lists. The first sentence has the
    next step of the trader."""
    possible, for_firms = _possible_rules(shipment)
    sentences = [
        *_certain(shipment["verdicts"]),
        *map(_sentence, possible[:1]),
        *_duties(shipment),
        *_possible(possible[1:]),
        *_later(shipment["notInForce"]),
        *(
            Sentence(
                WITHOUT_RULE[one["kind"]], with_capital(one["obligation"].removeprefix("Unknown: "))
            )
            for one in shipment["verdicts"]
            if one["match"] is None
        ),
        *_possible(for_firms, "rule on listed firms", "rules on listed firms"),
    ]
    return [_with_next_step(one, shipment) for one in sentences[:1]] + sentences[1:]


def _with_next_step(first: Sentence, shipment: Mapping[str, Any]) -> Sentence:
    """Return the first sentence with the next step: that of its rule, or to answer the questions."""
    rule = next((one for one in shipment["verdicts"] if one["match"] == "CERTAIN"), None)
    if rule and first.certainty != POSSIBLY:
        step = next_step(rule["clause"]["clause"]["measure"], rule["direction"])
    elif shipment["openQuestions"]:
        step = "Next: answer the questions below."
    else:
        step = "Next: ask the authority, because the records do not settle it."
    return replace(first, text=f"{first.text} {step}")


def _sentence(one: VerdictNode) -> Sentence:
    clause = one["clause"]
    text = with_conditions(
        without_doubt(one["obligation"]), clause["reasons"], clause["exceptions"]
    )
    return Sentence(
        CERTAINTY[clause["certainty"]], text, clause["control"]["key"], clause["clause"]["measure"]
    )


def _certain(verdicts: Sequence[VerdictNode]) -> Iterator[Sentence]:
    certain = [one for one in verdicts if one["match"] == "CERTAIN" and one["kind"] not in DUTIES]
    yield from map(_sentence, certain[:MAX_CERTAIN])
    if len(certain) > MAX_CERTAIN:
        weakest = max(
            (one["clause"]["certainty"] for one in certain[MAX_CERTAIN:]), key=SUREST_FIRST
        )
        more = f"{many(len(certain) - MAX_CERTAIN, 'more rule')} below."
        yield Sentence(
            CERTAINTY[weakest], more, measure=certain[MAX_CERTAIN]["clause"]["clause"]["measure"]
        )


def _duties(shipment: Mapping[str, Any]) -> Iterator[Sentence]:
    for trade in DUTIES.values():
        duties = shipment[f"{trade}Duties"]
        if duties["lines"] or duties["steps"]:
            matching = [
                line["clause"]["certainty"]
                for line in duties["lines"]
                if line["clause"]["match"] == "CERTAIN"
            ]
            weakest = max(
                matching,
                key=SUREST_FIRST,
                default="POSSIBLE" if duties["lines"] else "NOT_CONFIRMED",
            )
            yield Sentence(CERTAINTY[weakest], duties["statement"], measure="TARIFF")


def percent_range(part: Mapping[str, Any]) -> str:
    """Return a rate or a total as a range: `25 %`, `0 to 25 %`; nothing without a number."""
    low, high = part["low"], part["high"]
    if high is None:
        return ""
    return f"{high} %" if low == high else f"{low} to {high} %"


def rules_of_origin(of: Mapping[str, Any]) -> str:
    """Return the kinds of the rules from an origin by their certainty, without import duties."""
    groups = {
        word: [kind for kind in of[word] if kind != "IMPORT_DUTY"] for word in RULES_OF_ORIGIN
    }
    texts = [
        f"{word}: {listed([*map(word_phrase, kinds)])}" for word, kinds in groups.items() if kinds
    ]
    return "; ".join(texts) or "none recorded"


def _possible_rules(shipment: Mapping[str, Any]) -> tuple[list[VerdictNode], list[VerdictNode]]:
    """Return the possible rules without duties, the strongest first; then those on firms of lists, which
    do not concern every shipment."""
    for_firms = {
        _key_of(clause)
        for question in shipment["openQuestions"]
        if question["id"].endswith(f"/{LISTED_FIRM}")
        for clause in question["clauses"]
    }
    rules = [
        one
        for one in shipment["verdicts"]
        if one["match"] == "POSSIBLE" and one["kind"] not in DUTIES
    ]
    others = [one for one in rules if _key_of(one["clause"]) not in for_firms]
    return others, [one for one in rules if one not in others]


def _key_of(node: Mapping[str, Any]) -> tuple[str, str]:
    return node["control"]["key"], node["clause"]["key"]


def _possible(
    possible: Sequence[VerdictNode], noun: str = "further rule", plural: str = "further rules"
) -> Iterator[Sentence]:
    if possible:
        kinds = [*dict.fromkeys(word_phrase(one["kind"]) for one in possible)]
        apply = "applies" if len(possible) == 1 else "apply"
        yield Sentence(
            POSSIBLY,
            f"{many(len(possible), noun, plural)} {apply} if conditions are met"
            f" ({', '.join(kinds)}).",
            measure=possible[0]["clause"]["clause"]["measure"],
        )


def _later(not_in_force: Sequence[Mapping[str, Any]]) -> Iterator[Sentence]:
    ended = [one for one in not_in_force if one["clause"]["status"] == "EXPIRED"]
    rules = [one for one in not_in_force if one not in ended]
    for one in ended:
        clause = one["clause"]
        yield Sentence(
            ENDED,
            one["obligation"],
            "",
            clause["measure"],
            clause["status"],
            clause["confirmation"],
        )
    if not rules:
        return
    days = sorted(one["firstDay"] for one in rules if one["firstDay"])
    first = f" The first of them applies from {short_date(days[0])}." if days else ""
    are = "is" if len(rules) == 1 else "are"
    yield Sentence(
        NOT_IN_FORCE,
        f"{many(len(rules), 'rule')} {are} suspended or not yet in force.{first}",
        measure=rules[0]["clause"]["measure"],
        status=rules[0]["clause"]["status"],
        confirmation=rules[0]["clause"]["confirmation"],
    )
