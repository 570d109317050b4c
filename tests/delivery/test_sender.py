"""Receivers' good and bad responses: each is reported within the timeout, and never raised."""

import asyncio
import base64
import gzip
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tests.support.cases import each_case
from tests.support.receivers import Answering, answer, certificate, drip, raw, receiving
from tests.support.time_limits import within
from tracker import clock
from tracker.delivery.message import Message
from tracker.delivery.sender import MAX_BODY_BYTES, Answer, Handshake, Sender
from tracker.delivery.signatures import Algorithm, generate_key
from tracker.web.networks import Networks

HERE = Networks.parse(["127.0.0.0/8", "::1/128"])
ORIGIN = "tracker.example.com"
KEYS = [generate_key(Algorithm.ED25519), generate_key(Algorithm.HMAC)]
MESSAGE = Message("e1", "application/cloudevents+json", b'{"position":"7"}', 7, 7)
TIMEOUT_SECONDS = 0.3
MOST_SECONDS = within(2)
"""Upper limit for a missing timeout, generous because other work runs here."""


def sender(**options: Any) -> Sender:
    """Create a sender that may reach this machine, with shorter timeouts."""
    return Sender(HERE, ORIGIN, **{"timeout_seconds": TIMEOUT_SECONDS, **options})


@pytest.fixture
async def patient() -> AsyncIterator[Sender]:
    """Create a sender with the real timeouts."""
    async with Sender(HERE, ORIGIN) as sender:
        yield sender


async def sent_to(answering: Answering, **options: Any) -> Answer:
    """Return the result of sending to a receiver with a script."""
    async with receiving(answering) as receiver, sender(**options) as sending:
        return await sending.send(receiver.url, MESSAGE, KEYS)


async def test_a_delivery_is_a_post_of_the_message_that_its_keys_verify(patient: Sender) -> None:
    async with receiving(answer("200 OK", body=b"thanks")) as receiver:
        result = await patient.send(receiver.url, MESSAGE, KEYS)
    assert (result.status, result.error, result.excerpt) == (200, None, "thanks")
    assert result.delivered
    [request] = receiver.requests
    assert request.line == "POST /hook?key=secret HTTP/1.1"
    assert request.body == MESSAGE.body
    headers = request.headers
    assert headers["content-type"] == MESSAGE.media_type
    assert headers["webhook-id"] == MESSAGE.id
    assert headers["webhook-request-origin"] == ORIGIN
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < within(5)
    ed25519, hmac = KEYS
    assert hmac.secret_text
    assert Webhook(hmac.secret_text).verify(request.body, headers) == {"position": "7"}
    assert ed25519.public_text
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(ed25519.public_text[5:]))
    signature = headers["webhook-signature"].split(" ")[0].removeprefix("v1a,")
    public.verify(
        base64.b64decode(signature),
        b"e1.%s." % headers["webhook-timestamp"].encode() + MESSAGE.body,
    )


async def test_a_url_is_asked_for_as_it_was_given(patient: Sender) -> None:
    async with receiving(answer("204 No Content")) as receiver:
        url = f"http://127.0.0.1:{receiver.port}/a%7Eb/%2f?q=%2B+%41&&x"
        assert (await patient.send(url, MESSAGE, KEYS)).delivered
    assert receiver.requests[0].line == "POST /a%7Eb/%2f?q=%2B+%41&&x HTTP/1.1"


async def test_one_connection_carries_many_deliveries_and_no_cookie(patient: Sender) -> None:
    async with receiving(answer("200 OK", "set-cookie: a=b", body=b"x")) as receiver:
        for _ in range(3):
            assert (await patient.send(receiver.url, MESSAGE, KEYS)).delivered
    assert receiver.connections == 1
    assert not any("cookie" in request.headers for request in receiver.requests)


