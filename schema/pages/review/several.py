"""One decision on several candidates that are marked in the queue: a preview, then the outcomes.

Each candidate is decided separately, in the order of the queue. A refused candidate stays unchanged, and
the others are decided. A decision expects the revisions that the queue showed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schema.http.authentication import Client
from schema.http.cross_site import read_form
from schema.pages.forms.form import (
    CHANGED,
    CONFIRMED,
    Action,
    ActionForm,
    chosen_action,
    read_fields,
)
from schema.pages.forms.own_api import OwnApi
from schema.pages.forms.responses import form_page
from schema.pages.record.preview_words import written
from schema.pages.review import actions
from schema.pages.review.queue import REVIEW, Queue
from tracker.errors import Forbidden, InvalidInput, Unauthenticated, VersionConflict

MARKED = "marked"
"""Field of the form: a candidate with its revision, as `12:3`."""
MAX_MARKED = 50
"""Maximum number of candidates of one decision: a page of the queue."""
CHOICES = {
    action.do: action
    for action in (actions.ACCEPT, actions.REJECT, actions.POSTPONE, actions.ASSIGN)
}
"""Actions on several candidates by the values of `do`."""


@dataclass(frozen=True, slots=True)
class MarkedCandidate:
    """A marked candidate, with the revision that the queue showed."""

    candidate: Mapping[str, Any]
    revision: int
    obstacle: str | None
    """Reason why the decision is not possible for it, if there is one."""
    outcome: str | None = None


class SeveralPage:
    """Handler of the form of the queue."""

    def __init__(self, api: OwnApi):
        self._api = api

    async def respond(self, queue: Queue, request: Request, client: Client) -> Response:
        """Return a preview or, once that is confirmed, the outcomes. Raises InvalidInput."""
        pairs = await read_form(request)
        fields = read_fields([pair for pair in pairs if pair[0] != MARKED])
        action, confirmed = chosen_action(CHOICES, fields), fields.get(CONFIRMED) == "true"
        form = action.filled(fields)
        marked = [
            await self._find(*each, action, client)
            for each in marked_in([value for name, value in pairs if name == MARKED])
        ]
        decided = [each for each in marked if each.obstacle is None]
        if confirmed:
            form.input(id="")
        done = confirmed and not form.refused and bool(decided)
        if done:
            decided = [await self._decide(each, form, client) for each in decided]
        return form_page(
            "review/several.html",
            request,
            client,
            REVIEW,
            form=form,
            refused=not marked or (confirmed and not done),
            title=action.label,
            marked=marked,
            decided=decided,
            left=[each for each in marked if each.obstacle is not None],
            done=done,
            queue=queue,
            written=written,
        )

    async def _find(
        self, id: str, revision: int, action: Action, client: Client
    ) -> MarkedCandidate:
        candidate = (await self._api.query("marked", {"id": id}, client))["candidate"]
        if candidate is None:
            raise InvalidInput(f"there is no candidate {id}", path=(MARKED,))
        return MarkedCandidate(
            candidate, revision, obstacle_to(action, candidate, revision, client.caller.name)
        )

    async def _decide(
        self, marked: MarkedCandidate, form: ActionForm, client: Client
    ) -> MarkedCandidate:
        """Decide on one candidate. An error becomes its obstacle."""
        action = form.action
        input = form.input(id=marked.candidate["id"], revision=str(marked.revision))
        made, errors = await self._api.mutate(action.mutation, action.answer, input, client)
        for error in errors:
            if isinstance(error, Unauthenticated | Forbidden):
                raise error
            changed = error.code == VersionConflict.code
            return replace(marked, obstacle=CHANGED if changed else error.message)
        assert made
        return replace(marked, outcome=actions.DONE[actions.outcome_of(action, made["candidate"])])


def marked_in(values: Sequence[str]) -> list[tuple[str, int]]:
    """Return the candidates of a form, each once, with their revisions. Raises InvalidInput."""
    if len(values) > MAX_MARKED:
        raise InvalidInput(f"expected at most {MAX_MARKED} candidates", path=(MARKED,))
    revisions: dict[str, int] = {}
    for value in values:
        id, _, revision = value.partition(":")
        if not all(
            text.isascii() and text.isdecimal() and len(text) < 19 for text in (id, revision)
        ):
            raise InvalidInput("expected candidates with their revisions", path=(MARKED,))
        revisions[id] = int(revision)
    return [*revisions.items()]


def obstacle_to(
    action: Action, candidate: Mapping[str, Any], revision: int, actor: str | None
) -> str | None:
    """Return the reason why an action on a candidate is not possible; None if it is."""
    if candidate["revision"] != revision:
        return CHANGED
    possible = {each.do for each in actions.actions_on(candidate, actor)}
    if action.do in possible:
        return None
    if action.do == actions.ACCEPT.do and actor in candidate["acceptedBy"]:
        return "You have accepted it. Another person has to accept it too."
    if action.do == actions.ACCEPT.do and actions.REJECT.do in possible:
        return "It proposes no fact: make it one, or close it."
    return f"It is {candidate['state'].lower()}."
