"""The sign-in cookie: its scope, its cache headers, and protection against other sites."""

from http.cookies import SimpleCookie
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

from deploy.bootstrap import open_connection
from schema.http.authentication import Client
from schema.http.cross_site import (
    MAX_TOKEN_BYTES,
    comes_from_own_page,
    counted_token,
    forget_token,
    own_path,
    read_form,
    set_token_cookie,
    sign_in_address,
)
from schema.services import Access, Services
from tests.auth.test_access import soon
from tests.support.api import Api, control, document
from tests.support.cases import each_case
from tests.support.time_limits import within
from tests.support.tokens import token
from tests.support.web_server import serving
from tracker.auth import tokens
from tracker.auth.scopes import Caller, Scope
from tracker.errors import Forbidden, InvalidInput, TooLarge
from tracker.postgres.database import OWNER, Target

__all__ = ["soon"]

SECRET = 'a-token; with="everything" é\r\nSet-Cookie: x=1'
CLOSED = Access(token=SECRET, read_open=False)
OWN = {"Origin": "http://localhost"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def request(
    method: str = "GET",
    url: str = "http://localhost/",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
) -> Request:
    """Return a request as the server receives it."""
    parts = httpx2.URL(url)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    named = {"host": parts.netloc.decode(), **{k.lower(): v for k, v in (headers or {}).items()}}
    return Request(
        {
            "type": "http",
            "method": method,
            "scheme": parts.scheme,
            "path": parts.path,
            "query_string": parts.query,
            "server": (parts.host, parts.port),
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in named.items()],
        },
        receive,
    )


def cookie(secret: str = SECRET) -> dict[str, str]:
    """Return the header with which a browser sends the cookie of a token."""
    response = Response()
    set_token_cookie(response, request(), secret)
    return {"Cookie": response.headers["set-cookie"].partition(";")[0]}


@each_case(
    ("url", "name", "flags"),
    [
        ("http://localhost/", "tracker_token", {"HttpOnly", "Path=/", "SameSite=lax"}),
        (
            "https://tracker.example/",
            "__Host-tracker_token",
            {"HttpOnly", "Path=/", "SameSite=lax", "Secure"},
        ),
    ],
)
def test_no_script_and_no_other_site_gets_the_cookie(url: str, name: str, flags: set[str]) -> None:
    response = Response()
    set_token_cookie(response, request(url=url), SECRET)
    [header] = response.headers.getlist("set-cookie")
    pair, *attributes = header.split("; ")
    assert pair.startswith(f"{name}=")
    assert set(attributes) == flags  # no Domain, no Max-Age


@each_case("secret", [SECRET, "tracker_x", "a.b-c_d", "é" * 1000, "\x00\n;,"])
def test_every_token_comes_back_as_it_was_and_can_end_no_header(secret: str) -> None:
    response = Response()
    set_token_cookie(response, request(), secret)
    [header] = response.headers.getlist("set-cookie")
    assert header.isascii()
    assert header.isprintable()
    assert len(SimpleCookie(header)) == 1
    assert counted_token(request(headers=cookie(secret))) == secret


def test_a_token_that_browsers_would_not_keep_is_refused() -> None:
    response = Response()
    set_token_cookie(response, request(url="https://a.example/"), "x" * MAX_TOKEN_BYTES)
    assert len(response.headers["set-cookie"].partition(";")[0]) <= 4096
    with pytest.raises(InvalidInput) as refused:
        set_token_cookie(response, request(), "x" * (MAX_TOKEN_BYTES + 1))
    assert refused.value.path == ("token",)


def test_the_cookie_is_deleted_by_its_name_and_attributes() -> None:
    response = Response()
    forget_token(response, request(url="https://tracker.example/"))
    header = response.headers["set-cookie"]
    assert header.startswith('__Host-tracker_token=""')
    assert {"Max-Age=0", "Path=/", "Secure", "HttpOnly"} <= set(header.split("; "))


@each_case("value", ["", "%", "====", "a", "_w", "\x7f", "x" * 5000])
def test_a_cookie_that_is_none_of_ours_is_none(value: str) -> None:
    found = counted_token(request(headers={"Cookie": f"tracker_token={value}"}))
    assert found is None or found.isascii()


def test_over_https_a_neighbour_can_not_put_its_own_cookie_in_the_place_of_ours() -> None:
    assert counted_token(request(url="https://a.example/", headers=cookie())) is None


# --- where it counts


