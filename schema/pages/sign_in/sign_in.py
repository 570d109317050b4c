"""`/sign-in`: a form for a token, which the browser then stores in a cookie; `/sign-out` deletes it."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.http import cross_site
from schema.http.authentication import AccessControl, Client
from schema.http.messages import STATUS, advice
from schema.pages.site.address import Address
from schema.pages.site.html import around, html_response, see_other, session
from schema.pages.site.plain import PlainPages, query_parameters
from tracker.errors import InvalidInput, RateLimited, TrackerError

TEMPLATE = "sign_in/sign_in.html"
MAX_FORM_BYTES = 16 * 1024


class SignIn:
    """Handler of sign-in and sign-out."""

    def __init__(self, access_control: AccessControl):
        self._access_control = access_control

    def routes(self, pages: PlainPages) -> Sequence[Route]:
        """Return the routes."""
        return [
            pages.route(cross_site.SIGN_IN, self.respond, ("GET", "POST")),
            pages.route(cross_site.SIGN_OUT, self.leave, ("POST",)),
        ]

    async def respond(self, request: Request, client: Client) -> Response:
        """Return the form, or sign in. Raises Forbidden for a form that another site sent."""
        if request.method == "POST":
            return await self._enter(request, client)
        parameters = query_parameters(request, ("next",))
        ended = cross_site.token_in_cookie(request) is not None and not client.authorization
        response = self._page(client, cross_site.own_path(parameters.get("next", "/")), ended=ended)
        if ended:
            cross_site.forget_token(response, request)
        return response

    async def _enter(self, request: Request, client: Client) -> Response:
        form = dict(await cross_site.read_form(request, MAX_FORM_BYTES))
        following, token = cross_site.own_path(form.get("next", "/")), form.get("token", "").strip()
        try:
            if not token:
                raise InvalidInput("enter a token", path=("token",))
            response = see_other(following)
            cross_site.set_token_cookie(response, request, token)
            address = request.client and request.client.host
            await self._access_control.authenticate(f"Bearer {token}", address)
            return response
        except RateLimited:
            raise
        except TrackerError as error:
            return self._page(client, following, error)

    async def leave(self, request: Request, client: Client) -> Response:
        """Delete the token. Raises Forbidden for a form that another site sent."""
        await cross_site.read_form(request, MAX_FORM_BYTES)
        response = see_other(cross_site.SIGN_IN)
        cross_site.forget_token(response, request)
        return response

    def _page(
        self,
        client: Client,
        following: str,
        refused: TrackerError | None = None,
        *,
        ended: bool = False,
    ) -> Response:
        status = STATUS.get(refused.code, 400) if refused else 200
        shown = {
            **around(Address(cross_site.SIGN_IN), None, session(client)),
            "title": "Sign in",
            "name": client.caller.name if client.authorization else None,
            "scopes": sorted(scope.value for scope in client.caller.scopes),
            "following": following,
            "refused": refused.message if refused else None,
            "ended": ended,
            "open": self._access_control.access.open,
            "read_open": self._access_control.access.read_open,
        }
        headers = advice(refused) if refused else {}
        return html_response(TEMPLATE, shown, status=status, headers=headers)
