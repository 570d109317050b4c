"""The statement of a receipt: the query, its moments, and the digests of its answer. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, TypeAlias

import msgspec
import orjson

from tracker.audit.receipts.canonical import canonical_json, canonical_plain
from tracker.errors import NotProven

HEADER = "tracker-receipt/v1"
MAX_MOMENTS = 10
"""Maximum number of moments of a receipt."""

Digest: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
PositionText: TypeAlias = Annotated[str, msgspec.Meta(pattern="^(0|[1-9][0-9]{0,15})$")]


class Operation(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A GraphQL query with its variables."""

    document: str
    operation_name: str | None
    variables: dict[str, Any]


class MomentRecord(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The state at a moment of an answer, and its completeness."""

    valid_at: date
    position: PositionText
    state_digest: Digest
    state_format: int
    completeness: str

    @property
    def at(self) -> int:
        """The position as a number."""
        return int(self.position)


class Statement(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True
):
    """The signed content of a receipt."""

    operation: Operation
    moments: Annotated[tuple[MomentRecord, ...], msgspec.Meta(min_length=1, max_length=MAX_MOMENTS)]
    answer_sha256: Digest = msgspec.field(name="answerSha256")
    answer_omitted: bool
    """Whether the answer needed a token, so that the receipt does not contain it."""
    schema_sha256: Digest = msgspec.field(name="schemaSha256")
    derivation: int
    """The number of the rules that derive answers from events."""
    software: str
    """The version of the tracker."""
    checkpoint: str
    """The signed note of a checkpoint that covers the moments."""
    issued_at: datetime
    origin: str

    @property
    def last_position(self) -> int:
        """The last position of the moments."""
        return max(moment.at for moment in self.moments)

    @property
    def text(self) -> str:
        """The text of the note: a header, and the statement as a line of canonical JSON."""
        plain = msgspec.to_builtins(self)
        variables = canonical_json(plain["operation"]["variables"])
        plain["operation"]["variables"] = orjson.Fragment(variables)
        return f"{HEADER}\n{canonical_plain(plain).decode()}\n"

    @staticmethod
    def parse(text: str) -> Statement:
        """Parse the text of a note. Raises NotProven, also for JSON that is not canonical."""
        header, _, line = text.removesuffix("\n").partition("\n")
        if header != HEADER:
            raise NotProven(f"expected {HEADER} in the first line")
        try:
            statement = msgspec.json.decode(line, type=Statement)
        except (msgspec.DecodeError, RecursionError) as error:
            raise NotProven(f"the statement is invalid: {error}") from None
        if statement.text != text:
            raise NotProven("the statement is not canonical JSON")
        return statement
