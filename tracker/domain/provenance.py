"""The issuers of facts, by which a source is primary: its publisher is an authority of one of them. Pure.

The issuer of an instrument, the actors of an announcement and the alliance itself are issuers of all that is
recorded about them. Of a fact about members of an alliance, and of its founding, so are these members.
Firms issue nothing here: a list that names one is the text of others. Figures have no issuer; for them any
authority counts.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from tracker.domain.values import CitedSource, Fact, Source

Issuers: TypeAlias = tuple[str, ...] | None
"""The places and alliances whose own text a source of a fact can be; None where a fact has no issuer."""

ALLIANCE, FIRM = "alliance", "firm"
ISSUED = ("announcement", "export-control")
"""The kinds of entity whose opening names the issuers."""
ISSUED_TYPES = ("Alliance.", "Announcement.", "ExportControl.", "Firm.")
"""The beginnings of the types of events whose facts have issuers."""


class NamesIssuers(Protocol):
    """An opening, or a state that follows from one."""

    @property
    def issuers(self) -> tuple[str, ...]:
        """The issuers that it names."""


def issuers_of(stream: str, fact: Fact, opening: NamesIssuers | None) -> Issuers:
    """The issuers of a fact about an entity with this opening, which may be the fact itself."""
    kind, _, id = stream.partition("/")
    if kind == ALLIANCE:
        return (id, *fact.issuers)
    if kind in ISSUED:
        return fact.issuers or (opening.issuers if opening else ())
    return () if kind == FIRM else None


def cite(source: Source, issuers: Issuers) -> CitedSource:
    """A source as that of a fact with these issuers."""
    fields = {name: getattr(source, name) for name in Source.__struct_fields__}
    return CitedSource(**fields, issuers=issuers)


def cited_sources(stream: str, fact: Fact, opening: Fact | None) -> tuple[CitedSource, ...]:
    """The sources of a fact about an entity."""
    issuers = issuers_of(stream, fact, opening)
    return tuple([cite(source, issuers) for source in fact.sources])


def is_issued(type: str) -> bool:
    """Whether the facts of a type of event have issuers."""
    return type.startswith(ISSUED_TYPES)
