"""Requests and responses of pages with forms."""

from collections.abc import Collection
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from schema.http.authentication import Client
from schema.http.cross_site import read_form
from schema.pages.forms.form import Form
from schema.pages.forms.state import Pair
from schema.pages.site.address import Address
from schema.pages.site.html import FORM_REFUSED, around, html_response, session
from tracker.auth.scopes import Scope
from tracker.errors import ReadOnly

MAX_FACT_BYTES = 512 * 1024


def require(scope: Scope, request: Request, client: Client) -> None:
    """Require a scope and, for a form that is sent, a server that writes. Raises Unauthenticated,
    Forbidden and ReadOnly."""
    if client.read_only and request.method == "POST":
        raise ReadOnly(client.read_only)
    client.caller.require(scope)


async def read_fact_form(
    request: Request, controls: Collection[str]
) -> tuple[list[Pair], dict[str, str]]:
    """Return the fields of a fact, and the fields of a form that are not of the fact."""
    pairs = await read_form(request, MAX_FACT_BYTES)
    fact = [pair for pair in pairs if pair[0] not in controls]
    return fact, {name: value for name, value in pairs if name in controls}


def form_page(
    template: str,
    request: Request,
    client: Client,
    section: str | None = None,
    *,
    form: Form | None = None,
    refused: bool = False,
    **values: Any,
) -> Response:
    """Return a page; with status 422 if its form was refused."""
    values = {**around(Address(request.url.path), section, session(client)), "form": form, **values}
    refused = refused or bool(form and form.refused)
    return html_response(template, values, status=FORM_REFUSED if refused else 200)
