"""Protection against pages of other sites: host names, origins (CORS), forms and the cookie with the token.

A page of another site can make its own name resolve to this server's address (DNS rebinding). The browser
then takes this server for that site and gives its page the responses. The Host header contains the other
name.

Browsers name the site behind a request (Sec-Fetch-Site, RFC draft «Fetch Metadata»), but not over plain
http to another machine. There the Origin header is used, which GET and HEAD do not have.

The cookie contains the token itself, so the server stores no session. The cookie works after a restart and
at every server of one database, and ends with its token. An encrypted form would need a key that all
servers share, and a stolen cookie would be as useful. Scripts cannot read the cookie (HttpOnly). Browsers
do not send it with requests of other sites, except when they open a page (SameSite=Lax, not Strict, so that
links in letters work). Over https, a neighbour under the same domain cannot replace it (`__Host-`).
"""

import base64
import binascii
import ipaddress
import logging
import re
from collections.abc import Collection, Mapping
from typing import Literal, TypedDict
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.http.websocket_origin import is_same_origin, normalize_origin

from projections.lru_cache import lru_cache_short_keys
from schema.base.errors import plain_error
from schema.http.messages import (
    MAX_CACHED_CHARACTERS,
    MAX_CACHED_HEADERS,
    header,
    json_response,
    read_body,
)
from tracker.auth.scopes import parse_bearer
from tracker.errors import Forbidden, InvalidInput

REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "Mcp-Method",
    "Mcp-Name",
    "Mcp-Protocol-Version",
    "Prefer",
    "X-Request-ID",
    "traceparent",
    "tracestate",
)
"""Request headers that pages of other origins may send, besides those that browsers always allow."""
EXPOSED_HEADERS = ("ETag", "Link", "Preference-Applied", "Retry-After", "X-Request-ID")
"""Response headers that pages of other origins may read, besides those that browsers always allow."""
BY_TOKEN = ("Authorization", "Cookie")
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
COOKIE_NAME = "tracker_token"
SECURE_COOKIE_NAME = "__Host-tracker_token"
MAX_TOKEN_BYTES = 2900
"""Maximum length of a token in bytes. Browsers store cookies of up to 4,096 bytes, and base64 adds a
third."""
READING = ("GET", "HEAD")

logger = logging.getLogger(__name__)


class TrustedHosts:
    """Middleware that refuses requests, WebSockets included, with other host names.

    A server with names does not repeat an address in links: anybody can send any address.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]):
        self._app = app
        self._hosts = frozenset(hosts)

        def names_us(host: str) -> bool:
            return is_own_origin(host_name(host), hosts)

        self._names_us = lru_cache_short_keys(names_us, MAX_CACHED_HEADERS, MAX_CACHED_CHARACTERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests with a name of this server."""
        if scope["type"] in ("http", "websocket"):
            host = header(scope["headers"], b"host")
            if sum(name == b"host" for name, _ in scope["headers"]) > 1:
                error = plain_error("BAD_REQUEST", "expected one Host header")
                await JSONResponse(error, 400)(scope, receive, send)
                return
            if not self._names_us(host):
                name = host_name(host)
                message = f"{name!r} is not a name of this server: expected one of TRACKER_HOSTS"
                await JSONResponse(plain_error("UNKNOWN_HOST", message[:300]), 421)(
                    scope, receive, send
                )
                return
            name = host_name(host)
            if name not in self._hosts | {"localhost"} and "*" not in self._hosts and self._hosts:
                headers = [pair for pair in scope["headers"] if pair[0] != b"host"]
                own = (b"host", min(self._hosts).encode())
                scope = {**scope, "headers": [*headers, own]}
        await self._app(scope, receive, send)


