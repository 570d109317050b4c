"""HTML responses: the parts of every page, security headers, and errors as pages."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from schema.execution.url_parameters import MOMENT
from schema.http.authentication import Client
from schema.http.messages import STATUS, advice, error_response
from schema.http.response_format import wants_page
from schema.pages.site.address import Address, path_of
from schema.pages.site.citation import PRODUCT
from schema.pages.site.frame import NAVIGATION, Session
from schema.pages.site.name_fields import parameter_label
from schema.pages.site.templates import environment
from tracker.auth.scopes import Scope
from tracker.domain.wording.phrases import with_capital
from tracker.errors import InvalidInput, NotFound, ReadOnly, TrackerError

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
GUARDS = {
    "Content-Security-Policy": CONTENT_POLICY,
    # Not `no-referrer`: browsers would then send `Origin: null` with the site's own forms.
    "Referrer-Policy": "same-origin",
}
HTML = "text/html; charset=utf-8"
TITLES = {
    400: "We could not read this address",
    401: "Sign in",
    403: "You do not have permission",
    404: "Page not found",
    405: "This page does not accept that request",
    413: "Request too large",
    429: "Too many requests",
}
OTHER_TITLES = {ReadOnly.code: "This server is read-only"}
UNKNOWN_TITLE = "This page cannot be shown now"
FORM_REFUSED = 422
"""Status of a page whose form was refused."""


def session(client: Client) -> Session:
    """Return the data of the reader for a page."""
    scopes = client.caller.scopes
    return Session(
        bool(client.authorization),
        Scope.RECORD in scopes and not client.read_only,
        Scope.ENDPOINT in scopes,
        bool(client.read_only),
        Scope.REVIEW in scopes,
        client.alerts,
        client.mirror,
    )


def around(address: Address, section: str | None, session: Session) -> dict[str, Any]:
    """Return the data of the base template for every page."""
    return {
        "address": address,
        "link": address.link,
        "navigation": NAVIGATION,
        "product": PRODUCT,
        "section": section,
        "session": session,
    }


def html_response(
    template: str,
    shown: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a page of a template. No cache stores it unless `headers` allow it."""
    html = environment().get_template(template).render(shown)
    return Response(html, status, {"Cache-Control": "no-store", **GUARDS, **(headers or {})}, HTML)


def see_other(path: str) -> Response:
    """Return a redirect after a form, so that reloading the page sends nothing again."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


def problem_response(
    error: TrackerError,
    address: Address,
    *,
    section: str | None = None,
    session: Session | None = None,
    query_url: str | None = None,
) -> Response:
    """Return an error as a page, with the query in GraphiQL if there is one."""
    status = STATUS.get(error.code, 400)
    where = parameter_of(error, address)
    typed = {**address.parameters, **address.moment}.get(where, "")
    message, corrected = error.message, ""
    if isinstance(error, InvalidInput) and where and repr(where) not in message:
        message = f"{parameter_label(where)}: {message}"
    if value := typed and corrected_value(typed, where, error):
        parts = [value if part == typed else part for part in map(unquote, address.path.split("/"))]
        in_path = where in address.path_names
        corrected = (
            address.link(path_of(*parts[1:])) if in_path else address.narrowed(**{where: value})
        )
    shown = {
        **around(address, section, session or Session()),
        "title": TITLES.get(status) or OTHER_TITLES.get(error.code, UNKNOWN_TITLE),
        "code": error.code,
        "message": with_capital(message),
        "advice": None,
        "suggestion": error.suggestion,
        "corrected": corrected,
        "searched": typed if where in address.path_names else "",
        "lists": [one for _, pages in NAVIGATION for one in pages if one[0] == section],
        "query_url": query_url,
    }
    return html_response("site/problem.html", shown, status=status, headers=advice(error))


def parameter_of(error: TrackerError, address: Address) -> str:
    """Return the parameter that an error is about: of the address by its path or its value, else its path."""
    typed = {**address.parameters, **address.moment}
    names = {variable: name for name, variable in MOMENT.items()}
    path = [names.get(str(one), str(one)) for one in error.path or ()]
    by_value = (name for name, value in typed.items() if repr(value[:50]) in error.message)
    return next((one for one in path if one in typed), None) or next(by_value, ".".join(path))


def corrected_value(typed: str, field: str, error: TrackerError) -> str:
    """Return a parameter with the suggestion of an error, also for one item of a list; empty without one."""
    after = error.path[[*error.path].index(field) + 1 :] if field in error.path else ()
    match [*after]:
        case []:
            return error.suggestion
        case [int(index)] if error.suggestion:
            items = typed.split(",")
            return ",".join([*items[:index], error.suggestion, *items[index + 1 :]])
        case _:
            return ""


async def not_found(request: Request, error: Exception) -> Response:
    """Return the response for an unknown address: a page for browsers, an error with a code for
    programs."""
    if wants_page(request.method, request.headers.get("accept", "")):
        return problem_response(NotFound("no page has this address"), Address("/"))
    return error_response(NotFound("there is nothing at this address"))


async def method_not_allowed(request: Request, error: Exception) -> Response:
    """Return the response for a method that is not allowed, with the allowed ones (RFC 9110, 15.5.6)."""
    headers = error.headers if isinstance(error, HTTPException) else None
    allow = (headers or {}).get("Allow", "")
    problem = InvalidInput(
        f"expected the method {allow.replace(', ', ' or ')}", code="METHOD_NOT_ALLOWED"
    )
    if wants_page(request.method, request.headers.get("accept", "")):
        response = problem_response(problem, Address("/"))
    else:
        response = error_response(problem)
    response.headers["Allow"] = allow
    return response
