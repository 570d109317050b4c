"""Forms by which people decide on a candidate. Pure.

Each is one mutation; its fields are named as in its input. A letter of the keyboard leads to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from schema.pages.endpoints.forms import DO, Form, FormField
from tracker.errors import InvalidInput
from tracker.review.candidate import OPEN, REOPENABLE

REVISION = "revision"
"""The field with the revision of the candidate that the page showed."""
POSTPONED_DAYS = 7
"""Days that the form for postponing offers."""
WHY = FormField("reason", "Why", help="It stays on record, with your name.")
WHY_REQUIRED = replace(WHY, required=True)
ACCEPT = Form(
    "accept", "acceptCandidate", "Accept",
    "What is proposed is recorded, with the snapshot and your name.",
    (replace(WHY, label="A remark"),), "Accepted and recorded.",
)  # fmt: skip
REJECT = Form(
    "reject", "rejectCandidate", "Reject", "Nothing is recorded. It can be opened again.",
    (WHY_REQUIRED,), "Rejected.",
)  # fmt: skip
CLOSE = replace(REJECT, label="Close", about="Nothing is to be recorded. It can be opened again.")
POSTPONE = Form(
    "postpone", "postponeCandidate", "Postpone", "It waits again from a day on.",
    (FormField("until", "Until", required=True, help="Such as 2026-12-31."), WHY), "Postponed.",
)  # fmt: skip
ASSIGN = Form(
    "assign", "assignCandidate", "Assign", "Others may still decide on it.",
    (FormField("to", "To", help="The name of a caller. Left empty: nobody."), WHY), "Assigned.",
)  # fmt: skip
REOPEN = Form(
    "reopen", "reopenCandidate", "Open again", "It waits again for a decision.", (WHY,),
    "It waits again.",
)  # fmt: skip
FORMS = {form.do: form for form in (ACCEPT, REJECT, POSTPONE, ASSIGN, REOPEN)}
"""What can be done with a candidate, by the words of `do`."""
STAYING = frozenset({ASSIGN.do, REOPEN.do})
"""After these one goes on with the same candidate, after others with the next."""
NOTED, IMPORTED, EDITED = "noted", "imported", "edited"
DONE = {
    **{form.do: form.done for form in FORMS.values()},
    NOTED: "Your acceptance is noted. Another person has to accept it too.",
    IMPORTED: "Accepted. The file is being imported.",
    EDITED: "The proposal was changed. Whoever had accepted it has to accept it anew.",
}
"""What is said when something was done, by the words of an address."""
KEYS = {ACCEPT.do: "a", REJECT.do: "r", POSTPONE.do: "p", ASSIGN.do: "o", REOPEN.do: "u"}
"""The letters that lead to forms."""


@dataclass(frozen=True, slots=True)
class DecisionNotice:
    """What was decided, as the address of the next page has it."""

    do: str
    id: str

    @property
    def words(self) -> str:
        """What is said of it."""
        return DONE[self.do]


def forms_of(candidate: Mapping[str, Any], actor: str | None, today: date) -> list[Form]:
    """What a person can do with a candidate as it stands."""
    state = candidate["state"].lower()
    forms: list[Form] = []
    if state in {each.value for each in OPEN}:
        can_be_recorded = candidate["proposal"] or candidate["file"]
        if can_be_recorded and actor not in candidate["acceptedBy"]:
            forms.append(ACCEPT)
        day = today + timedelta(days=POSTPONED_DAYS)
        postpone = POSTPONE.filled({"until": day.isoformat()})
        forms += [REJECT if can_be_recorded else CLOSE, postpone, ASSIGN]
    if state in {each.value for each in REOPENABLE}:
        forms.append(REOPEN)
    return forms


def may_be_edited(candidate: Mapping[str, Any]) -> bool:
    """Whether another fact can be proposed in the place of a candidate's."""
    is_open = candidate["state"].lower() in {each.value for each in OPEN}
    return is_open and candidate["kind"] != "IMPORT"


def form_of(given: Mapping[str, str]) -> Form:
    """The form that was sent. Raises InvalidInput."""
    form = FORMS.get(given.get(DO, ""))
    if form is None:
        raise InvalidInput(f"expected one of {', '.join(FORMS)}", code="BAD_REQUEST", path=(DO,))
    return form.filled(given)


def revision_of(given: Mapping[str, str]) -> int | None:
    """The revision that the page showed which sent a form. Raises InvalidInput."""
    text = given.get(REVISION, "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise InvalidInput("expected a revision", path=(REVISION,))
    return int(text)


def outcome_of(form: Form, candidate: Mapping[str, Any]) -> str:
    """The word for what came of a form, by the candidate afterwards."""
    if form.do != ACCEPT.do or candidate["state"] == "ACCEPTED":
        return form.do
    return IMPORTED if candidate["state"] == "ACCEPTING" else NOTED
