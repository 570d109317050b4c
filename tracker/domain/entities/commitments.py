"""Annexes: texts that may have to be redacted. They are stored outside their entry, which commits to them.

The commitment to a text is the SHA-256 of a salt of 32 random bytes followed by the text in UTF-8. It is
written as `salted-sha256-v1:` and 64 hexadecimal digits. Salt and text prove that they belong to the entry.
The entry alone does not allow guessing even a short text. So a text can be deleted with its salt, while the
entry and all its proofs stay valid.

A field is named by its JSON Pointer (RFC 6901) in the data of the event: `/note`, `/quotation`,
`/clauses/0/note`.
"""

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from tracker.domain.basics.values import TextCommitment, Value
from tracker.domain.entities.fact import Fact

SCHEME = "salted-sha256-v1"
SALT_BYTES = 32
ANNEXED_FIELDS = ("note", "quotation")
"""Fields of a fact that are stored in annexes, besides the notes of its clauses."""

F = TypeVar("F", bound=Fact)


class Annex(Struct, frozen=True):
    """A text of an event, with the salt of its commitment."""

    field: str
    salt: bytes
    text: str

    @property
    def commitment(self) -> str:
        """The commitment that this annex opens."""
        return commitment(self.salt, self.text)


def commitment(salt: bytes, text: str) -> str:
    """Return the commitment to a text."""
    return f"{SCHEME}:{hashlib.sha256(salt + text.encode()).hexdigest()}"


def free_texts(fact: Fact) -> dict[str, str | TextCommitment]:
    """Return the texts of a fact that are, or would be, stored in annexes, by field."""
    texts = {f"/{name}": getattr(fact, name) for name in ANNEXED_FIELDS}
    for index, clause in _clauses(fact):
        texts[f"/clauses/{index}/note"] = clause.note
    return {field: text for field, text in texts.items() if text is not None}


def with_texts(fact: F, texts: Mapping[str, str | TextCommitment | None]) -> F:
    """Return the fact with other texts in some fields; missing fields are ignored."""
    if not texts:
        return fact
    changed: dict[str, Any] = {
        name: texts[f"/{name}"] for name in ANNEXED_FIELDS if f"/{name}" in texts
    }
    notes = {
        index: texts[field]
        for index, _ in _clauses(fact)
        if (field := f"/clauses/{index}/note") in texts
    }
    if notes:
        clauses = getattr(fact, "clauses")  # noqa: B009 - of those facts only that have some
        changed["clauses"] = tuple(
            replace(clause, note=notes[index]) if index in notes else clause
            for index, clause in enumerate(clauses)
        )
    return replace(fact, **changed) if changed else fact


def commitments_in(fact: Fact) -> dict[str, str]:
    """Return the commitments in a fact by field."""
    return {
        field: text.commitment
        for field, text in free_texts(fact).items()
        if isinstance(text, TextCommitment)
    }


def commit(
    fact: F, salt: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[F, tuple[Annex, ...]]:
    """Return the fact as it is recorded, and the annexes of its texts. Existing commitments stay."""
    annexes = tuple(
        Annex(field, salt(SALT_BYTES), text)
        for field, text in free_texts(fact).items()
        if isinstance(text, str)
    )
    commitments = {annex.field: TextCommitment(commitment=annex.commitment) for annex in annexes}
    return with_texts(fact, commitments), annexes


def with_texts_restored(fact: F, texts: Mapping[str, str]) -> F:
    """Return the fact with texts in place of the commitments whose texts are given."""
    return with_texts(
        fact,
        {
            field: texts[commitment]
            for field, commitment in commitments_in(fact).items()
            if commitment in texts
        },
    )


def without_texts(fact: F, fields: Collection[str]) -> F:
    """Return the fact without the texts in some fields."""
    return with_texts(fact, dict.fromkeys(fields))


def equal_ignoring_redacted(recorded: Fact, other: Fact) -> bool:
    """Return whether a recorded fact equals another one.

    Redacted texts can no longer be compared and count as equal.
    """
    gone = commitments_in(recorded)
    return without_texts(recorded, gone) == without_texts(other, gone)


def _clauses(fact: Fact) -> Iterable[tuple[int, Any]]:
    """Yield the clauses of a fact, with their indexes; without ids of clauses, which some facts have."""
    return (
        (index, clause)
        for index, clause in enumerate(getattr(fact, "clauses", ()))
        if isinstance(clause, Value)
    )
