"""Which instrument and clause each researched control belongs to, where its own id does not say.

Kept by hand: facts tell of acts, the tracker of instruments with their clauses (design rule 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tracker.sources.readers.researched.rows import Row


@dataclass(frozen=True, slots=True)
class Joined:
    """An instrument that several facts tell of, one a clause: the clauses by fact id."""

    title: str
    clauses: Mapping[str, str]


JOINED = {
    "cn-mofcom-2024-46": Joined(
        "Dual-use exports to the US: none to military users; gallium, germanium, antimony and"
        " superhard materials not permitted in principle",
        {"cn-mofcom-2024-46-c1": "1", "cn-mofcom-2024-46-c2": "2"},
    ),
    "us-301-2024": Joined(
        "Section 301: 25% tariffs on Chinese critical minerals, on natural graphite and permanent"
        " magnets from 2026",
        {
            "us-301-2024-critical": "critical-minerals",
            "us-301-2024-ndfebgraphite": "graphite-and-magnets",
        },
    ),
    "cd-arecoms-2025-004": Joined(
        "DRC cobalt export quotas: 18,125 t for the rest of 2025, 96,600 t for 2027",
        {"cd-2025-quota": "quota-2025", "cd-2027-quota": "quota-2027"},
    ),
}
"""Instruments announced in one line for several facts."""

JOINED_CLAUSES = {
    fact: clause for joined in JOINED.values() for fact, clause in joined.clauses.items()
}

STREAMS = {
    **{fact: id for id, joined in JOINED.items() for fact in joined.clauses},
    "cn-tech-2023-12-21": "cn-technology-catalogue",
    "cn-tech-2025-07-15": "cn-technology-catalogue",
    "cn-2015-quota-end": "cn-rare-earth-export-quotas",
    "iea-conflict-2025-10": "cn-mofcom-2025-10",
}
"""The instrument of a fact that neither bears its id nor is linked to it."""

CLAUSES = {
    **JOINED_CLAUSES,
    "cn-tech-2023-12-21": "rare-earths",
    "cn-tech-2025-07-15": "batteries-lithium-gallium",
    "id-2017-relax": "2017-conditions",
}
"""The clause that a fact states; "1" where an instrument has only one."""

PARTS = {"cn-mofcom-2025-61": ("originating-in-china", "made-abroad")}
"""The clauses of instruments whose fact lists `parts`, in their order."""

MADE_ABROAD = "made-abroad"
"""The part that reaches goods made in other countries."""

KNOWN_BY_END = {"cn-2015-quota-end": "China's rare-earth export quotas"}
"""The titles of instruments of which a fact tells only the end."""

BACKGROUND = {
    "cd-2021-conc": "The earlier ban that it reimposes is not in our data",
    "cn-tech-2023-12-21": "The catalogue is older: its earlier versions are not in our data",
}
"""What a reader must know of an instrument that our data begin in the middle of."""

LINKS = ("of", "suspends", "amends")
"""The details that name the fact which a later act is about."""


def instrument(row: Row) -> str:
    """The id of the instrument that a fact is about."""
    return STREAMS.get(row.id) or STREAMS.get(target(row), target(row))


def target(row: Row) -> str:
    """The fact that a later act is about; the fact itself where it is about no other."""
    return next((row.details[link] for link in LINKS if link in row.details), row.id)


def clause_id(row: Row) -> str:
    """The clause that a fact states."""
    return CLAUSES.get(row.id, "1")


def clauses_meant(row: Row) -> tuple[str, ...]:
    """The clauses that a later act is about; empty for all of them."""
    named = JOINED_CLAUSES.get(target(row))
    return (named,) if named else ()


def in_plain(fact_id: str) -> str:
    """A control by its fact id, as notes name it: `clause 1 of cn-mofcom-2024-46`."""
    clause = JOINED_CLAUSES.get(fact_id)
    return f"clause {clause} of {STREAMS[fact_id]}" if clause else fact_id
