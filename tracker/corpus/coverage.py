"""Coverage of a corpus as tables: its acts by issuer and year, and the lists that were read."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tracker.corpus.files import Act
from tracker.domain.actors.announcement import Made
from tracker.domain.catalogue.places import Place
from tracker.domain.controls.export_control_acts import Announced
from tracker.domain.evidence.coverage import Declared


def coverage(acts: Sequence[Act]) -> str:
    """Return the tables: export controls by issuer, then announcements by actor."""
    issuers = {
        act.planned.stream: act.planned.fact.issuer.name
        for act in acts
        if isinstance(act.planned.fact, Announced)
    }
    speakers = {
        act.planned.stream: _name(act.planned.fact.actors[0])
        if act.planned.fact.actors
        else "others"
        for act in acts
        if isinstance(act.planned.fact, Made)
    }
    controls = _table("issuer", "instruments", "acts by year", issuers, acts)
    announcements = _table("who", "announcements", "by year", speakers, acts)
    return f"{controls}\n\n{announcements}\n"


def lists_read(acts: Sequence[Act]) -> str:
    """Return the lists of acts that were read, with their omissions."""
    lines = [
        "| issuer | acts | list | from | to | left out |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for act in acts:
        of = act.planned.fact
        if isinstance(of, Declared):
            first = of.first or "the first act"
            left_out = " ".join(of.left_out) or "nothing that is known"
            kind = of.acts.phrase
            lines.append(
                f"| {_name(of.issuer)} | {kind} | {of.name} | {first} | {of.last} | {left_out} |"
            )
    return "\n".join(lines) + "\n"


def _name(actor: str) -> str:
    """Return a place by its name, an alliance by its key."""
    return Place(actor).name if actor.isupper() else actor


def _table(kind: str, content: str, when: str, owners: dict[str, str], acts: Iterable[Act]) -> str:
    """Return the number of entities of each owner, and the number of their acts in each year."""
    years: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for act in acts:
        if owner := owners.get(act.planned.stream):
            years[owner][act.planned.fact.public_on.year] += 1
    entities = Counter(owners.values())
    lines = [f"| {kind} | {content} | {when} |", "| --- | --- | --- |"]
    for owner in sorted(years):
        by_year = ", ".join(f"{year}: {count}" for year, count in sorted(years[owner].items()))
        lines.append(f"| {owner} | {entities[owner]} | {by_year} |")
    return "\n".join(lines)
