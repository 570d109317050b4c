"""What every tool answers: the moment, what it rests on, and what must be said with it."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class AnswerPart(Struct, omit_defaults=True, kw_only=True, rename="camel"):
    """A part of an answer. What is not known, and what goes without saying, is left out."""


class Source(AnswerPart, kw_only=True):
    """Where facts of the answer come from; items name it by its number."""

    number: int
    publisher: str
    name: str
    published_on: str
    events: list[int]
    """The positions of the events in the log that have it: their pages are `/events/POSITION`."""
    primary: bool
    """Whether it is the issuer's own text, or the publisher's own data."""
    verified: bool
    """Whether the issuer's own text was read before it was recorded."""
    url: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    """Where in it, of the first of these events."""
    unsupported: str | UnsetType = UNSET
    """Fields of these facts that it does not contain."""


class KnownUpTo(AnswerPart, kw_only=True):
    """The day of the newest fact that is known of an issuer's law, or of a publisher's figures, and when
    all was read."""

    of: str
    day: str | UnsetType = UNSET
    looked_at: str | UnsetType = UNSET


class Completeness(AnswerPart, kw_only=True):
    """Which lists of acts were read. Unless COMPLETE, acts may be missing."""

    level: str
    statement: str
    until: str | UnsetType = UNSET


class LeftOut(AnswerPart, kw_only=True):
    """What an answer had no room for, and how to get it."""

    how: str
    after: str | UnsetType = UNSET


class ToolAnswer(AnswerPart, kw_only=True):
    """What every tool answers."""

    valid_at: str
    position: int
    known_at: str | UnsetType = UNSET
    digest: str
    address: str
    must_say: list[str]
    horizon: list[KnownUpTo]
    completeness: Completeness | UnsetType = UNSET
    sources: list[Source]
    total: int
    left_out: LeftOut | UnsetType = UNSET
