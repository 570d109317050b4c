"""Answers `/endpoints`: all that one may manage, one of them, and the forms that do something with it.

What is shown and done goes the very way of API clients, with the rights of who asks. A form is taken
from pages of this server alone; what it did is on record, with who and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from schema.execution.response_cache import ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.http.csrf import read_form
from schema.http.messages import STATUS
from schema.pages.endpoints import view
from schema.pages.endpoints.forms import (
    ADD,
    CONFIRMED,
    DO,
    FORMS,
    REMOVE,
    Form,
    forms_of,
    read_fields,
    retry_of,
)
from schema.pages.site.address import Address, href, path_of
from schema.pages.site.html import FORM_REFUSED, around, html_response, session
from schema.pages.site.own_api import OwnApi
from schema.pages.site.plain import PlainPages, query_parameters
from tracker.auth.scopes import Scope
from tracker.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    ReadOnly,
    TrackerError,
    Unauthenticated,
)

ENDPOINTS = "/endpoints"
STATES = ("ACTIVE", "PAUSED", "DISABLED")
NO_STORE = {"Cache-Control": "no-store"}


class EndpointRoute:
    """Answers requests about endpoints."""

    def __init__(self, access_control: AccessControl, answers: ResponseCache):
        self._api = OwnApi("schema.pages.endpoints", access_control, answers)

    def routes(self, pages: PlainPages) -> Sequence[Route]:
        """The routes."""
        return [
            pages.route(ENDPOINTS, self.all, ("GET", "POST")),
            pages.route(f"{ENDPOINTS}/{{name}}", self.one, ("GET", "POST")),
        ]

    async def all(self, request: Request, client: Client) -> Response:
        """The list, with the form that adds one. Raises Unauthenticated and Forbidden."""
        _check_allowed(request, client)
        if request.method == "GET":
            return await self._list(request, client, ADD)
        form = ADD.filled(read_fields(await read_form(request)))
        try:
            made = await self._api.carry_out(form.mutation, form.input(), client)
        except TrackerError as error:
            return await self._list(request, client, form.refused(error), _problem(error))
        name = made["endpoint"]["name"]
        if made["secret"]:
            return _secret_page(request, client, name, made["secret"], ADD)
        return _back(path_of("endpoints", name), ADD)

    async def one(self, request: Request, client: Client) -> Response:
        """One of them. Raises Unauthenticated, Forbidden and NotFound."""
        _check_allowed(request, client)
        name = request.path_params["name"]
        if request.method == "GET":
            return await self._page(name, request, client)
        given = read_fields(await read_form(request))
        form = _form(given)
        try:
            if form.do == REMOVE.do and given.get(CONFIRMED) != name:
                raise InvalidInput(f"expected {name!r}", path=(CONFIRMED,))
            made = await self._api.carry_out(form.mutation, {"name": name, **form.input()}, client)
        except TrackerError as error:
            return await self._page(name, request, client, form.refused(error), _problem(error))
        if made.get("secret"):
            return _secret_page(request, client, name, made["secret"], form)
        return _back(ENDPOINTS if form.do == REMOVE.do else path_of("endpoints", name), form)

    async def _list(
        self, request: Request, client: Client, form: Form, problem: str = ""
    ) -> Response:
        given = query_parameters(request, ("state", "after", DO))
        state = given.get("state")
        if state and state not in STATES:
            raise InvalidInput(f"expected one of {', '.join(STATES)}", path=("state",))
        variables = {"state": state or None, "after": given.get("after") or None}
        data = await self._api.ask("endpoints", variables, client)
        shown = {
            **self._around(request, client, "Endpoints", given, problem),
            "found": data["endpoints"],
            "head": data["head"],
            "form": form,
            "states": STATES,
            "state": state,
            "everybody": Scope.ADMIN in client.caller.scopes,
            "next": href(
                ENDPOINTS, {"state": state, "after": data["endpoints"]["pageInfo"]["endCursor"]}
            ),
        }
        return html_response(
            "endpoints/endpoints.html", shown, status=FORM_REFUSED if problem else 200
        )

    async def _page(
        self,
        name: str,
        request: Request,
        client: Client,
        sent: Form | None = None,
        problem: str = "",
    ) -> Response:
        given = query_parameters(request, (DO,))
        endpoint = (await self._api.ask("endpoint", {"name": name}, client))["endpoint"]
        if endpoint is None:
            raise NotFound(f"there is no endpoint {name[:100]!r} that you may manage")
        forms = [sent if sent and sent.id == form.id else form for form in forms_of(endpoint)]
        parked = [(one, _sent_or(retry_of(one["position"]), sent)) for one in endpoint["parked"]]
        shown = {
            **self._around(request, client, name, given, problem),
            "endpoint": endpoint,
            "forms": forms,
            "parked": parked,
            "sent": sent,
        }
        return html_response(
            "endpoints/endpoint.html", shown, status=FORM_REFUSED if problem else 200
        )

    def _around(
        self, request: Request, client: Client, title: str, given: Mapping[str, str], problem: str
    ) -> dict[str, Any]:
        done = {**FORMS, ADD.do: ADD}.get(given.get(DO, ""))
        return {
            **around(Address(request.url.path), None, session(client)),
            "title": title,
            "problem": problem,
            "done": done.done if done and not problem else None,
            "standing": view.standing,
            "lag_text": view.lag_text,
            "duration": view.duration,
            "filter_text": view.filter_text,
        }


def _check_allowed(request: Request, client: Client) -> None:
    """Let those in who may manage endpoints; whoever sends a form, where that does something. Raises
    Unauthenticated, Forbidden and ReadOnly."""
    if client.read_only and request.method == "POST":
        raise ReadOnly
    client.caller.require(Scope.ENDPOINT)


def _form(given: Mapping[str, str]) -> Form:
    """The form that was sent. Raises InvalidInput."""
    form = FORMS.get(given.get(DO, ""))
    if form is None:
        raise InvalidInput(f"expected one of {', '.join(FORMS)}", code="BAD_REQUEST", path=(DO,))
    if form.do == "retry" and (position := given.get("position")):
        form = retry_of(position[:50])
    return form.filled(given)


def _sent_or(form: Form, sent: Form | None) -> Form:
    return sent if sent and sent.id == form.id else form


def _problem(error: TrackerError) -> str:
    """What is said of a form that was refused. Raises the error where it is not the form's."""
    if isinstance(error, Unauthenticated | Forbidden) or STATUS.get(error.code, 400) >= 500:
        raise error
    return error.message


def _back(path: str, form: Form) -> Response:
    """On to the page that shows what was done; to load it anew does nothing."""
    return RedirectResponse(href(path, {DO: form.do}), 303, NO_STORE)


def _secret_page(request: Request, client: Client, name: str, secret: str, form: Form) -> Response:
    """The secret, this once: no page and no address has it afterwards."""
    shown = {
        **around(Address(request.url.path), None, session(client)),
        "title": f"The secret of {name}",
        "name": name,
        "secret": secret,
        "done": form.done,
    }
    return html_response("endpoints/secret.html", shown)
