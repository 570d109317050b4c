"""Findings: what was read at a publisher and may become a fact, once a person has accepted it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import TypeAlias

from tracker.commands.commands import PlannedEvent


class LeadCode(Enum):
    """Why a person should look at something."""

    GAP = "gap"
    """A number between others is missing: an act that is published elsewhere, later, or not at all."""
    WITHDRAWN = "withdrawn"
    """The publisher has taken an act out of its list."""
    ANOTHER_BODY = "another_body"
    """The same act reads otherwise at another address, or than it did before."""
    CHANGED = "changed"
    """A watched page reads otherwise than before."""
    NOT_READ = "not_read"
    """An act was announced, and its text could not be had or understood."""
    ANNOUNCED = "announced"
    """An act was announced, and nothing says what it does: a person has to read it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a finding was read: `item` is what the publisher calls it, always the same for the same
    act (at most 200 characters); `place` says where in the snapshot, such as `results[3]`.

    `title` is as the publisher has it, in `language` (BCP 47), never translated. `published_on` is
    the day of publication, `number` the act as its issuer cites it, as far as they are said.
    """

    item: str
    title: str
    sha256: str | None
    url: str
    place: str = ""
    language: str | None = None
    published_on: date | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class FactProposal:
    """A fact that may be recorded, and `reason`, why it is proposed. `event` is as readers give it."""

    origin: Origin
    reason: str
    event: PlannedEvent


@dataclass(frozen=True, slots=True)
class ImportProposal:
    """A file of figures to be imported as a whole, by a reader, from its snapshot.

    `file_name` is what receipts call it, `settings` are as `tracker import --set` takes them.
    """

    origin: Origin
    reason: str
    reader: str
    file_name: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lead:
    """Something that a person should look into; no fact is proposed."""

    origin: Origin
    reason: str
    code: LeadCode


Finding: TypeAlias = FactProposal | ImportProposal | Lead
