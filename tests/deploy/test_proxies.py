"""nginx, Caddy and Varnish with the files of `deploy/manifests/proxy` in front of a real tracker: they pass
sockets and streams through at once, cache immutable responses, merge requests for new events and hold the
limits, and the tracker knows that it is https."""

import asyncio
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect

from deploy.bootstrap import running_tracker
from deploy.postgres import Postgres
from deploy.web.server import Server
from schema.services import Access
from tests.conftest import copied
from tests.support.checkout import ROOT
from tests.support.ports import free_port
from tests.support.time_limits import within
from tests.support.web_server import serving
from tests.support.websocket_client import PROTOCOL, receive, send
from tracker import clock
from tracker.postgres.database import Target

PROXIES = ROOT / "deploy" / "manifests" / "proxy"
TOKEN = "a-token-of-the-tests"
WRITER = {"Authorization": f"Bearer {TOKEN}"}
MIB = 1024 * 1024
PINNED = '{ asOf(validAt: "2025-11-20", position: "40") { exportControls { totalCount } } }'
RECORD = """mutation { foundAlliance(input: {id: "NAME", on: "2026-01-01", name: "Proxied",
    source: {publisher: "test", name: "Test", publishedOn: "2026-01-01"}}) { position } }"""

NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME. Caddy's certificates last hours of the real clock, which
libfaketime cannot move for Go programs."""


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs."""

    port: int
    plain_port: int
    trust: ssl.SSLContext | None

    @property
    def place(self) -> str:
        """The address without the name of the protocol, but with the letter of TLS."""
        return f"{'s' if self.trust else ''}://localhost:{self.port}"

    @asynccontextmanager
    async def client(self, connections: int = 4) -> AsyncIterator[httpx2.AsyncClient]:
        """Return a client."""
        async with httpx2.AsyncClient(
            base_url=f"http{self.place}",
            verify=self.trust or True,
            timeout=within(30),
            limits=httpx2.Limits(max_connections=connections),
        ) as client:
            yield client


def certificate(directory: Path) -> None:
    """Make a certificate for localhost, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = clock.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (directory / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@contextmanager
def running(arguments: list[str], port: int, **environment: str) -> Iterator[None]:
    """Run a proxy in the foreground, once it listens."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            arguments, stdout=output, stderr=output, env={**os.environ, **environment}
        )
        try:
            deadline = time.monotonic() + within(20)
            while socket.socket().connect_ex(("127.0.0.1", port)):
                output.seek(0)
                assert process.poll() is None, output.read().decode()
                assert time.monotonic() < deadline, output.read().decode()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:  # Caddy waits for streams
                process.kill()
                process.wait()


@contextmanager
def nginx(upstream: str, directory: Path, rate: str = "rate=1r/s") -> Iterator[Proxy]:
    """Run nginx with our file, with only the site's values changed. The low rate makes limits independent of
    the speed of this machine."""
    port, plain_port = free_port(), free_port()
    certificate(directory)
    text = (PROXIES / "nginx.conf").read_text(encoding="utf-8")
    for ours, theirs in (
        ("server 127.0.0.1:8000 ", f"server {upstream} "),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("listen [::]:443 ssl;", ""),
        ("listen 80;", f"listen 127.0.0.1:{plain_port};"),
        ("listen [::]:80;", ""),
        ("/etc/ssl/minerals/", f"{directory}/"),
        ("/var/cache/nginx/tracker", f"{directory}/cache"),
        ("minerals.example.org", "localhost"),
        ("rate=50r/s", rate),
    ):
        assert ours in text
        text = text.replace(ours, theirs)
    (directory / "tracker.conf").write_text(text, encoding="utf-8")
    (directory / "nginx.conf").write_text(
        f"""
        {"user root;" if os.geteuid() == 0 else ""}
        daemon off; worker_processes 1; error_log stderr; pid {directory}/pid;
        events {{ }}
        http {{
            access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
            fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
            include {directory}/tracker.conf;
        }}
        """,
        encoding="utf-8",
    )
    trust = ssl.create_default_context(cafile=str(directory / "fullchain.pem"))
    with running(["nginx", "-c", str(directory / "nginx.conf")], port):
        yield Proxy(port, plain_port, trust)


