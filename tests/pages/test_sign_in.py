"""Sign-in: a token becomes a cookie, appears nowhere else, and redirects to no other site."""

import logging

import httpx2
import pytest

from schema.services import Access, Services
from tests.auth.test_cookie import FORM, OWN, cookie
from tests.support.api import Api
from tests.support.cases import each_case
from tests.support.tokens import token
from tracker.auth.scopes import Scope
from tracker.postgres.database import Target

SECRET = "a-token-of-the-test"
CLOSED = Access(token=SECRET, read_open=False)
PAGE = "/alliances?valid=2025-07-02&member=US"
HTML = {"Accept": "text/html,application/xhtml+xml"}


async def sign_in(
    api: Api, headers: dict[str, str] | None = None, **fields: str
) -> httpx2.Response:
    """Return a browser's response to the form."""
    return await api.request("POST", "/sign-in", data=fields, headers={**OWN, **(headers or {})})


async def test_a_reader_without_rights_signs_in_and_returns_to_the_page(services: Services) -> None:
    api = Api(services, CLOSED)
    sent = await api.request("GET", PAGE, headers=HTML)
    assert (sent.status_code, sent.headers["cache-control"]) == (303, "no-store")
    form = await api.request("GET", sent.headers["location"])
    assert form.status_code == 200
    assert 'value="/alliances?valid=2025-07-02&amp;member=US"' in form.text
    entered = await sign_in(api, token=SECRET, next=PAGE)
    assert (entered.status_code, entered.headers["location"]) == (303, PAGE)
    given = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
    assert (await api.request("GET", PAGE, headers=given)).status_code == 200
    assert "Signed in as token" in (await api.request("GET", "/sign-in", headers=given)).text


async def test_the_cookie_is_for_no_script_no_other_site_and_no_other_path(
    services: Services,
) -> None:
    entered = await sign_in(Api(services, CLOSED), token=f"  {SECRET}\n")
    flags = entered.headers["set-cookie"].split("; ")[1:]
    assert set(flags) == {"HttpOnly", "Path=/", "SameSite=lax"}
    assert entered.headers["location"] == "/"


async def test_programs_are_reported_by_a_status_and_not_sent_to_a_form(services: Services) -> None:
    api = Api(services, CLOSED)
    for path, headers in (
        ("/alliances.json", {}),
        ("/alliances.csv", {}),
        ("/alliances", {"Authorization": "Bearer wrong"}),
        ("/graphql?query={head}", {}),
    ):
        found = await api.request("GET", path, headers=headers)
        assert (found.status_code, found.headers["www-authenticate"]) == (401, "Bearer"), path


@each_case(
    "following",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y", "/sign-out", ""],
)
async def test_signing_in_leads_to_no_other_site(services: Services, following: str) -> None:
    api = Api(services, CLOSED)
    entered = await sign_in(api, token=SECRET, next=following)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert "x" not in entered.headers
    form = await api.request("GET", "/sign-in", params={"next": following})
    assert "evil.example" not in form.text


@pytest.mark.parametrize("wrong", ["wrong", "x" * 5000, "", "é\r\nSet-Cookie: a=b", "<script>"])
async def test_a_token_that_does_not_work_is_said_to_and_is_shown_nowhere(
    services: Services, wrong: str
) -> None:
    refused = await sign_in(Api(services, CLOSED), token=wrong, next=PAGE)
    assert refused.status_code in (400, 401)
    assert "set-cookie" not in refused.headers
    assert "Not signed in" in refused.text
    assert 'value="/alliances?' in refused.text
    assert refused.headers["cache-control"] == "no-store"
    if wrong:
        assert wrong[:8] not in refused.text.replace("<script type", "")