async def test_a_connection_that_was_closed_meanwhile_is_not_a_failure(patient: Sender) -> None:
    async def once(writer: asyncio.StreamWriter) -> None:
        """Respond to the first request of a connection, and disconnect at the second."""
        if len(receiver.requests) != 2:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        else:
            writer.close()

    async with receiving(once) as receiver:
        assert (await patient.send(receiver.url, MESSAGE, KEYS)).delivered
        assert (await patient.send(receiver.url, MESSAGE, KEYS)).delivered
    assert receiver.connections == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("301 Moved Permanently", "answered 301: redirects are not followed"),
        ("302 Found", "answered 302: redirects are not followed"),
        ("307 Temporary Redirect", "answered 307: redirects are not followed"),
        ("308 Permanent Redirect", "answered 308: redirects are not followed"),
        ("400 Bad Request", "answered 400"),
        ("500 Internal Server Error", "answered 500"),
    ],
)
async def test_a_status_other_than_2xx_is_not_a_delivery_and_a_redirect_is_not_followed(
    patient: Sender, status: str, error: str
) -> None:
    async with receiving(answer("200 OK")) as elsewhere:
        moved = answer(status, f"location: {elsewhere.url}", body="Gerät\0".encode())
        async with receiving(moved) as receiver:
            result = await patient.send(receiver.url, MESSAGE, KEYS)
    assert (result.delivered, result.error) == (False, error)
    assert result.excerpt == "Gerät�"
    assert (len(receiver.requests), len(elsewhere.requests)) == (1, 0)


async def test_a_receiver_that_was_retired_says_so() -> None:
    result = await sent_to(answer("410 Gone"), timeout_seconds=10)
    assert (result.retired, result.delivered) == (True, False)


IN_AN_HOUR = "in an hour"


@each_case(
    ("status", "header", "seconds"),
    [
        ("429 Too Many Requests", "120", 120),
        ("503 Service Unavailable", "0", 0),
        ("503 Service Unavailable", IN_AN_HOUR, 3600),
        ("503 Service Unavailable", "Thu, 01 Jan 2015 00:00:00 GMT", 0),
        ("429 Too Many Requests", "9" * 18, 24 * 3600),
        ("429 Too Many Requests", "Fri, 31 Dec 9999 23:59:59 GMT", 24 * 3600),
        ("429 Too Many Requests", "-5", None),
        ("429 Too Many Requests", "soon", None),
        ("429 Too Many Requests", "1e999", None),
        ("429 Too Many Requests", "٣", None),
        ("500 Internal Server Error", "120", None),
        ("200 OK", "120", None),
    ],
)
async def test_retry_after_is_obeyed_in_both_its_forms_for_a_day_at_most(
    status: str, header: str, seconds: int | None
) -> None:
    if header == IN_AN_HOUR:
        header = format_datetime(clock.now() + timedelta(hours=1), usegmt=True)
    result = await sent_to(answer(status, f"retry-after: {header}"), timeout_seconds=10)
    assert str(result.status) == status[:3]
    assert result.retry_after_seconds == (
        None if seconds is None else pytest.approx(seconds, abs=60 if seconds == 3600 else 0)
    )


async def hang(_: asyncio.StreamWriter) -> None:
    """Never respond."""
    await asyncio.sleep(60)


ENDLESS = {
    "hanging": hang,
    "slow first line": drip(b"HTTP/1.1 200", b" "),
    "slow headers": drip(b"HTTP/1.1 200 OK\r\n", b"x"),
    "interim responses": drip(b"", b"HTTP/1.1 102 Processing\r\n\r\n", pause_seconds=0.1),
}


async def test_a_server_that_never_ends_its_handshake_is_given_up_in_time() -> None:
    async with receiving(hang) as receiver, sender() as sending:
        result = await sending.send(receiver.url.replace("http", "https"), MESSAGE, KEYS)
    assert result.error == "no answer within 0.3 seconds"
    assert result.duration_seconds < MOST_SECONDS


async def test_nothing_is_sent_by_way_of_a_proxy(
    patient: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        receiving(answer("500 Proxy")) as proxy,
        receiving(answer("204 No Content")) as receiver,
    ):
        for variable in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        assert (await patient.send(receiver.url, MESSAGE, KEYS)).delivered
    assert not proxy.requests