@contextmanager
def caddy(upstream: str, directory: Path) -> Iterator[Proxy]:
    """Run Caddy with our file, on separate ports and with its own certificate authority."""
    port, plain_port = free_port(), free_port()
    text = (PROXIES / "Caddyfile").read_text(encoding="utf-8")
    options = f"admin off\n\tskip_install_trust\n\thttp_port {plain_port}\n\thttps_port {port}"
    (directory / "Caddyfile").write_text(
        text.replace("{\n\t#", f"{{\n\t{options}\n\t#", 1), encoding="utf-8"
    )
    environment = {"XDG_DATA_HOME": str(directory), "XDG_CONFIG_HOME": str(directory)}
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(directory / "Caddyfile")]
    authority = directory / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    with running(command, port, UPSTREAM=upstream, SITE="localhost", **environment):
        trust = ssl.create_default_context(cafile=str(authority))
        trust.verify_flags |= NO_CHECK_TIME
        yield Proxy(port, plain_port, trust)


@contextmanager
def varnish(upstream: str, directory: Path) -> Iterator[Proxy]:
    """Run Varnish with our file, without a TLS proxy."""
    port = free_port()
    text = (PROXIES / "varnish.vcl").read_text(encoding="utf-8")
    host, _, number = upstream.partition(":")
    for ours, theirs in (('"127.0.0.1"', f'"{host}"'), ('"8000"', f'"{number}"')):
        assert ours in text
        text = text.replace(ours, theirs)
    (directory / "tracker.vcl").write_text(text, encoding="utf-8")
    command = ["varnishd", "-F", "-j", "none", "-n", str(directory), "-s", "malloc,64m"]
    command += ["-a", f"127.0.0.1:{port}", "-f", str(directory / "tracker.vcl")]
    with running(command, port):
        yield Proxy(port, port, None)


@pytest.fixture(scope="module")
def origin(server: Postgres, corpus_template: str) -> Iterator[tuple[str, Server]]:
    """Run a tracker with the corpus in a thread, and return its address and its server; a token may write."""
    address: Queue[tuple[str, Server]] = Queue()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def serve(target: Target) -> None:
        async with (
            running_tracker(target) as services,
            serving(services, Access(token=TOKEN)) as (found, web, _),
        ):
            address.put((found, web))
            await stop.wait()

    copies = copied(server, corpus_template)
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(next(copies)),))
    thread.start()
    yield address.get(timeout=within(60))
    loop.call_soon_threadsafe(stop.set)
    thread.join(within(60))
    loop.close()
    next(copies, None)


@pytest.fixture(scope="module")
def tracker(origin: tuple[str, Server]) -> str:
    """Return the address of the tracker."""
    return origin[0]


def ask(tracker: str, document: str) -> Any:
    """Return the data of the tracker's own response."""
    answer = httpx2.post(
        f"http://{tracker}/graphql", json={"query": document}, headers=WRITER
    ).json()
    assert "errors" not in answer, answer
    return answer["data"]


RUN = {"nginx": nginx, "caddy": caddy, "varnish": varnish}
PROGRAMS = {"varnish": "varnishd"}