def host_name(header: str) -> str:
    """Return the name or address in a Host header, without its port; empty if it is invalid."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_own_origin(name: str, hosts: Collection[str]) -> bool:
    """Return whether a name belongs to this server. Addresses always do, because they cannot be
    redirected."""
    if name == "localhost" or name in hosts or "*" in hosts:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Cors(CORSMiddleware):
    """Starlette's rules for the pages of some origins. Refusals name the setting that lists these.
    WebSockets are restricted to them too, because browsers do not check these."""

    def __init__(self, app: ASGIApp, origins: Collection[str]):
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=REQUEST_HEADERS,
            expose_headers=EXPOSED_HEADERS,
        )
        self._log_refusal_once = lru_cache_short_keys(log_refusal, max_entries=256, max_length=300)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on requests, with CORS headers in the responses."""
        if scope["type"] == "websocket":
            await self._open_socket(WebSocket(scope, receive, send))
        elif self.allow_origins or scope.get("method") == "OPTIONS":
            await super().__call__(scope, receive, send)
        else:  # no page of another origin may read it, so the response needs no Vary
            await self.app(scope, receive, send)

    async def _open_socket(self, socket: WebSocket) -> None:
        """Pass a WebSocket on, or refuse it."""
        origin = socket.headers.get("origin")
        if (
            origin is None
            or is_same_origin(origin, socket.headers.get("host"))
            or socket.headers.get("sec-fetch-site") == "same-origin"
            or self.is_allowed_origin(normalize_origin(origin) or "")
        ):
            await self.app(socket.scope, socket.receive, socket.send)
        else:
            await socket.send_denial_response(self._refused(origin))

    def _refused(self, origin: str) -> Response:
        self._log_refusal_once(origin)
        return json_response(
            plain_error("UNKNOWN_ORIGIN", refusal_message(origin)), 403, Vary="Origin"
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the response to a preflight request."""
        origin = request_headers["origin"]
        if self.is_allowed_origin(origin):
            return super().preflight_response(request_headers)
        return self._refused(origin)


def refusal_message(origin: str) -> str:
    """Return the refusal of an origin that may not use the API."""
    return (
        f"pages of {origin[:200]!r} may not use this API: expected one of TRACKER_ORIGINS, the"
        " setting of the server that lists them"
    )


def log_refusal(origin: str) -> None:
    """Log the refusal for the operator, who may have omitted the origin."""
    logger.warning("refused: %s", refusal_message(origin))


class VaryByToken:
    """Middleware that marks responses to requests with a cookie or a token as dependent on it. Browsers
    must not show cached ones after sign-out."""

    def __init__(self, app: ASGIApp, read_open: bool):
        self._app = app
        self._read_open = read_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request, and mark its response."""
        if scope["type"] != "http" or (
            self._read_open and token_in_cookie(HTTPConnection(scope)) is None
        ):
            await self._app(scope, receive, send)
            return

        async def marking(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in BY_TOKEN:
                    if name.lower() not in headers.get("vary", "").lower():
                        headers.add_vary_header(name)
            await send(message)

        await self._app(scope, receive, marking)


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


class CookieAttributes(TypedDict):
    """The attributes for setting and deleting the cookie."""

    key: str
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax", "strict", "none"]


def cookie_attributes(connection: HTTPConnection) -> CookieAttributes:
    """Return the attributes of the cookie. It ends with the browser's session: no Max-Age."""
    secure = connection.url.scheme == "https"
    return {
        "key": SECURE_COOKIE_NAME if secure else COOKIE_NAME,
        "path": "/",
        "secure": secure,
        "httponly": True,
        "samesite": "lax",
    }


def set_token_cookie(response: Response, connection: HTTPConnection, token: str) -> None:
    """Store a token in the browser. Raises InvalidInput if it is too long for a cookie."""
    written = token.encode()
    if len(written) > MAX_TOKEN_BYTES:
        raise InvalidInput(
            f"expected a token of at most {MAX_TOKEN_BYTES} bytes: browsers store no longer ones",
            path=("token",),
        )
    value = base64.urlsafe_b64encode(written).decode().rstrip("=")
    response.set_cookie(value=value, **cookie_attributes(connection))


def forget_token(response: Response, connection: HTTPConnection) -> None:
    """Delete the token in the browser."""
    response.delete_cookie(**cookie_attributes(connection))


def token_in_cookie(connection: HTTPConnection) -> str | None:
    """Return the token in the cookie of a request, whether or not it counts.

    Most requests come from programs without cookies, so the names of the headers are checked first.
    """
    if not header(connection.scope["headers"], b"cookie"):
        return None
    value = connection.cookies.get(cookie_attributes(connection)["key"], "")
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode() or None
    except (binascii.Error, ValueError):
        return None


def counted_token(connection: HTTPConnection) -> str | None:
    """Return the token of a cookie that counts as an Authorization header.

    It counts without a Bearer token, and if another site cannot have caused the request.
    """
    token = token_in_cookie(connection)
    if token is None or parse_bearer(connection.headers.get("authorization", "")) is not None:
        return None
    reading = connection.scope.get("method") in READING
    trusted = may_read_with_cookie if reading else comes_from_own_page
    return token if trusted(connection.headers) else None
