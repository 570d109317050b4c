"""Clauses on a commodity by issuer: current and future ones, and ended ones. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

from msgspec import Struct

from schema.pages.charts.status_bars import RowOfPeriods, StatusTable, draw_status_table, track_of
from schema.pages.controls.control import clause_sub
from schema.pages.site.address import Address, path_of
from tracker.domain.basics.control_vocabulary import ClauseStatus
from tracker.domain.basics.word import Phase
from tracker.domain.wording.phrases import listed, many

MAX_CLAUSES = 80
"""Maximum number of clauses that name a commodity on its page. The list of controls has all."""
MAX_ENDED_CLAUSES = 15
"""Ended clauses on a page, the newest: each takes 2 kB. The list of controls has all."""
Pair = tuple[Mapping[str, Any], Mapping[str, Any]]
"""An instrument and one of its clauses."""


class Clauses(Struct, frozen=True):
    """The clauses on a commodity on the date of the page."""

    current: StatusTable | None
    """Clauses that cover the commodity for certain."""
    wider: StatusTable | None
    """Clauses on groups of goods that may include it, and acts that only empower others."""
    over: StatusTable | None
    older: int
    """The number of ended clauses that `over` leaves out."""
    hidden: int
    """The number of clauses that `current` leaves out."""
    in_force: int
    confirmations: Mapping[str, int]
    """The number of clauses in force by confirmation."""
    words: str
    """Numbers of clauses by status, in words."""
    instruments: int
    listed_all: bool
    """Whether all instruments of the date are included."""


def clauses_on(state: Mapping[str, Any], address: Address) -> Clauses:
    """Return the clauses that match the commodity, with their drawings.

    They are grouped by issuer; the issuer with most clauses is first.
    """
    day = date.fromisoformat(state["validAt"])
    edges = state["exportControls"]["edges"]
    pairs = pairs_of(state)
    bases = legal_bases(pairs)
    statuses = Counter(clause["status"] for _, clause in pairs)
    weight = Counter(
        node["issuer"]["code"]
        for node, clause in pairs
        if not ClauseStatus[clause["status"]].has_ended
    )
    ended = (pair for pair in pairs if _section(pair[1]) == "over")
    older = {id(pair) for pair in islice(ended, MAX_ENDED_CLAUSES, None)}
    ordered = sorted(
        (pair for pair in pairs if id(pair) not in older),
        key=lambda pair: (-weight[pair[0]["issuer"]["code"]], pair[0]["issuer"]["name"]),
    )
    sections: dict[str, list[Pair]] = {"current": [], "wider": [], "over": []}
    for pair in ordered:
        sections[_section(pair[1])].append(pair)
    hidden = len(sections["current"]) - MAX_CLAUSES
    sections["current"] = sections["current"][:MAX_CLAUSES]
    current, wider, over = (
        table if (table := draw_status_table(_rows(section, bases, address), day)).rows else None
        for section in sections.values()
    )
    return Clauses(
        current,
        wider,
        over,
        len(older),
        max(hidden, 0),
        statuses["IN_FORCE"],
        Counter(clause["confirmation"] for _, clause in pairs if clause["status"] == "IN_FORCE"),
        _words(statuses),
        len(edges),
        len(edges) == state["exportControls"]["totalCount"],
    )


def names_goods(clause: Mapping[str, Any]) -> bool:
    """Return whether a clause covers the commodity for certain, and is not only a legal basis of other
    acts."""
    return clause["match"] == "CERTAIN" and not clause["isLegalBasis"]


def _section(clause: Mapping[str, Any]) -> str:
    if ClauseStatus[clause["status"]].has_ended:
        return "over"
    return "current" if names_goods(clause) else "wider"


def pairs_of(state: Mapping[str, Any]) -> list[Pair]:
    """Return the instruments and clauses that match the commodity, the newest instruments first."""
    return [
        (edge["node"], clause)
        for edge in state["exportControls"]["edges"]
        for clause in edge["matchingClauses"]
    ]


def legal_bases(pairs: Sequence[Pair]) -> dict[str, list[str]]:
    """Return the titles of the acts in force that licences of an issuer rest on, by the code of the issuer.

    Issuers without such a licence in force are left out.
    """
    licensing = {node["issuer"]["code"] for node, clause in pairs if _is_licence(clause)}
    bases: dict[str, list[str]] = {}
    for node, clause in pairs:
        if clause["isLegalBasis"] and clause["status"] == "IN_FORCE":
            code = node["issuer"]["code"]
            if code in licensing:
                bases.setdefault(code, []).append(node["title"])
    return bases


def _is_licence(clause: Mapping[str, Any]) -> bool:
    """Return whether it is a dual-use licence in force that names goods."""
    return (
        clause["measure"] == "DUAL_USE_LICENCE"
        and clause["status"] == "IN_FORCE"
        and not clause["isLegalBasis"]
    )


def _bases_in_words(titles: Sequence[str]) -> str:
    """Return the other acts that a licence rests on, in words."""
    counts = Counter(titles)
    named = [
        f"{title} ({many(count, 'clause')})" if count > 1 else title
        for title, count in counts.items()
    ]
    return f"rests also on: {listed(named, len(named))}"


def _rows(
    pairs: Sequence[Pair], bases: Mapping[str, Sequence[str]], address: Address
) -> list[RowOfPeriods]:
    """Return a row for each clause.

    The first row of an instrument has its title, the others their differences. The acts that
    licences rest on are listed in the first row with a licence of each instrument.
    """
    rows = []
    before = None
    explained = set[str]()
    for node, clause in pairs:
        of_issuer = bases.get(node["issuer"]["code"])
        if of_issuer and clause["isLegalBasis"] and clause["status"] == "IN_FORCE":
            continue
        goods = listed([commodity["name"] for commodity in clause["commodities"]], 3)
        is_first = node["key"] != before
        before = node["key"]
        sub = [clause_sub(clause), goods] if is_first else [goods]
        if of_issuer and _is_licence(clause) and node["key"] not in explained:
            sub.append(_bases_in_words(of_issuer))
            explained.add(node["key"])
        rows.append(
            RowOfPeriods(
                node["title"] if is_first else clause_sub(clause),
                [track_of(clause)],
                " · ".join(part for part in sub if part),
                href=address.link(path_of("controls", node["key"])) if is_first else None,
                group=node["issuer"]["name"],
            )
        )
    return rows


def _words(statuses: Mapping[str, int]) -> str:
    """Return the numbers of clauses by status, in words, without those in force."""
    over = sum(count for status, count in statuses.items() if ClauseStatus[status].has_ended)
    others = {
        "suspended": statuses.get("SUSPENDED", 0),
        "announced": statuses.get("ANNOUNCED", 0),
        "not law yet": sum(
            count
            for status, count in statuses.items()
            if ClauseStatus[status].phase is Phase.NOT_LAW
        ),
        "over": over,
    }
    return ", ".join(f"{count} {word}" for word, count in others.items() if count)


def counted(clauses: Clauses) -> str:
    """Return the small text below the number of clauses in force."""
    instruments = f"in {many(clauses.instruments, 'instrument')}"
    return f"{clauses.words}; {instruments}" if clauses.words else instruments
