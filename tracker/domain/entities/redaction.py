"""Redactions: removed texts of recorded events, with the reasons.

A redaction is about one event, and its stream is `redaction/` and the position of that event. The log itself
empties the annexes of the redacted fields, in the transaction that records the redaction.
"""

from datetime import date
from typing import Annotated, ClassVar

import msgspec

from tracker.domain.basics.values import Name, PartialDate, Value, check_reason
from tracker.domain.entities.entity import (
    CitingFold,
    Entity,
    RecordedFact,
    Retracted,
    StateWithEvidence,
)
from tracker.domain.entities.fact import Fact, Source
from tracker.errors import InvalidInput

Field = Annotated[str, msgspec.Meta(pattern=r"^(/[A-Za-z]+|/clauses/\d{1,4}/note)\Z")]
"""A text of an event by its JSON Pointer: `/note`, `/quotation`, `/clauses/0/note`."""

REDACTED_TYPE = "Redaction.Redacted"


class Redacted(Fact, frozen=True, kw_only=True):
    """Texts of the event `redacts` are redacted: the fields, the day, the reason and the author.

    `source` is the law, the order or the request that demands it. `reason` must not disclose the texts.
    """

    redacts: Name
    fields: Annotated[tuple[Field, ...], msgspec.Meta(min_length=1)]
    on: PartialDate
    reason: Name
    by: Name | None = None

    def __post_init__(self) -> None:
        check_reason(self.reason)
        if len(set(self.fields)) < len(self.fields):
            raise InvalidInput("expected each field once", path=("fields",))

    @property
    def public_on(self) -> date:
        """The day of the redaction."""
        return self.on.first


class RedactedText(Value, frozen=True, kw_only=True):
    """A redacted text; `position` is that of the redaction."""

    field: str
    """The field of the event's data that had the text, as a JSON Pointer: `/note`, `/quotation`,
    `/clauses/0/note`."""
    on: PartialDate
    """The day of the redaction."""
    reason: str
    """The reason."""
    source: Source
    """The law, the order or the request that demands it."""
    position: int
    """The position of the redaction in the log."""
    by: str | None = None
    """The name of the person who redacted it."""


class RedactionState(StateWithEvidence, frozen=True, kw_only=True):
    """All redactions of one event; `id` is its position."""

    event_id: str
    """The id of the event."""
    texts: tuple[RedactedText, ...]
    """The redacted texts, with the reasons."""


def redacted_texts(known: RecordedFact, fact: Redacted) -> list[RedactedText]:
    """Return the texts of a redaction."""
    return [
        RedactedText(
            field=field,
            on=fact.on,
            reason=fact.reason,
            by=fact.by,
            source=fact.source,
            position=known.position,
        )
        for field in fact.fields
    ]


class RedactionFold(CitingFold[RedactionState]):
    """The fold of the redactions of one event."""

    __slots__ = ("redacts", "texts")

    def __init__(self) -> None:
        super().__init__()
        self.redacts: str | None = None
        self.texts: list[RedactedText] = []

    def take(self, known: RecordedFact) -> None:
        """Apply a redaction."""
        self.cite(known)
        if isinstance(known.fact, Redacted):
            self.redacts = self.redacts or known.fact.redacts
            self.texts += redacted_texts(known, known.fact)

    def state(self, id: str, day: date) -> RedactionState | None:
        """Return the texts redacted by `day`, in the order of the redactions."""
        if self.redacts is None:
            return None
        return RedactionState(
            id=id, event_id=self.redacts, texts=tuple(self.texts), because=self.because
        )


class Redaction(Entity):
    """The redactions of one event."""

    KIND: ClassVar[str] = "redaction"
    INITIAL_FACT: ClassVar[type[Fact]] = Redacted
    FACTS: ClassVar[dict[str, type[Fact]]] = {REDACTED_TYPE: Redacted}

    FOLD = RedactionFold

    @classmethod
    def type_of(cls, fact: Fact) -> str:
        """Return the event type. Raises InvalidInput for a retraction: a redaction is permanent."""
        if isinstance(fact, Retracted):
            raise InvalidInput(
                "expected another event: a redaction cannot be retracted",
                code="REDACTION_STAYS",
                path=("eventId",),
            )
        return super().type_of(fact)

    def check(self, fact: Fact) -> None:
        """Check that a text is redacted only once."""
        earlier = [k.fact for k in self.known if isinstance(k.fact, Redacted)]
        gone = {field for redaction in earlier for field in redaction.fields}
        for index, field in enumerate(fact.fields if isinstance(fact, Redacted) else ()):
            if field in gone:
                raise InvalidInput(
                    f"{field} is redacted already: expected a text that is there",
                    code="ALREADY_REDACTED",
                    path=("fields", index),
                )
