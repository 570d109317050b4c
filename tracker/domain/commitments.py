"""Annexes: texts that a law may force out are stored outside their entry, which commits to them.

The commitment to a text is the SHA-256 of 32 random bytes, the salt, and after them the text in
UTF-8, written as `salted-sha256-v1:` and 64 hexadecimal digits. Whoever has salt and text can see
that they are those of the entry; whoever has the entry alone can't find the text by guessing,
however short it is. So a text can go, with its salt, while the entry and every proof about it stay.

A field is named by its JSON Pointer (RFC 6901) in the data of the event: `/note`, `/quotation`,
`/clauses/0/note`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec.structs import replace

from tracker.domain.clause import Clause
from tracker.domain.values import Fact, TextCommitment

SCHEME = "salted-sha256-v1"
SALT_BYTES = 32
ANNEXED_FIELDS = ("note", "quotation")
"""The fields of a fact that are kept in annexes; of its clauses, their notes are."""

F = TypeVar("F", bound=Fact)


@dataclass(frozen=True, slots=True)
class Annex:
    """A text of an event, with the salt of the commitment in its place."""

    field: str
    salt: bytes
    text: str

    @property
    def commitment(self) -> str:
        """The commitment that this opens."""
        return commitment(self.salt, self.text)


def commitment(salt: bytes, text: str) -> str:
    """The commitment to a text."""
    return f"{SCHEME}:{hashlib.sha256(salt + text.encode()).hexdigest()}"


def free_texts(fact: Fact) -> dict[str, str | TextCommitment]:
    """The texts of a fact that have, or would have, annexes, by field."""
    found = {f"/{name}": getattr(fact, name) for name in ANNEXED_FIELDS}
    for index, clause in _clauses(fact):
        found[f"/clauses/{index}/note"] = clause.note
    return {field: text for field, text in found.items() if text is not None}


def with_texts(fact: F, texts: Mapping[str, str | TextCommitment | None]) -> F:
    """The fact with other texts in some fields; fields that it does not have are passed over."""
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
    """The commitments in a fact by field."""
    return {
        field: text.commitment
        for field, text in free_texts(fact).items()
        if isinstance(text, TextCommitment)
    }


def commit(
    fact: F, salt: Callable[[int], bytes] = secrets.token_bytes
) -> tuple[F, tuple[Annex, ...]]:
    """The fact as it is recorded, and the annexes of its texts. Commitments in it stay."""
    annexes = tuple(
        Annex(field, salt(SALT_BYTES), text)
        for field, text in free_texts(fact).items()
        if isinstance(text, str)
    )
    kept = {annex.field: TextCommitment(commitment=annex.commitment) for annex in annexes}
    return with_texts(fact, kept), annexes


def with_texts_restored(fact: F, texts: Mapping[str, str]) -> F:
    """The fact with texts in place of commitments, as far as there are some by commitment."""
    return with_texts(
        fact,
        {field: texts[given] for field, given in commitments_in(fact).items() if given in texts},
    )


def without_texts(fact: F, fields: Collection[str]) -> F:
    """The fact without the texts in some fields."""
    return with_texts(fact, dict.fromkeys(fields))


def equal_ignoring_redacted(recorded: Fact, other: Fact) -> bool:
    """Whether a recorded fact equals another one. Redacted texts can no longer be compared and
    count as equal.
    """
    gone = commitments_in(recorded)
    return without_texts(recorded, gone) == without_texts(other, gone)


def _clauses(fact: Fact) -> Iterable[tuple[int, Clause]]:
    """The clauses that a fact words, with their places."""
    return (
        (index, clause)
        for index, clause in enumerate(getattr(fact, "clauses", ()))
        if isinstance(clause, Clause)
    )
