"""Protection of forms and cookies against requests that pages of other sites make a browser send (CSRF).

Browsers name the site that made a request (Sec-Fetch-Site, RFC draft «Fetch Metadata»), but not over
plain http to another machine. There the Origin header does, except for GET and HEAD.
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
"""The largest form of a page, unless the page says otherwise."""
MAX_FORM_FIELDS = 1000
MAX_PATH_CHARACTERS = 2000
PATH = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")
"""A path and a query. A second slash at the begin, or a backslash or a tab, which browsers take for
a slash and for nothing, would make the next word the name of another site."""
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
OPENING = ("document", "")
"""What a page that one opens says of itself (Sec-Fetch-Dest), and a browser that says nothing."""


def comes_from_own_page(headers: Mapping[str, str]) -> bool:
    """Whether a page of ours made the browser send this; never where nothing says it."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return is_same_origin(headers.get("origin", ""), headers.get("host"))


def may_read_with_cookie(headers: Mapping[str, str]) -> bool:
    """Whether a GET or HEAD may be answered for the holder of a cookie: our own pages ask, or
    somebody opens the address, also by a link in a letter or on another site. What another page
    loads for itself (a frame, a script, a picture) is none of these."""
    if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return True
    return (
        headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "") in OPENING
    )


def require_own_page(request: Request) -> None:
    """Refuse a form that no page of ours sent. Raises Forbidden.

    This holds with and without a cookie: a server where everyone may write has no other guard. With
    a Bearer token it need not hold, since no page of another site can send one. Browsers send other
    Authorization headers (Basic, Negotiate) by themselves, once a proxy has asked for them.
    """
    has_token = parse_bearer(request.headers.get("authorization", ""))
    if not has_token and not comes_from_own_page(request.headers):
        raise Forbidden(
            "this form was not sent by a page of this server: open the page here and send it again",
            code="UNKNOWN_ORIGIN",
        )


async def read_form(request: Request, max_bytes: int = MAX_FORM_BYTES) -> list[tuple[str, str]]:
    """The fields of a form of ours, in their order, as UTF-8.

    Raises Forbidden as `require_own_page`, InvalidInput for what is no such form, TooLarge, and
    ClientDisconnect.
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
    """A path of this server with its query, to go on to; `/` for whatever is none, or leads back to
    signing in."""
    if len(text) > MAX_PATH_CHARACTERS or not PATH.fullmatch(text):
        return "/"
    return "/" if text.partition("?")[0] in (SIGN_IN, SIGN_OUT) else text


def sign_in_address(request: Request) -> str:
    """Where to sign in, and come back to what was asked for."""
    query = request.url.query
    asked = own_path(request.url.path + (f"?{query}" if query else ""))
    return f"{SIGN_IN}?{urlencode({'next': asked}, safe='/')}"
