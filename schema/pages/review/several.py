"""One decision on several candidates that were marked in the queue: what it would do, then what it did.

Each candidate is decided on by itself, in the order of the queue: one that is refused stays as it is, and
the others are done. A decision counts on the revisions that the queue showed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schema.http.authentication import Client
from schema.http.csrf import read_form
from schema.pages.endpoints.forms import Form, read_fields
from schema.pages.record.preview_words import written
from schema.pages.review.forms import (
    ACCEPT,
    ASSIGN,
    DONE,
    POSTPONE,
    REJECT,
    form_of,
    forms_of,
    outcome_of,
)
from schema.pages.review.queue import REVIEW, Queue
from schema.pages.site.address import Address
from schema.pages.site.html import FORM_REFUSED, around, html_response, session
from schema.pages.site.own_api import OwnApi
from tracker import clock
from tracker.errors import Forbidden, InvalidInput, TrackerError, Unauthenticated, VersionConflict

MARKED, CONFIRMED = "marked", "confirmed"
"""Fields of the form: a candidate with its revision, as `12:3`; whether the preview was seen."""
MAX_MARKED = 50
"""Candidates that are decided on at once: a page of the queue."""
CHOICES = (ACCEPT, REJECT, POSTPONE, ASSIGN)
"""What can be done with several."""
CHANGED = "Somebody has changed it meanwhile: look at it again."


@dataclass(frozen=True, slots=True)
class MarkedCandidate:
    """A candidate that was marked, with the revision that the queue showed.

    `why_not` says why the decision can't be made on it; None where it can. `outcome` is what came of it.
    """

    candidate: Mapping[str, Any]
    revision: int
    why_not: str | None
    outcome: str | None = None


class SeveralPage:
    """Answers the form of the queue."""

    def __init__(self, api: OwnApi):
        self._api = api

    async def respond(self, queue: Queue, request: Request, client: Client) -> Response:
        """What a decision would do or, where that was seen, what it did. Raises InvalidInput and what
        forbids it."""
        pairs = await read_form(request)
        asked = marked_in([value for name, value in pairs if name == MARKED])
        fields = read_fields([pair for pair in pairs if pair[0] != MARKED])
        form = chosen_form(fields)
        marked = [await self._find(*each, form, client) for each in asked]
        todo = [each for each in marked if each.why_not is None]
        input, confirmed = None, fields.get(CONFIRMED) == "true"
        if confirmed:
            try:
                input = form.input()
            except InvalidInput as error:
                form = form.refused(error)
        if input is None or not todo:
            return _page(form, marked, todo, queue, request, client, refused=confirmed)
        done = [await self._decide(each, form, input, client) for each in todo]
        return _page(form, marked, done, queue, request, client, done=True)

    async def _find(self, id: str, revision: int, form: Form, client: Client) -> MarkedCandidate:
        found = (await self._api.ask("marked", {"id": id}, client))["candidate"]
        if found is None:
            raise InvalidInput(f"there is no candidate {id}", path=(MARKED,))
        return MarkedCandidate(found, revision, why_not(found, revision, form, client.caller.name))

    async def _decide(
        self, marked: MarkedCandidate, form: Form, input: Mapping[str, Any], client: Client
    ) -> MarkedCandidate:
        """Decide on one. What is wrong with it is its outcome."""
        id = marked.candidate["id"]
        try:
            given = {"id": id, "revision": marked.revision, **input}
            made = await self._api.carry_out(form.mutation, given, client)
        except (Unauthenticated, Forbidden):
            raise
        except VersionConflict:
            return MarkedCandidate(marked.candidate, marked.revision, CHANGED)
        except TrackerError as error:
            return MarkedCandidate(marked.candidate, marked.revision, error.message)
        outcome = DONE[outcome_of(form, made["candidate"])]
        return MarkedCandidate(marked.candidate, marked.revision, None, outcome)


def marked_in(values: Sequence[str]) -> list[tuple[str, int]]:
    """The candidates of a form, each once, with their revisions. Raises InvalidInput."""
    if len(values) > MAX_MARKED:
        raise InvalidInput(f"expected at most {MAX_MARKED} candidates", path=(MARKED,))
    found: dict[str, int] = {}
    for value in values:
        id, _, revision = value.partition(":")
        if not all(
            text.isascii() and text.isdecimal() and len(text) < 19 for text in (id, revision)
        ):
            raise InvalidInput("expected candidates with their revisions", path=(MARKED,))
        found[id] = int(revision)
    return [*found.items()]


def chosen_form(fields: Mapping[str, str]) -> Form:
    """The form of what is to be done. Raises InvalidInput."""
    form = form_of(fields)
    if form.do not in {each.do for each in CHOICES}:
        raise InvalidInput("expected a decision on several candidates", path=("do",))
    return form


def why_not(
    candidate: Mapping[str, Any], revision: int, form: Form, actor: str | None
) -> str | None:
    """Why a decision can't be made on a candidate as it stands; None where it can."""
    if candidate["revision"] != revision:
        return CHANGED
    possible = forms_of(candidate, actor, clock.today())
    if any(each.do == form.do for each in possible):
        return None
    if form.do == ACCEPT.do and actor in candidate["acceptedBy"]:
        return "You have accepted it. Another person has to accept it too."
    if form.do == ACCEPT.do and any(each.do == REJECT.do for each in possible):
        return "It proposes no fact: make it one, or close it."
    return f"It is {candidate['state'].lower()}."


def _page(
    form: Form,
    marked: Sequence[MarkedCandidate],
    decided: Sequence[MarkedCandidate],
    queue: Queue,
    request: Request,
    client: Client,
    *,
    done: bool = False,
    refused: bool = False,
) -> Response:
    shown = {
        **around(Address(request.url.path), REVIEW, session(client)),
        "title": form.label,
        "form": form,
        "marked": marked,
        "decided": decided,
        "left": [each for each in marked if each.why_not is not None],
        "done": done,
        "queue": queue,
        "written": written,
    }
    wrong = refused or not marked
    return html_response("review/several.html", shown, status=FORM_REFUSED if wrong else 200)
