"""Actions of people on a candidate. Pure.

Each is one mutation, and the names of its fields are those of its input.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schema.pages.forms.form import Action
from tracker.review.candidate import OPEN, REOPENABLE

ANSWER = "candidate { state }"
_OMITTED = frozenset({"id", "revision"})
ACCEPT = Action(
    "accept", "acceptCandidate", "Accept",
    "The proposal is recorded with its snapshot and your name.",
    "Accepted and recorded.", ANSWER, _OMITTED, letter="a",
)  # fmt: skip
REJECT = Action(
    "reject", "rejectCandidate", "Reject", "Nothing is recorded. The candidate can be reopened.",
    "Rejected.", ANSWER, _OMITTED, letter="r",
)  # fmt: skip
CLOSE = replace(REJECT, label="Close")
POSTPONE = Action(
    "postpone", "postponeCandidate", "Postpone", "The candidate is pending again from a later day.",
    "Postponed.", ANSWER, _OMITTED, letter="p",
)  # fmt: skip
ASSIGN = Action(
    "assign", "assignCandidate", "Assign", "Other people may still decide on the candidate.",
    "Assigned.", ANSWER, _OMITTED, letter="o",
)  # fmt: skip
REOPEN = Action(
    "reopen", "reopenCandidate", "Reopen", "The candidate is pending again.",
    "Reopened.", ANSWER, _OMITTED, letter="u",
)  # fmt: skip
ACTIONS = {action.do: action for action in (ACCEPT, REJECT, POSTPONE, ASSIGN, REOPEN)}
"""Actions by the values of `do`."""
STAYING = frozenset({ASSIGN.do, REOPEN.do})
"""Actions after which the same candidate is shown; after all others the next one is shown."""
NOTED, IMPORTED, EDITED = "noted", "imported", "edited"
DONE = {
    **{action.do: action.done for action in ACTIONS.values()},
    NOTED: "Your acceptance is noted. Another person has to accept it too.",
    IMPORTED: "Accepted. The file is being imported.",
    EDITED: "The proposal was changed. People who accepted the earlier one have to accept it again.",
}
"""Notices after an action, by the values of `did`."""


def actions_on(candidate: Mapping[str, Any], actor: str | None) -> list[Action]:
    """Return the actions that are open to a person."""
    state = candidate["state"].lower()
    actions: list[Action] = []
    if state in {each.value for each in OPEN}:
        can_be_recorded = candidate["proposal"] or candidate["file"]
        if can_be_recorded and actor not in candidate["acceptedBy"]:
            actions.append(ACCEPT)
        actions += [REJECT if can_be_recorded else CLOSE, POSTPONE, ASSIGN]
    if state in {each.value for each in REOPENABLE}:
        actions.append(REOPEN)
    return actions


def may_be_edited(candidate: Mapping[str, Any]) -> bool:
    """Whether another fact can be proposed in place of the proposal."""
    is_open = candidate["state"].lower() in {each.value for each in OPEN}
    return is_open and candidate["kind"] != "IMPORT"


def outcome_of(action: Action, candidate: Mapping[str, Any]) -> str:
    """Return the outcome of an action, by the candidate afterwards."""
    if action.do != ACCEPT.do or candidate["state"] == "ACCEPTED":
        return action.do
    return IMPORTED if candidate["state"] == "ACCEPTING" else NOTED