@each_case("answering", ENDLESS.values(), ids=ENDLESS)
async def test_a_receiver_that_does_not_answer_is_given_up_in_time(answering: Answering) -> None:
    started = time.monotonic()
    result = await sent_to(answering)
    assert time.monotonic() - started < MOST_SECONDS
    assert (result.status, result.delivered) == (None, False)
    assert result.error == "no answer within 0.3 seconds"
    assert TIMEOUT_SECONDS * 0.9 < result.duration_seconds < MOST_SECONDS


async def test_a_slow_or_endless_body_changes_nothing_about_what_was_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    with monkeypatch.context() as patch:
        patch.setattr("tracker.delivery.sender.BODY_SECONDS", TIMEOUT_SECONDS)
        slow = await sent_to(drip(head, b"1\r\nx\r\n"), timeout_seconds=10)
    assert (slow.status, slow.error) == (200, None)
    assert set(slow.excerpt) <= {"x"}
    huge = await sent_to(drip(head, b"10000\r\n" + b"y" * 65536 + b"\r\n", 0), timeout_seconds=10)
    assert (huge.status, huge.excerpt) == (200, "y" * MAX_BODY_BYTES)
    assert max(slow.duration_seconds, huge.duration_seconds) < MOST_SECONDS


async def test_a_connection_with_the_rest_of_an_answer_on_it_carries_nothing_else(
    patient: Sender,
) -> None:
    async with receiving(answer("200 OK", body=b"z" * 5_000_000)) as receiver:
        for _ in range(2):
            assert (await patient.send(receiver.url, MESSAGE, KEYS)).delivered
    assert receiver.connections == 2


async def test_of_an_answer_that_is_compressed_nothing_is_unpacked() -> None:
    bomb = gzip.compress(b"y" * 1_000_000)
    result = await sent_to(
        answer("500 No", "content-encoding: gzip", body=bomb), timeout_seconds=10
    )
    assert result.status == 500
    assert "yy" not in result.excerpt


async def test_receivers_that_hang_hold_up_no_other(patient: Sender) -> None:
    async with (
        asyncio.timeout(within(10)),
        receiving(hang) as hanging,
        receiving(answer("204 No Content")) as receiver,
    ):
        waiting = [
            asyncio.create_task(patient.send(hanging.url, MESSAGE, KEYS)) for _ in range(150)
        ]
        while len(hanging.requests) < len(waiting):
            await asyncio.sleep(0.01)
        result = await patient.send(receiver.url, MESSAGE, KEYS)
        for task in waiting:
            task.cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert result.delivered
    assert result.duration_seconds < MOST_SECONDS
    assert all(isinstance(one, asyncio.CancelledError) for one in ended)


BROKEN = {
    "nothing": raw(b"", close=True),
    "half a head": raw(b"HTTP/1.1 200 OK\r\ncontent-", close=True),
    "another protocol": raw(b"SSH-2.0-OpenSSH_9.2\r\n", close=True),
    "TLS": raw(b"\x15\x03\x01\x00\x02\x02\x0a", close=True),
    "another version": raw(b"HTTP/9.9 200 OK\r\n\r\n"),
    "no number": raw(b"HTTP/1.1 OK\r\n\r\n"),
    "a huge header": raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n"),
    "many headers": raw(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000 + b"\r\n"),
    "two lengths": raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx"),
    "a negative length": raw(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"),
}


@each_case("answering", BROKEN.values(), ids=BROKEN)
async def test_a_value_that_is_not_an_answer_in_http_is_not_a_delivery(
    answering: Answering,
) -> None:
    result = await sent_to(answering, timeout_seconds=MOST_SECONDS)
    assert (result.status, result.delivered) == (None, False)
    assert result.error
    assert "secret" not in result.error
    assert result.error.startswith(("not an answer in HTTP", "the connection was closed"))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda rest: b"HTTP/1.1 " + rest),
        st.binary(max_size=200).map(lambda rest: b"HTTP/1.1 200 OK\r\n" + rest + b"\r\n\r\n"),
        st.binary(max_size=200).map(
            lambda rest: b"HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n" + rest
        ),
    )
)
def test_nothing_that_a_receiver_sends_is_raised(sent: bytes) -> None:
    result = asyncio.run(sent_to(raw(sent, close=True), timeout_seconds=MOST_SECONDS))
    assert result.delivered == (result.error is None)
    assert result.error is None or "could not be sent" not in result.error