@each_case(
    ("method", "headers", "counts"),
    [
        ("GET", {}, True),
        ("HEAD", {"Sec-Fetch-Site": "none"}, True),
        ("GET", {"Sec-Fetch-Site": "same-origin"}, True),
        (
            "GET",
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
            },
            True,
        ),
        (
            "GET",
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "iframe",
            },
            False,
        ),
        ("GET", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, False),
        ("GET", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, False),
        ("GET", {"Authorization": "Bearer other"}, False),
        ("GET", {"Authorization": "Basic eDp5"}, True),
        ("POST", {}, False),
        ("POST", OWN, True),
        ("POST", {"Origin": "https://localhost"}, True),  # a proxy speaks https for us
        ("POST", {"Origin": "http://localhost:81"}, False),
        ("POST", {"Origin": "null"}, False),
        ("POST", {"Origin": "http://evil.example"}, False),
        ("POST", {"Origin": "http://localhost.evil.example"}, False),
        ("POST", {**OWN, "Sec-Fetch-Site": "cross-site"}, False),
        ("POST", {**OWN, "Sec-Fetch-Site": "same-site"}, False),
        ("POST", {"Origin": "null", "Sec-Fetch-Site": "same-origin"}, True),
        ("POST", {"Sec-Fetch-Site": "none"}, False),
        ("DELETE", {}, False),
    ],
)
def test_the_cookie_counts_only_where_no_other_site_can_have_made_the_browser_send_it(
    method: str, headers: dict[str, str], counts: bool
) -> None:
    found = counted_token(request(method, headers={**cookie(), **headers}))
    assert found == (SECRET if counts else None)


def test_a_page_behind_a_proxy_that_speaks_https_is_ours() -> None:
    assert comes_from_own_page({"host": "tracker.example", "origin": "https://tracker.example"})


@each_case(
    ("headers", "body", "refused"),
    [
        ({**OWN, **FORM}, b"a=1&a=&b=%C3%A9", None),
        (FORM, b"a=1", Forbidden),
        ({**FORM, "Origin": "http://evil.example"}, b"a=1", Forbidden),
        ({**FORM, "Sec-Fetch-Site": "cross-site", **cookie()}, b"a=1", Forbidden),
        ({**OWN, "Content-Type": "text/plain"}, b"a=1", InvalidInput),
        ({**OWN, **FORM}, b"a=%ff", InvalidInput),
        ({**OWN, **FORM}, "a=é".encode(), InvalidInput),
        ({**OWN, **FORM}, b"a=1&" * 1001, InvalidInput),
        ({**OWN, **FORM}, b"x" * (64 * 1024 + 1), TooLarge),
        ({**FORM, "Authorization": "Bearer x"}, b"a=1", None),
        ({**FORM, "Authorization": "Basic eDp5"}, b"a=1", Forbidden),
        ({**FORM, "Authorization": "Negotiate eDp5"}, b"a=1", Forbidden),
        ({**FORM, "Authorization": "Bearer "}, b"a=1", Forbidden),
        ({**FORM, **OWN, "Authorization": "Basic eDp5"}, b"a=1", None),
    ],
)
async def test_a_form_is_taken_from_our_own_pages_only(
    headers: dict[str, str], body: bytes, refused: type[Exception] | None
) -> None:
    posted = request("POST", headers=headers, body=body)
    if refused:
        with pytest.raises(refused):
            await read_form(posted)
    else:
        assert (await read_form(posted))[0] == ("a", "1")


# --- where to go on


@each_case(
    "text",
    [
        "/",
        "/controls/cn-2024-46?valid=2025-11-20&position=9670",
        "/search?q=%E7%A8%80%E5%9C%9F+a",
        "/tables/controls.csv?group=alliance:quad",
    ],
)
def test_signing_in_leads_back_to_a_path_of_ours(text: str) -> None:
    assert own_path(text) == text


@each_case(
    "text",
    [
        "",
        "controls",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1",
        "/a b",
        "/é",
        "/a#b",
        "/sign-in?next=/",
        "/sign-out",
        "/" + "x" * 2000,
    ],
)
def test_it_leads_nowhere_else(text: str) -> None:
    assert own_path(text) == "/"


@each_case(
    ("url", "address"),
    [
        (
            "http://localhost/controls?status=IN_FORCE&q=a%26b",
            "/sign-in?next=/controls%3Fstatus%3DIN_FORCE%26q%3Da%2526b",
        ),
        ("http://localhost//evil.example", "/sign-in?next=/"),
    ],
)
def test_signing_in_returns_to_the_requested_page(url: str, address: str) -> None:
    assert sign_in_address(request(url=url)) == address


