"""Findings: data read at a publisher that may become facts after review. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import TypeAlias

from msgspec import Struct, field

from tracker.commands.commands import PlannedEvent


class LeadCode(Enum):
    """The reason of a lead."""

    GAP = "gap"
    """A number in a sequence is missing: an act that is published elsewhere, later, or not at
    all."""
    WITHDRAWN = "withdrawn"
    """The publisher has removed an act from its list."""
    ANOTHER_BODY = "another_body"
    """The text of the same act differs at another address, or from an earlier version."""
    CHANGED = "changed"
    """The text of a watched page has changed."""
    NOT_READ = "not_read"
    """An act was announced, and its text could not be fetched or parsed."""
    ANNOUNCED = "announced"
    """An act was announced, and its effect is not stated: a person has to read it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of a finding. `item` is the publisher's id, stable for one act (at most 200 characters).

    `place` is the place in the snapshot, such as `results[3]`. `title` is the publisher's, in `language` (BCP
    47), never translated. `published_on` is the day of publication, `number` the act as cited by its issuer,
    if known.
    """

    item: str
    title: str
    sha256: str | None
    url: str
    place: str = ""
    language: str | None = None
    published_on: date | None = None
    number: str | None = None


class FactProposal(Struct, frozen=True):
    """A proposed fact, with the `reason` of the proposal. `event` is in the format of readers."""

    origin: Origin
    reason: str
    event: PlannedEvent


class ImportProposal(Struct, frozen=True):
    """A file of figures to be imported as a whole, by a reader, from its snapshot.

    `file_name` is its name in receipts, `settings` are in the format of `tracker import --set`.
    """

    origin: Origin
    reason: str
    reader: str
    file_name: str
    settings: Mapping[str, str] = field(default_factory=dict)


class Lead(Struct, frozen=True):
    """A matter that a person should investigate; no fact is proposed."""

    origin: Origin
    reason: str
    code: LeadCode


Finding: TypeAlias = FactProposal | ImportProposal | Lead