async def test_a_port_where_nobody_listens_is_reported() -> None:
    async with receiving(answer("200 OK")) as receiver:
        pass
    async with sender(timeout_seconds=10) as sending:
        result = await sending.send(receiver.url, MESSAGE, KEYS)
    assert (result.status, result.delivered) == (None, False)
    assert result.error == "no connection: Connection refused"


async def test_tls_is_that_of_an_authority_that_is_trusted(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path)
    async with receiving(answer("200 OK"), tls=server) as receiver:
        async with sender(tls=trusting, timeout_seconds=10) as sending:
            assert (await sending.send(receiver.url, MESSAGE, KEYS)).delivered
        async with sender(timeout_seconds=10) as sending:
            refused = await sending.send(receiver.url, MESSAGE, KEYS)
            plain = await sending.send(receiver.url.replace("https", "http"), MESSAGE, KEYS)
            name = receiver.url.replace("127.0.0.1", "localhost")
        async with sender(tls=trusting, timeout_seconds=10) as sending:
            other = await sending.send(name, MESSAGE, KEYS)
    assert refused.error == "TLS: self-signed certificate"
    assert not plain.delivered
    assert other.error == "TLS: Hostname mismatch, certificate is not valid for 'localhost'."
    assert len(receiver.requests) == 1