async def test_no_token_stands_in_an_address_a_page_or_the_log(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api = Api(services, CLOSED)
    entered = await sign_in(api, token=SECRET, next=PAGE)
    pages = [entered]
    for path in ("/sign-in", PAGE, "/docs", "/sign-in?next=/docs"):
        pages.append(await api.request("GET", path, headers=cookie(SECRET)))
    for page in pages:
        assert SECRET not in page.text
        assert SECRET not in str(page.headers.get("location"))
    assert SECRET not in caplog.text


async def test_a_token_in_an_address_is_refused(services: Services) -> None:
    refused = await Api(services, CLOSED).request("GET", "/sign-in?token=x")
    assert refused.status_code == 400


async def test_another_site_can_neither_sign_somebody_in_nor_out(services: Services) -> None:
    api = Api(services, CLOSED)
    for path in ("/sign-in", "/sign-out"):
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {**OWN, "Sec-Fetch-Site": "cross-site"},
            {**OWN, "Sec-Fetch-Site": "same-site"},
            {},
        ):
            refused = await api.request(
                "POST", path, data={"token": SECRET}, headers={**headers, **cookie(SECRET)}
            )
            assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)


async def test_signing_out_removes_the_cookie(services: Services) -> None:
    api = Api(services, CLOSED)
    left = await api.request("POST", "/sign-out", headers={**OWN, **FORM, **cookie(SECRET)})
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert 'tracker_token=""' in left.headers["set-cookie"]
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert (await api.request("GET", "/sign-out")).status_code == 405


async def test_a_cookie_that_does_not_work_any_more_is_taken_away_and_that_is_said(
    services: Services,
) -> None:
    api = Api(services, CLOSED)
    sent = await api.request("GET", PAGE, headers=cookie("revoked"))
    assert sent.status_code == 303
    form = await api.request("GET", sent.headers["location"], headers=cookie("revoked"))
    assert "You were signed out" in form.text
    assert "Max-Age=0" in form.headers["set-cookie"]
    assert "You were signed out" not in (await api.request("GET", "/sign-in")).text


async def test_guesses_of_tokens_are_limited_by_the_rate(services: Services) -> None:
    api = Api(services, Access(read_open=False, rate=2))
    statuses = [(await sign_in(api, token=str(n))).status_code for n in range(4)]
    assert statuses[0] == 401
    assert statuses[-1] == 429


async def test_a_page_says_whose_token_it_is_and_what_one_may(
    services: Services, target: Target
) -> None:
    secret = await token(target, Scope.RECORD, name="Ann <b>")
    page = (await Api(services, Access()).request("GET", "/sign-in", headers=cookie(secret))).text
    assert "Signed in as Ann &lt;b&gt;" in page
    assert "read and record" in page


async def test_pages_of_who_signed_in_are_kept_by_no_cache_for_others(services: Services) -> None:
    for access in (CLOSED, Access(token=SECRET)):
        found = await Api(services, access).request("GET", "/alliances", headers=cookie(SECRET))
        assert found.headers["cache-control"].startswith("private")
        assert "Cookie" in found.headers["vary"]


# --- /docs


async def test_documents_are_read_and_searched_by_everyone(services: Services) -> None:
    api = Api(services, CLOSED)
    page = await api.request("GET", "/docs/access")
    assert page.status_code == 200
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in page.headers["content-security-policy"]
    found = await api.request("GET", "/docs?q=TRACKER_READ")
    assert "<mark>TRACKER_READ</mark>" in found.text
    assert '<a href="/docs/settings#settings">' in found.text
    assert "<script>x" not in (await api.request("GET", "/docs?q=<script>x")).text


@each_case(
    ("path", "status"),
    [
        ("/docs/nothing", 404),
        ("/docs/screens/x.png", 404),
        ("/docs/screens/..%5cREADME.md", 404),
        ("/docs?page=2", 400),
        ("/docs/time?q=a", 400),
        ("/docs?q=" + "x" * 201, 413),
    ],
)
async def test_a_document_that_is_none_is_a_page_that_says_so(
    services: Services, path: str, status: int
) -> None:
    found = await Api(services).request("GET", path)
    assert found.status_code == status
    assert found.headers["content-type"].startswith("text/html")
