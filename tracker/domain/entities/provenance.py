"""Issuers of facts: a source is primary if its publisher is an authority of one of them. Pure.

The issuer of an instrument, the actors of an announcement and the alliance itself are the issuers of all
facts about them. For facts about members of an alliance, including its founding, the members are issuers too.
Firms are not issuers, because a list of firms is published by others. Figures have no issuer; any authority
counts for them.
"""

from typing import Protocol, TypeAlias

from tracker.domain.entities.fact import CitedSource, Fact, Source

Issuers: TypeAlias = tuple[str, ...] | None
"""The places and alliances whose own text a source can be; None if a fact has no issuer."""

ALLIANCE, FIRM = "alliance", "firm"
ISSUED = ("announcement", "export-control", "obligation", "text")
"""The kinds of entity whose opening names the issuers."""
ISSUED_TYPES = ("Alliance.", "Announcement.", "ExportControl.", "Firm.", "Obligation.", "Text.")
"""The prefixes of the event types whose facts have issuers."""


class NamesIssuers(Protocol):
    """An opening, or a state derived from one."""

    @property
    def issuers(self) -> tuple[str, ...]:
        """The issuers in the opening."""


def issuers_of(stream: str, fact: Fact, opening: NamesIssuers | None) -> Issuers:
    """Return the issuers of a fact about an entity with this opening, which may be the fact itself."""
    kind, _, id = stream.partition("/")
    if kind == ALLIANCE:
        return (id, *fact.issuers)
    if kind in ISSUED:
        return fact.issuers or (opening.issuers if opening else ())
    return () if kind == FIRM else None


def cite(source: Source, issuers: Issuers) -> CitedSource:
    """Return a source with the issuers of its fact."""
    fields = {name: getattr(source, name) for name in Source.__struct_fields__}
    return CitedSource(**fields, issuers=issuers)


def cited_sources(stream: str, fact: Fact, opening: Fact | None) -> tuple[CitedSource, ...]:
    """Return the sources of a fact about an entity."""
    issuers = issuers_of(stream, fact, opening)
    return tuple([cite(source, issuers) for source in fact.sources])


def is_issued(type: str) -> bool:
    """Return whether the facts of an event type have issuers."""
    return type.startswith(ISSUED_TYPES)