async def test_a_server_without_tls_is_sent_to_by_http_only() -> None:
    bodies = []

    async def take(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"127.0.0.1:{runner.addresses[0][1]}/hook"
    async with sender(timeout_seconds=10) as sending:
        refused = await sending.send(f"https://{url}", MESSAGE, KEYS)
        taken = await sending.send(f"http://{url}", MESSAGE, KEYS)
    await runner.cleanup()
    assert refused.error
    assert refused.error.startswith("TLS: ")
    assert taken.delivered
    assert bodies == [MESSAGE.body]


def names(*answers: Sequence[str]) -> Any:
    """Return a lookup with different addresses each time; the last ones repeat."""
    left = list(answers)

    def lookup(host: str, port: int, *_: Any) -> list[tuple[Any, ...]]:
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return lookup


@each_case("scheme", ["http", "https"])
@each_case("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "name.test"])
async def test_an_address_that_is_not_permitted_is_not_connected_to(scheme: str, host: str) -> None:
    async with receiving(answer("200 OK")) as receiver:
        lookup = names(["127.0.0.1"]) if host == "name.test" else socket.getaddrinfo
        async with Sender(Networks(), ORIGIN, lookup=lookup) as sending:
            result = await sending.send(f"{scheme}://{host}:{receiver.port}/", MESSAGE, KEYS)
    assert result.error
    assert result.error.startswith("deliveries may not go to ")
    assert receiver.connections == 0


@pytest.mark.skipif(sys.platform == "darwin", reason="127.0.0.2 is not an address of this machine")
async def test_a_name_whose_addresses_change_leads_nowhere_else() -> None:
    lookup = names(["127.0.0.2"], ["127.0.0.1", "10.0.0.1"])
    named = Networks.parse(["127.0.0.2/32"])
    async with receiving(answer("204 No Content", "connection: close"), host="0.0.0.0") as receiver:
        url = f"http://name.test:{receiver.port}/"
        async with Sender(named, ORIGIN, lookup=lookup, name_cache_seconds=0) as sending:
            first = await sending.send(url, MESSAGE, KEYS)
            again = await sending.send(url, MESSAGE, KEYS)
    assert first.delivered
    assert again.error == "deliveries may not go to 127.0.0.1, 10.0.0.1"
    assert receiver.connections == 1


@pytest.mark.skipif(sys.platform == "darwin", reason="127.0.0.2 is not an address of this machine")
async def test_of_the_addresses_of_a_name_only_those_permitted_are_used() -> None:
    lookup = names(["127.0.0.1", "127.0.0.3", "127.0.0.2"])
    named = Networks.parse(["127.0.0.2/32"])
    async with (
        receiving(answer("200 OK"), host="127.0.0.2") as receiver,
        Sender(named, ORIGIN, lookup=lookup) as sending,
    ):
        result = await sending.send(f"http://name.test:{receiver.port}/", MESSAGE, KEYS)
    assert result.delivered


async def test_http_leads_to_named_networks_only() -> None:
    async with Sender(HERE, ORIGIN, lookup=names(["93.184.215.14"])) as sending:
        result = await sending.send("http://name.test/", MESSAGE, KEYS)
    assert result.error == "deliveries may not go to 93.184.215.14"


async def test_a_name_that_no_name_server_can_be_asked_for_is_reported_without_a_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with sender(timeout_seconds=MOST_SECONDS) as sending:
        result = await sending.send(f"https://{'a' * 64}.test/", MESSAGE, KEYS)
    assert result.error == "not an address that can be sent to"
    assert not caplog.records


async def test_a_name_without_an_address_is_reported_and_a_slow_name_server_given_up() -> None:
    def unknown(*_: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def slow(*_: Any) -> Any:
        time.sleep(TIMEOUT_SECONDS * 2)
        return []

    results = []
    for lookup, seconds in ((unknown, 10), (slow, TIMEOUT_SECONDS)):
        async with sender(lookup=lookup, timeout_seconds=seconds) as sending:
            results.append(await sending.send("https://name.test/", MESSAGE, KEYS))
    assert [result.error for result in results] == [
        "the name has no address: Name or service not known",
        "no answer within 0.3 seconds",
    ]


@each_case(
    ("answering", "expected"),
    [
        (
            answer("200 OK", f"WebHook-Allowed-Origin: {ORIGIN}", "WebHook-Allowed-Rate: 120"),
            Handshake(supported=True, allowed=True, requests_per_minute=120),
        ),
        (
            answer("200 OK", "webhook-allowed-origin: *", "webhook-allowed-rate: *"),
            Handshake(supported=True, allowed=True, requests_per_minute=None),
        ),
        (
            answer("200 OK", "webhook-allowed-origin: other.example.com"),
            Handshake(supported=True, allowed=False, requests_per_minute=None),
        ),
        (
            answer("200 OK", "webhook-allowed-origin: *", "webhook-allowed-rate: 0"),
            Handshake(supported=True, allowed=True, requests_per_minute=None),
        ),
        *(
            (answer(status, "allow: GET, POST"), Handshake(False, False, None))
            for status in ("200 OK", "204 No Content", "404 No", "405 No", "501 Not Implemented")
        ),
    ],
)
async def test_a_receiver_is_asked_whether_it_wants_deliveries(
    answering: Answering, expected: Handshake
) -> None:
    async with receiving(answering) as receiver, sender(timeout_seconds=10) as sending:
        assert await sending.handshake(receiver.url) == expected
    [request] = receiver.requests
    assert request.line == "OPTIONS /hook?key=secret HTTP/1.1"
    assert request.headers["webhook-request-origin"] == ORIGIN
    assert request.body == b""


@each_case("status", ["500 Error", "503 Unavailable", "429 Too Many", "410 Gone"])
async def test_a_receiver_that_can_not_be_asked_now_is_asked_again(status: str) -> None:
    async with receiving(answer(status)) as receiver, sender(timeout_seconds=10) as sending:
        result = await sending.handshake(receiver.url)
    assert isinstance(result, Answer)
    assert str(result.status) == status[:3]
    async with sender() as sending:
        assert isinstance(await sending.handshake(receiver.url), Answer)
