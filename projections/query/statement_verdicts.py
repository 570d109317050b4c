"""Verdicts on the parts of a sentence. Pure."""

from enum import StrEnum

from msgspec import Struct

from projections.query.statement_parts import PartKind, Sentence


class StatementVerdict(StrEnum):
    """The relation of a part of a sentence to the records."""

    RECORDED = "recorded"
    """Records state it, together with the other recorded parts."""
    CONTRADICTED = "contradicted"
    """Records state something else."""
    NOT_RECORDED = "not_recorded"
    """No record states it; it may be true."""


class CheckedPart(Struct, frozen=True):
    """A part of a sentence with its verdict, the reason, and the entities behind it."""

    kind: PartKind
    text: str
    verdict: StatementVerdict
    statement: str
    entities: tuple[str, ...] = ()


RECORDED, CONTRADICTED, NOT_RECORDED = StatementVerdict


def part(
    kind: PartKind,
    text: str,
    statement: str,
    entities: tuple[str, ...] = (),
    verdict: StatementVerdict = NOT_RECORDED,
) -> CheckedPart:
    return CheckedPart(kind, text, verdict, statement, entities)


def texts_of(of: Sentence) -> list[tuple[PartKind, str]]:
    """Return the texts of all parts that have a kind."""
    terms = (
        (PartKind.ISSUER, of.issuers),
        (PartKind.MEASURE, of.measures),
        (PartKind.GOODS, of.goods),
        (PartKind.PARTNER, of.partners),
    )
    named = [(kind, one.text) for kind, each in terms for one in each]
    named += [(PartKind.STATUS, one) for one in of.statuses]
    for kind, parts in (
        (PartKind.ACT, of.acts),
        (PartKind.DATE, of.dates),
        (PartKind.NUMBER, of.numbers),
    ):
        named += [(kind, one[0]) for one in parts]
    return named
