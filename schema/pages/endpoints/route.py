"""Routes of `/endpoints`: the endpoints that the reader may manage, one of them, and the forms of actions.

Queries and mutations go through the API, with the rights of the reader.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.execution.response_cache import ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.http.cross_site import read_form
from schema.pages.endpoints import view
from schema.pages.endpoints.actions import ACTIONS, ADD, REMOVE, RETRY, actions_on, retry_of
from schema.pages.forms.form import CONFIRMED, DO, Action, ActionForm, chosen_action, read_fields
from schema.pages.forms.own_api import OwnApi
from schema.pages.forms.responses import form_page, require
from schema.pages.site.address import href, path_of
from schema.pages.site.html import see_other
from schema.pages.site.plain import PlainPages, query_parameters
from tracker.auth.scopes import Scope
from tracker.errors import InvalidInput, NotFound

ENDPOINTS = "/endpoints"
STATES = ("ACTIVE", "PAUSED", "DISABLED")
WORDS: dict[str, Any] = {
    "state_words": view.state_words,
    "lag_text": view.lag_text,
    "filter_text": view.filter_text,
    "format_text": view.format_text,
}
"""Functions of the templates."""


class EndpointRoute:
    """Handler of requests about endpoints."""

    def __init__(self, access_control: AccessControl, answers: ResponseCache):
        self._api = OwnApi("schema.pages.endpoints", access_control, answers)

    def routes(self, pages: PlainPages) -> Sequence[Route]:
        """Return the routes."""
        return [
            pages.route(ENDPOINTS, self.all, ("GET", "POST")),
            pages.route(f"{ENDPOINTS}/{{name}}", self.one, ("GET", "POST")),
        ]

    async def all(self, request: Request, client: Client) -> Response:
        """Return the list, or add an endpoint. Raises Unauthenticated and Forbidden."""
        require(Scope.ENDPOINT, request, client)
        form = None
        if request.method == "POST":
            form = ADD.filled(read_fields(await read_form(request)))
            if made := await self._api.carry_out(form, client):
                return _done(ADD, made["endpoint"]["name"], made, request, client)
        parameters = query_parameters(request, ("state", "after", DO))
        state = parameters.get("state")
        if state and state not in STATES:
            raise InvalidInput(f"expected one of {', '.join(STATES)}", path=("state",))
        variables = {"state": state or None, "after": parameters.get("after") or None}
        data = await self._api.query("endpoints", variables, client)
        after = data["endpoints"]["pageInfo"]["endCursor"]
        return form_page(
            "endpoints/endpoints.html",
            request,
            client,
            form=form,
            title="Endpoints",
            found=data["endpoints"],
            head=data["head"],
            add=ADD.form(form, format="EVENTS"),
            states=STATES,
            state=state,
            everybody=Scope.ADMIN in client.caller.scopes,
            next=href(ENDPOINTS, {"state": state, "after": after}),
            done=_notice(parameters, form),
            **WORDS,
        )

    async def one(self, request: Request, client: Client) -> Response:
        """Return an endpoint, or carry out an action. Raises Unauthenticated, Forbidden and NotFound."""
        require(Scope.ENDPOINT, request, client)
        name, form = request.path_params["name"], None
        if request.method == "POST":
            form = _sent_form(read_fields(await read_form(request)))
            if form.action == REMOVE and form.state.get(CONFIRMED) != name:
                form.errors[CONFIRMED] = [f"expected {name!r}"]
            if made := await self._api.carry_out(form, client, name=name):
                return _done(form.action, name, made, request, client)
        parameters = query_parameters(request, (DO,))
        endpoint = (await self._api.query("endpoint", {"name": name}, client))["endpoint"]
        if endpoint is None:
            raise NotFound(f"there is no endpoint {name[:100]!r} that you may manage")
        parked = [
            (event, retry_of(event["position"]).form(form, position=event["position"]))
            for event in endpoint["parked"]
        ]
        return form_page(
            "endpoints/endpoint.html",
            request,
            client,
            form=form,
            title=name,
            endpoint=endpoint,
            forms=[action.form(form) for action in actions_on(endpoint)],
            parked=parked,
            done=_notice(parameters, form),
            **WORDS,
        )


def _sent_form(fields: Mapping[str, str]) -> ActionForm:
    """Return the form that was sent. Raises InvalidInput."""
    action, position = chosen_action(ACTIONS, fields), fields.get("position", "")
    if action == RETRY and position:
        action = retry_of(position[:50])
    return action.filled(fields)


def _notice(parameters: Mapping[str, str], form: ActionForm | None) -> str | None:
    """Return the notice of the last action, unless another was refused since."""
    action = None if form else {**ACTIONS, ADD.do: ADD}.get(parameters.get(DO, ""))
    return action.done if action else None


def _done(
    action: Action, name: str, made: Mapping[str, Any], request: Request, client: Client
) -> Response:
    """Redirect to the page with the result, or show a secret once."""
    if not made.get("secret"):
        path = ENDPOINTS if action == REMOVE else path_of("endpoints", name)
        return see_other(href(path, {DO: action.do}))
    title, done = f"The secret of {name}", action.done
    return form_page(
        "endpoints/secret.html",
        request,
        client,
        title=title,
        name=name,
        secret=made["secret"],
        done=done,
    )
