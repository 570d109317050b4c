"""Routes of `/alerts`: request, confirm, see and delete subscriptions to pages by e-mail.

GET changes nothing, because mail scanners open links; buttons send forms. A form with the token of a mail may
come from anywhere: mail programs unsubscribe by one click (RFC 8058).
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from schema.execution.response_cache import ResponseCache
from schema.http.authentication import AccessControl, Client
from schema.http.cross_site import read_form
from schema.http.limits import client_network
from schema.http.messages import read_body
from schema.pages.alerts.digests import Digests
from schema.pages.alerts.targets import INVALID_TARGET, Target, parse_target
from schema.pages.alerts.texts import Point, confirmation_letter, links_letter
from schema.pages.forms.responses import form_page
from schema.pages.site.address import href
from schema.pages.site.html import see_other, session
from schema.pages.site.page_queries import PageQueries, data_of
from schema.pages.site.page_request import PageRequest
from schema.pages.site.plain import PlainPages, query_parameters
from schema.services import Services
from tracker import clock
from tracker.alerts import subscription
from tracker.alerts.store import Alerts
from tracker.auth.scopes import Scope
from tracker.errors import InvalidInput, NotFound, ReadOnly, below


class TargetCheck:
    """Executes the queries of a target for the reader that requests it, within their limits."""

    def __init__(self, services: Services, access_control: AccessControl, answers: ResponseCache):
        self._services = services
        self._queries = PageQueries(access_control, answers)
        self._digests = Digests(services)

    async def require_answer(self, request: Request, client: Client, target: Target) -> None:
        """Refuse a target whose page or digest has no answer now.

        Raises InvalidInput at `target` with the error of the page, and Unavailable.
        """
        page = PageRequest(request, client, target.page, target.address, session(client))
        try:
            with below("target"):
                data = data_of(await self._queries.answer(page))
                async with self._queries.query_slot(page):
                    await asyncio.to_thread(target.page.view, data, target.address)
                    now = Point(clock.today(), await self._services.recorder.head())
                    await self._digests.digest(target, now, now)
        except NotFound as error:
            raise InvalidInput(error.message, code=INVALID_TARGET, path=error.path) from None


ALERTS = "/alerts"
MAX_FORM_BYTES = 16 * 1024
FIELDS = ("target", "address", "frequency", "timeZone")
NOTICES = {
    "confirmation": "If the address is correct, you get a mail. Open its link to confirm the subscription.",
    "links": "If this address has subscriptions, it gets a mail with a link to them.",
}
"""Notices after a form; they do not reveal whether an address has subscriptions."""
NONE_DELETED = "No subscription was deleted: it is not in the list of this address."


class AlertRoute:
    """Handler of requests about subscriptions."""

    def __init__(self, services: Services, access_control: AccessControl, answers: ResponseCache):
        self._services = services.writing
        self._check = TargetCheck(services.writing, access_control, answers)

    def routes(self, pages: PlainPages) -> Sequence[Route]:
        """Return the routes."""
        both = ("GET", "POST")
        return [
            pages.route(ALERTS, self.request, both),
            pages.route(f"{ALERTS}/links", self.mail_links, ("POST",)),
            pages.route(f"{ALERTS}/confirm", self.confirm, both),
            pages.route(f"{ALERTS}/unsubscribe", self.unsubscribe, both),
            pages.route(f"{ALERTS}/manage", self.manage, both),
        ]

    def _alerts(self, request: Request, client: Client) -> Alerts:
        """Return the subscriptions. Raises NotFound on a server without mail, and ReadOnly."""
        if self._services.alerts is None:
            raise NotFound("this server sends no mail: follow a page by its feeds instead")
        if client.read_only and request.method == "POST":
            raise ReadOnly(client.read_only)
        return self._services.alerts

    async def request(self, request: Request, client: Client) -> Response:
        """Return the forms, or request a subscription. Raises Unauthenticated, RateLimited, NotFound."""
        client.caller.require(Scope.READ)
        alerts = self._alerts(request, client)
        if request.method != "POST":  # GET or HEAD
            parameters = query_parameters(request, ("target", "sent"))
            notice = NOTICES.get(parameters.get("sent", ""))
            return self._form(request, client, parameters, notice=notice)
        pairs = await read_form(request, MAX_FORM_BYTES)
        values = dict(pairs)
        try:
            _require_single(pairs)
            sites = {
                each.lower().rstrip("/") for each in (alerts.options.site, str(request.base_url))
            }
            target = parse_target(values.get("target", ""), sites)
            choice = subscription.Choice(
                str(target),
                subscription.parse_frequency(values.get("frequency", "")),
                subscription.parse_time_zone(values.get("timeZone", "")),
            )
            address = subscription.parse_address(values.get("address", ""))
            admitted = await alerts.admit(
                address, _network(request)
            )  # before the check, which costs
            await self._check.require_answer(request, client, target)
            if admitted:
                letter = partial(confirmation_letter, alerts.options.site, target, choice)
                await alerts.subscribe(address, choice, letter)
        except InvalidInput as error:
            return self._form(request, client, values, error)
        return see_other(href(ALERTS, {"sent": "confirmation"}))

    async def mail_links(self, request: Request, client: Client) -> Response:
        """Mail the link to the subscriptions of an address. Raises NotFound."""
        alerts = self._alerts(request, client)
        pairs = await read_form(request, MAX_FORM_BYTES)
        try:
            _require_single(pairs)
            address = subscription.parse_address(dict(pairs).get("address", ""))
        except InvalidInput as error:
            return self._form(request, client, {}, error)
        letter = partial(links_letter, alerts.options.site)
        await alerts.mail_links(address, letter)
        return see_other(href(ALERTS, {"sent": "links"}))

    def _form(
        self,
        request: Request,
        client: Client,
        values: Mapping[str, str],
        refused: InvalidInput | None = None,
        notice: str | None = None,
    ) -> Response:
        return form_page(
            "alerts/alerts.html",
            request,
            client,
            title="E-mail alerts",
            values={name: values.get(name, "") for name in FIELDS},
            frequencies=list(subscription.Frequency),
            error=refused,
            wrong=str(refused.path[0]) if refused and refused.path else None,
            notice=notice,
            refused=refused is not None,
        )

    async def confirm(self, request: Request, client: Client) -> Response:
        """Ask for the confirmation, or confirm. Raises InvalidInput for a wrong link, NotFound."""
        alerts, token = self._alerts(request, client), _token(request)
        if request.method != "POST":  # GET or HEAD
            confirmation = await alerts.confirmation(token)
            choice = confirmation.choice
            if not confirmation.done:
                text = "Confirm the subscription to this page:"
                return self._action(request, client, "Confirm alerts", text, choice, "Confirm")
        else:
            await _read_foreign_form(request)
            choice = await alerts.confirm(token, await self._services.recorder.head())
        text = "The subscription is confirmed. Each mail has a link that ends it."
        return self._action(request, client, "Alerts confirmed", text, choice)

    async def unsubscribe(self, request: Request, client: Client) -> Response:
        """Ask, or end a subscription. Raises InvalidInput for a wrong link, NotFound."""
        alerts, token = self._alerts(request, client), _token(request)
        if request.method == "POST":
            await _read_foreign_form(request)
            await alerts.unsubscribe(token)
        choice = await alerts.subscribed(token)
        if choice is None:
            text = "The subscription has ended. Its address is deleted."
            return self._action(request, client, "Unsubscribed", text)
        text = "End the subscription to this page:"
        return self._action(request, client, "Unsubscribe", text, choice, "Unsubscribe")

    async def manage(self, request: Request, client: Client) -> Response:
        """Return the subscriptions of an address, or delete some. Raises InvalidInput, NotFound."""
        alerts, token = self._alerts(request, client), _token(request)
        done = None
        if request.method == "POST":
            pairs = await _read_foreign_form(request)
            _require_single(pairs)
            count = await alerts.remove_own(token, _id(dict(pairs).get("id", "")))
            done = f"Deleted subscriptions: {count}." if count else NONE_DELETED
        return form_page(
            "alerts/manage.html",
            request,
            client,
            title="Your alerts",
            own=await alerts.own(token),
            action=href(f"{ALERTS}/manage", {"token": token}),
            done=done,
        )

    def _action(
        self,
        request: Request,
        client: Client,
        title: str,
        text: str,
        choice: subscription.Choice | None = None,
        button: str | None = None,
    ) -> Response:
        """Return a page with a text, a subscription and the button of an action."""
        action = f"{request.url.path}?{request.url.query}"
        values: dict[str, Any] = {"text": text, "choice": choice, "button": button}
        return form_page(
            "alerts/action.html", request, client, title=title, action=action, **values
        )


def _network(request: Request) -> str:
    return client_network(request.client and request.client.host)


def _token(request: Request) -> str:
    """Return the token of a link. Raises InvalidInput."""
    return query_parameters(request, ("token",)).get("token", "")


async def _read_foreign_form(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form that may come from another site: the token in its address counts."""
    body = await read_body(request, MAX_FORM_BYTES)
    return parse_qsl(body.decode("ascii", "replace"))


def _require_single(pairs: Sequence[tuple[str, str]]) -> None:
    """Refuse a form with a repeated field. Raises InvalidInput."""
    counts = Counter(name for name, _ in pairs)
    for name, count in counts.items():
        if count > 1:
            raise InvalidInput("expected once", code="BAD_REQUEST", path=(name[:50],))


def _id(text: str) -> UUID | None:
    """Return the id of one subscription; None selects all. Raises InvalidInput."""
    if text == "all":
        return None
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("expected the id of a subscription, or all", path=("id",)) from None