# --- the API with it


async def asked(api: Api, path: str, headers: dict[str, str]) -> httpx2.Response:
    """Return the response to a browser."""
    return await api.request("GET", path, headers=headers)


@pytest.mark.parametrize(
    "path",
    [
        "/graphql?query={head}",
        "/tables/controls.csv",
        "/tables",
        "/openapi.json",
        "/asyncapi.json",
        "/schemas",
        "/schema.graphql",
        "/annexes",
        "/metrics",
    ],
)
async def test_a_signed_in_reader_reads_everything_and_no_cache_stores_it_for_others(
    services: Services, path: str
) -> None:
    api = Api(services, CLOSED)
    found = await asked(api, path, cookie())
    assert found.status_code == 200
    assert "public" not in found.headers.get("cache-control", "")
    refused = await asked(api, path, cookie("another"))
    assert refused.status_code == 401
    for response in (found, refused):
        assert {"authorization", "cookie"} <= {
            name.strip().lower() for name in response.headers["vary"].split(",")
        }


async def test_where_everyone_may_read_only_answers_to_a_cookie_are_private(
    services: Services,
) -> None:
    api = Api(services, Access(token=SECRET))
    plain = await asked(api, "/graphql?query={head}", {})
    theirs = await asked(api, "/graphql?query={head}", cookie())
    assert plain.headers["cache-control"].startswith("public")
    assert "cookie" not in plain.headers["vary"].lower()
    assert theirs.headers["cache-control"].startswith("private")
    assert "Cookie" in theirs.headers["vary"]


async def test_a_cookie_whose_token_does_not_work_any_more_is_as_none(services: Services) -> None:
    api = Api(services, Access())
    assert (await asked(api, "/graphql?query={head}", cookie("revoked"))).status_code == 200


async def mutate(api: Api, headers: dict[str, str]) -> str:
    """Record a control, and return the response."""
    body = {"query": document("announceExportControl"), "variables": {"input": control()}}
    answer = (await api.request("POST", "/graphql", json=body, headers=headers)).json()
    if "errors" in answer:
        return str(answer["errors"][0]["extensions"]["code"])
    return str(answer["data"]["announceExportControl"]["event"]["actor"])


async def test_another_site_can_record_nothing_with_the_cookie_and_our_page_can(
    services: Services,
) -> None:
    api = Api(services, Access(token=SECRET))
    for headers in ({}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert await mutate(api, {**cookie(), **headers}) == "UNAUTHENTICATED"
    assert await services.recorder.head() == 0
    assert await mutate(api, {**cookie(), **OWN}) == "token"


async def test_no_link_records_anything_with_the_cookie(services: Services) -> None:
    api = Api(services, CLOSED)
    found = await asked(api, "/graphql?query=mutation{retractEvent(input:{}){position}}", cookie())
    assert found.status_code >= 400
    assert await services.recorder.head() == 0


@pytest.mark.usefixtures("soon")
async def test_a_stream_ends_with_the_token_of_its_cookie(
    services: Services, target: Target
) -> None:
    headers = {**cookie(await token(target, Scope.READ)), "Accept": "text/event-stream"}
    async with (
        serving(services, CLOSED) as (address, *_),
        httpx2.AsyncClient(headers=headers, timeout=within(60)) as client,
        client.stream("GET", f"http://{address}/events") as found,
        open_connection(target, role=OWNER) as connection,
    ):
        assert found.status_code == 200
        await tokens.revoke(connection, 1)
        async for _ in found.aiter_raw():
            pass


async def test_attempts_with_cookies_are_limited_by_address(services: Services) -> None:
    api = Api(services, Access(read_open=False, rate=1))
    statuses = [
        (await asked(api, "/graphql?query={head}", cookie(f"{n}"))).status_code for n in range(3)
    ]
    assert statuses == [401, 401, 429]


def test_log_lines_of_a_client_have_no_token() -> None:
    assert SECRET not in repr(Client(Caller("a"), "token a", f"Bearer {SECRET}"))


async def test_without_a_cookie_too_no_other_site_sends_a_form() -> None:
    with pytest.raises(Forbidden) as refused:
        await read_form(request("POST", headers=FORM, body=b"a=1"))
    assert refused.value.code == "UNKNOWN_ORIGIN"
