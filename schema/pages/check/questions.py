"""Open questions of a check as links: the same address with an answer. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from schema.pages.site.address import Address
from schema.pages.site.name_fields import name_of
from tracker.domain.shipments.question_id import (
    GOODS_QUESTION,
    IssuerQuestionId,
    QuestionId,
    parse_question_id,
)

FIELDS = {
    "commodity": "Goods",
    "hsCode": "HS or tariff code",
    "codeOf": "Tariff of the code",
    "form": "Form",
    "covers": "Subject",
    "origin": "Country of production",
    "exportCountry": "Exported from",
    "destination": "Destination",
    "route": "In transit through",
    "exporter": "Exporter",
    "importer": "Importer",
    "endUser": "End user",
    "endUse": "End use",
    "preference": "Trade preference",
    "value": "Value in US dollars",
    "weight": "Weight in kilograms",
    "metalWeight": "Weight of the metal in kilograms",
    "contents": "Foreign content",
}
"""Labels of the fields of the form by the fields of the input."""
ANSWERS = "answers"
YES_OR_NO = ("Is ", "Are ", "Do ", "Does ")
"""First words of questions that a yes or no answers."""

Rule = Mapping[str, Any]
Question = Mapping[str, Any]
Key = tuple[str, str]


class Reply(Struct, frozen=True):
    """A possible answer: its words, and the address of the check with it."""

    words: str
    href: str


class AskedQuestion(Struct, frozen=True):
    """An open question with its possible answers."""

    text: str
    replies: Sequence[Reply]
    field: str | None
    """The field of the form that answers it; None if only a yes or no does."""
    keys: frozenset[Key]
    """The rules that it settles."""

    @property
    def label(self) -> str:
        """Return the label of its field."""
        return FIELDS[self.field] if self.field else ""


class PossibleRules(Struct, frozen=True):
    """A question with the possible rules that it settles first; None for rules without a question."""

    question: AskedQuestion | None
    rules: Sequence[Rule]


class GivenAnswer(Struct, frozen=True):
    """An answer in the address."""

    control: str
    """The instrument of its question; empty if the question is about all acts of an issuer."""
    words: str
    without: str
    """The address of the check without it."""


def key_of(rule: Rule) -> Key:
    """Return the instrument and the clause of a rule."""
    return rule["control"]["key"], rule["clause"]["key"]


def asked_questions(shipment: Mapping[str, Any], address: Address) -> list[AskedQuestion]:
    """Return the open questions of a check. Questions with the same words are one."""
    same: dict[str, list[Question]] = {}
    of_legs = (one["question"] for one in shipment["verdicts"] if one["match"] is None)
    for one in (*shipment["openQuestions"], *filter(None, of_legs)):
        same.setdefault(one["text"], []).append(one)
    return [_page_question(text, questions, address) for text, questions in same.items()]


def _page_question(text: str, questions: Sequence[Question], address: Address) -> AskedQuestion:
    field = questions[0]["field"]
    return AskedQuestion(
        text,
        [*_replies(questions, address)],
        None if field == ANSWERS else field,
        frozenset(key_of(one) for question in questions for one in question.get("clauses", ())),
    )


def _replies(questions: Sequence[Question], address: Address) -> Iterable[Reply]:
    if questions[0]["id"] == GOODS_QUESTION:
        stated = address.parameters
        yield Reply(name_of(stated["commodity"]), address.narrowed(hsCode=None, codeOf=None))
        yield Reply(f"Code {stated['hsCode']}", address.narrowed(commodity=None))
    if not questions[0]["text"].startswith(YES_OR_NO):
        return
    ids = [id for question in questions for id in _ids(question)]
    for word in ("yes", "no"):
        answers = [*_stated_answers(address), *(f"{one}:{word}" for one in ids)]
        yield Reply(word.capitalize(), address.narrowed(answers=",".join(answers)))
    if questions[0]["field"] == "contents":
        yield Reply("No foreign content at all", address.narrowed(contents="none"))


def _ids(question: Question) -> list[str]:
    """Return the ids of a question for each clause that it settles, so that one answer is for all."""
    id = parse_question_id(question["id"])
    if isinstance(id, IssuerQuestionId):
        return [str(id)]
    return [str(QuestionId(*key_of(one), id.part)) for one in question["clauses"]]


def _stated_answers(address: Address) -> list[str]:
    return [one for one in address.parameters.get(ANSWERS, "").split(",") if one]


def given_answers(address: Address) -> list[GivenAnswer]:
    """Return the answers in the address, each with the address without it."""
    answers = _stated_answers(address)
    return [
        GivenAnswer(
            _control_of(one.rpartition(":")[0]),
            one.replace(":", ": "),
            address.narrowed(answers=",".join(other for other in answers if other != one)),
        )
        for one in answers
    ]


def _control_of(question: str) -> str:
    """Return the instrument of a question; empty for a question on all clauses of an issuer."""
    id = parse_question_id(question)
    return id.control if isinstance(id, QuestionId) else ""


def possible_rules(
    verdicts: Iterable[Mapping[str, Any]], questions: Sequence[AskedQuestion]
) -> list[PossibleRules]:
    """Return the possible rules, each under the first question that it depends on."""
    open_rules = {key_of(one["clause"]): one for one in verdicts if one["match"] == "POSSIBLE"}
    groups = []
    for question in questions:
        keys = [key for key in open_rules if key in question.keys]
        if keys:
            groups.append(PossibleRules(question, [open_rules.pop(key) for key in keys]))
    if open_rules:
        groups.append(PossibleRules(None, [*open_rules.values()]))
    return groups


def further_questions(
    questions: Sequence[AskedQuestion], rule: Rule, settled: AskedQuestion | None = None
) -> list[AskedQuestion]:
    """Return the questions of a rule besides the one that it stands under."""
    return [one for one in questions if key_of(rule) in one.keys and one is not settled]
