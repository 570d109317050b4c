"""The form of the fact of a candidate: the proposal, and the changes of a person."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schema.http.authentication import Client
from schema.pages.forms.fields import suggestions
from schema.pages.forms.form import DO, FactForm, fact_choices
from schema.pages.forms.own_api import OwnApi
from schema.pages.forms.responses import form_page, read_fact_form
from schema.pages.forms.state import ADD, REMOVE, read_number
from schema.pages.record.event_values import event_state
from schema.pages.review.actions import ANSWER, EDITED, may_be_edited
from schema.pages.review.queue import REVIEW, Queue
from schema.pages.site.html import see_other
from tracker.errors import InvalidInput

COMMAND, REVISION, REASON = "command", "revision", "edit-reason"
CONTROLS = frozenset({ADD, REMOVE, DO, COMMAND, REVISION, REASON})
"""Fields of the form that are not of the fact."""
Find = Callable[[str, Client], Awaitable[Mapping[str, Any]]]


class EditPage:
    """Handler of requests for the form."""

    def __init__(self, api: OwnApi, find: Find):
        self._api = api
        self._find = find

    async def respond(self, id: str, queue: Queue, request: Request, client: Client) -> Response:
        """Return the form, or save what was sent. Raises NotFound and InvalidInput."""
        candidate = await self._find(id, client)
        if not may_be_edited(candidate):
            raise InvalidInput(
                f"candidate {id} is {candidate['state'].lower()}: expected a fact"
                " or a lead without a decision",
                code="NOT_EDITABLE",
                path=("id",),
            )
        controls: Mapping[str, str] = {}
        if request.method == "GET":
            form = _proposal_form(candidate)
        else:
            pairs, controls = await read_fact_form(request, CONTROLS)
            command = controls.get(COMMAND, "")
            if command not in dict(fact_choices()):
                raise InvalidInput("expected the name of a fact", path=(COMMAND,))
            form = FactForm.read(command, pairs, controls)
            saves = controls.get(DO) == "save" and not {ADD, REMOVE} & controls.keys()
            if saves and await self._save(form, id, controls, client):
                return see_other(queue.link_to(id, did=EDITED, of=id))
        return form_page(
            "review/edit.html",
            request,
            client,
            REVIEW,
            form=form,
            title=f"Edit: {candidate['title']}",
            candidate=candidate,
            queue=queue,
            suggestions=suggestions,
            choices=fact_choices(),
            reason=controls.get(REASON, ""),
        )

    async def _save(
        self, form: FactForm, id: str, controls: Mapping[str, str], client: Client
    ) -> bool:
        """Propose the fact of a form. Return False if it is refused, with the errors in the form."""
        fact = {form.command: form.input()}
        if form.refused:
            return False
        input = {
            "id": id,
            "revision": read_number(controls, REVISION),
            "reason": controls.get(REASON, "").strip() or None,
            "fact": fact,
        }
        _, errors = await self._api.mutate("editCandidate", ANSWER, input, client)
        for error in errors:
            form.note(error)
        return not errors


def _proposal_form(candidate: Mapping[str, Any]) -> FactForm | None:
    """Return the form of a proposal; None for a lead."""
    proposal = candidate["proposal"]
    fact = event_state({**proposal, "annexes": ()}) if proposal else None
    return FactForm(*fact) if fact else None
