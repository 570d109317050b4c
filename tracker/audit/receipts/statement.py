"""The statement of a receipt: the query, its moments, and the digests of its answer. Pure.

Each version of the format has a class, which writes and parses its own members. A released class never
changes: a new version is a subclass with a new header.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec
import orjson

from tracker.audit.receipts.canonical import canonical_json, canonical_plain
from tracker.errors import NotProven

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


class StatementV1(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True
):
    """The signed content of a receipt, up to release 0.1.0: the document as the client sent it."""

    header: ClassVar[str] = "tracker-receipt/v1"
    """The first line of the note."""
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
        return f"{self.header}\n{canonical_plain(plain).decode()}\n"


class Statement(StatementV1, frozen=True, kw_only=True):
    """The signed content of a receipt: the printed query alone, and its variables."""

    header: ClassVar[str] = "tracker-receipt/v2"


VERSIONS: dict[str, type[StatementV1]] = {each.header: each for each in (StatementV1, Statement)}
"""The classes of statements by header, the oldest first."""


def parse_statement(text: str) -> StatementV1:
    """Parse the text of a note by its version. Raises NotProven, also for JSON that is not canonical."""
    header, _, line = text.removesuffix("\n").partition("\n")
    if header not in VERSIONS:
        raise NotProven(f"expected a first line of {', '.join(VERSIONS)}")
    try:
        statement = msgspec.json.decode(line, type=VERSIONS[header])
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotProven(f"the statement is invalid: {error}") from None
    if statement.text != text:
        raise NotProven("the statement is not canonical JSON")
    if statement.issued_at.utcoffset() != timedelta(0) or statement.issued_at.microsecond:
        raise NotProven("the time of issue is not in UTC, with seconds")
    return statement
