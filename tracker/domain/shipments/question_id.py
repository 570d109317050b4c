"""Ids of the questions of a check: on a part of one clause, or on all clauses of an issuer. Pure."""

from msgspec import Struct

from tracker.errors import InvalidInput

DUAL_USE_ROLE = "dual-use-items"
"""The subject of the question whether goods are dual-use items in the sense of an issuer."""
LISTED_FIRM = "listed-firm"
"""The subject of the question whether a party is on any list of an issuer."""
GOODS_QUESTION = "shipment/goods"
"""The id of the question whether the commodity or the code of a shipment is right."""
EXAMPLES = "cn-mofcom-2025-10/tungsten/item/2 or CN/end-use"


class QuestionId(Struct, frozen=True):
    """The id of a question on a clause, written `CONTROL/CLAUSE/PART`; a part may have slashes."""

    control: str
    """The key of the instrument."""
    clause: str
    """The key of the clause."""
    part: str
    """The part of the clause that the question is about, such as `form` or `item/2`."""

    def __str__(self) -> str:
        return f"{self.control}/{self.clause}/{self.part}"


class IssuerQuestionId(Struct, frozen=True):
    """The id of a question that the clauses of an issuer share, written `ISSUER/PART`.

    A part may have slashes. Codes of issuers are in capitals, keys of instruments are not."""

    issuer: str
    """The code of the issuer, such as `CN`."""
    part: str
    """The subject of the question, such as `end-use`."""

    def __str__(self) -> str:
        return f"{self.issuer}/{self.part}"


def parse_question_id(text: str) -> QuestionId | IssuerQuestionId:
    """Parse an id. Raises InvalidInput."""
    first, _, rest = text.partition("/")
    if first.isupper() and rest:
        return IssuerQuestionId(first, rest)
    clause, _, part = rest.partition("/")
    if not (first and clause and part):
        raise InvalidInput(
            f"{text[:100]!r}: expected the id of a question, such as {EXAMPLES}",
            code="INVALID_QUESTION",
        )
    return QuestionId(first, clause, part)
