"""Answers `/review`: the queue, a candidate beside what it was read from, and the forms that decide.

What is shown and done goes the very way of API clients, with the rights of who asks. A form is taken
from pages of this server alone. After a decision comes the next candidate of the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from schema.execution.response_cache import ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.http.csrf import read_form
from schema.http.messages import STATUS
from schema.pages.endpoints.forms import Form, read_fields
from schema.pages.record.preview_words import written
from schema.pages.review.edit import EditPage
from schema.pages.review.forms import (
    DONE,
    KEYS,
    STAYING,
    DecisionNotice,
    form_of,
    forms_of,
    may_be_edited,
    outcome_of,
    revision_of,
)
from schema.pages.review.queue import FILTERS, KINDS, ORDERS, REVIEW, STATES, Queue, queue_of
from schema.pages.review.several import CHOICES, SeveralPage
from schema.pages.review.snapshot_text import SnapshotText, snapshot_text
from schema.pages.site.address import Address
from schema.pages.site.html import FORM_REFUSED, around, html_response, session
from schema.pages.site.own_api import OwnApi
from schema.pages.site.plain import PlainPages, query_parameters
from schema.services import Services
from tracker import clock
from tracker.auth.scopes import Scope
from tracker.errors import (
    Forbidden,
    NotFound,
    ReadOnly,
    TrackerError,
    Unauthenticated,
    VersionConflict,
)

AFTER, DID, OF = "after", "did", "of"
"""Parameters of an address beside those of the queue: where a page of the list begins, what was done
last, and with which candidate."""
PARAMETERS = (*FILTERS, DID, OF)
NO_STORE = {"Cache-Control": "no-store"}


class ReviewRoute:
    """Answers requests for pages of review."""

    def __init__(self, services: Services, access_control: AccessControl, answers: ResponseCache):
        self._snapshots = services.writing.snapshots
        self._api = OwnApi("schema.pages.review", access_control, answers)
        self._edit = EditPage(self._api, self._find)
        self._several = SeveralPage(self._api)

    def routes(self, pages: PlainPages) -> Sequence[Route]:
        """The routes."""
        return [
            pages.route(REVIEW, self.all, ("GET", "POST")),
            pages.route(f"{REVIEW}/{{id}}", self.one, ("GET", "POST")),
            pages.route(f"{REVIEW}/{{id}}/edit", self.edit, ("GET", "POST")),
        ]

    async def all(self, request: Request, client: Client) -> Response:
        """The queue, or a decision on those that are marked in it. Raises Unauthenticated, Forbidden and
        InvalidInput."""
        check_allowed(request, client)
        given = query_parameters(request, (*PARAMETERS, AFTER))
        queue = queue_of(given)
        if request.method == "POST":
            return await self._several.respond(queue, request, client)
        variables = {**queue.variables(), "after": given.get(AFTER) or None}
        data = await self._api.ask("queue", variables, client)
        shown = {
            **around(Address(request.url.path), REVIEW, session(client)),
            "title": "Review",
            "queue": queue,
            "data": data,
            "found": data["candidates"],
            "states": STATES,
            "kinds": KINDS,
            "orders": ORDERS,
            "choices": CHOICES,
            "keys": KEYS,
            "mine": queue.link(assignedTo=client.caller.name),
            "decided": _decided(given),
        }
        return html_response("review/queue.html", shown)

    async def one(self, request: Request, client: Client) -> Response:
        """A candidate. Raises Unauthenticated, Forbidden and NotFound."""
        check_allowed(request, client)
        given = query_parameters(request, PARAMETERS)
        queue, id = queue_of(given), request.path_params["id"]
        if request.method == "GET":
            return await self._page(await self._find(id, client), queue, request, client, given)
        fields = read_fields(await read_form(request))
        form, candidate = form_of(fields), await self._find(id, client)
        try:
            input = {"id": id, "revision": revision_of(fields), **form.input()}
            made = await self._api.carry_out(form.mutation, input, client)
        except TrackerError as error:
            now = await self._find(id, client)
            refused = form.refused(error)
            return await self._page(now, queue, request, client, {}, refused, _problem(error))
        return await self._go_on(candidate, queue, outcome_of(form, made["candidate"]), client)

    async def edit(self, request: Request, client: Client) -> Response:
        """The form for the fact of a candidate. Raises Unauthenticated, Forbidden and NotFound."""
        check_allowed(request, client)
        queue = queue_of(query_parameters(request, FILTERS))
        return await self._edit.respond(request.path_params["id"], queue, request, client)

    async def _find(self, id: str, client: Client) -> Mapping[str, Any]:
        found = (await self._api.ask("candidate", {"id": id}, client))["candidate"]
        if found is None:
            raise NotFound(f"there is no candidate {id[:50]!r}", path=("id",))
        candidate: Mapping[str, Any] = found
        return candidate

    async def _neighbours(
        self, candidate: Mapping[str, Any], queue: Queue, client: Client
    ) -> dict[str, str | None]:
        """The ids of the candidates after and before one; None where there is none."""
        variables = {**queue.variables(), "at": queue.cursor(candidate)}
        found = await self._api.ask("neighbours", variables, client)
        ids = {side: [one["id"] for one in found[side]["nodes"]] for side in ("next", "previous")}
        return {side: of[0] if of else None for side, of in ids.items()}

    async def _go_on(
        self, candidate: Mapping[str, Any], queue: Queue, outcome: str, client: Client
    ) -> Response:
        """On to the next candidate, or to the list where there is none."""
        done = {DID: outcome, OF: candidate["id"]}
        if outcome in STAYING:
            path = queue.link_to(candidate["id"], **done)
        elif following := (await self._neighbours(candidate, queue, client))["next"]:
            path = queue.link_to(following, **done)
        else:
            path = queue.link(**done)
        return RedirectResponse(path, 303, NO_STORE)

    async def _page(
        self,
        candidate: Mapping[str, Any],
        queue: Queue,
        request: Request,
        client: Client,
        given: Mapping[str, str],
        sent: Form | None = None,
        problem: str = "",
    ) -> Response:
        forms = forms_of(candidate, client.caller.name, clock.today())
        shown = {
            **around(Address(request.url.path), REVIEW, session(client)),
            "title": candidate["title"],
            "candidate": candidate,
            "queue": queue,
            **await self._neighbours(candidate, queue, client),
            "forms": [sent if sent and sent.do == form.do else form for form in forms],
            "sent": sent,
            "keys": KEYS,
            "may_be_edited": may_be_edited(candidate),
            "accepted_by_you": client.caller.name in candidate["acceptedBy"],
            "read": await self._text_of(candidate),
            "written": written,
            "problem": problem,
            "decided": _decided(given),
        }
        return html_response(
            "review/candidate.html", shown, status=FORM_REFUSED if problem else 200
        )

    async def _text_of(self, candidate: Mapping[str, Any]) -> SnapshotText:
        """The text of what a candidate was read from."""
        if candidate["snapshot"] is None:
            return SnapshotText(note="Nothing could be fetched.")
        try:
            snapshot = await self._snapshots.get(candidate["snapshot"]["sha256"])
        except TrackerError as error:
            return SnapshotText(note=f"It cannot be read now: {error.message}")
        return await asyncio.to_thread(snapshot_text, snapshot, candidate["place"])


def check_allowed(request: Request, client: Client) -> None:
    """Let those in who may review; whoever sends a form, where that does something. Raises
    Unauthenticated, Forbidden and ReadOnly."""
    if client.read_only and request.method == "POST":
        raise ReadOnly
    client.caller.require(Scope.REVIEW)


def _decided(given: Mapping[str, str]) -> DecisionNotice | None:
    """What was done last; None where the address does not say it."""
    did, of = given.get(DID, ""), given.get(OF, "")
    return DecisionNotice(did, of) if did in DONE and of.isdecimal() else None


def _problem(error: TrackerError) -> str:
    """What is said of a form that was refused. Raises the error where it is not the form's."""
    if isinstance(error, Unauthenticated | Forbidden) or STATUS.get(error.code, 400) >= 500:
        raise error
    if error.code == VersionConflict.code:
        return "Somebody has changed it meanwhile: look at it again."
    where = [str(part) for part in error.path or () if part not in ("input", "proposal")]
    return f"{'.'.join(where)}: {error.message}" if len(where) > 1 else error.message
