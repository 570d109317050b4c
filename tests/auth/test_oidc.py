"""Tokens of an OpenID Connect issuer: their owner, their rights, and refusals."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
import websockets
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from deploy.config.access import access
from schema.services import Access, Services
from tests.support.api import Api, control, document
from tests.support.cases import each_case
from tests.support.oidc_issuer import AUDIENCE, PRIVATE, Issuer, issuing, published
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import connected as socket_to
from tests.support.websocket_client import receive, subscribe
from tracker import clock
from tracker.auth import jwks, tokens
from tracker.auth import oidc_issuer as checking
from tracker.auth.jwks import (
    MAX_KEY_AGE_SECONDS,
    REFETCH_PAUSE_SECONDS,
    REFRESH_AFTER_SECONDS,
    IssuerKeys,
)
from tracker.auth.oidc_issuer import LEEWAY_SECONDS, OidcConfig
from tracker.auth.oidc_issuer import OidcIssuer as Trusted
from tracker.auth.scopes import Scope, expand_scopes
from tracker.errors import InvalidInput, Unauthenticated, Unavailable


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Run an issuer."""
    with issuing() as issuer:
        yield issuer


class Clock:
    """A clock that moves only by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def trusting(issuer: Issuer, clock: Clock | None = None, **more: Any) -> Trusted:
    """Return a verifier that trusts the issuer."""
    return Trusted(
        OidcConfig(issuer.url, AUDIENCE, **more), IssuerKeys(issuer.url, clock=clock or Clock())
    )


def api(services: Services, issuer: Issuer, **more: Any) -> Api:
    """Run an API that trusts the issuer, without anonymous access."""
    return Api(
        services, Access(oidc=OidcConfig(issuer.url, AUDIENCE), **{"read_open": False, **more})
    )


async def asked(api: Api, token: str) -> tuple[int, str | None]:
    """Return the status and the code for the holder of a token."""
    response = await api.request(
        "POST", "/graphql", json={"query": "{ head }"}, headers={"Authorization": f"Bearer {token}"}
    )
    errors = response.json().get("errors")
    return response.status_code, errors and errors[0]["extensions"]["code"]


@pytest.mark.parametrize("kid", ["rs256", "es256", "eddsa"])
async def test_a_token_stands_for_who_the_issuer_says(issuer: Issuer, kid: str) -> None:
    caller = await trusting(issuer).authenticate(issuer.token(kid))
    assert caller.name == f"{issuer.url}#ann"
    assert caller.scopes == {Scope.READ}
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_a_key_signs_with_every_algorithm_of_its_kind_unless_it_says_which(
    issuer: Issuer,
) -> None:
    issuer.signing["rs256"] = ("PS384", PRIVATE["RS256"])
    assert (await trusting(issuer).authenticate(issuer.token("rs256"))).name
    issuer.keys = [published("RS256", PRIVATE["RS256"], kid="rs256", alg="RS256")]
    with pytest.raises(Unauthenticated, match="algorithm"):
        await trusting(issuer).authenticate(issuer.token("rs256"))


@pytest.mark.parametrize(
    ("claim", "said", "expected"),
    [
        ("scope", "tracker:read tracker:record other", {Scope.READ, Scope.RECORD}),
        ("scp", ["tracker:record", "tracker:audit", 7], {Scope.READ, Scope.RECORD}),
        ("scope", "tracker:endpoint", {Scope.READ, Scope.ENDPOINT}),
        ("scope", "admin record endpoint", set()),
        ("scope", 7, set()),
        ("scope", None, set()),
        ("scope", "tracker:admin", set(Scope)),
    ],
)
async def test_scopes_are_the_words_of_a_claim(
    issuer: Issuer, claim: str, said: Any, expected: set[Scope]
) -> None:
    token = issuer.token(**{"scope": None, claim: said})
    assert (await trusting(issuer, scope=claim).authenticate(token)).scopes == expected


async def test_scopes_may_stand_deep_and_have_other_names(issuer: Issuer) -> None:
    meaning = {"editor": Scope.RECORD}
    for claim, said in (
        ("realm_access.roles", {"realm_access": {"roles": ["editor", "guest"]}}),
        ("https://example.org/roles", {"https://example.org/roles": {"editor": {"1": "a"}}}),
    ):
        trusted = trusting(issuer, scope=claim, scopes=meaning)
        assert (await trusted.authenticate(issuer.token(**said))).scopes == expand_scopes(
            [Scope.RECORD]
        )
        assert not (await trusted.authenticate(issuer.token())).scopes


@pytest.mark.parametrize("name", [None, "", "a\nb", "x" * 201, 7, ["ann"]])
async def test_a_caller_has_a_name_that_can_stand_in_the_log(issuer: Issuer, name: Any) -> None:
    trusted = trusting(issuer, actor="email")
    assert (await trusted.authenticate(issuer.token(email="ann@example.org"))).name == (
        f"{issuer.url}#ann@example.org"
    )
    with pytest.raises(Unauthenticated, match="'email'"):
        await trusted.authenticate(issuer.token(email=name))


async def recorded(api: Api, token: str) -> Any:
    """Return the response to a mutation of the holder of a token."""
    response = await api.request(
        "POST",
        "/graphql",
        headers={"Authorization": f"Bearer {token}"},
        json={"query": document("announceExportControl"), "variables": {"input": control()}},
    )
    return response.json()


async def test_events_have_issuer_and_name_as_their_actor(
    services: Services, issuer: Issuer
) -> None:
    answer = await recorded(api(services, issuer), issuer.token(scope="tracker:record"))
    assert "errors" not in answer
    [event] = await services.recorder.read()
    assert event.actor == f"{issuer.url}#ann"


async def test_a_token_for_reading_can_not_write(services: Services, issuer: Issuer) -> None:
    answer = await recorded(api(services, issuer), issuer.token())
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await services.recorder.head() == 0


async def test_a_token_without_a_scope_may_what_everyone_may(
    services: Services, issuer: Issuer
) -> None:
    token = issuer.token(scope=None)
    assert await asked(api(services, issuer), token) == (403, "FORBIDDEN")
    assert await asked(api(services, issuer, read_open=True), token) == (200, None)


async def test_sockets_and_the_feed_of_events_take_it_too(
    services: Services, issuer: Issuer
) -> None:
    access = Access(oidc=OidcConfig(issuer.url, AUDIENCE), read_open=False)
    bearer = f"Bearer {issuer.token()}"
    async with serving(services, access) as (address, _, _):
        async with socket_to(f"ws://{address}/graphql", Authorization=bearer) as socket:
            await subscribe(socket, "{ head }")
            assert (await receive(socket))["payload"] == {"data": {"head": "0"}}
        with pytest.raises(websockets.ConnectionClosedError, match="4403"):
            async with socket_to(
                f"ws://{address}/graphql", Authorization=f"Bearer {issuer.token(aud='other')}"
            ):
                pass
    feed = Api(services, access)
    for token, status in ((issuer.token(), 200), (issuer.token(aud="other"), 401)):
        response = await feed.request(
            "GET", "/events?follow=false", headers={"Authorization": f"Bearer {token}"}
        )
        assert response.status_code == status


async def test_a_socket_ends_when_its_token_does(
    services: Services, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "CACHE_SECONDS", 0.05)
    monkeypatch.setattr(checking, "CACHE_SECONDS", 0)
    monkeypatch.setattr(checking, "LEEWAY_SECONDS", 3600)
    access = Access(oidc=OidcConfig(issuer.url, AUDIENCE), read_open=False)
    ending = issuer.token(exp=int(time.time()) - 5)
    async with serving(services, access) as (address, _, _):
        url = f"ws://{address}/graphql"
        async with socket_to(url, Authorization=f"Bearer {ending}") as socket:
            await subscribe(socket)
            monkeypatch.setattr(checking, "LEEWAY_SECONDS", 0)
            with pytest.raises(websockets.ConnectionClosedError, match="4403"):
                await receive(socket, seconds=30)


async def test_our_own_tokens_work_beside_it(services: Services, issuer: Issuer) -> None:
    both = api(services, issuer, token="a.b.c")
    assert await asked(both, "a.b.c") == (200, None)
    assert await asked(both, "tracker_x.y.z") == (401, "UNAUTHENTICATED")
    assert await asked(both, "opaque") == (401, "UNAUTHENTICATED")
    assert issuer.asked == []


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """Return a token with any header."""
    parts = json.dumps(header).encode(), json.dumps(claims).encode(), signature
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def hostile(issuer: Issuer) -> dict[str, str]:
    """Return forged tokens, by their defect."""
    now, other = int(time.time()), ec.generate_private_key(ec.SECP256R1())
    good, claims = issuer.token(), issuer.claims(scope="tracker:admin")
    header, _, signature = good.split(".")
    public = (
        PRIVATE["RS256"]
        .public_key()
        .public_bytes(  # type: ignore[attr-defined]
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    raised = unsigned({}, claims).split(".")[1]
    signed = unsigned({"alg": "HS256", "kid": "rs256"}, claims).rstrip(".")
    mac = base64.urlsafe_b64encode(hmac.digest(public, signed.encode(), "sha256")).decode()
    own = published("ES256", other)
    return {
        "audience": issuer.token(aud="https://other.example"),
        "no audience": issuer.token(aud=None),
        "issuer": issuer.token(iss="https://other.example"),
        "issuer with a slash": issuer.token(iss=f"{issuer.url}/"),
        "no issuer": issuer.token(iss=None),
        "expired": issuer.token(exp=now - LEEWAY_SECONDS - 5),
        "no end": issuer.token(exp=None),
        "not yet": issuer.token(nbf=now + LEEWAY_SECONDS + 60),
        "issued in the future": issuer.token(iat=now + LEEWAY_SECONDS + 60),
        "end is not a number": issuer.token(exp="soon"),
        "unknown key": jwt.encode(claims, other, "ES256", headers={"kid": "unknown"}),
        "no key id": jwt.encode(claims, PRIVATE["ES256"], "ES256"),  # type: ignore[arg-type]
        "another's signature": jwt.encode(claims, other, "ES256", headers={"kid": "es256"}),
        "key of its own": jwt.encode(claims, other, "ES256", headers={"kid": "es256", "jwk": own}),
        "address of its own": jwt.encode(
            claims, other, "ES256", headers={"kid": "es256", "jku": "http://127.0.0.1:1/keys"}
        ),
        "raised scopes": f"{header}.{raised}.{signature}",
        "cut signature": good[:-10],
        "no signature": f"{header}.{raised}.",
        "none": unsigned({"alg": "none", "typ": "JWT", "kid": "es256"}, claims),
        "None": unsigned({"alg": "None", "kid": "es256"}, claims),
        "public key as a secret": f"{signed}.{mac.rstrip('=')}",
        "another kind of algorithm": unsigned({"alg": "ES256", "kid": "rs256"}, claims, b"x" * 64),
        "algorithm is a list": unsigned({"alg": ["ES256"], "kid": "es256"}, claims, b"x" * 64),
        "zeros (CVE-2022-21449)": unsigned({"alg": "ES256", "kid": "es256"}, claims, bytes(64)),
        "note of a logout": issuer.token(headers={"typ": "logout+jwt"}),
        "extension": issuer.token(headers={"crit": ["b64"], "b64": True}),
        "huge": issuer.token(more="x" * 10_000),
        "deep header": f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.e30.e30",
        "no JSON": "e.e.e",
        "empty": "..",
        "letters": "é.é.é",
    }


KINDS = list(hostile(Issuer("http://127.0.0.1")))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_that_is_not_the_issuers_for_us_now_is_refused(
    issuer: Issuer, kind: str
) -> None:
    trusted = trusting(issuer)
    await trusted.authenticate(issuer.token())
    with pytest.raises(Unauthenticated):
        await trusted.authenticate(hostile(issuer)[kind])


async def test_over_http_they_are_all_401(services: Services, issuer: Issuer) -> None:
    closed = api(services, issuer)
    for kind, token in hostile(issuer).items():
        response = await closed.request(
            "POST",
            "/graphql",
            json={"query": "{ head }"},
            headers={"Authorization": f"Bearer {token}".encode()},
        )
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer"), kind
        assert "Traceback" not in response.text
        assert token not in response.text


async def test_the_cache_of_tokens_is_bounded_and_ends_with_them(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MAX_CACHED_TOKENS", 2)
    trusted, now = trusting(issuer), time.time()
    ending = issuer.token(exp=int(now) + 40)
    for token in (issuer.token(), issuer.token(sub="bob"), ending):
        assert await trusted.authenticate(token) == await trusted.authenticate(token)
    assert len(trusted._cached) == 2
    with monkeypatch.context() as patch:
        patch.setattr("tracker.auth.oidc_issuer.time.time", lambda: now + 40 + LEEWAY_SECONDS + 1)
        patch.setattr("jwt.api_jwt.datetime", Later)
        with pytest.raises(Unauthenticated, match="expired"):
            await trusted.authenticate(ending)


class Later(datetime):
    """The clock of the library, some minutes on."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        """Return a time in the future."""
        return clock.now().astimezone(tz) + timedelta(seconds=40 + LEEWAY_SECONDS + 1)


async def test_clocks_may_differ_a_little(issuer: Issuer) -> None:
    now, trusted = int(time.time()), trusting(issuer)
    for near in (
        {"exp": now - LEEWAY_SECONDS // 2},
        {"nbf": now + LEEWAY_SECONDS // 2},
        {"iat": now + LEEWAY_SECONDS // 2},
    ):
        assert (await trusted.authenticate(issuer.token(**near))).name


async def test_a_token_for_several_is_for_us_too(issuer: Issuer) -> None:
    assert (await trusting(issuer).authenticate(issuer.token(aud=["other", AUDIENCE]))).name


@each_case(
    "key",
    [
        {"kty": "oct", "k": "AAAA", "kid": "bad"},
        {"kty": "EC", "crv": "P-256", "kid": "bad"},
        {"kty": "EC", "crv": ["P-256"], "kid": "bad"},
        {"kty": "EC", "crv": "secp256k1", "kid": "bad"},
        {"kty": "new", "kid": "bad"},
        {"kid": "bad", "key_ops": 5},
        {},
        5,
        {"kid": 7, "kty": "RSA"},
        {"kid": "bad", "kty": "RSA", "n": "!", "e": "AQAB"},
        {"kid": "bad", "kty": "EC", "alg": []},
        published(
            "RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024), kid="bad"
        ),
        published("ES256", PRIVATE["ES256"], kid="bad", use="enc"),
        published("ES256", PRIVATE["ES256"], kid="bad", key_ops=["sign"]),
        published("ES256", PRIVATE["ES256"], kid="bad", alg="HS256"),
    ],
    ids=[
        "secret",
        "no point",
        "curve is a list",
        "other curve",
        "new kind",
        "odd key_ops",
        "empty",
        "number",
        "odd id",
        "no number",
        "odd alg",
        "short",
        "for encryption",
        "for signing",
        "for a secret",
    ],
)
def test_a_key_that_can_not_be_used_leaves_the_others(key: Any) -> None:
    good = published("ES256", PRIVATE["ES256"], kid="good")
    assert jwks.parse_key_set({"keys": [key, good]}).keys() == {"good"}


async def test_a_new_key_is_fetched_when_a_token_names_it(issuer: Issuer) -> None:
    clock = Clock()
    trusted = trusting(issuer, clock)
    await trusted.authenticate(issuer.token("es256"))
    private = ec.generate_private_key(ec.SECP256R1())
    old = issuer.token("es256", sub="bob")
    issuer.signing["new"] = ("ES256", private)
    issuer.keys = [published("ES256", private, kid="new")]
    with pytest.raises(Unauthenticated):  # recently fetched
        await trusted.authenticate(issuer.token("new"))
    clock.now += REFETCH_PAUSE_SECONDS
    assert (await trusted.authenticate(issuer.token("new"))).name
    with pytest.raises(Unauthenticated):
        await trusted.authenticate(old)


async def test_invented_key_ids_do_not_flood_the_issuer(issuer: Issuer) -> None:
    clock = Clock()
    trusted = trusting(issuer, clock)
    for _ in range(3):
        for number in range(20):
            issuer.signing[f"k{number}"] = issuer.signing["es256"]
        outcomes = await asyncio.gather(
            *(trusted.authenticate(issuer.token(f"k{number}")) for number in range(20)),
            return_exceptions=True,
        )
        assert {type(outcome) for outcome in outcomes} == {Unauthenticated}
        clock.now += REFETCH_PAUSE_SECONDS
    assert issuer.asked.count("/keys") == 3


async def test_keys_in_use_are_fetched_anew_beside_requests(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 60)
    clock = Clock()
    trusted = trusting(issuer, clock)
    await trusted.authenticate(issuer.token())
    clock.now += REFRESH_AFTER_SECONDS + 1
    issuer.answers.clear()
    assert (await trusted.authenticate(issuer.token(sub="bob"))).name  # does not wait
    issuer.answers.set()
    async with asyncio.timeout(within(10)):
        while issuer.asked.count("/keys") < 2:
            await asyncio.sleep(0.01)


async def test_an_issuer_that_is_away_is_believed_for_a_while(
    issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    trusted = trusting(issuer, clock)
    await trusted.authenticate(issuer.token())
    issuer.status = 500
    clock.now += MAX_KEY_AGE_SECONDS - 1
    assert (await trusted.authenticate(issuer.token(sub="bob"))).name
    clock.now += 2
    async with asyncio.timeout(within(10)):
        while "can't be fetched: HTTP Error 500" not in caplog.text:
            await asyncio.sleep(0.01)
    with pytest.raises(Unavailable):
        await trusted.authenticate(issuer.token(sub="carol"))
    issuer.status = 200
    clock.now += REFETCH_PAUSE_SECONDS
    assert (await trusted.authenticate(issuer.token(sub="carol"))).name


async def test_where_keys_can_not_be_had_nobody_waits_for_long(
    services: Services, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 0.2)
    issuer.answers.clear()
    closed = api(services, issuer, token="ours")
    waiting = asyncio.gather(*(asked(closed, issuer.token()) for _ in range(5)))
    assert await asked(closed, "ours") == (200, None)  # the others are not delayed
    assert await waiting == [(503, "UNAVAILABLE")] * 5
    assert await asked(closed, issuer.token()) == (503, "UNAVAILABLE")


@pytest.mark.parametrize(
    ("status", "described", "keys_told"),
    [
        (302, {}, None),
        (404, {}, None),
        (200, {"issuer": "https://other.example"}, None),
        (200, {"jwks_uri": "http://keys.example/"}, None),
        (200, {"jwks_uri": None}, None),
        (200, {"jwks_uri": "file:///etc/passwd"}, None),
        (200, {}, {"no": "list"}),
        (200, {}, [{"x": "y" * (1 << 20)}]),
    ],
)
async def test_an_issuer_that_says_something_else_is_not_believed(
    issuer: Issuer, status: int, described: dict[str, Any], keys_told: Any
) -> None:
    issuer.status = status
    issuer.described |= described
    issuer.keys = keys_told if keys_told is not None else issuer.keys
    with pytest.raises(Unavailable):
        await trusting(issuer).authenticate(issuer.token())
    assert "/elsewhere" not in issuer.asked


async def test_the_address_of_the_keys_can_be_given(issuer: Issuer) -> None:
    trusted = Trusted(OidcConfig(issuer.url, AUDIENCE, keys_url=f"{issuer.url}/keys"))
    assert (await trusted.authenticate(issuer.token())).name
    assert issuer.asked == ["/keys"]


# --- settings


def test_settings_say_which_issuer_is_trusted() -> None:
    given = {"TRACKER_OIDC_ISSUER": "https://id.example", "TRACKER_OIDC_AUDIENCE": "us"}
    assert access(given).oidc == OidcConfig("https://id.example", "us")
    given |= {
        "TRACKER_OIDC_KEYS": "https://id.example/k",
        "TRACKER_OIDC_ACTOR": "email",
        "TRACKER_OIDC_SCOPE": "roles",
        "TRACKER_OIDC_SCOPES": "a=b=record, boss=admin",
    }
    assert access(given).oidc == OidcConfig(
        "https://id.example",
        "us",
        "https://id.example/k",
        "email",
        "roles",
        {"a=b": Scope.RECORD, "boss": Scope.ADMIN},
    )


@each_case(
    ("variable", "value"),
    [
        ("TRACKER_OIDC_AUDIENCE", ""),
        ("TRACKER_OIDC_ISSUER", "http://id.example"),
        ("TRACKER_OIDC_ISSUER", "id.example"),
        ("TRACKER_OIDC_KEYS", "ftp://id.example"),
        ("TRACKER_OIDC_SCOPES", "editors"),
        ("TRACKER_OIDC_SCOPES", "editors=write"),
    ],
)
def test_an_issuer_that_can_not_be_trusted_is_refused_at_the_start(
    variable: str, value: str
) -> None:
    given = {"TRACKER_OIDC_ISSUER": "https://id.example", "TRACKER_OIDC_AUDIENCE": "us"}
    with pytest.raises(InvalidInput, match=variable):
        access({**given, variable: value})
