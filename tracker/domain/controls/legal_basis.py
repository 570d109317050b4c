"""Clauses that are the legal basis of their issuer's dual-use licences. Pure."""

from tracker.domain.basics.control_vocabulary import Measure, Territory
from tracker.domain.controls.clause import Clause
from tracker.domain.controls.export_control import ExportControlState
from tracker.domain.controls.matching import DUAL_USE_ITEMS


def is_legal_basis(control: ExportControlState, clause: Clause) -> bool:
    """Return whether a clause is only the legal basis of its issuer's dual-use licences.

    Such a clause names dual-use items and nothing else, so it covers goods only through these licences. A
    clause on goods abroad is one only if such a clause on goods at home exists: alone it adds goods to the
    licences.
    """
    return _names_only_licences(clause) and any(
        _names_only_licences(state.clause) and state.clause.territory is Territory.HOME
        for state in control.clauses
    )


def _names_only_licences(clause: Clause) -> bool:
    """Return whether a licence names dual-use items without limits on firms or destinations."""
    limits = (clause.items, clause.forms, clause.destinations, clause.entities, clause.exporters)
    return (
        clause.measure is Measure.DUAL_USE_LICENCE
        and clause.commodities == (DUAL_USE_ITEMS,)
        and not any(limits)
        and clause.entity_count is None
        and clause.end_use is None
    )
