"""The cookie in which a browser keeps the token of whoever signed in.

It holds the token itself, so nothing has to be remembered here: it works after a restart and at every
server of one database, and ends with its token. A sealed form would need a key that all servers share,
and whoever stole the cookie could do the same with it. No script reads it (HttpOnly), no other site
makes a browser send it except by opening a page (SameSite=Lax, not Strict: links in letters should
work), and over https no neighbour under our domain can put one of its own in its place (`__Host-`).
"""

from __future__ import annotations

import base64
import binascii
from typing import Literal, TypedDict

from starlette.requests import HTTPConnection
from starlette.responses import Response

from schema.http.own_pages import comes_from_own_page, may_read_with_cookie
from schema.http.request import header
from tracker.auth.scopes import parse_bearer
from tracker.errors import InvalidInput

NAME = "tracker_token"
SECURE_NAME = "__Host-tracker_token"
MAX_TOKEN_BYTES = 2900
"""Browsers keep cookies of at most 4,096 bytes; written in base64 a token is a third longer."""
READING = ("GET", "HEAD")


class Attributes(TypedDict):
    """What a cookie is set with, and deleted by."""

    key: str
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax", "strict", "none"]


def attributes(connection: HTTPConnection) -> Attributes:
    """The attributes of the cookie. It ends with the browser's session: no Max-Age."""
    secure = connection.url.scheme == "https"
    return {
        "key": SECURE_NAME if secure else NAME,
        "path": "/",
        "secure": secure,
        "httponly": True,
        "samesite": "lax",
    }


def keep_token(response: Response, connection: HTTPConnection, token: str) -> None:
    """Make the browser keep a token. Raises InvalidInput for one that is too long for a cookie."""
    written = token.encode()
    if len(written) > MAX_TOKEN_BYTES:
        raise InvalidInput(
            f"expected a token of at most {MAX_TOKEN_BYTES} bytes: browsers keep no longer ones",
            path=("token",),
        )
    value = base64.urlsafe_b64encode(written).decode().rstrip("=")
    response.set_cookie(value=value, **attributes(connection))


def forget_token(response: Response, connection: HTTPConnection) -> None:
    """Make the browser forget it."""
    response.delete_cookie(**attributes(connection))


def kept_token(connection: HTTPConnection) -> str | None:
    """The token in the cookie of a request, whether or not it counts there. Most requests are of
    programs and have no cookies: these are told by a look at the names of the headers."""
    if not header(connection.scope["headers"], b"cookie"):
        return None
    value = connection.cookies.get(attributes(connection)["key"], "")
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode() or None
    except (binascii.Error, ValueError):
        return None


def counted_token(connection: HTTPConnection) -> str | None:
    """The token in the cookie of a request that stands for an Authorization header: there is no
    Bearer token in that, and another site can't have made the browser send it."""
    token = kept_token(connection)
    if token is None or parse_bearer(connection.headers.get("authorization", "")) is not None:
        return None
    reading = connection.scope.get("method") in READING
    trusted = may_read_with_cookie if reading else comes_from_own_page
    return token if trusted(connection.headers) else None
