"""Facts about one clause of an instrument. Pure."""

from collections.abc import Iterable

from tracker.domain.controls.export_control import ExportControlFold, clauses_of
from tracker.domain.controls.export_control_acts import Amended, Announced, ClausesFact
from tracker.domain.entities.entity import RecordedFact


def facts_about_clause(id: str, known: Iterable[RecordedFact]) -> list[RecordedFact]:
    """Return the acts that word, suspend, start or end a clause.

    The arguments are the facts about its instrument, in valid-time order.
    """
    fold, facts = ExportControlFold(), list[RecordedFact]()
    for fact in known:
        if _is_about(fact, id, fold):
            facts.append(fact)
        fold.take(fact)
    return facts


def _is_about(known: RecordedFact, id: str, fold: ExportControlFold) -> bool:
    """Return whether a fact is about a clause, after the facts that a fold has applied."""
    match known.fact:
        case Announced() as fact:
            return any(clause.id == id for clause in fact.clauses)
        case Amended() as fact:
            return fold.opening is not None and any(clause.id == id for clause in fact.clauses)
        case ClausesFact() as fact:
            return id in clauses_of(fact, fold.histories)
    return False
