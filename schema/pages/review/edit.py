"""The form for the fact of a candidate: as it is proposed, with what a person makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from schema.http.authentication import Client
from schema.http.csrf import read_form
from schema.pages.record.draft import CORRECT, RETRACT, Draft
from schema.pages.record.event_values import event_state
from schema.pages.record.fields import State, commands, form_fields, label_of
from schema.pages.record.form import (
    make_input,
    read_state,
    with_another,
    without_empty,
    without_item,
)
from schema.pages.record.route import MAX_FORM_BYTES, suggestions
from schema.pages.review.forms import EDITED, REVISION, may_be_edited, revision_of
from schema.pages.review.queue import Queue
from schema.pages.site.address import Address
from schema.pages.site.html import FORM_REFUSED, around, html_response, session
from schema.pages.site.own_api import OwnApi
from tracker.errors import InvalidInput, TrackerError

ADD, REMOVE, DO, COMMAND = "add", "remove", "do", "command"
WHY = "edit-reason"
CONTROLS = frozenset({ADD, REMOVE, DO, COMMAND, REVISION, WHY})
"""Fields of the form that are not of the fact."""
Find = Callable[[str, Client], Awaitable[Mapping[str, Any]]]


class EditPage:
    """Answers requests for the form."""

    def __init__(self, api: OwnApi, find: Find):
        self._api = api
        self._find = find

    async def respond(self, id: str, queue: Queue, request: Request, client: Client) -> Response:
        """The form, or what it was sent to do. Raises NotFound and InvalidInput."""
        candidate = await self._find(id, client)
        if not may_be_edited(candidate):
            raise InvalidInput(
                f"candidate {id} is {candidate['state'].lower()}: expected a fact or a lead that"
                " nobody has decided on",
                code="NOT_EDITABLE",
                path=("id",),
            )
        if request.method == "GET":
            return _page(candidate, _proposed(candidate), queue, request, client)
        pairs = await read_form(request, MAX_FORM_BYTES)
        controls = {name: value for name, value in pairs if name in CONTROLS}
        command = controls.get(COMMAND, "")
        if command not in dict(choices()):
            raise InvalidInput("expected one of the facts that there are", path=(COMMAND,))
        filled = read_state(commands()[command], [one for one in pairs if one[0] not in CONTROLS])
        form = Draft(command, filled)
        if path := controls.get(ADD):
            form.state = with_another(form.state, path)
        elif path := controls.get(REMOVE):
            form.state = without_item(form.state, path)
        elif controls.get(DO) == "save" and await self._save(form, id, controls, client):
            return RedirectResponse(
                queue.link_to(id, did=EDITED, of=id), 303, {"Cache-Control": "no-store"}
            )
        return _page(candidate, form, queue, request, client, controls.get(WHY, ""))

    async def _save(
        self, form: Draft, id: str, controls: Mapping[str, str], client: Client
    ) -> bool:
        """Propose what the form says; False where it is refused, and the form tells why."""
        kept = without_empty(form.state)
        data, form.errors = make_input(form.kind, kept)
        if form.errors:
            return False
        input = {
            "id": id,
            "revision": revision_of(controls),
            "reason": controls.get(WHY, "").strip() or None,
            "fact": {form.command: data},
        }
        try:
            await self._api.carry_out("editCandidate", input, client)
        except TrackerError as error:
            form.note(error)
            return False
        return True


def choices() -> list[tuple[str, str]]:
    """The facts that a form can propose, with their names."""
    return [(name, label_of(name)) for name in commands() if name not in (RETRACT, CORRECT)]


def _proposed(candidate: Mapping[str, Any]) -> Draft | None:
    """The form of what a candidate proposes; None for a lead."""
    proposal = candidate["proposal"]
    found = proposal and event_state({**proposal, "annexes": ()})
    if not found:
        return None
    [(command, state)] = found.items()
    given: dict[str, State] = state if isinstance(state, dict) else {}
    return Draft(command, given)


def _page(
    candidate: Mapping[str, Any],
    form: Draft | None,
    queue: Queue,
    request: Request,
    client: Client,
    why: str = "",
) -> Response:
    fields = form_fields(form.kind, form.state, form.errors) if form else []
    wrong = [each for one in fields for each in one.below() if each.errors]
    problems = form.problems if form else []
    shown = {
        **around(Address(request.url.path), "/review", session(client)),
        "title": f"Edit: {candidate['title']}",
        "candidate": candidate,
        "queue": queue,
        "form": form,
        "fields": fields,
        "wrong": wrong,
        "problems": problems,
        "choices": choices(),
        "suggestions": suggestions(fields),
        "why": why,
    }
    status = FORM_REFUSED if wrong or problems else 200
    return html_response("review/edit.html", shown, status=status)
