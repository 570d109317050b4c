"""Verdicts on the parts of a sentence. Pure."""

from enum import StrEnum

from msgspec import Struct


class PartKind(StrEnum):
    """The kind of a part of a sentence."""

    ISSUER = "issuer"
    """The place that acts, or that produces."""
    PARTNER = "partner"
    """A destination or an origin."""
    MEASURE = "measure"
    """A kind of restriction."""
    GOODS = "goods"
    """Goods."""
    STATUS = "status"
    """A status of the restriction."""
    DATE = "date"
    """A date."""
    NUMBER = "number"
    """A number with its unit."""
    ACT = "act"
    """The number of an act."""
    OTHER = "other"
    """Words that were not checked."""


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
    verdict: StatementVerdict = NOT_RECORDED,
    entities: tuple[str, ...] = (),
) -> CheckedPart:
    return CheckedPart(kind, text, verdict, statement, entities)
