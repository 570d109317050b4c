"""The one rule by which a source is primary: its publisher is an authority of an issuer of the act. Pure.

The issuer of an instrument, the actors of an announcement and the alliance itself are issuers of all that is
recorded about them. Of a fact about members of an alliance, and of its founding, so are these members.
Firms issue nothing here: a list that names one is the text of others. Figures have no issuer; for them any
authority counts.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import structs

from tracker.domain.publishers import speaks_for
from tracker.domain.values import Fact, Source

Issuers: TypeAlias = frozenset[str] | None
"""The places and alliances whose own text a source of a fact can be; None where a fact has no issuer."""

ALLIANCE, FIRM = "alliance", "firm"
ISSUED = ("announcement", "export-control")
"""The kinds of entity whose opening names the issuers."""


def issuers_of(stream: str, fact: Fact, opening: Fact | None) -> Issuers:
    """The issuers of a fact about an entity, whose opening may be another fact."""
    kind, _, id = stream.partition("/")
    if kind == ALLIANCE:
        return frozenset((id, *fact.issuers))
    if kind in ISSUED:
        return frozenset(fact.issuers or (opening.issuers if opening else ()))
    return frozenset() if kind == FIRM else None


def judge(source: Source, issuers: Issuers) -> Source:
    """The source as that of a fact with these issuers: not primary, whatever it says itself, unless its
    publisher is an authority of one of them."""
    if issuers is None or not source.is_primary or speaks_for(source.publisher, issuers):
        return source
    return structs.replace(source, primary=False)


def judged_sources(stream: str, fact: Fact, opening: Fact | None) -> tuple[Source, ...]:
    """The sources of a fact about an entity, each as `judge` has it."""
    issuers = issuers_of(stream, fact, opening)
    return tuple([judge(source, issuers) for source in fact.sources])
