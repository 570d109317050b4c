"""Routes of `/review`: the queue, a candidate beside its snapshot, and the forms of decisions.

Queries and mutations go through the API, with the rights of the reader. After a decision the next candidate
of the queue is shown.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.execution.response_cache import ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.http.cross_site import read_form
from schema.pages.forms.form import chosen_action, read_fields
from schema.pages.forms.own_api import OwnApi
from schema.pages.forms.responses import form_page, require
from schema.pages.record.preview_words import written
from schema.pages.review.actions import (
    ACTIONS,
    DONE,
    STAYING,
    actions_on,
    may_be_edited,
    outcome_of,
)
from schema.pages.review.edit import EditPage
from schema.pages.review.queue import FILTERS, KINDS, ORDERS, REVIEW, STATES, Queue, queue_of
from schema.pages.review.several import CHOICES, SeveralPage
from schema.pages.review.snapshot_text import SnapshotText, snapshot_text
from schema.pages.site.html import see_other
from schema.pages.site.plain import PlainPages, query_parameters
from schema.services import Services
from tracker import clock
from tracker.auth.scopes import Scope
from tracker.errors import NotFound, TrackerError

AFTER, DID, OF = "after", "did", "of"
"""Parameters of an address beside those of the queue: the start of a page of the list; the last decision,
and its candidate."""
PARAMETERS = (*FILTERS, DID, OF)
POSTPONED = timedelta(days=7)
"""Default period of the form for postponing."""


class ReviewRoute:
    """Handler of requests for pages of review."""

    def __init__(self, services: Services, access_control: AccessControl, answers: ResponseCache):
        self._snapshots = services.writing.snapshots
        self._api = OwnApi("schema.pages.review", access_control, answers)
        self._edit = EditPage(self._api, self._find)
        self._several = SeveralPage(self._api)

    def routes(self, pages: PlainPages) -> Sequence[Route]:
        """Return the routes."""
        return [
            pages.route(REVIEW, self.all, ("GET", "POST")),
            pages.route(f"{REVIEW}/{{id}}", self.one, ("GET", "POST")),
            pages.route(f"{REVIEW}/{{id}}/edit", self.edit, ("GET", "POST")),
        ]

    async def all(self, request: Request, client: Client) -> Response:
        """Return the queue, or decide on the marked candidates. Raises Unauthenticated, Forbidden and
        InvalidInput."""
        require(Scope.REVIEW, request, client)
        parameters = query_parameters(request, (*PARAMETERS, AFTER))
        queue = queue_of(parameters)
        if request.method == "POST":
            return await self._several.respond(queue, request, client)
        variables = {**queue.variables(), "after": parameters.get(AFTER) or None}
        data = await self._api.query("queue", variables, client)
        return form_page(
            "review/queue.html",
            request,
            client,
            REVIEW,
            title="Review",
            queue=queue,
            data=data,
            found=data["candidates"],
            states=STATES,
            kinds=KINDS,
            orders=ORDERS,
            choices=CHOICES.values(),
            mine=queue.link(assignedTo=client.caller.name),
            decided=_decided(parameters),
        )

    async def one(self, request: Request, client: Client) -> Response:
        """Return a candidate, or decide on it. Raises Unauthenticated, Forbidden and NotFound."""
        require(Scope.REVIEW, request, client)
        parameters = query_parameters(request, PARAMETERS)
        queue, id = queue_of(parameters), request.path_params["id"]
        form, decided = None, _decided(parameters)
        if request.method == "POST":
            fields = read_fields(await read_form(request))
            form, decided = chosen_action(ACTIONS, fields).filled(fields), None
        candidate = await self._find(id, client)
        if form:
            if made := await self._api.carry_out(form, client, id=id):
                outcome = outcome_of(form.action, made["candidate"])
                return await self._go_on(candidate, queue, outcome, client)
            candidate = await self._find(id, client)
        blank = {"until": (clock.today() + POSTPONED).isoformat()}
        actions = actions_on(candidate, client.caller.name)
        return form_page(
            "review/candidate.html",
            request,
            client,
            REVIEW,
            form=form,
            title=candidate["title"],
            candidate=candidate,
            queue=queue,
            **await self._neighbours(candidate, queue, client),
            forms=[action.form(form, **blank) for action in actions],
            may_be_edited=may_be_edited(candidate),
            accepted_by_you=client.caller.name in candidate["acceptedBy"],
            read=await self._text_of(candidate),
            written=written,
            decided=decided,
        )

    async def edit(self, request: Request, client: Client) -> Response:
        """Return the form of the fact of a candidate, or save it. Raises Unauthenticated, Forbidden and
        NotFound."""
        require(Scope.REVIEW, request, client)
        queue = queue_of(query_parameters(request, FILTERS))
        return await self._edit.respond(request.path_params["id"], queue, request, client)

    async def _find(self, id: str, client: Client) -> Mapping[str, Any]:
        candidate: Mapping[str, Any] | None
        candidate = (await self._api.query("candidate", {"id": id}, client))["candidate"]
        if candidate is None:
            raise NotFound(f"there is no candidate {id[:50]!r}", path=("id",))
        return candidate

    async def _neighbours(
        self, candidate: Mapping[str, Any], queue: Queue, client: Client
    ) -> dict[str, Any]:
        """Return the ids of the next and the previous candidate; None at an end of the queue."""
        variables = {**queue.variables(), "at": queue.cursor(candidate)}
        response = await self._api.query("neighbours", variables, client)
        ids = {
            side: [one["id"] for one in response[side]["nodes"]] for side in ("next", "previous")
        }
        return {side: of[0] if of else None for side, of in ids.items()}

    async def _go_on(
        self, candidate: Mapping[str, Any], queue: Queue, outcome: str, client: Client
    ) -> Response:
        """Redirect to the next candidate; at the end of the queue, to its list."""
        done = {DID: outcome, OF: candidate["id"]}
        if outcome in STAYING:
            path = queue.link_to(candidate["id"], **done)
        elif following := (await self._neighbours(candidate, queue, client))["next"]:
            path = queue.link_to(following, **done)
        else:
            path = queue.link(**done)
        return see_other(path)

    async def _text_of(self, candidate: Mapping[str, Any]) -> SnapshotText:
        if candidate["snapshot"] is None:
            return SnapshotText(note="Nothing could be fetched.")
        try:
            snapshot = await self._snapshots.get(candidate["snapshot"]["sha256"])
        except TrackerError as error:
            return SnapshotText(note=f"It cannot be read now: {error.message}")
        return await asyncio.to_thread(snapshot_text, snapshot, candidate["place"])


def _decided(parameters: Mapping[str, str]) -> dict[str, str] | None:
    """Return the notice and the candidate of the last decision; None if the address names none."""
    did, of = parameters.get(DID, ""), parameters.get(OF, "")
    return {"notice": DONE[did], "id": of} if did in DONE and of.isdecimal() else None