@pytest.fixture(scope="module")
def proxies(tracker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Proxy]]:
    """Run the installed proxies before the tracker."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(run(tracker, tmp_path_factory.mktemp(name)))
            for name, run in RUN.items()
            if shutil.which(PROGRAMS.get(name, name))
        }


def installed(proxies: dict[str, Proxy], name: str) -> Proxy:
    """Return a proxy, or skip the test."""
    if name not in proxies:
        pytest.skip(f"{name} is not installed")
    return proxies[name]


@pytest.fixture(params=list(RUN))
def proxy(request: pytest.FixtureRequest, proxies: dict[str, Proxy]) -> Proxy:
    """Return each proxy in turn."""
    return installed(proxies, request.param)


@pytest.fixture(params=["nginx", "caddy"])
def secure(request: pytest.FixtureRequest, proxies: dict[str, Proxy]) -> Proxy:
    """Return each proxy with TLS in turn."""
    return installed(proxies, request.param)


@pytest.fixture
def kept(proxies: dict[str, Proxy]) -> Proxy:
    """Return the caching proxy."""
    return installed(proxies, "nginx")


async def test_questions_and_subscriptions_go_over_websockets(proxy: Proxy) -> None:
    url = f"ws{proxy.place}/graphql"
    async with connect(url, subprotocols=[PROTOCOL], ssl=proxy.trust, close_timeout=1) as client:
        await send(client, "connection_init")
        assert (await receive(client))["type"] == "connection_ack"
        question = "subscription { events(after: 0) { position } }"
        await send(client, "subscribe", id="1", payload={"query": question})
        answer = await receive(client)
        assert answer["payload"]["data"]["events"]["position"] == "1"


async def test_an_event_comes_at_once_on_a_stream(proxy: Proxy, tracker: str) -> None:
    head = ask(tracker, "{ head }")["head"]
    async with (
        proxy.client() as client,
        client.stream(
            "GET", f"/events?after={head}", headers={"Accept": "text/event-stream"}
        ) as stream,
    ):
        assert stream.status_code == 200
        ask(tracker, RECORD.replace("NAME", f"by-{proxy.port}"))
        lines = stream.aiter_lines()
        async with asyncio.timeout(13):  # sooner than the heartbeat, which would push it out
            while not (line := await anext(lines)).startswith("data:"):
                pass
        assert int(json.loads(line.removeprefix("data:"))["position"]) == int(head) + 1


async def posted(client: httpx2.AsyncClient, size: int) -> int | None:
    """Return the status of a query with a body of this size; None after a disconnect."""
    headers = {**WRITER, "Content-Type": "application/json"}
    try:
        content = b'{"query": "{ head }"}'.ljust(size)
        return (await client.post("/graphql", content=content, headers=headers)).status_code
    except httpx2.TransportError:
        return None


async def test_requests_that_are_too_large_or_for_operators_are_refused(proxy: Proxy) -> None:
    async with proxy.client() as client:
        answered = [await posted(client, size) for size in (15 * MIB, 17 * MIB)]
        assert answered[0] == 200
        assert answered[1] in (413, None)  # Caddy may close before all is sent
        for path in ("/metrics", "/readyz"):
            assert (await client.get(path)).status_code == 404
        assert (await client.get("/healthz")).status_code == 200
        found = await client.get("/docs")
        assert found.status_code == 200
        header = found.headers.get("strict-transport-security")
        assert header == ("max-age=31536000" if proxy.trust else None)


async def test_plain_http_leads_to_https(secure: Proxy) -> None:
    async with httpx2.AsyncClient(timeout=within(60)) as client:
        sent = await client.get(f"http://localhost:{secure.plain_port}/docs?q=a")
    assert sent.status_code in (301, 308)
    assert sent.headers["location"].startswith("https://localhost")
    assert sent.headers["location"].endswith("/docs?q=a")


async def test_the_tracker_knows_that_it_is_spoken_to_over_https(secure: Proxy) -> None:
    async with secure.client() as client:
        entered = await client.post(
            "/sign-in", data={"token": TOKEN}, headers={"Sec-Fetch-Site": "same-origin"}
        )
    assert entered.status_code == 303
    assert entered.headers["set-cookie"].startswith("__Host-tracker_token=")


async def test_answers_that_stay_are_kept_and_no_others(kept: Proxy) -> None:
    async with kept.client() as client:

        async def state(query: str, **headers: str) -> tuple[str, str]:
            answer = await client.get("/graphql", params={"query": query}, headers=headers)
            assert answer.status_code == 200
            assert "errors" not in answer.json()
            return answer.headers["x-cache-status"], answer.text

        first, second = await state(PINNED), await state(PINNED)
        assert (first[0], second[0]) == ("MISS", "HIT")
        assert first[1] == second[1]
        assert (await state(PINNED, Authorization=f"Bearer {TOKEN}"))[0] == "BYPASS"
        assert (await state(PINNED, Cookie="a=b"))[0] == "BYPASS"
        assert [(await state("{ head }"))[0] for _ in range(3)] == ["MISS"] * 3
        page = "/controls?valid=2025-11-20&position=40"
        assert [(await client.get(page)).headers["x-cache-status"] for _ in range(2)] == [
            "MISS",
            "HIT",
        ]
        today = [(await client.get("/controls")).headers["x-cache-status"] for _ in range(2)]
        assert today == ["MISS", "MISS"]


async def test_one_address_has_so_many_requests_at_once(kept: Proxy) -> None:
    async with kept.client() as client:
        answers = await asyncio.gather(*(client.get("/healthz") for _ in range(150)))
    assert {answer.status_code for answer in answers} == {200, 429}


LINES = {"Accept": "application/x-ndjson"}
READERS, EVENTS = 80, 4


@pytest.fixture(params=["nginx", "varnish"])
def cache(
    request: pytest.FixtureRequest, proxies: dict[str, Proxy], tracker: str, tmp_path: Path
) -> Iterator[Proxy]:
    """Run each caching proxy with an empty cache and a high rate limit."""
    installed(proxies, request.param)
    run = varnish if request.param == "varnish" else partial(nginx, rate="rate=10000r/s")
    with run(tracker, tmp_path) as proxy:
        yield proxy


async def test_a_full_page_of_events_is_stored_and_an_error_is_not(cache: Proxy) -> None:
    async with cache.client() as client:
        for path in ("/events?after=0&limit=50&wait=1", "/events?follow=false&limit=60"):
            pages = [await client.get(path, headers=LINES) for _ in range(3)]
            assert [page.headers["x-cache-status"] for page in pages] == ["MISS", "HIT", "HIT"]
            assert len({page.content for page in pages}) == 1
        beyond = [await client.get("/events?after=99999&wait=1") for _ in range(2)]
        assert [page.status_code for page in beyond] == [400, 400]
        assert {page.headers["x-cache-status"] for page in beyond} == {"MISS"}


async def test_readers_that_wait_get_every_event_of_two_requests_to_the_tracker(
    cache: Proxy, origin: tuple[str, Server]
) -> None:
    tracker, state = origin[0], origin[1].server_state
    head, before = ask(tracker, "{ head }")["head"], state.total_requests

    async def read(client: httpx2.AsyncClient) -> list[bytes]:
        address, lines = f"/events?after={head}&wait=20", list[bytes]()
        while len(lines) < EVENTS:
            page = await client.get(address, headers=LINES)
            assert page.status_code == 200
            lines += page.content.splitlines()
            address = page.headers["link"].partition(">")[0][1:]
        return lines

    async with cache.client(READERS) as client:
        readers = [asyncio.create_task(read(client)) for _ in range(READERS)]
        for number in range(EVENTS):
            await asyncio.sleep(1 if number else 6)  # nginx merges for 5 seconds by default
            name = f"new-{cache.port}-{number}"
            await asyncio.to_thread(ask, tracker, RECORD.replace("NAME", name))
        lines = await asyncio.gather(*readers)
        requests = state.total_requests - before - EVENTS  # each event was one request
        stored = await client.get(f"/events?after={head}&follow=false", headers=LINES)
    assert all(each == stored.content.splitlines() for each in lines)
    assert requests <= 2 * EVENTS


async def test_mirrors_that_wait_for_a_checkpoint_do_not_wait_for_each_other(
    proxy: Proxy, tracker: str
) -> None:
    head = ask(tracker, "{ head }")["head"]
    async with proxy.client() as client:
        began = time.monotonic()
        path = f"/log/checkpoint?after={head}&wait=3"
        answers = await asyncio.gather(*(client.get(path) for _ in range(3)))
        assert 3 <= time.monotonic() - began < 6
    assert {answer.status_code for answer in answers} == {404}
