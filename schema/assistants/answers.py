"""Common parts of the responses of tools: the moment, the sources, and required statements."""

from msgspec import UNSET, Struct, UnsetType


class AnswerPart(Struct, omit_defaults=True, kw_only=True, rename="camel"):
    """A part of a response. Unknown and default values are left out."""


class Source(AnswerPart, kw_only=True):
    """A source of facts in the response; items refer to it by its number."""

    number: int
    publisher: str
    name: str
    published_on: str
    events: list[int]
    """Positions of its events in the log: their pages are `/events/POSITION`."""
    primary: bool
    """Whether it is the issuer's own text, or the publisher's own data."""
    verified: bool
    """Whether the issuer's own text was read before recording."""
    level: str
    """VERIFIED, TWO_COPIES_AGREE, ISSUER_TEXT_COPY, SECONDARY or MEMORY."""
    url: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    """Location in it, of the first of these events."""
    unsupported: str | UnsetType = UNSET
    """Fields of these facts that it does not contain."""


class KnownUpTo(AnswerPart, kw_only=True):
    """The date of the newest known fact of an issuer's law, or of a publisher's figures, and the time of
    the last complete poll."""

    of: str
    day: str | UnsetType = UNSET
    looked_at: str | UnsetType = UNSET


class Completeness(AnswerPart, kw_only=True):
    """The lists of acts that were read. Unless COMPLETE, acts may be missing."""

    level: str
    statement: str
    until: str | UnsetType = UNSET


class LeftOut(AnswerPart, kw_only=True):
    """Items that were left out, and how to get them."""

    how: str
    after: str | UnsetType = UNSET


class ToolAnswer(AnswerPart, kw_only=True):
    """The response of a tool."""

    valid_at: str
    position: int
    known_at: str | UnsetType = UNSET
    log_root: str
    """The root of the log up to the position, in base64."""
    address: str
    receipt: str
    """Address of the receipt of this response: a signed file that can be verified without this server."""
    must_say: list[str]
    horizon: list[KnownUpTo]
    completeness: Completeness | UnsetType = UNSET
    sources: list[Source]
    total: int
    left_out: LeftOut | UnsetType = UNSET
