"""Protection of forms and cookies against cross-site requests (CSRF).

Browsers name the site behind a request (Sec-Fetch-Site, RFC draft «Fetch Metadata»), but not over plain
http to another machine. There the Origin header is used, which GET and HEAD do not have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from strawberry.http.websocket_origin import is_same_origin

from schema.http.messages import read_body
from tracker.auth.scopes import parse_bearer
from tracker.errors import Forbidden, InvalidInput

FORM = "application/x-www-form-urlencoded"
MAX_FORM_BYTES = 64 * 1024
"""Maximum size of a form of a page, unless the page has its own limit."""
MAX_FORM_FIELDS = 1000
MAX_PATH_CHARACTERS = 2000
PATH = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
"""Pattern of a path and a query. A second slash at the start, a backslash (read as a slash) or a tab
(ignored) would make browsers read the next word as the name of another site."""
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
OPENING = ("document", "")
"""Values of Sec-Fetch-Dest for an opened page, and without the header."""


def comes_from_own_page(headers: Mapping[str, str]) -> bool:
    """Return whether a page of this server caused the request; False if no header states it."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return is_same_origin(headers.get("origin", ""), headers.get("host"))


def may_read_with_cookie(headers: Mapping[str, str]) -> bool:
    """Return whether a GET or HEAD may use the cookie.

    It may if a page of this server sends it, or if a person opens the address, for example by a link.
    Resources that another page loads (a frame, a script, a picture) may not.
    """
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    return (
        headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "") in OPENING
    )


def require_own_page(request: Request) -> None:
    """Refuse a form that no page of this server sent. Raises Forbidden.

    This applies with and without a cookie: a server with open writing has no other protection. It is not
    needed with a Bearer token, which other sites cannot send. Browsers send other Authorization headers
    (Basic, Negotiate) automatically after a challenge of a proxy.
    """
    has_token = parse_bearer(request.headers.get("authorization", ""))
    if not has_token and not comes_from_own_page(request.headers):
        raise Forbidden(
            "this form was not sent by a page of this server: open the page here and send it again",
            code="UNKNOWN_ORIGIN",
        )


async def read_form(request: Request, max_bytes: int = MAX_FORM_BYTES) -> list[tuple[str, str]]:
    """Return the fields of a form in their order, as UTF-8.

    Raises Forbidden as `require_own_page`, InvalidInput for invalid forms, TooLarge, and ClientDisconnect.
    """
    require_own_page(request)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise InvalidInput(f"expected Content-Type {FORM}", code="UNSUPPORTED_MEDIA_TYPE")
    body = await read_body(request, max_bytes)
    try:
        return parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FORM_FIELDS,
        )
    except ValueError:
        raise InvalidInput(
            f"expected at most {MAX_FORM_FIELDS} fields in UTF-8", code="BAD_REQUEST"
        ) from None


def own_path(text: str) -> str:
    """Return a path of this server with its query; `/` for any other text, and for the sign-in page."""
    if len(text) > MAX_PATH_CHARACTERS or not PATH.fullmatch(text):
        return "/"
    return "/" if text.partition("?")[0] in (SIGN_IN, SIGN_OUT) else text


def sign_in_address(request: Request) -> str:
    """Return the address of the sign-in page, with the way back to the request."""
    query = request.url.query
    requested = own_path(request.url.path + (f"?{query}" if query else ""))
    return f"{SIGN_IN}?{urlencode({'next': requested}, safe='/')}"
